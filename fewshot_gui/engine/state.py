"""The document: categories with their examples, and the settings, as one frozen value."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Final, NewType, TypeAlias

from fewshot_gui.engine.persistent import PersistentMap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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


class Pictures(AbstractSet["PictureId"]):
    """The pictures of a category, as a set in the order in which they were given.

    Sets that grew out of one another share one table and each know how much of it is theirs: a copy for each
    step would make the replay of 20,000 examples, taught one by one, take 6.3 s instead of 1.6 s.
    """

    __slots__ = ("_count", "_places")

    def __init__(self, pictures: Iterable[PictureId] = ()) -> None:
        self._places = {picture: place for place, picture in enumerate(dict.fromkeys(pictures))}
        self._count = len(self._places)

    def __contains__(self, picture: object) -> bool:
        return self._places.get(picture, self._count) < self._count  # type: ignore[call-overload, no-any-return]

    def __iter__(self) -> Iterator[PictureId]:
        # All at once: another set that shares the table may grow on another thread meanwhile.
        return iter(tuple(islice(self._places, self._count)))

    def __len__(self) -> int:
        return self._count

    def with_more(self, added: Iterable[PictureId]) -> Pictures:
        """The set with these pictures too; none of them may be in it yet."""
        if len(self._places) == self._count:
            grown = Pictures()
            grown._places = self._places
        else:
            grown = Pictures(self)  # another one has gone on from here already, as before an undo
        for picture in added:
            grown._places[picture] = len(grown._places)
        grown._count = len(grown._places)
        return grown


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
    def pictures(self) -> Pictures:
        """The pictures of the examples."""
        return Pictures(example.picture for example in self.examples)

    def with_more(self, added: tuple[Example, ...]) -> Category:
        """The category with these examples at the end; none of them may be in it yet."""
        more = replace(self, examples=self.examples + added)
        more.__dict__["pictures"] = self.pictures.with_more(example.picture for example in added)
        return more


class By(StrEnum):
    """How a person came to a label that teaches nothing."""

    ACCEPTED = "accepted"
    """The program suggested it, and a person accepted it."""
    HUMAN = "human"
    """A person said it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said of a picture without teaching it.

    Attributes:
        category: Where it belongs; None where it is none of these.
        by: How the person came to it.
    """

    category: CategoryId | None
    by: By


Labels: TypeAlias = "PersistentMap[PictureId, Decision]"
"""What a person said of each picture; known by its content, never by its place in a list."""
NO_LABELS: Final[Labels] = PersistentMap()


@dataclass(frozen=True, slots=True)
class Settings:
    """How the classifier is made.

    Attributes:
        learner: Name of the learner.
        backbone: Name of the backbone.
        device: "auto", or the name of a device.
        threshold: None for automatic; else boldness from 0 (careful: rejects much) to 1 (rejects nothing).
    """

    learner: str = "auto"
    backbone: str = "photo"
    device: str = "auto"
    threshold: float | None = None


@dataclass(frozen=True)
class Document:
    """Everything that undo brings back. A picture belongs to at most one category.

    Attributes:
        categories: In the order of the person.
        settings: How the classifier is made.
        labels: What was said without teaching; no example is among them, and no category that is not there.
    """

    categories: tuple[Category, ...] = ()
    settings: Settings = Settings()
    labels: Labels = NO_LABELS

    def category(self, category_id: CategoryId) -> Category:
        """The category of that id.

        Raises:
            KeyError: There is none.
        """
        for category in self.categories:
            if category.id == category_id:
                return category
        raise KeyError(category_id)

    def __contains__(self, category_id: object) -> bool:
        return any(category.id == category_id for category in self.categories)

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
