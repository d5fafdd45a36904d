"""A grid of equal tiles for QAbstractItemView whose geometry is computed, never stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QRegion
from PySide6.QtWidgets import QAbstractItemView, QWidget

from fewshot_gui.gui.query.grid import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

AnyIndex = QModelIndex | QPersistentModelIndex
TILE_SIDES: Final = (88, 280)
DEFAULT_SIDE: Final = 152
EDGE: Final = 3
"""So many pixels beyond a tile its delegate may paint: the plate of a chosen one, and the ring."""
_ACT = QAbstractItemView.CursorAction
_STEPS: Final = {_ACT.MoveLeft: -1, _ACT.MovePrevious: -1, _ACT.MoveRight: 1, _ACT.MoveNext: 1}


class GridView(QAbstractItemView):
    """Places the items of a list in lines of equal tiles, answers where they are, and moves the cursor.

    QListView keeps the place of every item, a second of layout at 100,000; here a place is a division.
    `laid_out` says that the grid has got another length, width or tile size.
    """

    laid_out = Signal()

    def __init__(self, caption: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._side = DEFAULT_SIDE
        self._caption = caption
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # The width of the grid must not depend on its height, or a resize could flicker between two layouts.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setFrameShape(QAbstractItemView.Shape.NoFrame)

    @property
    def tile_side(self) -> int:
        """The wanted width of a tile in logical pixels."""
        return self._side

    def set_tile_side(self, side: int) -> None:
        """Show tiles of about this width; the line at the top of the window stays there."""
        top = self.grid().nearest(0, self.verticalOffset() + self.grid().margin)
        self._side = min(max(side, TILE_SIDES[0]), TILE_SIDES[1])
        self.updateGeometries()
        if top is not None and self.verticalOffset():
            self.verticalScrollBar().setValue(self.grid().rect(top)[1] - self.grid().margin)
        self.viewport().update()

    def grid(self) -> Grid:
        """The present geometry."""
        count = self.model().rowCount() if self.model() else 0
        return Grid(count, self.viewport().width(), self._side, self._caption)

    def visible(self) -> range:
        """The positions that can be seen now."""
        top = self.verticalOffset()
        return self.grid().between(top, top + self.viewport().height() - 1)

    def run(self, first: int, last: int) -> QItemSelectionRange:
        """The positions `first` to `last`, both included, as a part of a selection."""
        return QItemSelectionRange(self.model().index(first, 0), self.model().index(last, 0))

    def selected_positions(self) -> NDArray[np.int64]:
        """int64 (K,): the chosen positions, ascending."""
        # Ranges, not selectedIndexes(): choosing all of 100,000 pictures is one range.
        chosen = self.selectionModel().selection()
        parts = [np.arange(span.top(), span.bottom() + 1) for span in spans(chosen)]
        return np.sort(np.concatenate(parts)) if parts else np.empty(0, np.int64)

    # What QAbstractItemView asks --------------------------------------------------------------------

    def horizontalOffset(self) -> int:
        """The grid never scrolls sideways."""
        return 0

    def verticalOffset(self) -> int:
        """The number of pixels of the grid above the window."""
        return self.verticalScrollBar().value()

    def indexAt(self, point: QPoint) -> QModelIndex:
        """The tile under a point of the viewport, or an invalid index between tiles."""
        position = self.grid().position_at(point.x(), point.y() + self.verticalOffset())
        return self.model().index(position, 0) if position is not None else QModelIndex()

    def visualRect(self, index: AnyIndex) -> QRect:
        """The rectangle of a tile in the viewport."""
        if not index.isValid():
            return QRect()
        return QRect(*self.grid().rect(index.row())).translated(0, -self.verticalOffset())

    def scrollTo(
        self,
        index: AnyIndex,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        """Scroll as little as brings the tile into view."""
        if not index.isValid():
            return
        rect, bar, gap = self.visualRect(index), self.verticalScrollBar(), self.grid().gap
        height = self.viewport().height()
        if hint == QAbstractItemView.ScrollHint.PositionAtCenter:
            bar.setValue(bar.value() + rect.center().y() - height // 2)
        elif rect.top() < gap or hint == QAbstractItemView.ScrollHint.PositionAtTop:
            bar.setValue(bar.value() + rect.top() - 2 * gap)
        elif rect.bottom() > height - gap:
            bar.setValue(bar.value() + rect.bottom() - height + 2 * gap)

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, _modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        """The tile to which a key leads from the present one."""
        grid, current = self.grid(), self.currentIndex()
        if not grid.count:
            return QModelIndex()
        if not current.isValid():
            return self.model().index(self.visible().start, 0)
        return self.model().index(self._target(action, current.row(), grid), 0)

    def _target(self, action: QAbstractItemView.CursorAction, start: int, grid: Grid) -> int:
        page = grid.columns * max(1, self.viewport().height() // grid.pitch)
        steps = _STEPS | {
            _ACT.MoveUp: -grid.columns,
            _ACT.MoveDown: grid.columns,
            _ACT.MovePageUp: -page,
            _ACT.MovePageDown: page,
            _ACT.MoveHome: -grid.count,
            _ACT.MoveEnd: grid.count,
        }
        target = start + steps.get(action, 0)
        if action == _ACT.MoveUp and target < 0:
            return start  # as in every file manager: Up in the first line stays where it is
        if action == _ACT.MoveDown and start // grid.columns == grid.lines - 1:
            return start
        return min(max(0, target), grid.count - 1)

    def isIndexHidden(self, _index: AnyIndex) -> bool:
        """What is filtered away is not in the model at all."""
        return False

    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        """Choose what a rubber band touches, or, without a band, the run between the rectangle's corners."""
        top, chosen, grid = self.verticalOffset(), QItemSelection(), self.grid()
        if self.state() == QAbstractItemView.State.DragSelectingState:
            box = rect.normalized().translated(0, top)
            for line in grid.spans(box.left(), box.top(), box.right(), box.bottom()):
                chosen.append(self.run(line.start, line.stop - 1))
        else:
            first = grid.nearest(rect.left(), rect.top() + top)
            last = grid.nearest(rect.right(), rect.bottom() + top)
            if first is not None and last is not None:
                chosen.append(self.run(min(first, last), max(first, last)))
        self.selectionModel().select(chosen, command)

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        """The part of the viewport that shows the selection."""
        seen, region = self.visible(), QRegion()
        for span in spans(selection):
            for position in range(max(span.top(), seen.start), min(span.bottom() + 1, seen.stop)):
                region += self.painted_rect(self.model().index(position, 0))
        return region

    def painted_rect(self, index: AnyIndex) -> QRect:
        """The part of the viewport that a tile paints, with what reaches beyond it."""
        rect = self.visualRect(index)
        return rect.adjusted(-EDGE, -EDGE, EDGE, EDGE) if index.isValid() else rect

    def currentChanged(self, current: AnyIndex, previous: AnyIndex) -> None:
        """Paint the ring where the cursor is, and no trace of it where it was."""
        super().currentChanged(current, previous)
        for index in (current, previous):
            self.viewport().update(self.painted_rect(index))

    def updateGeometries(self) -> None:
        """Give the scroll bar the length of the grid."""
        super().updateGeometries()
        grid, bar, height = self.grid(), self.verticalScrollBar(), self.viewport().height()
        bar.setRange(0, max(0, grid.height - height))
        bar.setPageStep(height)
        bar.setSingleStep(max(16, grid.pitch // 3))
        self.laid_out.emit()


def spans(selection: QItemSelection) -> list[QItemSelectionRange]:
    """The runs of a selection, as a list that Python can walk."""
    return [selection.at(index) for index in range(selection.count())]
