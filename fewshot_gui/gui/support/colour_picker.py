"""The popover with the twelve colours of the palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QGridLayout, QWidget

from fewshot_gui.engine.state import PALETTE_SIZE

if TYPE_CHECKING:
    from fewshot_gui.gui.theme import Appearance

_COLUMNS = 6
_STEPS = {
    Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -_COLUMNS, Qt.Key.Key_Down: _COLUMNS,
}  # fmt: skip


class ColourChip(QAbstractButton):
    """A square of a category's colour that is clicked to choose another."""

    def __init__(
        self, appearance: Appearance, colour: int = 0, parent: QWidget | None = None, *, side: int = 24
    ) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._colour = colour
        self.setFixedSize(QSize(side, side))
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def colour(self) -> int:
        """The index into the palette."""
        return self._colour

    def show_colour(self, colour: int) -> None:
        """Show palette entry `colour`."""
        if colour != self._colour:
            self._colour = colour
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the square; a ring where it is chosen, focused or under the mouse."""
        theme = self._appearance.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.category(self._colour))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(3, 3, -3, -3), 5, 5)
        if self.isChecked() or self.hasFocus() or self.underMouse():
            strong = self.hasFocus() or self.isChecked()
            painter.setPen(QPen(theme.focus if self.hasFocus() else theme.muted, 2 if strong else 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 7, 7)
        painter.end()


class ColourPicker(QFrame):
    """A popover that emits `picked(index)` once and goes; the arrow keys walk, Enter picks, Escape leaves."""

    picked = Signal(int)

    def __init__(self, appearance: Appearance, chosen: int, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("colourPicker")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(self.tr("Colour of the category"))
        self.setProperty("role", "popover")
        grid = QGridLayout(self)
        grid.setContentsMargins(8, 8, 8, 8)
        grid.setSpacing(4)
        self.chips = [self._chip(appearance, colour) for colour in range(PALETTE_SIZE)]
        for colour, chip in enumerate(self.chips):
            grid.addWidget(chip, *divmod(colour, _COLUMNS))
        self.chips[chosen].setChecked(True)
        self.chips[chosen].setFocus()

    def _chip(self, appearance: Appearance, colour: int) -> ColourChip:
        chip = ColourChip(appearance, colour, self, side=30)
        chip.setObjectName(f"colour:{colour}")
        chip.setCheckable(True)
        chip.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        chip.setAccessibleName(self.tr("Colour {number}").format(number=colour + 1))
        chip.clicked.connect(lambda: self._pick(colour))
        return chip

    def open_at(self, place: QPoint) -> None:
        """Open with the upper left corner at `place`, in global coordinates, or as near as it is all seen."""
        screen = QGuiApplication.screenAt(place) or self.screen()
        room, size = screen.availableGeometry(), self.sizeHint()
        x = max(room.left(), min(place.x(), room.right() + 1 - size.width()))
        y = max(room.top(), min(place.y(), room.bottom() + 1 - size.height()))
        self.move(x, y)
        self.show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk through the colours, or pick the one with the focus."""
        focused = next((at for at, chip in enumerate(self.chips) if chip.hasFocus()), 0)
        key = Qt.Key(event.key())
        if key in _STEPS:
            self.chips[(focused + _STEPS[key]) % PALETTE_SIZE].setFocus()
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._pick(focused)
        else:
            super().keyPressEvent(event)

    def _pick(self, colour: int) -> None:
        self.picked.emit(colour)
        self.close()
