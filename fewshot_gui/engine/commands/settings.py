"""How a person chooses what the classifier is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fewshot_gui.engine.commands.naming import not_empty
from fewshot_gui.engine.commands.problems import CommandError, CommandProblem

if TYPE_CHECKING:
    from fewshot_gui.engine.state import Document


@dataclass(frozen=True, slots=True)
class ChooseLearner:
    """Chooses the learner by its name."""

    name: str

    def apply(self, state: Document) -> Document:
        """The document with this learner.

        Raises:
            CommandError: The name is empty.
        """
        return replace(state, settings=replace(state.settings, learner=_as_given(self.name)))


@dataclass(frozen=True, slots=True)
class ChooseBackbone:
    """Chooses the backbone by its name."""

    name: str

    def apply(self, state: Document) -> Document:
        """The document with this backbone.

        Raises:
            CommandError: The name is empty.
        """
        return replace(state, settings=replace(state.settings, backbone=_as_given(self.name)))


@dataclass(frozen=True, slots=True)
class ChooseDevice:
    """Chooses the device by its name; "auto" leaves it to the program."""

    name: str

    def apply(self, state: Document) -> Document:
        """The document with this device.

        Raises:
            CommandError: The name is empty.
        """
        return replace(state, settings=replace(state.settings, device=_as_given(self.name)))


@dataclass(frozen=True, slots=True)
class SetThreshold:
    """Sets how bold the classifier is; None leaves it to the support set."""

    value: float | None

    def apply(self, state: Document) -> Document:
        """The document with this threshold.

        Raises:
            CommandError: It is not in 0..1.
        """
        # "not ... <=" also refuses NaN, which is in no range.
        if self.value is not None and not 0.0 <= self.value <= 1.0:
            raise CommandError(CommandProblem.BAD_THRESHOLD, self.value)
        return replace(state, settings=replace(state.settings, threshold=self.value))


def _as_given(name: str) -> str:
    """The name, which may be the path of a file: cleaned, it might lead to another one."""
    not_empty(name)
    return name
