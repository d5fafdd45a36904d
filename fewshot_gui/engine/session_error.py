"""What can be wrong with a session file, as an error with its facts."""

from __future__ import annotations

import sqlite3
from enum import StrEnum
from typing import Final


class SessionProblem(StrEnum):
    """Why a session file cannot be used as asked."""

    MISSING = "missing"
    GONE = "gone"
    MISSING_FOLDER = "missing folder"
    IS_A_FOLDER = "is a folder"
    NO_PERMISSION = "no permission"
    READ_ONLY = "read only"
    DAMAGED = "damaged"
    FOREIGN = "foreign"
    NEWER = "newer"
    IN_USE = "in use"
    EXISTS = "exists"
    DISK_FULL = "disk full"
    UNWRITABLE = "unwritable"
    CLOSED = "closed"


class SessionError(Exception):
    """A session file cannot be opened or written; the file is as it was.

    Attributes:
        kind: Why.
        path: The session file.
        detail: What the system or SQLite said, in English; empty where `kind` says all.
        backup: The newest sound copy, where the file is damaged and there is one.
    """

    def __init__(self, kind: SessionProblem, path: str, detail: str = "", backup: str | None = None) -> None:
        super().__init__(f"{path}: {kind}" + (f" ({detail})" if detail else ""))
        self.kind = kind
        self.path = path
        self.detail = detail
        self.backup = backup


_BY_SQLITE_CODE: Final = {
    sqlite3.SQLITE_FULL: SessionProblem.DISK_FULL,
    sqlite3.SQLITE_BUSY: SessionProblem.IN_USE,
    sqlite3.SQLITE_LOCKED: SessionProblem.IN_USE,
    sqlite3.SQLITE_READONLY: SessionProblem.READ_ONLY,
    sqlite3.SQLITE_CORRUPT: SessionProblem.DAMAGED,
    sqlite3.SQLITE_NOTADB: SessionProblem.DAMAGED,
    sqlite3.SQLITE_PERM: SessionProblem.NO_PERMISSION,
}


def from_sqlite(error: sqlite3.Error, path: str, otherwise: SessionProblem) -> SessionError:
    """The session error that an error of SQLite means; `otherwise` where its code says nothing special."""
    primary_code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the upper bits only refine it
    return SessionError(_BY_SQLITE_CODE.get(primary_code, otherwise), path, str(error))


def from_system(error: OSError, path: str) -> SessionError:
    """The session error that an error of the operating system means."""
    kinds: tuple[tuple[type[OSError], SessionProblem], ...] = (
        (FileExistsError, SessionProblem.EXISTS),
        (FileNotFoundError, SessionProblem.MISSING),
        (IsADirectoryError, SessionProblem.IS_A_FOLDER),
        (PermissionError, SessionProblem.NO_PERMISSION),
    )
    kind = next((kind for type_, kind in kinds if isinstance(error, type_)), SessionProblem.UNWRITABLE)
    return SessionError(kind, path, str(error))
