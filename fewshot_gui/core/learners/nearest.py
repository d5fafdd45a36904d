"""The nearest-neighbour rule: a class is as near as its nearest example (Cover and Hart 1967)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fewshot_gui.core.learners.calibration import LeftOut
from fewshot_gui.core.learners.distances import class_minimum, squared_distances
from fewshot_gui.core.learners.fitted import FittedClassifier, begin, finish

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot_gui.core.learners.base import Cancel, Progress, SupportSet


def nearest_logits(query: Tensor, support: Tensor, labels: Tensor, n_way: int) -> Tensor:
    """Return (Q, N), minus the squared distance to each class's nearest example; -inf for an empty class.

    Args:
        query: float (Q, D).
        support: float (S, D).
        labels: int64 (S,), 0 .. N - 1.
        n_way: N.
    """
    return -class_minimum(squared_distances(query, support), labels, n_way)


@dataclass(frozen=True, slots=True)
class Nearest:
    """The class of the nearest example.

    Cover and Hart 1967, "Nearest neighbor pattern classification".

    Attributes:
        default_temperature: for scores of minus the squared Euclidean distance.
        default_novelty: the threshold where the support set tells nothing; +inf rejects nothing.
    """

    default_temperature: float = 1.0
    default_novelty: float = math.inf

    @property
    def name(self) -> str:
        """Return the name on the command line."""
        return "nearest"

    def fit(
        self, support: SupportSet, *, progress: Progress | None = None, cancel: Cancel | None = None
    ) -> NearestClassifier:
        """Return the examples with their temperature and novelty threshold.

        Raises:
            SupportError: no example, or one that is not finite.
        """
        begin(support, progress, cancel)
        left_out = LeftOut.of(support)
        scores = -class_minimum(left_out.others(), support.labels, len(support.classes))
        calibration = left_out.calibrate(
            scores, temperature=self.default_temperature, novelty=self.default_novelty
        )
        finish(progress, cancel)
        return NearestClassifier(support=support, calibration=calibration, anchors=support.embeddings[:0])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NearestClassifier(FittedClassifier):
    """The examples themselves; no anchors."""

    def judge(self, query: Tensor, to_support: Tensor, to_anchors: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - part of the interface
        """Return minus the squared distance to each class's nearest example, and the distance, (Q, N)."""
        squared = class_minimum(to_support, self.support.labels, len(self.classes))
        return -squared, squared.sqrt()
