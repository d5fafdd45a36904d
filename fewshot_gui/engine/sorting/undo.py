"""Takes back what a run did, the whole or single files, as far as it is still as it was left."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from fewshot_gui.engine.sorting.doubts import settle_doubts
from fewshot_gui.engine.sorting.files import device_of, fingerprint
from fewshot_gui.engine.sorting.item import Item, Kind, is_as_left
from fewshot_gui.engine.sorting.plan import TAKES_AWAY, Way
from fewshot_gui.engine.sorting.receipt import Receipt, receipt_of
from fewshot_gui.engine.sorting.states import Failure, FileState, Reason, RunState, from_system
from fewshot_gui.engine.sorting.transfer import Hooks, Transfer

if TYPE_CHECKING:
    from collections.abc import Collection

    from fewshot_gui.engine.sorting.journal import Journal
    from fewshot_gui.engine.sorting.records import FileRecord


def take_back(
    run: str, journal: Journal, files: Collection[int] | None = None, hooks: Hooks | None = None
) -> Receipt:
    """What became of each file of the run when it was taken back; what was changed since is left and listed.

    Args:
        run: id of the run.
        journal: where it is written down.
        files: ids of the files to take back; None for all.
        hooks: progress and cancelling.

    Raises:
        JournalError: The journal knows no such run, or cannot be written.
    """
    settle_doubts(run, journal)
    record = journal.run(run)
    done = journal.files(run, [FileState.DONE])
    wanted = None if files is None else frozenset(files)
    chosen = [each for each in done if wanted is None or each.id in wanted]
    transfer = Transfer(journal, record, hooks or Hooks(), total=len(chosen))
    # The last first: what was made later may lie in what was made before.
    transfer.carry([_item(each, record.root)] for each in reversed(chosen))
    if transfer.stop is None or transfer.stop.reason is not Reason.TARGET_VANISHED:
        _remove_folders(run, journal)
    if files is None and transfer.stop is None:
        _give_up_planned(run, journal)
        journal.set_state(record, RunState.TAKEN_BACK)
    elif transfer.stop is not None:
        journal.set_state(record, record.state, transfer.stop.reason)
    return receipt_of(run, journal)


def roll_back_split_groups(run: str, journal: Journal) -> list[FileRecord]:
    """The files that were taken back since others of their group did not go."""
    split = journal.split_groups(run)
    if not split:
        return []
    record = journal.run(run)
    Transfer(journal, record, Hooks()).carry([_item(each, record.root)] for each in reversed(split))
    ids = {each.id for each in split}
    back = [each for each in journal.files(run, [FileState.TAKEN_BACK]) if each.id in ids]
    failed = {each.group: each.source for each in journal.files(run, [FileState.FAILED])}
    journal.write(_out_of_group(each, failed.get(each.group)) for each in back)
    return back


def _out_of_group(record: FileRecord, culprit: str | None) -> FileRecord:
    if culprit is None:  # the others are yet to go, and so is this one
        return replace(record, state=FileState.PLANNED, back=False)
    return replace(record, state=FileState.FAILED, back=False, reason=Reason.GROUP, detail=culprit)


def _item(record: FileRecord, root: str) -> Item:
    going = replace(record, back=True)
    item = Item(going, Kind.RESTORE if record.way is Way.SIDECAR else Kind.DROP)
    try:
        if record.way in TAKES_AWAY:
            _check_moved(record)
            here, there = device_of(os.path.dirname(record.target)), _source_device(record)  # noqa: PTH120
            item.kind = Kind.RENAME if here == there else Kind.CARRY
    except Failure as failure:
        item.failure = failure
    except OSError as error:
        item.failure = from_system(error, record.target, "" if record.way is Way.TRASH else root)
    if item.failure is not None and item.failure.reason is Reason.SOURCE_VANISHED:
        emptied = record.way is Way.TRASH
        item.failure = Failure(Reason.TRASH_EMPTIED if emptied else Reason.TARGET_CHANGED, record.target)
    return item


def _check_moved(record: FileRecord) -> None:
    found = fingerprint(record.target)
    if record.hash:
        same = is_as_left(record, record.target)
    else:  # it was renamed and never read, and a drive that is mounted anew may give it another inode
        same = (found.size, found.mtime_ns) == (record.size, record.made_mtime_ns)
    if not same:
        raise Failure(Reason.TARGET_CHANGED, record.target)
    if os.path.lexists(record.source):
        raise Failure(Reason.SOURCE_TAKEN, record.source)


def _source_device(record: FileRecord) -> int:
    """Return the device that the file goes back to.

    Raises:
        Failure: The file came from another disk, which is not there: what is left of the place where it was
            mounted is a folder on this one.
    """
    folder = os.path.dirname(record.source)  # noqa: PTH120
    device = device_of(folder)
    crossed = bool(record.hash)  # a file is read where it goes to another disk, and renamed where it does not
    if crossed and not os.path.isdir(folder) and device == device_of(record.target):  # noqa: PTH112
        raise Failure(Reason.TARGET_VANISHED, folder)
    return device


def _remove_folders(run: str, journal: Journal) -> None:
    """The folders that the run made are gone where they are empty."""
    gone = []
    for folder in journal.folders(run):
        with suppress(OSError):  # something is in it, or it may not be removed: it stays
            os.rmdir(folder)  # noqa: PTH106
        if not os.path.lexists(folder):
            gone.append(folder)
    journal.forget_folders(run, gone)


def _give_up_planned(run: str, journal: Journal) -> None:
    """What was yet to go does not, so that nobody resumes what was taken back."""
    planned = journal.files(run, [FileState.PLANNED])
    journal.write(
        replace(each, state=FileState.SKIPPED, reason=Reason.CANCELLED, detail="") for each in planned
    )
