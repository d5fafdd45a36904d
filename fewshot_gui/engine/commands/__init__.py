"""What a person can do to the document: one small frozen command for each intention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fewshot_gui.engine.commands.categories import (
    AddCategory,
    MergeCategories,
    MoveCategory,
    RecolourCategory,
    RemoveCategory,
    RenameCategory,
    SetShortcut,
)
from fewshot_gui.engine.commands.examples import AddExamples, RemoveExamples
from fewshot_gui.engine.commands.labels import AcceptLabels, LabelNoneOfThese, LabelPictures, WithdrawLabels
from fewshot_gui.engine.commands.naming import (
    clean_name,
    free_colour,
    free_shortcut,
    name_key,
    new_category_id,
)
from fewshot_gui.engine.commands.problems import CommandError, CommandProblem
from fewshot_gui.engine.commands.settings import ChooseBackbone, ChooseDevice, ChooseLearner, SetThreshold

if TYPE_CHECKING:
    from fewshot_gui.engine.state import Document

__all__ = [
    "COMMANDS",
    "AcceptLabels",
    "AddCategory",
    "AddExamples",
    "ChooseBackbone",
    "ChooseDevice",
    "ChooseLearner",
    "Command",
    "CommandError",
    "CommandProblem",
    "LabelNoneOfThese",
    "LabelPictures",
    "MergeCategories",
    "MoveCategory",
    "RecolourCategory",
    "RemoveCategory",
    "RemoveExamples",
    "RenameCategory",
    "SetShortcut",
    "SetThreshold",
    "Together",
    "WithdrawLabels",
    "clean_name",
    "free_colour",
    "free_shortcut",
    "name_key",
    "new_category_id",
]


@dataclass(frozen=True, slots=True)
class Together:
    """Does several commands as one step: all of them or none."""

    commands: tuple[Command, ...]

    def apply(self, state: Document) -> Document:
        """The document after all commands, in their order.

        Raises:
            CommandError: One of them is impossible.
        """
        for command in self.commands:
            state = command.apply(state)
        return state


Command = (
    AddCategory
    | RenameCategory
    | RecolourCategory
    | SetShortcut
    | MoveCategory
    | MergeCategories
    | RemoveCategory
    | AddExamples
    | RemoveExamples
    | AcceptLabels
    | LabelPictures
    | LabelNoneOfThese
    | WithdrawLabels
    | ChooseLearner
    | ChooseBackbone
    | ChooseDevice
    | SetThreshold
    | Together
)
COMMANDS: Final[tuple[type[Command], ...]] = Command.__args__
"""Every kind of command; a session file names them by their class names."""
