"""Scrolls an area while something is dragged near its upper or lower edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QTimer, Signal

if TYPE_CHECKING:
    from PySide6.QtWidgets import QScrollArea

_EDGE = 36
_TICK_MS = 16
_STEP = 9


class EdgeScroller(QObject):
    """Tell it where the mouse is with `follow`, and call `stop` when the drag has ended.

    Signals:
        scrolled: something else lies under the mouse, which may stand still.
    """

    scrolled = Signal()

    def __init__(self, area: QScrollArea) -> None:
        super().__init__(area)
        self._area = area
        self._step = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self.tick)

    def follow(self, place: QPoint) -> None:
        """Scroll as long as `place`, in global coordinates, is near an edge."""
        viewport = self._area.viewport()
        y = viewport.mapFromGlobal(place).y()
        above, below = y < _EDGE, y > viewport.height() - _EDGE
        self._step = (_STEP if below else 0) - (_STEP if above else 0)
        if self._step and not self._timer.isActive():
            self._timer.start()
        elif not self._step:
            self._timer.stop()

    def tick(self) -> None:
        """Scroll by one step."""
        bar = self._area.verticalScrollBar()
        before = bar.value()
        bar.setValue(before + self._step)
        if bar.value() != before:
            self.scrolled.emit()

    def stop(self) -> None:
        """Scroll no more."""
        self._step = 0
        self._timer.stop()
