"""The small widgets: what they show, how they are used by mouse and keys, and that they follow the theme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QAccessible, QEnterEvent, QIcon, QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QVBoxLayout, QWidget

from fewshot_gui.gui.theme import contrast
from fewshot_gui.gui.widgets import (
    ComboBox,
    ElidedLabel,
    EmptyState,
    FlowLayout,
    PushButton,
    SectionHeader,
    Segmented,
    Separator,
    Toast,
    ToolButton,
    open_as,
    qimage,
)

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from fewshot_gui.gui.theme import Appearance


def test_an_image_owns_its_bytes() -> None:
    pixels = np.zeros((2, 5, 3), np.uint8)
    pixels[1, 4] = (1, 2, 3)
    image = qimage(pixels)
    pixels[:] = 255
    assert (image.width(), image.height()) == (5, 2)
    assert image.pixelColor(4, 1).getRgb()[:3] == (1, 2, 3)


def test_an_image_is_made_of_a_slice_too() -> None:
    pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    assert qimage(pixels[::2, ::2]).pixelColor(1, 1).getRgb()[:3] == tuple(pixels[2, 2].tolist())


def test_a_long_text_ends_in_an_ellipsis_and_a_tooltip(qtbot: QtBot, appearance: Appearance) -> None:
    label = ElidedLabel("A name that is far too long for the room it is given")
    qtbot.addWidget(label)
    label.resize(80, 20)
    label.grab()
    assert label.toolTip() == label.text()
    label.resize(900, 20)
    label.grab()
    assert label.toolTip() == ""
    assert label.minimumSizeHint().width() < 80


def test_a_label_shows_markup_as_it_was_written(qtbot: QtBot) -> None:
    label = ElidedLabel("<b>bold</b>")
    qtbot.addWidget(label)
    assert label.textFormat() == Qt.TextFormat.PlainText


def test_a_tool_button_names_its_key(qtbot: QtBot, appearance: Appearance) -> None:
    button = ToolButton("add", "Add category", key="Ctrl+N")
    qtbot.addWidget(button)
    assert button.accessibleName() == "Add category"
    assert button.toolTip() == "Add category (Ctrl+N)"
    assert not button.icon().isNull()


def test_icons_follow_the_theme(qtbot: QtBot, appearance: Appearance) -> None:
    tool = ToolButton("add", "Add")
    push = PushButton("Add", icon_name="add", role="primary")
    for widget in (tool, push):
        qtbot.addWidget(widget)
        widget.show()
    light = [tool.icon().cacheKey(), push.icon().cacheKey()]
    appearance.choose("dark")
    dark = [tool.icon().cacheKey(), push.icon().cacheKey()]
    assert all(one != other for one, other in zip(light, dark, strict=True))
    tool.set_icon("close")
    assert tool.icon().cacheKey() != dark[0]


def test_a_button_without_an_icon_has_none(qtbot: QtBot, appearance: Appearance) -> None:
    button = PushButton("Plain")
    qtbot.addWidget(button)
    button.show()
    appearance.choose("dark")
    assert button.icon().isNull()


def test_the_icon_of_a_disabled_main_button_is_seen(qtbot: QtBot, appearance: Appearance) -> None:
    button = PushButton("Accept all", icon_name="check", role="primary")
    qtbot.addWidget(button)
    button.setEnabled(False)
    image = button.icon().pixmap(16, 16, QIcon.Mode.Normal).toImage()
    spots = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    darkest = min(spot.lightness() for spot in spots if spot.alpha() > 100)
    assert darkest < 200, "white on the light ground of a disabled button would not be seen"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_sign_of_a_disabled_button_is_faded(
    qtbot: QtBot, appearance: Appearance, theme: Literal["light", "dark"]
) -> None:
    appearance.choose(theme)
    button = ToolButton("up", "Turn around")
    qtbot.addWidget(button)

    def strongest() -> float:
        image = button.icon().pixmap(20, 20, QIcon.Mode.Normal).toImage()
        spots = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
        return max(contrast(spot, appearance.theme.surface) for spot in spots if spot.alpha() > 200)

    before = strongest()
    button.setEnabled(False)
    assert strongest() < before / 2


def test_an_elided_label_that_is_short_asks_for_no_more(qtbot: QtBot) -> None:
    label = ElidedLabel("")
    qtbot.addWidget(label)
    assert label.minimumSizeHint().width() == 0
    label.setText("a word that is long")
    assert 0 < label.minimumSizeHint().width() < label.sizeHint().width()


def test_segments_exclude_each_other(qtbot: QtBot, appearance: Appearance) -> None:
    row = Segmented([("folder", "Folder", "folder"), ("draw", "Draw", None)])
    qtbot.addWidget(row)
    row.show()
    heard: list[str] = []
    row.chosen.connect(heard.append)
    assert row.current == "folder"
    qtbot.mouseClick(row.button("draw"), Qt.MouseButton.LeftButton)
    assert (row.current, heard) == ("draw", ["draw"])
    row.choose("folder")
    assert (row.current, heard) == ("folder", ["draw"])
    assert row.button("folder").accessibleName() == "Folder"


def test_arrow_keys_move_the_choice(qtbot: QtBot, appearance: Appearance) -> None:
    row = Segmented([("a", "A", None), ("b", "B", None)])
    qtbot.addWidget(row)
    with qtbot.waitActive(row):
        row.show()
        row.activateWindow()
    row.button("a").setFocus()
    qtbot.keyClick(row.button("a"), Qt.Key.Key_Right)
    assert row.current == "b"
    qtbot.keyClick(row.button("b"), Qt.Key.Key_Left)
    assert row.current == "a"


def test_a_header_holds_words_and_buttons(qtbot: QtBot, appearance: Appearance) -> None:
    header = SectionHeader("Categories")
    qtbot.addWidget(header)
    button = ToolButton("add", "Add", header)
    header.add(button)
    header.note.setText("3")
    header.resize(300, 32)
    header.show()
    assert header.label.text() == "Categories"
    assert button.geometry().right() >= 298


def test_a_separator_is_one_pixel_high(qtbot: QtBot, appearance: Appearance) -> None:
    line = Separator()
    qtbot.addWidget(line)
    line.show()
    assert line.maximumHeight() == 1


def test_an_empty_state_leads_on(qtbot: QtBot, appearance: Appearance) -> None:
    main, other = QPushButton("Open"), PushButton("Try", role="quiet")
    state = EmptyState("folder", "Nothing here", "Open a folder to begin.", [main, other])
    qtbot.addWidget(state)
    state.resize(240, 400)
    state.show()
    assert main.property("role") == "primary"
    assert other.property("role") == "quiet"
    assert state.title.wordWrap()
    before = state.grab().toImage()
    state.set_targeted(targeted=True)
    assert state.grab().toImage() != before
    appearance.choose("dark")
    state.set_targeted(targeted=False)
    assert state.grab().toImage() != before


def test_the_text_of_an_empty_state_is_no_wider_than_can_be_read(
    qtbot: QtBot, appearance: Appearance
) -> None:
    state = EmptyState("folder", "Nothing here", "words and " * 40)
    qtbot.addWidget(state)
    state.resize(1900, 900)
    state.show()
    middle = state.text.geometry().center().x()
    assert state.text.width() < 600
    assert abs(middle - 950) <= 2
    state.resize(260, 900)
    qtbot.waitUntil(lambda: state.text.width() > 200)


def test_a_toast_says_and_acts(qtbot: QtBot, appearance: Appearance) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(400, 300)
    host.show()
    toast = Toast(host)
    assert not toast.isVisible()
    done: list[str] = []
    toast.say("Removed 5 examples.", button="Undo", action=lambda: done.append("undone"))
    assert toast.isVisible()
    assert toast.text == toast.accessibleName() == "Removed 5 examples."
    qtbot.mouseClick(toast.findChild(QPushButton), Qt.MouseButton.LeftButton)
    assert done == ["undone"]
    assert not toast.isVisible()
    toast.say("Something else.")
    qtbot.mouseClick(toast.findChild(QPushButton), Qt.MouseButton.LeftButton)
    assert done == ["undone"]


def test_a_toast_stays_inside_its_host(qtbot: QtBot, appearance: Appearance) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(260, 300)
    host.show()
    toast = Toast(host)
    toast.say("A sentence that is long enough to need more than a single line in here.", stay=True)
    for size in ((260, 300), (700, 200)):
        host.resize(*size)
        assert host.rect().contains(toast.geometry())


def test_a_toast_goes_by_itself(qtbot: QtBot, appearance: Appearance) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    host.show()
    toast = Toast(host)
    toast.say("Gone soon.")
    toast._timer.timeout.emit()
    assert not toast.isVisible()


def test_a_toast_is_told_to_who_does_not_see_it(
    qtbot: QtBot, appearance: Appearance, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[Any, Any]] = []
    monkeypatch.setattr(
        QAccessible, "updateAccessibility", lambda event: told.append((event.object(), event.type()))
    )
    host = QWidget()
    qtbot.addWidget(host)
    host.show()
    toast = Toast(host)
    toast.say("Removed 5 examples.")
    assert told == [(toast, QAccessible.Event.Alert)]


def test_a_toast_stays_while_it_is_read_and_while_its_button_has_the_focus(
    qtbot: QtBot, appearance: Appearance
) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    with qtbot.waitActive(host):
        host.show()
        host.activateWindow()
    toast = Toast(host)
    toast.say("Gone soon.")
    where, button = QPointF(5, 5), toast.findChild(QPushButton)
    assert isinstance(button, QPushButton)
    for come, go in (
        (
            lambda: QApplication.sendEvent(toast, QEnterEvent(where, where, where)),
            lambda: QApplication.sendEvent(toast, QEvent(QEvent.Type.Leave)),
        ),
        (button.setFocus, button.clearFocus),
    ):
        come()
        assert not toast._timer.isActive()
        go()
        assert toast._timer.isActive()
    toast.say("An error.", stay=True)
    QApplication.sendEvent(toast, QEvent(QEvent.Type.Leave))
    assert not toast._timer.isActive(), "that stays until it is closed"


@pytest.mark.parametrize(("width", "rows"), [(330, 1), (220, 2), (100, 3)])
def test_a_flow_breaks_its_rows(qtbot: QtBot, appearance: Appearance, width: int, rows: int) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    flow = FlowLayout(host, spacing=10)
    for _ in range(3):
        label = QLabel("x", host)
        label.setFixedSize(100, 20)
        flow.addWidget(label)
    assert flow.heightForWidth(width) == rows * 20 + (rows - 1) * 10
    flow.setGeometry(QRect(0, 0, width, 100))
    places = [flow.itemAt(index).geometry().topLeft() for index in range(3)]
    assert len({place.y() for place in places}) == rows
    assert places[0] == QPoint(0, 0)


def test_a_flow_gives_back_what_is_taken(qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    outer = QVBoxLayout(host)
    flow = FlowLayout()
    outer.addLayout(flow)
    label = QLabel("x", host)
    flow.addWidget(label)
    assert flow.count() == 1
    item = flow.takeAt(0)
    assert item is not None
    assert item.widget() is label
    assert flow.takeAt(0) is None
    assert flow.itemAt(5) is None
    assert flow.hasHeightForWidth()
    assert flow.minimumSize() == flow.sizeHint()


def test_segments_without_words_say_them_beside_the_pointer(qtbot: QtBot, appearance: Appearance) -> None:
    row = Segmented([("folder", "Folder", "folder"), ("draw", "Draw", "draw")])
    qtbot.addWidget(row)
    wide = row.sizeHint().width()
    row.show_words(on=False)
    assert row.sizeHint().width() < wide / 2
    assert row.button("draw").toolTip() == "Draw"
    assert row.button("draw").accessibleName() == "Draw"
    row.show_words(on=True)
    assert row.sizeHint().width() == wide
    assert row.button("draw").toolTip() == ""


def test_a_button_takes_another_role(qtbot: QtBot, appearance: Appearance) -> None:
    button = PushButton("Accept all", icon_name="check", role="primary")
    qtbot.addWidget(button)
    button.show()
    filled = button.grab().toImage()
    button.set_role("quiet")
    assert button.property("role") == "quiet"
    assert button.grab().toImage() != filled
    button.set_role("primary")
    assert button.grab().toImage() == filled


def test_the_wheel_over_a_closed_list_chooses_nothing(qtbot: QtBot) -> None:
    """Before, a notch over "Copy" made it "Move", and one over the backbone opened a dialog."""
    box = ComboBox()
    qtbot.addWidget(box)
    box.addItems(["Copy", "Move"])
    box.show()
    at = QPointF(5, 5)
    event = QWheelEvent(
        at, box.mapToGlobal(at), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(box, event)
    assert box.currentText() == "Copy"
    assert not event.isAccepted()


def test_a_window_opens_no_larger_than_its_screen(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    room = window.screen().availableSize()
    open_as(window, 5_000, 100)
    assert window.size() == QSize(round(room.width() * 0.95), 100)
