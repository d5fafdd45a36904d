"""What a person says of pictures without teaching it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fewshot_gui.engine.commands.examples import RemoveExamples
from fewshot_gui.engine.commands.problems import known
from fewshot_gui.engine.state import By, Decision

if TYPE_CHECKING:
    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.state import CategoryId, Document


@dataclass(frozen=True, slots=True)
class AcceptLabels:
    """Accepts what the program suggests for some pictures: a category, or None for none of these.

    What a person taught or said themselves stays: a suggestion may be older than their word.

    Attributes:
        pictures: By their content.
        category: None for none of these.
        times: When each was accepted, ISO 8601; where it is empty, at the moment of the command.
    """

    pictures: tuple[PictureId, ...]
    category: CategoryId | None
    times: tuple[str, ...] = ()

    def apply(self, state: Document) -> Document:
        """The document with the suggestion as the label of all pictures of which a person said nothing.

        Raises:
            CommandError: No such category.
        """
        if self.category is not None:
            known(state, self.category)
        free = set(self.pictures)
        for category in state.categories:
            free.difference_update(category.pictures)
        labels = state.labels
        free -= {p for p in free if (said := labels.get(p)) is not None and said.by is By.HUMAN}
        return replace(state, labels=labels.with_all(free, Decision(self.category, By.ACCEPTED)))


@dataclass(frozen=True, slots=True)
class LabelPictures:
    """Says of pictures which category they belong to, without teaching it.

    Attributes:
        pictures: By their content.
        category: Of the document.
        times: When it was said of each, ISO 8601; where it is empty, at the moment of the command.
    """

    pictures: tuple[PictureId, ...]
    category: CategoryId
    times: tuple[str, ...] = ()

    def apply(self, state: Document) -> Document:
        """The document with these labels; examples of this category stay examples, those of others move over.

        Raises:
            CommandError: No such category.
        """
        taught = known(state, self.category).pictures
        return _said(
            state, tuple(picture for picture in self.pictures if picture not in taught), self.category
        )


@dataclass(frozen=True, slots=True)
class LabelNoneOfThese:
    """Says of pictures that they belong to no category; `times` are as for LabelPictures."""

    pictures: tuple[PictureId, ...]
    times: tuple[str, ...] = ()

    def apply(self, state: Document) -> Document:
        """The document in which these pictures are none of these, and examples no more."""
        return _said(state, self.pictures, None)


@dataclass(frozen=True, slots=True)
class WithdrawLabels:
    """Takes back what was accepted or said of pictures; examples stay."""

    pictures: tuple[PictureId, ...]

    def apply(self, state: Document) -> Document:
        """The document without labels of these pictures."""
        return replace(state, labels=state.labels.without(self.pictures))


def _said(state: Document, pictures: tuple[PictureId, ...], category: CategoryId | None) -> Document:
    labels = state.labels.with_all(pictures, Decision(category, By.HUMAN))
    return replace(RemoveExamples(pictures).apply(state), labels=labels)
