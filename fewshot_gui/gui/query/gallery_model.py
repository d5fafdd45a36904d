"""The rows of the opened folder in the order in which they are shown."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer, Signal

from fewshot_gui.engine.deciding.answers import show
from fewshot_gui.engine.deciding.asking import reordered
from fewshot_gui.engine.deciding.piles import Pile
from fewshot_gui.engine.scores import Special
from fewshot_gui.engine.worker import Priority
from fewshot_gui.gui.mime import DraggedPicture, pack
from fewshot_gui.gui.query.arranging import Arrangement, Arranger
from fewshot_gui.gui.query.tile import Tile, tile_of
from fewshot_gui.gui.query.tile_words import sentence, tooltip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from PySide6.QtCore import QMimeData

    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.deciding.answers import Shown
    from fewshot_gui.engine.deciding.piles import Piles
    from fewshot_gui.engine.deciding.stacks import Stacks
    from fewshot_gui.engine.gallery import Gallery
    from fewshot_gui.engine.predictor import Predictor
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import Document
    from fewshot_gui.engine.worker import Job, Worker

__all__ = ["Arrangement", "GalleryModel"]

AnyIndex = QModelIndex | QPersistentModelIndex
NO_INDEX: Final = QModelIndex()
TILE_ROLE: Final = Qt.ItemDataRole.UserRole + 1
ROW_ROLE: Final = Qt.ItemDataRole.UserRole + 2
PATH_ROLE: Final = Qt.ItemDataRole.UserRole + 3


AHEAD_MS: Final = 250
"""So long what comes next may be out of date: at 20 answers a second it need not follow each of them."""


class GalleryModel(QAbstractListModel):
    """The pictures of the gallery as a list; a position is a place on the screen, a row one in the folder.

    The order is a snapshot. New predictions change what the tiles say at once (`dataChanged`), but they
    move no tile: `stale` then says that the shown order is no longer the one that was asked for, and
    `refresh` makes it so. The caller decides when nobody has a hand over the pictures.

    A pile is a queue: what is at the cursor or before it stays, answered or not, and only what lies ahead
    follows the predictions. `held` says up to which position somebody has a hand over the pictures;
    `rewritten` says that files of the same rows may have other content, or be gone or back.
    `problem_of` says why a picture cannot be read, None where it can; `folders_shown` counts the folders,
    for a row means another picture in the next one.

    Args:
        session: names and colours of the categories.
        gallery: the rows.
        predictor: what is said of them.
        parent: owns the model.
        lane: puts the questions in order; without it that is done at once.
    """

    stale_changed = Signal(bool)
    rearranged = Signal()
    rewritten = Signal()
    advanced = Signal()

    def __init__(
        self,
        session: Session,
        gallery: Gallery,
        predictor: Predictor,
        parent: QObject | None = None,
        lane: Worker | None = None,
    ) -> None:
        super().__init__(parent)
        self.held: Callable[[], int] = lambda: -1
        self.problem_of: Callable[[PictureFile], str | None] = lambda _file: None
        self._arranger = Arranger(gallery)
        self._lane = lane
        self._jobs: list[Job] = []
        self._again = False
        self._touched = -1
        self._ahead = QTimer(self, interval=AHEAD_MS, singleShot=True)
        self._ahead.timeout.connect(self.follow)
        self._session, self._gallery, self._predictor = session, gallery, predictor
        self._arrangement = Arrangement()
        self._folder = gallery.folder
        self._scores: Scores | None = predictor.scores
        self._categories = {category.id: category for category in session.document.categories}
        self.folders_shown = 0
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
        ends: list[Callable[[], None]] = [*self._disconnect, partial(_cancel, self._jobs)]
        self.destroyed.connect(lambda: [each() for each in ends])
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
    def piles(self) -> Piles | None:
        """The piles of the predictions that the tiles speak of, None before anything was taught."""
        return self._arranger.piles(self._scores)

    @property
    def stale(self) -> bool:
        """True while `refresh` would move or hide a picture."""
        return self._stale

    def arrange(self, arrangement: Arrangement) -> None:
        """Show these rows in this order from now on."""
        self._arrangement = arrangement
        self.refresh()

    def set_boldness(self, boldness: float) -> None:
        """Cut the piles here from now on, 0 careful to 1 bold; `refresh` then moves the pictures."""
        self._arranger.boldness = boldness

    def set_stacks(self, stacks: Stacks | None) -> None:
        """Show look-alikes as one tile, or with None each picture."""
        self._arranger.stacks, self._arranger.opened = stacks, frozenset()
        self.refresh()

    def toggle_stack(self, position: int) -> None:
        """Show all pictures of the stack at this position, or one for all again."""
        self._arranger.toggle(int(self._order[position]))
        self.refresh()

    def unfold(self, rows: NDArray[np.int64]) -> None:
        """Show each of these rows by itself: a stack in which one is hidden is opened."""
        hidden = [row for row in rows.tolist() if self.position_of(row) is None]
        if self._arranger.open_stacks(hidden):
            self.refresh()

    def refresh(self) -> None:
        """Put every picture where the present predictions say."""
        self._drop_job()
        self._listed = len(self._gallery.files)
        self._touched = -1
        self._set_order(self._arranger.wanted(self._scores, self._arrangement))

    def tile(self, position: int) -> Tile:
        """What the tile at this position says now."""
        row = int(self._order[position])
        tile = tile_of(row, self._gallery.files[row], self._scores, self._categories)
        if self._arranger.stacks is None:
            return tile
        return replace(tile, stack=self._arranger.size(row), opened=self._arranger.is_open(row))

    def shown(self, position: int) -> Shown | None:
        """What the tile at this position suggests now, to be kept by whoever draws it; None if unknown."""
        row = int(self._order[position])
        return None if self._scores is None else show(row, self._gallery.ids, self._scores)

    def behind(self, row: int) -> list[int]:
        """The rows that an answer to the tile of a row is about, that row first."""
        return self._arranger.behind(row, self._scores, self._arrangement)

    def stack(self, row: int) -> list[int]:
        """The rows of the stack whose tile the row is, decided or not; the row alone where it is opened."""
        return self._arranger.members(row)

    def is_closed_stack(self, position: int) -> bool:
        """True where the tile stands for pictures that are not shown."""
        row = int(self._order[position])
        return self._arranger.size(row) > 1 and not self._arranger.is_open(row)

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
                tile = self.tile(position)
                return tooltip(tile, self.problem_of(tile.file))
            case _ if role == PATH_ROLE:
                return self.file(position).path
            case _:
                return None

    def sentence(self, position: int) -> str:
        """What a screen reader says of the tile: the file and the answer."""
        tile = self.tile(position)
        return sentence(tile, self.problem_of(tile.file))

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
        else:
            self.rewritten.emit()

    def _change_folder(self) -> None:
        # Scores of the former folder say nothing of this one, whatever their rows.
        self._folder, self._scores = self._gallery.folder, None
        self._arranger.forget_folder()
        self.folders_shown += 1
        self.refresh()

    def _append(self, count: int) -> None:
        """Show new rows of the same folder at the end, so that nothing above them moves."""
        fresh = np.arange(self._listed, count)
        self._listed, self._positions = count, None
        if self._arrangement.pile is None and self._arrangement.only in {None, Special.UNKNOWN}:
            self.beginInsertRows(NO_INDEX, len(self._order), len(self._order) + len(fresh) - 1)
            self._order = np.concatenate([self._order, fresh])
            self.endInsertRows()
        if self._arrangement.key == "name" or self._arrangement.descending:
            self._set_stale(stale=True)
        elif self._stale and self._arrangement.pile is None:  # the predictor heard of these rows before us
            wanted = self._arranger.wanted(self._scores, self._arrangement)
            self._set_stale(stale=not np.array_equal(wanted, self._order))

    def _fitting(self, scores: Scores | None) -> Scores | None:
        return scores if scores is not None and scores.count <= len(self._gallery.files) else None

    def _on_scores(self, scores: Scores) -> None:
        if self._gallery.folder != self._folder:  # the predictor heard of the new folder before us
            self._change_folder()
        self._scores = self._fitting(scores)
        self._tell_all()
        if self._arrangement.pile is not None:
            self._follow_soon()
            return
        wanted = self._arranger.wanted(self._scores, self._arrangement)
        self._set_stale(stale=not np.array_equal(wanted, self._order))

    # What lies ahead --------------------------------------------------------------------------------

    def _follow_soon(self) -> None:
        if not self._ahead.isActive():
            self._ahead.start()

    def follow(self) -> None:
        """Put what lies ahead of the cursor of a pile where the present predictions say."""
        scores, pile = self._scores, self._arrangement.pile
        if pile is None or scores is None:
            return
        if pile is not Pile.ASK or self._lane is None:
            self._take_order(self._arranger.wanted(scores, self._arrangement))
            return
        if self._jobs:  # not cancelled: twenty answers a second would never get an order
            self._again = True
            return
        question = self._arranger.question(scores, self._arrangement, self._order[: self._hold() + 1])
        job = self._lane.submit(
            lambda _token: question.order(),
            then=lambda order: self._take_order(self._arranger.folded(order)),
            priority=Priority.VISIBLE,
        )
        self._jobs.append(job)

    def _drop_job(self) -> None:
        self._ahead.stop()
        self._again = False
        _cancel(self._jobs)

    def _hold(self) -> int:
        """Return the last position that stays where it is from now on, -1 where there is none."""
        self._touched = max(self._touched, min(self.held(), len(self._order) - 1))
        return self._touched

    def _take_order(self, order: NDArray[np.int64]) -> None:
        """Show this order ahead of what is held: nothing at or before that moves or is chosen anew."""
        again, self._again = self._again, False
        self._jobs.clear()
        held = self._hold()
        if held >= 0:
            order = reordered(self._order, held + 1, order)
        self._replace_ahead(order, held + 1)
        if again:
            self._follow_soon()

    def _replace_ahead(self, order: NDArray[np.int64], start: int) -> None:
        before, after = len(self._order), len(order)
        if after > before:
            self.beginInsertRows(NO_INDEX, before, after - 1)
        elif after < before:
            self.beginRemoveRows(NO_INDEX, after, before - 1)
        self._order, self._positions = order, None
        if after > before:
            self.endInsertRows()
        elif after < before:
            self.endRemoveRows()
        if start < after:
            self.dataChanged.emit(self.index(start), self.index(after - 1))
        self.advanced.emit()

    def _on_document(self, _before: Document, after: Document) -> None:
        self._categories = {category.id: category for category in after.categories}
        self._tell_all()

    def _tell_all(self) -> None:
        if len(self._order):
            self.dataChanged.emit(self.index(0), self.index(len(self._order) - 1))


def _cancel(jobs: list[Job]) -> None:
    for job in jobs:
        job.cancel()
    jobs.clear()
