"""How the tiles of a category look: a thumbnail, its marks, and the tile that adds more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from fewshot_gui.gui.icons import icon
from fewshot_gui.gui.support.thumbnails import CORNER

if TYPE_CHECKING:
    from PySide6.QtGui import QPixmap

    from fewshot_gui.gui.theme import Theme


class TilePainter:
    """Paints tiles in the colours of `theme`."""

    def __init__(self, painter: QPainter, theme: Theme) -> None:
        self._painter = painter
        self._theme = theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def picture(self, cell: QRect, pixmap: QPixmap | None) -> None:
        """Paint `pixmap` in `cell`, a grey tile with a picture sign where it is not there yet."""
        if pixmap is not None:
            self._painter.drawPixmap(cell.topLeft(), pixmap)
            return
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(self._theme.line)
        self._painter.drawRoundedRect(cell, CORNER, CORNER)
        icon("image", self._theme.muted).paint(self._painter, cell.adjusted(16, 16, -16, -16))

    def chosen(self, cell: QRect) -> None:
        """Paint the ring of a chosen tile."""
        # A line of the surface between picture and ring keeps the ring visible on any picture.
        self._ring(cell, 2.5, QPen(self._theme.surface, 1))
        self._ring(cell, 1, QPen(self._theme.accent, 2))

    def focused(self, cell: QRect) -> None:
        """Paint the dotted ring of the tile that the keyboard stands on."""
        self._ring(cell, 1, QPen(self._theme.focus, 2, Qt.PenStyle.DotLine))

    def badge(self, place: QRect) -> None:
        """Paint the round x that removes a picture."""
        self._painter.setPen(QPen(self._theme.line, 1))
        self._painter.setBrush(self._theme.surface)
        self._painter.drawEllipse(QRectF(place).adjusted(0.5, 0.5, -0.5, -0.5))
        icon("close", self._theme.text).paint(self._painter, place.adjusted(3, 3, -3, -3))

    def warning(self, place: QRect) -> None:
        """Paint the round sign of a picture about which there is something to say."""
        self._painter.setPen(QPen(self._theme.line, 1))
        self._painter.setBrush(self._theme.surface)
        self._painter.drawEllipse(QRectF(place).adjusted(0.5, 0.5, -0.5, -0.5))
        icon("warning", self._theme.warning).paint(self._painter, place.adjusted(3, 2, -3, -4))

    def plus(self, cell: QRect, *, hovered: bool, focused: bool) -> None:
        """Paint the tile that adds files."""
        theme = self._theme
        if hovered:
            self._painter.setPen(Qt.PenStyle.NoPen)
            self._painter.setBrush(theme.surface)
            self._painter.drawRoundedRect(cell, CORNER, CORNER)
        edge = QPen(theme.focus, 2) if focused else QPen(theme.muted, 1, Qt.PenStyle.DashLine)
        self._ring(cell, 1, edge)
        sign = icon("add", theme.text if hovered or focused else theme.muted)
        sign.paint(self._painter, cell.adjusted(16, 16, -16, -16))

    def _ring(self, cell: QRect, inset: float, pen: QPen) -> None:
        self._painter.setBrush(Qt.BrushStyle.NoBrush)
        self._painter.setPen(pen)
        radius = CORNER - inset / 2
        self._painter.drawRoundedRect(QRectF(cell).adjusted(inset, inset, -inset, -inset), radius, radius)
