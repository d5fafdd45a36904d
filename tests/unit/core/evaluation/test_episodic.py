from __future__ import annotations

import dataclasses
import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from fewshot_gui.core.episodes.sampler import EpisodeError
from fewshot_gui.core.evaluation.defaults import fit_defaults
from fewshot_gui.core.evaluation.episodic import Report, evaluate_episodes
from fewshot_gui.core.evaluation.leave_one_out import leave_one_out, left_out, one_view
from fewshot_gui.core.learners.base import SupportSet
from fewshot_gui.core.learners.catalogue import make_learner
from fewshot_gui.core.learners.context import LearnerContext
from fewshot_gui.core.learners.distances import views_of
from fewshot_gui.core.learners.facts import FACTS

ANYWHERE = tuple(
    facts.name
    for facts in FACTS.values()
    if facts.space == "embedding" and not facts.needs_own_bundle and facts.name not in {"finetune", "auto"}
)
"""The learners that need nothing but embeddings, less those that fit for seconds."""


TASK = {"ways": 3, "shots": 2, "queries": 5, "episodes": 20, "seed": 7}


def pictures(noise: float, classes: int = 6, per_class: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    """Return embeddings around the corners of a simplex, and their labels."""
    labels = torch.arange(classes).repeat(per_class)
    generator = torch.Generator().manual_seed(0)
    return torch.eye(classes, 8)[labels] + noise * torch.randn(len(labels), 8, generator=generator), labels


def report(noise: float, name: str = "prototypical", **changes: Any) -> Report:
    return evaluate_episodes(*pictures(noise), make_learner(name), **(TASK | changes))


@pytest.mark.parametrize("name", ANYWHERE)
def test_separate_classes_are_told_apart_always(name: str) -> None:
    found = report(0.01, name, unknown=True)
    assert found.learner == name
    assert (found.accuracy, found.ci95, found.unknown_auroc) == (1, 0, 1)


@pytest.mark.parametrize("name", ANYWHERE)
def test_pictures_without_information_give_chance(name: str) -> None:
    embeddings = torch.randn(72, 8, generator=torch.Generator().manual_seed(0))
    found = evaluate_episodes(
        embeddings, pictures(0)[1], make_learner(name), **(TASK | {"episodes": 200}), unknown=True
    )
    assert found.accuracy == pytest.approx(1 / 3, abs=0.05)
    assert found.unknown_auroc == pytest.approx(0.5, abs=0.05)


def test_the_report_says_what_was_done() -> None:
    found = report(0.5, backbone="photo")
    assert dataclasses.asdict(found).items() >= (TASK | {"backbone": "photo"}).items()
    assert 0 < found.accuracy < 1
    assert 0 < found.ci95 < 0.2
    assert 0 <= found.ece <= 1
    assert found.unknown_auroc is None


def test_the_same_seed_gives_the_same_report_and_another_seed_another() -> None:
    def clock() -> float:
        return 0.0

    assert report(0.5, clock=clock) == report(0.5, clock=clock)
    assert report(0.5, clock=clock).accuracy != report(0.5, clock=clock, seed=8).accuracy


def test_the_time_is_that_of_a_task_in_milliseconds() -> None:
    ticks = iter(range(1000))
    assert report(0.5, clock=lambda: float(next(ticks))).ms_per_task == 1000


def test_a_single_task_has_no_interval() -> None:
    assert report(0.5, episodes=1).ci95 == math.inf


def test_progress_is_told_and_cancelling_stops() -> None:
    told: list[float] = []
    report(0.5, episodes=4, progress=told.append, cancel=lambda: None)
    assert told == [0.25, 0.5, 0.75, 1.0]

    def stop() -> None:
        if len(told) == 6:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        report(0.5, progress=told.append, cancel=stop)
    assert len(told) == 6


def test_a_class_with_too_few_pictures_is_named() -> None:
    names = ("ant", "bee", "cat", "dog", "elk", "fox")
    with pytest.raises(EpisodeError, match="'ant' has 12 pictures, an episode needs 17"):
        report(0.5, queries=15, names=names)


def test_unknown_pictures_need_a_class_more() -> None:
    report(0.5, ways=6)
    with pytest.raises(EpisodeError, match="7 classes are needed"):
        report(0.5, ways=6, unknown=True)


@pytest.mark.parametrize("nothing", [{"queries": 0}, {"episodes": 0}])
def test_nothing_to_ask_is_refused(nothing: dict[str, int]) -> None:
    with pytest.raises(EpisodeError, match="at least 1 query and 1 episode"):
        report(0.5, **nothing)


@pytest.mark.parametrize("name", ANYWHERE)
def test_leave_one_out_sees_nothing_of_the_example(name: str) -> None:
    # A stray example of class a right among those of class b is taken for b by everybody who has not seen it.
    rows = torch.tensor([[5.0, 0.0], [5.1, 0.0], [5.0, 0.1], [0.0, 5.0], [0.1, 5.0], [0.0, 5.1], [0.0, 4.9]])
    support = SupportSet(rows, torch.tensor([0, 0, 0, 1, 1, 1, 0]), ("a", "b"))
    told: list[float] = []
    found = leave_one_out(support, make_learner(name), progress=told.append, cancel=lambda: None)
    assert bool(found.usable.all())
    assert int(found.probabilities[6].argmax()) == 1
    assert found.confusion.sum(1).tolist() == [4, 3]
    assert int(found.confusion[0, 1]) >= 1
    assert found.accuracy == pytest.approx(float(found.confusion.diagonal().sum()) / 7)
    assert told[-1] == 1


def test_the_only_example_of_a_class_is_left_aside() -> None:
    support = SupportSet(torch.tensor([[0.0], [0.1], [9.0]]), torch.tensor([0, 0, 1]), ("a", "b", "c"))
    found = leave_one_out(support, make_learner("prototypical"))
    assert found.usable.tolist() == [True, True, False]
    assert found.accuracy == 1
    assert found.confusion.tolist() == [[2, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert found.probabilities[2].tolist() == [0, 0, 0]


def test_frames_that_look_the_same_are_one() -> None:
    """Each of them is recognised by the next one, which says nothing of the next picture."""
    rows = torch.tensor([[0.0], [0.1], [0.2], [9.0], [16.0], [16.1], [30.0], [30.1]])
    labels = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2])
    files = SupportSet(rows, labels, ("a", "b", "c"))
    support = replace(files, views=views_of(rows, labels, torch.tensor([True] * 6 + [False] * 2)))
    asked: dict[int, list[float]] = {}

    def answer(rest: SupportSet, example: torch.Tensor) -> torch.Tensor:
        asked[round(10 * float(example))] = rest.embeddings.flatten().tolist()
        return torch.ones(3)

    places = [place for place, _ in left_out(support, answer)]
    assert places == [3, 4, 6, 7], (
        "of the first class there is one view; of the second, two; the last are files"
    )
    assert 16.1 not in [round(value, 1) for value in asked[160]]
    assert one_view(support) == [0]
    assert one_view(files) == []
    assert len(list(left_out(files, answer))) == 8, "pictures of files are taken as they are"


def test_single_examples_have_no_accuracy() -> None:
    support = SupportSet(torch.eye(2), torch.tensor([0, 1]), ("a", "b"))
    assert leave_one_out(support, make_learner("prototypical")).accuracy is None


def test_the_defaults_make_probabilities_honest() -> None:
    embeddings, labels = pictures(0.5, per_class=60)
    defaults = fit_defaults(embeddings, labels, episodes=40, cancel=lambda: None)
    # Twice the variance of the noise, a little more for prototypes of five.
    assert 0.5 < defaults.temperature < 0.8
    learner = make_learner("prototypical", LearnerContext(defaults.temperature))
    found = evaluate_episodes(embeddings, labels, learner, ways=5, shots=5, queries=10, episodes=60, seed=1)
    assert found.ece < 0.05


def test_the_default_threshold_lets_the_wanted_share_pass() -> None:
    embeddings, labels = pictures(0.3, per_class=40)
    thresholds = [
        fit_defaults(embeddings, labels, episodes=40, known_share=share).novelty for share in (0.5, 0.9, 1.0)
    ]
    assert thresholds == sorted(thresholds)
    classifier = make_learner("nearest").fit(SupportSet(embeddings[:6], labels[:6], tuple("abcdef")))
    passing = float((classifier.novelty(embeddings[6:]) <= thresholds[1]).double().mean())
    assert passing == pytest.approx(0.9, abs=0.1)


def test_the_defaults_need_something_to_ask() -> None:
    with pytest.raises(EpisodeError, match="at least 1 query and 1 episode"):
        fit_defaults(*pictures(0.5), episodes=0)


def test_rows_may_be_made_when_they_are_asked_for() -> None:
    embeddings, labels = pictures(0.5)
    asked: list[int] = []

    class Lazy:
        def __getitem__(self, index: torch.Tensor) -> torch.Tensor:
            asked.append(len(index))
            return embeddings[index]

    def clock() -> float:
        return 0.0

    learner = make_learner("prototypical")
    lazily = evaluate_episodes(Lazy(), labels, learner, clock=clock, unknown=True, **TASK)
    assert lazily == evaluate_episodes(embeddings, labels, learner, clock=clock, unknown=True, **TASK)
    assert set(asked) == {3 * 2, 3 * 5}  # never all of them


def test_who_looks_at_all_queries_at_once_is_marked() -> None:
    class Rectified(type(make_learner("nearest"))):  # type: ignore[misc]
        transductive = True

    assert not report(0.5, "nearest").transductive
    assert evaluate_episodes(*pictures(0.5), Rectified(), **TASK).transductive
