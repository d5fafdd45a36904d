"""The paper to draw on, with mouse, pen or finger."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from fewshot_gui.engine.sources.drawing import LINE_SHARE, Point, Sketch, Stroke
from fewshot_gui.gui.theme import RADIUS

if TYPE_CHECKING:
    from PySide6.QtGui import QFocusEvent

    from fewshot_gui.gui.theme import Appearance

_PAPER = {False: QColor("#ffffff"), True: QColor("#ebeae6")}  # by whether the theme is dark
_INK = QColor("#16171b")
_HINT = QColor("#5d6372")  # 4.5:1 and more on either paper (WCAG AA)
_LEAST_STEP = 0.004
"""Points nearer than this share of the side are left out: they only make the line tremble."""


class Canvas(QWidget):
    """A square sheet of paper; `changed` is emitted after every stroke, undo and clearing.

    A pen and a finger arrive as the mouse: Qt translates what nobody else takes.
    Ctrl+Z undoes and Esc clears, here and only while the paper has the focus.
    """

    changed = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._sketch = Sketch()
        self._points: list[Point] = []
        self._hint = ""
        self.setObjectName("canvasView")
        self.setAccessibleName(self.tr("Paper to draw on"))
        self.setToolTip(self.tr("Draw here. Ctrl+Z undoes, Esc clears."))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setSizePolicy(policy)
        appearance.changed.connect(self.update)

    @property
    def sketch(self) -> Sketch:
        """What is on the paper, with its past."""
        return self._sketch

    def set_hint(self, text: str) -> None:
        """Show `text` in the middle of the paper while it is blank."""
        self._hint = text
        self.update()

    def undo(self) -> None:
        """Take back the last stroke or clearing."""
        self._set(self._sketch.undone())

    def clear(self) -> None:
        """Take a blank sheet; undo brings the drawing back."""
        self._points = []
        self._set(self._sketch.cleared())

    def renew(self) -> None:
        """Take a blank sheet without a past: the drawing was handed in."""
        self._points = []
        self._set(Sketch())

    def sizeHint(self) -> QSize:
        """Return a comfortable sheet."""
        return QSize(420, 420)

    def minimumSizeHint(self) -> QSize:
        """Return the smallest sheet that a finger can draw on."""
        return QSize(160, 160)

    def paper(self) -> QRectF:
        """Return where the sheet lies: the largest square, in the middle of the upper edge."""
        side = min(self.width(), self.height()) - 4.0
        return QRectF((self.width() - side) / 2, 2, side, side)

    def event(self, event: QEvent) -> bool:
        """Keep Ctrl+Z and Esc from the window while there is something here that they mean."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and self._means(event)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Undo and clear."""
        if event.matches(QKeySequence.StandardKey.Undo) and self._sketch.can_undo:
            self.undo()
        elif event.key() == Qt.Key.Key_Escape and not self._sketch.is_empty:
            self.clear()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the pen down."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self._points = [self._on_paper(event.position())]
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw on."""
        if not self._points:
            return
        x, y = self._on_paper(event.position())
        last_x, last_y = self._points[-1]
        if abs(x - last_x) + abs(y - last_y) >= _LEAST_STEP:
            self._points.append((x, y))
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Lift the pen: the stroke is done."""
        if event.button() == Qt.MouseButton.LeftButton and self._points:
            stroke, self._points = Stroke(tuple(self._points)), []
            self._set(self._sketch.drawn(stroke))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus ring."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the focus ring."""
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint paper, ink and, on blank paper, the hint."""
        theme, paper = self._appearance.theme, self.paper()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.focus, 2) if self.hasFocus() else QPen(theme.line, 1))
        painter.setBrush(_PAPER[theme.dark])
        painter.drawRoundedRect(paper, RADIUS, RADIUS)
        painter.setClipRect(paper)
        if self._sketch.is_empty and not self._points:
            painter.setFont(theme.font("body"))
            painter.setPen(_HINT)
            words = paper.adjusted(24, 24, -24, -24)
            painter.drawText(words, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), self._hint)
            return
        pen = QPen(_INK, LINE_SHARE * paper.width())
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for stroke in self._sketch.strokes:
            painter.drawPath(smooth_path(stroke.points, paper))
        painter.drawPath(smooth_path(tuple(self._points), paper))

    def _means(self, event: QKeyEvent) -> bool:
        if event.matches(QKeySequence.StandardKey.Undo):
            return self._sketch.can_undo
        return event.key() == Qt.Key.Key_Escape and not self._sketch.is_empty

    def _on_paper(self, position: QPointF) -> Point:
        """Return the place on the sheet, held at its edges."""
        paper = self.paper()
        x, y = (position.x() - paper.left()) / paper.width(), (position.y() - paper.top()) / paper.height()
        return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)

    def _set(self, sketch: Sketch) -> None:
        if sketch != self._sketch:
            self._sketch = sketch
            self.changed.emit()
        self.update()


def smooth_path(points: tuple[Point, ...], paper: QRectF) -> QPainterPath:
    """Return a curve through the middles between the points, with the points as its handles."""
    path = QPainterPath()
    spots = [QPointF(paper.left() + x * paper.width(), paper.top() + y * paper.height()) for x, y in points]
    if not spots:
        return path
    path.moveTo(spots[0])
    for spot, following in pairwise(spots[1:]):
        path.quadTo(spot, (spot + following) / 2)
    # A single point would be an empty path, which no pen paints.
    path.lineTo(spots[-1] if len(spots) > 1 else spots[0] + QPointF(0.01, 0))
    return path
