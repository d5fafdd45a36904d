"""What a person can do to the examples of categories."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fewshot_gui.engine.commands.problems import known

if TYPE_CHECKING:
    from collections.abc import Collection

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.state import Category, CategoryId, Document, Example


@dataclass(frozen=True, slots=True)
class AddExamples:
    """Teaches a category; a picture of another category moves over, and needs no label any more."""

    category: CategoryId
    examples: tuple[Example, ...]

    def apply(self, state: Document) -> Document:
        """The document with the examples at the end of the category; those already in it stay where they are.

        Raises:
            CommandError: No such category.
        """
        target = known(state, self.category)
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
                grown if category is target else without(category, added) for category in state.categories
            ),
            labels=state.labels.without(added),
        )


@dataclass(frozen=True, slots=True)
class RemoveExamples:
    """Takes pictures out of their categories; those in none are passed over."""

    pictures: tuple[PictureId, ...]

    def apply(self, state: Document) -> Document:
        """The document without these examples."""
        gone = frozenset(self.pictures)
        return replace(state, categories=tuple(without(category, gone) for category in state.categories))


def without(category: Category, pictures: Collection[PictureId]) -> Category:
    """The category without these examples."""
    # The same object where nothing is taken, so that states share it, and the set it keeps.
    if category.pictures.isdisjoint(pictures):
        return category
    return replace(
        category, examples=tuple(example for example in category.examples if example.picture not in pictures)
    )
