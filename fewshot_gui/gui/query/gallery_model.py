"""The rows of the opened folder in the order in which they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from fewshot_gui.engine.scores import OrderKey, Special, name_ranks, order_by
from fewshot_gui.gui.mime import DraggedPicture, pack
from fewshot_gui.gui.query.tile import Tile, TileState, tile_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PySide6.QtCore import QMimeData

    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.gallery import Gallery
    from fewshot_gui.engine.predictor import Predictor
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import CategoryId, Document

AnyIndex = QModelIndex | QPersistentModelIndex
NO_INDEX: Final = QModelIndex()
TILE_ROLE: Final = Qt.ItemDataRole.UserRole + 1
ROW_ROLE: Final = Qt.ItemDataRole.UserRole + 2
PATH_ROLE: Final = Qt.ItemDataRole.UserRole + 3


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Which rows are shown, and in what order."""

    key: OrderKey = "folder"
    descending: bool = False
    only: CategoryId | Special | None = None


class GalleryModel(QAbstractListModel):
    """The pictures of the gallery as a list; a position is a place on the screen, a row one in the folder.

    The order is a snapshot. New predictions change what the tiles say at once (`dataChanged`), but they
    move no tile: `stale` then says that the shown order is no longer the one that was asked for, and
    `refresh` makes it so. The caller decides when nobody has a hand over the pictures.
    """

    stale_changed = Signal(bool)
    rearranged = Signal()

    def __init__(
        self, session: Session, gallery: Gallery, predictor: Predictor, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._gallery, self._predictor = session, gallery, predictor
        self._arrangement = Arrangement()
        self._folder = gallery.folder
        self._scores: Scores | None = predictor.scores
        self._names: NDArray[np.int64] | None = None
        self._categories = {category.id: category for category in session.document.categories}
        self._listed = 0
        self._stale = False
        self._order: NDArray[np.int64] = np.empty(0, np.int64)
        self._positions: NDArray[np.int64] | None = None
        self._disconnect = [
            gallery.listed.connect(self._on_listed),
            predictor.updated.connect(self._on_scores),
            session.changed.connect(self._on_document),
        ]
        # The connections are to plain functions: the object itself must not be needed when it is gone.
        disconnect = self._disconnect
        self.destroyed.connect(lambda: [each() for each in disconnect])
        self.refresh()

    @property
    def arrangement(self) -> Arrangement:
        """The filter and the order that were asked for."""
        return self._arrangement

    @property
    def order(self) -> NDArray[np.int64]:
        """int64 (M,): the row shown at each position."""
        return self._order

    @property
    def scores(self) -> Scores | None:
        """The predictions that the tiles speak of."""
        return self._scores

    @property
    def stale(self) -> bool:
        """True while `refresh` would move or hide a picture."""
        return self._stale

    def arrange(self, arrangement: Arrangement) -> None:
        """Show these rows in this order from now on."""
        self._arrangement = arrangement
        self.refresh()

    def refresh(self) -> None:
        """Put every picture where the present predictions say."""
        self._listed = len(self._gallery.files)
        self._set_order(self._wanted_order())

    def tile(self, position: int) -> Tile:
        """What the tile at this position says now."""
        row = int(self._order[position])
        return tile_of(row, self._gallery.files[row], self._scores, self._categories)

    def file(self, position: int) -> PictureFile:
        """The picture at this position."""
        return self._gallery.files[int(self._order[position])]

    def position_of(self, row: int) -> int | None:
        """Where the row is shown, or None while it is filtered away."""
        if self._positions is None:
            self._positions = np.full(self._listed, -1, np.int64)
            self._positions[self._order] = np.arange(len(self._order))
        position = int(self._positions[row]) if 0 <= row < len(self._positions) else -1
        return position if position >= 0 else None

    def positions_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """int64 (K,): where those of the rows that are shown are, ascending."""
        shown = np.zeros(self._listed, np.bool_)
        shown[rows[rows < self._listed]] = True
        return np.flatnonzero(shown[self._order])

    # What Qt asks -----------------------------------------------------------------------------------

    def rowCount(self, parent: AnyIndex = NO_INDEX) -> int:
        """The number of pictures that pass the filter."""
        return 0 if parent.isValid() else len(self._order)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The file name, the tile, the row, the path, or the sentence for a screen reader."""
        if not index.isValid() or index.row() >= len(self._order):
            return None
        if role == TILE_ROLE:
            return self.tile(index.row())
        if role == ROW_ROLE:
            return int(self._order[index.row()])
        return self._text(index.row(), role)

    def _text(self, position: int, role: int) -> str | None:
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self.tile(position).name
            case Qt.ItemDataRole.AccessibleTextRole:
                return self.sentence(position)
            case Qt.ItemDataRole.ToolTipRole:
                return f"{self.sentence(position)}\n{self.file(position).path}"
            case _ if role == PATH_ROLE:
                return self.file(position).path
            case _:
                return None

    def sentence(self, position: int) -> str:
        """What a screen reader says of the tile: the file and the answer."""
        tile = self.tile(position)
        match tile.state:
            case TileState.UNSEEN:
                return self.tr("{file}: not looked at yet").format(file=tile.name)
            case TileState.REJECTED:
                return self.tr("{file}: none of these").format(file=tile.name)
            case TileState.TAUGHT:
                return self.tr("{file}: {category}, taught by you").format(
                    file=tile.name, category=tile.category
                )
            case _:
                return self.tr("{file}: {category}, {percent} %").format(
                    file=tile.name, category=tile.category, percent=round(100 * tile.probability)
                )

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        """Pictures are chosen and dragged, never edited."""
        wanted = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled
        return (wanted | Qt.ItemFlag.ItemNeverHasChildren) if index.isValid() else Qt.ItemFlag.NoItemFlags

    def supportedDragActions(self) -> Qt.DropAction:
        """Dragging a tile out copies: no file of the user is ever moved by a drag."""
        return Qt.DropAction.CopyAction

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """The dragged pictures, for a category card of ours or as files for another program."""
        rows = [int(self._order[index.row()]) for index in indexes]
        files, ids = self._gallery.files, self._gallery.ids
        return pack([DraggedPicture(files[row].path, ids[row], row) for row in rows])

    # What the engine tells --------------------------------------------------------------------------

    def _wanted_order(self) -> NDArray[np.int64]:
        files, arrangement = self._gallery.files, self._arrangement
        if arrangement.key == "name" and (self._names is None or len(self._names) != len(files)):
            self._names = name_ranks(files)
        return order_by(
            self._scores,
            files,
            arrangement.key,
            descending=arrangement.descending,
            only=arrangement.only,
            names=self._names if arrangement.key == "name" else None,
        )

    def _set_order(self, order: NDArray[np.int64]) -> None:
        self.beginResetModel()
        self._order, self._positions = order, None
        self.endResetModel()
        self._set_stale(stale=False)
        self.rearranged.emit()

    def _set_stale(self, *, stale: bool) -> None:
        if stale != self._stale:
            self._stale = stale
            self.stale_changed.emit(stale)

    def _on_listed(self) -> None:
        count = len(self._gallery.files)
        if self._gallery.folder != self._folder or count < self._listed:
            self._change_folder()
        elif count > self._listed:
            self._append(count)

    def _change_folder(self) -> None:
        # Scores of the former folder say nothing of this one, whatever their rows.
        self._folder, self._names, self._scores = self._gallery.folder, None, None
        self.refresh()

    def _append(self, count: int) -> None:
        """Show new rows of the same folder at the end, so that nothing above them moves."""
        fresh = np.arange(self._listed, count)
        self._listed, self._positions = count, None
        if self._arrangement.only in {None, Special.UNKNOWN}:
            self.beginInsertRows(NO_INDEX, len(self._order), len(self._order) + len(fresh) - 1)
            self._order = np.concatenate([self._order, fresh])
            self.endInsertRows()
        if self._arrangement.key == "name" or self._arrangement.descending:
            self._set_stale(stale=True)

    def _fitting(self, scores: Scores | None) -> Scores | None:
        return scores if scores is not None and scores.count <= len(self._gallery.files) else None

    def _on_scores(self, scores: Scores) -> None:
        if self._gallery.folder != self._folder:  # the predictor heard of the new folder before us
            self._change_folder()
        self._scores = self._fitting(scores)
        self._tell_all()
        self._set_stale(stale=not np.array_equal(self._wanted_order(), self._order))

    def _on_document(self, _before: Document, after: Document) -> None:
        self._categories = {category.id: category for category in after.categories}
        self._tell_all()

    def _tell_all(self) -> None:
        if len(self._order):
            self.dataChanged.emit(self.index(0), self.index(len(self._order) - 1))
