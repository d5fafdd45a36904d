"""Painted rows of a name, a number and a length: probabilities as bars, distances as marks on a ruler."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QLineF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

from fewshot_gui.gui.theme import mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fewshot_gui.gui.theme import Appearance

ROW: Final = 30
_DOT: Final = 8
_NUMBER: Final = 56
_LEFT: Final = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT: Final = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class Kind(Enum):
    """How a row shows its share: as a filled bar, or as a mark on a ruler that begins at nought."""

    BAR = auto()
    MARK = auto()


@dataclass(frozen=True, slots=True)
class BarRow:
    """One row: `share` is the length, 0 to 1 of the track, None for nothing to show."""

    name: str
    colour: int
    share: float | None
    number: str
    strong: bool = False


class Bars(QScrollArea):
    """Rows of bars or marks in the order given; more than `most` rows scroll."""

    def __init__(
        self, kind: Kind, appearance: Appearance, *, most: int = 6, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._most = most
        self._strong: int | None = None
        self._page = _Page(kind, appearance, self)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setWidget(self._page)
        self.viewport().setAutoFillBackground(False)
        self._page.setAutoFillBackground(False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.show_rows(())

    @property
    def rows(self) -> tuple[BarRow, ...]:
        """What is shown."""
        return self._page.rows

    def show_rows(self, rows: Sequence[BarRow]) -> None:
        """Show these rows."""
        self._page.rows = tuple(rows)
        self._page.setMinimumHeight(ROW * len(rows))
        self._page.update()
        # Half a row more shows that there is more below.
        shown = len(rows) if len(rows) <= self._most else self._most + 0.5
        self.setFixedHeight(round(ROW * shown))
        # A focus stop only where there is something to scroll.
        scrolls = len(rows) > self._most
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if scrolls else Qt.FocusPolicy.NoFocus)
        strong = next((number for number, row in enumerate(rows) if row.strong), None)
        if scrolls and strong is not None and strong != self._strong:
            # Once for a new answer only: whoever scrolls away from it is left in peace.
            self._page.resize(self._page.width(), ROW * len(rows))
            self.ensureVisible(0, strong * ROW + ROW // 2, 0, ROW)
        self._strong = strong
        words = ", ".join(f"{row.name} {row.number}" for row in rows[:20])
        self.setAccessibleDescription(words)


class _Page(QWidget):
    def __init__(self, kind: Kind, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self._kind, self._appearance = kind, appearance
        self.rows: tuple[BarRow, ...] = ()
        appearance.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(200, ROW * len(self.rows))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        first = max(0, event.rect().top() // ROW)
        for number in range(first, min(len(self.rows), event.rect().bottom() // ROW + 1)):
            # 10 px on the right are the scroll bar's, whether it is there or not.
            self._paint_row(painter, QRect(0, number * ROW, self.width() - 2, ROW), self.rows[number])

    def _paint_row(self, painter: QPainter, box: QRect, row: BarRow) -> None:
        theme = self._appearance.theme
        colour = theme.category(row.colour)
        words = box.adjusted(0, 1, 0, -11)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(QRectF(0, words.center().y() - _DOT / 2 + 0.5, _DOT, _DOT))
        font = theme.font("heading" if row.strong else "body")
        painter.setFont(font)
        painter.setPen(theme.text)
        name = words.adjusted(_DOT + 6, 0, -_NUMBER, 0)
        cut = painter.fontMetrics().elidedText(row.name, Qt.TextElideMode.ElideRight, name.width())
        painter.drawText(name, _LEFT, cut)
        painter.setPen(theme.text if row.strong else theme.muted)
        painter.drawText(words, _RIGHT, row.number)
        track = QRectF(0, box.bottom() - 7, box.width(), 4)
        if self._kind is Kind.BAR:
            self._paint_bar(painter, track, row, colour)
        else:
            self._paint_mark(painter, track, row, colour)

    def _paint_bar(self, painter: QPainter, track: QRectF, row: BarRow, colour: QColor) -> None:
        theme = self._appearance.theme
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(mixed(theme.text, theme.surface, 0.08))
        painter.drawRoundedRect(track, 2, 2)
        if row.share:
            # Never thinner than its rounding: a small probability is not none.
            length = max(4.0, track.width() * min(1.0, row.share))
            painter.setBrush(colour)
            painter.drawRoundedRect(QRectF(track.left(), track.top(), length, track.height()), 2, 2)

    def _paint_mark(self, painter: QPainter, track: QRectF, row: BarRow, colour: QColor) -> None:
        theme = self._appearance.theme
        middle = track.center().y()
        painter.setPen(QPen(theme.line, 1))
        painter.drawLine(QLineF(track.left(), middle, track.right(), middle))
        painter.drawLine(QLineF(track.left(), middle - 3, track.left(), middle + 3))
        if row.share is not None:
            x = track.left() + 4 + (track.width() - 8) * min(1.0, row.share)
            painter.setPen(QPen(colour, 2))
            painter.drawLine(QLineF(track.left(), middle, x, middle))
            painter.setBrush(colour)
            painter.setPen(QPen(theme.surface, 1.5))
            painter.drawEllipse(QRectF(x - 4.5, middle - 4.5, 9, 9))
