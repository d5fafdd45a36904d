from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.learners import calibration
from fewshot_gui.core.learners.base import SupportSet
from fewshot_gui.core.learners.calibration import (
    LeftOut,
    converted_temperature,
    fit_novelty_threshold,
    fit_temperature,
    temperature_for_shots,
    threshold_at,
)
from fewshot_gui.core.learners.catalogue import make_learner
from fewshot_gui.core.learners.context import LearnerContext
from fewshot_gui.core.learners.facts import FACTS
from fewshot_gui.core.learners.prototypical import (
    Prototypical,
    cosine_logits,
    prototypes,
    squared_euclidean_logits,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.core.learners.base import Classifier

    World = Callable[..., tuple[SupportSet, torch.Tensor, torch.Tensor]]


ANYWHERE = tuple(
    facts.name
    for facts in FACTS.values()
    if facts.space == "embedding" and not facts.needs_own_bundle and facts.name not in {"finetune", "auto"}
)
"""The learners that need nothing but embeddings, less those that fit for seconds."""


def scored(temperature: float, count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return scores and labels drawn from softmax(scores / temperature)."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(count, 4, generator=generator)
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator).squeeze(1)
    return logits * temperature, labels


@pytest.mark.parametrize("truth", [0.02, 1.0, 30.0])
def test_many_examples_find_the_true_temperature_whatever_the_default(truth: float) -> None:
    scores, labels = scored(truth, 20_000)
    for default in (truth / 3, truth, truth * 3):
        assert fit_temperature(scores, labels, default) == pytest.approx(truth, rel=0.1)


def test_few_examples_stay_near_the_default_and_more_move_away_from_it() -> None:
    drift = []
    for count in (0, 1, 5, 50, 5000):
        mean = sum(abs(math.log(fit_temperature(*scored(3.0, count, seed), 1.0))) for seed in range(10)) / 10
        drift.append(mean)
    assert drift[0] == 0
    assert drift[1] < 0.35
    assert drift == sorted(drift)


def test_the_fit_is_the_minimum_of_the_stated_objective() -> None:
    scores, labels = scored(2.0, 30)

    def objective(log_temperature: float) -> float:
        loss = torch.nn.functional.cross_entropy(scores / math.exp(log_temperature), labels, reduction="sum")
        return float(loss) + (log_temperature - math.log(0.7)) ** 2 / (2 * calibration._PRIOR_SPREAD**2)

    found = math.log(fit_temperature(scores, labels, 0.7))
    assert objective(found) <= min(objective(step / 100) for step in range(-400, 400)) + 1e-3


def test_a_faultless_support_set_does_not_ask_for_certainty() -> None:
    scores = 10 * torch.eye(3).repeat(3, 1)
    temperature = fit_temperature(scores, torch.arange(3).repeat(3), 3.0)
    assert 0.5 < temperature < 3.0


@pytest.mark.parametrize("scores", [torch.zeros(0, 3), torch.ones(4, 1)])
def test_nothing_to_fit_gives_the_default(scores: torch.Tensor) -> None:
    assert fit_temperature(scores, torch.zeros(len(scores), dtype=torch.int64), 0.37) == 0.37


def test_weights_count_examples_as_copies_would() -> None:
    scores, labels = scored(2.0, 10)
    doubled = fit_temperature(scores.repeat(2, 1), labels.repeat(2), 1.0)
    assert fit_temperature(scores, labels, 1.0, torch.full((10,), 2.0)) == pytest.approx(doubled, rel=1e-3)
    assert fit_temperature(scores, labels, 1.0, torch.zeros(10)) == pytest.approx(1.0, rel=1e-3)


def test_the_default_cools_with_more_shots(world: World) -> None:
    one, five, many = (temperature_for_shots(0.1, world([shots] * 3)[0]) for shots in (1, 5, 50))
    assert one == pytest.approx(0.3)
    assert five == pytest.approx(0.1)
    assert 0.05 < many < 0.06


def test_an_empty_class_changes_nothing() -> None:
    scores, labels = scored(1.0, 20)
    padded = torch.cat([scores, torch.full((20, 1), -torch.inf)], 1)
    assert fit_temperature(padded, labels, 1.0) == fit_temperature(scores, labels, 1.0)


@given(factor=st.floats(1e-2, 1e2), seed=st.integers(0, 100))
def test_the_unit_of_the_scores_does_not_matter(factor: float, seed: int) -> None:
    scores, labels = scored(1.0, 25, seed)
    expected = factor * fit_temperature(scores, labels, 1.0)
    assert fit_temperature(factor * scores, labels, factor) == pytest.approx(expected, rel=1e-3)


def test_a_default_converts_with_the_unit_of_the_scores() -> None:
    reference = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    everyone = torch.tensor([True, True, True])
    assert converted_temperature(2.0, 5 * reference, reference, everyone) == pytest.approx(10.0, rel=1e-5)
    assert converted_temperature(2.0, reference, reference, torch.tensor([True, False, False])) == 2.0
    assert converted_temperature(2.0, torch.zeros(6, 3), reference, everyone) == 2.0


def naive_loo(name: str, support: SupportSet) -> torch.Tensor:
    """Return (S, N), each example scored by the functional core fitted to all the others, one at a time."""
    rows, n_way = [], len(support.classes)
    for place in range(len(support.labels)):
        keep = torch.arange(len(support.labels)) != place
        rest, labels, query = support.embeddings[keep], support.labels[keep], support.embeddings[[place]]
        means = prototypes(rest, labels, n_way)
        if name == "prototypical":
            rows.append(squared_euclidean_logits(query, means))
        elif name == "prototypical-cosine":
            rows.append(cosine_logits(query, means))
        else:
            columns = [(query - rest[labels == way]).square().sum(1).min() for way in range(n_way)]
            rows.append(-torch.stack(columns).unsqueeze(0))
    return torch.cat(rows)


@pytest.mark.parametrize("name", ["prototypical", "prototypical-cosine", "nearest"])
def test_the_left_out_scores_are_those_of_refitting(
    name: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    support, _, _ = world([2, 3, 5], dtype=torch.float64, noise=1.5)
    seen: list[torch.Tensor] = []
    genuine = calibration.fit_temperature

    def listen(scores: torch.Tensor, *others: Any) -> float:
        seen.append(scores)
        return genuine(scores, *others)

    monkeypatch.setattr(calibration, "fit_temperature", listen)
    make_learner(name).fit(support)
    expected = naive_loo(name, support)
    if name == "prototypical":  # what a new picture would have, see `_leave_one_out_scores`
        rows = torch.arange(len(expected))
        expected[rows, support.labels] *= 1 - support.counts()[support.labels].double() ** -2
    torch.testing.assert_close(seen[0], expected)


@pytest.mark.parametrize("name", ANYWHERE)
def test_an_only_example_is_not_scored(name: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    support, _, _ = world([1, 3, 1])
    counts: list[list[int]] = []

    def listen(_scores: torch.Tensor, labels: torch.Tensor, default: float, _weights: torch.Tensor) -> float:
        counts.append(labels.tolist())
        return default

    monkeypatch.setattr(calibration, "fit_temperature", listen)
    make_learner(name).fit(support)
    assert counts == [[1, 1, 1]]


@pytest.mark.parametrize("name", ANYWHERE)
def test_probabilities_mean_what_they_say(name: str, world: World) -> None:
    # The best default for prototypes here is about 7, twice the variance of the noise.
    learner = make_learner(name, LearnerContext(10.0))
    confidence, right = [], []
    for seed in range(40):
        support, query, asked = world([10] * 4, noise=2.0, seed=seed)
        top = learner.fit(support).predict(query).probabilities.max(1)
        confidence.append(top.values)
        right.append((top.indices == asked).float())
    gap = float(torch.cat(confidence).mean() - torch.cat(right).mean())
    assert abs(gap) < 0.1


def left_out(rows: list[list[float]], labels: list[int], classes: str) -> LeftOut:
    return LeftOut.of(SupportSet(torch.tensor(rows), torch.tensor(labels), tuple(classes)))


def test_the_threshold_lies_between_known_and_unknown_distances() -> None:
    task = left_out([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1], "ab")
    # Known distances are all 1; unknown ones 10, 9, 9, 10.
    assert 1 < fit_novelty_threshold(task, math.inf) < 9


def test_pictures_of_one_burst_do_not_make_strangers_of_the_others() -> None:
    """Eleven frames while a key is held lie side by side; the same thing turned a little lies farther."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.zeros(22, 8)
    rows[:11, 0] = rows[11:, 1] = 1
    rows += 0.01 * torch.randn(22, 8, generator=generator)
    task = LeftOut.of(SupportSet(rows, torch.arange(2).repeat_interleave(11), ("a", "b")))
    assert 0.9 < fit_novelty_threshold(task, math.inf) < 1.3, "below the other category, at 1.4"
    assert fit_novelty_threshold(task, 1.4) == pytest.approx(1.4), "nothing speaks against the bundle's own"
    apart = LeftOut.of(SupportSet(rows + 0.2 * torch.randn(22, 8, generator=generator), *task_rest(task)))
    assert fit_novelty_threshold(apart, 1.4) < 1.3, "these are no burst"


def task_rest(task: LeftOut) -> tuple[torch.Tensor, tuple[str, ...]]:
    return task.support.labels, task.support.classes


def test_one_category_is_lenient_beyond_its_own_distances() -> None:
    task = left_out([[0.0], [1.0], [2.0]], [0, 0, 0], "ab")
    assert 1 < fit_novelty_threshold(task, math.inf) < 2


def test_single_examples_stay_below_the_distance_between_classes() -> None:
    task = left_out([[0.0], [10.0], [20.0]], [0, 1, 2], "abc")
    assert 0 < fit_novelty_threshold(task, math.inf) < 10
    assert fit_novelty_threshold(task, 3.0) == pytest.approx(3.0)


def test_classes_that_overlap_reject_little() -> None:
    task = left_out([[0.0], [4.0], [0.5], [4.5]], [0, 0, 1, 1], "ab")
    assert fit_novelty_threshold(task, math.inf) > 4


def test_the_threshold_leaves_the_default_with_more_examples() -> None:
    generator = torch.Generator().manual_seed(0)
    thresholds = []
    for shots in (2, 10, 100):
        rows = torch.randn(2 * shots, 8, generator=generator) + 6 * (torch.arange(2 * shots) % 2).unsqueeze(1)
        support = SupportSet(rows, torch.arange(2 * shots) % 2, ("a", "b"))
        free = fit_novelty_threshold(LeftOut.of(support), math.inf)
        thresholds.append(abs(math.log(fit_novelty_threshold(LeftOut.of(support), 100.0) / free)))
    assert thresholds == sorted(thresholds, reverse=True)
    assert thresholds[-1] < 0.2


def test_one_example_only_has_the_default() -> None:
    assert fit_novelty_threshold(left_out([[1.0]], [0], "a"), 0.8) == 0.8
    assert fit_novelty_threshold(left_out([[1.0]], [0], "a"), math.inf) == math.inf


def test_very_many_examples_are_thinned_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "_LEFT_OUT", 5)
    task = LeftOut.of(SupportSet(torch.randn(21, 2), torch.arange(21) % 3, ("a", "b", "c")))
    assert task.rows.tolist() == [0, 5, 10, 15, 20]
    assert task.squared.shape == (5, 21)
    assert int(task.others().isinf().sum()) == 5


@pytest.fixture
def classifier(world: World) -> Classifier:
    support, _, _ = world([4, 4])
    return Prototypical().fit(support)


def test_the_slider_runs_from_rejecting_all_to_rejecting_nothing(classifier: Classifier) -> None:
    assert threshold_at(None, classifier) == classifier.novelty_threshold
    assert threshold_at(0.5, classifier) == pytest.approx(classifier.novelty_threshold)
    assert threshold_at(0, classifier) == 0
    assert threshold_at(1, classifier) == math.inf


def test_the_slider_is_monotone(classifier: Classifier) -> None:
    places = [threshold_at(step / 200, classifier) for step in range(201)]
    assert all(low < high for low, high in pairwise(places))


def test_the_slider_without_a_threshold_has_no_nan(world: World) -> None:
    support, _, _ = world([1])
    lonely = Prototypical().fit(support)
    assert [threshold_at(place, lonely) for place in (0, 0.5, 1)] == [0, math.inf, math.inf]


@pytest.mark.parametrize("boldness", [-0.1, 1.1, math.nan])
def test_a_place_beyond_the_slider_is_refused(boldness: float, classifier: Classifier) -> None:
    with pytest.raises(ValueError, match="boldness lies in 0 to 1"):
        threshold_at(boldness, classifier)


def test_simpleshot_leaves_an_example_out_of_its_centre_too(world: World) -> None:
    """A centre that an example has helped to find favours it: one in ten was right where none was."""
    support, _, _ = world([2, 3, 2], dtype=torch.float64, noise=6.0)
    claimed = make_learner("simpleshot").fit(support).calibration.right
    honest = []
    for place, label in enumerate(support.labels.tolist()):
        keep = torch.arange(len(support.labels)) != place
        rest = replace(support, embeddings=support.embeddings[keep], labels=support.labels[keep])
        said = make_learner("simpleshot").fit(rest).predict(support.embeddings[[place]])
        honest.append(float(said.probabilities.argmax(1).item() == label))
    assert claimed.tolist() == honest
