"""The map: what lies where, what follows, and what a click or a frame chooses."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest

from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine.commands import AddCategory, AddExamples, RemoveCategory, new_category_id
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.scores import NONE_OF_THESE, RawScores, Scores, unknown, with_rows
from fewshot_gui.engine.state import Example
from fewshot_gui.gui.map import dialog as dialog_module
from fewshot_gui.gui.map.dialog import MapDialog
from fewshot_gui.gui.map.view import MOST_PICTURES

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import CategoryId
    from fewshot_gui.gui.theme import Appearance


class Job:
    def cancel(self) -> None:
        pass


class Shelf:
    """A library that gives a thumbnail at once."""

    def thumbnail(self, _file: PictureFile, side: int, then: Any, _failed: Any) -> Job:
        then(np.full((side, side, 3), 90, np.uint8))
        return Job()


class Folder:
    def __init__(self) -> None:
        self.listed: Event[[]] = Event()
        self.cleared: Event[[]] = Event()
        self.files: list[PictureFile] = []

    @property
    def count(self) -> int:
        return len(self.files)

    def row_of(self, path: str) -> int | None:
        return next((row for row, file in enumerate(self.files) if file.path == path), None)


def scores_of(classes: tuple[CategoryId, ...], chances: np.ndarray) -> Scores:
    count = len(chances)
    raw = RawScores(
        chances.astype(np.float32), 1 - chances.astype(np.float32), np.zeros(count, np.float32),
        np.zeros((count, 1), np.int32), np.zeros((count, 1), np.float32),
    )  # fmt: skip
    return with_rows(unknown(count, classes, ("0" * 64,), version=1), np.arange(count), raw)


def teach(session: Session, *names: str) -> tuple[CategoryId, ...]:
    made = []
    for name in names:
        category = new_category_id()
        session.do(AddCategory(category, name))
        session.do(AddExamples(category, (Example(name.encode().hex().rjust(64, "0"), "drop"),)))
        made.append(category)
    return tuple(made)


@pytest.fixture
def space(session: Session) -> Any:
    updated: Event[[Scores]] = Event()
    predictor = SimpleNamespace(scores=None, updated=updated)
    return SimpleNamespace(session=session, predictor=predictor, gallery=Folder(), library=Shelf())


@pytest.fixture
def dialog(space: Any, appearance: Appearance, qtbot: QtBot) -> MapDialog:
    result = MapDialog(space, appearance)
    qtbot.addWidget(result)
    result.show()
    return result


def say(space: Any, classes: tuple[CategoryId, ...], chances: Any) -> Scores:
    """Let so many pictures be there, and this be said of them."""
    said = np.asarray(chances, float)
    space.gallery.files = [PictureFile(f"/a/{row}.jpg", 1, row) for row in range(len(said))]
    space.predictor.scores = scores_of(classes, said)
    return space.predictor.scores


def settle(dialog: MapDialog, qtbot: QtBot) -> None:
    """Show what is said now, and wait until all have come to rest."""
    dialog.refresh()
    qtbot.waitUntil(lambda: dialog.view._glide.state() == dialog.view._glide.State.Stopped, timeout=5000)


def test_without_two_categories_or_pictures_it_says_what_to_do(space: Any, dialog: MapDialog) -> None:
    assert dialog.pages.currentWidget() is dialog.empty
    assert "Teach two categories" in dialog.empty.text.text()
    teach(space.session, "Hats", "Shoes")
    dialog.refresh()
    assert "Open a folder" in dialog.empty.text.text()


def test_a_sure_picture_lies_at_its_category_and_a_doubtful_one_between(
    space: Any, dialog: MapDialog, qtbot: QtBot
) -> None:
    classes = teach(space.session, "Hats", "Shoes")
    say(space, classes, [[0.999, 0.001], [0.5, 0.5], [0.001, 0.999]])
    settle(dialog, qtbot)
    assert dialog.pages.currentWidget() is dialog.view
    left, middle, right = (dialog.view.place_of(index).x() for index in range(3))
    assert left < middle < right
    assert abs(middle - dialog.view.width() / 2) < 60
    assert [each.name for each in dialog.view.content.categories] == ["Hats", "Shoes"]
    assert dialog.view.content.labels.tolist()[::2] == [0, 1]


def test_it_follows_what_is_said_and_pictures_glide(space: Any, dialog: MapDialog, qtbot: QtBot) -> None:
    classes = teach(space.session, "Hats", "Shoes")
    say(space, classes, [[0.99, 0.01]])
    settle(dialog, qtbot)
    before = dialog.view.place_of(0).x()
    say(space, classes, [[0.01, 0.99]])
    space.predictor.updated.emit(space.predictor.scores)
    qtbot.waitUntil(lambda: dialog.view.place_of(0).x() > before + 1, timeout=5000)
    settle(dialog, qtbot)
    assert dialog.view.place_of(0).x() > dialog.view.width() / 2


def test_what_a_person_said_colours_a_picture_and_none_of_these_has_no_colour(
    space: Any, dialog: MapDialog
) -> None:
    classes = teach(space.session, "Hats", "Shoes")
    scores = say(space, classes, [[0.9, 0.1]] * 3)
    space.predictor.scores = replace(
        scores, taught=np.array([-1, 1, NONE_OF_THESE], np.int32), said=np.array([0, 1, 4], np.int8)
    )
    dialog.refresh()
    assert dialog.view.content.labels.tolist() == [0, 1, -1]
    assert dialog.view.content.taught.tolist() == [False, True, False]


def test_a_click_shows_a_picture_and_a_frame_chooses_some(
    space: Any, dialog: MapDialog, qtbot: QtBot
) -> None:
    classes = teach(space.session, "Hats", "Shoes")
    say(space, classes, [[0.99, 0.01], [0.98, 0.02], [0.01, 0.99]])
    settle(dialog, qtbot)
    view, shown, chosen = dialog.view, [], []
    dialog.pictureChosen.connect(shown.append)
    dialog.rowsChosen.connect(lambda rows: chosen.append(rows.tolist()))
    at = view.place_of(2).toPoint()
    QTest.mouseMove(view, at)
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=at)
    assert shown == ["/a/2.jpg"]
    assert dialog.words.text().startswith("2.jpg: Shoes 99 %")
    middle = view.width() // 2
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(2, 2))
    QTest.mouseMove(view, QPoint(middle - 20, view.height() - 30))
    QTest.mouseMove(view, QPoint(middle - 5, view.height() - 2))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(middle - 5, view.height() - 2))
    assert chosen == [[0, 1]]


@pytest.mark.parametrize(
    ("chosen", "words"), [(2, "2 chosen in the window"), (1, "1 chosen"), (0, "These 7 lie too far apart")]
)
def test_it_says_how_many_are_chosen(dialog: MapDialog, chosen: int, words: str) -> None:
    dialog.say_chosen(chosen, 7)
    assert dialog.words.text().startswith(words)


def test_a_category_that_was_just_removed_is_not_named(space: Any, dialog: MapDialog, qtbot: QtBot) -> None:
    """Before, pointing at a picture then failed until the new scores were there."""
    classes = teach(space.session, "Hats", "Shoes")
    say(space, classes, [[0.6, 0.4]])
    settle(dialog, qtbot)
    space.session.do(RemoveCategory(classes[0]))
    dialog.view.pointed.emit(0)
    assert dialog.words.text() == "0.jpg: Shoes 40 %"


def test_the_keys_lead_from_picture_to_picture_and_choose(
    space: Any, dialog: MapDialog, qtbot: QtBot
) -> None:
    classes = teach(space.session, "Hats", "Shoes")
    say(space, classes, [[0.99, 0.01], [0.5, 0.5], [0.01, 0.99]])
    settle(dialog, qtbot)
    view, shown, chosen = dialog.view, [], []
    dialog.pictureChosen.connect(shown.append)
    dialog.rowsChosen.connect(lambda rows: chosen.append(rows.tolist()))
    view.setFocus(Qt.FocusReason.TabFocusReason)
    assert dialog.words.text().startswith("1.jpg")  # the middle
    for key, name in (
        (Qt.Key.Key_Right, "2.jpg"),
        (Qt.Key.Key_Right, "2.jpg"),  # there is none beyond
        (Qt.Key.Key_Left, "1.jpg"),
        (Qt.Key.Key_Left, "0.jpg"),
    ):
        QTest.keyClick(view, key)
        assert dialog.words.text().startswith(name)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert shown == ["/a/0.jpg"]
    QTest.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert chosen == [[0, 1, 2]]
    assert dialog.isVisible()


def test_what_the_keys_point_at_stays_when_more_is_taught(
    space: Any, dialog: MapDialog, qtbot: QtBot
) -> None:
    classes = teach(space.session, "Hats", "Shoes")
    say(space, classes, [[0.99, 0.01], [0.5, 0.5]])
    settle(dialog, qtbot)
    dialog.view.setFocus(Qt.FocusReason.TabFocusReason)
    say(space, classes, [[0.99, 0.01], [0.1, 0.9]])
    settle(dialog, qtbot)
    assert dialog.words.text().startswith("1.jpg: Shoes 90 %")
    QTest.keyClick(dialog.view, Qt.Key.Key_Left)
    assert dialog.words.text().startswith("0.jpg")


def test_what_is_pointed_at_is_told_to_who_does_not_see_it(
    space: Any, dialog: MapDialog, qtbot: QtBot
) -> None:
    classes = teach(space.session, "Hats", "Shoes")
    say(space, classes, [[0.9, 0.1]])
    settle(dialog, qtbot)
    assert dialog.view.accessibleDescription().startswith("Click on a picture")
    dialog.view.setFocus(Qt.FocusReason.TabFocusReason)
    assert dialog.view.accessibleDescription() == "0.jpg: Hats 90 %, Shoes 10 %"
    dialog.say_chosen(1, 1)
    assert dialog.view.accessibleDescription().startswith("1 chosen")


def test_a_closed_map_rests_and_has_followed_when_it_is_opened_again(space: Any, dialog: MapDialog) -> None:
    dialog.accept()
    classes = teach(space.session, "Hats", "Shoes")
    say(space, classes, [[0.9, 0.1]])
    dialog.refresh()
    assert dialog.view.content.files == ()
    dialog.show()
    assert len(dialog.view.content.files) == 1
    assert dialog.pages.currentWidget() is dialog.view


def test_keys_on_an_empty_map_do_nothing(space: Any, dialog: MapDialog) -> None:
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Return, Qt.Key.Key_Space):
        QTest.keyClick(dialog.view, key)
    assert dialog.view.over == -1


def test_an_empty_frame_chooses_nothing(space: Any, dialog: MapDialog, qtbot: QtBot) -> None:
    classes = teach(space.session, "Hats", "Shoes")
    say(space, classes, [[0.99, 0.01]])
    settle(dialog, qtbot)
    view, chosen = dialog.view, []
    dialog.rowsChosen.connect(chosen.append)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(2, 2))
    QTest.mouseMove(view, QPoint(9, 30))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(9, 30))
    assert not chosen


@pytest.mark.parametrize("count", [MOST_PICTURES, MOST_PICTURES + 1, dialog_module.MOST_ROWS + 100])
def test_many_pictures_are_dots_and_too_many_a_share_of_them(
    space: Any, dialog: MapDialog, qtbot: QtBot, count: int
) -> None:
    classes = teach(space.session, "Hats", "Shoes", "Bags")
    say(space, classes, np.random.default_rng(0).dirichlet(np.ones(3), count))
    settle(dialog, qtbot)
    assert dialog.view.as_pictures == (count <= MOST_PICTURES)
    assert len(dialog.view.content.files) == min(count, dialog_module.MOST_ROWS)
    assert ("spread over all" in dialog.note.text()) == (count > dialog_module.MOST_ROWS)
    assert not dialog.grab().toImage().isNull()


def test_a_category_that_goes_leaves_the_map(space: Any, dialog: MapDialog, qtbot: QtBot) -> None:
    classes = teach(space.session, "Hats", "Shoes", "Bags")
    say(space, classes, [[0.2, 0.3, 0.5]])
    settle(dialog, qtbot)
    space.session.do(RemoveCategory(classes[2]))
    space.predictor.scores = scores_of(classes[:2], np.array([[0.4, 0.6]]))
    dialog.refresh()
    assert [each.name for each in dialog.view.content.categories] == ["Hats", "Shoes"]
    space.gallery.files, space.predictor.scores = [], None
    dialog.refresh()
    assert dialog.pages.currentWidget() is dialog.empty
    assert dialog.view.content.files == ()


def test_scores_that_are_late_are_not_shown(space: Any, dialog: MapDialog) -> None:
    """A category was removed and the predictor has not said anything since."""
    classes = teach(space.session, "Hats", "Shoes", "Bags")
    say(space, classes, [[0.2, 0.3, 0.5]])
    space.session.do(RemoveCategory(classes[0]))
    dialog.refresh()
    assert dialog.view.content.categories == ()


def test_what_is_framed_is_chosen_in_the_window_whatever_filter_hides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before, a filter that hid none of the first two hundred stayed, and the others were not chosen."""
    revealed: list[tuple[Any, list[int]]] = []

    def reveal(folder: Any, rows: Any) -> int:
        revealed.append((folder, rows.tolist()))
        return len(rows)

    monkeypatch.setattr(dialog_module, "reveal_rows", reveal)
    asked: list[str] = []
    window: Any = SimpleNamespace(
        show_source=asked.append,
        query=SimpleNamespace(folder="the folder"),
        activateWindow=lambda: asked.append("active"),
    )
    assert dialog_module.choose_rows(window, np.array([3, 400])) == 2
    assert revealed == [("the folder", [3, 400])]
    assert asked == ["folder", "active"]


def test_it_follows_while_results_keep_coming(space: Any, dialog: MapDialog, qtbot: QtBot) -> None:
    """While pictures were embedded it stood still: each batch began its waiting anew."""
    classes = teach(space.session, "Hats", "Shoes")
    more = QTimer(dialog, interval=20)
    more.timeout.connect(lambda: space.predictor.updated.emit(say(space, classes, [[0.9, 0.1]] * 3)))
    more.start()
    qtbot.waitUntil(lambda: len(dialog.view.content.files) == 3, timeout=5000)
    assert more.isActive()
    more.stop()


def test_of_a_folder_that_is_left_nothing_can_be_chosen(space: Any, dialog: MapDialog, qtbot: QtBot) -> None:
    """Its places were those of other pictures by then, and a key would have labelled those."""
    classes = teach(space.session, "Hats", "Shoes")
    say(space, classes, [[0.99, 0.01], [0.01, 0.99]])
    settle(dialog, qtbot)
    chosen: list[Any] = []
    dialog.rowsChosen.connect(lambda rows: chosen.append(rows.tolist()))
    files = space.gallery.files
    space.gallery.files = [PictureFile("/other/new.jpg", 1, 1), *reversed(files)]
    dialog._choose(np.array([0, 1]))
    assert chosen == [[2, 1]], "by name"
    space.gallery.files = []
    space.gallery.cleared.emit()
    assert not dialog.view.content.files
    QTest.keyClick(dialog.view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(chosen) == 1
