"""Planning 100,000 files, by hand: `pytest tests/benchmarks/test_plan_speed.py -s`.

The baseline is a plain walk (os.scandir and stat) over the same tree in the same run: what any program
that sorts must do before it knows anything.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from fewshot_gui.core.images.identity import picture_id
from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine.commands import AddCategory, LabelPictures, Together
from fewshot_gui.engine.deciding.piles import sort_into_piles
from fewshot_gui.engine.scores import unknown
from fewshot_gui.engine.sorter import PlanRequest, order_for_view
from fewshot_gui.engine.sorting.plan import Decided, Plan
from fewshot_gui.engine.sorting.planning import make_plan
from fewshot_gui.engine.sorting.survey import survey
from fewshot_gui.engine.sorting.table import category_counts, rows
from fewshot_gui.engine.state import CategoryId, Document

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

pytestmark = pytest.mark.timeout(600)

FOLDERS, EACH = 100, 1000
BAR = 5.0  # seconds for 100,000 files


def walk(root: Path) -> int:
    count = 0
    for folder in os.scandir(root):
        with os.scandir(folder.path) as entries:
            for entry in entries:
                entry.stat()
                count += 1
    return count


@pytest.fixture(scope="module", params=["distinct names", "every name a hundred times"])
def decided(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Decided]:
    """100,000 files of 100 folders, each tenth with a sidecar, for 6 categories."""
    root = tmp_path_factory.mktemp("tree")
    found = []
    for folder in range(FOLDERS):
        (root / f"{folder:03}").mkdir()
        for number in range(EACH):
            mark = f"{folder:03}_" if request.param == "distinct names" else ""
            path = root / f"{folder:03}" / f"IMG_{mark}{number:04}.jpg"
            path.touch()
            if number % 10 == 0:
                path.with_suffix(".xmp").touch()
            found.append(Decided(str(path), f"category {(folder + number) % 6}", "machine", 0.9))
    return found


def tell(*lines: str) -> None:
    sys.stdout.write("\n".join(("", *lines, "")))


def median_seconds(call: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor time, each the median of three: other programs share the machine."""
    wall, own = [], []
    for _round in range(3):
        began, spent = time.perf_counter(), time.process_time()
        call()
        wall.append(time.perf_counter() - began)
        own.append(time.process_time() - spent)
    return statistics.median(wall), statistics.median(own)


def test_a_hundred_thousand_files_are_planned_in_a_few_walks(decided: list[Decided], tmp_path: Path) -> None:
    root = tmp_path.__class__(decided[0].path).parent.parent
    to = str(tmp_path / "to")
    walk(root)  # the system's own cache is warm for both
    found = survey(decided, to)
    plan = make_plan(decided, found, identity="0" * 32)
    text = plan.to_json()

    walked, walked_cpu = median_seconds(lambda: walk(root))
    surveyed, surveyed_cpu = median_seconds(lambda: survey(decided, to))
    planned, planned_cpu = median_seconds(lambda: make_plan(decided, found, identity="0" * 32))
    written, _ = median_seconds(plan.to_json)
    read, _ = median_seconds(lambda: Plan.from_json(text))

    tell(
        f"walk (os.scandir, stat) {walked:.2f} s ({walked_cpu:.2f} s of processor)",
        f"survey {surveyed:.2f} s ({surveyed_cpu:.2f} s), {surveyed / walked:.1f} walks",
        f"plan {planned:.2f} s ({planned_cpu:.2f} s), {planned / walked:.1f} walks",
        f"JSON written in {written:.2f} s, read in {read:.2f} s",
    )
    assert len(plan.files) == FOLDERS * EACH * 11 // 10
    assert surveyed_cpu < 6 * walked_cpu
    assert planned_cpu < 20 * walked_cpu
    assert planned_cpu < BAR


CANCELLED_MS = 200.0


class Gaps:
    """The longest time of the thread's own between two questions whether to go on."""

    def __init__(self) -> None:
        self.longest, self.asked, self._last = 0.0, 0, time.thread_time()

    def __call__(self) -> None:
        now = time.thread_time()
        self.longest, self._last = max(self.longest, now - self._last), now
        self.asked += 1


def test_planning_asks_often_enough_to_end_soon_after_it_is_cancelled(
    decided: list[Decided], tmp_path: Path
) -> None:
    request = PlanRequest(
        files=[PictureFile(each.path, 0, Path(each.path).stat().st_mtime_ns) for each in decided],
        ids=[picture_id(each.path.encode()) for each in decided],
        scores=unknown(len(decided), ()),
        piles=sort_into_piles(unknown(len(decided), ()), 0.5),
        document=document(decided),
        machine=(),
        none_name=None,
        destination=str(tmp_path / "to"),
    )
    longest = {}

    def step(name: str, work: Callable[[Gaps], T]) -> T:
        gaps = Gaps()
        result = work(gaps)
        gaps()
        longest[name] = 1000 * gaps.longest
        return result

    known = step("decide", request.decisions).decided
    found = step("survey", lambda gaps: survey(known, request.destination, gaps))
    plan = step("plan", lambda gaps: make_plan(known, found, identity="0" * 32, check=gaps))
    shown = step("rows", lambda _gaps: rows(plan))
    step("table", lambda _gaps: (order_for_view(shown), category_counts(plan)))
    assert len(plan.files) == FOLDERS * EACH * 11 // 10
    tell("at most, between two questions: " + ", ".join(f"{n} {ms:.0f} ms" for n, ms in longest.items()))
    assert max(longest.values()) < CANCELLED_MS


def document(decided: list[Decided]) -> Document:
    names = sorted({each.category for each in decided})
    made = Together(tuple(AddCategory(CategoryId(name), name) for name in names)).apply(Document())
    for name in names:
        pictures = tuple(picture_id(each.path.encode()) for each in decided if each.category == name)
        made = LabelPictures(pictures, CategoryId(name)).apply(made)
    return made
