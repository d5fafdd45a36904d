"""The document: what it answers, and what holds after any commands."""

from __future__ import annotations

import pytest

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.state import Category, CategoryId, Document, Example, Pictures, Settings

CAT, DOG = CategoryId("c" * 32), CategoryId("d" * 32)


def example(number: int) -> Example:
    return Example(PictureId(f"{number:032x}"), f"/pictures/{number}.jpg")


@pytest.fixture
def document() -> Document:
    cats = Category(CAT, "cats", 0, "1", (example(1), example(2)))
    return Document((cats, Category(DOG, "dogs", 1, "2", (example(3),))))


def test_a_new_document_is_empty_with_the_default_settings() -> None:
    assert Document().categories == ()
    assert Document().settings == Settings("auto", "photo", "auto", None)


def test_a_category_is_found_by_its_id(document: Document) -> None:
    assert document.category(DOG).name == "dogs"
    assert DOG in document
    assert CategoryId("e") not in document


def test_an_unknown_category_is_a_key_error(document: Document) -> None:
    with pytest.raises(KeyError):
        document.category(CategoryId("e"))


def test_a_picture_is_owned_by_the_category_it_is_an_example_of(document: Document) -> None:
    assert document.owner(example(2).picture) == CAT
    assert document.owner(example(3).picture) == DOG
    assert document.owner(example(4).picture) is None


def test_pictures_come_category_by_category(document: Document) -> None:
    assert document.pictures() == tuple(example(number).picture for number in (1, 2, 3))


def test_equal_documents_are_equal_and_hash_alike(document: Document) -> None:
    twin = Document(document.categories)
    document.category(CAT).pictures  # noqa: B018 - what is derived takes no part in equality
    assert twin == document
    assert hash(twin) == hash(document)


def test_a_grown_category_knows_its_old_and_new_pictures(document: Document) -> None:
    grown = document.category(CAT).with_more((example(7),))
    assert grown.pictures == frozenset(example(number).picture for number in (1, 2, 7))
    assert grown.pictures == frozenset(given.picture for given in grown.examples)
    assert len(document.category(CAT).pictures) == 2


def test_two_ways_on_from_one_set_know_nothing_of_each_other() -> None:
    empty = Pictures()
    one = empty.with_more([PictureId("1")])
    left = one.with_more([PictureId("2"), PictureId("3")])
    right = one.with_more([PictureId("4")])
    other = empty.with_more([PictureId("5")])
    assert [list(each) for each in (empty, one, left, right, other)] == [
        [],
        ["1"],
        ["1", "2", "3"],
        ["1", "4"],
        ["5"],
    ]
    assert PictureId("2") not in one
    assert PictureId("2") not in right
    assert left - right == {"2", "3"}
    assert one.isdisjoint({"2": 0, "4": 0})


@pytest.mark.parametrize("field", ["categories", "settings"])
def test_a_document_cannot_be_changed(document: Document, field: str) -> None:
    with pytest.raises(AttributeError):
        setattr(document, field, ())
