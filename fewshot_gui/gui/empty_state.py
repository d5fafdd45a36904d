"""What a panel shows while it has nothing: a picture, a sentence, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QPainter, QPalette, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from fewshot_gui.gui.icons import IconName, icon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPaintEvent

_TINTS = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange, QEvent.Type.ApplicationPaletteChange)


_WIDEST_TEXT = 560
"""In pixels: the eye finds the next line of some eighty letters, not that of a whole large screen."""


def _narrow(label: QLabel) -> QHBoxLayout:
    """Return the label in the middle of its line, no wider than can be read."""
    row = QHBoxLayout()
    row.addStretch(1)
    label.setMaximumWidth(_WIDEST_TEXT)
    row.addWidget(label, 1000)
    row.addStretch(1)
    return row


class EmptyState(QWidget):
    """A centred icon, title and text, and the `buttons` that lead on; the first is the main one.

    Put one into a stack or a layout; it is as wide as it is given, and wraps its text.
    """

    def __init__(
        self,
        icon_name: IconName,
        title: str,
        text: str,
        buttons: Sequence[QPushButton] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._name = icon_name
        self._targeted = False
        self._picture = QLabel(self)
        self.title = self._label(title, "title")
        self.text = self._label(text, "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(8)
        column.addStretch(2)
        column.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(8)
        column.addWidget(self.title)
        column.addLayout(_narrow(self.text))
        column.addSpacing(12)
        for index, button in enumerate(buttons):
            button.setProperty("role", "primary" if index == 0 else button.property("role"))
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        self._tint()

    def _label(self, text: str, role: str) -> QLabel:
        label = QLabel(text, self)
        label.setProperty("role", role)
        label.setWordWrap(True)
        label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        return label

    def set_targeted(self, *, targeted: bool) -> None:
        """Show with a dashed frame that what is being dragged would land here."""
        if targeted != self._targeted:
            self._targeted = targeted
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the frame of a drop target."""
        super().paintEvent(event)
        if not self._targeted:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        accent = QGuiApplication.palette().color(QPalette.ColorRole.Accent)
        painter.setPen(QPen(accent, 2, Qt.PenStyle.DashLine))
        accent.setAlphaF(0.1)
        painter.setBrush(accent)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icon again in the colours of a new palette."""
        super().changeEvent(event)
        if event.type() in _TINTS:
            self._tint()

    def _tint(self) -> None:
        colour = QGuiApplication.palette().color(QPalette.ColorRole.PlaceholderText)
        self._picture.setPixmap(icon(self._name, colour).pixmap(48, 48))
