"""Why a command cannot be done."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fewshot_gui.engine.state import Category, CategoryId, Document


class CommandProblem(StrEnum):
    """Why a command cannot be done."""

    UNKNOWN_CATEGORY = "unknown category"
    TAKEN_ID = "taken id"
    EMPTY_NAME = "empty name"
    TAKEN_NAME = "taken name"
    BAD_SHORTCUT = "bad shortcut"
    TAKEN_SHORTCUT = "taken shortcut"
    BAD_COLOUR = "bad colour"
    BAD_THRESHOLD = "bad threshold"
    SAME_CATEGORY = "same category"


class CommandError(Exception):
    """A command is impossible in this state; nothing was changed.

    Attributes:
        kind: Why.
        subject: The id, name, key or number that is wrong.
        owner: The category that holds the name or the shortcut already, where one does.
    """

    def __init__(self, kind: CommandProblem, subject: object, owner: CategoryId | None = None) -> None:
        super().__init__(f"{kind}: {subject!r}")
        self.kind = kind
        self.subject = subject
        self.owner = owner


def known(state: Document, category_id: CategoryId) -> Category:
    """The category of that id.

    Raises:
        CommandError: There is none.
    """
    try:
        return state.category(category_id)
    except KeyError as error:
        raise CommandError(CommandProblem.UNKNOWN_CATEGORY, category_id) from error
