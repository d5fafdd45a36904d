"""The page of the query panel that shows an opened folder: filters above, the gallery below."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractButton, QVBoxLayout, QWidget

from fewshot_gui.engine.deciding.piles import Pile
from fewshot_gui.engine.scores import count_labels
from fewshot_gui.gui.mime import MIME, DraggedPicture, unpack
from fewshot_gui.gui.query.deciding import Deciding
from fewshot_gui.gui.query.empty_pages import EmptyPages
from fewshot_gui.gui.query.filter_bar import FilterBar
from fewshot_gui.gui.query.gallery_model import Arrangement, GalleryModel
from fewshot_gui.gui.query.gallery_view import GalleryView
from fewshot_gui.gui.query.hint_strip import HintStrip
from fewshot_gui.gui.query.order_pill import OrderPill
from fewshot_gui.gui.query.picture_viewer import PictureViewer
from fewshot_gui.gui.query.pile_bar import PileBar
from fewshot_gui.gui.query.thumbnail_cache import ThumbnailCache
from fewshot_gui.gui.query.tile_menu import tile_menu
from fewshot_gui.gui.widgets import Separator

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QDragEnterEvent, QDropEvent, QFocusEvent

    from fewshot_gui.engine.gallery import Gallery
    from fewshot_gui.engine.intake import Intake
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.predictor import Predictor
    from fewshot_gui.engine.problems import ProblemLog
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import CategoryId, Document
    from fewshot_gui.engine.worker import Worker
    from fewshot_gui.gui.theme import Appearance


class FolderPage(QWidget):
    """Shows the opened folder, lets pictures be chosen and taught.

    `selectionChanged` carries the chosen rows of the gallery, int64 (K,), the one under the cursor first;
    `openFolderRequested` asks for the dialog that chooses a folder, `sortRequested` for the one that sorts,
    and `newCategoryRequested` for a category of these DraggedPictures.

    The order of the tiles is a snapshot (see GalleryModel). It follows the predictions by itself only
    while nobody has a hand over it: scrolled to the top, the pointer elsewhere, nothing chosen. Otherwise
    a floating button says that the order has changed, and a click on it sorts anew.
    """

    selectionChanged = Signal(object)  # noqa: N815 - reads like the signals of Qt's own views
    openFolderRequested = Signal()  # noqa: N815 - the same
    sortRequested = Signal()  # noqa: N815 - the same
    newCategoryRequested = Signal(object)  # noqa: N815 - the same

    def __init__(
        self,
        session: Session,
        gallery: Gallery,
        predictor: Predictor,
        library: Library,
        intake: Intake,
        appearance: Appearance,
        parent: QWidget | None = None,
        lane: Worker | None = None,
        problems: ProblemLog | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._gallery, self._predictor = session, gallery, predictor
        self._library, self._intake, self._appearance = library, intake, appearance
        self._problems = problems
        self.setObjectName("folderPage")
        self.setAccessibleName(self.tr("Folder"))
        self.setAcceptDrops(True)
        self.model = GalleryModel(session, gallery, predictor, self, lane)
        self.thumbnails = ThumbnailCache(library, parent=self)
        self.model.problem_of = self.thumbnails.problem
        self.bar = FilterBar(appearance, self)
        self.piles = PileBar(self)
        self.hint = HintStrip(appearance, self)
        self.view = GalleryView(self.model, self.thumbnails, appearance, self)
        self.pages = EmptyPages(self.view, self)
        self.pill = OrderPill(appearance, self.view)
        self.deciding = Deciding(
            session, gallery, intake, self.model, self.view, self.piles, page=self, lane=lane
        )
        self._pick_soon = QTimer(self, interval=0, singleShot=True)
        self._lay_out()
        self._connect_widgets()
        self._disconnect = [
            gallery.listed.connect(self._on_listed),
            gallery.progressed.connect(self._on_progress),
            predictor.updated.connect(self._on_scores),
            session.changed.connect(self._on_document),
        ]
        disconnect = self._disconnect
        self.destroyed.connect(lambda: [each() for each in disconnect])
        self._show_document(session.document)
        self._show_folder()

    def _lay_out(self) -> None:
        self._line = Separator(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.piles)
        column.addWidget(self._line)
        column.addWidget(self.hint)
        column.addWidget(self.pages, 1)

    def _connect_widgets(self) -> None:
        self.bar.arranged.connect(self._arrange)
        self.bar.resized.connect(self.view.set_tile_side)
        self.bar.open_requested.connect(self.openFolderRequested)
        self.pages.open_requested.connect(self.openFolderRequested)
        self.pages.again_requested.connect(self._look_again)
        self.pages.show_all_requested.connect(self._show_all)
        self.pages.questions_requested.connect(lambda: self.piles.choose(Pile.ASK))
        self.pages.sort_requested.connect(self.sortRequested)
        self.pill.clicked.connect(self._sort_by_pill)
        QShortcut(QKeySequence(Qt.Key.Key_F5), self, self.look_anew).setContext(
            Qt.ShortcutContext.WidgetWithChildrenShortcut
        )
        self.model.stale_changed.connect(self._on_stale)
        self.model.rearranged.connect(self._choose_page)
        self.model.rowsInserted.connect(self._choose_page)
        self.view.picked.connect(self._pick_soon.start)
        self._pick_soon.timeout.connect(lambda: self.selectionChanged.emit(self.selected_rows()))
        self.view.opened.connect(self.enlarge)
        self.piles.chosen.connect(lambda pile: self.bar.allow_sorting(pile is not Pile.ASK))
        self.piles.chosen.connect(self._choose_page)
        self.model.advanced.connect(self._choose_page)
        self.view.looked_at.connect(self._prefer)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._show_menu)

    # What others ask --------------------------------------------------------------------------------

    def selected_rows(self) -> NDArray[np.int64]:
        """int64 (K,): the chosen rows of the gallery, the one under the cursor first."""
        rows = self.view.selected_rows()
        current = self.view.currentIndex()
        if current.isValid() and self.view.selectionModel().isSelected(current):
            first = self.model.order[current.row()]
            rows = np.concatenate([[first], rows[rows != first]])
        return rows

    def selected_paths(self) -> list[str]:
        """The files of the chosen pictures, all of a stack where its tile is chosen."""
        rows = dict.fromkeys(each for row in self.selected_rows().tolist() for each in self.model.stack(row))
        return [self._gallery.files[row].path for row in rows]

    def teach(self, category: CategoryId) -> None:
        """Put the chosen pictures into this category, as one step of undo."""
        self.deciding.answers.teach(category)

    def refresh(self) -> None:
        """Sort by the present predictions; the chosen pictures stay chosen."""
        self.model.refresh()

    def look_anew(self) -> None:
        """Look into the folder for what is new, changed or gone, and sort by the present predictions."""
        self.thumbnails.retry()
        self._gallery.rescan()
        self.refresh()

    def enlarge(self, index: QModelIndex) -> PictureViewer:
        """Show the picture large; return the window that shows it."""
        viewer = PictureViewer(
            self.model,
            self._library,
            index.row(),
            self,
            session=self._session,
            appearance=self._appearance,
        )
        viewer.answered.connect(self.deciding.answer_large)
        viewer.moved.connect(self.view.go_to)
        self.view.take_hold(viewer.position)
        viewer.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        viewer.open()
        return viewer

    # What happens -----------------------------------------------------------------------------------

    def _arrange(self, arrangement: Arrangement) -> None:
        self.model.arrange(self.deciding.completed(arrangement))
        self.deciding.show_counts()
        self.view.scrollToTop()

    def _sort_by_pill(self) -> None:
        self.refresh()
        self.view.setFocus()  # the pill is gone, and whoever came to it by Tab would type into nothing

    def _show_all(self) -> None:
        self.piles.choose(None)
        self.bar.chips.choose(None)

    def _on_stale(self, stale: bool) -> None:
        if stale and self.view.at_rest:
            self.model.refresh()
        else:
            self.pill.setVisible(stale)

    def _on_listed(self) -> None:
        self._show_folder()

    def _on_progress(self, _embedded: int, _total: int) -> None:
        self._show_progress()

    def _on_scores(self, _scores: Scores) -> None:
        self._show_counts()
        if self.piles.pile is not None:
            self._choose_page()

    def _on_document(self, before: Document, after: Document) -> None:
        if before.categories is not after.categories:
            self._show_document(after)

    def _show_document(self, document: Document) -> None:
        self.bar.chips.show_categories(document.categories)
        self.view.shortcuts = frozenset(
            category.shortcut.casefold() for category in document.categories if category.shortcut
        )
        self._show_counts()
        self._choose_page()

    def _show_folder(self) -> None:
        if not self._gallery.files:
            self.thumbnails.forget()
        self._show_progress()
        self._show_counts()
        self._choose_page()

    def _show_progress(self) -> None:
        gallery = self._gallery
        self.bar.show_folder(gallery.folder, gallery.count, gallery.embedded, listing=gallery.listing)
        if not gallery.count:
            self._choose_page()

    def _show_counts(self) -> None:
        scores = self.model.scores
        counts = count_labels(scores) if scores is not None else None
        self.bar.chips.show_counts(self._gallery.count, counts, scores.classes if scores is not None else ())
        self.deciding.show_counts()

    def _choose_page(self) -> None:
        gallery, document = self._gallery, self._session.document
        opened = bool(gallery.folder or gallery.count)
        self.bar.setVisible(opened)
        self._line.setVisible(opened)
        self.hint.show_for(document, opened=bool(gallery.count))
        self.deciding.show_for(document)
        # While a folder is listed there is nothing to hand the keys to, and the page keeps them itself.
        inside = self.pages.isAncestorOf(self.focusWidget()) if self.focusWidget() else False
        focused = inside or self.hasFocus()
        self.pages.choose(
            opened=opened,
            listing=gallery.listing,
            pictures=gallery.count,
            shown=self.model.rowCount(),
            why=self.deciding.why_empty(
                self.model.rowCount(), narrowed=self.model.arrangement.only is not None
            ),
            problem=self._folder_problem(),
        )
        if focused and self.pages.currentWidget() is self.view:
            self.view.setFocus()  # it was away while there was nothing to show

    def _folder_problem(self) -> str:
        """Return a word for why the folder itself could not be listed; empty where it could."""
        entries = self._problems.entries if self._problems is not None else ()
        return next((each.kind for each in reversed(entries) if each.path == self._gallery.folder), "")

    def _look_again(self) -> None:
        self._gallery.open(self._gallery.folder)

    def _prefer(self, rows: NDArray[np.int64]) -> None:
        if self._gallery.embedded < self._gallery.count:
            self._gallery.prefer(rows.tolist())

    def _show_menu(self, point: QPoint) -> None:
        rows = self.view.targets()
        if not len(rows):
            return
        menu = tile_menu(
            [self._gallery.files[row].path for row in rows.tolist()],
            self._session.document.categories,
            self._appearance.theme,
            teach=self.teach,
            begin=self._begin_category,
            answer=self.deciding.answers.answer,
            enlarge=lambda: self.view.opened.emit(self.view.currentIndex()),
            parent=self,
        )
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.view.viewport().mapToGlobal(point))

    def _begin_category(self) -> None:
        gallery = self._gallery
        self.newCategoryRequested.emit(
            [
                DraggedPicture(gallery.files[row].path, gallery.ids[row], row)
                for row in self.view.targets().tolist()
            ]
        )

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Hand the keys to the pictures, or to the button that leads to some."""
        super().focusInEvent(event)
        page = self.pages.currentWidget()
        target: QWidget | None = page
        if page is not self.view and page is not None:
            target = page.findChild(QAbstractButton)
        if target is not None:
            target.setFocus(event.reason())

    # Dropping a folder ------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take a folder; our own tiles came from here and have nothing to do here."""
        data = event.mimeData()
        if data.hasFormat(MIME):
            return
        # The local file of a web address is "", and that is the folder the program was started in.
        folders = [url for url in data.urls() if url.isLocalFile() and Path(url.toLocalFile()).is_dir()]
        if folders:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the folder."""
        for path in unpack(event.mimeData()).files:
            if Path(path).is_dir():
                event.acceptProposedAction()
                self._gallery.open(path)
                return
