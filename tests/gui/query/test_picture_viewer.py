"""The large view: the picture, its answer, the keys; a late picture or suggestion is never another's."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from fewshot_gui.engine.commands import AcceptLabels, RemoveCategory, SetShortcut
from fewshot_gui.gui.query.answer_keys import Answer
from fewshot_gui.gui.query.gallery_model import Arrangement, GalleryModel
from fewshot_gui.gui.query.large_answer import MOST, LargeAnswer, LargeBar
from fewshot_gui.gui.query.picture_viewer import PictureViewer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import SimpleNamespace

    from pytestqt.qtbot import QtBot

    from fewshot_gui.engine.deciding.answers import Shown
    from fewshot_gui.gui.theme import Appearance

Key = Qt.Key
ROWS = [[0.6, 0.4], [0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.5, 0.5]]


class Desk:
    """A viewer over five pictures, with what it says written down."""

    def __init__(self, viewer: PictureViewer, world: SimpleNamespace) -> None:
        self.viewer, self.world = viewer, world
        self.answers: list[tuple[Shown, Answer | str]] = []
        self.places: list[int] = []
        viewer.answered.connect(lambda shown, answer: self.answers.append((shown, answer)))
        viewer.moved.connect(self.places.append)

    def press(self, *keys: Qt.Key) -> None:
        for key in keys:
            QTest.keyClick(self.viewer, key)

    def send(self, name: str, colour: int) -> None:
        """Let the picture of this name arrive, in one grey."""
        for path, then, _failed in self.world.library.large:
            if path.endswith(name):
                then(np.full((60, 60, 3), colour, np.uint8))

    def asked(self) -> list[str]:
        return [path.rpartition("/")[2] for path, _, _ in self.world.library.large]

    def grey(self) -> int:
        image = self.viewer.canvas.grab().toImage()
        return image.pixelColor(image.width() // 2, image.height() // 2).red()


@pytest.fixture
def desk(qtbot: QtBot, world: SimpleNamespace, appearance: Appearance) -> Iterator[Desk]:
    world.gallery.show("/a", 5)
    world.predictor.say(world.scores(ROWS, rejected=[4]))
    model = GalleryModel(world.session, world.gallery, world.predictor)
    page = QWidget()
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    viewer = PictureViewer(model, world.library, 1, page, session=world.session, appearance=appearance)
    viewer.open()
    QApplication.processEvents()
    yield Desk(viewer, world)
    viewer.close()
    model.deleteLater()


def test_it_fills_the_window_and_says_what_the_picture_is(desk: Desk) -> None:
    viewer = desk.viewer
    page, keys = viewer.parentWidget(), viewer.findChild(QLabel, "largeHelp")
    assert page is not None
    assert keys is not None
    assert viewer.size() == page.size()
    assert viewer.answer.sentence == "img1.jpg: Pen, 90 %"
    assert [(bar.name, bar.key, round(bar.probability, 2)) for bar in viewer.answer.bars] == [
        ("Pen", "2", 0.9),
        ("Mug", "1", 0.1),
    ]
    assert keys.text().startswith("Enter: accept")


def test_the_neighbours_are_there_before_they_are_asked_for(desk: Desk) -> None:
    assert desk.asked() == ["img1.jpg", "img2.jpg", "img0.jpg", "img3.jpg"]
    desk.send("img2.jpg", 90)
    assert not desk.viewer.canvas.has_picture
    desk.press(Key.Key_Right)
    assert desk.grey() == 90  # at once: nothing was waited for
    assert desk.asked().count("img2.jpg") == 1


def test_a_late_picture_is_not_shown_as_another(desk: Desk) -> None:
    desk.press(Key.Key_Right, Key.Key_Right)
    desk.send("img1.jpg", 200)
    assert not desk.viewer.canvas.has_picture
    desk.send("img3.jpg", 120)
    assert desk.grey() == 120


def test_what_nobody_wants_any_more_is_dropped(desk: Desk) -> None:
    desk.press(Key.Key_End)
    assert desk.viewer.position == 4
    assert set(desk.viewer._pictures._jobs) == {desk.world.gallery.files[3], desk.world.gallery.files[4]}


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        (Key.Key_Return, Answer.ACCEPT),
        (Key.Key_Enter, Answer.ACCEPT),
        (Key.Key_N, Answer.NONE_OF_THESE),
        (Key.Key_2, "2"),
    ],
)
def test_a_key_answers_the_picture_and_goes_on(desk: Desk, key: Qt.Key, answer: Answer | str) -> None:
    desk.press(key)
    ((shown, said),) = desk.answers
    assert (shown.row, said) == (1, answer)
    assert desk.places[-1] == 2


@pytest.mark.parametrize("key", [Key.Key_Return, Key.Key_2, Key.Key_N])
def test_a_key_that_is_held_down_answers_once(desk: Desk, key: Qt.Key) -> None:
    """Before, it answered for pictures that nobody had looked at."""
    desk.press(key)
    for _ in range(3):
        text = chr(key) if key < 0x80 else "\r"
        again = QKeyEvent(
            QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier, text, autorep=True, count=1
        )
        QApplication.sendEvent(desk.viewer, again)
    assert len(desk.answers) == 1
    assert desk.viewer.position == 2


def test_withdrawing_stays_at_the_picture(desk: Desk) -> None:
    desk.press(Key.Key_Backspace)
    assert desk.answers[0][1] is Answer.WITHDRAW
    assert desk.viewer.position == 1


def test_accepting_a_line_means_nothing_here(desk: Desk) -> None:
    desk.press(Key.Key_R)
    assert not desk.answers
    assert desk.viewer.position == 1


def test_no_key_is_dropped_and_none_is_about_another_picture(desk: Desk) -> None:
    """Faster than anything is painted: each answer is about the picture of its moment."""
    desk.press(Key.Key_Home, Key.Key_Return, Key.Key_Return, Key.Key_1, Key.Key_N)
    ids = desk.world.gallery.ids
    assert [shown.picture for shown, _ in desk.answers] == ids[:4]
    mug, pen = desk.world.ids
    assert [shown.category for shown, _ in desk.answers[:2]] == [mug, pen]


def test_an_answer_is_about_the_suggestion_that_was_painted(desk: Desk) -> None:
    desk.viewer.answer.grab()
    pen = desk.world.ids[1]
    desk.world.predictor.say(desk.world.scores([[0.6, 0.4], [0.9, 0.1], *ROWS[2:]], version=2))
    desk.press(Key.Key_Return)
    assert desk.answers[0][0].category == pen


def test_a_picture_of_which_nothing_is_known_waits(desk: Desk) -> None:
    desk.world.gallery.ids[1] = None
    desk.viewer.show_position(1)
    desk.press(Key.Key_Return)
    assert not desk.answers
    assert desk.viewer.position == 1


def test_where_there_is_nothing_to_accept_enter_stays(desk: Desk) -> None:
    """Before, it went on, and the picture was not answered."""
    desk.world.predictor.say(desk.world.scores(ROWS, unseen=[1], version=2))
    desk.viewer.answer.grab()
    desk.press(Key.Key_Return)
    assert not desk.answers
    assert desk.viewer.position == 1
    desk.press(Key.Key_N)
    assert [said for _, said in desk.answers] == [Answer.NONE_OF_THESE], "a word of the person is an answer"
    assert desk.viewer.position == 2


def test_a_category_that_is_gone_is_not_accepted(desk: Desk) -> None:
    desk.viewer.answer.grab()
    desk.world.session.do(RemoveCategory(desk.world.ids[1]))
    desk.press(Key.Key_Return)
    assert not desk.answers
    assert desk.viewer.position == 1


def test_the_keys_are_those_of_the_categories_after_undo(desk: Desk) -> None:
    session, control = desk.world.session, Qt.KeyboardModifier.ControlModifier
    session.do(SetShortcut(desk.world.ids[1], "x"))
    session.undo()
    QTest.keyClick(desk.viewer, Key.Key_Z, control | Qt.KeyboardModifier.ShiftModifier)
    desk.press(Key.Key_X)
    assert [said for _, said in desk.answers] == ["x"]


def test_what_is_said_of_the_picture_is_said_of_the_window(desk: Desk) -> None:
    """It has the focus: a screen reader spoke of "Picture" and nothing else."""
    assert desk.viewer.accessibleName() == "img1.jpg: Pen, 90 %"
    desk.press(Key.Key_Right)
    assert desk.viewer.accessibleName().startswith("img2.jpg")
    assert desk.viewer.accessibleDescription().startswith("Mug")


def test_it_follows_what_is_said(desk: Desk) -> None:
    desk.world.predictor.say(desk.world.scores([ROWS[0], [0.7, 0.3], *ROWS[2:]], version=2))
    assert desk.viewer.answer.sentence == "img1.jpg: Mug, 70 %"


def test_undo_is_within_reach(desk: Desk) -> None:
    session = desk.world.session
    session.do(AcceptLabels((desk.world.gallery.ids[0],), None))
    QTest.keyClick(desk.viewer, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not session.document.labels
    redo = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(desk.viewer, Key.Key_Z, redo)
    assert session.document.labels


def test_another_order_of_the_gallery_does_not_change_the_picture(desk: Desk) -> None:
    model = desk.viewer._model
    model.arrange(Arrangement("name", descending=True))
    assert desk.viewer.position == 3
    assert desk.viewer.file == desk.world.gallery.files[1]
    assert desk.viewer.isVisible()


def test_a_picture_that_is_filtered_away_or_gone_closes_it(desk: Desk) -> None:
    desk.world.gallery.show("/b", 5)
    assert not desk.viewer.isVisible()


def test_a_broken_picture_is_told_kindly(desk: Desk) -> None:
    error = RuntimeError("cut")
    error.kind = "truncated"  # type: ignore[attr-defined]
    desk.world.library.large[0][2](error)
    assert desk.viewer.canvas._words == "File is cut short"
    assert not desk.viewer.canvas.has_picture


def test_keys_zoom_and_move_and_ask_for_every_pixel(desk: Desk) -> None:
    desk.send("img1.jpg", 90)
    canvas = desk.viewer.canvas
    QTest.keyClick(desk.viewer, Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    desk.press(Key.Key_Plus)
    assert canvas.scale == pytest.approx(1.25)
    assert desk.asked().count("img1.jpg") == 2
    desk.press(Key.Key_Plus)
    assert desk.asked().count("img1.jpg") == 2  # once is enough
    desk.world.library.large[-1][1](np.full((240, 240, 3), 33, np.uint8))
    assert desk.grey() == 33
    desk.press(Key.Key_Minus)
    QTest.keyClick(desk.viewer, Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert desk.viewer.position == 1
    QTest.keyClick(desk.viewer, Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert canvas.is_fitted


def test_a_finer_picture_of_a_former_one_is_dropped(desk: Desk) -> None:
    desk.send("img1.jpg", 90)
    desk.viewer.canvas.actual_size()
    late = desk.world.library.large[-1][1]
    desk.send("img2.jpg", 50)
    desk.press(Key.Key_Right)
    desk.viewer.canvas.actual_size()
    late(np.full((240, 240, 3), 200, np.uint8))
    assert desk.grey() == 50


def test_every_pixel_is_fetched_again_after_going_away_and_coming_back(desk: Desk) -> None:
    """What was shown as 100 % was the coarse one."""
    desk.send("img1.jpg", 90)
    desk.viewer.canvas.actual_size()
    desk.world.library.large[-1][1](np.full((240, 240, 3), 33, np.uint8))
    assert desk.grey() == 33
    desk.press(Key.Key_Right)
    desk.press(Key.Key_Left)
    before = desk.asked().count("img1.jpg")
    desk.viewer.canvas.actual_size()
    assert desk.asked().count("img1.jpg") == before + 1
    desk.viewer.canvas.fit()
    desk.world.library.large[-1][1](np.full((240, 240, 3), 34, np.uint8))  # too late: it is fitted again
    desk.viewer.canvas.actual_size()
    assert desk.asked().count("img1.jpg") == before + 2


@pytest.mark.parametrize("key", [Key.Key_Escape, Key.Key_Space])
def test_it_closes_and_takes_nothing_more(desk: Desk, key: Qt.Key) -> None:
    desk.press(key)
    assert not desk.viewer.isVisible()
    desk.send("img1.jpg", 200)
    assert desk.viewer.file is None


def test_bars_are_painted_in_both_looks(qtbot: QtBot, appearance: Appearance) -> None:
    answer = LargeAnswer(appearance)
    qtbot.addWidget(answer)
    answer.resize(900, answer.height())
    answer.show_answer("Mug", [LargeBar(f"Name {n}", n, 0.2) for n in range(MOST)], None)
    light = answer.grab().toImage()
    appearance.choose("dark")
    assert answer.grab().toImage() != light
    assert answer.accessibleDescription().startswith("Name 0 20 %")


def test_a_picture_that_is_written_anew_is_shown_anew(desk: Desk) -> None:
    """Before, a key there answered for a content that nobody had seen."""
    gallery = desk.world.gallery
    gallery.files[1] = dataclasses.replace(gallery.files[1], mtime_ns=99)
    asked = len(desk.asked())
    gallery.listed.emit()
    assert desk.viewer.isVisible()
    assert desk.viewer.file == gallery.files[1]
    assert desk.asked()[asked:] == ["img1.jpg"]


def test_an_answer_that_takes_the_last_picture_out_of_the_filter_closes_it(desk: Desk) -> None:
    """Before, the program fell: there was no picture to go on to."""
    model = desk.viewer._model
    desk.viewer.show_position(0)

    def take_away(_shown: Shown, _answer: Answer | str) -> None:
        desk.world.gallery.show("/b", 0)

    desk.viewer.answered.connect(take_away)
    desk.press(Qt.Key.Key_N)
    assert not desk.viewer.isVisible()
    assert len(model.order) == 0
