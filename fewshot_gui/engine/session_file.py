"""The open session file: gathers changes and writes them in one transaction; for the disk thread alone."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from fewshot_gui.engine.lease import Lease, LeaseTakenError
from fewshot_gui.engine.session_content import SessionContent, read_content
from fewshot_gui.engine.session_copy import copy_open_session, copy_session, newest_sound_copy
from fewshot_gui.engine.session_error import SessionError, SessionProblem, from_sqlite, from_system
from fewshot_gui.engine.session_schema import BUSY_SECONDS, check_place, connect
from fewshot_gui.engine.write_ahead import keep_write_ahead_log

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.engine.session_changes import Change
    from fewshot_gui.engine.worker import Steps


class SessionFile:
    """A session file that only this object writes."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lease: Lease) -> None:
        self._path = path
        self._connection = connection
        self._lease = lease
        self._number = path.stat().st_ino
        self._unsaved: list[Change] = []
        self._committed = 0

    @property
    def committed(self) -> int:
        """How many changes are on the disk since the file was opened."""
        return self._committed

    def take(self, change: Change) -> None:
        """The change is in memory, to be written by the next commit."""
        self._unsaved.append(change)

    def commit(self) -> int:
        """How many changes are on the disk since opening: all that were taken, in one transaction.

        Raises:
            SessionError: They cannot be written, or the file that is open was deleted or replaced; all of
                them are kept for the next commit.
        """
        if not self._unsaved:
            return self._committed
        if not self._is_there():
            raise SessionError(SessionProblem.GONE, str(self._path))
        try:
            self._write()
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise from_sqlite(error, str(self._path), SessionProblem.UNWRITABLE) from error
        self._committed += len(self._unsaved)
        self._unsaved.clear()
        return self._committed

    def copy_to(self, target: Path) -> Steps[None]:
        """A copy of the session, with what is not on the disk yet, bears the name `target`.

        Raises:
            SessionError: There is something of that name, or it cannot be written.
        """
        if self._is_there():
            yield from copy_session(self._path, target, tuple(self._unsaved))
        else:
            copy_open_session(self._connection, target, self._unsaved)

    def close(self) -> None:
        """The file is closed and others may have it; what is not committed is lost."""
        self._connection.close()
        self._lease.release()

    def _is_there(self) -> bool:
        """Return whether the open file still bears its name: SQLite would go on writing to a deleted one."""
        try:
            return self._path.stat().st_ino == self._number
        except OSError:
            return False

    def _write(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        for change in self._unsaved:
            change.write(self._connection)
        self._connection.execute("COMMIT")


def open_file(path: Path) -> tuple[SessionFile, SessionContent]:
    """The session file, ours alone until it is closed, with what is in it.

    Raises:
        SessionError: It cannot be used; it is as it was.
    """
    try:
        check_place(path)
        lease = Lease(path)
    except LeaseTakenError as error:
        raise SessionError(SessionProblem.IN_USE, str(path)) from error
    except OSError as error:
        raise from_system(error, str(path)) from error
    try:
        content = _sound_content(path)
        connection = _writing(path)
    except BaseException:
        lease.release()
        raise
    return SessionFile(path, connection, lease), content


def _sound_content(path: Path) -> SessionContent:
    try:
        return read_content(path)
    except SessionError as error:
        if error.kind is not SessionProblem.DAMAGED:
            raise
        backup = newest_sound_copy(path)
        raise SessionError(error.kind, error.path, error.detail, backup) from error
    except OSError as error:
        raise from_system(error, str(path)) from error


def _writing(path: Path) -> sqlite3.Connection:
    connection: sqlite3.Connection | None = None
    try:
        connection = connect(path, "mode=rw")
        keep_write_ahead_log(connection, BUSY_SECONDS)
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise from_sqlite(error, str(path), SessionProblem.UNWRITABLE) from error
    return connection
