"""The upper part of a card: grip, colour, name, count, key, camera button, menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QHideEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from fewshot_gui.gui.icons import icon
from fewshot_gui.gui.support.colour_picker import ColourChip
from fewshot_gui.gui.support.name_editor import NameEditor
from fewshot_gui.gui.support.wording import count_words
from fewshot_gui.gui.widgets import ElidedLabel, ToolButton

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.engine.state import Category
    from fewshot_gui.gui.theme import Appearance


class Grip(QWidget):
    """The dots by which a card is taken.

    Signals:
        dragged(QPoint): the mouse is at this global point with the card in hand.
        dropped(): the card was let go.
    """

    dragged = Signal(QPoint)
    dropped = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._moving = False
        self.setFixedSize(QSize(14, 28))
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setToolTip(self.tr("Drag to reorder (Alt+Up, Alt+Down)"))
        self.setAccessibleName(self.tr("Reorder"))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the dots."""
        painter = QPainter(self)
        dots = icon("drag", self._appearance.theme.muted)
        dots.paint(painter, -1, 6, 16, 16)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the card; another button changes nothing of it."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._moving = True
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell where the card is held now."""
        if self._moving:
            self.dragged.emit(event.globalPosition().toPoint())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let the card go."""
        if self._moving and event.button() == Qt.MouseButton.LeftButton:
            self._moving = False
            self.setCursor(Qt.CursorShape.OpenHandCursor)
            self.dropped.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open no menu over a card in hand: it would take the mouse, and the card would never be let go."""
        if not self._moving:
            super().contextMenuEvent(event)


class CaptureButton(ToolButton):
    """A button that is held down to take pictures; `held(bool)` tells when it goes down and comes up."""

    held = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("capture", "", parent, size=16)
        self.set_tip(self.tr("Hold to teach what the camera or the video shows"), self.tr("Space"))
        self.setProperty("role", "framed")
        self.pressed.connect(lambda: self.held.emit(True))  # noqa: FBT003 - a signal has no keywords
        self.released.connect(lambda: self.held.emit(False))  # noqa: FBT003

    def hideEvent(self, event: QHideEvent) -> None:
        """Let go of a button that disappears under the finger."""
        super().hideEvent(event)
        if self.isDown():
            self.setDown(False)
            self.held.emit(False)  # noqa: FBT003


class CardHeader(QWidget):
    """Shows what a category is called, how many examples it has, and its key.

    Its widgets are for the card to listen to; it does nothing by itself.
    """

    def __init__(
        self, appearance: Appearance, rename: Callable[[str], str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.grip = Grip(appearance, self)
        self.chip = self._chip(appearance)
        self.name = NameEditor(rename, self)
        self.count = ElidedLabel("", self)
        self.count.setProperty("role", "small")
        self.key = self._key_cap()
        self.capture = CaptureButton(self)
        self.capture.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.capture.hide()
        tip = self.tr("More for this category")
        self.more = ToolButton("more", tip, self, key=self.tr("Menu key"), size=16)
        self.more.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._arrange()

    def _chip(self, appearance: Appearance) -> ColourChip:
        chip = ColourChip(appearance, parent=self)
        chip.setObjectName("colourChip")
        chip.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        chip.setToolTip(self.tr("Choose a colour"))
        chip.setAccessibleName(self.tr("Choose a colour"))
        return chip

    def _key_cap(self) -> QLabel:
        label = QLabel(self)
        label.setProperty("role", "key")
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        label.setFixedSize(QSize(20, 20))
        return label

    def _arrange(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.name)
        words.addWidget(self.count)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.grip)
        row.addWidget(self.chip)
        row.addSpacing(2)
        row.addLayout(words, 1)
        row.addWidget(self.key)
        row.addWidget(self.capture)
        row.addWidget(self.more)

    def show_category(self, category: Category) -> None:
        """Show the name, colour, count and key of `category`."""
        self.name.show_name(category.name)
        self.chip.show_colour(category.colour)
        self.count.setText(count_words(len(category.examples)))
        self.key.setVisible(bool(category.shortcut))
        self.key.setText(category.shortcut.upper())
        self.key.setToolTip(
            self.tr("Press {key} to put chosen pictures here").format(key=category.shortcut.upper())
        )
