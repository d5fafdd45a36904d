"""One category: its header, its examples, and what can be done with the keyboard on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from fewshot_gui.engine.commands import RecolourCategory
from fewshot_gui.gui.support.card_header import CardHeader
from fewshot_gui.gui.support.card_menu import CardMenu
from fewshot_gui.gui.support.colour_picker import ColourPicker
from fewshot_gui.gui.support.example_menu import ExampleMenu
from fewshot_gui.gui.support.thumbnail_grid import ThumbnailGrid
from fewshot_gui.gui.support.wording import card_words, hint_words
from fewshot_gui.gui.theme import RADIUS

if TYPE_CHECKING:
    from fewshot_gui.engine.state import Category, CategoryId
    from fewshot_gui.gui.support.teaching import Teaching
    from fewshot_gui.gui.support.thumbnails import ThumbnailCache
    from fewshot_gui.gui.theme import Appearance


class CategoryCard(QFrame):
    """The card of one category; it shows the category it was last given and asks through `teaching`.

    Signals:
        filesWanted(category id): the person wants to choose picture files.
        splitWanted(DraggedPictures): these examples shall be a category of their own.
        captureHeld(category id, bool): the camera button, or Space, went down or came up.
        left(category id, int): the keyboard goes to the card before (-1) or after (1).
        dragged(category id, QPoint), dropped(category id): the card is carried by its grip.
    """

    filesWanted = Signal(str)  # noqa: N815 - signals are named as Qt names them
    splitWanted = Signal(object)  # noqa: N815
    captureHeld = Signal(str, bool)  # noqa: N815
    left = Signal(str, int)
    dragged = Signal(str, QPoint)
    dropped = Signal(str)

    def __init__(
        self,
        category: Category,
        teaching: Teaching,
        thumbnails: ThumbnailCache,
        appearance: Appearance,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.category = category
        self._teaching = teaching
        self._appearance = appearance
        self._capture_enabled = False
        self._targeted = False
        self._held = False
        self.setProperty("role", "card")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.header = CardHeader(appearance, self._rename, self)
        self.grid = ThumbnailGrid(thumbnails, appearance, self)
        self.problem = self._note("danger")
        self.hint = self._note("small")
        self._arrange()
        self._listen()
        self._show()

    @property
    def id(self) -> CategoryId:
        """The id of the category."""
        return self.category.id

    def _note(self, role: str) -> QLabel:
        label = QLabel(self)
        label.setProperty("role", role)
        label.setWordWrap(True)
        label.hide()
        return label

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 10)
        column.setSpacing(8)
        column.addWidget(self.header)
        column.addWidget(self.problem)
        column.addWidget(self.grid)
        column.addWidget(self.hint)

    def _listen(self) -> None:
        header, grid, own = self.header, self.grid, self.id
        header.chip.clicked.connect(self.choose_colour)
        header.more.clicked.connect(lambda: self.open_menu(header.more.mapToGlobal(QPoint(0, 30))))
        header.name.problem.connect(self.show_problem)
        header.name.finished.connect(self.setFocus)
        header.capture.held.connect(lambda down: self.captureHeld.emit(own, down))
        header.grip.dragged.connect(lambda point: self.dragged.emit(own, point))
        header.grip.dropped.connect(lambda: self.dropped.emit(own))
        grid.addRequested.connect(lambda: self.filesWanted.emit(own))
        grid.removeRequested.connect(self._teaching.remove_examples)
        grid.menuRequested.connect(self.open_example_menu)
        grid.left.connect(self._leave_grid)

    # What is shown ----------------------------------------------------------------------------------

    def show_category(self, category: Category) -> None:
        """Show another state of the same category."""
        if category is not self.category:
            self.category = category
            self._show()

    def _show(self) -> None:
        category = self.category
        self.setObjectName(f"categoryCard:{category.name}")
        self.setAccessibleName(card_words(category))
        self.header.show_category(category)
        self.header.capture.setObjectName(f"captureButton:{category.name}")
        self.grid.setObjectName(f"examples:{category.name}")
        self.grid.setAccessibleName(self.tr("Examples of {name}").format(name=category.name))
        self.grid.show_examples(category.examples)
        hint = hint_words(len(category.examples))
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))

    def show_problem(self, reason: str) -> None:
        """Show why a name is refused; nothing where `reason` is empty."""
        self.problem.setText(reason)
        self.problem.setVisible(bool(reason))

    def set_capture_enabled(self, *, enabled: bool) -> None:
        """Show the camera button, or hide it."""
        self._capture_enabled = enabled
        self.header.capture.setVisible(enabled)

    def set_targeted(self, *, targeted: bool) -> None:
        """Show that what is being dragged would land here."""
        if targeted != self._targeted:
            self._targeted = targeted
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the frame, and over it the ring of the focus or of a drop."""
        super().paintEvent(event)
        if not (self._targeted or self.hasFocus()):
            return
        theme = self._appearance.theme
        colour = theme.category(self.category.colour) if self._targeted else theme.focus
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour, 2))
        painter.setBrush(theme.tint(self.category.colour) if self._targeted else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS - 1, RADIUS - 1)
        painter.end()

    # What can be done -------------------------------------------------------------------------------

    def edit_name(self) -> None:
        """Open the name for writing."""
        self.header.name.edit()

    def choose_colour(self) -> None:
        """Open the popover with the colours under the chip."""
        own = self.id
        picker = ColourPicker(self._appearance, self.category.colour, self)
        picker.picked.connect(lambda colour: self._teaching.ask(RecolourCategory(own, colour)))
        picker.open_at(self.header.chip.mapToGlobal(QPoint(0, self.header.chip.height() + 2)))

    def open_menu(self, place: QPoint) -> None:
        """Open the menu at `place`, in global coordinates."""
        menu = CardMenu(self.category, self._teaching, self._appearance, self)
        own = self.id
        menu.fill(rename=self.edit_name, colour=self.choose_colour, files=lambda: self.filesWanted.emit(own))
        menu.popup(place)

    def open_example_menu(self, place: QPoint) -> None:
        """Open the menu of the chosen examples at `place`, in global coordinates."""
        menu = ExampleMenu(
            self.grid.chosen_pictures(),
            self.category,
            self._teaching,
            self._appearance,
            self.splitWanted.emit,
            self,
        )
        menu.popup(place)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu under the mouse, or under the chip where the key was pressed."""
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        self.open_menu(self.header.chip.mapToGlobal(QPoint(0, 28)) if by_key else event.globalPos())

    def _rename(self, name: str) -> str:
        return self._teaching.rename(self.id, name)

    # Keys -------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Rename, remove, reorder and walk; Space holds the camera button."""
        key = Qt.Key(event.key())
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            handled = self._reorder(key)
        elif key == Qt.Key.Key_Delete and event.isAutoRepeat():
            handled = True  # the focus is on the next card by now
        elif key == Qt.Key.Key_Space and self._capture_enabled:
            handled = True
            if not event.isAutoRepeat():
                self._hold(down=True)
        else:
            handled = self._act(key)
        if not handled:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Let go of the camera button with Space."""
        if event.key() == Qt.Key.Key_Space and self._capture_enabled and not event.isAutoRepeat():
            self._hold(down=False)
        else:
            super().keyReleaseEvent(event)

    def _hold(self, *, down: bool) -> None:
        if down != self._held:
            self._held = down
            self.captureHeld.emit(self.id, down)

    def _reorder(self, key: Qt.Key) -> bool:
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if key in steps:
            self._teaching.move_by(self.id, steps[key])
            self.left.emit(self.id, 0)  # to be seen where it is now
        return key in steps

    def _act(self, key: Qt.Key) -> bool:
        if key == Qt.Key.Key_F2 or (key in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and self.hasFocus()):
            self.edit_name()
        elif key == Qt.Key.Key_Delete and self.hasFocus():
            self._teaching.remove_category(self.id)
        elif key in {Qt.Key.Key_Up, Qt.Key.Key_Down}:
            self.left.emit(self.id, -1 if key == Qt.Key.Key_Up else 1)
        elif key == Qt.Key.Key_Right and self.hasFocus():
            self.grid.setFocus()
            self.grid.stand_on(0)
        elif key == Qt.Key.Key_Escape and self.grid.hasFocus():
            self.setFocus()
        else:
            return False
        return True

    def _leave_grid(self, step: int) -> None:
        if step < 0:
            self.setFocus()
        else:
            self.left.emit(self.id, 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the focus; the click goes no further."""
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the ring, and let go of the camera button: the release of Space goes elsewhere."""
        super().focusOutEvent(event)
        self._hold(down=False)
        self.update()
