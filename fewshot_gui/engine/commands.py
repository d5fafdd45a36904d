"""What a person can do to the document: one small frozen command for each intention."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from fewshot_gui.engine.state import (
    PALETTE_SIZE,
    SHORTCUT_DIGITS,
    Category,
    CategoryId,
    Document,
    Example,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from fewshot_gui.core.images.identity import PictureId


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


@dataclass(frozen=True, slots=True)
class AddCategory:
    """Adds an empty category at the end, with a free colour and digit."""

    id: CategoryId
    name: str

    def apply(self, state: Document) -> Document:
        """The document with the new category.

        Raises:
            CommandError: The id or the name is taken, or the name is empty.
        """
        if self.id in state:
            raise CommandError(CommandProblem.TAKEN_ID, self.id, self.id)
        name = _checked_name(state, self.name)
        new = Category(self.id, name, free_colour(state), free_shortcut(state))
        return replace(state, categories=(*state.categories, new))


@dataclass(frozen=True, slots=True)
class RenameCategory:
    """Gives a category another name."""

    id: CategoryId
    name: str

    def apply(self, state: Document) -> Document:
        """The document with the new name.

        Raises:
            CommandError: No such category, or the name is empty or another's.
        """
        category = _known(state, self.id)
        return _with(state, replace(category, name=_checked_name(state, self.name, besides=self.id)))


@dataclass(frozen=True, slots=True)
class RecolourCategory:
    """Gives a category another colour of the palette; two may share one."""

    id: CategoryId
    colour: int

    def apply(self, state: Document) -> Document:
        """The document with the new colour.

        Raises:
            CommandError: No such category or colour.
        """
        if not 0 <= self.colour < PALETTE_SIZE:
            raise CommandError(CommandProblem.BAD_COLOUR, self.colour)
        return _with(state, replace(_known(state, self.id), colour=self.colour))


@dataclass(frozen=True, slots=True)
class SetShortcut:
    """Gives a category another key, or none where the key is empty."""

    id: CategoryId
    key: str

    def apply(self, state: Document) -> Document:
        """The document with the new key, in lower case.

        Raises:
            CommandError: No such category, not one visible character, or another's key.
        """
        category = _known(state, self.id)
        key = self.key.lower()
        if key and (len(key) > 1 or not key.isprintable() or key.isspace()):
            raise CommandError(CommandProblem.BAD_SHORTCUT, self.key)
        for other in state.categories:
            if key and other.shortcut == key and other.id != self.id:
                raise CommandError(CommandProblem.TAKEN_SHORTCUT, key, other.id)
        return _with(state, replace(category, shortcut=key))


@dataclass(frozen=True, slots=True)
class MoveCategory:
    """Puts a category at another place in the list."""

    id: CategoryId
    index: int

    def apply(self, state: Document) -> Document:
        """The document in the new order; an index beyond an end means that end.

        Raises:
            CommandError: No such category.
        """
        category = _known(state, self.id)
        others = [other for other in state.categories if other.id != self.id]
        others.insert(max(0, min(self.index, len(others))), category)
        return replace(state, categories=tuple(others))


@dataclass(frozen=True, slots=True)
class MergeCategories:
    """Puts all examples of the source behind those of the target, and removes the source."""

    source: CategoryId
    target: CategoryId

    def apply(self, state: Document) -> Document:
        """The document without the source.

        Raises:
            CommandError: One is unknown, or both are the same.
        """
        source, target = _known(state, self.source), _known(state, self.target)
        if source.id == target.id:
            raise CommandError(CommandProblem.SAME_CATEGORY, self.source)
        return _with(RemoveCategory(self.source).apply(state), target.with_more(source.examples))


@dataclass(frozen=True, slots=True)
class RemoveCategory:
    """Removes a category with its examples."""

    id: CategoryId

    def apply(self, state: Document) -> Document:
        """The document without the category.

        Raises:
            CommandError: No such category.
        """
        _known(state, self.id)
        kept = tuple(category for category in state.categories if category.id != self.id)
        return replace(state, categories=kept)


@dataclass(frozen=True, slots=True)
class AddExamples:
    """Teaches a category; a picture of another category moves over."""

    category: CategoryId
    examples: tuple[Example, ...]

    def apply(self, state: Document) -> Document:
        """The document with the examples at the end of the category; those already in it stay where they are.

        Raises:
            CommandError: No such category.
        """
        target = _known(state, self.category)
        added: dict[PictureId, Example] = {}
        for example in self.examples:
            if example.picture not in target.pictures:
                added.setdefault(example.picture, example)  # of two alike the first one counts
        if not added:
            return state
        grown = target.with_more(tuple(added.values()))
        return replace(
            state,
            categories=tuple(
                grown if category is target else _without(category, added) for category in state.categories
            ),
        )


@dataclass(frozen=True, slots=True)
class RemoveExamples:
    """Takes pictures out of their categories; those in none are passed over."""

    pictures: tuple[PictureId, ...]

    def apply(self, state: Document) -> Document:
        """The document without these examples."""
        gone = frozenset(self.pictures)
        return replace(state, categories=tuple(_without(category, gone) for category in state.categories))


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
    | ChooseLearner
    | ChooseBackbone
    | ChooseDevice
    | SetThreshold
    | Together
)
COMMANDS: Final[tuple[type[Command], ...]] = Command.__args__
"""Every kind of command; a session file names them by their class names."""


def _known(state: Document, category_id: CategoryId) -> Category:
    try:
        return state.category(category_id)
    except KeyError as error:
        raise CommandError(CommandProblem.UNKNOWN_CATEGORY, category_id) from error


def _with(state: Document, changed: Category) -> Document:
    return replace(
        state,
        categories=tuple(changed if category.id == changed.id else category for category in state.categories),
    )


def _without(category: Category, pictures: Collection[PictureId]) -> Category:
    # The same object where nothing is taken, so that states share it, and the set it keeps.
    if category.pictures.isdisjoint(pictures):
        return category
    return replace(
        category, examples=tuple(example for example in category.examples if example.picture not in pictures)
    )


def _checked_name(state: Document, name: str, besides: CategoryId | None = None) -> str:
    cleaned = _not_empty(name)
    for other in state.categories:
        if other.id != besides and name_key(other.name) == name_key(cleaned):
            raise CommandError(CommandProblem.TAKEN_NAME, cleaned, other.id)
    return cleaned


def _as_given(name: str) -> str:
    """The name, which may be the path of a file: cleaned, it might lead to another one."""
    _not_empty(name)
    return name


def _not_empty(name: str) -> str:
    cleaned = clean_name(name)
    if not cleaned:
        raise CommandError(CommandProblem.EMPTY_NAME, name)
    return cleaned
