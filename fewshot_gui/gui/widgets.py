"""The small widgets that every panel is built from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter, QPaintEvent, QPalette, QWheelEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyle,
    QToolButton,
    QWidget,
)

from fewshot_gui.gui.empty_state import EmptyState
from fewshot_gui.gui.flow_layout import FlowLayout
from fewshot_gui.gui.icons import IconName, icon, icon_before_words
from fewshot_gui.gui.toast import Toast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "ComboBox",
    "ElidedLabel",
    "EmptyState",
    "FlowLayout",
    "PushButton",
    "SectionHeader",
    "Segmented",
    "Separator",
    "Toast",
    "ToolButton",
    "qimage",
]

_ICON_BEFORE_WORDS = QSize(20, 16)
_ICON_ALONE = QSize(16, 16)
_TINTS = (QEvent.Type.PaletteChange, QEvent.Type.ApplicationPaletteChange, QEvent.Type.EnabledChange)


def qimage(pixels: NDArray[np.uint8]) -> QImage:
    """Return (H, W, 3) RGB uint8 `pixels` as an image that owns its bytes."""
    rows = np.ascontiguousarray(pixels)
    height, width, channels = rows.shape
    return QImage(rows.data, width, height, channels * width, QImage.Format.Format_RGB888).copy()


def open_as(window: QWidget, width: int, height: int) -> None:
    """Make a window so large at first, or as large as its screen bears: its lowest row must be seen."""
    window.resize(QSize(width, height).boundedTo(window.screen().availableSize() * 0.95))


def _ink(button: QWidget) -> QColor:
    """Return the colour of a button's sign, faded while it is disabled: Qt leaves white nearly white."""
    group = QPalette.ColorGroup.Active if button.isEnabled() else QPalette.ColorGroup.Disabled
    return QGuiApplication.palette().color(group, QPalette.ColorRole.ButtonText)


class ElidedLabel(QLabel):
    """A label of one line that ends in an ellipsis where it is too long; its tooltip then says it all."""

    def __init__(
        self,
        text: str = "",
        parent: QWidget | None = None,
        *,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        super().__init__(text, parent)
        self._mode = mode
        # Else a name in Arabic would stand at the other end of its line than its neighbours.
        edge = QStyle.visualAlignment(self.layoutDirection(), Qt.AlignmentFlag.AlignLeft)
        self.setAlignment(edge | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        """Return room for three letters and the ellipsis, or for the whole text where it is shorter."""
        width = self.fontMetrics().horizontalAdvance
        return QSize(min(width("mmm…"), width(self.text())), super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much of the text as fits."""
        inner = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), self._mode, inner.width())
        if shown == self.text():
            super().paintEvent(event)
            self.setToolTip("")
            return
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(inner, int(self.alignment()), shown)
        self.setToolTip(self.text())


class SectionHeader(QWidget):
    """A heading with a muted note beside it; `add` puts buttons at its right end."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = QLabel(text, self)
        self.label.setProperty("role", "heading")
        self.note = ElidedLabel(parent=self)  # else a long one would make a narrow panel wider than its view
        self.note.setProperty("role", "muted")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)
        self._row.addWidget(self.label)
        self._row.addWidget(self.note, 1)

    def add(self, widget: QWidget) -> None:
        """Put `widget` at the right end."""
        self._row.addWidget(widget)


class Separator(QFrame):
    """A horizontal line of 1 px."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "line")


class ToolButton(QToolButton):
    """An icon to click, in the palette's colour, with `tip` as its tooltip and accessible name.

    `key` is the shortcut to name in the tooltip; the button does not listen to it itself.
    """

    def __init__(
        self,
        icon_name: IconName,
        tip: str,
        parent: QWidget | None = None,
        *,
        key: str = "",
        size: int = 20,
    ) -> None:
        super().__init__(parent)
        self._name = icon_name
        self.setIconSize(QSize(size, size))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAutoRaise(True)
        self.set_tip(tip, key)
        self._tint()

    def set_tip(self, tip: str, key: str = "") -> None:
        """Name the button `tip`, and show it with `key` in the tooltip."""
        self.setAccessibleName(tip)
        self.setToolTip(f"{tip} ({key})" if key else tip)

    def set_icon(self, icon_name: IconName) -> None:
        """Show another icon."""
        self._name = icon_name
        self._tint()

    def changeEvent(self, event: QEvent) -> None:
        """Tint the icon again when the palette changes."""
        super().changeEvent(event)
        if event.type() in _TINTS:
            self._tint()

    def _tint(self) -> None:
        self.setIcon(icon(self._name, _ink(self)))


class ComboBox(QComboBox):
    """A list that the wheel changes only while it is open: who scrolls past it chooses nothing."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to what can be scrolled."""
        event.ignore()


class PushButton(QPushButton):
    """A button with words; `role` primary, quiet or danger, and an icon that follows the palette."""

    def __init__(
        self, text: str, parent: QWidget | None = None, *, icon_name: IconName | None = None, role: str = ""
    ) -> None:
        super().__init__(text, parent)
        self._name = icon_name
        self.setIconSize(_ICON_BEFORE_WORDS)
        self.setProperty("role", role)
        self.setAccessibleName(text)
        self._tint()

    def set_role(self, role: str) -> None:
        """Look like another `role` from now on."""
        if role != self.property("role"):
            self.setProperty("role", role)
            self.style().unpolish(self)  # else the style keeps the former look
            self.style().polish(self)
            self._tint()

    def changeEvent(self, event: QEvent) -> None:
        """Tint the icon again when the palette changes."""
        super().changeEvent(event)
        if event.type() in _TINTS:
            self._tint()

    def _tint(self) -> None:
        if self._name is None:
            return
        palette, on = QGuiApplication.palette(), self.isEnabled()
        primary = on and self.property("role") == "primary"
        role = QPalette.ColorRole.HighlightedText if primary else QPalette.ColorRole.ButtonText
        group = QPalette.ColorGroup.Active if on else QPalette.ColorGroup.Disabled
        self.setIcon(icon_before_words(self._name, palette.color(group, role)))


class _Segment(ToolButton):
    """An icon with words beside it."""

    def _tint(self) -> None:
        colour = _ink(self)
        alone = self.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonIconOnly
        self.setIconSize(_ICON_ALONE if alone else _ICON_BEFORE_WORDS)
        self.setIcon(icon(self._name, colour) if alone else icon_before_words(self._name, colour))

    def show_words(self, *, on: bool) -> None:
        """Show the icon with its words, or alone with the words beside the pointer."""
        beside, alone = Qt.ToolButtonStyle.ToolButtonTextBesideIcon, Qt.ToolButtonStyle.ToolButtonIconOnly
        self.setToolButtonStyle(beside if on else alone)
        self.setToolTip("" if on else self.text())
        self._tint()


class Segmented(QFrame):
    """A row of buttons of which exactly one is chosen; `chosen(key)` is emitted when the person picks one.

    `options` are (key, text, icon name or None). The arrow keys move the choice.
    """

    chosen = Signal(str)

    def __init__(
        self, options: Sequence[tuple[str, str, IconName | None]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "segmented")
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        self._group = QButtonGroup(self)
        self._keys = [key for key, _, _ in options]
        for number, (key, text, icon_name) in enumerate(options):
            button = self._button(key, text, icon_name)
            self._group.addButton(button, number)
            row.addWidget(button)
        self._group.idClicked.connect(lambda number: self.chosen.emit(self._keys[number]))
        self.button(self._keys[0]).setChecked(True)

    def _button(self, key: str, text: str, icon_name: IconName | None) -> QToolButton:
        button = _Segment(icon_name, text, self) if icon_name else QToolButton(self)
        button.setObjectName(f"segment:{key}")
        button.setProperty("role", "segment")
        button.setText(text)
        button.setAccessibleName(text)
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        return button

    @property
    def current(self) -> str:
        """Return the key of the chosen button."""
        return self._keys[self._group.checkedId()]

    def show_words(self, *, on: bool) -> None:
        """Show the words beside the icons, or the icons alone."""
        for button in self._group.buttons():
            if isinstance(button, _Segment):
                button.show_words(on=on)

    def choose(self, key: str) -> None:
        """Choose `key` without emitting `chosen`."""
        self.button(key).setChecked(True)

    def button(self, key: str) -> QToolButton:
        """Return the button of `key`."""
        button = self._group.button(self._keys.index(key))
        assert isinstance(button, QToolButton)
        return button
