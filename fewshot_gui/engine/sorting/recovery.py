"""What the next start does after a crash: every file in doubt is finished or put back, and it says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fewshot_gui.engine.sorting.doubts import Settled, Verdict, settle_doubts
from fewshot_gui.engine.sorting.states import FileState, RunState
from fewshot_gui.engine.sorting.undo import roll_back_split_groups

if TYPE_CHECKING:
    from fewshot_gui.engine.sorting.journal import Journal


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What recovery found and did.

    Attributes:
        settled: the files that were in doubt, each with what was done about it.
        rolled_back: sources of files that were taken back since others of their group had not gone.
        resumable: ids of the runs that are not finished and can be resumed or taken back.
    """

    settled: tuple[Settled, ...] = ()
    rolled_back: tuple[str, ...] = ()
    resumable: tuple[str, ...] = ()

    @property
    def finished(self) -> int:
        """How many files were found to have arrived, or were brought to their goal."""
        return sum(each.verdict is Verdict.FINISHED for each in self.settled)

    @property
    def put_back(self) -> int:
        """How many files were put back where they had been."""
        return sum(each.verdict is Verdict.PUT_BACK for each in self.settled)

    @property
    def left(self) -> int:
        """How many files stay in doubt, as their drive is missing."""
        return sum(each.verdict is Verdict.LEFT for each in self.settled)


def recover(journal: Journal) -> RecoveryReport:
    """What was in doubt, and what was done about it; a second call finds nothing more to do.

    Raises:
        JournalError: The journal cannot be read or written; a later call does the rest.
    """
    settled: list[Settled] = []
    rolled_back: list[str] = []
    resumable: list[str] = []
    for run in journal.runs():
        settled += settle_doubts(run.id, journal)
        if run.state is RunState.OPEN:
            rolled_back += [record.source for record in roll_back_split_groups(run.id, journal)]
            waiting = journal.counts(run.id).get(FileState.PLANNED, 0)
            run = journal.set_state(run, RunState.PAUSED if waiting else RunState.FINISHED)  # noqa: PLW2901
        if run.state is RunState.PAUSED:
            resumable.append(run.id)
    return RecoveryReport(tuple(settled), tuple(rolled_back), tuple(resumable))
