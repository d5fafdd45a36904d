"""Warnings at the drop: each kind, and silence where nothing is odd."""

from __future__ import annotations

import numpy as np

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.core.images.look import Look
from fewshot_gui.engine.deciding.warnings import SAME_BITS, DropWarning, WarningKind, warnings_at_drop
from fewshot_gui.engine.single import SinglePrediction, nothing_taught
from fewshot_gui.engine.state import Category, CategoryId, Document, Example

CAT, DOG = CategoryId("cat"), CategoryId("dog")
A, B, NEW = PictureId("a"), PictureId("b"), PictureId("new")
SHARP = 1.0


def before() -> Document:
    return Document(
        (
            Category(CAT, "cat", 0, "1", (Example(A, "a.jpg"),)),
            Category(DOG, "dog", 1, "2", (Example(B, "b.jpg"),)),
        )
    )


def predicted(cat: float, dog: float, *, rejected: bool = False) -> SinglePrediction:
    values = np.array([cat, dog], np.float32)
    return SinglePrediction(
        (CAT, DOG), values, 1 - values, int(values.argmax()), rejected, (), 0.0, 1.0, 0.0, 0.0, 1
    )


def kinds(found: tuple[DropWarning, ...]) -> list[WarningKind]:
    return [warning.kind for warning in found]


def test_a_sharp_new_picture_that_fits_is_not_talked_about() -> None:
    assert warnings_at_drop(NEW, CAT, before()) == ()
    found = warnings_at_drop(
        NEW,
        CAT,
        before(),
        look=Look(0, SHARP),
        looks={A: Look(2**64 - 1, SHARP)},
        prediction=predicted(0.9, 0.1),
    )
    assert found == ()


def test_the_same_content_is_a_duplicate_and_its_category_is_named() -> None:
    (found,) = warnings_at_drop(A, DOG, before(), look=Look(0, SHARP), looks={A: Look(0, SHARP)})
    assert found == DropWarning(WarningKind.DUPLICATE, A, CAT, A)


def test_the_nearest_look_alike_is_named() -> None:
    looks = {A: Look(0b111, SHARP), B: Look(0b1, SHARP)}
    (found,) = warnings_at_drop(NEW, CAT, before(), look=Look(0, SHARP), looks=looks)
    assert (found.kind, found.category, found.other, found.measure) == (
        WarningKind.NEAR_DUPLICATE,
        DOG,
        B,
        1.0,
    )


def test_a_few_bits_more_are_another_picture() -> None:
    looks = {A: Look(2 ** (SAME_BITS + 1) - 1, SHARP)}
    assert warnings_at_drop(NEW, CAT, before(), look=Look(0, SHARP), looks=looks) == ()


def test_a_blurred_picture_is_told_with_its_sharpness() -> None:
    (found,) = warnings_at_drop(NEW, CAT, before(), look=Look(0, 0.001))
    assert (found.kind, found.measure) == (WarningKind.BLURRED, 0.001)


def test_a_picture_of_another_category_is_told_with_the_probability() -> None:
    (found,) = warnings_at_drop(NEW, CAT, before(), prediction=predicted(0.1, 0.9))
    assert (found.kind, found.category) == (WarningKind.LOOKS_LIKE_ANOTHER, DOG)
    assert 0.89 < found.measure < 0.91


def test_doubt_and_novelty_and_nothing_taught_are_no_reason() -> None:
    for prediction in (predicted(0.4, 0.6), predicted(0.1, 0.9, rejected=True), nothing_taught(0)):
        assert warnings_at_drop(NEW, CAT, before(), prediction=prediction) == ()


def test_the_first_example_of_a_category_cannot_look_like_it() -> None:
    assert warnings_at_drop(NEW, CAT, before(), prediction=predicted(0.0, 1.0)) == ()
    assert warnings_at_drop(NEW, CategoryId("new"), before(), prediction=predicted(0.1, 0.9)) == ()


def test_the_weightiest_comes_first() -> None:
    found = warnings_at_drop(A, DOG, before(), look=Look(0, 0.0), prediction=predicted(0.9, 0.1))
    assert kinds(found) == [WarningKind.DUPLICATE, WarningKind.LOOKS_LIKE_ANOTHER, WarningKind.BLURRED]
