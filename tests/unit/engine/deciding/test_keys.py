"""Keys of categories: digits, letters, and never one of the program's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.engine.commands import AddCategory, SetShortcut, Together
from fewshot_gui.engine.deciding.keys import assign_keys, category_of, collisions, free_key
from fewshot_gui.engine.state import CategoryId, Document


def made(*names: str) -> Document:
    return Together(tuple(AddCategory(CategoryId(name), name) for name in names)).apply(Document())


def assigned(document: Document, reserved: str) -> list[str]:
    command = assign_keys(document, reserved)
    after = document if command is None else command.apply(document)
    return [category.shortcut for category in after.categories]


TEN = [f"number {number}" for number in range(10)]


def test_a_key_means_its_category_whatever_the_case() -> None:
    document = SetShortcut(CategoryId("cat"), "q").apply(made("cat", "dog"))
    assert category_of(document, "Q") == "cat"
    assert category_of(document, "2") == "dog"
    assert category_of(document, "1") is None
    assert category_of(SetShortcut(CategoryId("cat"), "").apply(document), "") is None


def test_behind_the_digits_come_the_letters_of_the_name() -> None:
    assert assigned(made(*TEN, "Apple", "Ape", "Élan"), "")[10:] == ["a", "p", "é"]


def test_letters_of_the_program_are_passed_over() -> None:
    assert assigned(made(*TEN, "Élan", "Zoo"), "éZ")[10:] == ["e", "o"]


def test_a_name_without_letters_gets_one_of_the_alphabet() -> None:
    assert assigned(made(*TEN, "2024"), "a")[10:] == ["b"]


def test_a_key_that_the_program_needs_is_given_up_and_the_others_stay() -> None:
    document = SetShortcut(CategoryId("dog"), "x").apply(made("cat", "dog"))
    assert collisions(document, "X") == ("dog",)
    assert assigned(document, "X") == ["1", "2"]
    assert assign_keys(made("cat", "dog"), "x") is None


def test_where_all_are_taken_there_is_none() -> None:
    document = made("cat")
    everything = "0123456789abcdefghijklmnopqrstuvwxyz"
    assert free_key(document, document.categories[0], everything) == ""
    assert assigned(document, everything) == [""]


@given(
    st.lists(st.text("abzé1 ", min_size=1, max_size=4).filter(str.strip), max_size=25),
    st.text("123abcxyzÉ", max_size=8),
)
def test_keys_never_collide(names: list[str], reserved: str) -> None:
    unique = [f"{name} {number}" for number, name in enumerate(names)]
    document = made(*unique)
    command = assign_keys(document, reserved)
    after = document if command is None else command.apply(document)
    keys = [category.shortcut for category in after.categories if category.shortcut]
    assert len(set(keys)) == len(keys)
    assert not set(keys) & set(reserved.lower())
    assert collisions(after, reserved) == ()
    assert assign_keys(after, reserved) is None
