"""The row index: which rows show which picture, and whose they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.state import Category, CategoryId, Document, Example
from fewshot_gui.engine.taught import RowIndex

A, B = PictureId("a"), PictureId("b")
CAT, DOG = CategoryId("cat"), CategoryId("dog")


def document() -> Document:
    return Document(
        (
            Category(CAT, "cat", 0, "1", (Example(A, "a.jpg"),)),
            Category(DOG, "dog", 1, "2", (Example(B, "b.jpg"),)),
        )
    )


def test_every_copy_of_a_taught_picture_is_taught() -> None:
    index = RowIndex()
    index.note([0, 1, 2, 3], [A, B, A, None])
    assert index.taught(document(), (CAT, DOG), 4).tolist() == [0, 1, 0, -1]
    assert index.rows(A) == [0, 2]


def test_columns_follow_the_given_order() -> None:
    index = RowIndex()
    index.note([0, 1], [A, B])
    assert index.taught(document(), (DOG,), 2).tolist() == [-1, 0]


def test_a_row_that_shows_another_picture_is_noted_anew() -> None:
    index = RowIndex()
    index.note([0], [A])
    index.note([0], [None])
    assert index.taught(document(), (CAT, DOG), 1).tolist() == [-1]
    index.note([0], [B])
    assert index.taught(document(), (CAT, DOG), 1).tolist() == [1]


def test_nothing_is_left_after_clearing() -> None:
    index = RowIndex()
    index.note([0], [A])
    index.clear()
    assert index.rows(A) == ()


@given(st.lists(st.lists(st.sampled_from([A, B, None]), min_size=5, max_size=5), min_size=1))
def test_only_the_last_look_counts(looks: list[list[PictureId | None]]) -> None:
    index = RowIndex()
    for ids in looks:
        index.note(range(5), ids)
    for picture in (A, B):
        assert sorted(index.rows(picture)) == [row for row in range(5) if looks[-1][row] == picture]
