"""What all classifiers of this package share: support set, calibration, and the making of a prediction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from fewshot_gui.core.learners.base import Cancel, Prediction, Progress, SupportError, SupportSet
from fewshot_gui.core.learners.distances import squared_distances

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot_gui.core.learners.calibration import Calibration

NEIGHBOURS = 5
_ENTRIES_AT_ONCE = 16_000_000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FittedClassifier(ABC):
    """A classifier that knows its support set; each method adds its scores.

    Every answer depends on its own query alone: nothing here looks at the other queries.

    Attributes:
        support: the examples.
        calibration: temperature and novelty threshold.
        anchors: float (A, D), further points whose distances the method needs; may be (0, D).
    """

    support: SupportSet
    calibration: Calibration
    anchors: Tensor

    @property
    def classes(self) -> tuple[str, ...]:
        """The N class names, in the order of every prediction's columns."""
        return self.support.classes

    @property
    def novelty_threshold(self) -> float:
        """The distance to the nearest example above which a query is none of these."""
        return self.calibration.novelty_threshold

    @property
    def temperature(self) -> float:
        """The temperature in probabilities = softmax(scores / temperature)."""
        return self.calibration.temperature

    @abstractmethod
    def judge(self, query: Tensor, to_support: Tensor, to_anchors: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores (Q, N) and distances (Q, N) of queries (Q, D); empty classes may hold any number.

        Args:
            query: float (Q, D).
            to_support: float (Q, S), squared distances to the examples.
            to_anchors: float (Q, A), squared distances to the anchors.
        """

    def predict(self, query: Tensor) -> Prediction:
        """Return the prediction for queries (Q, D).

        The novelty of the queries is its `nearest_distance[:, 0]`: who has a prediction need not ask again.
        """
        points = torch.cat([self.support.embeddings, self.anchors])
        if torch.compiler.is_compiling():  # an exported model takes any number, and memory is its user's
            return self._predict_piece(query.to(points.dtype), points)
        pieces = torch.split(query.to(points.dtype), max(1, _ENTRIES_AT_ONCE // len(points)))
        parts = [self._predict_piece(piece, points) for piece in pieces]
        if len(parts) == 1:
            return parts[0]
        return Prediction(
            probabilities=torch.cat([part.probabilities for part in parts]),
            scores=torch.cat([part.scores for part in parts]),
            distances=torch.cat([part.distances for part in parts if part.distances is not None]),
            nearest=torch.cat([part.nearest for part in parts]),
            nearest_distance=torch.cat([part.nearest_distance for part in parts]),
        )

    def novelty(self, query: Tensor) -> Tensor:
        """Return float (Q,), the Euclidean distance of each query to its nearest example."""
        examples = self.support.embeddings
        pieces = torch.split(query.to(examples.dtype), max(1, _ENTRIES_AT_ONCE // len(examples)))
        return torch.cat([squared_distances(piece, examples).amin(1).sqrt() for piece in pieces])

    def _predict_piece(self, query: Tensor, points: Tensor) -> Prediction:
        count = len(self.support.labels)
        squared = squared_distances(query, points)
        scores, distances = self.judge(query, squared[:, :count], squared[:, count:])
        empty = ~self.support.present()
        scores = scores.masked_fill(empty, -torch.inf)
        near, nearest = squared[:, :count].topk(min(NEIGHBOURS, count), dim=1, largest=False)
        return Prediction(
            probabilities=torch.softmax(scores / self.temperature, dim=1),
            scores=scores,
            distances=distances.masked_fill(empty, torch.inf),
            nearest=nearest,
            nearest_distance=near.sqrt(),
        )


def check_support(support: SupportSet) -> None:
    """Check that there is something to learn from.

    Raises:
        SupportError: no example, or one whose embedding is not finite.
    """
    if not len(support.labels):
        raise SupportError("there is no example to learn from; add at least one picture to a category")
    finite = support.embeddings.isfinite().all(1)
    if not bool(finite.all()):
        place = int((~finite).nonzero()[0])
        name = support.classes[int(support.labels[place])]
        raise SupportError(
            f"example {place} of class {name!r} has an embedding that is not finite; remove it"
        )


def begin(support: SupportSet, progress: Progress | None, cancel: Cancel | None) -> None:
    """Check the support set and whether the work is still wanted; report that nothing is done yet.

    Raises:
        SupportError: nothing to learn from.
    """
    check_support(support)
    if cancel is not None:
        cancel()
    if progress is not None:
        progress(0.0)


def finish(progress: Progress | None, cancel: Cancel | None) -> None:
    """Report that all is done, unless the work is no longer wanted."""
    if cancel is not None:
        cancel()
    if progress is not None:
        progress(1.0)
