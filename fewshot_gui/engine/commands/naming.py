"""Ids, names, colours and keys of categories."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import uuid4

from fewshot_gui.engine.commands.problems import CommandError, CommandProblem
from fewshot_gui.engine.state import PALETTE_SIZE, SHORTCUT_DIGITS, CategoryId

if TYPE_CHECKING:
    from fewshot_gui.engine.state import Document


def new_category_id() -> CategoryId:
    """A new id for a category: 32 random hex digits."""
    return CategoryId(uuid4().hex)


def clean_name(name: str) -> str:
    """The name as it is kept: one line, single spaces, composed Unicode, no control characters."""
    plain = "".join(" " if unicodedata.category(letter) == "Cc" else letter for letter in name)
    return " ".join(unicodedata.normalize("NFC", plain).split())


@lru_cache(maxsize=4096)  # replaying 20,000 renames among 200 categories asks for 4 million keys
def name_key(name: str) -> str:
    """What two names share if they count as the same."""
    return unicodedata.normalize("NFC", clean_name(name).casefold())


def free_colour(state: Document) -> int:
    """The lowest colour that no category has, or the lowest of the rarest ones."""
    used = Counter(category.colour for category in state.categories)
    return min(range(PALETTE_SIZE), key=lambda colour: (used[colour], colour))


def free_shortcut(state: Document) -> str:
    """The first of the digits 1 to 9 and 0 that no category has, or an empty text."""
    used = {category.shortcut for category in state.categories}
    return next((digit for digit in SHORTCUT_DIGITS if digit not in used), "")


def checked_name(state: Document, name: str, besides: CategoryId | None = None) -> str:
    """The name, cleaned.

    Raises:
        CommandError: It is empty, or that of a category besides this one.
    """
    cleaned = not_empty(name)
    for other in state.categories:
        if other.id != besides and name_key(other.name) == name_key(cleaned):
            raise CommandError(CommandProblem.TAKEN_NAME, cleaned, other.id)
    return cleaned


def not_empty(name: str) -> str:
    """The name, cleaned.

    Raises:
        CommandError: It is empty.
    """
    cleaned = clean_name(name)
    if not cleaned:
        raise CommandError(CommandProblem.EMPTY_NAME, name)
    return cleaned
