"""What a classifier is made of, as a value: learner, backbone, device and the examples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from fewshot_gui.core.backbones.bundle_info import bundle_of, space_name
from fewshot_gui.core.learners.facts import FACTS, space_of

if TYPE_CHECKING:
    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.state import CategoryId, Document


_MOVING: Final = ("camera", "video")


@dataclass(frozen=True)
class Recipe:
    """What a classifier is made of; two of the same `key` make the same classifier.

    Attributes:
        learner: name of the learner.
        backbone: name or path of the bundle, in the space that the learner works in: what pictures are
            embedded with.
        device: as chosen, such as "auto".
        support: each category that has examples, with its pictures.
        frames: those of them that a camera or a video gave, of which many may be one view of one thing.
    """

    learner: str
    backbone: str
    device: str
    support: tuple[tuple[CategoryId, tuple[PictureId, ...]], ...]
    frames: frozenset[PictureId] = frozenset()

    @cached_property
    def key(self) -> tuple[object, ...]:
        """Equal where nothing that matters differs; the order of categories and examples does for a few."""
        facts = FACTS.get(self.learner)
        if facts is not None and facts.ordered:
            return self.learner, self.backbone, self.device, self.support, self.frames
        support = frozenset((category, frozenset(pictures)) for category, pictures in self.support)
        return self.learner, self.backbone, self.device, support, self.frames

    @cached_property
    def pictures(self) -> tuple[PictureId, ...]:
        """All S examples, category by category."""
        return tuple(picture for _, pictures in self.support for picture in pictures)

    @property
    def bundle(self) -> str:
        """Name or path of the bundle, as a person chose it."""
        return bundle_of(self.backbone)

    def with_learner(self, learner: str, bundle: str = "") -> Recipe:
        """Return the recipe of another learner, on another bundle if one is given, from the same examples."""
        backbone = space_name(bundle or self.bundle, space_of(learner))
        return Recipe(learner, backbone, self.device, self.support, self.frames)


def recipe_of(document: Document) -> Recipe:
    """Return what the classifier of this document is made of."""
    settings = document.settings
    support = tuple(
        (category.id, tuple(example.picture for example in category.examples))
        for category in document.categories
        if category.examples
    )
    frames = frozenset(
        example.picture
        for category in document.categories
        for example in category.examples
        if example.origin in _MOVING
    )
    backbone = space_name(settings.backbone, space_of(settings.learner))
    return Recipe(settings.learner, backbone, settings.device, support, frames)
