"""SQLite's write-ahead log, for files that several windows and commands of the program open at once."""

from __future__ import annotations

import sqlite3
import time

_PAUSE_SECONDS = 0.01


def keep_write_ahead_log(database: sqlite3.Connection, seconds: float) -> None:
    """Readers and one writer no longer wait for each other.

    SQLite itself waits for no lock while it changes to this log, as two that wait there could wait for each
    other: whoever opens a new file at the same moment as another is told "database is locked" at once.

    Args:
        database: outside a transaction.
        seconds: how long to go on asking.

    Raises:
        sqlite3.OperationalError: the file was locked all that time, or cannot be written.
        sqlite3.DatabaseError: it is no database.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
