"""The loss of an inner loop as a small painted curve: it grows while the learner adapts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from fewshot_gui.gui.theme import mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fewshot_gui.gui.theme import Appearance, Theme

_HEIGHT: Final = 72
_MARGIN: Final = 8
"""As far as the handle of a slider reaches over its ends, so that a dot stands above its step."""
_MOST_DOTS: Final = 24


class LossCurve(QWidget):
    """A curve from step 0 on the left to the last on the right, with the step that is shown marked.

    Args:
        appearance: the look.
        parent: owns it.
        top: the value at the upper edge; None: the largest.
    """

    def __init__(
        self, appearance: Appearance, parent: QWidget | None = None, *, top: float | None = None
    ) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._top = top
        self.losses: tuple[float, ...] = ()
        self.steps = 0
        self.shown: int | None = None
        self.setObjectName("innerLoopCurve")
        self.setAccessibleName(self.tr("Error on the examples after each step"))
        self.setToolTip(self.accessibleName())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        appearance.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Return the height that the curve asks for; any width suits it."""
        return QSize(200, _HEIGHT)

    def show_losses(self, losses: Sequence[float], steps: int, shown: int | None = None) -> None:
        """Show the losses after so many steps as there are, of `steps` in all.

        Args:
            losses: after step 0, 1, ...; NaN where one is not known.
            steps: the last step, at the right end.
            shown: the step to mark; None for no mark.
        """
        self.losses, self.steps, self.shown = tuple(losses), steps, shown
        known = [f"{loss:.2f}" for loss in self.losses if math.isfinite(loss)]
        self.setAccessibleDescription(", ".join(known[:20]))
        self.update()

    def points(self) -> dict[int, QPointF]:
        """Return where the loss of each step stands, of those that have a finite one."""
        finite = {step: loss for step, loss in enumerate(self.losses) if math.isfinite(loss)}
        top = self._top or max(finite.values(), default=0.0) or 1.0
        width, height = self.width() - 2 * _MARGIN, self.height() - 2 * _MARGIN
        return {
            step: QPointF(
                _MARGIN + width * step / max(1, self.steps),
                _MARGIN + height * (1 - max(0.0, loss) / top),
            )
            for step, loss in finite.items()
        }

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the ground line, the curve and its dots."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, points = self._appearance.theme, self.points()
        base = self.height() - _MARGIN
        painter.setPen(QPen(theme.line, 1))
        painter.drawLine(QPointF(_MARGIN, base), QPointF(self.width() - _MARGIN, base))
        if not points:
            return
        self._paint_curve(painter, theme, list(points.values()), base)
        self._paint_dots(painter, theme, points, base)

    def _paint_curve(self, painter: QPainter, theme: Theme, line: list[QPointF], base: float) -> None:
        area = QPolygonF([QPointF(line[0].x(), base), *line, QPointF(line[-1].x(), base)])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(mixed(theme.accent, theme.surface, 0.12))
        painter.drawPolygon(area)
        painter.setPen(QPen(theme.accent, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(line))

    def _paint_dots(self, painter: QPainter, theme: Theme, points: dict[int, QPointF], base: float) -> None:
        """A dot for each step, where they do not run together; a larger one for that which is shown."""
        marked = points.get(-1 if self.shown is None else self.shown)
        if marked is not None:
            painter.setPen(QPen(theme.muted, 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(marked.x(), base), marked)
        painter.setPen(QPen(theme.surface, 1.5))
        painter.setBrush(theme.accent)
        for point in points.values() if self.steps <= _MOST_DOTS else ():
            painter.drawEllipse(QRectF(point.x() - 3.5, point.y() - 3.5, 7, 7))
        if marked is not None:
            painter.drawEllipse(QRectF(marked.x() - 5.5, marked.y() - 5.5, 11, 11))
