"""The write-ahead log is switched on, also while another connection holds the file."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.engine.write_ahead import keep_write_ahead_log

if TYPE_CHECKING:
    from pathlib import Path


def connected(path: Path) -> closing[sqlite3.Connection]:
    """A connection that waits for nothing by itself, as SQLite does while it changes the log."""
    return closing(sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False))


def log_of(database: sqlite3.Connection) -> str:
    return str(database.execute("PRAGMA journal_mode").fetchone()[0])


def test_file_that_another_holds_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    with connected(tmp_path / "file") as holder, connected(tmp_path / "file") as database:
        holder.execute("BEGIN EXCLUSIVE")
        release = threading.Timer(0.1, holder.execute, ["COMMIT"])
        release.start()
        keep_write_ahead_log(database, 30)
        release.join()
        assert log_of(database) == "wal"


def test_file_that_stays_locked_is_given_up(tmp_path: Path) -> None:
    with connected(tmp_path / "file") as holder, connected(tmp_path / "file") as database:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            keep_write_ahead_log(database, 0.05)


def test_only_a_lock_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"no database " * 100)
    with connected(path) as database, pytest.raises(sqlite3.DatabaseError, match="not a database"):
        keep_write_ahead_log(database, 30)
