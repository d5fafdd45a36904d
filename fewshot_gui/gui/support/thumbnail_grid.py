"""The examples of one category as a grid that is painted in one go: no widget for each picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QDir, QEvent, QMimeData, QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDrag,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QSizePolicy, QToolTip, QWidget

from fewshot_gui.gui.mime import DraggedPicture, pack
from fewshot_gui.gui.support.grid_shape import GAP, SIDE, GridShape
from fewshot_gui.gui.support.selection import Selection
from fewshot_gui.gui.support.tile_painter import TilePainter
from fewshot_gui.gui.support.wording import count_words, origin_words

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.state import Example
    from fewshot_gui.gui.support.thumbnails import ThumbnailCache
    from fewshot_gui.gui.theme import Appearance

_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
_ROWS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class ThumbnailGrid(QWidget):
    """Thumbnails in rows with a + tile at their end; chosen by click and key, dragged, removed.

    Signals:
        removeRequested(list of picture ids): Delete was pressed, or the x of one was clicked.
        addRequested(): the + tile was activated.
        menuRequested(QPoint): what can be done to the chosen examples is asked for there, on the screen.
        left(int): an arrow key leads out of the grid, upwards (-1) or downwards (1).
        stood(): the keyboard stands on another tile, which may be out of sight.
    """

    removeRequested = Signal(list)  # noqa: N815 - signals are named as Qt names them
    addRequested = Signal()  # noqa: N815
    menuRequested = Signal(QPoint)  # noqa: N815
    left = Signal(int)
    stood = Signal()

    def __init__(
        self, thumbnails: ThumbnailCache, appearance: Appearance, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._appearance = appearance
        self._examples: tuple[Example, ...] = ()
        self._warned: Mapping[PictureId, str] = {}
        self._selection = Selection()
        self._hovered = -1
        self._pressed: QPoint | None = None
        # Not Fixed: that would hold the height at the size hint, whatever the width asks for.
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)

    # What is shown ----------------------------------------------------------------------------------

    @property
    def selection(self) -> Selection:
        """Return what is chosen; the + tile stands at the position after the last example."""
        return self._selection

    @property
    def chosen(self) -> list[PictureId]:
        """Return the chosen pictures, in their order."""
        return [
            self._examples[at].picture for at in sorted(self._selection.chosen) if at < len(self._examples)
        ]

    def show_examples(self, examples: tuple[Example, ...]) -> None:
        """Show `examples`; what was chosen and is still here stays chosen."""
        if examples == self._examples:
            return
        chosen = set(self.chosen)
        rows = self.shape.rows
        self._examples = examples
        kept = frozenset(at for at, example in enumerate(examples) if example.picture in chosen)
        self._selection = self._selection.moved(kept, len(examples) + 1)
        self._hovered = -1
        if rows != self.shape.rows:
            self.updateGeometry()
        self._say_current()
        self.update()

    def show_warnings(self, warned: Mapping[PictureId, str]) -> None:
        """Mark the pictures about which there is something to say, with the words for it."""
        if warned != self._warned:
            self._warned = warned
            self._say_current()
            self.update()

    def warning(self, picture: PictureId) -> str:
        """Return what is said of a picture, empty where nothing is."""
        return self._warned.get(picture, "")

    def select_pictures(self, pictures: Collection[PictureId]) -> None:
        """Choose these of the pictures, and stand on the first of them."""
        places = [at for at, example in enumerate(self._examples) if example.picture in pictures]
        if places:
            self.select(Selection(places[0], places[0], frozenset(places)))
            self.stood.emit()

    def select(self, selection: Selection) -> None:
        """Show `selection`."""
        self._selection = selection
        self._say_current()
        self.update()

    def _say_current(self) -> None:
        at = self._selection.current
        if 0 <= at < len(self._examples):
            text = self.tr("Example {number} of {count}, {origin}").format(
                number=at + 1, count=len(self._examples), origin=origin_words(self._examples[at].origin)
            )
            if words := self.warning(self._examples[at].picture):
                text = f"{text}. {words}"
        else:
            text = self.tr("{count}, then a tile to add files").format(count=count_words(len(self._examples)))
        self.setAccessibleDescription(text)

    # Where things are -------------------------------------------------------------------------------

    @property
    def shape(self) -> GridShape:
        """Return where the tiles lie: the examples, then the + tile."""
        return self._shape_at(self.width())

    def _shape_at(self, width: int) -> GridShape:
        return GridShape(len(self._examples) + 1, width)

    def hasHeightForWidth(self) -> bool:
        """Return True: narrower means more rows."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height in pixels of all rows at `width` pixels."""
        return self._shape_at(width).height

    def sizeHint(self) -> QSize:
        """Return room for four tiles in a row."""
        width = max(self.width(), 4 * (SIDE + GAP) - GAP)
        return QSize(4 * (SIDE + GAP) - GAP, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """Return room for one tile."""
        return QSize(SIDE, SIDE)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask for another height when the number of columns changes."""
        super().resizeEvent(event)
        if self._shape_at(event.oldSize().width()).columns != self.shape.columns:
            self.updateGeometry()

    # Painting ---------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the tiles in the exposed rows, and only those."""
        painter = QPainter(self)
        tiles = TilePainter(painter, self._appearance.theme)
        shape = self.shape
        for position in shape.within(event.rect()):
            here = self.hasFocus() and position == self._selection.current
            if position == len(self._examples):
                tiles.plus(shape.cell(position), hovered=position == self._hovered, focused=here)
            else:
                self._paint_example(tiles, position, shape, focused=here)
        painter.end()

    def _paint_example(self, tiles: TilePainter, position: int, shape: GridShape, *, focused: bool) -> None:
        cell = shape.cell(position)
        tiles.picture(cell, self._pixmap(position))
        if position in self._selection.chosen:
            tiles.chosen(cell)
        elif focused:
            tiles.focused(cell)
        if self._examples[position].picture in self._warned:
            tiles.warning(shape.warning(position))
        if position == self._hovered:
            tiles.badge(shape.badge(position))

    def _pixmap(self, position: int) -> QPixmap | None:
        return self._thumbnails.get(self._examples[position].picture, SIDE, self.devicePixelRatioF())

    # Mouse ------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the tile under the mouse; its x is only acted on when the button comes up."""
        position = self.shape.position_at(event.position().toPoint())
        if event.button() != Qt.MouseButton.LeftButton or position < 0:
            super().mousePressEvent(event)
            return
        self._pressed = event.position().toPoint()
        if position == len(self._examples) or self._over_badge(self._pressed):
            return
        keys = event.modifiers()
        if keys & Qt.KeyboardModifier.ControlModifier:
            self.select(self._selection.toggled(position))
        elif keys & Qt.KeyboardModifier.ShiftModifier:
            self.select(self._selection.extended(position))
        elif position not in self._selection.chosen:
            self.select(self._selection.only(position))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show the x of the tile under the mouse, and begin to drag what is chosen."""
        point = event.position().toPoint()
        self._hover(self.shape.position_at(point))
        far = QApplication.startDragDistance()
        if self._pressed is None or (point - self._pressed).manhattanLength() < far:
            return
        position, self._pressed = self.shape.position_at(self._pressed), None
        if 0 <= position < len(self._examples) and self.chosen:
            self._drag(position)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Act on the x or the + tile when the button comes up where it went down."""
        pressed, self._pressed = self._pressed, None
        if pressed is None or event.button() != Qt.MouseButton.LeftButton:
            super().mouseReleaseEvent(event)
            return
        position = self.shape.position_at(event.position().toPoint())
        if position < 0 or position != self.shape.position_at(pressed):
            return
        if position == len(self._examples):
            self.addRequested.emit()
        elif self._over_badge(pressed):
            self.removeRequested.emit([self._examples[position].picture])
        elif not event.modifiers():
            self.select(self._selection.only(position))

    def leaveEvent(self, event: QEvent) -> None:
        """Hide the x."""
        super().leaveEvent(event)
        self._hover(-1)

    def _hover(self, position: int) -> None:
        if position != self._hovered:
            self._hovered = position
            self.setCursor(
                Qt.CursorShape.PointingHandCursor
                if position == len(self._examples)
                else Qt.CursorShape.ArrowCursor
            )
            self.update()

    def _over_badge(self, point: QPoint) -> bool:
        position = self.shape.position_at(point)
        return 0 <= position < len(self._examples) and self.shape.badge(position).contains(point)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of the chosen examples; elsewhere that of the card opens."""
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        at = self._selection.current if by_key else self.shape.position_at(event.pos())
        if 0 <= at < len(self._examples) and at not in self._selection.chosen:
            self.select(self._selection.only(at))
        if self.chosen and 0 <= at < len(self._examples):
            self.menuRequested.emit(
                self.mapToGlobal(self.shape.cell(at).center()) if by_key else event.globalPos()
            )
        else:
            super().contextMenuEvent(event)

    def dragged(self) -> QMimeData:
        """Return the chosen examples as they travel to another card, the gallery or a file manager."""
        return pack(self.chosen_pictures())

    def chosen_pictures(self) -> list[DraggedPicture]:
        """Return the chosen examples, with the path of those that have a file."""
        wanted = set(self.chosen)
        chosen = [example for example in self._examples if example.picture in wanted]
        # Its file may have moved since. Where an example has none, its origin is a word such as "camera".
        places = [self._thumbnails.path(each.picture) or each.origin for each in chosen]
        paths = [place if QDir.isAbsolutePath(place) else "" for place in places]
        return [DraggedPicture(path, each.picture) for path, each in zip(paths, chosen, strict=True)]

    def _drag(self, position: int) -> None:
        drag = QDrag(self)
        drag.setMimeData(self.dragged())
        pixmap = self._pixmap(position)
        if pixmap is not None:
            drag.setPixmap(pixmap)
            drag.setHotSpot(QPoint(SIDE // 2, SIDE // 2))
        # Never a move, though an example does move between cards: a file manager would take the original.
        drag.exec(Qt.DropAction.CopyAction, Qt.DropAction.CopyAction)

    # Keys -------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk with the arrows, choose with Space, remove with Delete, add with Enter on the + tile."""
        key = Qt.Key(event.key())
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            super().keyPressEvent(event)
        elif key in _STEPS or key in _ROWS:
            self._walk(key, extend=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif not self._act(key, event):
            super().keyPressEvent(event)

    def _act(self, key: Qt.Key, event: QKeyEvent) -> bool:
        current = self._selection.current
        if key in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace} and self.chosen:
            self.removeRequested.emit(self.chosen)
        elif key == Qt.Key.Key_A and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.select(self._selection.everything(len(self._examples)))
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space} and current == len(
            self._examples
        ):
            self.addRequested.emit()
        elif key == Qt.Key.Key_Space and current >= 0:
            self.select(self._selection.toggled(current))
        elif key == Qt.Key.Key_Escape and self._selection.chosen:
            self.select(self._selection.nothing())
        else:
            return False
        return True

    def _walk(self, key: Qt.Key, *, extend: bool) -> None:
        step = _STEPS.get(key) or _ROWS[key] * self.shape.columns
        position = max(self._selection.current, 0) + step
        if not 0 <= position <= len(self._examples):
            self.left.emit(-1 if step < 0 else 1)
        else:
            self.stand_on(position, extend=extend)

    def stand_on(self, position: int, *, extend: bool = False) -> None:
        """Put the keyboard on `position` (-1: the last example), and choose it, or all up to it."""
        position = min(position, len(self._examples)) if position >= 0 else max(0, len(self._examples) - 1)
        if position == len(self._examples):
            self.select(self._selection.nothing().standing(position))
        else:
            self.select(self._selection.extended(position) if extend else self._selection.only(position))
        self.stood.emit()

    def inputMethodQuery(self, query: Qt.InputMethodQuery) -> object:
        """Say where the keyboard stands: a list that scrolls to what has the focus scrolls there."""
        if query == Qt.InputMethodQuery.ImCursorRectangle and self._selection.current >= 0:
            return self.shape.cell(self._selection.current)
        return super().inputMethodQuery(query)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Stand on the first tile when the Tab key leads here for the first time."""
        super().focusInEvent(event)
        if self._selection.current < 0:
            self.select(self._selection.standing(0))
        self.update()

    def event(self, event: QEvent) -> bool:
        """Say in a tooltip where the picture under the mouse came from."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.tip(event.pos()), self)
            return True
        return super().event(event)

    def tip(self, point: QPoint) -> str:
        """Return what the tooltip at `point` says."""
        position = self.shape.position_at(point)
        if position == len(self._examples):
            return self.tr("Add picture files (Enter)")
        if position < 0:
            return ""
        if self.shape.badge(position).contains(point):
            return self.tr("Remove this example (Delete)")
        origin = origin_words(self._examples[position].origin)
        words = self.warning(self._examples[position].picture)
        return f"{words}\n{origin}" if words else origin
