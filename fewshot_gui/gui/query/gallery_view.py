"""The virtual gallery: any number of pictures as tiles, of which only the visible ones exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QRect,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QDrag, QKeyEvent, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QStyleOptionViewItem

from fewshot_gui.gui.query.answer_keys import Answer, meaning
from fewshot_gui.gui.query.grid_view import GridView, spans
from fewshot_gui.gui.query.tile_delegate import CAPTION, TileDelegate, badge_rect, tile_look

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QFocusEvent, QMouseEvent, QPaintEvent, QResizeEvent
    from PySide6.QtWidgets import QWidget

    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.deciding.answers import Shown
    from fewshot_gui.gui.query.gallery_model import GalleryModel
    from fewshot_gui.gui.query.thumbnail_cache import ThumbnailCache
    from fewshot_gui.gui.theme import Appearance

# A selection is a list of ranges, and merging more than this takes longer than a frame.
MANY_RANGES: Final = 2_000
DRAG_SIDE: Final = 72
JUMP_MS: Final = 50
SCROLL_MS: Final = 24
_REMEMBERED: Final = 2_000


class GalleryView(GridView):
    """Shows the gallery model, chooses pictures by mouse and keys, and drags them out.

    Scrolling shifts what is painted and draws the new strip only. `opened` asks for a large view,
    `shortcut_pressed` carries a key of `shortcuts` that was typed over the pictures, `answered` another
    Answer, `picked` says that another set of pictures is chosen, `looked_at` carries the rows that are in
    view, int64 (K,).
    """

    opened = Signal(QModelIndex)
    shortcut_pressed = Signal(str)
    answered = Signal(object)
    picked = Signal()
    looked_at = Signal(object)

    def __init__(
        self,
        model: GalleryModel,
        thumbnails: ThumbnailCache,
        appearance: Appearance,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(CAPTION, parent)
        self.shortcuts: frozenset[str] = frozenset()
        self._gallery, self._thumbnails, self._appearance = model, thumbnails, appearance
        self._band: QRect | None = None
        self._pressed = QPoint()
        self._on_badge = self._rested = False
        self._hovered = -1
        self._drawn: dict[int, Shown | None] = {}
        self._folders = 0
        self._remembered: tuple[NDArray[np.int64], int] = (np.empty(0, np.int64), -1)
        self._ask_soon = QTimer(self, interval=0, singleShot=True)
        self._ask_soon.timeout.connect(self._ask)
        self.setObjectName("queryGallery")
        self.setAccessibleName(self.tr("Pictures of the folder"))
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.viewport().setMouseTracking(True)
        self.setModel(model)
        self.setItemDelegate(TileDelegate(thumbnails, appearance, self))
        self._listen()
        self._ask_soon.start(0)

    def _listen(self) -> None:
        self._gallery.held = self.held
        self._gallery.modelAboutToBeReset.connect(self._remember)
        self._gallery.advanced.connect(self._show_advance)
        self._gallery.rearranged.connect(self._restore)
        self._gallery.rewritten.connect(lambda: self._ask_soon.start(SCROLL_MS))
        self.laid_out.connect(lambda: self._ask_soon.start(0))
        self._thumbnails.arrived.connect(self._repaint_files)
        self._appearance.changed.connect(self.viewport().update)
        self.selectionModel().selectionChanged.connect(self.picked)

    # What is chosen ---------------------------------------------------------------------------------

    def selected_rows(self) -> NDArray[np.int64]:
        """int64 (K,): the rows of the gallery that are chosen, in the shown order."""
        return self._gallery.order[self.selected_positions()]

    def select_rows(self, rows: NDArray[np.int64]) -> None:
        """Choose those of the rows that are shown; a very scattered choice is dropped, not shown slowly."""
        positions = self._gallery.positions_of(rows)
        breaks = np.flatnonzero(np.diff(positions) > 1) + 1
        runs = np.split(positions, breaks) if len(positions) and len(breaks) < MANY_RANGES else []
        chosen = QItemSelection()
        for run in runs:
            chosen.append(self.run(int(run[0]), int(run[-1])))
        self.selectionModel().select(chosen, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def targets(self) -> NDArray[np.int64]:
        """int64 (K,): the rows that an answer is about: the chosen ones, else the one under the cursor."""
        rows, current = self.selected_rows(), self.currentIndex()
        if len(rows) or not current.isValid():
            return rows
        return self._gallery.order[current.row() : current.row() + 1]

    def drawn(self, row: int) -> Shown | None:
        """What the person saw of a row when it was last painted; None where nothing was known of it then.

        A row that was never painted, such as one that was chosen with all others, stands as it is now.
        """
        if row in self._drawn:
            return self._drawn[row]
        position = self._gallery.position_of(row)
        return None if position is None else self._gallery.shown(position)

    def was_drawn(self, row: int) -> bool:
        """Return whether the person saw this row."""
        return row in self._drawn

    def held(self) -> int:
        """The last position that somebody has a hand over, -1 where there is none."""
        chosen = self.selectionModel().selection()
        last = max((span.bottom() for span in spans(chosen)), default=-1)
        if self.viewport().underMouse():
            last = max(last, self.visible().stop - 1)
        return max(last, self.currentIndex().row())

    def go_to(self, position: int) -> None:
        """Put the cursor on this position, and choose it alone."""
        index = self._gallery.index(min(max(0, position), len(self._gallery.order) - 1))
        self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def take_hold(self, position: int) -> None:
        """Choose this position where nothing is chosen: what is being answered may not move by itself."""
        if not self.selectionModel().hasSelection() and 0 <= position < len(self._gallery.order):
            self.go_to(position)

    @property
    def at_rest(self) -> bool:
        """True while nobody has a hand over the pictures: only then may they move by themselves."""
        return (
            self.verticalOffset() == 0
            and not self.viewport().underMouse()
            and not self.selectionModel().hasSelection()
            and self.state() == QAbstractItemView.State.NoState
        )

    def _remember(self) -> None:
        current = self.currentIndex().row()
        order = self._gallery.order
        # A filter may have taken the picture under the cursor away: when it is back, so is the cursor.
        row = int(order[current]) if 0 <= current < len(order) else self._remembered[1]
        self._remembered, self._rested = (self.selected_rows(), row), self.at_rest

    def _restore(self) -> None:
        rows, current = self._remembered
        if self._folders != self._gallery.folders_shown:
            # The rows of another folder: a key must not answer for what was seen of the former one.
            rows, current, self._folders = rows[:0], -1, self._gallery.folders_shown
            self._drawn.clear()
        self.updateGeometries()
        position = self._gallery.position_of(current)
        if position is not None:
            index = self._gallery.index(position)
            # Who looks at the top stays there: in the new order the picture under the cursor may lie far
            # below, where a key would answer for it unseen.
            if self._rested and not self.viewport().rect().contains(self.visualRect(index)):
                index = self._gallery.index(0)
            self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
        if len(rows):
            self.select_rows(rows)
        if len(self.selected_rows()) < len(self._remembered[0]):
            self.picked.emit()  # the reset of the model took them without a word
        self.viewport().update()

    def _show_advance(self) -> None:
        """Show what has come ahead of the cursor, and ask for its pictures."""
        self.updateGeometries()
        self.viewport().update()

    # Thumbnails -------------------------------------------------------------------------------------

    def _ask(self) -> None:
        """Ask for the visible pictures first, then for those one page below and above."""
        seen, count = self.visible(), len(self._gallery.order)
        ahead = range(seen.stop, min(count, seen.stop + len(seen)))
        behind = range(max(0, seen.start - len(seen)), seen.start)
        files = [self._gallery.file(position) for each in (seen, ahead, behind) for position in each]
        self._thumbnails.want(files, self.grid().side, self.devicePixelRatioF())
        self.looked_at.emit(self._gallery.order[seen.start : seen.stop])

    def _repaint_files(self, files: tuple[PictureFile, ...]) -> None:
        fresh = set(files)
        for position in self.visible():
            if self._gallery.file(position) in fresh:
                self.viewport().update(self.visualRect(self._gallery.index(position)))

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Shift what is painted already; only the strip that comes into view is painted anew."""
        self.viewport().scroll(dx, dy)
        # Whoever drags the scroll bar through the folder sees no picture for long enough to want it.
        if abs(dy) > self.viewport().height():
            self._ask_soon.start(JUMP_MS)
        elif not self._ask_soon.isActive():
            self._ask_soon.start(SCROLL_MS)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the grid anew, with the picture at the top left still there."""
        old = event.oldSize().width()
        if old > 0 and old != self.viewport().width() and self.verticalOffset():
            before = self.grid()
            former = type(before)(before.count, old, before.wanted, before.caption)
            anchor = former.nearest(0, self.verticalOffset() + before.margin)
            super().resizeEvent(event)
            if anchor is not None:
                self.verticalScrollBar().setValue(before.rect(anchor)[1] - before.margin)
        else:
            super().resizeEvent(event)
        self.viewport().update()

    # Painting ---------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the tiles that touch what has to be painted."""
        painter = QPainter(self.viewport())
        theme, area = self._appearance.theme, event.rect()
        painter.fillRect(area, theme.surface)
        grid, top = self.grid(), self.verticalOffset()
        chosen, current = self.selectionModel(), self.currentIndex().row()
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        focused = self.hasFocus()
        for position in grid.between(area.top() + top, area.bottom() + top):
            index = self._gallery.index(position)
            left, y, width, height = grid.rect(position)
            option.rect = QRect(left, y - top, width, height)
            option.state = tile_look(
                selected=chosen.isSelected(index),
                hovered=position == self._hovered,
                focused=focused and position == current,
            )
            self.itemDelegate().paint(painter, option, index)
            self._note_drawn(position)
        self._paint_band(painter)

    def _note_drawn(self, position: int) -> None:
        """Keep what the person sees from now on, so that an answer is about that."""
        row = int(self._gallery.order[position])
        self._drawn.pop(row, None)
        self._drawn[row] = self._gallery.shown(position)
        if len(self._drawn) > _REMEMBERED:
            del self._drawn[next(iter(self._drawn))]

    def _paint_band(self, painter: QPainter) -> None:
        if self._band is None or self.state() != QAbstractItemView.State.DragSelectingState:
            return
        accent = self._appearance.theme.accent
        veil = type(accent)(accent)
        veil.setAlpha(36)
        painter.setPen(QPen(accent, 1))
        painter.setBrush(veil)
        painter.drawRect(self._band.translated(0, -self.verticalOffset()))

    # Mouse, keys, drag ------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose a picture, open a stack, or begin a rubber band between the pictures."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._on_badge = self._press_badge(event.position().toPoint())
        if self._on_badge:
            return
        self._pressed = event.position().toPoint() + QPoint(0, self.verticalOffset())
        super().mousePressEvent(event)

    def _press_badge(self, point: QPoint) -> bool:
        """Open or close the stack whose badge lies there, and say whether there was one."""
        index = self.indexAt(point)
        if not index.isValid():
            return False
        stack = self._gallery.tile(index.row()).stack
        if stack < 2 or not badge_rect(self.visualRect(index), self._appearance.theme, stack).contains(point):
            return False
        self._gallery.toggle_stack(index.row())
        return True

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Stretch the rubber band, begin a drag, or light the picture under the pointer."""
        if self._on_badge and event.buttons() & Qt.MouseButton.LeftButton:
            return  # Qt heard of no press here: it would choose all from the last one on
        super().mouseMoveEvent(event)
        here = event.position().toPoint()
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._band = QRect(self._pressed, here + QPoint(0, self.verticalOffset())).normalized()
            self.viewport().update()
        else:
            self._hover(self.indexAt(here).row())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the rubber band."""
        self._band = None
        if self._on_badge:
            self._on_badge = bool(event.buttons() & Qt.MouseButton.LeftButton)
            return
        super().mouseReleaseEvent(event)
        self.viewport().update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open the picture."""
        index = self.indexAt(event.position().toPoint())
        if index.isValid():
            self.opened.emit(index)

    def viewportEvent(self, event: QEvent) -> bool:
        """Put out the light when the pointer leaves."""
        if event.type() == QEvent.Type.Leave:
            self._hover(-1)
        return bool(super().viewportEvent(event))

    def _hover(self, position: int) -> None:
        if position != self._hovered:
            for each in (self._hovered, position):
                if 0 <= each < len(self._gallery.order):
                    self.viewport().update(self.painted_rect(self._gallery.index(each)))
            self._hovered = position

    def event(self, event: QEvent) -> bool:
        """Take a key that answers before the window's own shortcuts do; ask anew on a finer screen."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._ask_soon.start(0)
        override = event.type() == QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and meaning(event, self.shortcuts) is not None:
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Answer by a key, open by Space, else move and choose."""
        answer = meaning(event, self.shortcuts)
        if answer is not None and event.isAutoRepeat():
            return  # a key that is held down would answer for pictures that nobody has looked at
        if isinstance(answer, Answer):
            self.answered.emit(answer)
        elif answer is not None:
            self.shortcut_pressed.emit(answer)
        elif event.key() == Qt.Key.Key_Space and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._open_current()
        elif event.key() == Qt.Key.Key_Escape and self.selectionModel().hasSelection():
            self.clearSelection()
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, _search: str) -> None:
        """Letters teach; they do not search."""

    def _open_current(self) -> None:
        current = self.currentIndex()
        if current.isValid() and self._gallery.is_closed_stack(current.row()):
            self._gallery.toggle_stack(current.row())
        elif current.isValid():
            self.opened.emit(current)

    def startDrag(self, actions: Qt.DropAction) -> None:
        """Drag the chosen pictures out, as a small stack with their number."""
        positions = self.selected_positions()
        if not len(positions):
            return
        drag = QDrag(self)
        drag.setMimeData(self._gallery.mimeData([self._gallery.index(int(each)) for each in positions]))
        drag.setPixmap(self._drag_picture(positions))
        drag.setHotSpot(QPoint(DRAG_SIDE // 2, DRAG_SIDE // 2))
        drag.exec(actions, Qt.DropAction.CopyAction)

    def _drag_picture(self, positions: NDArray[np.int64]) -> QPixmap:
        delegate = self.itemDelegate()
        assert isinstance(delegate, TileDelegate)
        file = self._gallery.file(int(positions[0]))
        return delegate.drag_picture(file, len(positions), DRAG_SIDE, self.devicePixelRatioF())

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the keys will go from; a click says so itself, and no tile may scroll away under it."""
        super().focusInEvent(event)
        clicked = event.reason() == Qt.FocusReason.MouseFocusReason
        if not clicked and not self.currentIndex().isValid() and len(self._gallery.order):
            index = self._gallery.index(self.visible().start)
            self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
