"""What can have become of a file and of a run, and for what reason one did not go."""

from __future__ import annotations

import errno
import os
from enum import StrEnum
from typing import Final


class FileState(StrEnum):
    """Where a file stands; a record in one of `IN_DOUBT` says what may lie where after a crash."""

    PLANNED = "planned"  # nothing has been done
    RENAMING = "renaming"  # either under its former name or under its new one
    TRASHING = "trashing"  # where it was, in the system's trash, or in our quarantine
    LINKING = "linking"  # the link is there or not
    COPYING = "copying"  # the temporary file may be there, whole or not
    # The temporary file is whole and of the recorded hash (of a move: on the disk too); it may bear its name.
    COPIED = "copied"
    VERIFIED = "verified"  # the copy bears its name, on the disk; the original is there or not
    REMOVING = "removing"  # our copy is under its name, set aside under the temporary one, or gone
    DONE = "done"
    FAILED = "failed"  # as it was before, for a reason
    SKIPPED = "skipped"  # as it was before, by a rule
    TAKEN_BACK = "taken back"


IN_DOUBT: Final = frozenset(
    {
        FileState.RENAMING,
        FileState.TRASHING,
        FileState.LINKING,
        FileState.COPYING,
        FileState.COPIED,
        FileState.VERIFIED,
        FileState.REMOVING,
    }
)


class RunState(StrEnum):
    """Where a run stands."""

    OPEN = "open"  # under way, or cut off
    PAUSED = "paused"  # cancelled, or stopped by a full disk or a vanished target; it can be resumed
    FINISHED = "finished"
    TAKEN_BACK = "taken back"  # all that could be


class Reason(StrEnum):
    """Why a file did not go, or did not come back."""

    SOURCE_VANISHED = "source-vanished"
    SOURCE_CHANGED = "source-changed"
    SOURCE_TAKEN = "source-taken"  # something new is where the file came from
    NOT_A_FILE = "not-a-file"
    UNREADABLE = "unreadable"
    TARGET_TAKEN = "target-taken"
    TARGET_CHANGED = "target-changed"
    TARGET_VANISHED = "target-vanished"  # the destination folder or its drive is gone
    FOLDER_VANISHED = "folder-vanished"
    ALREADY_THERE = "already-there"  # identical content is at the target
    TRASH_EMPTIED = "trash-emptied"  # it is no longer in the trash
    ONLY_COPY = "only-copy"  # the original is gone or changed: our copy is the last of its content
    NO_PERMISSION = "no-permission"
    READ_ONLY = "read-only"
    LOCKED = "locked"
    DISK_FULL = "disk-full"
    NAME_NOT_ALLOWED = "name-not-allowed"
    NAME_TOO_LONG = "name-too-long"
    TOO_LARGE = "too-large"
    NOT_SUPPORTED = "not-supported"
    SIDECAR = "sidecar"  # the one that is there is damaged, or no XMP
    VERIFY_FAILED = "verify-failed"  # what was read back is not what was written
    GROUP = "group"  # another file of its group did not go
    CANCELLED = "cancelled"
    OTHER = "other"


# After these, the next file would fare no better: the run pauses and the rest is not touched.
STOPPING: Final = frozenset({Reason.DISK_FULL, Reason.TARGET_VANISHED, Reason.CANCELLED})

_BY_NUMBER: Final = {
    errno.ENOSPC: Reason.DISK_FULL,
    getattr(errno, "EDQUOT", errno.ENOSPC): Reason.DISK_FULL,
    errno.EACCES: Reason.NO_PERMISSION,
    errno.EPERM: Reason.NO_PERMISSION,
    errno.EROFS: Reason.READ_ONLY,
    errno.EBUSY: Reason.LOCKED,
    getattr(errno, "ETXTBSY", errno.EBUSY): Reason.LOCKED,
    errno.ENAMETOOLONG: Reason.NAME_TOO_LONG,
    errno.EINVAL: Reason.NAME_NOT_ALLOWED,
    errno.EILSEQ: Reason.NAME_NOT_ALLOWED,
    errno.EFBIG: Reason.TOO_LARGE,
    errno.EXDEV: Reason.NOT_SUPPORTED,
    errno.EMLINK: Reason.NOT_SUPPORTED,
    errno.ENOTSUP: Reason.NOT_SUPPORTED,
    errno.EIO: Reason.UNREADABLE,
    errno.EEXIST: Reason.TARGET_TAKEN,
}
_WINDOWS_LOCKED: Final = (32, 33)  # ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION


class Failure(Exception):  # noqa: N818 - it is a file's fate, not a mistake
    """One file does not go, for a reason."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

    @property
    def stops(self) -> bool:
        """Whether the next file would fare no better."""
        return self.reason in STOPPING


def from_system(error: OSError, origin: str, root: str) -> Failure:
    """What an error of the system means for the file at `origin`.

    Args:
        error: what the system said.
        origin: of the file.
        root: the folder to or from which it is on its way; empty for one that cannot go away.
    """
    detail = error.strerror or str(error)
    if error.filename is not None:
        detail = f"{detail}: {os.fsdecode(error.filename)}"
    if getattr(error, "winerror", None) in _WINDOWS_LOCKED:
        return Failure(Reason.LOCKED, detail)
    known = _BY_NUMBER.get(error.errno or 0)
    if known not in {None, Reason.UNREADABLE}:
        return Failure(known or Reason.OTHER, detail)
    # A drive that goes away speaks in many tongues (ENOENT, EIO, ESTALE, ENOTCONN, ...): look for it.
    if root and not os.path.isdir(root):  # noqa: PTH112 - Path.is_dir raises where a folder may not be entered
        return Failure(Reason.TARGET_VANISHED, root)
    if isinstance(error, FileNotFoundError):
        missing = not os.path.lexists(origin)
        return Failure(Reason.SOURCE_VANISHED if missing else Reason.FOLDER_VANISHED, detail)
    return Failure(known or Reason.OTHER, detail)
