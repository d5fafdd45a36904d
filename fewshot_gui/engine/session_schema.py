"""The layout of a session file: how an empty one is made, and how one is recognised without touching it."""

from __future__ import annotations

import os
import sqlite3
import struct
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from fewshot_gui.engine.publish import publish
from fewshot_gui.engine.session_error import SessionError, SessionProblem, from_sqlite, from_system
from fewshot_gui.engine.session_places import is_taken

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX: Final = ".fewshot"
APPLICATION_ID: Final = 0x4653_4C42  # "FSLB" in the header, where `file` and we look for it
SCHEMA_VERSION: Final = 1

_SCHEMA: Final = """
CREATE TABLE history (
    seq INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL
);
CREATE TABLE position (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), seq INTEGER NOT NULL);
INSERT INTO position VALUES (1, 0);
-- The original stands last: SQLite then reads a thumbnail without walking through what is behind it.
CREATE TABLE pictures (
    id TEXT PRIMARY KEY, path BLOB NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    thumbnail BLOB NOT NULL, original BLOB
);
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
BUSY_SECONDS: Final = 2.0
"""How long to wait for who reads the file at that moment."""
_MAGIC: Final = b"SQLite format 3\x00"
_HEADER_LENGTH: Final = 100


def wal_of(path: Path) -> Path:
    """Where SQLite keeps what is written but not yet in the file."""
    return path.with_name(path.name + "-wal")


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection to an existing file, in autocommit, for use on any one thread.

    Args:
        path: The file.
        mode: The query of SQLite's file URI, as "mode=rw".
    """
    name = quote(os.fsencode(path.absolute().as_posix()))
    name = name if name.startswith("/") else f"/{name}"  # C:/folder; //server stays as it is
    uri = f"file://{name}?{mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS)


def make_empty(path: Path) -> None:
    """An empty file with our tables is at `path`, whatever was there before."""
    path.touch()
    with closing(connect(path, "mode=rw")) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.executescript(f"BEGIN; {_SCHEMA} COMMIT;")


def create(path: Path) -> None:
    """A new empty session is at `path`, complete or not at all.

    Raises:
        SessionError: There is something already, or it cannot be written.
    """
    temporary = temporary_beside(path)
    try:
        if not path.parent.is_dir():
            raise SessionError(SessionProblem.MISSING_FOLDER, str(path), str(path.parent))
        if is_taken(path):
            raise SessionError(SessionProblem.EXISTS, str(path))
        make_empty(temporary)
        publish(temporary, path)
    except sqlite3.Error as error:
        raise from_sqlite(error, str(path), SessionProblem.UNWRITABLE) from error
    except OSError as error:
        raise from_system(error, str(path)) from error
    finally:
        with suppress(OSError):  # what went wrong before is the error to tell
            temporary.unlink(missing_ok=True)


def temporary_beside(path: Path) -> Path:
    """A free name in the same folder, for a file that becomes `path` when it is complete."""
    return path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")


def check_place(path: Path) -> None:
    """Nothing happens where `path` is a file that may be read and written.

    Raises:
        SessionError: It is missing, a folder, or protected.
    """
    if not path.parent.is_dir():
        raise SessionError(SessionProblem.MISSING_FOLDER, str(path), str(path.parent))
    if path.is_dir():
        raise SessionError(SessionProblem.IS_A_FOLDER, str(path))
    if not path.exists():
        raise SessionError(SessionProblem.MISSING, str(path))
    if not os.access(path, os.R_OK):
        raise SessionError(SessionProblem.NO_PERMISSION, str(path))
    # A file without any write bit is protected on purpose, even from an administrator, who could write it.
    protected = not path.stat().st_mode & 0o222
    if protected or not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        raise SessionError(SessionProblem.READ_ONLY, str(path))


def check_header(path: Path) -> None:
    """Nothing happens where the file's first bytes are those of a session that this version reads.

    Raises:
        SessionError: It is damaged, foreign, or of a newer version.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER_LENGTH)
    if not header.strip(b"\x00") or (len(header) < _HEADER_LENGTH and _MAGIC.startswith(header[:16])):
        raise SessionError(SessionProblem.DAMAGED, str(path), f"{path.stat().st_size} bytes, no header")
    if not header.startswith(_MAGIC) or len(header) < _HEADER_LENGTH:
        raise SessionError(SessionProblem.FOREIGN, str(path), "not an SQLite database")
    # https://www.sqlite.org/fileformat.html#the_database_header
    (version,) = struct.unpack_from(">I", header, 60)
    (application,) = struct.unpack_from(">I", header, 68)
    if application != APPLICATION_ID:
        raise SessionError(SessionProblem.FOREIGN, str(path), f"application id {application:#x}")
    if version > SCHEMA_VERSION:
        raise SessionError(SessionProblem.NEWER, str(path), f"version {version}, here {SCHEMA_VERSION}")
    _check_length(path, header)


def _check_length(path: Path, header: bytes) -> None:
    wal = wal_of(path)
    if wal.exists() and wal.stat().st_size:
        return  # the file may rightly be shorter than its header says until SQLite has put this in
    (page_size,) = struct.unpack_from(">H", header, 16)
    (pages,) = struct.unpack_from(">I", header, 28)
    length = path.stat().st_size
    expected = (65536 if page_size == 1 else page_size) * pages
    if length < expected:
        raise SessionError(SessionProblem.DAMAGED, str(path), f"{length} bytes of {expected}")
