"""What is said of the picture in the large view: the answer, and the likeliest categories as bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from fewshot_gui.gui.bidi import isolated
from fewshot_gui.gui.theme import mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fewshot_gui.engine.deciding.answers import Shown
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.state import Document
    from fewshot_gui.gui.theme import Appearance

MOST: Final = 5
HEIGHT: Final = 64
_LINE: Final = 28
_GAP: Final = 24
_DOT: Final = 8
_LEFT: Final = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT: Final = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True, slots=True)
class LargeBar:
    """One category: its name, its colour, its probability, 0 to 1, and its key, empty where it has none."""

    name: str
    colour: int
    probability: float
    key: str = ""


def bars_of(scores: Scores | None, row: int, document: Document) -> tuple[LargeBar, ...]:
    """Return the likeliest categories of a row, the likeliest first; empty where nothing is known."""
    if scores is None or row >= scores.count or not scores.known[row]:
        return ()
    categories = {category.id: category for category in document.categories}
    probabilities = scores.probabilities[row]
    order = np.argsort(-probabilities, kind="stable")[:MOST].tolist()
    found = ((categories.get(scores.classes[index]), float(probabilities[index])) for index in order)
    return tuple(
        LargeBar(each.name, each.colour, probability, each.shortcut.upper())
        for each, probability in found
        if each is not None
    )


def _behind(bar: LargeBar) -> str:
    return f"  {bar.key}" if bar.key else ""


class LargeAnswer(QWidget):
    """Paints the sentence and the bars.

    `drawn` is what the person has before their eyes: it follows `show_answer` only when that is painted, so
    that a key is never about a suggestion that came in the meantime.
    """

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._sentence = ""
        self._bars: tuple[LargeBar, ...] = ()
        self._shown: Shown | None = None
        self.drawn: Shown | None = None
        self.setObjectName("largeAnswer")
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        appearance.changed.connect(self.update)

    @property
    def bars(self) -> tuple[LargeBar, ...]:
        """What is shown, the likeliest first."""
        return self._bars

    @property
    def sentence(self) -> str:
        """What is said of the picture."""
        return self._sentence

    def show_answer(self, sentence: str, bars: Sequence[LargeBar], shown: Shown | None) -> None:
        """Show this."""
        self._sentence, self._bars, self._shown = sentence, tuple(bars), shown
        self.setAccessibleName(sentence)
        self.setAccessibleDescription(
            ", ".join(f"{bar.name}{_behind(bar)} {round(100 * bar.probability)} %" for bar in self._bars)
        )
        self.update()

    def sizeHint(self) -> QSize:
        """Return room for a sentence and bars below it."""
        return QSize(600, HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the sentence, and the bars side by side below it."""
        self.drawn = self._shown
        theme = self._appearance.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("title"))
        painter.setPen(theme.text)
        line = QRect(0, 0, self.width(), _LINE)
        middle = Qt.TextElideMode.ElideMiddle
        painter.drawText(line, _LEFT, painter.fontMetrics().elidedText(self._sentence, middle, line.width()))
        width = (self.width() - (MOST - 1) * _GAP) // MOST
        for number, bar in enumerate(self._bars):
            self._paint_bar(painter, QRect(number * (width + _GAP), _LINE + 4, width, 28), bar, number)

    def _paint_bar(self, painter: QPainter, box: QRect, bar: LargeBar, number: int) -> None:
        theme = self._appearance.theme
        words = box.adjusted(0, 0, 0, -8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.category(bar.colour))
        painter.drawEllipse(QRectF(words.left(), words.center().y() - _DOT / 2 + 0.5, _DOT, _DOT))
        painter.setFont(theme.font("body" if number else "heading"))
        painter.setPen(theme.muted if number else theme.text)
        percent = "< 1 %" if 0 < bar.probability < 0.005 else f"{round(100 * bar.probability)} %"
        painter.drawText(words, _RIGHT, percent)
        room = words.adjusted(_DOT + 6, 0, -48, 0)
        key, metrics = _behind(bar), painter.fontMetrics()
        left = room.width() - metrics.horizontalAdvance(key)  # a long name is cut, its key is not
        cut = metrics.elidedText(bar.name, Qt.TextElideMode.ElideRight, left)
        painter.drawText(room, _LEFT, isolated(cut) + key)
        track = QRectF(box.left(), box.bottom() - 5, box.width(), 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(mixed(theme.text, theme.surface, 0.1))
        painter.drawRoundedRect(track, 2, 2)
        if bar.probability:
            painter.setBrush(theme.category(bar.colour))
            length = max(4.0, track.width() * min(1.0, bar.probability))
            painter.drawRoundedRect(QRectF(track.left(), track.top(), length, track.height()), 2, 2)
