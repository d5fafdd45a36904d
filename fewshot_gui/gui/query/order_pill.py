"""The floating button that says: the order has changed, and I have moved nothing under your hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QPushButton, QWidget

from fewshot_gui.gui.icons import icon

if TYPE_CHECKING:
    from PySide6.QtGui import QShowEvent

    from fewshot_gui.gui.theme import Appearance

_TOP = 12


class OrderPill(QPushButton):
    """A primary button at the upper edge of `host`, centred, that stays there when the host is resized."""

    def __init__(self, appearance: Appearance, host: QWidget) -> None:
        super().__init__(host)
        self._appearance, self._host = appearance, host
        self.setText(self.tr("Order changed · Refresh"))
        self.setObjectName("orderPill")
        self.setAccessibleName(self.tr("The order has changed: refresh"))
        self.setToolTip(self.tr("Sort the pictures by the newest predictions (F5)"))
        self.setProperty("role", "primary")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys with the pictures
        self.setStyleSheet("QPushButton { border-radius: 15px; min-height: 18px; }")
        appearance.changed.connect(self._tint)
        host.installEventFilter(self)
        self._tint()
        self.hide()

    def _tint(self) -> None:
        self.setIcon(icon("sort", self._appearance.theme.on_accent))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the middle of the host."""
        if event.type() in {QEvent.Type.Resize, QEvent.Type.Show} and isinstance(watched, QWidget):
            self._place(watched)
        return False

    def showEvent(self, event: QShowEvent) -> None:
        """Lie over what was there before."""
        super().showEvent(event)
        self.raise_()
        self._place(self._host)

    def _place(self, host: QWidget) -> None:
        self.adjustSize()
        self.move((host.width() - self.width()) // 2, _TOP)
