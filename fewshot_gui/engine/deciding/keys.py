"""One key a category: digits first, then letters of its name, and none that the program needs itself."""

from __future__ import annotations

import string
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fewshot_gui.engine.commands import AddCategory, RenameCategory, SetShortcut, Together
from fewshot_gui.engine.state import SHORTCUT_DIGITS, Category

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fewshot_gui.engine.commands import Command
    from fewshot_gui.engine.state import CategoryId, Document

PROGRAM_LETTERS: Final = frozenset({"n", "r"})
"""Letters that mean something to the program itself: none of these, and accept the line."""


def category_of(document: Document, key: str) -> CategoryId | None:
    """Return the category that a typed character means, None where it means none; case does not matter."""
    wanted = key.casefold()
    found = (
        category.id
        for category in document.categories
        if category.shortcut and category.shortcut.casefold() == wanted
    )
    return next(found, None)


def free_key(document: Document, category: Category) -> str:
    """Return the best key that nobody has, empty where all are taken.

    Digits first, as they lie in the order of the categories; then the letters of the name in their order,
    with and without their accents; then the alphabet.
    """
    return _first_free(document, category, (*SHORTCUT_DIGITS, *_letters(category.name)))


def free_letter(document: Document, category: Category) -> str:
    """Return the best letter that nobody has, empty where all are taken."""
    return _first_free(document, category, _letters(category.name))


def with_keys(document: Document, command: Command) -> Command:
    """Return the command that also gives a letter to each category that it makes and no digit is left for.

    A category that is there already and has no key keeps none: a person may have wanted that.

    Args:
        document: to which the command is applied.
        command: that adds a category, or several among other things; any other is returned as it is.
    """
    if isinstance(command, Together):
        parts: list[Command] = []
        for each in command.commands:
            part = with_keys(document, each)
            if isinstance(part, AddCategory):
                document = part.apply(document)
            parts.append(part)
        return Together(tuple(parts))
    if not isinstance(command, AddCategory) or command.key:
        return command
    key = free_key(document, Category(command.id, command.name, 0, ""))
    return command if key in SHORTCUT_DIGITS else replace(command, key=key)


def rename_with_key(document: Document, category: Category, name: str) -> Command:
    """Return the command that renames a category; its letter is chosen anew where it has no pictures yet.

    It got its letter when it was still called "Category 11". Once it has pictures, hands remember its key;
    and a digit belongs to no name.
    """
    rename = RenameCategory(category.id, name)
    if not category.shortcut.isalpha() or category.examples:
        return rename
    if any(decision.category == category.id for decision in document.labels.values()):
        return rename
    key = free_key(document, replace(category, name=name))
    return rename if key == category.shortcut else Together((SetShortcut(category.id, key), rename))


def _first_free(document: Document, category: Category, wishes: Iterable[str]) -> str:
    taken = PROGRAM_LETTERS | {other.shortcut for other in document.categories if other.id != category.id}
    return next((key for key in wishes if key not in taken), "")


def _letters(name: str) -> Iterator[str]:
    for letter in name.lower():
        # What is composed of several keystrokes, as Chinese or Korean, is no key.
        if letter.isalpha() and len(letter) == 1 and unicodedata.east_asian_width(letter) not in "WF":
            yield letter
            yield unicodedata.normalize("NFD", letter)[0]
    yield from string.ascii_lowercase
