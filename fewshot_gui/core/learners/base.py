"""The one interface of every learner: a support set in, a classifier out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

Progress: TypeAlias = "Callable[[float], None]"
Cancel: TypeAlias = "Callable[[], None]"


class SupportError(ValueError):
    """A support set that cannot be learned from; its sentence says which class and why."""


@dataclass(frozen=True, slots=True)
class SupportSet:
    """The labelled examples that a learner learns from.

    Attributes:
        embeddings: float (S, D), one row an example.
        labels: int64 (S,), each an index into `classes`.
        classes: the N names or ids of the classes; one of them may have no example.
        views: int64 (S,) from 0, equal for the examples of a class that show one thing from one side, as the
            frames of a camera do (see `distances.views_of`), and for no others; None: none do.
    """

    embeddings: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    views: Tensor | None = None

    def __post_init__(self) -> None:
        if self.embeddings.ndim != 2:
            raise SupportError(f"embeddings must be (S, D), not {tuple(self.embeddings.shape)}")
        if self.labels.shape != self.embeddings.shape[:1]:
            raise SupportError(f"{len(self.labels)} labels for {len(self.embeddings)} embeddings")
        if self.views is not None and self.views.shape != self.labels.shape:
            raise SupportError(f"{len(self.views)} views for {len(self.labels)} examples")
        if len(self.labels) and not 0 <= int(self.labels.min()) <= int(self.labels.max()) < len(self.classes):
            raise SupportError(f"labels must lie in 0 .. {len(self.classes) - 1}")

    def counts(self) -> Tensor:
        """Return int64 (N,), the number of examples of each class."""
        return torch.bincount(self.labels, minlength=len(self.classes))

    def shots(self) -> Tensor:
        """Return int64 (N,), as how many examples those of each class count: one for each view."""
        return torch.bincount(self.labels[self.one_of_each_view()], minlength=len(self.classes))

    def one_of_each_view(self) -> Tensor:
        """Return int64 places, in order, of the first example of each view."""
        places = torch.arange(len(self.labels))
        if self.views is None or not len(places):
            return places
        first = places.new_full((int(self.views.max()) + 1,), len(places))
        first = first.scatter_reduce(0, self.views, places, "amin")
        return first[first < len(places)].sort().values

    def alone(self) -> Tensor:
        """Return bool (S,), the examples of which no other shows the same view."""
        if self.views is None:
            return torch.ones(len(self.labels), dtype=torch.bool)
        return torch.bincount(self.views)[self.views] == 1

    def spare(self) -> Tensor:
        """Return bool (S,), the examples that can be left out to see whether the others know them.

        Another view of the class is left then, and none that shows the same.
        """
        return self.alone() & (self.shots()[self.labels] > 1)

    def some(self, which: Tensor) -> SupportSet:
        """Return the set of these examples alone, all classes kept.

        Args:
            which: bool (S,), or int64 places.
        """
        views = None if self.views is None else self.views[which]
        return SupportSet(self.embeddings[which], self.labels[which], self.classes, views)

    def present(self) -> Tensor:
        """Return bool (N,), True where a class has at least one example."""
        return self.counts() > 0


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a classifier says of Q queries and N classes.

    Attributes:
        probabilities: float (Q, N), rows sum to 1; 0 for a class without examples.
        scores: float (Q, N), the logits before the temperature; -inf for a class without examples.
        distances: float (Q, N), smaller is nearer; +inf for a class without examples; None where
            the method has none.
        nearest: int64 (Q, k), the support examples nearest to each query, nearest first.
        nearest_distance: float (Q, k), Euclidean distances of those.
    """

    probabilities: Tensor
    scores: Tensor
    distances: Tensor | None
    nearest: Tensor
    nearest_distance: Tensor


@runtime_checkable
class Classifier(Protocol):
    """What `fit` returns: frozen, holding tensors and no files."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The N class names, in the order of every prediction's columns."""

    @property
    def novelty_threshold(self) -> float:
        """The novelty above which a query is none of these, before the slider (see `calibration`)."""

    def predict(self, query: Tensor) -> Prediction:
        """Return the prediction for queries (Q, D)."""

    def novelty(self, query: Tensor) -> Tensor:
        """Return float (Q,), how foreign each query is: its distance to what was taught."""


@runtime_checkable
class Learner(Protocol):
    """One method with its hyper-parameters; a frozen dataclass."""

    @property
    def name(self) -> str:
        """The name on the command line."""

    def fit(
        self, support: SupportSet, *, progress: Progress | None = None, cancel: Cancel | None = None
    ) -> Classifier:
        """Return a classifier for the support set.

        Args:
            support: examples; at least one.
            progress: called with the share done, 0 to 1.
            cancel: called now and then; raises to stop.

        Raises:
            SupportError: no example at all.
        """
