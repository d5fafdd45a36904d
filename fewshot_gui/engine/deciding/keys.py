"""One key a category: digits first, then letters of its name, and none that the program needs itself."""

from __future__ import annotations

import string
import unicodedata
from typing import TYPE_CHECKING

from fewshot_gui.engine.commands import SetShortcut, Together
from fewshot_gui.engine.state import SHORTCUT_DIGITS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from fewshot_gui.engine.commands import Command
    from fewshot_gui.engine.state import Category, CategoryId, Document


def category_of(document: Document, key: str) -> CategoryId | None:
    """Return the category that a typed character means, None where it means none; case does not matter."""
    wanted = key.lower()
    found = (
        category.id for category in document.categories if category.shortcut and category.shortcut == wanted
    )
    return next(found, None)


def collisions(document: Document, reserved: Collection[str]) -> tuple[CategoryId, ...]:
    """Return the categories whose key the program needs itself, such as one that an older session gave them.

    Args:
        document: with the keys of its categories.
        reserved: single characters, in any case, that mean something to the program itself.
    """
    taken = {key.lower() for key in reserved}
    return tuple(category.id for category in document.categories if category.shortcut in taken - {""})


def free_key(document: Document, category: Category, reserved: Collection[str]) -> str:
    """Return the best key that nobody has, empty where all are taken.

    Digits first, as they lie in the order of the categories; then the letters of the name in their order,
    with and without their accents; then the alphabet.
    """
    taken = {key.lower() for key in reserved}
    taken |= {other.shortcut for other in document.categories if other.id != category.id}
    return next((key for key in _wishes(category.name) if key not in taken), "")


def assign_keys(document: Document, reserved: Collection[str]) -> Command | None:
    """Return one command that gives a key to each category that has none or one of the program's.

    Keys that are in nobody's way stay: hands remember them. None where nothing is to be done.
    """
    wrong = set(collisions(document, reserved))
    steps: list[Command] = []
    after = document
    for category in document.categories:
        if category.shortcut and category.id not in wrong:
            continue
        key = free_key(after, category, reserved)
        if key != category.shortcut:
            step = SetShortcut(category.id, key)
            steps.append(step)
            after = step.apply(after)
    return Together(tuple(steps)) if steps else None


def _wishes(name: str) -> Iterator[str]:
    yield from SHORTCUT_DIGITS
    for letter in name.lower():
        if letter.isalpha() and len(letter) == 1:
            yield letter
            yield unicodedata.normalize("NFD", letter)[0]
    yield from string.ascii_lowercase
