"""Keys of categories: digits, letters, and never one of the program's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.commands import (
    AddCategory,
    AddExamples,
    Command,
    LabelPictures,
    RenameCategory,
    SetShortcut,
    Together,
)
from fewshot_gui.engine.deciding.keys import (
    PROGRAM_LETTERS,
    category_of,
    free_key,
    free_letter,
    rename_with_key,
    with_keys,
)
from fewshot_gui.engine.state import CategoryId, Document, Example

TEN = [f"number {number}" for number in range(10)]


def made(*names: str) -> Document:
    document = Document()
    for name in names:
        document = with_keys(document, AddCategory(CategoryId(name), name)).apply(document)
    return document


def keys(document: Document) -> list[str]:
    return [category.shortcut for category in document.categories]


def test_a_key_means_its_category_whatever_the_case() -> None:
    document = SetShortcut(CategoryId("cat"), "ß").apply(made("cat", "dog", "emu"))
    document = SetShortcut(CategoryId("emu"), "q").apply(document)
    assert category_of(document, "Q") == "emu"
    assert category_of(document, "2") == "dog"
    assert category_of(document, "1") is None
    assert category_of(document, "ß".casefold()) == "cat"
    assert category_of(SetShortcut(CategoryId("cat"), "").apply(document), "") is None


def test_behind_the_digits_come_the_letters_of_the_name() -> None:
    document = made(*TEN, "Apple", "Ape", "Élan")
    assert keys(document) == [*"1234567890", "a", "p", "é"]


def test_letters_of_the_program_are_passed_over() -> None:
    assert frozenset({"n", "r"}) == PROGRAM_LETTERS
    assert keys(made(*TEN, "Rnv", "NRN")) == [*"1234567890", "v", "a"]


@pytest.mark.parametrize("name", ["2024", "猫"])
def test_a_name_without_a_letter_of_one_key_gets_one_of_the_alphabet(name: str) -> None:
    assert keys(made(*TEN, name))[10:] == ["a"]


def test_several_at_once_get_a_key_each() -> None:
    adds = tuple(AddCategory(CategoryId(name), name) for name in ("Apple", "Ape"))
    taught = AddExamples(CategoryId("Ape"), (Example(PictureId("a"), "a"),))
    command = with_keys(made(*TEN), Together((*adds, taught)))
    assert keys(command.apply(made(*TEN)))[10:] == ["a", "p"]
    assert isinstance(command, Together)
    assert command.commands[-1] == taught  # what it is called after in the menu


def test_while_digits_are_left_and_for_anything_else_the_command_stays_as_it_is() -> None:
    add = AddCategory(CategoryId("x"), "X")
    assert with_keys(made("cat"), add) is add
    chosen = AddCategory(CategoryId("x"), "X", "q")
    assert with_keys(made(*TEN), chosen) is chosen
    rename = RenameCategory(CategoryId(TEN[0]), "Zoo")
    assert with_keys(made(*TEN), rename) is rename


def test_who_was_given_no_key_keeps_none() -> None:
    document = SetShortcut(CategoryId("Apple"), "").apply(made(*TEN, "Apple"))
    assert keys(with_keys(document, AddCategory(CategoryId("Ape"), "Ape")).apply(document))[10:] == ["", "a"]


def test_a_new_name_brings_a_new_letter_until_there_are_pictures() -> None:
    document = made(*TEN, "Category 11")

    def renamed(before: Document) -> list[str]:
        category = before.category(CategoryId("Category 11"))
        return keys(rename_with_key(before, category, "Zebra").apply(before))[10:]

    name = CategoryId("Category 11")
    assert keys(document)[10:] == ["c"]
    assert renamed(document) == ["z"]
    taught = AddExamples(name, (Example(PictureId("a"), "a"),)).apply(document)
    assert renamed(taught) == ["c"]
    assert renamed(LabelPictures((PictureId("a"),), name).apply(document)) == ["c"]
    assert renamed(SetShortcut(name, "").apply(document)) == [""]


def test_a_digit_stays_whatever_the_name() -> None:
    document = made("cat")
    category = document.categories[0]
    assert rename_with_key(document, category, "Zoo") == RenameCategory(category.id, "Zoo")


def test_where_all_are_taken_there_is_none() -> None:
    names = [f"{number}" for number in range(34)]
    document = made(*names)
    assert len(set(keys(document))) == 34
    full = with_keys(document, AddCategory(CategoryId("Zoo"), "Zoo")).apply(document)
    last = full.categories[-1]
    assert (last.shortcut, free_key(full, last), free_letter(full, last)) == ("", "", "")


@given(st.lists(st.text("abzéRN1 猫ß", min_size=1, max_size=4).filter(str.strip), max_size=40))
def test_keys_never_collide(names: list[str]) -> None:
    document = Document()
    commands: list[Command] = []
    for number, name in enumerate(names):
        commands.append(AddCategory(CategoryId(str(number)), f"{name} {number}"))
    document = with_keys(document, Together(tuple(commands))).apply(document)
    given_keys = [key for key in keys(document) if key]
    assert len(set(given_keys)) == len(given_keys)
    assert not PROGRAM_LETTERS & set(given_keys)
    assert all(
        category_of(document, key) == each.id for each in document.categories if (key := each.shortcut)
    )
