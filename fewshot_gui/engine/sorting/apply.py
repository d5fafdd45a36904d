"""Applies a plan: every file at its place or where it was, with a reason; interrupted runs go on."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from fewshot_gui.engine.sorting.doubts import settle_doubts
from fewshot_gui.engine.sorting.journal import JournalError
from fewshot_gui.engine.sorting.plan import SameName, Way
from fewshot_gui.engine.sorting.receipt import Receipt, receipt_of
from fewshot_gui.engine.sorting.settling import Settling
from fewshot_gui.engine.sorting.states import FileState, Reason, RunState
from fewshot_gui.engine.sorting.transfer import Hooks, Transfer
from fewshot_gui.engine.sorting.undo import roll_back_split_groups

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fewshot_gui.engine.sorting.item import Item
    from fewshot_gui.engine.sorting.journal import Journal
    from fewshot_gui.engine.sorting.plan import Plan
    from fewshot_gui.engine.sorting.records import FileRecord

_PASSES = 3  # a name that is taken between look and rename is chosen anew


def apply_plan(
    plan: Plan, journal: Journal, hooks: Hooks | None = None, same_name: SameName | None = None
) -> Receipt:
    """What became of each file of the plan; a run of it that was cut off or paused goes on.

    Args:
        plan: what is to be done.
        journal: where it is written down, before and after.
        hooks: progress and cancelling.
        same_name: what becomes of a file whose name was taken since it was planned; by default what was said
            when the run began, or it is renamed.

    Raises:
        JournalError: The run was taken back, or the journal cannot be written; `recover` puts right what is
            in doubt.
    """
    journal.begin(plan, same_name)
    return resume(plan.id, journal, hooks)


def resume(run: str, journal: Journal, hooks: Hooks | None = None) -> Receipt:
    """What became of each file of the run, after the rest of it was applied; what failed is tried once more.

    Raises:
        JournalError: The journal knows no such run, it was taken back, or the journal cannot be written.
    """
    if journal.run(run).state is RunState.TAKEN_BACK:
        raise JournalError(f"run {run} was taken back; make a new plan to sort these files again")
    settle_doubts(run, journal)
    _back_to_planned(journal.files(run, [FileState.FAILED]), journal)
    record = journal.set_state(journal.run(run), RunState.OPEN)
    same_name = record.same_name
    transfer = Transfer(journal, record, hooks or Hooks())
    if any(each.way is not Way.TRASH for each in journal.files(run, [FileState.DONE])):
        transfer.expect_root()
    for attempt in range(_PASSES):
        if attempt and (transfer.stop is not None or not _plan_again(run, journal, same_name)):
            break
        planned = journal.files(run, [FileState.PLANNED])
        transfer.expect(len(planned))
        transfer.carry(_groups(planned, Settling(same_name, transfer.tick)))
    roll_back_split_groups(run, journal)
    stop = transfer.stop
    record = journal.set_state(
        record, RunState.PAUSED if stop else RunState.FINISHED, stop.reason if stop else None
    )
    return receipt_of(run, journal)


def _groups(records: list[FileRecord], settling: Settling) -> Iterator[list[Item]]:
    for _group, members in groupby(records, key=lambda record: record.group):
        yield settling.settle(list(members))


def _plan_again(run: str, journal: Journal, same_name: SameName) -> bool:
    """Return whether there are groups whose name was taken under way, which are planned again."""
    if same_name is SameName.SKIP:
        return False
    failed = journal.files(run, [FileState.FAILED])
    taken = {record.group for record in failed if record.reason is Reason.TARGET_TAKEN}
    again = [record for record in failed if record.group in taken]
    _back_to_planned(again, journal)
    return bool(again)


def _back_to_planned(failed: list[FileRecord], journal: Journal) -> None:
    journal.write(replace(record, state=FileState.PLANNED, reason=None, detail="") for record in failed)
