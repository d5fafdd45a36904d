"""The canvas of the large view: fitting, zoom at a place, 100 %, moving by hand, a finer picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from fewshot_gui.gui.query.large_canvas import LARGEST, STEP, ZoomCanvas
from fewshot_gui.gui.widgets import qimage

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

LEFT = Qt.MouseButton.LeftButton


def halves(width: int = 800, height: int = 400) -> QImage:
    """Red on the left, blue on the right."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2, 0] = 255
    pixels[:, width // 2 :, 2] = 255
    return qimage(pixels)


@pytest.fixture
def canvas(qtbot: QtBot) -> ZoomCanvas:
    result = ZoomCanvas()
    qtbot.addWidget(result)
    result.resize(400, 400)
    result.show()
    result.show_image(halves())
    return result


def colour(canvas: ZoomCanvas, x: int, y: int) -> str:
    return QColor(canvas.grab().toImage().pixelColor(x, y)).name()


def wheel(canvas: ZoomCanvas, at: QPointF, notches: int) -> None:
    none, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
    place = canvas.mapToGlobal(at.toPoint())
    event = QWheelEvent(
        at, place, QPoint(), QPoint(0, 120 * notches), none, Qt.KeyboardModifier.NoModifier, phase, False
    )
    QApplication.sendEvent(canvas, event)


def test_a_picture_is_fitted_first(canvas: ZoomCanvas) -> None:
    assert canvas.is_fitted
    assert canvas.scale == pytest.approx(0.5)
    assert (colour(canvas, 10, 200), colour(canvas, 390, 200)) == ("#ff0000", "#0000ff")


def test_a_small_picture_is_enlarged_twice_at_most(canvas: ZoomCanvas) -> None:
    canvas.show_image(halves(20, 20))
    assert canvas.scale == pytest.approx(2)


def test_the_wheel_zooms_at_the_pointer(canvas: ZoomCanvas) -> None:
    place = QPointF(300, 200)  # three quarters of the picture: deep in the blue
    wheel(canvas, place, 3)
    assert canvas.scale == pytest.approx(0.5 * STEP**3)
    box = canvas._box()
    assert (place.x() - box.left()) / box.width() == pytest.approx(0.75)
    wheel(canvas, place, -9)
    assert canvas.is_fitted


def test_zoom_ends_where_nothing_more_is_to_see(canvas: ZoomCanvas) -> None:
    canvas.zoom(100)
    assert canvas.scale == LARGEST


def test_double_click_goes_to_all_pixels_and_back(qtbot: QtBot, canvas: ZoomCanvas) -> None:
    with qtbot.waitSignal(canvas.magnified):
        QTest.mouseDClick(canvas, LEFT, pos=QPoint(200, 200))
    assert canvas.scale == 1
    QTest.mouseDClick(canvas, LEFT, pos=QPoint(200, 200))
    assert canvas.is_fitted


def test_dragging_moves_the_picture_as_far_as_it_goes(canvas: ZoomCanvas) -> None:
    canvas.actual_size()
    assert colour(canvas, 210, 200) == "#0000ff"
    QTest.mousePress(canvas, LEFT, pos=QPoint(100, 200))
    QTest.mouseMove(canvas, QPoint(160, 200))
    QTest.mouseRelease(canvas, LEFT, pos=QPoint(160, 200))
    assert colour(canvas, 210, 200) == "#ff0000"
    canvas.move_by(10_000, 10_000)
    assert colour(canvas, 1, 200) == "#ff0000"
    assert canvas._box().left() == pytest.approx(0)


def test_a_fitted_picture_stays_where_it_is(canvas: ZoomCanvas) -> None:
    before = canvas._box()
    QTest.mousePress(canvas, LEFT, pos=QPoint(100, 200))
    QTest.mouseMove(canvas, QPoint(160, 200))
    QTest.mouseRelease(canvas, LEFT, pos=QPoint(160, 200))
    assert canvas._box() == before


def test_a_finer_picture_takes_the_place_of_a_coarse_one(canvas: ZoomCanvas) -> None:
    canvas.zoom(2)
    before = canvas._box()
    canvas.show_finer(halves(1600, 800))
    assert canvas._box().width() == pytest.approx(before.width())
    assert canvas._box().left() == pytest.approx(before.left())
    canvas.actual_size()
    canvas.show_finer(halves(3200, 1600))
    assert canvas.scale == 1


def test_words_where_there_is_no_picture(canvas: ZoomCanvas) -> None:
    canvas.zoom(2)
    canvas.show_words("File is gone")
    assert not canvas.has_picture
    assert canvas.is_fitted
    canvas.zoom(3)
    canvas.actual_size()
    assert not canvas.grab().isNull()


def test_a_narrower_window_keeps_the_picture_in_sight(canvas: ZoomCanvas) -> None:
    canvas.actual_size()
    canvas.move_by(-10_000, 0)
    canvas.resize(900, 400)
    assert canvas._box().center().x() == pytest.approx(450)
