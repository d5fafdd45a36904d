"""Files that were on their way when the program ended: what is true of each, and putting it right."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from fewshot_gui.engine.sorting import sidecars
from fewshot_gui.engine.sorting.files import (
    fingerprint,
    hash_file,
    is_one_file,
    remove,
    rename_exclusively,
    sync_folder,
)
from fewshot_gui.engine.sorting.item import is_as_left, is_our_link
from fewshot_gui.engine.sorting.plan import TAKES_AWAY, Way
from fewshot_gui.engine.sorting.states import Failure, FileState, Reason
from fewshot_gui.engine.sorting.steps import may_drop
from fewshot_gui.engine.sorting.trash import find_in_trash, forget

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.engine.sorting.journal import Journal
    from fewshot_gui.engine.sorting.records import FileRecord

_AT_ONCE: Final = 256


class Verdict(StrEnum):
    """What was done about a file in doubt."""

    FINISHED = "finished"  # it has arrived
    PUT_BACK = "put-back"  # it is where it was
    LEFT = "left"  # it cannot be told yet (a drive is missing): the next start looks again


@dataclass(frozen=True, slots=True)
class Settled:
    """One file in doubt, as it now stands.

    Attributes:
        record: the file.
        verdict: what was done.
    """

    record: FileRecord
    verdict: Verdict


def settle_doubts(run: str, journal: Journal) -> list[Settled]:
    """The files of a run that were in doubt; each is at its goal or its origin now, so the journal says.

    Raises:
        JournalError: The journal cannot be read or written; a later call does the rest.
    """
    root, result = journal.run(run).root, []
    doubtful = journal.in_doubt(run)
    for first in range(0, len(doubtful), _AT_ONCE):
        settled = [_settle(record, root) for record in doubtful[first : first + _AT_ONCE]]
        journal.write(each.record for each in settled if each.verdict is not Verdict.LEFT)
        result += settled
    return result


def _settle(record: FileRecord, root: str) -> Settled:
    # Without the drive every look says "nothing there", and nothing may be concluded from that.
    # A run that was cut off before it made the folder has nothing there either.
    if record.way is Way.TRASH:  # it goes to the person's own disk, and may come from one that is away
        known, root = record.target, os.path.dirname(record.source)  # noqa: PTH120
    else:
        known = record.source
    if not os.path.isdir(root) and not os.path.lexists(known):  # noqa: PTH112
        return Settled(record, Verdict.LEFT)
    try:
        if record.way is Way.SIDECAR:
            return _finished(record) if sidecars.settle(record) else _put_back(record)
        return _SETTLERS[record.state](record)
    except Failure as failure:
        return Settled(replace(record, reason=failure.reason, detail=failure.detail), Verdict.LEFT)
    except OSError as error:
        return Settled(replace(record, reason=Reason.OTHER, detail=str(error)), Verdict.LEFT)


def _finished(record: FileRecord) -> Settled:
    arrived = replace(record, state=record.arrived, temporary="", reason=None, detail="")
    return Settled(arrived, Verdict.FINISHED)


def _put_back(record: FileRecord, reason: Reason | None = None, detail: str = "") -> Settled:
    state = record.rest if reason is None or record.back else FileState.FAILED
    if (
        record.back and record.way is not Way.SIDECAR
    ):  # what we left at the target, which the way back may have overwritten in the journal
        record = _as_found_at_target(record)
    back = replace(record, state=state, back=False, temporary="", reason=reason, detail=detail)
    return Settled(back, Verdict.PUT_BACK)


def _as_found_at_target(record: FileRecord) -> FileRecord:
    if record.way is Way.SYMBOLIC_LINK:
        return record
    found = fingerprint(record.target)
    if record.hash and hash_file(record.target) != record.hash:
        return record
    return replace(record, made_inode=found.inode, made_mtime_ns=found.mtime_ns)


def _renaming(record: FileRecord) -> Settled:
    if os.path.lexists(record.origin):
        if is_one_file(record.origin, record.goal):  # linked, not yet unlinked
            remove(record.goal, record.origin)
        return _put_back(record)
    if not os.path.lexists(record.goal):
        return _lost(record)
    found = fingerprint(record.goal)
    if record.way is Way.TRASH:
        forget(record.origin)
    return _finished(replace(record, made_inode=found.inode, made_mtime_ns=found.mtime_ns))


def _trashing(record: FileRecord) -> Settled:
    if not os.path.lexists(record.source) and not os.path.lexists(record.target):
        record = replace(record, target=find_in_trash(record) or record.target)
    return _renaming(record)


def _lost(record: FileRecord) -> Settled:
    """Somebody took the file away, from the one place as from the other."""
    lost = replace(
        record,
        state=FileState.FAILED,
        back=False,
        temporary="",
        reason=Reason.SOURCE_VANISHED,
        detail=record.origin,
    )
    return Settled(lost, Verdict.FINISHED)


def _linking(record: FileRecord) -> Settled:
    if record.way is Way.SYMBOLIC_LINK:
        return _finished(record) if is_our_link(record) else _put_back(record)
    if not is_one_file(record.source, record.target):
        return _put_back(record)
    made = fingerprint(record.target)
    return _finished(replace(record, made_inode=made.inode, made_mtime_ns=made.mtime_ns))


def _copying(record: FileRecord) -> Settled:
    if os.path.lexists(record.temporary):
        remove(record.temporary)
    return _put_back(record)


def _copied(record: FileRecord) -> Settled:
    if os.path.lexists(record.temporary):
        published = is_one_file(record.temporary, record.goal)  # linked, not yet unlinked
        remove(record.temporary, record.goal)
        if not published:
            return _put_back(record)
    elif not is_as_left(record, record.goal):
        return _put_back(record) if os.path.lexists(record.origin) else _lost(record)
    sync_folder(os.path.dirname(record.goal))  # noqa: PTH120
    return _verified(record) if record.way in TAKES_AWAY else _finished(record)


def _verified(record: FileRecord) -> Settled:
    origin_is_there = os.path.lexists(record.origin)
    if not os.path.lexists(record.goal):
        return _put_back(record) if origin_is_there else _lost(record)
    if not origin_is_there:
        os.stat(os.path.dirname(record.origin))  # noqa: PTH116, PTH120 - raises where its drive is away
        return _finished(record)
    whole = hash_file(record.goal) == record.hash
    if whole and hash_file(record.origin) == record.hash:
        remove(record.origin)
        sync_folder(os.path.dirname(record.origin))  # noqa: PTH120
        return _finished(record)
    if whole:  # our copy, of what the origin no longer is
        remove(record.goal)
    return _put_back(record, Reason.TARGET_CHANGED if record.back else Reason.SOURCE_CHANGED, record.origin)


def _removing(record: FileRecord) -> Settled:
    if record.way is Way.SYMBOLIC_LINK or not os.path.lexists(record.temporary):
        return _put_back(record) if os.path.lexists(record.target) else _finished(record)
    why = may_drop(record, record.temporary)
    if why is None:
        remove(record.temporary, record.source)
        return _finished(record)
    rename_exclusively(record.temporary, record.target)
    return _put_back(record, why.reason, why.detail)


_SETTLERS: Final[dict[FileState, Callable[[FileRecord], Settled]]] = {
    FileState.RENAMING: _renaming,
    FileState.TRASHING: _trashing,
    FileState.LINKING: _linking,
    FileState.COPYING: _copying,
    FileState.COPIED: _copied,
    FileState.VERIFIED: _verified,
    FileState.REMOVING: _removing,
}
