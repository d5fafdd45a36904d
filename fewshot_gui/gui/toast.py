"""A short message that floats over a panel and goes by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QEnterEvent, QHideEvent

_SHOWN_MS = 6000
_MARGIN = 16


class Toast(QFrame):
    """One message at the lower edge of `host`; a newer one takes its place.

    An error stays until it is closed by a click, an information for six seconds; those begin anew when the
    pointer or the focus, which were on it, have left.
    """

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._host = host
        self.setObjectName("toast")
        self.setProperty("role", "toast")
        self._text = QLabel(self)
        self._text.setWordWrap(True)
        self._button = QPushButton(self)
        self._button.clicked.connect(self._act)
        self._button.installEventFilter(self)
        self._action: Callable[[], object] | None = None
        self._stays = self._hovered = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 8, 8)
        row.setSpacing(12)
        row.addWidget(self._text, 1)
        row.addWidget(self._button)
        host.installEventFilter(self)
        self.hide()

    @property
    def text(self) -> str:
        """Return the message shown last."""
        return self._text.text()

    def say(
        self, text: str, *, button: str = "", action: Callable[[], object] | None = None, stay: bool = False
    ) -> None:
        """Show `text`, with a button that runs `action` where one is named; `stay` keeps it until closed."""
        self._text.setText(text)
        self.setAccessibleName(text)
        self._button.setText(button or self.tr("Close"))
        self._button.setAccessibleName(self._button.text())
        self._action = action
        self._place()
        self.show()
        self.raise_()
        self._stays = stay
        self._run_down()
        # It takes no focus: a screen reader would not speak of it by itself.
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def _run_down(self) -> None:
        if self._stays or self._hovered or self._button.hasFocus():
            self._timer.stop()
        else:
            self._timer.start(_SHOWN_MS)

    def _act(self) -> None:
        action, self._action = self._action, None
        self.hide()
        if action is not None:
            action()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Stay while it is read."""
        super().enterEvent(event)
        self._hovered = True
        self._run_down()

    def leaveEvent(self, event: QEvent) -> None:
        """Go after a while."""
        super().leaveEvent(event)
        self._hovered = False
        self._run_down()

    def hideEvent(self, event: QHideEvent) -> None:
        """Begin anew next time, wherever the pointer is."""
        super().hideEvent(event)
        self._hovered = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay at the lower edge while the host changes its size, and stay while the button has the focus."""
        if watched is self._button:
            if event.type() in {QEvent.Type.FocusIn, QEvent.Type.FocusOut}:
                self._run_down()
        elif event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        host = self._host
        width = min(480, host.width() - 2 * _MARGIN)
        self.setFixedWidth(max(width, 80))
        layout = self.layout()
        height = layout.totalHeightForWidth(self.width()) if layout is not None else self.sizeHint().height()
        self.resize(self.width(), max(height, 48))
        self.move((host.width() - self.width()) // 2, host.height() - self.height() - _MARGIN)
