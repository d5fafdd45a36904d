"""What waits for the first picture of a window on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget


class FirstPaint(QObject):
    """Calls `then` once, when `widget` was painted next and the event loop has come round again.

    It lives as long as the widget; a widget that is never painted calls nothing.
    """

    def __init__(self, widget: QWidget, then: Callable[[], None]) -> None:
        super().__init__(widget)
        self._then = then
        widget.installEventFilter(self)
        # One that was painted before anybody listened is painted once more.
        widget.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look on, and let every event pass."""
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self._then)
        return False
