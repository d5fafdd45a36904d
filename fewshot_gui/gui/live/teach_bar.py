"""A row of one button for each category: press it, hold it, or use its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QKeyEvent, QPainter, QPixmap, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from fewshot_gui.engine.deciding.keys import category_of
from fewshot_gui.gui.bidi import isolated
from fewshot_gui.gui.query.answer_keys import is_plain
from fewshot_gui.gui.widgets import FlowLayout

if TYPE_CHECKING:
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import Category, CategoryId, Document
    from fewshot_gui.gui.theme import Appearance

_LONGEST_NAME = 18
_SPACING = 8
_MOST_LINES = 3
_DISC = 12
_GAP = 4


class TeachBar(QWidget):
    """The categories as buttons, kept in step with the document.

    `pressed(category)` is emitted when a button or its key goes down, and `released(category)` when it
    comes up again.

    Args:
        use: "hold" for a source that goes on giving pictures, "press" for one picture.
    """

    pressed = Signal(str)
    released = Signal(str)

    def __init__(
        self,
        session: Session,
        appearance: Appearance,
        use: Literal["hold", "press"],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._appearance = appearance
        self._use = use
        self._down: CategoryId | None = None
        self._key = self._scan = 0
        self._stale = True
        self.setObjectName("teachBar")
        self._heading = QLabel(self)
        self._heading.setProperty("role", "muted")
        self._area = _Lines(self)
        self._page = QWidget()
        self._row = FlowLayout(self._page, spacing=_SPACING)
        self._lay_out()
        self._refill()
        disconnect = session.changed.connect(self._on_changed)
        self.destroyed.connect(disconnect)
        appearance.changed.connect(self._refill)

    def _lay_out(self) -> None:
        self._area.setWidget(self._page)
        self._area.viewport().setAutoFillBackground(False)
        self._page.setAutoFillBackground(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self._heading)
        column.addWidget(self._area)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Be as high as the lines of buttons at this width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Show a few lines, and scroll the others: forty categories would leave no room for the picture."""
        buttons = self.buttons()
        self._area.setVisible(bool(buttons))
        if not buttons:
            return
        line = buttons[0].sizeHint().height()
        most = _MOST_LINES * line + (_MOST_LINES - 1) * _SPACING
        wanted = self._row.heightForWidth(self.width())
        # Half a line more shows that there is more below.
        self._area.want(wanted if wanted <= most else most + _SPACING + line // 2, at_least=line)

    def set_ready(self, ready: bool) -> None:
        """Let the buttons be pressed, or not: there is nothing that could be taught."""
        self._page.setEnabled(ready)

    def buttons(self) -> list[QPushButton]:
        """Return the buttons in the order of the categories, as they were when they were last seen."""
        items = (self._row.itemAt(index) for index in range(self._row.count()))
        widgets = (item.widget() for item in items if item is not None)
        return [widget for widget in widgets if isinstance(widget, QPushButton)]

    def key_down(self, event: QKeyEvent) -> bool:
        """Press the category of the key; return whether there is one."""
        category = self._of_key(event)
        if category is None:
            return False
        if not event.isAutoRepeat():
            self._go_down(category.id)
            self._key, self._scan = event.key(), event.nativeScanCode()
        return True

    def key_up(self, event: QKeyEvent) -> bool:
        """Let go the category of the key; return whether it was down.

        It comes up as another sign if a modifier was pressed or let go meanwhile: what counts is the key.
        """
        # macOS tells no scan code: it is 1 for each key there.
        same = event.key() == self._key or (self._scan > 1 and event.nativeScanCode() == self._scan)
        if self._down is None or not same:
            return False
        if not event.isAutoRepeat():
            self.let_go()
        return True

    def teaches(self, event: QKeyEvent) -> bool:
        """Return True where the key belongs to a category."""
        return self._of_key(event) is not None

    def let_go(self) -> None:
        """Come up, whatever is down: the window is hidden, or the category is gone."""
        if self._down is not None:
            self._come_up(self._down)

    def _of_key(self, event: QKeyEvent) -> Category | None:
        if not event.text() or not is_plain(event):
            return None
        document = self._session.document
        meant = category_of(document, event.text())
        return None if meant is None else document.category(meant)

    def _go_down(self, category: CategoryId) -> None:
        self.let_go()
        self._down, self._key, self._scan = category, 0, 0
        self.pressed.emit(category)

    def _come_up(self, category: CategoryId) -> None:
        if self._down == category:
            self._down = None
            self.released.emit(category)

    def _on_changed(self, before: Document, after: Document) -> None:
        if self._down is not None and self._down not in after:
            self.let_go()
        if _shown(before) != _shown(after):
            self._refill()

    def _refill(self) -> None:
        """Make the buttons anew, once they are seen: two hundred take a third of a second, on three pages."""
        self._stale = True
        if self.isVisible():
            self._fill(self._session.document)

    def showEvent(self, event: QShowEvent) -> None:
        """Make the buttons of the categories as they are by now."""
        if self._stale:
            self._fill(self._session.document)
        super().showEvent(event)

    def _fill(self, document: Document) -> None:
        self._stale = False
        if self._down is not None and not self._key:  # by the mouse: a button that goes is never released
            self.let_go()
        while (item := self._row.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for category in document.categories:
            button = self._button(category)
            self._row.addWidget(button)
            button.show()  # the layout would do so later, and until then counts it for nothing
        self._heading.setText(self._words(empty=not document.categories))
        self._fit()

    def _words(self, *, empty: bool) -> str:
        if empty:
            return self.tr("Add a category on the left to teach it from here.")
        if self._use == "hold":
            return self.tr("Hold to teach")
        return self.tr("Teach as")

    def _button(self, category: Category) -> QPushButton:
        name = category.name
        short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
        key = f"   {category.shortcut.upper()}" if category.shortcut else ""
        button = QPushButton(isolated(short.replace("&", "&&")) + key, self._page)
        button.setObjectName(f"teachButton:{name}")
        button.setAccessibleName(self._tip().format(name))
        tip = self._tip().format(name)
        button.setToolTip(f"{tip} ({category.shortcut.upper()})" if category.shortcut else tip)
        button.setIcon(_disc(self._appearance.theme.category(category.colour), self.devicePixelRatioF()))
        button.setIconSize(QSize(_DISC + _GAP, _DISC))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.pressed.connect(lambda: self._go_down(category.id))
        button.released.connect(lambda: self._come_up(category.id))
        return button

    def _tip(self) -> str:
        return self.tr("Hold to teach {0}") if self._use == "hold" else self.tr("Teach as {0}")


class _Lines(QScrollArea):
    """Lines that scroll, as high as is wanted where there is room for that, and at least one line high."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._wanted = self._at_least = 0
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.setWidgetResizable(True)

    def want(self, height: int, *, at_least: int) -> None:
        """Ask for this height, in pixels."""
        if (height, at_least) != (self._wanted, self._at_least):
            self._wanted, self._at_least = height, at_least
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Return the height that is wanted."""
        return QSize(super().sizeHint().width(), self._wanted)

    def minimumSizeHint(self) -> QSize:
        """Return the height of one line: what is shown above needs the rest on a small screen."""
        return QSize(0, self._at_least)


def _shown(document: Document) -> list[tuple[str, str, int, str]]:
    """Return what of the document can be seen here."""
    return [(each.id, each.name, each.colour, each.shortcut) for each in document.categories]


def _disc(colour: QColor, ratio: float) -> QIcon:
    pixmap = QPixmap(round((_DISC + _GAP) * ratio), round(_DISC * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawEllipse(1, 1, _DISC - 2, _DISC - 2)
    painter.end()
    return QIcon(pixmap)
