"""The draw page: draw a symbol, see what it looks like, and teach it to a category."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from fewshot_gui.engine.sources.drawing import render
from fewshot_gui.engine.state import CategoryId
from fewshot_gui.gui.live.backbone_banner import BackboneBanner
from fewshot_gui.gui.live.canvas import Canvas
from fewshot_gui.gui.live.guess import guess_of
from fewshot_gui.gui.live.guess_view import GuessView
from fewshot_gui.gui.live.teach_bar import TeachBar
from fewshot_gui.gui.widgets import PushButton

if TYPE_CHECKING:
    from fewshot_gui.engine.intake import Intake
    from fewshot_gui.engine.predictor import Predictor, SinglePrediction
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.session import Session
    from fewshot_gui.gui.theme import Appearance

_NARROW = 560
"""Below this width, in pixels, the guess lies under the paper instead of beside it."""
_MOST_BARS = 5


class DrawPage(QWidget):
    """A canvas with its guess; a category's button, or its key, teaches the drawing and takes new paper.

    `guessed(prediction, pixels)` is emitted with what is said of each drawing.
    """

    guessed = Signal(object, object)

    def __init__(
        self,
        session: Session,
        predictor: Predictor,
        intake: Intake,
        appearance: Appearance,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._predictor = predictor
        self._intake = intake
        self._appearance = appearance
        self._prediction: SinglePrediction | None = None
        self._judged: tuple[object, ...] = ()
        self.setObjectName("drawPage")
        self.canvas = Canvas(appearance)
        self.canvas.changed.connect(self._on_drawn)
        self.canvas.installEventFilter(self)
        self.guess = GuessView(appearance)
        self.banner = BackboneBanner(session, appearance, "drawing")
        self.teach = TeachBar(session, appearance, "press")
        self.teach.pressed.connect(lambda category: self.teach_drawing(CategoryId(category)))
        self.setFocusProxy(self.canvas)
        self._make_buttons()
        self._lay_out()
        connections = [
            session.changed.connect(lambda _before, _after: self._show()),
            predictor.updated.connect(self._on_updated),
        ]
        self.destroyed.connect(lambda: [disconnect() for disconnect in connections])
        appearance.changed.connect(self._show)
        self._show()

    def _make_buttons(self) -> None:
        self.undo = PushButton(self.tr("Undo stroke"), icon_name="undo")
        self.undo.setObjectName("undoStrokeButton")
        self.undo.setToolTip(self.tr("Take back the last stroke (Ctrl+Z on the paper)"))
        self.undo.clicked.connect(self.canvas.undo)
        self.clear = PushButton(self.tr("Clear"), icon_name="clear")
        self.clear.setObjectName("clearCanvasButton")
        self.clear.setToolTip(self.tr("Take new paper (Esc on the paper)"))
        self.clear.clicked.connect(self.canvas.clear)

    def _lay_out(self) -> None:
        heading = QLabel(self.tr("Looks like"))
        heading.setProperty("role", "muted")
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.undo)
        buttons.addWidget(self.clear)
        buttons.addStretch(1)
        self._side = QWidget()
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(8)
        side.addWidget(heading)
        side.addWidget(self.guess)
        side.addSpacing(8)
        side.addLayout(buttons)
        side.addStretch(1)
        self._middle = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._middle.setSpacing(24)
        self._middle.addWidget(self.canvas, 3)
        self._middle.addWidget(self._side, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(12)
        column.addWidget(self.banner)
        column.addLayout(self._middle, 1)
        column.addWidget(self.teach)

    def teach_drawing(self, category: CategoryId) -> None:
        """Add the drawing to the category and take new paper; nothing happens while it is blank."""
        if self.canvas.sketch.is_empty or category not in self._session.document:
            return
        self._intake.add_pixels(render(self.canvas.sketch.strokes), category, "canvas")
        self.canvas.renew()
        self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the keys of the categories teach while the paper has the focus and is not blank."""
        if isinstance(event, QKeyEvent) and watched is self.canvas and not self.canvas.sketch.is_empty:
            if event.type() == QEvent.Type.ShortcutOverride and self.teach.teaches(event):
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress and self.teach.key_down(event):
                return True
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the guess beside the paper, or under it where the page is narrow."""
        super().resizeEvent(event)
        narrow = self.width() < _NARROW
        direction = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        self._middle.setDirection(direction)

    def showEvent(self, event: QShowEvent) -> None:
        """Be ready for the pen, and say what is on the paper by what was taught meanwhile."""
        super().showEvent(event)
        self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)
        self._classify()

    def hideEvent(self, event: QHideEvent) -> None:
        """Let go of a key that is held."""
        self.teach.let_go()
        super().hideEvent(event)

    def _on_drawn(self) -> None:
        self._prediction = None
        self._show()
        self._classify()

    def _on_updated(self, scores: Scores) -> None:
        """Ask again when there is another classifier, or it judges otherwise."""
        if scores.judges_as != self._judged:
            self._judged = scores.judges_as
            self._classify()

    def _classify(self) -> None:
        sketch = self.canvas.sketch
        if sketch.is_empty or not self.isVisible():
            return
        pixels = render(sketch.strokes)

        def arrived(prediction: SinglePrediction) -> None:
            if sketch is self.canvas.sketch:  # else it is of another drawing than the one on the paper
                self._prediction = prediction
                self._show()
                self.guessed.emit(prediction, pixels)

        self._predictor.classify(pixels, arrived, key="canvas")

    def _show(self) -> None:
        """Fit everything to the paper, the document and what is predicted."""
        sketch, document = self.canvas.sketch, self._session.document
        self.undo.setEnabled(sketch.can_undo)
        self.clear.setEnabled(not sketch.is_empty)
        guess = None
        if self._prediction is not None and not sketch.is_empty:
            guess = guess_of(self._prediction, document, self._appearance.theme, _MOST_BARS)
        self.guess.show_guess(guess, self._instead())
        self.canvas.set_hint(self.tr("Draw a symbol, then press its category"))

    def _instead(self) -> str:
        """Return what to say while there is no guess."""
        categories = self._session.document.categories
        if not categories:
            return self.tr("Add a category for each symbol first.")
        if not any(category.examples for category in categories):
            return self.tr("Nothing is taught yet. One drawing of each symbol is enough to begin.")
        return self.tr("Draw something to see what it looks like.")
