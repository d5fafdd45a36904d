"""The calibration that a bundle ships: temperature and novelty threshold on validation episodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from fewshot_gui.core.episodes.sampler import ClassIndex, EpisodeError, sample_episode
from fewshot_gui.core.evaluation.episodic import task_support
from fewshot_gui.core.learners.distances import squared_distances
from fewshot_gui.core.learners.prototypical import prototypes, squared_euclidean_logits

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot_gui.core.learners.base import Cancel


@dataclass(frozen=True, slots=True)
class CalibrationDefaults:
    """What `make_learner` takes as defaults.

    Attributes:
        temperature: of softmax(minus squared Euclidean distance to prototypes / temperature).
        novelty: Euclidean distance to the nearest example that the wanted share of known pictures stays below
            when each class has one example.
    """

    temperature: float
    novelty: float


def fit_defaults(
    embeddings: Tensor,
    labels: Tensor,
    *,
    ways: int = 5,
    shots: int = 5,
    queries: int = 10,
    episodes: int = 200,
    seed: int = 0,
    known_share: float = 0.9,
    cancel: Cancel | None = None,
) -> CalibrationDefaults:
    """Return the defaults that fit best on tasks drawn from a data set.

    Args:
        embeddings: float (n, D), of validation classes: neither trained nor tested on.
        labels: int64 (n,).
        ways: N of the tasks.
        shots: K of the tasks.
        queries: pictures asked of each class.
        episodes: how many tasks.
        seed: of their draw.
        known_share: of pictures of taught classes that the novelty threshold lets pass, 0 to 1; with one
            example a class, which is where the default decides alone.
        cancel: called before each task; raises to stop.

    Raises:
        EpisodeError: too few classes or pictures.
    """
    if queries < 1 or episodes < 1:
        raise EpisodeError(f"at least 1 query and 1 episode are needed, not {queries} and {episodes}")
    index = ClassIndex.of(labels)
    index.require(ways, shots + queries)
    generator = torch.Generator().manual_seed(seed)
    logits, targets, known = [], [], []
    for _ in range(episodes):
        if cancel is not None:
            cancel()
        episode = sample_episode(index, ways=ways, shots=shots, queries=queries, generator=generator)
        support, query = task_support(embeddings, episode), embeddings[episode.query_index]
        means = prototypes(support.embeddings, support.labels, ways)
        logits.append(squared_euclidean_logits(query, means))
        targets.append(episode.query_labels)
        known.append(squared_distances(query, _one_shot(support.embeddings, shots)).amin(1).sqrt())
    return CalibrationDefaults(
        fitted_temperature(torch.cat(logits), torch.cat(targets), reach=12.0, steps=481),
        float(torch.cat(known).sort().values[_place(known_share, episodes * ways * queries)]),
    )


def _one_shot(support: Tensor, shots: int) -> Tensor:
    """Return (N, D), the first example of each class of a support set that is grouped by class."""
    return support[::shots]


def _place(share: float, count: int) -> int:
    """Return the position of a quantile among sorted values."""
    return min(count - 1, max(0, round(share * count) - 1))


def fitted_temperature(scores: Tensor, targets: Tensor, *, reach: float = 8.0, steps: int = 533) -> float:
    """Return the temperature of the least negative log-likelihood, to 3 %, from the whole of a wide grid.

    Args:
        scores: float (Q, N), N at least 2.
        targets: int64 (Q,).
        reach: of the grid, either way from the spread of the scores, as a natural logarithm.
        steps: of the grid.
    """
    unit = float(scores.std(dim=1).mean()) or 1.0
    grid = unit * torch.linspace(-reach, reach, steps, dtype=torch.float64).exp()
    losses = torch.stack([functional.cross_entropy(scores.double() / t, targets) for t in grid])
    return float(grid[losses.argmin()])
