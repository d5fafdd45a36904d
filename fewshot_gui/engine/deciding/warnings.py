"""What to say of a picture at the drop: there already, blurred, like another category. It never blocks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from fewshot_gui.core.images.look import differing_bits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.core.images.look import Look
    from fewshot_gui.engine.single import SinglePrediction
    from fewshot_gui.engine.state import CategoryId, Document

SAME_BITS: Final = 8
"""Two pictures whose hashes differ in at most so many of 64 bits show the same.

Measured on mini-ImageNet: cut by 3 % and brightened 2 to 11 bits, two pictures 24 to 39 (5 % to 95 %), never
less than 11.
"""
BLURRED: Final = 0.03
"""Below this sharpness a picture is told to be blurred.

Measured on mini-ImageNet, 84 pixels: 0.19 to 2.6 as they are (5 % to 95 %), never less than 0.06; blurred
with a sigma of 2 pixels 0.003 to 0.026.
"""
SURE_OF_ANOTHER: Final = 0.8
"""The probability of another category that is worth a word."""


class WarningKind(StrEnum):
    """What is odd about an example."""

    DUPLICATE = "duplicate"
    """The very same content, `other`, is an example of `category` already."""
    NEAR_DUPLICATE = "near-duplicate"
    """It looks like `other`, an example of `category`: it teaches little that is new."""
    BLURRED = "blurred"
    """It is hardly sharp; `measure` is its sharpness."""
    LOOKS_LIKE_ANOTHER = "looks-like-another"
    """The other examples speak for `category` with the probability `measure`."""


@dataclass(frozen=True, slots=True)
class DropWarning:
    """Something odd about a picture that was dropped onto a category.

    Attributes:
        kind: what.
        picture: the dropped one.
        category: whom else it concerns, see the kind.
        other: the example that it is like.
        measure: see the kind.
    """

    kind: WarningKind
    picture: PictureId
    category: CategoryId | None = None
    other: PictureId | None = None
    measure: float = 0.0


def warnings_at_drop(
    picture: PictureId,
    category: CategoryId,
    before: Document,
    *,
    look: Look | None = None,
    looks: Mapping[PictureId, Look] | None = None,
    prediction: SinglePrediction | None = None,
) -> tuple[DropWarning, ...]:
    """Return what is odd about an example, the weightiest first; empty where nothing is.

    Args:
        picture: the content that was dropped.
        category: where.
        before: the document without the drop.
        look: how the picture looks, None where that is not known.
        looks: how the examples look, as far as that is known.
        prediction: what a classifier that has not seen the picture says of it.
    """
    found = [
        _duplicate(picture, before) or _near_duplicate(picture, before, look, looks or {}),
        _another(picture, category, prediction),
        _blurred(picture, look),
    ]
    return tuple(warning for warning in found if warning is not None)


def _duplicate(picture: PictureId, before: Document) -> DropWarning | None:
    owner = before.owner(picture)
    return None if owner is None else DropWarning(WarningKind.DUPLICATE, picture, owner, picture)


def _near_duplicate(
    picture: PictureId, before: Document, look: Look | None, looks: Mapping[PictureId, Look]
) -> DropWarning | None:
    if look is None:
        return None
    alike = [
        (differing_bits(look.bits, looks[other].bits), category.id, other)
        for category in before.categories
        for other in category.pictures
        if other in looks
    ]
    apart, owner, other = min(alike, default=(SAME_BITS + 1, None, None), key=lambda found: found[0])
    if apart > SAME_BITS:
        return None
    return DropWarning(WarningKind.NEAR_DUPLICATE, picture, owner, other, float(apart))


def _another(
    picture: PictureId, category: CategoryId, prediction: SinglePrediction | None
) -> DropWarning | None:
    if prediction is None or prediction.best < 0 or prediction.rejected:
        return None
    said, sure = prediction.classes[prediction.best], float(prediction.probabilities[prediction.best])
    # A category without examples cannot be predicted yet, so that the others win proves nothing.
    judged = category in prediction.classes and bool(
        prediction.probabilities[prediction.classes.index(category)] > 0
    )
    if said == category or not judged or sure < SURE_OF_ANOTHER:
        return None
    return DropWarning(WarningKind.LOOKS_LIKE_ANOTHER, picture, said, measure=sure)


def _blurred(picture: PictureId, look: Look | None) -> DropWarning | None:
    if look is None or look.sharpness >= BLURRED:
        return None
    return DropWarning(WarningKind.BLURRED, picture, measure=look.sharpness)
