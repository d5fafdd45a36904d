"""Prototypes corrected by a pool of unlabelled pictures: transductive (Liu et al. 2020)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from fewshot_gui.core.learners.fitted import FittedClassifier
from fewshot_gui.core.learners.prototypical import Prototypical, cosine_logits, prototypes

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot_gui.core.learners.base import SupportSet

_SHARPNESS = 10.0
_ROUNDS = 5
_POOL_PER_CLASS = 8.0


def pool_proportions(logits: Tensor, present: Tensor) -> Tensor:
    """Return (N,), what share of the pool each class seems to hold; sums to 1.

    The most likely mixture, given what each picture could be (expectation and maximisation, Saerens et al.
    2002), held at even shares by one imagined picture a class.

    Args:
        logits: float (P, N), of the pool.
        present: bool (N,), the classes that have examples.
    """
    shares = present.to(logits.dtype) / present.sum()
    likely = logits.masked_fill(~present, -torch.inf)
    for _ in range(_ROUNDS):
        held = torch.softmax(likely + shares.clamp(min=1e-12).log(), 1)
        shares = (held.sum(0) + present) / (len(logits) + present.sum())
    return shares


def pool_shift(means: Tensor, pool: Tensor, shares: Tensor) -> Tensor:
    """Return (D,), what to add to the pool so that its mean is that of the classes it seems to hold.

    Liu, Song and Qin 2020 compare with the mean of all classes, which is right for as many pictures of
    each; a pool of one class would be moved to the middle of all.

    Args:
        means: float (N, D).
        pool: float (P, D), at least one.
        shares: float (N,), of `pool_proportions`.
    """
    return shares @ means - pool.mean(0)


def rectified_prototypes(
    support: Tensor,
    labels: Tensor,
    n_way: int,
    pool: Tensor,
    *,
    sharpness: float = _SHARPNESS,
    pool_per_class: float = _POOL_PER_CLASS,
) -> tuple[Tensor, Tensor]:
    """Return (N, D), the class means corrected by unlabelled pictures, and (D,), the shift of those.

    Transductive. Liu, Song and Qin 2020, "Prototype Rectification for Few-Shot Learning" (BD-CSPN): the pool
    is shifted onto the support set, each picture of it is given to the class of the greatest cosine, and the
    mean of each class is taken again with those, weighted by how sure they are. Guarded against pools in
    which some classes are rare or missing: the shift is the one for the shares that the pool seems to hold,
    a picture counts only for what it is surer than chance, and a class takes no more weight from the pool
    than `pool_per_class` examples, so that a crowd of others cannot outvote what the person has said.

    Args:
        support: float (S, D).
        labels: int64 (S,), 0 .. N - 1; a class without examples stays at zero.
        n_way: N.
        pool: float (P, D); with none the prototypes stay.
        sharpness: of the softmax over cosines.
        pool_per_class: the most examples' worth of weight that the pool has in a class.
    """
    means = prototypes(support, labels, n_way)
    counts = torch.bincount(labels, minlength=n_way).to(support.dtype)
    present = counts > 0
    if not len(pool):
        return means, means.new_zeros(support.shape[1])
    shift = pool_shift(means, pool, pool_proportions(cosine_logits(pool, means, sharpness), present))
    moved = pool + shift
    sure = torch.softmax(cosine_logits(moved, means, sharpness).masked_fill(~present, -torch.inf), dim=1)
    best, owner = sure.max(1)
    chance = 1 / present.sum()
    weight = ((best - chance) / (1 - chance).clamp(min=1e-12)).clamp(min=0)
    weights = sure.new_zeros(sure.shape).scatter(1, owner.unsqueeze(1), weight.unsqueeze(1))
    total = weights.sum(0)
    weights = weights * (pool_per_class / total.clamp(min=1e-12)).clamp(max=1)
    sums = counts.unsqueeze(1) * means + weights.T @ moved
    return sums / (counts + weights.sum(0)).clamp(min=1).unsqueeze(1), shift


def fit_rectified(
    support: SupportSet, pool: Tensor, *, default_temperature: float = 1.0, default_novelty: float = math.inf
) -> RectifiedClassifier:
    """Return a classifier whose prototypes the pool has corrected. Transductive: say so beside its figures.

    Its temperature is that of prototypes on the support set alone, as the left-out examples have no pool
    of their own.

    Args:
        support: the examples.
        pool: float (P, D), unlabelled, most often the pictures that are to be sorted.
        default_temperature: for scores of minus the squared Euclidean distance to prototypes at five shots.
        default_novelty: the threshold where the support set tells nothing; +inf rejects nothing.

    Raises:
        SupportError: no example, or one that is not finite.
    """
    plain = Prototypical("euclidean", default_temperature, default_novelty).fit(support)
    means, shift = rectified_prototypes(
        support.embeddings, support.labels, len(support.classes), pool.to(support.embeddings)
    )
    # A query is moved as the pool is; moving the prototypes the other way is the same and asks nothing of it.
    return RectifiedClassifier(support=support, calibration=plain.calibration, anchors=means - shift)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RectifiedClassifier(FittedClassifier):
    """Prototypes that have seen unlabelled pictures; `anchors` (N, D) are those, less the shift."""

    @property
    def transductive(self) -> Literal[True]:
        """True: the answers depend on the pool that it was fitted with, though not on other queries."""
        return True

    def judge(self, query: Tensor, to_support: Tensor, to_anchors: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - part of the interface
        """Return minus the squared distances to the prototypes and the distances, (Q, N) each."""
        return -to_anchors, to_anchors.sqrt()
