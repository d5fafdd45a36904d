from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QApplication

from fewshot_gui.gui.live.canvas import Canvas, smooth_path

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from fewshot_gui.gui.theme import Appearance

CONTROL = Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def canvas(qtbot: QtBot, appearance: Appearance) -> Canvas:
    result = Canvas(appearance)
    qtbot.addWidget(result)
    result.resize(404, 404)
    result.show()
    return result


def draw(qtbot: QtBot, canvas: Canvas, *points: tuple[int, int]) -> None:
    """Draw one stroke with the mouse."""
    qtbot.mousePress(canvas, LEFT, pos=QPoint(*points[0]))
    for point in points[1:]:
        qtbot.mouseMove(canvas, QPoint(*point))
    qtbot.mouseRelease(canvas, LEFT, pos=QPoint(*points[-1]))


def test_a_stroke_is_kept_in_shares_of_the_paper(canvas: Canvas, qtbot: QtBot) -> None:
    with qtbot.waitSignal(canvas.changed):
        draw(qtbot, canvas, (102, 102), (202, 202), (302, 102))
    (stroke,) = canvas.sketch.strokes
    assert [tuple(round(each, 2) for each in point) for point in stroke.points] == [
        (0.25, 0.25), (0.5, 0.5), (0.75, 0.25),
    ]  # fmt: skip


def test_the_paper_is_the_largest_square_and_lies_at_the_top(canvas: Canvas) -> None:
    canvas.resize(604, 304)
    assert canvas.paper() == QRectF(152, 2, 300, 300)
    canvas.resize(304, 604)
    assert canvas.paper() == QRectF(2, 2, 300, 300)


def test_a_drawing_outside_is_held_at_the_edge(canvas: Canvas, qtbot: QtBot) -> None:
    draw(qtbot, canvas, (202, 202), (202, 900))
    assert canvas.sketch.strokes[0].points[-1] == (0.5, 1.0)


def test_a_click_makes_a_dot_that_can_be_seen(canvas: Canvas, qtbot: QtBot) -> None:
    draw(qtbot, canvas, (202, 202))
    assert len(canvas.sketch.strokes[0].points) == 1
    assert canvas.grab().toImage().pixelColor(202, 202).lightness() < 60


def test_the_other_buttons_do_not_draw(canvas: Canvas, qtbot: QtBot) -> None:
    qtbot.mouseClick(canvas, Qt.MouseButton.RightButton, pos=QPoint(100, 100))
    qtbot.mouseMove(canvas, QPoint(200, 200))
    assert canvas.sketch.is_empty


def test_a_trembling_hand_adds_no_points(canvas: Canvas, qtbot: QtBot) -> None:
    draw(qtbot, canvas, (100, 100), (101, 100), (100, 100), (101, 100), (200, 200))
    assert len(canvas.sketch.strokes[0].points) == 2


def test_the_ink_is_there_while_it_is_drawn(canvas: Canvas, qtbot: QtBot) -> None:
    qtbot.mousePress(canvas, LEFT, pos=QPoint(100, 202))
    qtbot.mouseMove(canvas, QPoint(300, 202))
    assert canvas.sketch.is_empty, "not a stroke yet"
    assert canvas.grab().toImage().pixelColor(200, 202).lightness() < 60
    qtbot.mouseRelease(canvas, LEFT, pos=QPoint(300, 202))


def test_undo_and_clear_by_key(canvas: Canvas, qtbot: QtBot) -> None:
    draw(qtbot, canvas, (100, 100), (200, 200))
    draw(qtbot, canvas, (200, 100), (100, 200))
    qtbot.keyClick(canvas, Qt.Key.Key_Z, CONTROL)
    assert len(canvas.sketch.strokes) == 1
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert canvas.sketch.is_empty
    qtbot.keyClick(canvas, Qt.Key.Key_Z, CONTROL)
    assert len(canvas.sketch.strokes) == 1


def test_a_new_sheet_has_no_past(canvas: Canvas, qtbot: QtBot) -> None:
    draw(qtbot, canvas, (100, 100), (200, 200))
    canvas.renew()
    assert canvas.sketch.is_empty
    assert not canvas.sketch.can_undo


def overrides(canvas: Canvas, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> bool:
    """Return whether the canvas keeps the key from the window's shortcuts."""
    event = QKeyEvent(QEvent.Type.ShortcutOverride, key, modifiers)
    event.ignore()
    QApplication.sendEvent(canvas, event)
    return event.isAccepted()


def test_the_window_keeps_its_undo_while_the_paper_has_nothing_to_undo(canvas: Canvas, qtbot: QtBot) -> None:
    assert not overrides(canvas, Qt.Key.Key_Z, CONTROL)
    assert not overrides(canvas, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    draw(qtbot, canvas, (100, 100), (200, 200))
    assert overrides(canvas, Qt.Key.Key_Z, CONTROL)
    assert overrides(canvas, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    assert not overrides(canvas, Qt.Key.Key_S, CONTROL)


def test_the_hint_is_there_until_something_is_drawn(canvas: Canvas, qtbot: QtBot) -> None:
    blank = canvas.grab().toImage()
    canvas.set_hint("Draw a symbol, then press its category")
    assert canvas.grab().toImage() != blank


def test_the_paper_is_light_in_the_dark_too(canvas: Canvas, appearance: Appearance) -> None:
    appearance.choose("dark")
    assert canvas.grab().toImage().pixelColor(202, 100).lightness() > 200


def test_a_curve_begins_and_ends_where_the_pen_did() -> None:
    paper = QRectF(10, 20, 100, 100)
    path = smooth_path(((0.0, 0.0), (0.2, 0.4), (0.6, 0.5), (1.0, 1.0)), paper)
    assert path.pointAtPercent(0) == QPointF(10, 20)
    assert path.currentPosition() == QPointF(110, 120)
    assert smooth_path((), paper).isEmpty()
    assert not smooth_path(((0.5, 0.5),), paper).isEmpty()


def test_ink_is_black_on_white(canvas: Canvas, qtbot: QtBot) -> None:
    draw(qtbot, canvas, (60, 202), (340, 202))
    picture = canvas.grab().toImage()
    assert picture.pixelColor(202, 100) == QColor("#ffffff")
    assert picture.pixelColor(202, 202).lightness() < 40
