"""Accuracy on many small tasks, as the few-shot literature measures it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch

from fewshot_gui.core.episodes.sampler import ClassIndex, Episode, EpisodeError, sample_episode
from fewshot_gui.core.evaluation.measures import auroc, ece, interval95
from fewshot_gui.core.learners.base import SupportSet
from fewshot_gui.core.learners.reason import choice_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from fewshot_gui.core.learners.base import Cancel, Learner, Prediction, Progress
    from fewshot_gui.core.learners.reason import Choice


class Rows(Protocol):
    """What tasks are drawn from: a tensor float (n, D), or what makes its rows when they are asked for."""

    def __getitem__(self, index: Tensor, /) -> Tensor:
        """Return float (k, D), the rows at int64 (k,)."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a learner reaches on a backbone's embeddings.

    Attributes:
        learner: its name.
        backbone: its name; empty where the caller gave none.
        ways: N, classes in a task.
        shots: K, examples of each class.
        queries: pictures asked of each class.
        episodes: how many tasks.
        seed: of their draw.
        accuracy: mean over tasks, 0 to 1.
        ci95: half width of its 95 % interval; +inf for a single task.
        ece: expected calibration error over all answers, 0 to 1.
        ms_per_task: fit and predict, mean, milliseconds; embedding not included.
        unknown_auroc: how well the novelty tells other classes' pictures from the task's, mean over tasks;
            None where it was not asked for.
        transductive: the answers to a task's queries depend on one another: a figure that is not to be
            compared with those of methods that see one query at a time.
        chosen: of a learner that chooses another for each task: how often each was taken, by name; None else.
        why: how often on what grounds, by `Why`; None else.
    """

    learner: str
    backbone: str
    ways: int
    shots: int
    queries: int
    episodes: int
    seed: int
    accuracy: float
    ci95: float
    ece: float
    ms_per_task: float
    unknown_auroc: float | None = None
    transductive: bool = False
    chosen: dict[str, int] | None = None
    why: dict[str, int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Outcome:
    """What one task gave: answers (Q, N), true classes (Q,), seconds, the AUROC if asked for, marks."""

    probabilities: Tensor
    labels: Tensor
    seconds: float
    unknown_auroc: float | None
    transductive: bool
    choice: Choice | None

    def accuracy(self) -> float:
        return float((self.probabilities.argmax(1) == self.labels).double().mean())


def evaluate_episodes(
    embeddings: Rows,
    labels: Tensor,
    learner: Learner,
    *,
    ways: int,
    shots: int,
    queries: int,
    episodes: int,
    seed: int,
    backbone: str = "",
    names: Sequence[str] | None = None,
    unknown: bool = False,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Report:
    """Return the report of a learner over randomly drawn tasks; the same seed gives the same tasks.

    Args:
        embeddings: float (n, D), of pictures of classes that the backbone was not trained on; in the space
            of the learner.
        labels: int64 (n,), their classes.
        learner: fitted anew for each task.
        ways: N, classes in a task.
        shots: K, examples of each class.
        queries: pictures asked of each class, at least 1.
        episodes: how many tasks, at least 1.
        seed: of the draw.
        backbone: for the report.
        names: of the classes, for messages.
        unknown: also ask as many pictures of other classes, and report how well the novelty tells them apart.
        progress: called with the share done, 0 to 1.
        cancel: called before each task; raises to stop.
        clock: seconds.

    Raises:
        EpisodeError: too few classes, or a class with too few pictures, by name, with what is needed.
    """
    if queries < 1 or episodes < 1:
        raise EpisodeError(f"at least 1 query and 1 episode are needed, not {queries} and {episodes}")
    index = ClassIndex.of(labels, names)
    index.require(ways + 1 if unknown else ways, shots + queries)
    generator = torch.Generator().manual_seed(seed)
    outcomes = []
    for number in range(episodes):
        if cancel is not None:
            cancel()
        episode = sample_episode(index, ways=ways, shots=shots, queries=queries, generator=generator)
        foreign = _foreign_pictures(index, episode, generator) if unknown else None
        outcomes.append(_run_task(embeddings, episode, foreign, learner, clock))
        if progress is not None:
            progress((number + 1) / episodes)
    return _report(
        outcomes,
        learner=learner.name,
        backbone=backbone,
        ways=ways,
        shots=shots,
        queries=queries,
        episodes=episodes,
        seed=seed,
    )


def _report(outcomes: list[_Outcome], *, episodes: int, **settings: Any) -> Report:
    """Return the means over the outcomes with the settings they were made under."""
    accuracies = [outcome.accuracy() for outcome in outcomes]
    areas = [outcome.unknown_auroc for outcome in outcomes if outcome.unknown_auroc is not None]
    probabilities = torch.cat([outcome.probabilities for outcome in outcomes])
    choices = [outcome.choice for outcome in outcomes if outcome.choice is not None]
    return Report(
        episodes=episodes,
        accuracy=sum(accuracies) / episodes,
        ci95=interval95(accuracies),
        ece=ece(probabilities, torch.cat([outcome.labels for outcome in outcomes])),
        ms_per_task=1000 * sum(outcome.seconds for outcome in outcomes) / episodes,
        unknown_auroc=sum(areas) / len(areas) if areas else None,
        transductive=any(outcome.transductive for outcome in outcomes),
        chosen=dict(Counter(choice.learner for choice in choices)) or None,
        why=dict(Counter(str(choice.reason.why) for choice in choices)) or None,
        **settings,
    )


def task_support(embeddings: Rows, episode: Episode) -> SupportSet:
    """Return the support set of an episode over embeddings (n, D); its classes are called by their labels."""
    return SupportSet(
        embeddings[episode.support_index],
        episode.support_labels,
        tuple(str(label) for label in episode.classes.tolist()),
    )


def _run_task(
    embeddings: Rows, episode: Episode, foreign: Tensor | None, learner: Learner, clock: Callable[[], float]
) -> _Outcome:
    """Return what the learner makes of one task; the time counts fitting and answering only."""
    support, query = task_support(embeddings, episode), embeddings[episode.query_index]
    began = clock()
    classifier = learner.fit(support)
    prediction: Prediction = classifier.predict(query)
    seconds = clock() - began
    area = None
    if foreign is not None:
        # Of the queries it is known already: asking would compute their distances, or the network, twice.
        area = auroc(prediction.nearest_distance[:, 0], classifier.novelty(embeddings[foreign]))
    marked = any(getattr(each, "transductive", False) for each in (learner, classifier))
    choice = choice_of(classifier)
    return _Outcome(prediction.probabilities, episode.query_labels, seconds, area, marked, choice)


def _foreign_pictures(index: ClassIndex, episode: Episode, generator: torch.Generator) -> Tensor:
    """Return int64 (Q,), as many pictures as the episode asks, drawn uniformly from all other classes."""
    chosen = set(episode.classes.tolist())
    others = torch.cat(
        [
            member
            for label, member in zip(index.labels.tolist(), index.members, strict=True)
            if label not in chosen
        ]
    )
    return others[torch.randperm(len(others), generator=generator)[: len(episode.query_index)]]
