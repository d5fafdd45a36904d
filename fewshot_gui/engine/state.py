"""The document: categories with their examples, and the settings, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NewType

if TYPE_CHECKING:
    from fewshot_gui.core.images.identity import PictureId

CategoryId = NewType("CategoryId", str)
"""What a category is known by: 32 hex digits of a UUID. Its name is only a label."""

PALETTE_SIZE: Final = 12
SHORTCUT_DIGITS: Final = "1234567890"


@dataclass(frozen=True, slots=True)
class Example:
    """One picture that a person put into a category.

    Attributes:
        picture: The hash of the picture's content.
        origin: Where it came from: a path, "camera", "canvas", "clipboard" or "web". A label only.
    """

    picture: PictureId
    origin: str


@dataclass(frozen=True)
class Category:
    """A class that the person made, with its examples in the order in which they were given.

    Attributes:
        id: Known by this for ever, whatever its name.
        name: What the person reads; unique among the categories, whatever its case.
        colour: Index into the palette, 0 to 11.
        shortcut: The key that teaches this category, one character; empty where it has none.
        examples: The support pictures.
    """

    id: CategoryId
    name: str
    colour: int
    shortcut: str
    examples: tuple[Example, ...] = ()

    @cached_property
    def pictures(self) -> frozenset[PictureId]:
        """The pictures of the examples, without their order."""
        return frozenset(example.picture for example in self.examples)


@dataclass(frozen=True, slots=True)
class Settings:
    """How the classifier is made.

    Attributes:
        learner: Name of the learner.
        backbone: Name of the backbone.
        device: "auto", or the name of a device.
        threshold: None for automatic; else boldness from 0 (careful: rejects much) to 1 (rejects nothing).
    """

    learner: str = "prototypical"
    backbone: str = "photo"
    device: str = "auto"
    threshold: float | None = None


@dataclass(frozen=True)
class Document:
    """Everything that undo brings back. A picture belongs to at most one category."""

    categories: tuple[Category, ...] = ()
    settings: Settings = Settings()

    def category(self, category_id: CategoryId) -> Category:
        """The category of that id.

        Raises:
            KeyError: There is none.
        """
        return self._by_id[category_id]

    def __contains__(self, category_id: object) -> bool:
        return category_id in self._by_id

    def owner(self, picture: PictureId) -> CategoryId | None:
        """The category that the picture is an example of, or None."""
        # Categories are shared between states, so their sets are: asking costs one look-up a category.
        for category in self.categories:
            if picture in category.pictures:
                return category.id
        return None

    def pictures(self) -> tuple[PictureId, ...]:
        """The pictures of all examples, category by category, each once."""
        return tuple(example.picture for category in self.categories for example in category.examples)

    @cached_property
    def _by_id(self) -> dict[CategoryId, Category]:
        return {category.id: category for category in self.categories}
