"""The parts of the support panel that need no panel: shape, selection, words, thumbnails, name, colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QBuffer, QIODevice, QPoint, QRect, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.commands import CommandError, CommandProblem
from fewshot_gui.engine.pictures import StoredPicture
from fewshot_gui.engine.state import Category, CategoryId, Document
from fewshot_gui.gui.support.colour_picker import ColourPicker
from fewshot_gui.gui.support.drop_strip import DropStrip
from fewshot_gui.gui.support.edge_scroller import EdgeScroller
from fewshot_gui.gui.support.grid_shape import GAP, SIDE, GridShape
from fewshot_gui.gui.support.name_editor import NameEditor
from fewshot_gui.gui.support.selection import Selection
from fewshot_gui.gui.support.thumbnails import ThumbnailCache, square
from fewshot_gui.gui.support.wording import card_words, count_words, hint_words, origin_words, problem_words

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from fewshot_gui.gui.theme import Appearance

shapes = st.builds(GridShape, tiles=st.integers(1, 300), width=st.integers(10, 2000))


def _jpeg(width: int = 40, height: int = 30, colour: str = "red") -> bytes:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "JPEG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())


# Grid shape ---------------------------------------------------------------------------------------------


@given(shapes)
def test_every_tile_is_found_at_its_middle_and_in_the_grid(shape: GridShape) -> None:
    for position in range(shape.tiles):
        cell = shape.cell(position)
        assert shape.position_at(cell.center()) == position
        assert cell.bottom() < shape.height
        assert cell.contains(shape.badge(position))


@given(shapes)
def test_tiles_do_not_touch(shape: GridShape) -> None:
    if shape.tiles > 1:
        assert not shape.cell(0).adjusted(0, 0, GAP - 1, GAP - 1).intersects(shape.cell(1))


@given(shapes, st.integers(-50, 3000), st.integers(-50, 20000))
def test_a_point_is_on_the_tile_that_contains_it_or_on_none(shape: GridShape, x: int, y: int) -> None:
    position = shape.position_at(QPoint(x, y))
    assert position == -1 or shape.cell(position).contains(QPoint(x, y))


@given(shapes, st.integers(0, 5000), st.integers(1, 2000))
def test_all_exposed_tiles_are_painted(shape: GridShape, top: int, height: int) -> None:
    exposed = QRect(0, top, shape.width, height)
    painted = set(shape.within(exposed))
    assert painted >= {at for at in range(shape.tiles) if shape.cell(at).intersects(exposed)}


def test_a_narrow_grid_has_one_column() -> None:
    shape = GridShape(3, 10)
    assert (shape.columns, shape.rows, shape.height) == (1, 3, 3 * SIDE + 2 * GAP)


# Selection ----------------------------------------------------------------------------------------------


def test_a_range_goes_from_the_anchor_both_ways() -> None:
    start = Selection().only(5)
    assert start.extended(7).chosen == {5, 6, 7}
    assert start.extended(7).extended(3).chosen == {3, 4, 5}
    assert start.extended(7).current == 7


def test_toggling_twice_changes_nothing() -> None:
    start = Selection().only(1).toggled(4)
    assert start.chosen == {1, 4}
    assert start.toggled(4).chosen == {1}


def test_everything_and_nothing() -> None:
    assert Selection(2).everything(4).chosen == {0, 1, 2, 3}
    assert Selection(2).everything(4).nothing() == Selection(2)
    assert Selection(2).standing(3).current == 3


def test_the_keyboard_stays_inside_when_things_go() -> None:
    assert Selection(9).moved(frozenset({1}), 4) == Selection(3, -1, frozenset({1}))


# Words --------------------------------------------------------------------------------------------------


def test_counts_are_said_in_words() -> None:
    assert [count_words(count) for count in (0, 1, 2)] == ["No examples yet", "1 example", "2 examples"]
    assert "one more" in hint_words(1)
    assert hint_words(0)
    assert hint_words(5) == ""


def test_a_card_is_said_with_its_key() -> None:
    assert card_words(Category(CategoryId("a"), "Mug", 0, "1")) == "Mug, No examples yet, key 1"
    assert card_words(Category(CategoryId("a"), "Mug", 0, "")) == "Mug, No examples yet"


@pytest.mark.parametrize(
    ("origin", "words"),
    [("/photos/a b.jpg", "a b.jpg"), ("camera", "From the camera"), ("web", "From a browser"), ("", "")],
)
def test_an_origin_is_said(origin: str, words: str) -> None:
    assert origin_words(origin) == words


@pytest.mark.parametrize("kind", CommandProblem)
def test_every_refusal_has_words(kind: CommandProblem) -> None:
    mug = Category(CategoryId("a"), "Mug", 0, "1")
    words = problem_words(CommandError(kind, "x", mug.id), Document((mug,)))
    assert words.endswith(".")
    assert "{" not in words


def test_a_taken_key_names_its_owner() -> None:
    mug = Category(CategoryId("a"), "Mug", 0, "1")
    words = problem_words(CommandError(CommandProblem.TAKEN_SHORTCUT, "1", mug.id), Document((mug,)))
    assert "Mug" in words


# Thumbnails ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("qapp")
def test_a_thumbnail_is_the_middle_square_with_round_corners() -> None:
    image = QImage(90, 30, QImage.Format.Format_RGB32)
    image.fill(QColor("blue"))
    for x in range(30, 60):
        for y in range(30):
            image.setPixelColor(x, y, QColor("red"))
    made = square(image, 20, 2.0)
    shown = made.toImage()
    assert (shown.width(), shown.height(), made.devicePixelRatio()) == (40, 40, 2.0)
    assert shown.pixelColor(20, 20).name() == "#ff0000"
    assert shown.pixelColor(2, 20).name() == "#ff0000"
    assert shown.pixelColor(0, 0).alpha() == 0


@pytest.mark.usefixtures("qapp")
def test_the_cache_is_bounded_and_forgets_the_oldest() -> None:
    asked: list[str] = []

    def picture(key: PictureId) -> StoredPicture:
        asked.append(key)
        return StoredPicture(key, _jpeg())

    cache = ThumbnailCache(picture, limit=2)
    for key in ("a", "b", "a", "c", "a", "b"):
        assert cache.get(PictureId(key), 20, 1.0) is not None
    assert len(cache) == 2
    assert asked == ["a", "b", "c", "b"]


@pytest.mark.usefixtures("qapp")
def test_what_is_not_there_yet_is_asked_for_again() -> None:
    kept: dict[PictureId, StoredPicture] = {}
    cache = ThumbnailCache(kept.get)
    key = PictureId("a")
    assert cache.get(key, 20, 1.0) is None
    kept[key] = StoredPicture(key, b"damaged")
    assert cache.get(key, 20, 1.0) is None
    kept[key] = StoredPicture(key, _jpeg())
    assert cache.get(key, 20, 1.0) is not None


# Name ---------------------------------------------------------------------------------------------------


class _Names:
    """Accepts every name but "taken"."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, name: str) -> str:
        self.asked.append(name)
        return "Taken." if name == "taken" else ""


@pytest.fixture
def names() -> _Names:
    return _Names()


@pytest.fixture
def host(qtbot: QtBot, appearance: Appearance) -> QWidget:
    """A window that lives as long as the test."""
    result = QWidget()
    qtbot.addWidget(result)
    QVBoxLayout(result)
    with qtbot.waitActive(result):
        result.show()
        result.activateWindow()
    return result


@pytest.fixture
def editor(host: QWidget, names: _Names) -> NameEditor:
    result = NameEditor(names, host)
    layout = host.layout()
    assert layout is not None
    layout.addWidget(result)
    result.show_name("Mug")
    return result


def test_a_double_click_opens_the_line_with_all_chosen(qtbot: QtBot, editor: NameEditor) -> None:
    qtbot.mouseDClick(editor, Qt.MouseButton.LeftButton)
    assert editor.editing
    assert editor.field is not None
    assert editor.field.selectedText() == "Mug"
    assert not editor.label.isVisible()


def test_enter_asks_for_the_name(qtbot: QtBot, editor: NameEditor, names: _Names) -> None:
    editor.edit()
    assert editor.field is not None
    qtbot.keyClicks(editor.field, "Pen 2")
    with qtbot.waitSignal(editor.finished):
        qtbot.keyClick(editor.field, Qt.Key.Key_Return)
    assert names.asked == ["Pen 2"]
    assert not editor.editing
    assert editor.label.isVisible()


def test_a_refused_name_stays_open_and_says_why(qtbot: QtBot, editor: NameEditor) -> None:
    reasons: list[str] = []
    editor.problem.connect(reasons.append)
    editor.edit()
    assert editor.field is not None
    qtbot.keyClicks(editor.field, "taken")
    qtbot.keyClick(editor.field, Qt.Key.Key_Return)
    assert editor.editing
    assert reasons[-1] == "Taken."
    assert editor.field.property("wrong") == "true"
    qtbot.keyClicks(editor.field, "x")
    assert reasons[-1] == ""
    assert editor.field.property("wrong") == "false"


def test_escape_changes_nothing(qtbot: QtBot, editor: NameEditor, names: _Names) -> None:
    editor.edit()
    assert editor.field is not None
    qtbot.keyClicks(editor.field, "Other")
    qtbot.keyClick(editor.field, Qt.Key.Key_Escape)
    assert not editor.editing
    assert names.asked == []


def test_leaving_the_line_keeps_a_good_name_once(qtbot: QtBot, editor: NameEditor, names: _Names) -> None:
    editor.edit()
    assert editor.field is not None
    qtbot.keyClicks(editor.field, "Pen")
    editor.field.clearFocus()
    assert names.asked == ["Pen"]
    assert not editor.editing


# Colours ------------------------------------------------------------------------------------------------


@pytest.fixture
def picker(host: QWidget, appearance: Appearance) -> ColourPicker:
    result = ColourPicker(appearance, 2, host)
    result.open_at(QPoint(10, 10))
    return result


def test_a_click_picks_and_closes(qtbot: QtBot, picker: ColourPicker) -> None:
    heard: list[int] = []
    picker.picked.connect(heard.append)
    qtbot.mouseClick(picker.chips[7], Qt.MouseButton.LeftButton)
    assert heard == [7]
    assert not picker.isVisible()


@pytest.mark.parametrize(
    ("keys", "colour"),
    [
        ([], 2),
        ([Qt.Key.Key_Right], 3),
        ([Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Left], 11),
        ([Qt.Key.Key_Down], 8),
        ([Qt.Key.Key_Up], 8),
    ],
)
def test_arrows_walk_and_enter_picks(
    qtbot: QtBot, picker: ColourPicker, keys: list[Qt.Key], colour: int
) -> None:
    for key in keys:
        qtbot.keyClick(picker, key)
    with qtbot.waitSignal(picker.picked) as blocker:
        qtbot.keyClick(picker, Qt.Key.Key_Return)
    assert blocker.args == [colour]


def test_chips_have_names_and_show_the_choice(picker: ColourPicker) -> None:
    assert [chip.isChecked() for chip in picker.chips].index(True) == 2
    assert len({chip.accessibleName() for chip in picker.chips}) == 12
    plain = picker.chips[3].grab().toImage()
    picker.chips[3].show_colour(4)
    assert picker.chips[3].grab().toImage() != plain
    picker.close()


# While something is dragged -----------------------------------------------------------------------------


def test_the_strip_shows_that_it_is_the_target(qtbot: QtBot, appearance: Appearance) -> None:
    strip = DropStrip(appearance, "New category")
    qtbot.addWidget(strip)
    strip.resize(200, 48)
    plain = strip.grab().toImage()
    strip.set_targeted(targeted=True)
    assert strip.targeted
    assert strip.grab().toImage() != plain


def test_an_area_scrolls_near_its_edges_only(qtbot: QtBot) -> None:
    area = QScrollArea()
    qtbot.addWidget(area)
    content = QWidget()
    content.setFixedSize(100, 2000)
    area.setWidget(content)
    area.resize(160, 300)
    area.show()
    scroller, bar = EdgeScroller(area), area.verticalScrollBar()

    def follow(y: int) -> int:
        before = bar.value()
        scroller.follow(area.viewport().mapToGlobal(QPoint(50, y)))
        scroller.tick()
        return bar.value() - before

    assert follow(295) > 0
    assert follow(150) == 0
    assert follow(3) < 0
    scroller.stop()
    before = bar.value()
    scroller.tick()
    assert bar.value() == before
