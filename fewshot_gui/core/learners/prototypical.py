"""Prototypical networks: a class is the mean of its examples (Snell et al. 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor


def prototypes(support: Tensor, labels: Tensor, n_way: int) -> Tensor:
    """Return (N, D), the mean example of each class; zeros for a class without examples.

    Args:
        support: float (S, D).
        labels: int64 (S,), 0 .. N - 1; the number of shots may differ between classes.
        n_way: N.
    """
    sums = support.new_zeros(n_way, support.shape[1]).index_add(0, labels, support)
    counts = torch.bincount(labels, minlength=n_way).clamp(min=1)
    return sums / counts.unsqueeze(1).to(support.dtype)


def squared_euclidean_logits(query: Tensor, prototypes: Tensor) -> Tensor:
    """Return (Q, N), minus the squared Euclidean distance of queries (Q, D) to prototypes (N, D).

    The expansion |q|^2 - 2 q.p + |p|^2 keeps memory at (Q, N) where the plain form needs (Q, N, D).
    """
    cross = query @ prototypes.T
    return 2 * cross - query.square().sum(1, keepdim=True) - prototypes.square().sum(1)


def cosine_logits(query: Tensor, prototypes: Tensor, scale: float | Tensor = 1.0) -> Tensor:
    """Return (Q, N), the scaled cosine between queries (Q, D) and prototypes (N, D); 0 for a zero vector."""
    return scale * (functional.normalize(query, dim=1) @ functional.normalize(prototypes, dim=1).T)


def leave_one_out_prototypes(support: SupportSet, means: Tensor, rows: Tensor) -> Tensor:
    """Return (M, D), for each left-out example the mean of the others of its class; zeros where it was the only one.

    Args:
        support: the support set.
        means: float (N, D), its prototypes.
        rows: int64 (M,), the examples to leave out.
    """
    labels = support.labels[rows]
    counts = support.counts()[labels].unsqueeze(1).to(means.dtype)
    others = (counts * means[labels] - support.embeddings[rows]) / (counts - 1).clamp(min=1)
    return torch.where(counts > 1, others, 0.0)
