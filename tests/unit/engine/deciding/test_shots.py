"""Shots against accuracy: curves whose shape is known."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fewshot_gui.core.learners.auto import Auto
from fewshot_gui.core.learners.base import SupportSet
from fewshot_gui.core.learners.prototypical import Prototypical, PrototypicalClassifier
from fewshot_gui.engine.deciding import shots
from fewshot_gui.engine.deciding.shots import MOST_SHOTS, ShotsCurve, shots_curve
from fewshot_gui.engine.state import CategoryId
from fewshot_gui.engine.worker import Cancelled, CancelToken

if TYPE_CHECKING:
    from fewshot_gui.core.learners.base import Prediction
    from fewshot_gui.engine.fitting import Fitted


def fitted(counts: list[int], *, spread: float, seconds: float = 0.001) -> Fitted:
    """Examples of so many categories around the corners of a cube, `spread` apart within each."""
    rng = np.random.default_rng(5)
    labels = np.repeat(np.arange(len(counts)), counts)
    points = np.eye(8)[labels] + rng.normal(0, spread, (len(labels), 8))
    classes = tuple(CategoryId(str(number)) for number in range(len(counts)))
    made = SimpleNamespace(
        support=SupportSet(torch.tensor(points, dtype=torch.float32), torch.tensor(labels), classes),
        learner=Prototypical(),
        classifier=None,
        classes=classes,
        version=7,
        seconds=seconds,
        recipe=SimpleNamespace(learner="prototypical"),
    )
    return cast("Fitted", made)


def run(made: Fitted, token: CancelToken | None = None) -> ShotsCurve:
    steps = shots_curve(made, token or CancelToken())
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return cast("ShotsCurve", end.value)


def test_noisy_examples_get_better_with_their_number() -> None:
    curve = run(fitted([12, 12, 12], spread=0.6))
    assert len(curve.accuracies) == MOST_SHOTS
    assert curve.accuracies[-1] > curve.accuracies[0] + 0.1
    assert curve.version == 7


def test_examples_that_are_all_alike_are_learnt_from_one() -> None:
    curve = run(fitted([4, 4], spread=0.01))
    assert curve.accuracies == (1.0, 1.0, 1.0)
    assert curve.gain == 0


def test_the_same_examples_give_the_same_curve() -> None:
    assert run(fitted([6, 6], spread=0.5)) == run(fitted([6, 6], spread=0.5))


@pytest.mark.parametrize("counts", [[], [9], [2, 2], [1, 1, 1], [9, 1], [9, 2]])
def test_with_too_few_examples_there_is_no_curve(counts: list[int]) -> None:
    curve = run(fitted(counts, spread=0.1))
    assert curve.accuracies == ()
    assert curve.gain == 0


def test_what_is_asked_about_is_never_taught(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[set[int], set[int]]] = []

    def watched(
        _fitted: object, _support: object, taught: np.ndarray, asked: list[np.ndarray], _token: object
    ) -> float:
        seen.append((set(taught.tolist()), {place for places in asked for place in places.tolist()}))
        return 1.0

    monkeypatch.setattr(shots, "_accuracy", watched)
    run(fitted([6, 6, 3, 1], spread=0.1))
    assert all(not taught & asked for taught, asked in seen)
    assert [len(taught) for taught, _ in seen[:5]] == [4, 7, 9, 11, 13], "a small category gives what it has"
    assert len({frozenset(asked) for _, asked in seen[:5]}) == 1, "within a draw the questions stay"


def test_each_example_is_asked_about_as_often_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def watched(
        _fitted: object, _support: object, taught: np.ndarray, questions: list[np.ndarray], _token: object
    ) -> float:
        if len(taught) == 8:
            asked.extend(place for places in questions for place in places.tolist())
        return 1.0

    monkeypatch.setattr(shots, "_accuracy", watched)
    run(fitted([5, 5], spread=0.1))
    assert np.bincount(asked).tolist() == [shots.MOST_DRAWS // 5] * 10


def test_frames_beside_a_taught_one_are_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each was right because the frame before it was taught: the curve said that the examples do."""
    shown: list[int] = []

    def watched(
        _fitted: object, support: SupportSet, taught: np.ndarray, asked: list[np.ndarray], _token: object
    ) -> float:
        assert support.views is not None
        places = np.concatenate([taught, *asked])
        shown.append(len(places))
        assert len(set(support.views[torch.from_numpy(places)].tolist())) == len(places)
        return 1.0

    monkeypatch.setattr(shots, "_accuracy", watched)
    made = fitted([12, 12], spread=0.1)
    views = torch.arange(24) // 4 * 4
    made.support = dataclasses.replace(made.support, views=views)  # type: ignore[misc]
    assert len(run(made).accuracies) == 2, "of three views one is asked about"
    assert max(shown) <= 6
    made.support = dataclasses.replace(made.support, views=torch.arange(24) // 12)  # type: ignore[misc]
    assert run(made).accuracies == ()


def test_a_slow_learner_is_asked_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(shots, "_accuracy", lambda *_: calls.append(1) or 0.5)
    run(fitted([4, 4], spread=0.1, seconds=60))
    assert len(calls) == shots.FEWEST_DRAWS * 3


def test_what_was_chosen_is_not_chosen_again() -> None:
    made = fitted([5, 5], spread=0.05)
    made.classifier = Auto().fit(made.support)  # type: ignore[misc]
    made.learner = None  # type: ignore[misc, assignment] - nobody asks it
    assert run(made).accuracies[-1] == 1


def test_it_stops_when_it_is_cancelled() -> None:
    token = CancelToken()
    steps = shots_curve(fitted([5, 5], spread=0.1), token)
    next(steps)
    token.cancel()
    with pytest.raises(Cancelled):
        next(steps)


@given(st.lists(st.integers(1, 14), min_size=2, max_size=6))
@settings(max_examples=15, deadline=None)
def test_a_curve_is_a_share_at_each_number_of_examples(counts: list[int]) -> None:
    curve = run(fitted(counts, spread=0.3, seconds=10))
    assert all(0 <= share <= 1 for share in curve.accuracies)
    assert len(curve.accuracies) in {0, min(MOST_SHOTS, sorted(counts)[-2] - 1)}


def test_each_number_of_examples_asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked about category by category, hundreds of them took minutes."""
    asked: list[int] = []
    predict = PrototypicalClassifier.predict

    def counting(self: PrototypicalClassifier, query: torch.Tensor) -> Prediction:
        asked.append(len(query))
        return predict(self, query)

    monkeypatch.setattr(PrototypicalClassifier, "predict", counting)
    curve = run(fitted([4, 4, 4], spread=0.1, seconds=60))
    assert len(asked) == shots.FEWEST_DRAWS * len(curve.accuracies)
    assert set(asked) == {3}


def test_the_gain_is_that_of_the_last_third() -> None:
    assert ShotsCurve((0.5, 0.6, 0.7, 0.7, 0.7, 0.75), 1).gain == pytest.approx(0.05)
    assert ShotsCurve((0.5, 0.9, 0.9, 0.9, 0.9, 0.9), 1).gain == 0


def test_the_gain_of_a_short_curve_is_half_of_all_that_came_after_the_first() -> None:
    """Its last third is one example, which may be an odd one."""
    assert ShotsCurve((0.5, 0.6, 0.7, 0.75), 1).gain == pytest.approx(0.125)
    assert ShotsCurve((0.8, 0.95, 0.95), 1).gain == 0, "nearly all are right"
    assert ShotsCurve((0.5, 0.7, 0.9, 0.88), 1).gain == pytest.approx(0.19)
