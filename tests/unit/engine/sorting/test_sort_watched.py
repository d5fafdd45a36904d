"""Looking at a large folder and planning it end soon after nobody wants it any more, within a step."""

from __future__ import annotations

import shutil
from itertools import count
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.engine.sorting.plan import Decided, Way
from fewshot_gui.engine.sorting.planning import make_plan
from fewshot_gui.engine.sorting.survey import survey
from fewshot_gui.engine.sorting.watched import STRIDE, go_on, watched
from fewshot_gui.engine.worker import Cancelled, CancelToken

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fewshot_gui.engine.sorting.survey import Survey

FILES = 4 * STRIDE


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder of many pictures, each fourth with a sidecar, and a destination that is as full."""
    root = tmp_path_factory.mktemp("many")
    for number in range(FILES):
        (root / f"{number:04}.jpg").touch()
        if number % 4 == 0:
            (root / f"{number:04}.xmp").touch()
    (root / "to" / "cats").mkdir(parents=True)
    for number in range(FILES):
        (root / "to" / "cats" / f"there {number}.jpg").touch()
    return root


def decided(folder: Path) -> list[Decided]:
    return [Decided(str(folder / f"{number:04}.jpg"), "cats") for number in range(FILES)]


class Countdown:
    """Cancels at the n-th question, and knows how many were asked."""

    def __init__(self, last: int = 1 << 30) -> None:
        self.asked, self.last, self.token = 0, last, CancelToken()

    def __call__(self) -> None:
        self.asked += 1
        if self.asked >= self.last:
            self.token.cancel()
        self.token.check()


def test_every_stride_of_items_is_asked_before() -> None:
    asked = Countdown()
    assert list(watched(range(2 * STRIDE + 1), asked)) == list(range(2 * STRIDE + 1))
    assert asked.asked == 3
    seen: list[int] = []
    with pytest.raises(Cancelled):
        seen.extend(watched(count(), Countdown(2)))
    assert seen == list(range(STRIDE))
    assert list(watched("ab", go_on)) == ["a", "b"]


def steps(folder: Path) -> list[Callable[[Countdown], object]]:
    found: Survey = survey(decided(folder), str(folder / "to"))

    def plan(asked: Countdown, way: Way, trash: tuple[str, ...] = ()) -> object:
        return make_plan(decided(folder), found, way=way, identity="0" * 32, trash=trash, check=asked)

    return [
        lambda asked: survey(decided(folder), str(folder / "to"), asked),
        lambda asked: plan(asked, Way.COPY),
        lambda asked: plan(asked, Way.SIDECAR),
        lambda asked: plan(asked, Way.COPY, ("cats",)),
    ]


@pytest.mark.parametrize("step", range(4))
def test_each_step_asks_at_least_once_for_every_stride_of_files_and_ends_when_told(
    folder: Path, step: int
) -> None:
    work, whole = steps(folder)[step], Countdown()
    work(whole)
    assert whole.asked >= 2 * FILES // STRIDE
    for last in range(1, whole.asked + 1):
        with pytest.raises(Cancelled):
            work(Countdown(last))


def test_being_asked_changes_no_plan(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(folder)  # other programs write, too
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    found = survey(decided(folder), str(folder / "to"), Countdown())
    plain = survey(decided(folder), str(folder / "to"))
    assert found == plain
    plans = [
        make_plan(decided(folder), plain, identity="0" * 32, check=each) for each in (Countdown(), go_on)
    ]
    assert plans[0] == plans[1]
