"""The taught pictures that are nearest to the one in question, in the order of their distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from fewshot_gui.gui.query.thumbnail_cache import rounded
from fewshot_gui.gui.theme import RADIUS, mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fewshot_gui.gui.theme import Appearance

MOST: Final = 4
_GAP: Final = 8
_WORDS: Final = 40


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One taught picture: its JPEG thumbnail (empty where it is lost), its category and its distance."""

    thumbnail: bytes
    category: str
    colour: int
    distance: float


class Neighbours(QWidget):
    """Up to four pictures side by side, each with its category and its distance."""

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._shown: tuple[Neighbour, ...] = ()
        self._pixmaps: dict[tuple[bytes, int], QPixmap] = {}
        self.setObjectName("nearestExamples")
        self.setAccessibleName(self.tr("Nearest examples"))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        appearance.changed.connect(self.update)

    @property
    def shown(self) -> tuple[Neighbour, ...]:
        """What is shown, nearest first."""
        return self._shown

    def show_neighbours(self, neighbours: Sequence[Neighbour]) -> None:
        """Show the first of these."""
        self._shown = tuple(neighbours[:MOST])
        words = ", ".join(f"{each.category} {each.distance:.2f}" for each in self._shown)
        self.setAccessibleDescription(words)
        kept = {each.thumbnail for each in self._shown}
        self._pixmaps = {key: pixmap for key, pixmap in self._pixmaps.items() if key[0] in kept}
        self.updateGeometry()
        self.update()

    def hasHeightForWidth(self) -> bool:
        """Return True: the pictures are squares that share the width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of the squares with their words."""
        return self._side(width) + _WORDS if self._shown else 0

    def sizeHint(self) -> QSize:
        """Return the size at the present width."""
        return QSize(240, self.heightForWidth(max(200, self.width())))

    def _side(self, width: int) -> int:
        return max(24, (width - (MOST - 1) * _GAP) // MOST)

    def _box(self, number: int) -> QRect:
        side = self._side(self.width())
        return QRect(number * (side + _GAP), 0, side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the pictures and the words below."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number, each in enumerate(self._shown):
            self._paint(painter, self._box(number), each)

    def _paint(self, painter: QPainter, box: QRect, each: Neighbour) -> None:
        theme = self._appearance.theme
        pixmap = self._pixmap(each, box.width())
        if pixmap is None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(mixed(theme.text, theme.surface, 0.07))
            painter.drawRoundedRect(box, RADIUS, RADIUS)
        else:
            painter.drawPixmap(box.topLeft(), pixmap)
        line = QRect(box.left(), box.bottom() + 5, box.width(), 16)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.category(each.colour))
        painter.drawEllipse(QRectF(line.left(), line.center().y() - 3, 7, 7))
        left = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.text)
        name = line.adjusted(11, 0, 0, 0)
        cut = painter.fontMetrics().elidedText(each.category, Qt.TextElideMode.ElideRight, name.width())
        painter.drawText(name, left, cut)
        painter.setPen(theme.muted)
        painter.drawText(line.translated(0, 16), left, f"{each.distance:.2f}")

    def _pixmap(self, each: Neighbour, side: int) -> QPixmap | None:
        ratio = self.devicePixelRatioF()
        key = (each.thumbnail, round(side * ratio))
        if key not in self._pixmaps:
            image = QImage.fromData(each.thumbnail)
            if image.isNull():
                return None
            edge = min(image.width(), image.height())
            cut = image.copy((image.width() - edge) // 2, (image.height() - edge) // 2, edge, edge)
            smooth = Qt.TransformationMode.SmoothTransformation
            scaled = cut.scaled(key[1], key[1], Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
            self._pixmaps[key] = rounded(scaled, RADIUS, ratio)
        return self._pixmaps[key]

    def event(self, event: QEvent) -> bool:
        """Say the whole name of the picture under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            for number, each in enumerate(self._shown):
                if self._box(number).adjusted(0, 0, 0, _WORDS).contains(event.pos()):
                    words = self.tr("{category}, distance {distance}")
                    words = words.format(category=each.category, distance=f"{each.distance:.3f}")
                    QToolTip.showText(event.globalPos(), words, self)
                    return True
        return bool(super().event(event))
