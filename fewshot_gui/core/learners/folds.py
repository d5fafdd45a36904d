"""Dividing the examples of every class into folds, the same whatever their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

NEVER = -1


def fixed_order(embeddings: Tensor) -> Tensor:
    """Return int64 (S,), the places in an order that follows from the embeddings, not from how they came.

    Args:
        embeddings: float (S, D).
    """
    # Any fixed direction that no data has a reason to be orthogonal to.
    direction = torch.cos(torch.arange(1, embeddings.shape[1] + 1, dtype=torch.float64).square())
    return (embeddings.double() @ direction.to(embeddings.device)).argsort(stable=True)


def balanced_folds(embeddings: Tensor, labels: Tensor, n_way: int, folds: int) -> Tensor:
    """Return int64 (S,), the fold in which each example is held out; `NEVER` for the only one of its class.

    Every class is spread over the folds as evenly as it can be, and no fold takes all of a class. Who
    is in which fold follows from the embeddings, not from the order in which the examples were taught: the
    same support set must always give the same classifier.

    Args:
        embeddings: float (S, D).
        labels: int64 (S,), 0 .. N - 1.
        n_way: N.
        folds: how many, at least 2.
    """
    by_place = fixed_order(embeddings)
    by_class = by_place[labels[by_place].argsort(stable=True)]
    counts = torch.bincount(labels, minlength=n_way)
    starts = counts.cumsum(0) - counts
    own = labels[by_class]
    rank = torch.arange(len(labels), device=labels.device) - starts[own]
    chosen = torch.where(counts[own] > 1, rank % folds, NEVER)
    return torch.empty_like(labels).scatter(0, by_class, chosen)
