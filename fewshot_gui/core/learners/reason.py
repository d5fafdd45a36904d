"""Which learner was chosen and what that rests on, for whoever words it; read without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fewshot_gui.core.learners.base import Learner


class Why(StrEnum):
    """Why a learner was chosen."""

    ONE_CATEGORY = "one category"
    TOO_FEW = "too few"
    ALIKE = "alike"
    TOO_MANY = "too many"
    RULE = "rule"
    LEAVE_ONE_OUT = "leave-one-out"


@dataclass(frozen=True, slots=True)
class Reason:
    """What the choice rests on.

    Attributes:
        why: ONE_CATEGORY: there is nothing to tell apart; TOO_FEW: nothing can be left out; ALIKE: nor where
            each shows the same view as another; TOO_MANY: trying all would take too long; RULE: none was
            clearly better than the one for as many examples; LEAVE_ONE_OUT: the chosen one was.
        ways: how many categories have examples.
        shots: the median number of examples of those.
        by_rule: the name of the learner that is taken where nothing speaks for another.
        left_out: how many examples were classified by the others, each in turn.
        accuracies: of those, by name of the learner; empty where none were tried.
    """

    why: Why
    ways: int
    shots: float
    by_rule: str
    left_out: int = 0
    accuracies: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def right(self, learner: str) -> int:
        """Return how many of the left-out examples a learner classified right.

        Raises:
            KeyError: it was not tried.
        """
        return round(self.accuracies[learner] * self.left_out)


@dataclass(frozen=True, slots=True)
class Choice:
    """The learner that was chosen, by name, and why."""

    learner: str
    reason: Reason


@runtime_checkable
class ChosenClassifier(Protocol):
    """A classifier of a learner that was chosen for this support set."""

    @property
    def chosen(self) -> str:
        """The name of that learner."""

    @property
    def learner(self) -> Learner:
        """That learner."""

    @property
    def reason(self) -> Reason:
        """What the choice rests on."""


def choice_of(classifier: object) -> Choice | None:
    """Return which learner was chosen to make a classifier, and why; None where there was no choice."""
    if not isinstance(classifier, ChosenClassifier):
        return None
    return Choice(classifier.chosen, classifier.reason)
