"""The gallery view: geometry, keys, mouse, and what it asks for, with 100,000 pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from fewshot_gui.gui.query.gallery_model import Arrangement, GalleryModel
from fewshot_gui.gui.query.gallery_view import GalleryView
from fewshot_gui.gui.query.grid_view import EDGE
from fewshot_gui.gui.query.thumbnail_cache import ThumbnailCache

if TYPE_CHECKING:
    from types import SimpleNamespace

    from pytestqt.qtbot import QtBot

    from fewshot_gui.gui.theme import Appearance

MANY = 100_000
NONE, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


@pytest.fixture
def view(qtbot: QtBot, world: SimpleNamespace, appearance: Appearance) -> GalleryView:
    """Four columns of tiles over a folder of 100,000 pictures."""
    model = GalleryModel(world.session, world.gallery, world.predictor)
    result = GalleryView(model, ThumbnailCache(world.library), appearance)
    model.setParent(result)
    qtbot.addWidget(result)
    result.resize(700, 600)
    result.show()
    world.gallery.show("/a", MANY)
    result.updateGeometries()
    return result


def middle(view: GalleryView, position: int) -> QPoint:
    return view.visualRect(view.model().index(position, 0)).center()


def click(view: GalleryView, position: int, modifier: Qt.KeyboardModifier = NONE) -> None:
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, modifier, middle(view, position))


def test_scroll_bar_has_the_length_of_all(view: GalleryView) -> None:
    assert view.verticalScrollBar().maximum() == view.grid().height - view.viewport().height()
    view.scrollToBottom()
    assert view.visible().stop == MANY


def test_the_first_click_lands_on_the_picture_that_was_seen(view: GalleryView) -> None:
    """Taking the focus once scrolled to the cursor: the click then chose what had come under it."""
    view.clearFocus()
    index = view.model().index(400, 0)
    view.scrollTo(index)
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(index).center())
    assert view.selected_positions().tolist() == [400]


def test_only_what_is_near_is_asked_for(view: GalleryView, world: SimpleNamespace, qtbot: QtBot) -> None:
    view.verticalScrollBar().setValue(500_000)
    seen = view.visible()
    first = world.gallery.files[seen.start]
    qtbot.waitUntil(lambda: first in world.library.open_wishes)
    wishes = world.library.open_wishes
    assert wishes[: len(seen)] == [world.gallery.files[row] for row in seen]
    assert len(wishes) <= 3 * len(seen)


def test_rows_in_view_are_told(view: GalleryView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.looked_at) as told:
        view.verticalScrollBar().setValue(9_000)
    assert told.args[0].tolist() == list(view.visible())


def test_click_shift_click_and_ctrl_click_choose(view: GalleryView) -> None:
    click(view, 1)
    assert view.selected_rows().tolist() == [1]
    click(view, 6, SHIFT)
    assert view.selected_rows().tolist() == [1, 2, 3, 4, 5, 6]
    click(view, 3, CTRL)
    assert view.selected_rows().tolist() == [1, 2, 4, 5, 6]
    click(view, 0)
    assert view.selected_rows().tolist() == [0]


def test_shift_click_upwards_to_the_left(view: GalleryView) -> None:
    click(view, 5)
    click(view, 2, SHIFT)
    assert view.selected_rows().tolist() == [2, 3, 4, 5]


def test_arrows_home_end_and_pages_move(view: GalleryView) -> None:
    columns = view.grid().columns
    click(view, 1)
    for key, there in (
        (Qt.Key.Key_Right, 2),
        (Qt.Key.Key_Down, 2 + columns),
        (Qt.Key.Key_Left, 1 + columns),
        (Qt.Key.Key_Up, 1),
        (Qt.Key.Key_Up, 1),
        (Qt.Key.Key_End, MANY - 1),
        (Qt.Key.Key_Down, MANY - 1),
        (Qt.Key.Key_Home, 0),
    ):
        QTest.keyClick(view, key)
        assert view.currentIndex().row() == there
    QTest.keyClick(view, Qt.Key.Key_PageDown)
    page = view.currentIndex().row()
    assert page >= columns
    assert page in view.visible()
    QTest.keyClick(view, Qt.Key.Key_PageUp)
    assert view.currentIndex().row() == 0


def test_shift_arrow_stretches_the_choice(view: GalleryView) -> None:
    columns = view.grid().columns
    click(view, 1)
    QTest.keyClick(view, Qt.Key.Key_Down, SHIFT)
    assert view.selected_rows().tolist() == list(range(1, columns + 2))


def test_everything_is_chosen_at_once(view: GalleryView) -> None:
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_A, CTRL)
    assert len(view.selected_rows()) == MANY
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert len(view.selected_rows()) == 0


def move(view: GalleryView, kind: QEvent.Type, point: QPoint) -> None:
    """Send a mouse event with the left button held: QTest's moves have none."""
    left = Qt.MouseButton.LeftButton
    where = point.toPointF()
    held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else left
    whole = view.viewport().mapToGlobal(where)
    QApplication.sendEvent(view.viewport(), QMouseEvent(kind, where, whole, left, held, NONE))


def test_rubber_band_chooses_what_it_touches(view: GalleryView) -> None:
    columns = view.grid().columns
    move(view, QEvent.Type.MouseButtonPress, QPoint(4, 4))
    move(view, QEvent.Type.MouseMove, middle(view, 1))
    move(view, QEvent.Type.MouseMove, middle(view, columns + 1))
    assert view.selected_rows().tolist() == [0, 1, columns, columns + 1]
    assert not view.grab().isNull()
    move(view, QEvent.Type.MouseButtonRelease, middle(view, columns + 1))
    assert view.selected_rows().tolist() == [0, 1, columns, columns + 1]


def test_space_and_double_click_open(view: GalleryView, qtbot: QtBot) -> None:
    click(view, 2)
    with qtbot.waitSignal(view.opened) as opened:
        QTest.keyClick(view, Qt.Key.Key_Space)
    assert opened.args[0].row() == 2
    with qtbot.waitSignal(view.opened):
        QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, NONE, middle(view, 3))


def test_only_a_category_key_is_a_shortcut(view: GalleryView, qtbot: QtBot) -> None:
    view.shortcuts = frozenset({"1", "m"})
    click(view, 0)
    with qtbot.waitSignal(view.shortcut_pressed) as pressed:
        QTest.keyClick(view, Qt.Key.Key_1)
    assert pressed.args == ["1"]
    with qtbot.assertNotEmitted(view.shortcut_pressed):
        QTest.keyClick(view, Qt.Key.Key_2)
        QTest.keyClick(view, Qt.Key.Key_M, CTRL)


def test_category_key_goes_before_the_window_shortcuts(view: GalleryView) -> None:
    view.shortcuts = frozenset({"1"})
    for key, text, taken in ((Qt.Key.Key_1, "1", True), (Qt.Key.Key_2, "2", False)):
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key, NONE, text)
        event.ignore()
        QApplication.sendEvent(view, event)
        assert event.isAccepted() is taken


def test_chosen_pictures_stay_chosen_in_another_order(view: GalleryView) -> None:
    click(view, 3)
    click(view, 5, CTRL)
    model = view.model()
    assert isinstance(model, GalleryModel)
    model.arrange(Arrangement("folder", descending=True))
    assert sorted(view.selected_rows().tolist()) == [3, 5]
    assert model.order[view.currentIndex().row()] == 5


def test_very_scattered_choice_is_dropped(view: GalleryView) -> None:
    view.select_rows(np.arange(0, MANY, 2))
    assert len(view.selected_rows()) == 0


@pytest.mark.parametrize("side", [90, 200, 10_000])
def test_tile_size_keeps_the_line_at_the_top(view: GalleryView, side: int) -> None:
    first = 1_000 * view.grid().columns
    view.verticalScrollBar().setValue(view.grid().rect(first)[1] - view.grid().margin)
    view.set_tile_side(side)
    assert view.tile_side == min(side, 280)
    assert first in view.visible()
    assert first - view.visible().start < 2 * view.grid().columns


def leave(view: GalleryView) -> None:
    """Take the pointer off the pictures."""
    QApplication.sendEvent(view.viewport(), QEvent(QEvent.Type.Leave))


def test_pictures_are_at_rest_only_untouched(view: GalleryView) -> None:
    leave(view)
    assert view.at_rest
    click(view, 0)
    assert not view.at_rest
    view.clearSelection()
    leave(view)
    assert view.at_rest
    view.verticalScrollBar().setValue(10)
    assert not view.at_rest


def test_arrived_pictures_are_painted(view: GalleryView, world: SimpleNamespace, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: bool(world.library.open_wishes))
    world.library.answer((200, 30, 30))
    point = middle(view, 0)
    qtbot.waitUntil(lambda: view.viewport().grab().toImage().pixelColor(point).red() == 200)


def test_a_finer_screen_gets_finer_pictures(
    view: GalleryView, world: SimpleNamespace, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    qtbot.waitUntil(lambda: bool(world.library.open_wishes))
    before = max(side for _, side, *_ in world.library.wishes)
    monkeypatch.setattr(view, "devicePixelRatioF", lambda: 3.0)
    QApplication.sendEvent(view, QEvent(QEvent.Type.DevicePixelRatioChange))
    qtbot.waitUntil(lambda: max(side for _, side, *_ in world.library.wishes) > before)


def test_a_new_order_does_not_carry_the_pictures_away_from_who_looks_at_the_top(
    view: GalleryView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QWidget, "underMouse", lambda _self: False)
    model = view.model()
    assert isinstance(model, GalleryModel)
    view.go_to(0)
    view.clearSelection()
    assert view.at_rest
    model.arrange(Arrangement("folder", descending=True))
    assert view.verticalOffset() == 0
    assert view.currentIndex().row() == 0, "a key must not answer for a picture that nobody sees"


def plate(view: GalleryView, position: int) -> QRect:
    return view.visualRect(view.model().index(position, 0)).adjusted(-EDGE, -EDGE, EDGE, EDGE)


def test_rings_and_plates_are_painted_whole(view: GalleryView, monkeypatch: pytest.MonkeyPatch) -> None:
    """They reach beyond their tiles, and what did was left behind, or was missing."""
    view.go_to(1)
    asked: list[QRect] = []
    viewport = view.viewport()
    monkeypatch.setattr(viewport, "update", asked.append)
    view.go_to(2)
    view._hover(5)
    for position in (1, 2, 5):
        assert any(rect.contains(plate(view, position)) for rect in asked)
    shown = view.visualRegionForSelection(view.selectionModel().selection()).boundingRect()
    assert shown.contains(plate(view, 2))
