"""Prototypical networks: a class is the mean of its examples (Snell et al. 2017)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch.nn import functional

from fewshot_gui.core.learners.calibration import LeftOut, converted_temperature, temperature_for_shots
from fewshot_gui.core.learners.fitted import FittedClassifier, begin, finish

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot_gui.core.learners.base import Cancel, Progress, SupportSet

Distance = Literal["euclidean", "cosine"]


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
    # The product (Q, N) is divided by the lengths, not the queries (Q, D): no second copy of 10,000 of them.
    lengths = torch.linalg.vector_norm(query, dim=1, keepdim=True).clamp(min=1e-12)
    cosines: Tensor = query @ functional.normalize(prototypes, dim=1).T / lengths
    return scale * cosines


def leave_one_out_prototypes(support: SupportSet, means: Tensor, rows: Tensor) -> Tensor:
    """Return (M, D), the mean of the others of each left-out example's class; zeros where there is none.

    Args:
        support: the support set.
        means: float (N, D), its prototypes.
        rows: int64 (M,), the examples to leave out.
    """
    labels = support.labels[rows]
    counts = support.counts()[labels].unsqueeze(1).to(means.dtype)
    others = (counts * means[labels] - support.embeddings[rows]) / (counts - 1).clamp(min=1)
    return torch.where(counts > 1, others, 0.0)


@dataclass(frozen=True, slots=True)
class Prototypical:
    """The nearest class mean, by squared Euclidean distance or by cosine.

    Snell, Swersky and Zemel 2017, "Prototypical Networks for Few-shot Learning".

    Attributes:
        distance: what nearness is measured by.
        default_temperature: for scores of minus the squared Euclidean distance at five shots, whichever
            `distance` is used.
        default_novelty: the threshold where the support set tells nothing; +inf rejects nothing.
    """

    distance: Distance = "euclidean"
    default_temperature: float = 1.0
    default_novelty: float = math.inf

    @property
    def name(self) -> str:
        """Return the name on the command line."""
        return "prototypical" if self.distance == "euclidean" else "prototypical-cosine"

    def fit(
        self, support: SupportSet, *, progress: Progress | None = None, cancel: Cancel | None = None
    ) -> PrototypicalClassifier:
        """Return the class means with their temperature and novelty threshold.

        Raises:
            SupportError: no example, or one that is not finite.
        """
        begin(support, progress, cancel)
        means = prototypes(support.embeddings, support.labels, len(support.classes))
        left_out = LeftOut.of(support)
        temperature = temperature_for_shots(self.default_temperature, support)
        if self.distance == "cosine":
            temperature = converted_temperature(
                temperature,
                cosine_logits(support.embeddings, means),
                squared_euclidean_logits(support.embeddings, means),
                support.present(),
            )
        calibration = left_out.calibrate(
            _leave_one_out_scores(left_out, means, self.distance),
            temperature=temperature,
            novelty=self.default_novelty,
            to_means=self.distance == "euclidean",
        )
        finish(progress, cancel)
        return PrototypicalClassifier(
            support=support, calibration=calibration, anchors=means, distance=self.distance
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PrototypicalClassifier(FittedClassifier):
    """Class means; `anchors` (N, D) are the prototypes.

    Attributes:
        distance: Euclidean distances are reported as they are, the cosine as 1 - cosine.
    """

    distance: Distance

    def judge(self, query: Tensor, to_support: Tensor, to_anchors: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - part of the interface
        """Return minus the squared distances, or the cosines, and the distances, (Q, N) each."""
        if self.distance == "euclidean":
            return -to_anchors, to_anchors.sqrt()
        cosine = cosine_logits(query, self.anchors)
        return cosine, (1 - cosine).clamp(min=0)


def _leave_one_out_scores(left_out: LeftOut, means: Tensor, distance: Distance) -> Tensor:
    """Return (M, N), the score of each example with the prototype of its class computed without it."""
    examples = left_out.support.embeddings[left_out.rows]
    without = leave_one_out_prototypes(left_out.support, means, left_out.rows)
    if distance == "euclidean":
        scores = squared_euclidean_logits(examples, means)
        own = -(examples - without).square().sum(1)
    else:
        scores = cosine_logits(examples, means)
        own = functional.cosine_similarity(examples, without, dim=1)
    return scores.scatter(1, left_out.labels.unsqueeze(1), own.unsqueeze(1))
