"""What a learner that adapts step by step adds: its losses, and the classifier after any step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from fewshot_gui.core.learners.base import Cancel, Classifier, Progress, SupportSet

OnStep: TypeAlias = Callable[[int, int, float], None]
"""Told after each step: its number k, how many there will be, the loss on the support set after k steps."""


@runtime_checkable
class StepwiseClassifier(Protocol):
    """A classifier that remembers how it came about."""

    @property
    def losses(self) -> tuple[float, ...]:
        """The loss on the support set after 0, 1, ... K steps."""

    @property
    def steps(self) -> int:
        """K, how many steps there were."""

    def at_step(self, steps: int, /) -> Classifier:
        """Return the classifier as it was after that many steps, 0 to K."""


@runtime_checkable
class StepwiseLearner(Protocol):
    """A learner that can tell of each step while it adapts."""

    def fit_watched(
        self,
        support: SupportSet,
        on_step: OnStep,
        *,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> Classifier:
        """Return a classifier for the support set, as `fit` does; `on_step` is told of each step."""
