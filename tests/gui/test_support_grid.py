"""The grid of examples alone: its height, its tiles, its marks, and every key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QBuffer, QIODevice, QPoint, Qt
from PySide6.QtGui import QColor, QDrag, QImage

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.pictures import StoredPicture
from fewshot_gui.engine.state import Example
from fewshot_gui.gui.support.grid_shape import GAP, SIDE
from fewshot_gui.gui.support.selection import Selection
from fewshot_gui.gui.support.thumbnail_grid import ThumbnailGrid
from fewshot_gui.gui.support.thumbnails import ThumbnailCache

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from fewshot_gui.gui.theme import Appearance

COLOURS = ("#d02020", "#20a020", "#2020d0", "#a0a020", "#20a0a0")
FOUR_COLUMNS = 4 * (SIDE + GAP)
SHIFT = Qt.KeyboardModifier.ShiftModifier


def _picture(key: PictureId) -> StoredPicture:
    """A picture of one colour, told by the last digit of its id."""
    image = QImage(32, 32, QImage.Format.Format_RGB32)
    image.fill(QColor(COLOURS[int(key[-1])]))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return StoredPicture(key, bytes(buffer.data().data()))


def _examples(*numbers: int) -> tuple[Example, ...]:
    return tuple(Example(PictureId(f"{number:032x}"), "camera") for number in numbers)


@pytest.fixture
def grid(qtbot: QtBot, appearance: Appearance) -> ThumbnailGrid:
    """Five examples in rows of four, with the focus."""
    result = ThumbnailGrid(ThumbnailCache(_picture), appearance)
    qtbot.addWidget(result)
    result.show_examples(_examples(0, 1, 2, 3, 4))
    result.resize(FOUR_COLUMNS, 200)
    with qtbot.waitActive(result):
        result.show()
        result.activateWindow()
    result.setFocus()
    return result


def _numbers(grid: ThumbnailGrid) -> list[int]:
    return [int(picture, 16) for picture in grid.chosen]


def _colour_at(grid: ThumbnailGrid, position: int) -> QColor:
    return grid.grab().toImage().pixelColor(grid.shape.cell(position).center())


def test_each_tile_shows_its_picture(grid: ThumbnailGrid) -> None:
    shown = [_colour_at(grid, position).name() for position in range(5)]
    assert shown == list(COLOURS)


def test_one_example_is_told_in_the_singular(grid: ThumbnailGrid) -> None:
    grid.show_examples(_examples(0))
    grid.select(Selection())
    assert grid.accessibleDescription() == "1 example, then a tile to add files"


def test_the_height_follows_the_width(grid: ThumbnailGrid) -> None:
    assert grid.hasHeightForWidth()
    assert grid.heightForWidth(FOUR_COLUMNS) == 2 * SIDE + GAP
    assert grid.heightForWidth(SIDE) == 6 * SIDE + 5 * GAP
    grid.show_examples(())
    assert grid.heightForWidth(SIDE) == SIDE
    assert grid.minimumSizeHint().width() == SIDE


def test_a_chosen_tile_has_a_ring(grid: ThumbnailGrid, appearance: Appearance) -> None:
    edge = grid.shape.cell(2).topLeft() + QPoint(1, SIDE // 2)
    assert grid.grab().toImage().pixelColor(edge) != appearance.theme.accent
    grid.select(grid.selection.only(2))
    assert grid.grab().toImage().pixelColor(edge) == appearance.theme.accent


def test_the_x_is_shown_under_the_mouse_only(
    qtbot: QtBot, grid: ThumbnailGrid, appearance: Appearance
) -> None:
    edge = grid.shape.badge(1).center() + QPoint(0, -6)
    assert grid.grab().toImage().pixelColor(edge).name() == COLOURS[1]
    qtbot.mouseMove(grid, grid.shape.cell(1).center())
    assert grid.grab().toImage().pixelColor(edge) == appearance.theme.surface
    qtbot.mouseMove(grid, grid.shape.cell(3).center())
    assert grid.grab().toImage().pixelColor(edge).name() == COLOURS[1]


@pytest.mark.parametrize(
    ("start", "key", "chosen"),
    [
        (0, Qt.Key.Key_Right, [1]),
        (1, Qt.Key.Key_Left, [0]),
        (0, Qt.Key.Key_Down, [4]),
        (4, Qt.Key.Key_Up, [0]),
        (4, Qt.Key.Key_Right, []),
    ],
)
def test_arrows_walk(qtbot: QtBot, grid: ThumbnailGrid, start: int, key: Qt.Key, chosen: list[int]) -> None:
    grid.stand_on(start)
    qtbot.keyClick(grid, key)
    assert _numbers(grid) == chosen


@pytest.mark.parametrize(
    ("start", "key", "step"),
    [(0, Qt.Key.Key_Left, -1), (2, Qt.Key.Key_Up, -1), (5, Qt.Key.Key_Right, 1), (3, Qt.Key.Key_Down, 1)],
)
def test_arrows_leave_at_the_ends(
    qtbot: QtBot, grid: ThumbnailGrid, start: int, key: Qt.Key, step: int
) -> None:
    grid.stand_on(start)
    with qtbot.waitSignal(grid.left) as blocker:
        qtbot.keyClick(grid, key)
    assert blocker.args == [step]


def test_shift_extends_and_space_toggles(qtbot: QtBot, grid: ThumbnailGrid) -> None:
    grid.stand_on(1)
    qtbot.keyClick(grid, Qt.Key.Key_Right, SHIFT)
    qtbot.keyClick(grid, Qt.Key.Key_Right, SHIFT)
    assert _numbers(grid) == [1, 2, 3]
    qtbot.keyClick(grid, Qt.Key.Key_Space)
    assert _numbers(grid) == [1, 2]


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_the_plus_tile_is_pressed_by_keys(qtbot: QtBot, grid: ThumbnailGrid, key: Qt.Key) -> None:
    grid.stand_on(5)
    with qtbot.waitSignal(grid.addRequested):
        qtbot.keyClick(grid, key)


@pytest.mark.parametrize("key", [Qt.Key.Key_Delete, Qt.Key.Key_Backspace])
def test_the_chosen_ones_are_to_be_removed(qtbot: QtBot, grid: ThumbnailGrid, key: Qt.Key) -> None:
    grid.select(grid.selection.only(1).toggled(3))
    with qtbot.waitSignal(grid.removeRequested) as blocker:
        qtbot.keyClick(grid, key)
    assert [int(picture, 16) for picture in blocker.args[0]] == [1, 3]


def test_what_is_chosen_stays_chosen_when_others_go(grid: ThumbnailGrid) -> None:
    grid.select(grid.selection.only(1).toggled(3))
    grid.show_examples(_examples(0, 3, 4))
    assert _numbers(grid) == [3]
    assert grid.selection.current == 3
    grid.show_examples(_examples(0))
    assert _numbers(grid) == []
    assert grid.selection.current == 1


def test_a_press_that_ends_elsewhere_removes_nothing(qtbot: QtBot, grid: ThumbnailGrid) -> None:
    heard: list[list[str]] = []
    grid.removeRequested.connect(heard.append)
    qtbot.mousePress(grid, Qt.MouseButton.LeftButton, pos=grid.shape.badge(0).center())
    qtbot.mouseRelease(grid, Qt.MouseButton.LeftButton, pos=grid.shape.cell(1).center())
    assert heard == []


def test_a_click_among_chosen_ones_keeps_them_until_it_ends(qtbot: QtBot, grid: ThumbnailGrid) -> None:
    grid.select(grid.selection.everything(5))
    place = grid.shape.cell(2).center() + QPoint(-12, 12)
    qtbot.mousePress(grid, Qt.MouseButton.LeftButton, pos=place)
    # All of them would be dragged from here.
    assert len(grid.chosen) == 5
    qtbot.mouseRelease(grid, Qt.MouseButton.LeftButton, pos=place)
    assert _numbers(grid) == [2]


def test_an_example_that_is_dragged_out_is_offered_as_a_copy_alone(
    qtbot: QtBot, grid: ThumbnailGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, a file manager took the person's own picture away."""
    offered: list[tuple[Any, ...]] = []

    def begin(_drag: QDrag, *actions: Qt.DropAction) -> Qt.DropAction:
        offered.append(actions)
        return Qt.DropAction.IgnoreAction

    monkeypatch.setattr(QDrag, "exec", begin)
    start, end = (grid.shape.cell(at).center() + QPoint(-12, 12) for at in (0, 2))
    qtbot.mousePress(grid, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(grid, end)
    qtbot.mouseRelease(grid, Qt.MouseButton.LeftButton, pos=end)
    assert offered == [(Qt.DropAction.CopyAction, Qt.DropAction.CopyAction)]
