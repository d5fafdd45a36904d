"""Adapting in the window, five categories with five examples, run by hand: `pytest tests/benchmarks`.

Told are the milliseconds beside their bars: from the command to the answer that arrives on the GUI thread,
and the longest time for which that thread answered nothing meanwhile. Asserted is what holds on a busy
machine too: three times the bar; the freeze against a second, and against its bar what the GUI thread
computed in it. Told beside is what is left of the freeze without the time in which that thread was ready and
other programs had the processors; in the rest it waits for a lane that holds the interpreter, or waits too.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pytest
from PySide6.QtWidgets import QWidget

from fewshot_gui.core.images.encode import encode_png
from fewshot_gui.engine.commands import ChooseBackbone, ChooseLearner, Together
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.workspace import Lanes, Workspace
from fewshot_gui.gui.garbage import settle
from fewshot_gui.gui.inspector.inner_loop import InnerLoopView
from fewshot_gui.gui.main_thread import MainThread
from fewshot_gui.gui.theme import Appearance
from fewshot_gui.gui.watchdog import TICK_SECONDS, Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import RawIOBase

    from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.timeout(900)

CATEGORIES, EXAMPLES = 5, 5
ROUNDS = 5
BUSY = 3
"""So many times the bar a machine may take that does other things too."""
FREEZE_MS = 1000
FREEZE_BAR_MS = 100
SCHEDULED = Path("/proc/thread-self/schedstat")
PATIENCE = 300_000
BARS = [
    ("prototypical", "photo", 20.0),
    ("prototypical", "omniglot-conv4", 20.0),
    ("maml", "omniglot-conv4", 300.0),
    ("maml", "photo", 8000.0),
]


class FairWatchdog(Watchdog):
    """Knows of each gap how much of it the system kept the GUI thread waiting for a processor."""

    def __init__(self, notes: RawIOBase) -> None:
        super().__init__(notes)
        self.own_worst_ms = 0.0
        self._queued = queued_ms()

    def _tick(self) -> None:
        queued, gap = queued_ms(), 1000 * (time.perf_counter() - self._last - TICK_SECONDS)
        self.own_worst_ms = max(self.own_worst_ms, gap - (queued - self._queued))
        self._queued = queued
        super()._tick()

    def _mark(self) -> None:
        super()._mark()
        self._queued = queued_ms()


def queued_ms() -> float:
    """How long this thread was ready to run and did not, by Linux; 0 where nobody says."""
    try:
        return int(SCHEDULED.read_text().split()[1]) / 1e6
    except OSError:
        return 0.0


def draw(folder: Path) -> list[str]:
    """Five folders with five pictures each: noise about a pattern of its own."""
    random = np.random.default_rng(0)
    for category in range(CATEGORIES):
        place = folder / f"category {category}"
        place.mkdir(parents=True)
        pattern = np.kron(random.integers(0, 200, (6, 6, 3)), np.ones((20, 20, 1)))
        for number in range(EXAMPLES):
            pixels = pattern + random.integers(0, 55, pattern.shape)
            (place / f"{number}.png").write_bytes(encode_png(pixels.astype(np.uint8)))
    return [str(place) for place in sorted(folder.iterdir())]


@pytest.fixture
def space(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("FEWSHOT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FEWSHOT_CACHE", str(tmp_path / "cache"))
    bridge = MainThread()
    lanes = Lanes.start(bridge.post)
    workspace = Workspace(Session.create(tmp_path / "a.fewshot", lanes.disk), lanes, bridge.post)
    workspace.intake.add_files(draw(tmp_path / "pictures"))
    qtbot.waitUntil(
        lambda: len(workspace.session.document.pictures()) == CATEGORIES * EXAMPLES, timeout=PATIENCE
    )
    yield workspace
    workspace.close(discard=True)
    lanes.close()
    bridge.close()


def milliseconds(qtbot: QtBot, work: Callable[[], object], done: Callable[[], bool]) -> float:
    """How long from a command to its answer, on the thread of both."""
    begun = time.perf_counter()
    work()
    qtbot.waitUntil(done, timeout=PATIENCE)
    return 1000 * (time.perf_counter() - begun)


@pytest.mark.parametrize(("learner", "backbone", "bar"), BARS)
def test_adapting_to_five_times_five_examples(
    qtbot: QtBot, space: Workspace, learner: str, backbone: str, bar: float
) -> None:
    predictor, model = space.predictor, space.lanes.model
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(272, 240)
    view = InnerLoopView(predictor, Appearance(host), host)
    view.resize(host.size())
    host.show()

    def rests() -> bool:
        return not predictor.status.busy and model.pending == 0

    space.session.do(Together((ChooseBackbone(backbone), ChooseLearner(learner))))
    qtbot.waitUntil(rests, timeout=PATIENCE)  # torch is imported, and the pictures are embedded
    assert predictor.status.problem is None, predictor.status.detail
    settle()  # as the window does once torch is there: its objects would be looked at in every collection
    answered: list[float] = []
    predictor.updated.connect(lambda _scores: answered.append(time.perf_counter()))
    with tempfile.TemporaryFile(buffering=0) as notes:
        watchdog = FairWatchdog(notes)
        watchdog.enter(learner)
        waited, computed = [], []
        for _ in range(ROUNDS):
            answered.clear()
            waited.append(milliseconds(qtbot, predictor.refresh, lambda: bool(answered)))
            computed.append(predictor.status.milliseconds)
            qtbot.waitUntil(rests, timeout=PATIENCE)
        watchdog.stop()
    frozen = watchdog.worst[learner]
    print(
        f"{learner} on {backbone}: {statistics.median(computed):.1f} ms, {statistics.median(waited):.1f} ms "
        f"until it is answered (bar {bar:.0f}); frozen at most {watchdog.worst_ms:.0f} ms (bar 100), "
        f"{watchdog.own_worst_ms:.0f} ms without waiting for a processor, "
        f"of which it computed {frozen.computing_ms:.0f} ms {frozen.where}"
    )
    loop = predictor.inner_loop
    assert (loop is not None) == (learner == "maml")
    assert loop is None or loop.steps == 5
    assert statistics.median(computed) < BUSY * bar
    assert watchdog.worst_ms < FREEZE_MS
    assert frozen.computing_ms < FREEZE_BAR_MS
