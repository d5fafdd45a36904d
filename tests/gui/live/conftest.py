"""A session, and stand-ins for what gives frames and predictions, for the tests of the live pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.commands import AddCategory, AddExamples
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.intake import Capture
from fewshot_gui.engine.live import LivePrediction
from fewshot_gui.engine.predictor import SinglePrediction
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.state import CategoryId, Example
from fewshot_gui.engine.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fewshot_gui.engine.sources.devices import CameraDevice


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A session with two taught categories, "cat" on key 1 and "dog" on key 2."""
    calls: list[Callable[[], None]] = []
    worker = Worker("disk", calls.append)
    result = Session.create(tmp_path / "test.fewshot", worker)
    for number, name in enumerate(("cat", "dog")):
        result.do(AddCategory(CategoryId(name), name))
        result.do(AddExamples(CategoryId(name), (Example(PictureId(f"{number:032x}"), "camera"),)))
    yield result
    result.close()
    assert worker.close(20)


class FakeIntake:
    """Keeps what is taught."""

    def __init__(self) -> None:
        self.taught: list[tuple[Any, str, str]] = []
        self.captures = 0

    def add_pixels(self, pixels: Any, category: str, origin: str) -> None:
        self.taught.append((pixels, category, origin))

    def begin_capture(self, category: str, origin: str) -> Capture:
        self.captures += 1
        return Capture(lambda pixels, _capture: self.add_pixels(pixels, category, origin))


class FakeLoop:
    """Keeps what is offered; a test says what is predicted."""

    def __init__(self) -> None:
        self.predicted: Event[[LivePrediction]] = Event()
        self.offered: list[tuple[Any, float]] = []
        self.resets = 0
        self.alone = False

    def offer(self, frame: Any, captured_at: float, *, alone: bool = False) -> None:
        self.offered.append((frame, captured_at))
        self.alone = alone

    def reset(self) -> None:
        self.resets += 1


class FakeCamera:
    """A camera source whose devices and frames a test gives."""

    def __init__(self) -> None:
        self.frame: Event[[Any, float]] = Event()
        self.failed: Event[[Any]] = Event()
        self.found: Event[[Any]] = Event()
        self.returned: Event[[Any]] = Event()
        self.sought: list[CameraDevice] = []
        self.device: CameraDevice | None = None
        self.looks = 0
        self.checks = 0

    def look(self) -> None:
        self.looks += 1

    def seek(self, lost: CameraDevice) -> None:
        self.sought.append(lost)

    def start(self, device: CameraDevice) -> None:
        self.device = device

    def stop(self) -> None:
        self.device = None

    def check(self) -> None:
        self.checks += 1

    def fail(self, problem: Exception) -> None:
        """Fail as the real one does: stopped first."""
        self.stop()
        self.failed.emit(problem)


class FakePredictor:
    """Keeps what is asked; a test answers."""

    def __init__(self) -> None:
        self.updated: Event[[Any]] = Event()
        self.asked: list[tuple[Any, Callable[[SinglePrediction], None]]] = []

    def classify(self, pixels: Any, then: Callable[[SinglePrediction], None], *, key: str) -> None:
        assert key == "canvas"
        self.asked.append((pixels, then))


@pytest.fixture
def intake() -> FakeIntake:
    return FakeIntake()


@pytest.fixture
def loop() -> FakeLoop:
    return FakeLoop()


@pytest.fixture
def camera() -> FakeCamera:
    return FakeCamera()


@pytest.fixture
def predictor() -> FakePredictor:
    return FakePredictor()


def predicted(session: Session, *probabilities: float, rejected: bool = False) -> SinglePrediction:
    """Return a prediction of these probabilities for the categories there are now."""
    values = np.array(probabilities, np.float32)
    return SinglePrediction(
        classes=tuple(category.id for category in session.document.categories),
        probabilities=values,
        distances=1 - values,
        best=int(values.argmax()),
        rejected=rejected,
        nearest=(),
        novelty=0.0,
        cutoff=1.0,
        milliseconds=1.0,
        latency_ms=1.0,
        version=1,
    )


@pytest.fixture
def predict(session: Session) -> Callable[..., SinglePrediction]:
    """Make a prediction of the session's categories."""
    return lambda *probabilities, rejected=False: predicted(session, *probabilities, rejected=rejected)


@pytest.fixture
def live(session: Session) -> Callable[..., LivePrediction]:
    """Make a live prediction of a frame captured at so many seconds."""

    def make(*probabilities: float, at: float = 1.0, rejected: bool = False) -> LivePrediction:
        prediction = predicted(session, *probabilities, rejected=rejected)
        return LivePrediction(frame_of(), at, prediction, prediction, 25.0, 30.0)

    return make


def frame_of(value: int = 100) -> np.ndarray:
    """Return a frame of one grey with a red left edge."""
    pixels = np.full((48, 64, 3), value, np.uint8)
    pixels[:, :16] = (255, 0, 0)
    return pixels


@pytest.fixture
def frame() -> Callable[..., np.ndarray]:
    return frame_of
