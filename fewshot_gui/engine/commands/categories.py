"""What a person can do to categories."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fewshot_gui.engine.commands.naming import checked_name, free_colour, free_shortcut
from fewshot_gui.engine.commands.problems import CommandError, CommandProblem, known
from fewshot_gui.engine.state import PALETTE_SIZE, Category, CategoryId, Decision, Document, Labels


@dataclass(frozen=True, slots=True)
class AddCategory:
    """Adds an empty category at the end, with a free colour.

    Attributes:
        id: A new one.
        name: That no other category has.
        key: A free one; empty for the first free digit, or none where all are taken.
    """

    id: CategoryId
    name: str
    key: str = ""

    def apply(self, state: Document) -> Document:
        """The document with the new category.

        Raises:
            CommandError: The id, the name or the key is taken, the name is empty, or the key is none.
        """
        if self.id in state:
            raise CommandError(CommandProblem.TAKEN_ID, self.id, self.id)
        name = checked_name(state, self.name)
        key = _checked_key(state, self.key, self.id) or free_shortcut(state)
        new = Category(self.id, name, free_colour(state), key)
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
        category = known(state, self.id)
        return _with(state, replace(category, name=checked_name(state, self.name, besides=self.id)))


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
        return _with(state, replace(known(state, self.id), colour=self.colour))


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
        category = known(state, self.id)
        return _with(state, replace(category, shortcut=_checked_key(state, self.key, self.id)))


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
        category = known(state, self.id)
        others = [other for other in state.categories if other.id != self.id]
        others.insert(max(0, min(self.index, len(others))), category)
        return replace(state, categories=tuple(others))


@dataclass(frozen=True, slots=True)
class MergeCategories:
    """Puts all examples of the source behind those of the target, its labels too, and removes the source."""

    source: CategoryId
    target: CategoryId

    def apply(self, state: Document) -> Document:
        """The document without the source.

        Raises:
            CommandError: One is unknown, or both are the same.
        """
        source, target = known(state, self.source), known(state, self.target)
        if source.id == target.id:
            raise CommandError(CommandProblem.SAME_CATEGORY, self.source)
        labels = _relabelled(state, source.id, target.id)
        rest = replace(RemoveCategory(self.source).apply(state), labels=labels)
        return _with(rest, target.with_more(source.examples))


@dataclass(frozen=True, slots=True)
class RemoveCategory:
    """Removes a category with its examples and labels."""

    id: CategoryId

    def apply(self, state: Document) -> Document:
        """The document without the category.

        Raises:
            CommandError: No such category.
        """
        known(state, self.id)
        kept = tuple(category for category in state.categories if category.id != self.id)
        return replace(state, categories=kept, labels=_relabelled(state, self.id, None))


def _checked_key(state: Document, wanted: str, owner: CategoryId) -> str:
    """The key in lower case; an empty one is always good."""
    key = wanted.lower()
    if key and (len(key) > 1 or not key.isprintable() or key.isspace()):
        raise CommandError(CommandProblem.BAD_SHORTCUT, wanted)
    for other in state.categories:
        if key and other.shortcut == key and other.id != owner:
            raise CommandError(CommandProblem.TAKEN_SHORTCUT, key, other.id)
    return key


def _with(state: Document, changed: Category) -> Document:
    return replace(
        state,
        categories=tuple(changed if category.id == changed.id else category for category in state.categories),
    )


def _relabelled(state: Document, source: CategoryId, target: CategoryId | None) -> Labels:
    """The labels with the target in the place of the source, or without those of the source."""

    def change(decision: Decision) -> Decision | None:
        if decision.category != source:
            return decision
        return None if target is None else Decision(target, decision.by)

    return state.labels.mapped(change)
