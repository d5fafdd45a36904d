"""The learner around a meta-trained head."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from fewshot_gui.core.learners import learned
from fewshot_gui.core.learners.base import Classifier, Learner, SupportError, SupportSet
from fewshot_gui.core.learners.heads import build_head
from fewshot_gui.core.learners.learned import LearnedHead, head_scores
from fewshot_gui.core.learners.prototypical import Prototypical
from fewshot_gui.core.learners.prototypical_head import PrototypicalHead

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.core.learners.head import Head

    World = Callable[..., tuple[SupportSet, torch.Tensor, torch.Tensor]]


class Recorder(PrototypicalHead):
    """A prototypical head that notes what it is asked; it knows at most three classes."""

    max_ways = 3
    asked: list[tuple[int, int, int]]

    def scores(self, support: Tensor, labels: Tensor, query: Tensor, n_way: int) -> Tensor:
        """Note the numbers of examples, queries and classes."""
        assert not self.training
        assert not torch.is_grad_enabled()
        self.asked.append((len(support), len(query), n_way))
        return super().scores(support, labels, query, n_way)


def recording() -> tuple[LearnedHead, list[tuple[int, int, int]]]:
    head = Recorder(16)
    head.asked = []
    learner = LearnedHead("recorder", head)
    assert isinstance(learner.head, Recorder)
    return learner, learner.head.asked


@pytest.mark.parametrize("kind", ["prototypical", "matching", "relation", "feat", "ridge"])
def test_a_head_does_not_serve_as_a_learner(kind: str, world: World) -> None:
    torch.manual_seed(0)
    settings = {"shape": (4, 2, 2)} if kind == "relation" else {}
    head: Head = build_head({"kind": kind, **settings}, 16)
    support, query, _ = world([3, 0, 2])
    learner = LearnedHead(kind, head, 0.5, 2.0)
    assert isinstance(learner, Learner)
    assert learner.name == kind
    classifier = learner.fit(support)
    assert isinstance(classifier, Classifier)
    prediction = classifier.predict(query)
    assert prediction.probabilities.shape == (len(query), 3)
    torch.testing.assert_close(prediction.probabilities.sum(1), torch.ones(len(query)))
    assert bool((prediction.probabilities[:, 1] == 0).all())
    assert bool((prediction.scores[:, 1] == -torch.inf).all())
    assert prediction.distances is not None
    assert bool((prediction.distances[:, 1] == torch.inf).all())
    assert bool(prediction.scores[:, [0, 2]].isfinite().all())
    assert not prediction.scores.requires_grad
    assert 0 < classifier.novelty_threshold < math.inf


def test_the_answers_are_not_the_heads(world: World) -> None:
    support, query, _ = world([3, 2, 4])
    prediction = (
        LearnedHead("prototypical", PrototypicalHead(16, temperature=2.0)).fit(support).predict(query)
    )
    expected = Prototypical().fit(support).predict(query)
    torch.testing.assert_close(2 * prediction.scores, expected.scores, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(prediction.distances, expected.distances)


def test_training_goes_on_and_changes_a_fitted_answer(world: World) -> None:
    support, query, _ = world([3, 3])
    head = PrototypicalHead(16, learned_temperature=True).train()
    classifier = LearnedHead("prototypical", head).fit(support)
    before = classifier.predict(query).scores
    with torch.no_grad():
        head.log_temperature += 1
    assert torch.equal(classifier.predict(query).scores, before)
    assert head.training
    assert head.log_temperature.requires_grad


def test_an_empty_category_takes_one_of_the_places(world: World) -> None:
    learner, asked = recording()
    support, query, _ = world([2, 0, 1, 0, 2])
    scores = learner.fit(support).predict(query).scores
    assert {ways for _, _, ways in asked} == {3}
    assert scores.isfinite().all(0).tolist() == [True, False, True, False, True]


def test_too_many_categories_are_squeezed_in(world: World) -> None:
    learner, _ = recording()
    with pytest.raises(
        SupportError, match="recorder knows at most 3 categories, and 4 have examples; choose"
    ):
        learner.fit(world([1, 1, 2, 0, 1])[0])


def test_no_example_is_no_error() -> None:
    learner, _ = recording()
    with pytest.raises(SupportError, match="no example"):
        learner.fit(SupportSet(torch.zeros(0, 16), torch.zeros(0, dtype=torch.int64), ("a", "b")))


def test_many_queries_are_asked_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    learner, asked = recording()
    support, query, _ = world([2, 2], queries=25)
    classifier = learner.fit(support)
    whole = classifier.predict(query)
    monkeypatch.setattr(learned, "_NUMBERS_AT_ONCE", 4 * 16 * 20)
    asked.clear()
    torch.testing.assert_close(classifier.predict(query).scores, whole.scores)
    assert [queries for _, queries, _ in asked] == [20, 20, 10]


def test_a_left_out_example_answers_for_itself(world: World) -> None:
    learner, asked = recording()
    support, _, _ = world([2, 1, 3])
    learner.fit(support)
    # The only example of a class says nothing about the temperature, and is not asked for.
    assert asked == [(5, 1, 3)] * 5


def test_the_scale_of_the_scores_decides_the_probabilities(world: World) -> None:
    support, query, _ = world([4, 4, 4], noise=1.5)
    near, far = (
        LearnedHead("prototypical", PrototypicalHead(16, temperature=unit), 1 / unit)
        .fit(support)
        .predict(query)
        for unit in (1.0, 10.0)
    )
    torch.testing.assert_close(near.probabilities, far.probabilities, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("limit", ["_LEFT_OUT_AT_MOST", "_LEFT_OUT_NUMBERS"])
def test_leaving_out_takes_too_long(limit: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned, limit, 5)
    learner, asked = recording()
    support, _, _ = world([3, 3])
    classifier = learner.fit(support)
    assert not asked
    assert classifier.temperature == 1.0
    assert classifier.novelty_threshold < math.inf


def test_cancel_waits_for_the_end(world: World) -> None:
    learner, asked = recording()
    support, _, _ = world([3, 3])
    told: list[float] = []

    class CancelledError(Exception):
        pass

    def cancel() -> None:
        if len(asked) == 2:
            raise CancelledError

    with pytest.raises(CancelledError):
        learner.fit(support, progress=told.append, cancel=cancel)
    assert len(asked) == 2
    assert told == sorted(told)
    told.clear()
    asked.clear()
    learner.fit(support, progress=told.append)
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)


def test_head_scores_of_no_query_fail(world: World) -> None:
    support, query, _ = world([2, 2])
    assert head_scores(PrototypicalHead(16).eval(), support, query[:0]).shape == (0, 2)
