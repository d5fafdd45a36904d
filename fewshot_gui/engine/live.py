"""Frames in, steady predictions out: smoothed over time, with the frame rate and the delay."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fewshot_gui.engine.event import Event
from fewshot_gui.engine.scores import NONE_OF_THESE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fewshot_gui.engine.predictor import Predictor
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.single import SinglePrediction

SMOOTHING_SECONDS = 0.25
"""Time constant of the moving average: no flicker, and a new object shows within half a second."""
LEAD_SECONDS = 0.2
"""How long another label must lead before it is shown."""
WINDOW_SECONDS = 1.0
"""Over how long the frame rate and the delay are averaged."""
STILL_SECONDS = 0.5
"""A frame that has stood for so long is a still picture: what is learned meanwhile is asked of it anew."""
_MOST_FRAMES = 240
"""A bound for the window whatever the clock does; no camera here gives more in a second."""


@dataclass(frozen=True, slots=True, eq=False)
class LivePrediction:
    """What to show of one frame.

    Attributes:
        frame: uint8 (H, W, 3) RGB, the very frame that the prediction is of.
        captured_at: seconds, as given with the frame.
        prediction: probabilities, distances and novelty smoothed; `best` and `rejected` are the steady label.
        raw: the prediction of this frame alone.
        fps: predictions a second over the last second; 0 until there are two.
        latency_ms: mean time from capture to prediction over the last second.
    """

    frame: NDArray[np.uint8]
    captured_at: float
    prediction: SinglePrediction
    raw: SinglePrediction
    fps: float
    latency_ms: float


@dataclass(frozen=True, slots=True)
class Steady:
    """A smoothed prediction and the label that is shown.

    Attributes:
        at: seconds, when the newest frame was captured.
        prediction: smoothed.
        shown: index of the shown class, or NONE_OF_THESE.
        challenger: the label that leads over the shown one, or `shown` itself.
        since: seconds, since when the challenger has led.
    """

    at: float
    prediction: SinglePrediction
    shown: int
    challenger: int
    since: float


def steadied(before: Steady | None, raw: SinglePrediction, at: float) -> Steady:
    """Return the state after one more frame, captured at `at` seconds.

    It starts afresh with the first frame, with other classes, after a gap of a second, and while nothing
    is taught.
    """
    if before is None or _starts_afresh(before, raw, at):
        label = _label(raw)
        return Steady(at, raw, label, label, at)
    # Exact for any frame rate: a weight in seconds, not in frames.
    weight = 1 - math.exp(-max(0.0, at - before.at) / SMOOTHING_SECONDS)
    old = before.prediction
    smooth = replace(
        raw,
        probabilities=_mixed(old.probabilities, raw.probabilities, weight),
        distances=_mixed(old.distances, raw.distances, weight),
        novelty=float(_mixed(np.float32(old.novelty), np.float32(raw.novelty), weight)),
    )
    leader = _leader(smooth)
    since = before.since if leader == before.challenger else at
    shown = leader if at - since >= LEAD_SECONDS else before.shown
    best = shown if shown >= 0 else leader if leader >= 0 else int(smooth.probabilities.argmax())
    return Steady(at, replace(smooth, best=best, rejected=shown == NONE_OF_THESE), shown, leader, since)


def _starts_afresh(before: Steady, raw: SinglePrediction, at: float) -> bool:
    old = before.prediction
    return old.classes != raw.classes or at - before.at > WINDOW_SECONDS or min(old.best, raw.best) < 0


def _label(prediction: SinglePrediction) -> int:
    return NONE_OF_THESE if prediction.rejected or prediction.best < 0 else prediction.best


def _leader(smooth: SinglePrediction) -> int:
    """Return the label that the smoothed numbers speak for."""
    if smooth.novelty > smooth.cutoff:
        return NONE_OF_THESE
    return int(smooth.probabilities.argmax())


def _mixed(
    old: NDArray[np.float32] | np.float32, new: NDArray[np.float32] | np.float32, weight: float
) -> NDArray[np.float32]:
    """Return the moving average; where one of the two is infinite (no example yet, no more) the new one."""
    finite = np.isfinite(old) & np.isfinite(new)
    start = np.where(finite, old, 0)
    step = np.where(finite, new, 0) - start
    return np.where(finite, start + weight * step, new).astype(np.float32)


class LiveLoop:
    """Predicts the newest frame, again and again: one in flight, the newest waits.

    A frame that stands still, as of a paused video, is predicted once more when the classifier is another
    one or judges otherwise.

    Args:
        predictor: its worker keeps one frame in flight and one waiting; older ones are dropped there.
        clock: seconds, the same clock that stamps the frames.
    """

    def __init__(self, predictor: Predictor, clock: Callable[[], float]) -> None:
        self.predicted: Event[[LivePrediction]] = Event()
        self._predictor = predictor
        self._clock = clock
        self._steady: Steady | None = None
        self._window: deque[tuple[float, float]] = deque(maxlen=_MOST_FRAMES)
        self._run = 0
        self._last: tuple[NDArray[np.uint8], float] | None = None
        self._still = False
        self._judged: tuple[object, ...] = ()
        predictor.updated.connect(self._on_updated)

    def offer(self, frame: NDArray[np.uint8], captured_at: float, *, alone: bool = False) -> None:
        """Ask for the prediction of a frame (H, W, 3) RGB; it takes the place of one that still waits.

        The frame must not be written to afterwards.

        Args:
            frame: what to predict.
            captured_at: seconds.
            alone: nothing of the frames before it is mixed in, as where a person goes to a place in a video.
        """
        run, now = self._run, self._clock()
        self._last, self._still = (frame, captured_at), alone
        begun = captured_at if now - captured_at < STILL_SECONDS else now

        def arrived(prediction: SinglePrediction) -> None:
            if run != self._run:
                return
            if alone:
                self._steady = None
            self._arrived(frame, captured_at, begun, prediction)

        self._predictor.classify_frame(frame, arrived)

    def reset(self) -> None:
        """Forget what was seen, as when the source changes; frames in flight are dropped."""
        self._run += 1
        self._steady = self._last = None
        self._window.clear()

    def _on_updated(self, scores: Scores) -> None:
        if scores.judges_as == self._judged:
            return
        self._judged = scores.judges_as
        if self._last is not None and (self._still or self._clock() - self._last[1] >= STILL_SECONDS):
            self.offer(*self._last, alone=True)

    def _arrived(
        self, frame: NDArray[np.uint8], captured_at: float, begun: float, raw: SinglePrediction
    ) -> None:
        now = self._clock()
        self._steady = steadied(self._steady, raw, captured_at)
        self._window.append((now, now - begun))
        while now - self._window[0][0] > WINDOW_SECONDS:
            self._window.popleft()
        latency_ms = 1000 * sum(delay for _, delay in self._window) / len(self._window)
        self.predicted.emit(
            LivePrediction(frame, captured_at, self._steady.prediction, raw, self._fps(), latency_ms)
        )

    def _fps(self) -> float:
        span = self._window[-1][0] - self._window[0][0]
        return (len(self._window) - 1) / span if span > 0 else 0.0
