"""What holds for every learner: equivariance, induction, odd support sets, and the shape of the answer."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fewshot_gui.core.learners import fitted
from fewshot_gui.core.learners.base import Classifier, Learner, Prediction, SupportError, SupportSet
from fewshot_gui.core.learners.catalogue import make_learner
from fewshot_gui.core.learners.context import LearnerContext
from fewshot_gui.core.learners.facts import FACTS

if TYPE_CHECKING:
    from collections.abc import Callable

    World = Callable[..., tuple[SupportSet, torch.Tensor, torch.Tensor]]

ANYWHERE = tuple(
    facts.name
    for facts in FACTS.values()
    if facts.space == "embedding" and not facts.needs_own_bundle and facts.name not in {"finetune", "auto"}
)
"""The learners that need nothing but embeddings, less those that fit for seconds."""


pytestmark = pytest.mark.parametrize("name", ANYWHERE)


def check(prediction: Prediction, support: SupportSet, queries: int) -> None:
    """Check all that a prediction promises, whatever the support set was."""
    n_way, near = len(support.classes), min(5, len(support.labels))
    present = support.present()
    assert prediction.distances is not None
    for table in (prediction.probabilities, prediction.scores, prediction.distances):
        assert table.shape == (queries, n_way)
        assert not bool(table.isnan().any())
    torch.testing.assert_close(prediction.probabilities.sum(1), torch.ones(queries))
    assert bool((prediction.probabilities[:, ~present] == 0).all())
    assert bool((prediction.scores[:, ~present] == -torch.inf).all())
    assert bool((prediction.distances[:, ~present] == torch.inf).all())
    assert bool(prediction.distances[:, present].isfinite().all())
    assert bool((prediction.distances >= 0).all())
    assert prediction.nearest.shape == prediction.nearest_distance.shape == (queries, near)
    assert bool((prediction.nearest_distance.diff(dim=1) >= 0).all())


def test_it_is_a_learner_and_fits_a_classifier(name: str, world: World) -> None:
    support, query, asked = world([5, 5, 5])
    learner = make_learner(name)
    assert isinstance(learner, Learner)
    assert learner.name == name
    classifier = learner.fit(support)
    assert isinstance(classifier, Classifier)
    assert classifier.classes == support.classes
    prediction = classifier.predict(query)
    check(prediction, support, len(query))
    assert float((prediction.probabilities.argmax(1) == asked).double().mean()) > 0.95
    torch.testing.assert_close(classifier.novelty(query), prediction.nearest_distance[:, 0])


def test_learner_and_classifier_are_frozen(name: str, world: World) -> None:
    support, query, _ = world([2, 2])
    learner = make_learner(name)
    classifier = learner.fit(support)
    for thing, field in ((learner, "default_temperature"), (classifier, "calibration")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, field, 2.0)
    before = support.embeddings.clone()
    first = classifier.predict(query).probabilities
    assert torch.equal(classifier.predict(query).probabilities, first)
    assert torch.equal(support.embeddings, before)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), shots=st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_the_order_of_examples_classes_and_queries_does_not_matter(
    name: str, world: World, seed: int, shots: list[int]
) -> None:
    support, query, _ = world(shots, seed=seed, queries=3)
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(support.labels), generator=generator)
    ways = torch.randperm(len(shots), generator=generator)
    asked = torch.randperm(len(query), generator=generator)
    moved = SupportSet(
        support.embeddings[rows],
        ways.argsort()[support.labels[rows]],
        tuple(support.classes[way] for way in ways.tolist()),
    )
    learner = make_learner(name, LearnerContext(0.3))
    first, second = learner.fit(support), learner.fit(moved)
    expected, answer = first.predict(query), second.predict(query[asked])
    torch.testing.assert_close(
        answer.probabilities, expected.probabilities[asked][:, ways], rtol=1e-3, atol=1e-4
    )
    torch.testing.assert_close(answer.distances, expected.distances[asked][:, ways], rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(
        answer.nearest_distance, expected.nearest_distance[asked], rtol=1e-3, atol=1e-4
    )
    assert second.novelty_threshold == pytest.approx(first.novelty_threshold, rel=1e-4)


def test_an_answer_does_not_depend_on_the_other_queries(name: str, world: World) -> None:
    support, query, _ = world([3, 1, 5])
    classifier = make_learner(name).fit(support)
    others = torch.cat([query[:1], 100 * torch.randn(20, query.shape[1])])
    alone, together = classifier.predict(query[:1]), classifier.predict(others)
    for field in dataclasses.fields(Prediction):
        torch.testing.assert_close(getattr(together, field.name)[:1], getattr(alone, field.name))
    torch.testing.assert_close(classifier.novelty(others)[:1], classifier.novelty(query[:1]))


@pytest.mark.parametrize(
    "shots", [[1], [7], [1, 1], [1, 1, 1, 1], [1, 9], [2, 1, 30], [0, 3], [4, 0, 1], [0, 1, 0]]
)
def test_uneven_single_and_empty_classes_give_a_sensible_answer(
    name: str, world: World, shots: list[int]
) -> None:
    support, query, _ = world(shots)
    classifier = make_learner(name, LearnerContext(novelty=2.0)).fit(support)
    check(classifier.predict(query), support, len(query))
    assert 0 < classifier.novelty_threshold < math.inf


def test_one_category_has_all_the_probability_but_novelty_still_rejects(name: str, world: World) -> None:
    support, query, _ = world([5, 0])
    classifier = make_learner(name).fit(support)
    far = query + 100
    assert bool((classifier.predict(far).probabilities[:, 0] == 1).all())
    assert bool((classifier.novelty(far) > classifier.novelty_threshold).all())
    assert float((classifier.novelty(query[:10]) <= classifier.novelty_threshold).double().mean()) > 0.7


def test_one_example_has_the_defaults_of_the_bundle(name: str, world: World) -> None:
    support, query, _ = world([1])
    classifier = make_learner(name, LearnerContext(0.2, 1.5)).fit(support)
    assert classifier.novelty_threshold == 1.5
    assert classifier.temperature == pytest.approx(0.6)  # three times that of five shots
    assert make_learner(name).fit(support).novelty_threshold == math.inf
    assert bool((classifier.predict(query).probabilities == 1).all())


def test_many_classes_do_not_starve_a_class_with_few_examples(name: str, world: World) -> None:
    support, query, asked = world([1, 30], noise=0.3)
    answers = make_learner(name).fit(support).predict(query).probabilities.argmax(1)
    assert float((answers == asked).double().mean()) > 0.9


@pytest.mark.parametrize("repeats", [2, 6])
def test_copies_of_one_example_are_no_trouble(name: str, repeats: int) -> None:
    rows = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]).repeat_interleave(repeats, 0)
    support = SupportSet(rows, torch.arange(2).repeat_interleave(repeats), ("a", "b"))
    classifier = make_learner(name, LearnerContext(novelty=0.5)).fit(support)
    prediction = classifier.predict(rows)
    check(prediction, support, len(rows))
    assert torch.equal(prediction.probabilities.argmax(1), support.labels)
    assert torch.equal(classifier.novelty(rows), torch.zeros(len(rows)))
    assert classifier.novelty_threshold > 0


@pytest.mark.parametrize("ways", [1, 2])
def test_zero_vectors_are_no_trouble(name: str, ways: int) -> None:
    support = SupportSet(torch.zeros(4, 3), torch.arange(4) % ways, tuple("ab"[:ways]))
    classifier = make_learner(name).fit(support)
    prediction = classifier.predict(torch.cat([torch.zeros(1, 3), torch.ones(1, 3)]))
    check(prediction, support, 2)
    torch.testing.assert_close(prediction.probabilities, torch.full((2, ways), 1 / ways))
    assert not math.isnan(classifier.novelty_threshold)


def test_the_same_picture_taught_to_two_classes_is_a_tie(name: str) -> None:
    support = SupportSet(torch.ones(2, 3), torch.tensor([0, 1]), ("a", "b"))
    probabilities = make_learner(name).fit(support).predict(torch.ones(1, 3)).probabilities
    torch.testing.assert_close(probabilities, torch.full((1, 2), 0.5))


def test_no_query_is_an_empty_answer(name: str, world: World) -> None:
    support, query, _ = world([2, 2])
    classifier = make_learner(name).fit(support)
    check(classifier.predict(query[:0]), support, 0)
    assert classifier.novelty(query[:0]).shape == (0,)


def test_queries_are_answered_piece_by_piece_alike(
    name: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    support, query, _ = world([3, 3])
    classifier = make_learner(name).fit(support)
    whole, novelty = classifier.predict(query), classifier.novelty(query)
    monkeypatch.setattr(fitted, "_ENTRIES_AT_ONCE", 24)
    pieces = classifier.predict(query)
    for field in dataclasses.fields(Prediction):
        torch.testing.assert_close(getattr(pieces, field.name), getattr(whole, field.name))
    torch.testing.assert_close(classifier.novelty(query), novelty)


def test_double_precision_stays_double(name: str, world: World) -> None:
    support, query, _ = world([3, 3], dtype=torch.float64)
    prediction = make_learner(name).fit(support).predict(query.float())
    assert prediction.probabilities.dtype == prediction.nearest_distance.dtype == torch.float64


def test_nothing_to_learn_from_is_an_error_that_says_so(name: str) -> None:
    empty = SupportSet(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64), ("a",))
    with pytest.raises(SupportError, match="no example to learn from"):
        make_learner(name).fit(empty)


def test_an_embedding_that_is_not_finite_is_an_error_that_names_it(name: str) -> None:
    rows = torch.tensor([[1.0, 2.0], [math.nan, 0.0]])
    with pytest.raises(SupportError, match="example 1 of class 'dog'"):
        make_learner(name).fit(SupportSet(rows, torch.tensor([0, 1]), ("cat", "dog")))


def test_progress_is_told_and_cancelling_stops(name: str, world: World) -> None:
    support, _, _ = world([3, 3])
    told: list[float] = []
    make_learner(name).fit(support, progress=told.append, cancel=lambda: None)
    assert (told[0], told[-1]) == (0.0, 1.0)
    assert told == sorted(told)
    before = list(told)

    class Stop(Exception):  # noqa: N818 - cancelling is not an error
        pass

    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        make_learner(name).fit(support, progress=told.append, cancel=stop)
    assert told == before


def test_shuffled_labels_give_chance(name: str, world: World) -> None:
    generator = torch.Generator().manual_seed(0)
    right = asked_in_all = 0
    for seed in range(60):
        support, query, asked = world([5] * 4, seed=seed, noise=2.0, queries=10)
        labels = support.labels[torch.randperm(len(support.labels), generator=generator)]
        shuffled = SupportSet(support.embeddings, labels, support.classes)
        guesses = torch.randint(0, 4, asked.shape, generator=generator)
        right += int((make_learner(name).fit(shuffled).predict(query).scores.argmax(1) == guesses).sum())
        asked_in_all += len(asked)
    share, spread = right / asked_in_all, (0.25 * 0.75 / asked_in_all) ** 0.5
    assert abs(share - 0.25) < 4 * spread


def test_200_categories_are_fast_and_right(name: str, world: World) -> None:
    support, query, asked = world([5] * 200, dimension=512, queries=1)
    learner = make_learner(name)
    spent = []
    for _ in range(3):
        began = time.perf_counter()
        classifier = learner.fit(support)
        spent.append(time.perf_counter() - began)
    assert float((classifier.predict(query).probabilities.argmax(1) == asked).double().mean()) > 0.99
    # 50 ms on two quiet cores; here one thread beside whatever else runs, so only the order of magnitude.
    assert min(spent) < 1.0
