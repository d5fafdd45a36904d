"""The map beside the window: who pulls at each picture, and frames that choose some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout

from fewshot_gui.engine.deciding.circle import anchors, places, ring_order
from fewshot_gui.gui.compare.dialog import show_picture
from fewshot_gui.gui.inspector.reveal import reveal_rows
from fewshot_gui.gui.map.view import MapContent, MapView
from fewshot_gui.gui.query.thumbnail_cache import ThumbnailCache
from fewshot_gui.gui.sorting.tables import base_name
from fewshot_gui.gui.widgets import ElidedLabel, EmptyState, PushButton, open_as

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QShowEvent
    from PySide6.QtWidgets import QWidget

    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.state import CategoryId
    from fewshot_gui.engine.workspace import Workspace
    from fewshot_gui.gui.main_window import MainWindow
    from fewshot_gui.gui.theme import Appearance

MOST_ROWS: Final = 5000
"""Pictures on the map, spread over all: it is painted within a frame, and shows what lies where as well."""
_PREVIEW: Final = 64
_SOON_MS: Final = 120


class MapDialog(QDialog):
    """Follows what is taught and said while it is open.

    `pictureChosen(path)` asks to show a picture in the window, `rowsChosen(rows)` to choose some there;
    whoever does so tells with `say_chosen` how many.
    """

    pictureChosen = Signal(str)  # noqa: N815 - reads like the signals of Qt's own views
    rowsChosen = Signal(object)  # noqa: N815 - as above

    def __init__(self, workspace: Workspace, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._rows = np.empty(0, np.int64)
        self._scores: Scores | None = None
        self._ring: tuple[tuple[CategoryId, ...], list[int]] = ((), [])
        self.setObjectName("mapDialog")
        self.setWindowTitle(self.tr("Map of the pictures"))
        self.view = MapView(workspace.library, appearance, self)
        self.empty = EmptyState("target", "", "", parent=self)
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.view)
        self.pages.addWidget(self.empty)
        self.note = QLabel(self)
        self.note.setObjectName("mapNote")
        self.note.setProperty("role", "muted")
        self.note.setWordWrap(True)
        self.picture = QLabel(self)
        self.picture.setFixedSize(QSize(_PREVIEW, _PREVIEW))
        self.words = ElidedLabel("", self)
        self.words.setMinimumHeight(_PREVIEW)
        self.words.setObjectName("mapWords")
        self.leave = PushButton(self.tr("Close"), self)
        self.leave.setAutoDefault(False)
        self._thumbnails = ThumbnailCache(workspace.library, parent=self)
        self._thumbnails.arrived.connect(lambda _files: self._show_preview())
        self._pointed = -1
        self._soon = QTimer(self, interval=_SOON_MS, singleShot=True)
        self._soon.timeout.connect(self.refresh)
        self._lay_out()
        self._connect()
        open_as(self, 900, 660)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(8)
        column.addWidget(self.note)
        column.addWidget(self.pages, 1)
        foot = QHBoxLayout()
        foot.setSpacing(16)
        foot.addWidget(self.picture)
        foot.addWidget(self.words, 1)
        foot.addWidget(self.leave, 0, Qt.AlignmentFlag.AlignBottom)
        column.addLayout(foot)

    def _connect(self) -> None:
        space = self._workspace
        self.leave.clicked.connect(self.accept)
        self.view.pointed.connect(self._point_at)
        self.view.chosen.connect(lambda index: self.pictureChosen.emit(self.view.content.files[index].path))
        self.view.framed.connect(self._choose)
        disconnect = [
            space.predictor.updated.connect(lambda _scores: self._refresh_soon()),
            space.session.changed.connect(lambda _before, _after: self._refresh_soon()),
            space.gallery.cleared.connect(self._clear),
            space.gallery.listed.connect(self._refresh_soon),
        ]
        self.destroyed.connect(lambda: [each() for each in disconnect])

    def _refresh_soon(self) -> None:
        # Not begun anew by each of them: while pictures are embedded they come faster than it waits.
        if not self._soon.isActive():
            self._soon.start()

    def _clear(self) -> None:
        """Show none of the former folder's pictures: their places are those of others soon."""
        self._rows, self._scores = np.empty(0, np.int64), None
        self.view.show_content(MapContent())
        self._point_at(-1)
        self._refresh_soon()

    # What is shown ----------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Show what has been said meanwhile."""
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """Show what is said of the pictures now; nothing is made for nobody, once the map is closed."""
        if not self.isVisible():
            return
        scores, gallery = self._workspace.predictor.scores, self._workspace.gallery
        document = self._workspace.session.document
        known = {each.id: each for each in document.categories}
        taught = [each for each in document.categories if each.examples]
        if scores is not None and (scores.count != gallery.count or not known.keys() >= set(scores.classes)):
            return  # of a moment ago: the next ones are on their way
        columns: list[int] = []
        if scores is not None:
            columns = [place for place, name in enumerate(scores.classes) if known[name].examples]
        rows = self._shown_rows(scores) if scores is not None and len(columns) > 1 else np.empty(0, np.int64)
        self._rows, self._scores = rows, scores
        self.pages.setCurrentWidget(self.view if len(rows) else self.empty)
        if scores is None or not len(rows):
            self.view.show_content(MapContent())
            self._show_empty(len(taught))
            return
        chances = scores.probabilities[rows][:, columns]
        classes = tuple(scores.classes[column] for column in columns)
        if self._ring[0] != classes:
            self._ring = classes, ring_order(chances)
        corners = anchors(self._ring[1])
        column_of = np.full(len(scores.classes) + 1, -1)
        column_of[columns] = np.arange(len(columns))
        files = tuple(gallery.files[row] for row in rows.tolist())
        self.view.show_content(
            MapContent(
                tuple(known[name] for name in classes),
                corners,
                files,
                places(chances, corners, rows),
                column_of[np.maximum(scores.labels()[rows], -1)],
                scores.taught[rows] >= 0,
            )
        )
        self._show_note(len(rows), int(scores.known.sum()))
        self._point_at(self.view.over)

    def _shown_rows(self, scores: Scores) -> NDArray[np.int64]:
        rows = np.flatnonzero(scores.known & (scores.probabilities.sum(axis=1) > 0))
        if len(rows) > MOST_ROWS:
            rows = rows[np.linspace(0, len(rows) - 1, MOST_ROWS).astype(np.int64)]
        return rows

    def _show_note(self, shown: int, known: int) -> None:
        words = self.tr(
            "Each category pulls at the pictures: the nearer, the surer. What lies between two could be "
            "either. A dashed edge is none of these, a broad one an example."
        )
        if not self.view.as_pictures:
            words = self.tr(
                "Each category pulls at the pictures: the nearer, the surer. What lies between two could be "
                "either. A ring is none of these, a large dot an example."
            )
        if shown < known:
            words += " " + self.tr("Shown: {0:,} of {1:,}, spread over all.").format(shown, known)
        self.note.setText(words)

    def _show_empty(self, taught: int) -> None:
        self.note.setText("")
        self.words.setText("")
        self.picture.hide()
        if taught < 2:
            self.empty.title.setText(self.tr("Nothing to show yet"))
            self.empty.text.setText(
                self.tr("Teach two categories and open a folder: each picture then lies between them.")
            )
        else:
            self.empty.title.setText(self.tr("No pictures yet"))
            self.empty.text.setText(
                self.tr("Open a folder of pictures: each then lies between the categories.")
            )

    # One picture, or some ---------------------------------------------------------------------------

    def _point_at(self, index: int) -> None:
        """Tell of the picture that is pointed at; of none, what can be done."""
        self._pointed = index
        if index < 0 or self._scores is None:
            self.picture.hide()
            self._tell(
                self.tr(
                    "Click on a picture, or draw a frame round some, to choose them in the window. "
                    "The arrow keys go from one to the next."
                )
            )
            return
        file, row = self.view.content.files[index], int(self._rows[index])
        chances = self._scores.probabilities[row]
        best = np.argsort(-chances)[:2].tolist()
        document = self._workspace.session.document
        said = ", ".join(
            f"{document.category(self._scores.classes[place]).name} {round(100 * float(chances[place]))} %"
            for place in best
            if round(100 * float(chances[place])) and self._scores.classes[place] in document
        )
        self._tell(f"{base_name(file.path)}: {said}")
        self._thumbnails.want((file,), _PREVIEW, self.devicePixelRatioF())
        self._show_preview()

    def _tell(self, words: str) -> None:
        self.words.setText(words)
        self.view.setAccessibleDescription(words)  # it has the focus while the arrow keys lead on

    def _show_preview(self) -> None:
        files = self.view.content.files
        pixmap = self._thumbnails.pixmap(files[self._pointed]) if 0 <= self._pointed < len(files) else None
        self.picture.setVisible(pixmap is not None)
        if pixmap is not None:
            self.picture.setPixmap(pixmap)

    def _choose(self, indices: NDArray[np.int64]) -> None:
        gallery, files = self._workspace.gallery, self.view.content.files
        rows = [gallery.row_of(files[index].path) for index in indices.tolist()]
        there = np.array([row for row in rows if row is not None], np.int64)
        if len(there):
            self.rowsChosen.emit(there)

    def say_chosen(self, chosen: int, wanted: int) -> None:
        """Tell how many of the wanted pictures are chosen in the window, and how to answer them."""
        words = self.tr("{0:,} chosen in the window: press the key of a category there.")
        if chosen == 1:
            words = self.tr("{0} chosen in the window: press the key of a category there.")
        if not chosen:
            words = self.tr("These {1:,} lie too far apart in the window to be chosen at once: frame fewer.")
        self._tell(words.format(chosen, wanted))


def show_map(window: MainWindow) -> MapDialog:
    """Return the map, beside the window; a second call raises it again."""
    dialog = window.findChild(MapDialog)
    if dialog is None:
        dialog = MapDialog(window.workspace, window.inspector.appearance, window)
        dialog.pictureChosen.connect(lambda path: show_picture(window, path))
        dialog.rowsChosen.connect(lambda rows: dialog.say_chosen(choose_rows(window, rows), len(rows)))
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()
    return dialog


def choose_rows(window: MainWindow, rows: NDArray[np.int64]) -> int:
    """Choose these pictures in the gallery, where keys then answer them; return how many are chosen."""
    window.show_source("folder")
    chosen = reveal_rows(window.query.folder, rows)
    window.activateWindow()
    return chosen
