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

_SMALLEST, _LARGEST, _STEPS = -12.0, 12.0, 481


@dataclass(frozen=True, slots=True)
class CalibrationDefaults:
    """What `make_learner` takes as defaults.

    Attributes:
        temperature: of softmax(minus squared Euclidean distance to prototypes / temperature).
        novelty: Euclidean distance to the nearest example that rejects known pictures as often as it accepts
            unknown ones.
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
    cancel: Cancel | None = None,
) -> CalibrationDefaults:
    """Return the defaults that fit best on tasks drawn from a data set.

    Args:
        embeddings: float (n, D), of validation classes: neither trained nor tested on.
        labels: int64 (n,).
        ways: N of the tasks.
        shots: K of the tasks.
        queries: pictures asked of each class; pictures of all other classes are the unknown ones.
        episodes: how many tasks.
        seed: of their draw.
        cancel: called before each task; raises to stop.

    Raises:
        EpisodeError: too few classes or pictures; one class more than `ways` is needed.
    """
    if queries < 1 or episodes < 1:
        raise EpisodeError(f"at least 1 query and 1 episode are needed, not {queries} and {episodes}")
    index = ClassIndex.of(labels)
    index.require(ways + 1, shots + queries)
    generator = torch.Generator().manual_seed(seed)
    logits, targets, known, unknown = [], [], [], []
    for _ in range(episodes):
        if cancel is not None:
            cancel()
        episode = sample_episode(index, ways=ways, shots=shots, queries=queries, generator=generator)
        support, query = task_support(embeddings, episode), embeddings[episode.query_index]
        means = prototypes(support.embeddings, support.labels, ways)
        logits.append(squared_euclidean_logits(query, means))
        targets.append(episode.query_labels)
        known.append(_to_nearest(query, support.embeddings))
        others = (~torch.isin(labels, episode.classes)).nonzero().flatten()
        drawn = others[torch.randperm(len(others), generator=generator)[: len(query)]]
        unknown.append(_to_nearest(embeddings[drawn], support.embeddings))
    return CalibrationDefaults(
        _best_temperature(torch.cat(logits), torch.cat(targets)),
        _equal_error(torch.cat(known), torch.cat(unknown)),
    )


def _to_nearest(query: Tensor, support: Tensor) -> Tensor:
    """Return float (Q,), Euclidean distances of queries to their nearest example."""
    return squared_distances(query, support).amin(1).sqrt()


def _best_temperature(logits: Tensor, targets: Tensor) -> float:
    """Return the temperature of the least negative log-likelihood, to 3 %, by trying all of a grid."""
    unit = float(logits.std(dim=1).mean()) or 1.0
    grid = unit * torch.linspace(_SMALLEST, _LARGEST, _STEPS, dtype=torch.float64).exp()
    losses = torch.stack(
        [functional.cross_entropy(logits.double() / temperature, targets) for temperature in grid]
    )
    return float(grid[losses.argmin()])


def _equal_error(known: Tensor, unknown: Tensor) -> float:
    """Return the threshold at which as large a share of the known is above as of the unknown is below."""
    candidates = torch.cat([known, unknown]).sort().values
    rejected = 1 - torch.searchsorted(known.sort().values, candidates, right=True) / len(known)
    accepted = torch.searchsorted(unknown.sort().values, candidates, right=True) / len(unknown)
    return float(candidates[(rejected - accepted).abs().argmin()])
