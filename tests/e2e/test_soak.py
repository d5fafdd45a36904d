"""A hundred thousand live frames through the real path: camera lane, bridge, live loop, model lane, view."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pytest

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.commands import AddCategory, AddExamples
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.live import LiveLoop
from fewshot_gui.engine.predictor import SinglePrediction
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.sources.camera import CameraSource
from fewshot_gui.engine.sources.devices import CameraDevice
from fewshot_gui.engine.state import CategoryId, Example
from fewshot_gui.engine.worker import Priority, Worker
from fewshot_gui.gui.live.live_view import LiveView
from fewshot_gui.gui.main_thread import MainThread
from fewshot_gui.gui.theme import Appearance

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from pytestqt.qtbot import QtBot

# The offscreen platform warns about the size hints of every window that is shown.
pytestmark = pytest.mark.qt_log_ignore("^This plugin does not support", extend=True)

MEGABYTE = 1 << 20


class SteppedCamera:
    """Gives the next frame once the one before was predicted, so that none of them is dropped."""

    def __init__(self) -> None:
        self._frames = [np.full((120, 160, 3), value, np.uint8) for value in range(0, 250, 10)]
        self._given = 0
        self.next = threading.Semaphore(1)

    def read(self) -> tuple[bool, Any]:
        # As long as a machine may stand still that others keep busy: sooner, it counts as unplugged.
        if not self.next.acquire(timeout=10):
            return False, None
        self._given += 1
        return True, self._frames[self._given % len(self._frames)]

    def release(self) -> None:
        self._frames.clear()


class BrightnessPredictor:
    """Tells dark from bright on a lane of its own, with the policy of the real one for frames."""

    def __init__(self, lane: Worker, classes: tuple[CategoryId, ...]) -> None:
        self._lane, self._classes = lane, classes
        self.updated: Event[[Any]] = Event()

    def classify_frame(self, pixels: NDArray[np.uint8], then: Callable[[SinglePrediction], None]) -> None:
        self._lane.submit(
            lambda _token: self._predict(pixels), then=then, priority=Priority.LIVE, newest="frame"
        )

    def _predict(self, pixels: NDArray[np.uint8]) -> SinglePrediction:
        bright = np.float32(pixels[::40, ::40].mean() / 255)
        values = np.array([1 - bright, bright], np.float32)
        best = int(bright > 0.5)
        return SinglePrediction(
            self._classes,
            values,
            1 - values,
            best,
            rejected=False,
            nearest=(),
            novelty=0.0,
            cutoff=1.0,
            milliseconds=0.0,
            latency_ms=0.0,
            version=1,
        )


def resident_bytes() -> int:
    """Return the memory of this process that lies in RAM."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def session(tmp_path: Path) -> Any:
    calls: list[Callable[[], None]] = []
    worker = Worker("disk", calls.append)
    result = Session.create(tmp_path / "soak.fewshot", worker)
    for number, name in enumerate(("dark", "bright")):
        result.do(AddCategory(CategoryId(name), name))
        result.do(AddExamples(CategoryId(name), (Example(PictureId(f"{number:032x}"), "camera"),)))
    yield result
    result.close()
    assert worker.close(20)


def soak(qtbot: QtBot, session: Session, warm_up: int, frames: int, timeout: int) -> dict[str, float]:
    """Send `frames` frames through the window; return the growth in MB after `warm_up`, and the speed."""
    bridge, appearance = MainThread(), Appearance()
    camera_lane, model_lane = Worker("camera", bridge.post), Worker("model", bridge.post)
    classes = tuple(category.id for category in session.document.categories)
    camera, view = SteppedCamera(), LiveView(session, appearance)
    source = CameraSource(camera_lane, bridge.post, opened=lambda _device: cast("Any", camera))
    loop = LiveLoop(cast("Any", BrightnessPredictor(model_lane, classes)), time.perf_counter)
    qtbot.addWidget(view)
    view.resize(160, 120)
    view.show()
    counts = {"frames": 0, "predictions": 0, "warm": 0, "wrong": 0}

    def on_frame(frame: Any, at: float) -> None:
        counts["frames"] += 1
        view.show_frame(frame, at)
        loop.offer(frame, at)

    def on_predicted(live: Any) -> None:
        counts["predictions"] += 1
        counts["wrong"] += live.raw.best != int(live.frame[0, 0, 0] > 127)
        view.show_prediction(live)
        if counts["predictions"] == warm_up:
            counts["warm"] = resident_bytes()
        if counts["predictions"] < frames:
            camera.next.release()

    problems: list[Exception] = []
    source.frame.connect(on_frame)
    source.failed.connect(problems.append)
    loop.predicted.connect(on_predicted)
    begun = time.perf_counter()
    source.start(CameraDevice(0, "soak"))
    qtbot.waitUntil(lambda: counts["predictions"] >= frames or bool(problems), timeout=1000 * timeout)
    seconds = time.perf_counter() - begun
    grown = (resident_bytes() - counts["warm"]) / MEGABYTE
    source.stop()
    camera.next.release()
    assert camera_lane.close(20)
    assert model_lane.close(20)
    bridge.close()
    assert not problems
    assert counts["frames"] == counts["predictions"] == frames
    assert counts["wrong"] == 0, "a prediction came with another frame than its own"
    guess = view.guess()
    assert guess is not None
    return {"grown_mb": grown, "per_second": frames / seconds, "seconds": seconds}


linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


@linux
def test_five_thousand_frames_leave_nothing_behind(qtbot: QtBot, session: Session) -> None:
    result = soak(qtbot, session, warm_up=1500, frames=5000, timeout=60)
    assert result["grown_mb"] < 6


@linux
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_hundred_thousand_frames_leave_nothing_behind(qtbot: QtBot, session: Session) -> None:
    result = soak(qtbot, session, warm_up=20_000, frames=100_000, timeout=380)
    print({name: round(value, 1) for name, value in result.items()})
    assert result["grown_mb"] < 6
