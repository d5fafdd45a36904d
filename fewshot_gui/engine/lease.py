"""A lease on a file: one program at a time, given back by the system even if the program is killed."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class LeaseTakenError(Exception):
    """Another program, or another part of this one, holds the lease."""


class Lease:
    """The sole right to write one file, until `release`.

    The lock lies on a file of its own beside it: closing any handle of the file itself would drop
    the locks by which SQLite protects it (POSIX locks belong to the process, not to the handle).
    """

    def __init__(self, path: Path) -> None:
        """Take the lease.

        Raises:
            LeaseTakenError: Somebody else holds it.
            OSError: The lock file cannot be made.
        """
        self._lock_path = path.with_name(f".{path.name}.lock")
        self._handle: int | None = _take(self._lock_path)

    def release(self) -> None:
        """Give the lease back; a second call does nothing."""
        if self._handle is None:
            return
        if sys.platform == "win32":
            os.close(self._handle)
            with suppress(PermissionError):  # somebody has it open: it is theirs now
                self._lock_path.unlink(missing_ok=True)
        else:
            # Removed while still locked, so that nobody's fresh lock file is taken away.
            with suppress(PermissionError):  # another user's, in a folder where each removes their own alone
                self._lock_path.unlink(missing_ok=True)
            os.close(self._handle)
        self._handle = None


def _take(lock_path: Path) -> int:
    while True:
        handle = _opened(lock_path)
        try:
            _lock(handle)
        except (BlockingIOError, PermissionError) as error:  # as Unix and Windows say it
            os.close(handle)
            raise LeaseTakenError(str(lock_path)) from error
        except OSError:
            os.close(handle)
            raise
        if _is_still_there(handle, lock_path):
            return handle
        os.close(handle)  # the former holder removed it between our two calls: take the next one


def _opened(lock_path: Path) -> int:
    try:
        return os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:  # made by another user, who left it or holds it: to lock it, reading is enough
        with suppress(OSError):
            return os.open(lock_path, os.O_RDONLY)
        raise


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_still_there(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
