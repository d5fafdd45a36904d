"""One file on its way: how it goes, how far it is, and how it is put back where it was."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from fewshot_gui.engine.sorting import sidecars
from fewshot_gui.engine.sorting.files import fingerprint, hash_file, remove, rename_exclusively
from fewshot_gui.engine.sorting.states import Failure, FileState, Reason
from fewshot_gui.engine.sorting.trash import forget

if TYPE_CHECKING:
    from fewshot_gui.engine.sorting.files import Fingerprint
    from fewshot_gui.engine.sorting.records import FileRecord


class Kind(Enum):
    """How a file gets from its origin to its goal."""

    RENAME = auto()  # within a disk
    COPY = auto()
    TRASH = auto()  # within a disk, into the system's trash or our quarantine
    CARRY = auto()  # across disks: copied, verified, and then removed
    HARD_LINK = auto()
    SYMBOLIC_LINK = auto()
    DROP = auto()  # our own copy or link is removed
    SIDECAR = auto()  # a sidecar is written, and what was there is kept
    RESTORE = auto()  # the sidecar that was there comes back


class Stage(Enum):
    """How far an item is."""

    NOTHING = auto()
    TEMPORARY = auto()
    PUBLISHED = auto()
    ORIGIN_REMOVED = auto()


FIRST_STATE: Final = {
    Kind.RENAME: FileState.RENAMING,
    Kind.TRASH: FileState.TRASHING,
    Kind.COPY: FileState.COPYING,
    Kind.CARRY: FileState.COPYING,
    Kind.HARD_LINK: FileState.LINKING,
    Kind.SYMBOLIC_LINK: FileState.LINKING,
    Kind.DROP: FileState.REMOVING,
    Kind.SIDECAR: FileState.COPYING,
    Kind.RESTORE: FileState.REMOVING,
}
COPYING: Final = (Kind.COPY, Kind.CARRY)


@dataclass(slots=True, eq=False)
class Item:
    """One file of a batch."""

    record: FileRecord
    kind: Kind
    stage: Stage = Stage.NOTHING
    handle: int = -1
    copied_from: Fingerprint | None = None
    failure: Failure | None = None
    skipped: bool = False  # by a rule, and not because something went wrong
    in_doubt: bool = False  # it could not be put back: the next recovery has to look
    former: FileRecord = field(init=False)

    def __post_init__(self) -> None:
        self.former = self.record

    @property
    def goes(self) -> bool:
        """Whether nothing has failed so far."""
        return self.failure is None and not self.in_doubt

    @property
    def is_far(self) -> bool:
        """Whether it cannot be renamed: two mounts of one disk, say, are one device and yet two places."""
        refused = self.failure is not None and self.failure.reason is Reason.NOT_SUPPORTED
        return refused and self.kind in {Kind.RENAME, Kind.TRASH} and not self.in_doubt

    def across(self) -> Item:
        """The item as it sets out anew to another disk; one that a rule holds, or in doubt, as it is."""
        return self if self.skipped or self.in_doubt else Item(self.former, Kind.CARRY)

    def outcome(self) -> FileRecord:
        """The record with which this item ends."""
        record, failure = self.record, self.failure
        if failure is None:
            return replace(record, state=record.arrived, temporary="", reason=None, detail="")
        # The place that the system's trash gave it means nothing any more.
        target = self.former.target if self.kind is Kind.TRASH else record.target
        record = replace(self.former, target=target)
        if failure.stops:  # it never set out
            return replace(record, state=record.rest, back=False, temporary="", reason=None, detail="")
        state, reason = FileState.DONE if record.back else FileState.FAILED, failure.reason
        if self.skipped:
            state = FileState.SKIPPED
        elif record.back and reason is Reason.TARGET_TAKEN:  # the goal is then where the file came from
            reason = Reason.SOURCE_TAKEN
        return replace(record, state=state, back=False, temporary="", reason=reason, detail=failure.detail)

    def withdraw(self) -> None:
        """The file is at its origin alone, as if it had never set out.

        Raises:
            Failure: What we left at the goal is no longer ours to remove.
            OSError: It cannot be done.
        """
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1
        if self.stage is Stage.TEMPORARY:
            _remove(self.record.temporary)
            if self.kind is Kind.SIDECAR:
                sidecars.withdraw(self.record)
        elif self.stage is Stage.PUBLISHED:
            self._withdraw_published()
        elif self.kind in {Kind.DROP, Kind.RESTORE} and os.path.lexists(self.record.temporary):
            rename_exclusively(self.record.temporary, self.record.target)  # it was set aside, and stays
        self.stage = Stage.NOTHING

    def _withdraw_published(self) -> None:
        record = self.record
        if self.kind is Kind.SIDECAR:
            sidecars.restore(record)
        elif self.kind in {Kind.RENAME, Kind.TRASH}:
            rename_exclusively(record.goal, record.origin)
            if self.kind is Kind.TRASH:
                forget(record.goal)
        elif is_our_link(record) if self.kind is Kind.SYMBOLIC_LINK else is_as_left(record, record.goal):
            _remove(record.goal, record.origin)
        else:
            raise Failure(Reason.TARGET_CHANGED, record.goal)


def _remove(path: str, twin: str = "") -> None:
    with suppress(FileNotFoundError):
        remove(path, twin)


def temporary_beside(record: FileRecord, path: str) -> str:
    """The name under which this file is for a moment, beside `path`; nobody else makes such a name."""
    folder = os.path.dirname(path)  # noqa: PTH120
    return os.path.join(folder, f".fewshot-{record.run[:12]}-{record.id}.part")  # noqa: PTH118


def is_as_planned(record: FileRecord, found: Fingerprint) -> bool:
    """Return whether the source is the file that was planned; an inode of 0 says nothing."""
    return looks_as_planned(record, found) and record.inode in {0, found.inode}


def looks_as_planned(record: FileRecord, found: Fingerprint) -> bool:
    """Return whether the source has the size and the time of the file that was planned."""
    return (found.size, found.mtime_ns) == (record.size, record.mtime_ns)


def is_as_left(record: FileRecord, path: str) -> bool:
    """Return whether the file at `path` is what we made: by its inode and times, else by its content.

    Inodes change where a drive is mounted anew (FAT, network); then the content decides, if we know it.
    """
    try:
        found = fingerprint(path)
        if found.size != record.size:
            return False
        if (found.inode, found.mtime_ns) == (record.made_inode, record.made_mtime_ns):
            return True
        return bool(record.hash) and hash_file(path) == record.hash
    except (OSError, Failure):
        return False


def is_our_link(record: FileRecord) -> bool:
    """Return whether the target is the symbolic link that we make."""
    try:
        return os.readlink(record.target) == record.source  # noqa: PTH115
    except OSError:
        return False
