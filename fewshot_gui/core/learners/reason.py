"""Which learner was chosen and what that rests on, for whoever words it; read without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

RIDGE_FROM: Final = 5.0
"""Examples of each category from which the rule says ridge regression."""


class Why(StrEnum):
    """Why a learner was chosen."""

    ONE_CATEGORY = "one category"
    TOO_FEW = "too few"
    TOO_MANY = "too many"
    RULE = "rule"
    CROSS_VALIDATION = "cross-validation"


@dataclass(frozen=True, slots=True)
class Reason:
    """What the choice rests on.

    Attributes:
        why: ONE_CATEGORY: there is nothing to tell apart; TOO_FEW: nothing can be held out; TOO_MANY: trying
            all would take too long; RULE: none was clearly better than the one for as many examples;
            CROSS_VALIDATION: the chosen one was.
        ways: how many categories have examples.
        shots: the median number of examples of those.
        held_out: how many examples were classified by classifiers that had not seen them.
        accuracies: of those, by name of the learner; empty where none were tried.
    """

    why: Why
    ways: int
    shots: float
    held_out: int = 0
    accuracies: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def by_rule(self) -> str:
        """Return the name of the learner that the rule by shots alone takes."""
        return "ridge" if self.shots >= RIDGE_FROM else "prototypical"

    def right(self, learner: str) -> int:
        """Return how many of the held-out examples a learner classified right.

        Raises:
            KeyError: it was not tried.
        """
        return round(self.accuracies[learner] * self.held_out)


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
    def reason(self) -> Reason:
        """What the choice rests on."""


def choice_of(classifier: object) -> Choice | None:
    """Return which learner was chosen to make a classifier, and why; None where there was no choice."""
    if not isinstance(classifier, ChosenClassifier):
        return None
    return Choice(classifier.chosen, classifier.reason)
