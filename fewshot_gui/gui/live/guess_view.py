"""A prediction as a label and bars, in a column beside the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from fewshot_gui.gui.live.guess import BarStyle, Guess, LabelInk, bar_height, paint_bars, paint_label

if TYPE_CHECKING:
    from fewshot_gui.gui.theme import Appearance

_HEAD = 56
_MOST_BARS = 5


class GuessView(QWidget):
    """Shows one guess, or a muted sentence while there is none."""

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._guess: Guess | None = None
        self._instead = ""
        self.setObjectName("canvasGuess")
        self.setAccessibleName(self.tr("What the drawing looks like"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        appearance.changed.connect(self.update)

    @property
    def guess(self) -> Guess | None:
        """What is shown; None while there is nothing to show."""
        return self._guess

    def show_guess(self, guess: Guess | None, instead: str = "") -> None:
        """Show `guess`, or where there is none the sentence `instead`."""
        self._guess, self._instead = guess, instead
        self.setAccessibleDescription(guess.label if guess else instead)
        self.update()

    def sizeHint(self) -> QSize:
        """Return room for the label and five bars."""
        return QSize(240, _HEAD + round(_MOST_BARS * bar_height(self._appearance.theme.font("body"))))

    def minimumSizeHint(self) -> QSize:
        """Return room for the label and three bars."""
        return QSize(160, _HEAD + round(3 * bar_height(self._appearance.theme.font("body"))))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the label with its disc, and the bars below."""
        theme, painter = self._appearance.theme, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        if self._guess is None:
            painter.setFont(theme.font("body"))
            painter.setPen(theme.muted)
            top = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)
            painter.drawText(area, top, self._instead)
            return
        font = theme.font("title")
        font.setPixelSize(26)
        head = QRectF(0, 0, area.width(), _HEAD - 12)
        paint_label(painter, head, self._guess, font, LabelInk(theme.text, theme.muted))
        style = BarStyle(theme.text, theme.line, theme.font("body"), faint=self._guess.colour is None)
        paint_bars(painter, area.adjusted(0, _HEAD, -1, 0), self._guess.bars, style)
