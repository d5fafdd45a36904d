"""The sorter does one thing at a time on its lane, tells how far it is, and stops when it is asked to."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine.commands import AddCategory, LabelPictures
from fewshot_gui.engine.deciding.piles import sort_into_piles
from fewshot_gui.engine.scores import unknown
from fewshot_gui.engine.sorter import PlanRequest, Sorter, order_for_view
from fewshot_gui.engine.sorting.journal import Journal
from fewshot_gui.engine.sorting.plan import Conflict, ConflictKind, PlannedFile, SameName, Way
from fewshot_gui.engine.sorting.states import FileState, RunState
from fewshot_gui.engine.sorting.table import Row
from fewshot_gui.engine.state import CategoryId, Document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CATS = CategoryId("c" * 32)


class Bench:
    """A sorter whose results are told when the test asks for them."""

    def __init__(self, folder: Path) -> None:
        self.posted: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.sorter = Sorter(self.posted.put)
        self.folder = folder
        self.told: list[Any] = []
        self.errors: list[Exception] = []

    def wait(self) -> Any:
        """Return what is told next; errors are raised."""
        before = len(self.told)
        while len(self.told) == before:
            self.posted.get(timeout=20)()
            if self.errors:
                raise self.errors.pop()
        return self.told[-1]

    def request(self, **how: Any) -> PlanRequest:
        paths = sorted(self.folder.glob("*.jpg"))
        files = [PictureFile(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in paths]
        ids = [PictureId(path.name) for path in paths]
        document = LabelPictures(tuple(ids), CATS).apply(AddCategory(CATS, "Cats").apply(Document()))
        scores = unknown(len(files), ())
        settings: dict[str, Any] = {"machine": (), "none_name": None, "destination": str(self.folder / "out")}
        return PlanRequest(files, ids, scores, sort_into_piles(scores, 0.5), document, **settings | how)

    def plan(self, **how: Any) -> Any:
        self.sorter.plan(
            self.request(**how), then=self.told.append, failed=self.errors.append, stage=lambda _: None
        )
        return self.wait()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("FEWSHOT_DATA", str(tmp_path / "data"))
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.jpg").write_bytes(b"%d" % number)
    result = Bench(folder)
    yield result
    assert result.sorter.close(20)


def test_a_plan_is_made_and_nothing_is_written(bench: Bench, tmp_path: Path) -> None:
    stages: list[str] = []
    bench.sorter.plan(
        bench.request(), then=bench.told.append, failed=bench.errors.append, stage=stages.append
    )
    planned = bench.wait()
    assert stages == ["decide", "survey", "plan"]
    assert planned.plan.counts == {"Cats": 5}
    assert [each.pictures for each in planned.counts] == [5]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pictures"]


def test_what_is_gone_is_not_planned(bench: Bench) -> None:
    assert bench.plan(gone=frozenset({str(bench.folder / "0.jpg")})).plan.counts == {"Cats": 4}


def test_what_stays_is_shown_first_then_what_is_otherwise(bench: Bench) -> None:
    file = PlannedFile("/a", "/b", 1, 1, 1, 1, "Cats", 0, Way.COPY)
    rows = [
        Row("plain", file),
        Row("renamed", file, (Conflict("renamed", ConflictKind.RENAMED, ""),)),
        Row("stays", None, (Conflict("stays", ConflictKind.LINK, ""),)),
    ]
    assert [row.path for row in order_for_view(rows)] == ["stays", "renamed", "plain"]


def test_applied_told_listed_and_taken_back(bench: Bench) -> None:
    ended: list[Any] = []
    touching: list[list[str]] = []
    progress: list[tuple[int, int, int]] = []
    bench.sorter.ended.connect(ended.append)
    bench.sorter.touching.connect(touching.append)
    bench.sorter.progressed.connect(lambda *numbers: progress.append(numbers))
    plan = bench.plan(way=Way.MOVE).plan
    bench.sorter.apply(plan, SameName.RENAME, bench.told.append, bench.errors.append)
    assert bench.sorter.busy
    receipt = bench.wait()
    assert not bench.sorter.busy
    assert ended == [receipt]
    assert receipt.counts == {FileState.DONE: 5}
    assert progress[-1][:2] == (5, 5)
    bench.sorter.runs(bench.told.append, bench.errors.append)
    [summary] = bench.wait()
    assert (summary.run.id, summary.counts) == (plan.id, {FileState.DONE: 5})
    bench.sorter.receipt(plan.id, bench.told.append, bench.errors.append)
    assert bench.wait() == receipt
    bench.sorter.take_back(plan.id, None, bench.told.append, bench.errors.append)
    assert bench.wait().state is RunState.TAKEN_BACK
    assert len(list(bench.folder.glob("*.jpg"))) == 5
    assert [set(paths) for paths in touching] == [
        {path for file in plan.files for path in (file.source, file.target)}
    ] * 2


def test_stopped_it_pauses_and_goes_on_later(bench: Bench) -> None:
    plan = bench.plan().plan
    gate = threading.Event()
    bench.sorter.lane.submit(lambda _token: gate.wait(20))
    bench.sorter.apply(plan, SameName.RENAME, bench.told.append, bench.errors.append)
    bench.sorter.stop()
    gate.set()
    receipt = bench.wait()
    assert receipt.state is RunState.PAUSED
    assert receipt.counts == {FileState.PLANNED: 5}
    bench.sorter.resume(plan.id, bench.told.append, bench.errors.append)
    assert bench.wait().counts == {FileState.DONE: 5}


def test_errors_are_told_and_nothing_is_busy_after_them(bench: Bench) -> None:
    bench.sorter.take_back(uuid4().hex, None, bench.told.append, bench.errors.append)
    with pytest.raises(Exception, match="knows no run"):
        bench.wait()
    assert not bench.sorter.busy


def test_without_a_journal_none_is_made_by_looking(bench: Bench, tmp_path: Path) -> None:
    bench.sorter.runs(bench.told.append, bench.errors.append)
    assert bench.wait() == []
    bench.sorter.recover(bench.told.append, bench.errors.append)
    assert not bench.wait().anything
    assert not (tmp_path / "data").exists()


def test_a_run_that_was_cut_off_is_told(bench: Bench) -> None:
    plan = bench.plan().plan
    with Journal() as journal:
        journal.begin(plan)
    bench.sorter.recover(bench.told.append, bench.errors.append)
    found = bench.wait()
    assert found.cut_off == (plan.id,)
    assert found.report.resumable == (plan.id,)
    assert found.anything
