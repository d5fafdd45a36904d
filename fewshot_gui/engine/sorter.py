"""Plans, sorts and takes back on a lane of its own: a long run keeps nobody waiting."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from fewshot_gui.engine.deciding.decisions import Decisions, decide
from fewshot_gui.engine.deciding.moments import moments
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.sorting.apply import apply_plan, resume
from fewshot_gui.engine.sorting.journal import Journal, journal_path
from fewshot_gui.engine.sorting.plan import Machine, SameName, Way
from fewshot_gui.engine.sorting.planning import make_plan
from fewshot_gui.engine.sorting.receipt import Receipt, receipt_of
from fewshot_gui.engine.sorting.recovery import RecoveryReport, recover
from fewshot_gui.engine.sorting.states import RunState
from fewshot_gui.engine.sorting.survey import survey
from fewshot_gui.engine.sorting.table import CategoryCount, Row, category_counts, rows
from fewshot_gui.engine.sorting.transfer import Hooks
from fewshot_gui.engine.sorting.undo import take_back
from fewshot_gui.engine.sorting.watched import go_on
from fewshot_gui.engine.worker import CancelToken, Job, Priority, Steps, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.commands import Command
    from fewshot_gui.engine.deciding.piles import Pile, Piles
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.sorting.plan import Plan
    from fewshot_gui.engine.sorting.records import RunRecord
    from fewshot_gui.engine.sorting.states import FileState
    from fewshot_gui.engine.sorting.trash import SystemTrash
    from fewshot_gui.engine.sorting.watched import Check
    from fewshot_gui.engine.state import Document
    from fewshot_gui.engine.worker import Post

T = TypeVar("T")

_TELL_SECONDS = 0.05  # a progress twenty times a second: nobody reads faster, and 10,000 calls would be felt


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What is to be sorted, and how: a snapshot, so that it means the same on any thread.

    Attributes:
        files: of the R rows.
        ids: their contents, None where unknown.
        scores: what the machine says.
        piles: of those scores.
        document: the categories' names, and what the person said.
        machine: the piles whose rows go where the machine says.
        none_name: the category of pictures that are none of these; None: they stay.
        destination: the folder of the category folders.
        way: how the files go.
        same_name: what becomes of a file whose name is taken.
        gone: paths of files that are known not to be there any more, such as those that were moved before.
        trash: the categories, by name, whose files go to the trash.
        only: the paths that are asked about; None: all.
        steps: of the session, with their moments: when a person said what they said.
        at: the moment of the snapshot, ISO 8601, at which the machine was asked.
        made_by: returns what made the scores; asked on the lane, where a bundle may be read for its hash.
    """

    files: Sequence[PictureFile]
    ids: Sequence[PictureId | None]
    scores: Scores
    piles: Piles
    document: Document
    machine: Collection[Pile]
    none_name: str | None
    destination: str
    way: Way = Way.COPY
    same_name: SameName = SameName.RENAME
    gone: frozenset[str] = frozenset()
    steps: Sequence[tuple[str, Command]] = ()
    at: str = ""
    made_by: Callable[[], Machine] = Machine
    trash: frozenset[str] = frozenset()
    only: frozenset[str] | None = None

    def decisions(self, check: Check = go_on) -> Decisions:
        """Return what was decided of the files, by whom and when; `check` may raise to end the work."""
        return decide(
            self.files, self.ids, self.scores, self.piles, self.document, machine=self.machine,
            none_name=self.none_name, when=moments(self.steps), at=self.at, made_by=self.made_by(),
            only=self.only, check=check,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what a view shows of it.

    Attributes:
        plan: what would be done.
        decisions: what it was made of.
        rows: what stays first, then what goes otherwise than plainly, then the others.
        counts: of each category.
    """

    plan: Plan
    decisions: Decisions
    rows: list[Row]
    counts: list[CategoryCount]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run, and how many of its files stand where."""

    run: RunRecord
    counts: Mapping[FileState, int]


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was done about what a crash had left.

    Attributes:
        report: file by file.
        cut_off: ids of the runs that had not come to their end.
    """

    report: RecoveryReport
    cut_off: tuple[str, ...]

    @property
    def anything(self) -> bool:
        """Whether there is something to tell."""
        return bool(self.cut_off or self.report.settled or self.report.rolled_back)


def order_for_view(found: list[Row]) -> list[Row]:
    """Return the rows with what stays first, then what goes otherwise than plainly, then the others."""
    return sorted(found, key=lambda row: (row.file is not None, not row.conflicts))


class Sorter:
    """Does one thing at a time with the files of the person; results arrive through `post`.

    Args:
        post: hands a call to the main thread.
        clock: in seconds.
        trash: the system's trash; without it our quarantine takes what is thrown away.

    Attributes:
        progressed: Emits files done, files in all and bytes read, some times a second.
        ended: Emits the receipt of each run that was applied, resumed or taken back.
        touching: Emits the paths where something is about to appear or go, before it does.
    """

    def __init__(
        self, post: Post, clock: Callable[[], float] = time.monotonic, trash: SystemTrash | None = None
    ) -> None:
        self.progressed: Event[[int, int, int]] = Event()
        self.ended: Event[[Receipt]] = Event()
        self.touching: Event[[list[str]]] = Event()
        self._lane = Worker("files", post)
        self._clock, self._trash = clock, trash
        self._stop: CancelToken | None = None

    @property
    def lane(self) -> Worker:
        """The lane, for what else concerns the person's files."""
        return self._lane

    @property
    def busy(self) -> bool:
        """Whether files are on their way."""
        return self._stop is not None

    def stop(self) -> None:
        """Let the run that is under way pause at the next chunk of a file; its receipt then arrives."""
        if self._stop is not None:
            self._stop.cancel()

    def close(self, timeout: float) -> bool:
        """Stop, and return True once the lane has ended within `timeout` seconds."""
        self.stop()
        return self._lane.close(timeout)

    # Asking -------------------------------------------------------------------------------------------

    def plan(
        self,
        request: PlanRequest,
        *,
        then: Callable[[Planned], None],
        failed: Callable[[Exception], None],
        stage: Callable[[str], None] = lambda _stage: None,
        replaces: str = "plan",
    ) -> Job:
        """Hand the plan of the request to `then`. Nothing is written.

        Args:
            request: what to plan.
            then: gets the plan.
            failed: gets the error.
            stage: hears "decide", "survey" and "plan" as each begins.
            replaces: an older request of this kind is dropped at once.
        """

        def work(token: CancelToken) -> Steps[Planned]:
            tell = partial(self._tell_stage, token, stage)
            tell("decide")
            decisions = request.decisions(token.check)
            decided = [each for each in decisions.decided if each.path not in request.gone]
            yield
            tell("survey")
            found = survey(decided, request.destination, token.check)
            yield
            tell("plan")
            made = make_plan(
                decided,
                found,
                way=request.way,
                same_name=request.same_name,
                identity=uuid.uuid4().hex,
                trash=request.trash,
                check=token.check,
            )
            yield
            shown = rows(made)
            yield
            return Planned(made, decisions, order_for_view(shown), category_counts(made))

        return self._lane.submit(work, then=then, failed=failed, priority=Priority.VISIBLE, replaces=replaces)

    def _tell_stage(self, token: CancelToken, stage: Callable[[str], None], name: str) -> None:
        self._lane.tell(token, lambda: stage(name))

    def runs(self, then: Callable[[list[RunSummary]], None], failed: Callable[[Exception], None]) -> Job:
        """Hand all runs to `then`, the newest first; none where nothing was sorted yet."""

        def work(_token: CancelToken) -> list[RunSummary]:
            if not journal_path().exists():
                return []
            with Journal() as journal:
                return [RunSummary(run, dict(journal.counts(run.id))) for run in journal.runs()]

        return self._lane.submit(work, then=then, failed=failed, replaces="runs")

    def receipt(self, run: str, then: Callable[[Receipt], None], failed: Callable[[Exception], None]) -> Job:
        """Hand the receipt of a run to `then`."""

        def work(_token: CancelToken) -> Receipt:
            with Journal() as journal:
                return receipt_of(run, journal)

        return self._lane.submit(work, then=then, failed=failed, replaces="receipt")

    def recover(self, then: Callable[[Recovered], None], failed: Callable[[Exception], None]) -> None:
        """Put right what a crash has left half done, and tell `then`; no journal, nothing to do."""

        def work(_token: CancelToken) -> Recovered:
            if not journal_path().exists():
                return Recovered(RecoveryReport(), ())
            with Journal() as journal:
                cut_off = tuple(run.id for run in journal.runs() if run.state is RunState.OPEN)
                return Recovered(recover(journal), cut_off)

        self._lane.submit(work, then=then, failed=failed, priority=Priority.LIVE)

    # Doing --------------------------------------------------------------------------------------------

    def apply(
        self,
        plan: Plan,
        same_name: SameName,
        then: Callable[[Receipt], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Do what the plan says, and hand over the receipt."""
        self.touching.emit([path for file in plan.files for path in (file.source, file.target)])
        self._run(lambda journal, hooks: apply_plan(plan, journal, hooks, same_name), then, failed)

    def resume(self, run: str, then: Callable[[Receipt], None], failed: Callable[[Exception], None]) -> None:
        """Do the rest of a run that was stopped, and hand over the receipt."""
        self._run(lambda journal, hooks: resume(run, journal, hooks), then, failed, known=run)

    def take_back(
        self,
        run: str,
        files: Collection[int] | None,
        then: Callable[[Receipt], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Take back a run, or these files of it, and hand over the receipt."""
        self._run(lambda journal, hooks: take_back(run, journal, files, hooks), then, failed, known=run)

    def _run(
        self,
        work: Callable[[Journal, Hooks], Receipt],
        then: Callable[[Receipt], None],
        failed: Callable[[Exception], None],
        known: str = "",
    ) -> None:
        stop = self._stop = CancelToken()
        told = 0.0

        def run(token: CancelToken) -> Receipt:
            def progress(done: int, total: int, size: int) -> None:
                nonlocal told
                now = self._clock()
                if now - told >= _TELL_SECONDS or done == total:
                    told = now
                    self._lane.tell(token, lambda: self.progressed.emit(done, total, size))

            with Journal() as journal:
                if known:
                    self._announce(known, journal, token)
                hooks = Hooks(progress, lambda: stop.cancelled or token.cancelled, trash=self._trash)
                return work(journal, hooks)

        def done(receipt: Receipt) -> None:
            self._stop = None
            self.ended.emit(receipt)
            then(receipt)

        def broke(error: Exception) -> None:
            self._stop = None
            failed(error)

        self._lane.submit(run, then=done, failed=broke, priority=Priority.LIVE)

    def _announce(self, run: str, journal: Journal, token: CancelToken) -> None:
        files = journal.files(run)
        paths = [path for file in files for path in (file.source, file.target)]
        self._lane.tell(token, lambda: self.touching.emit(paths))
