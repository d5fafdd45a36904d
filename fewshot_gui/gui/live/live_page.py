"""What the camera and the video page have in common: a live view, predictions, and capture by holding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QStackedWidget, QVBoxLayout, QWidget

from fewshot_gui.engine.state import CategoryId
from fewshot_gui.gui.live.backbone_banner import BackboneBanner
from fewshot_gui.gui.live.live_view import LiveView
from fewshot_gui.gui.live.overlay import Badge
from fewshot_gui.gui.live.teach_bar import TeachBar

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QCloseEvent, QFocusEvent, QHideEvent, QShowEvent

    from fewshot_gui.engine.intake import Capture, Intake
    from fewshot_gui.engine.live import LiveLoop, LivePrediction
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.sources.frames import Frame
    from fewshot_gui.gui.theme import Appearance

CAPTURE_MS = 200
"""While a button is held, an example is taken this often: five a second, all a little different."""


class LivePage(QWidget):
    """A page around a live view; what gives the frames is up to the page that builds on it.

    A captured example is the frame as the network gets it: never mirrored, whatever is shown.
    """

    def __init__(
        self,
        session: Session,
        loop: LiveLoop,
        intake: Intake,
        appearance: Appearance,
        *,
        origin: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._loop = loop
        self._intake = intake
        self._appearance = appearance
        self._origin = origin
        self._frame: Frame | None = None
        self._captured_at = 0.0
        self._taken_at = -1.0
        self._taken = 0
        self._category: CategoryId | None = None
        self._capture: Capture | None = None
        self._captures = QTimer(self, interval=CAPTURE_MS)
        self._captures.timeout.connect(self._take)
        connections: list[Callable[[], None]] = []
        self._connections = connections
        self.view = LiveView(session, appearance)
        self.teach = TeachBar(session, appearance, "hold")
        self.teach.set_ready(False)
        self.teach.pressed.connect(lambda category: self.capture(CategoryId(category), held=True))
        self.teach.released.connect(lambda category: self.capture(CategoryId(category), held=False))
        self.banner = BackboneBanner(session, appearance, "photo")
        self.stack = QStackedWidget()
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.destroyed.connect(lambda: [disconnect() for disconnect in connections])
        self._connections.append(loop.predicted.connect(self._on_predicted))

    def build(self, top: QWidget, empty: QWidget, *below: QWidget) -> None:
        """Lay out the page: the row on top, the picture or `empty`, what is below, and the categories."""
        frame = QFrame()
        frame.setProperty("role", "card")
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(1, 1, 1, 1)
        self.stack.addWidget(empty)
        self.stack.addWidget(self.view)
        inner.addWidget(self.stack)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(12)
        column.addWidget(top)
        column.addWidget(self.banner)
        column.addWidget(frame, 1)
        for widget in (*below, self.teach):
            column.addWidget(widget)

    def capture(self, category: CategoryId, *, held: bool) -> None:
        """Teach frames to a category for as long as it is held: one at once, then one every 200 ms.

        All of them are one step of undo.
        """
        if not held:
            if category == self._category:
                self._let_go()
            return
        self._category, self._taken, self._taken_at = category, 0, -1.0
        self._capture = self._intake.begin_capture(category, self._origin)
        self._take()
        self._captures.start()

    def show_frame(self, frame: Frame, captured_at: float, *, alone: bool = False) -> None:
        """Show a new frame and ask for its prediction; of one that stands `alone`, from it alone."""
        self._frame, self._captured_at = frame, captured_at
        self.teach.set_ready(True)
        self.stack.setCurrentWidget(self.view)
        self.view.show_frame(frame, captured_at)
        self.view.show_note(self._note())
        if self.isVisible():  # one that comes late is asked about once the page is shown again
            self._loop.offer(frame, captured_at, alone=alone)

    def forget(self) -> None:
        """Show no frame and no prediction: the source has stopped or is another one."""
        self._let_all_go()
        self._frame = None
        self.teach.set_ready(False)
        self._loop.reset()
        self.view.clear()

    def event(self, event: QEvent) -> bool:
        """Keep the keys of the categories from the window's shortcuts: here they are held, not pressed."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):  # noqa: SIM102
            if self._frame is not None and self.teach.teaches(event):
                event.accept()
                return True
        if event.type() == QEvent.Type.WindowDeactivate:  # the key comes up elsewhere, whatever has the focus
            self._let_all_go()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Hold the category of the key."""
        if not self.teach.key_down(event):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Let the category of the key go."""
        if not self.teach.key_up(event):
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Capture nothing for a key that comes up in another window."""
        self.teach.let_go()
        super().focusOutEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Capture nothing that cannot be seen, and tell of no frame that is still on its way."""
        self._let_all_go()
        self.leave()
        self._loop.reset()
        super().hideEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Go on where the page was left."""
        super().showEvent(event)
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        if self._frame is not None:
            self._loop.offer(self._frame, self._captured_at, alone=True)
        self.enter()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Let the source go with the page."""
        self.leave()
        super().closeEvent(event)

    def hint(self) -> str:
        """Return what to do while nothing is taught."""
        return self.tr("Show something to the camera and hold the button of its category.")

    def enter(self) -> None:
        """Take up the source: the page is shown."""

    def leave(self) -> None:
        """Let the source rest: the page is hidden."""

    def _let_all_go(self) -> None:
        """End what a key or a button of this page holds, and what a card of the panel does."""
        self.teach.let_go()
        self._let_go()

    def _let_go(self) -> None:
        self._category = self._capture = None
        self._captures.stop()

    def _take(self) -> None:
        """Teach the newest frame, once."""
        frame, category, capture = self._frame, self._category, self._capture
        if frame is None or category is None or capture is None or category not in self._session.document:
            return
        if self._captured_at == self._taken_at:
            return  # the source stands still: the same frame again would teach nothing
        self._taken_at = self._captured_at
        capture.add(frame)
        self._taken += 1
        taught, theme = self._session.document.category(category), self._appearance.theme
        back, ink = theme.category(taught.colour), theme.on_category(taught.colour)
        self.view.flash(Badge(f"{taught.name}  +{self._taken}", back, ink))

    def _on_predicted(self, live: LivePrediction) -> None:
        if self._frame is not None and self.isVisible():
            self.view.show_prediction(live)

    def _note(self) -> str:
        """Return what to say over the picture; nothing once something is taught."""
        categories = self._session.document.categories
        if any(category.examples for category in categories):
            return ""
        return self.hint() if categories else self.tr("Add two categories to begin.")
