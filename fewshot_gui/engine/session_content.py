"""What a session file holds, read and checked without changing the file."""

from __future__ import annotations

import gc
import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.command_codec import CodecError, decode
from fewshot_gui.engine.commands import CommandError
from fewshot_gui.engine.pictures import StoredPicture
from fewshot_gui.engine.session_changes import path_from_bytes
from fewshot_gui.engine.session_error import SessionError, SessionProblem, from_sqlite
from fewshot_gui.engine.session_schema import check_header, connect, wal_of
from fewshot_gui.engine.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FULL_CHECK_BYTES: Final = 64 * 2**20
"""Up to this size every page is checked at opening (0.1 s); beyond it, what is read proves itself."""


@dataclass(frozen=True, slots=True)
class SessionContent:
    """All of a session that is kept in memory."""

    timeline: Timeline
    pictures: dict[PictureId, StoredPicture]  # without their originals
    settings: dict[str, Any]


def read_content(path: Path) -> SessionContent:
    """The checked content of a session file; no byte of it or beside it has changed.

    Raises:
        SessionError: The file is damaged, foreign, newer or in use.
    """
    check_header(path)
    try:
        with _reading(path) as connection:
            _check_pages(connection, path)
            steps = connection.execute("SELECT seq, at, kind, payload FROM history ORDER BY seq").fetchall()
            (position,) = connection.execute("SELECT seq FROM position").fetchone()
            return SessionContent(_timeline(steps, position), _pictures(connection), _settings(connection))
    except sqlite3.Error as error:
        raise from_sqlite(error, str(path), SessionProblem.DAMAGED) from error
    except (CodecError, CommandError, IndexError, TypeError, ValueError) as error:
        raise SessionError(SessionProblem.DAMAGED, str(path), str(error)) from error


def read_original(path: Path, picture: PictureId) -> bytes | None:
    """The encoded picture that the file keeps, or None.

    Raises:
        SessionError: The file cannot be read.
    """
    try:
        with closing(connect(path, "mode=ro")) as connection:
            row = connection.execute("SELECT original FROM pictures WHERE id = ?", (picture,)).fetchone()
    except sqlite3.Error as error:
        raise from_sqlite(error, str(path), SessionProblem.DAMAGED) from error
    original: bytes | None = row[0] if row else None
    return original


class _reading:  # noqa: N801 - reads as a function in a with statement
    """A connection that leaves nothing behind beside a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = [wal_of(path), path.with_name(path.name + "-shm")]

    def __enter__(self) -> sqlite3.Connection:
        # After a kill the newest steps are in the -wal file, which an immutable reading passes over.
        self._made = [file for file in self._beside if not file.exists()]
        unclean = wal_of(self._path).exists()
        self._connection = connect(self._path, "mode=ro" if unclean else "immutable=1")
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        for file in self._made:
            file.unlink(missing_ok=True)


def _check_pages(connection: sqlite3.Connection, path: Path) -> None:
    if path.stat().st_size > FULL_CHECK_BYTES:
        return
    (finding,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if finding != "ok":
        raise SessionError(SessionProblem.DAMAGED, str(path), finding)


def _timeline(steps: list[tuple[int, str, str, str]], position: int) -> Timeline:
    if [seq for seq, *_ in steps] != list(range(1, len(steps) + 1)):
        raise ValueError("steps of the history are missing")
    with _collector_paused():
        commands = (decode(kind, payload) for _, _, kind, payload in steps)
        return Timeline(commands, position, (at for _, at, _, _ in steps))


@contextmanager
def _collector_paused() -> Iterator[None]:
    # Nothing in a replay is cyclic, yet the garbage collector walks through all its documents again
    # and again: 20,000 steps take 1.6 s with it and 0.6 s without.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _pictures(connection: sqlite3.Connection) -> dict[PictureId, StoredPicture]:
    rows = connection.execute("SELECT id, path, size, mtime_ns, thumbnail FROM pictures")
    return {
        PictureId(name): StoredPicture(
            PictureId(name), thumbnail, path=path_from_bytes(path), size=size, mtime_ns=mtime_ns
        )
        for name, path, size, mtime_ns, thumbnail in rows
    }


def _settings(connection: sqlite3.Connection) -> dict[str, Any]:
    return {key: json.loads(value) for key, value in connection.execute("SELECT key, value FROM settings")}
