"""The live loop: steady labels, honest rates, and no growth."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.engine.event import Event
from fewshot_gui.engine.live import LEAD_SECONDS, LiveLoop, LivePrediction, Steady, steadied
from fewshot_gui.engine.scores import NONE_OF_THESE, Scores, unknown
from fewshot_gui.engine.single import SinglePrediction, aligned_single, nothing_taught
from fewshot_gui.engine.state import CategoryId

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fewshot_gui.engine.predictor import Predictor

CAT, DOG, NEW = CategoryId("cat"), CategoryId("dog"), CategoryId("new")
FRAME = np.zeros((4, 4, 3), np.uint8)


def prediction(
    cat: float, *, novelty: float = 0.0, classes: tuple[CategoryId, ...] = (CAT, DOG)
) -> SinglePrediction:
    probabilities = np.array([cat, 1 - cat], np.float32)
    return SinglePrediction(
        classes=classes,
        probabilities=probabilities,
        distances=1 - probabilities,
        best=int(probabilities.argmax()),
        rejected=novelty > 1.0,
        nearest=(),
        novelty=novelty,
        cutoff=1.0,
        milliseconds=1.0,
        latency_ms=2.0,
        version=1,
    )


class FakePredictor:
    """Holds frames back until the test answers them."""

    def __init__(self) -> None:
        self.updated: Event[[Scores]] = Event()
        self.waiting: list[Callable[[SinglePrediction], None]] = []

    def classify_frame(self, _frame: NDArray[np.uint8], then: Callable[[SinglePrediction], None]) -> None:
        self.waiting.append(then)

    def answer(self, answer: SinglePrediction) -> None:
        self.waiting.pop(0)(answer)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Stage:
    def __init__(self) -> None:
        self.predictor, self.clock = FakePredictor(), Clock()
        self.loop = LiveLoop(cast("Predictor", self.predictor), self.clock)
        self.seen: list[LivePrediction] = []
        self.disconnect = self.loop.predicted.connect(self.seen.append)

    def show(self, answer: SinglePrediction, *, every: float = 0.04, delay: float = 0.0) -> LivePrediction:
        """Show one frame, answered `delay` seconds after its capture."""
        self.clock.now += every
        self.loop.offer(FRAME, self.clock.now - delay)
        self.predictor.answer(answer)
        return self.seen[-1]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def shown(live: LivePrediction) -> str:
    return "none" if live.prediction.rejected else live.prediction.classes[live.prediction.best]


def test_the_first_frame_is_shown_as_it_is(stage: Stage) -> None:
    live = stage.show(prediction(0.9))
    assert shown(live) == "cat"
    assert live.prediction.probabilities == pytest.approx([0.9, 0.1])
    assert live.frame is FRAME
    assert live.fps == 0


def test_one_odd_frame_changes_no_label(stage: Stage) -> None:
    for _ in range(10):
        stage.show(prediction(1.0))
    odd = stage.show(prediction(0.0))
    assert shown(odd) == "cat"
    assert odd.raw.best == 1
    assert 0.8 < odd.prediction.probabilities[0] < 1.0


def test_a_new_object_is_shown_within_half_a_second(stage: Stage) -> None:
    for _ in range(10):
        stage.show(prediction(1.0))
    begun = stage.clock.now
    while shown(stage.show(prediction(0.0))) == "cat":
        assert stage.clock.now - begun < 0.5
    # It had to win the moving average, and then to lead for a while.
    assert stage.clock.now - begun > LEAD_SECONDS


def test_a_challenger_that_gives_up_begins_anew() -> None:
    state: Steady | None = None
    at = 0.0
    for cat in [1.0] * 5 + [0.0] * 6 + [1.0] * 12 + [0.0] * 6:
        at += 0.04
        state = steadied(state, prediction(cat), at)
        assert state.shown == 0


def test_the_label_does_not_depend_on_the_frame_rate() -> None:
    def seconds_to_change(step: float) -> float:
        state, at = steadied(None, prediction(1.0), 0.0), 0.0
        while state.shown == 0:
            at += step
            state = steadied(state, prediction(0.0), at)
        return at

    assert seconds_to_change(0.02) == pytest.approx(
        seconds_to_change(0.05), abs=0.1
    )  # each of two waits may end a frame late


def test_none_of_these_is_a_label_like_any_other(stage: Stage) -> None:
    for _ in range(5):
        stage.show(prediction(0.9))
    assert shown(stage.show(prediction(0.9, novelty=50.0))) == "cat"
    for _ in range(6):
        stage.show(prediction(0.9, novelty=50.0))
    assert shown(stage.seen[-1]) == "none"
    assert stage.seen[-1].prediction.best == 0


def test_other_categories_begin_anew(stage: Stage) -> None:
    for _ in range(5):
        stage.show(prediction(1.0))
    live = stage.show(prediction(0.0, classes=(CAT, NEW)))
    assert shown(live) == "new"
    assert live.prediction.probabilities.tolist() == [0, 1]


def test_a_gap_begins_anew(stage: Stage) -> None:
    stage.show(prediction(1.0))
    assert shown(stage.show(prediction(0.0), every=3.0)) == "dog"


def test_a_class_that_loses_its_last_example_stays_infinitely_far() -> None:
    first = prediction(0.5)
    far = SinglePrediction(
        **{name: getattr(first, name) for name in first.__slots__ if name != "distances"},
        distances=np.array([0.5, np.inf], np.float32),
    )
    state = steadied(steadied(None, first, 0.0), far, 0.04)
    assert np.isinf(state.prediction.distances[1])
    state = steadied(state, first, 0.08)
    assert state.prediction.distances[1] == pytest.approx(0.5)


def test_nothing_taught_is_none_of_these(stage: Stage) -> None:
    empty = aligned_single(nothing_taught(1.0), (CAT, DOG))
    for _ in range(3):
        live = stage.show(empty)
    assert live.prediction.rejected
    assert live.prediction.probabilities.tolist() == [0, 0]


def test_without_any_category_there_is_no_best(stage: Stage) -> None:
    for _ in range(3):
        live = stage.show(nothing_taught(1.0))
    assert live.prediction.best == -1


def test_rate_and_delay_are_those_of_the_last_second(stage: Stage) -> None:
    for _ in range(60):
        stage.show(prediction(1.0), every=0.1, delay=0.5)
    for _ in range(60):
        live = stage.show(prediction(1.0), every=0.04, delay=0.03)
    assert live.fps == pytest.approx(25)
    assert live.latency_ms == pytest.approx(30)


def test_answers_to_frames_before_a_reset_are_dropped(stage: Stage) -> None:
    stage.loop.offer(FRAME, 0.0)
    stage.loop.reset()
    stage.predictor.answer(prediction(1.0))
    assert not stage.seen
    assert shown(stage.show(prediction(0.0))) == "dog"


def test_a_clock_that_stands_still_divides_by_nothing(stage: Stage) -> None:
    for _ in range(3):
        live = stage.show(prediction(1.0), every=0.0)
    assert live.fps == 0


@given(
    st.lists(st.tuples(st.floats(0, 1, width=32), st.floats(0, 2, width=32), st.floats(0, 0.5)), min_size=1)
)
def test_smoothed_probabilities_stay_probabilities(frames: list[tuple[float, float, float]]) -> None:
    state: Steady | None = None
    at = 0.0
    for cat, novelty, step in frames:
        at += step
        state = steadied(state, prediction(cat, novelty=novelty), at)
        assert state.prediction.probabilities.sum() == pytest.approx(1, abs=1e-4)
        assert state.shown in (0, 1, NONE_OF_THESE)
        assert state.prediction.rejected == (state.shown == NONE_OF_THESE)


def test_a_hundred_thousand_frames_leave_nothing_behind(stage: Stage) -> None:
    stage.disconnect()
    answers = [prediction(0.9), prediction(0.2, novelty=3.0)]

    def run(frames: int) -> None:
        for number in range(frames):
            stage.clock.now += 0.04
            stage.loop.offer(FRAME, stage.clock.now)
            stage.predictor.answer(answers[number // 50 % 2])

    run(1_000)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        run(2_000)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 10_000
    run(97_000)
    assert len(stage.loop._window) <= 26


def judged(version: int, cutoff: float = 1.0) -> Scores:
    return unknown(0, (CAT, DOG), (), cutoff=cutoff, version=version)


def test_a_frame_that_stands_still_is_asked_again_when_something_is_learned(stage: Stage) -> None:
    """A paused video said "A 15 %" beside a bar of 85 % for B, or nothing at all after the first lesson."""
    stage.predictor.updated.emit(judged(1))
    stage.show(prediction(1.0))
    stage.predictor.updated.emit(judged(2))
    assert not stage.predictor.waiting, "the next frame of what moves is on its way"
    stage.clock.now += 9
    stage.predictor.updated.emit(judged(2))
    assert not stage.predictor.waiting, "nothing has changed"
    stage.predictor.updated.emit(judged(2, cutoff=0.5))
    stage.predictor.answer(prediction(0.0))
    assert shown(stage.seen[-1]) == "dog"
    assert stage.seen[-1].latency_ms == pytest.approx(0), "it has not been under way for nine seconds"
    stage.loop.reset()
    stage.predictor.updated.emit(judged(3))
    assert not stage.predictor.waiting, "nobody looks any more"


def test_a_place_in_a_paused_video_is_judged_by_itself(stage: Stage) -> None:
    stage.show(prediction(1.0))
    stage.clock.now += 0.1
    stage.loop.offer(FRAME, stage.clock.now, alone=True)
    stage.predictor.answer(prediction(0.15))
    assert shown(stage.seen[-1]) == "dog"
    assert stage.seen[-1].prediction.probabilities == pytest.approx([0.15, 0.85])
    stage.predictor.updated.emit(judged(5))
    assert stage.predictor.waiting, "it stands, however short ago it was shown"
