"""What the panel asks of the session and the intake, without a panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.commands import AddCategory, AddExamples, RemoveCategory, RenameCategory
from fewshot_gui.engine.state import CategoryId, Example
from fewshot_gui.gui.mime import DraggedPicture, Dropped
from fewshot_gui.gui.support.teaching import Teaching

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.engine.session import Session

pytestmark = pytest.mark.usefixtures("qapp")

A, B = CategoryId("a"), CategoryId("b")
ONE, TWO, NEW = (PictureId(f"{number:032x}") for number in (1, 2, 3))


class Intake:
    """Writes down what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def add_files(self, paths: list[str], category: CategoryId | None) -> None:
        self.asked.append((paths, category))

    def add_pixels(
        self, pixels: np.ndarray, category: CategoryId | None, origin: str, *, name: Callable[[], str] = str
    ) -> None:
        self.asked.append((pixels.shape, category or name(), origin))

    def teach_all(self, pictures: list[tuple[Any, Any]], category: CategoryId) -> None:
        self.asked.append(([(file.path, known) for file, known in pictures], category))


class Heard:
    """What a teaching has said."""

    def __init__(self, teaching: Teaching) -> None:
        self.refused: list[str] = []
        self.removed: list[str] = []
        teaching.refused.connect(self.refused.append)
        teaching.removed.connect(self.removed.append)


@pytest.fixture
def intake() -> Intake:
    return Intake()


@pytest.fixture
def teaching(session: Session, intake: Intake) -> Teaching:
    """A session with Alpha (two examples) and Beta (none)."""
    session.do(AddCategory(A, "Alpha"))
    session.do(AddCategory(B, "Beta"))
    session.do(AddExamples(A, (Example(ONE, "/p/1.jpg"), Example(TWO, "camera"))))
    return Teaching(session, intake)  # type: ignore[arg-type]


@pytest.fixture
def heard(teaching: Teaching) -> Heard:
    return Heard(teaching)


def test_what_is_possible_is_done_silently(teaching: Teaching, heard: Heard) -> None:
    assert teaching.ask(RenameCategory(A, "Gamma"))
    assert teaching.document.category(A).name == "Gamma"
    assert heard.refused == []


def test_what_is_refused_is_said_in_words(teaching: Teaching, heard: Heard) -> None:
    before = teaching.document
    assert not teaching.ask(RenameCategory(A, "beta"))
    assert teaching.document is before
    assert heard.refused == ["“beta” exists already. Choose another name."]
    assert not teaching.ask(RemoveCategory(CategoryId("gone")))
    assert "removed in the meantime" in heard.refused[-1]


def test_a_name_with_braces_is_said_as_it_is(teaching: Teaching, heard: Heard) -> None:
    assert teaching.rename(A, "{subject}") == ""
    assert "“{subject}”" in teaching.rename(B, "{subject}")


def test_renaming_to_the_same_name_is_no_step(teaching: Teaching, session: Session) -> None:
    before = session.undo_command
    assert teaching.rename(A, "Alpha") == ""
    assert teaching.rename(CategoryId("gone"), "Any") == ""
    assert session.undo_command == before


def test_new_categories_get_free_names(teaching: Teaching) -> None:
    first = teaching.add_category()
    second = teaching.add_category()
    teaching.ask(RemoveCategory(first))
    third = teaching.add_category()
    names = [teaching.document.category(each).name for each in (second, third)]
    assert names == ["Category 2", "Category 1"]


def test_the_eleventh_category_gets_a_letter_of_the_name_that_it_is_given(
    teaching: Teaching, session: Session
) -> None:
    for _ in range(8):
        teaching.add_category()
    new = teaching.add_category()
    assert teaching.document.category(new).shortcut == "c"
    assert teaching.rename(new, "Zebra") == ""
    assert teaching.document.category(new).shortcut == "z"
    session.undo()
    assert (teaching.document.category(new).name, teaching.document.category(new).shortcut) == (
        "Category 9", "c"
    )  # fmt: skip
    session.undo()
    assert new not in teaching.document


def test_moving_stops_at_the_ends(teaching: Teaching) -> None:
    def order() -> list[CategoryId]:
        return [category.id for category in teaching.document.categories]

    teaching.move_by(A, -1)
    assert order() == [A, B]
    teaching.move_by(A, 1)
    assert order() == [B, A]
    teaching.move_by(A, 1)
    assert order() == [B, A]


@pytest.mark.parametrize(
    ("key", "keys"), [("2", ["2", "1"]), ("7", ["7", "2"]), ("", ["", "2"]), ("1", ["1", "2"])]
)
def test_a_key_is_given_and_a_taken_one_swapped(teaching: Teaching, key: str, keys: list[str]) -> None:
    teaching.give_key(A, key)
    assert [category.shortcut for category in teaching.document.categories] == keys


def test_removing_is_said_with_what_is_gone(teaching: Teaching, heard: Heard) -> None:
    teaching.remove_category(A)
    assert heard.removed == ["Removed “Alpha” (2 examples)."]
    teaching.undo()
    assert A in teaching.document


def test_an_empty_category_is_removed_without_a_count(teaching: Teaching, heard: Heard) -> None:
    teaching.remove_category(teaching.add_category())
    assert heard.removed == ["Removed “Category 1”."]


def test_only_several_examples_are_worth_a_message(teaching: Teaching, heard: Heard) -> None:
    teaching.remove_examples([ONE])
    assert heard.removed == []
    teaching.undo()
    teaching.remove_examples([ONE, TWO])
    assert heard.removed == ["Removed 2 examples."]


def test_our_examples_are_moved_and_others_taught(teaching: Teaching, intake: Intake) -> None:
    dropped = Dropped(
        pictures=(
            DraggedPicture("", TWO),
            DraggedPicture("/g/3.jpg", NEW, 3),
            DraggedPicture("/g/4.jpg", None, 4),
        )
    )
    teaching.receive(dropped, B, "web")
    assert teaching.document.owner(TWO) == B
    # What an example came from travels with it.
    assert teaching.document.category(B).examples == (Example(TWO, "camera"),)
    assert intake.asked == [([("/g/3.jpg", NEW), ("/g/4.jpg", None)], B)]


def test_files_keep_their_target(teaching: Teaching, intake: Intake) -> None:
    teaching.receive(Dropped(files=("/p/x.jpg",)), B, "web")
    teaching.receive(Dropped(files=("/p/folder",)), None, "web")
    assert intake.asked == [(["/p/x.jpg"], B), (["/p/folder"], None)]
    assert len(teaching.document.categories) == 2


def test_pixels_without_a_target_make_a_category(teaching: Teaching, intake: Intake) -> None:
    teaching.receive(Dropped(image=np.zeros((4, 6, 3), np.uint8)), None, "clipboard")
    assert intake.asked == [((4, 6, 3), "Category 1", "clipboard")]


def test_links_are_explained_and_nothing_is_fetched(teaching: Teaching, intake: Intake, heard: Heard) -> None:
    teaching.receive(Dropped(links=("https://example.org/a.jpg",)), A, "web")
    assert intake.asked == []
    assert len(heard.refused) == 1


def test_a_drop_without_a_picture_is_not_passed_over_in_silence(
    teaching: Teaching, intake: Intake, heard: Heard
) -> None:
    teaching.receive(Dropped(), A, "web")
    assert intake.asked == []
    assert heard.refused == ["There is no picture in what was dropped."]


def test_what_is_asked_of_a_category_that_is_gone_is_passed_over(
    teaching: Teaching, session: Session, heard: Heard
) -> None:
    gone = teaching.add_category()
    session.undo()
    before = session.document
    teaching.remove_category(gone)
    teaching.move_by(gone, 1)
    teaching.give_key(gone, "7")
    assert teaching.rename(gone, "new") == ""
    assert session.document is before
