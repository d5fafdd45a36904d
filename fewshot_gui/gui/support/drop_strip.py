"""The strip that appears while something is dragged: dropping on it makes a new category."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QWidget

from fewshot_gui.gui.theme import RADIUS, mixed

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from fewshot_gui.gui.theme import Appearance


class DropStrip(QWidget):
    """A dashed frame with words in it, filled while it is the target."""

    def __init__(self, appearance: Appearance, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._text = text
        self._targeted = False
        self.setObjectName("newCategoryStrip")
        self.setAccessibleName(text)
        self.setFixedHeight(48)
        self.hide()

    @property
    def targeted(self) -> bool:
        """Whether what is dragged would land here."""
        return self._targeted

    def set_targeted(self, *, targeted: bool) -> None:
        """Show that what is being dragged would land here."""
        self._targeted = targeted
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the frame and the words."""
        theme = self._appearance.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        strong = self._targeted
        painter.setPen(
            QPen(theme.accent if strong else theme.muted, 2 if strong else 1, Qt.PenStyle.DashLine)
        )
        painter.setBrush(mixed(theme.accent, theme.surface, 0.12) if strong else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS, RADIUS)
        painter.setPen(theme.text if strong else theme.muted)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)
        painter.end()
