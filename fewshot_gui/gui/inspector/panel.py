"""The inspector: one picture, what the program says of it, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from fewshot_gui.engine.scores import count_labels
from fewshot_gui.gui.inspector.answer_words import answer_words
from fewshot_gui.gui.inspector.bars import BarRow, Bars, Kind
from fewshot_gui.gui.inspector.enough_view import EnoughView
from fewshot_gui.gui.inspector.inner_loop import InnerLoopView
from fewshot_gui.gui.inspector.neighbours import Neighbour, Neighbours
from fewshot_gui.gui.inspector.preview import PictureCanvas
from fewshot_gui.gui.inspector.reading import Reading, reading_of_row, reading_of_single
from fewshot_gui.gui.inspector.threshold import ThresholdControl
from fewshot_gui.gui.query.problem_words import problem_words
from fewshot_gui.gui.widgets import ElidedLabel, EmptyState, SectionHeader, Separator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.gallery import Gallery
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.predictor import Predictor, SinglePrediction
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import Category, CategoryId, Document
    from fewshot_gui.engine.worker import Job
    from fewshot_gui.gui.theme import Appearance

PREVIEW_HEIGHT = 152
# Twice the preview's height: sharp on a screen of 200 %.
_PREVIEW_PIXELS = 512


class InspectorPanel(QWidget):
    """Shows the chosen picture of the gallery, or a single prediction such as of a live frame.

    `rowWanted` carries a row of the gallery that is to be shown there, `tableWanted` asks for the table of
    what is taken for what.
    """

    rowWanted = Signal(int)  # noqa: N815 - signals are named as Qt names them
    tableWanted = Signal()  # noqa: N815 - the same

    def __init__(
        self,
        session: Session,
        predictor: Predictor,
        gallery: Gallery,
        library: Library,
        appearance: Appearance,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._predictor = session, predictor
        self._gallery, self._library = gallery, library
        self.appearance = appearance
        self._file: PictureFile | None = None
        self._reading: Reading | None = None
        self._preview_job: Job | None = None
        self.setObjectName("inspectorPanel")
        self.setAccessibleName(self.tr("Inspector"))
        self.preview = PictureCanvas(self)
        self.preview.setFixedHeight(PREVIEW_HEIGHT)
        self.answer = self._label("title", "inspectorAnswer")
        self.note = ElidedLabel(parent=self, mode=Qt.TextElideMode.ElideMiddle)
        self.note.setProperty("role", "muted")
        self.note.setObjectName("inspectorNote")
        self.bars = Bars(Kind.BAR, appearance, parent=self)
        self.bars.setObjectName("predictionBars")
        self.bars.setAccessibleName(self.tr("Probability of each category"))
        self.distances = Bars(Kind.MARK, appearance, parent=self)
        self.distances.setObjectName("distanceRuler")
        self.distances.setAccessibleName(self.tr("Distance to each category"))
        self.neighbours = Neighbours(appearance, self)
        self.threshold = ThresholdControl(session, self)
        self.inner_loop = InnerLoopView(predictor, appearance, self)
        self.enough = EnoughView(session, predictor, gallery, library, self)
        self.enough.rowWanted.connect(self.rowWanted)
        self.enough.tableWanted.connect(self.tableWanted)
        self._pages = QStackedWidget(self)
        self._empty = EmptyState(
            "target",
            "",
            self.tr("Here you see how sure the answer is, and which of your examples it comes from."),
            parent=self,
        )
        self.show_source("folder")
        self._lay_out()
        self._connect()
        self._show_counts()

    def _label(self, role: str, name: str) -> QLabel:
        label = QLabel(self)
        label.setProperty("role", role)
        label.setObjectName(name)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        return label

    def _lay_out(self) -> None:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(14, 14, 14, 14)  # with the focus ring 16, as below
        column.setSpacing(8)
        column.addWidget(self.preview)
        column.addWidget(self.answer)
        column.addWidget(self.note)
        self._reasons = QWidget(page)
        reasons = QVBoxLayout(self._reasons)
        reasons.setContentsMargins(0, 8, 0, 0)
        reasons.setSpacing(8)
        chances = SectionHeader(self.tr("Probability"), self._reasons)
        self._if_one = chances.note
        reasons.addWidget(chances)
        reasons.addWidget(self.bars)
        reasons.addSpacing(8)
        for title, note, widget in (
            (self.tr("Nearest examples"), self.tr("by distance"), self.neighbours),
            (self.tr("Distance"), self.tr("smaller is nearer"), self.distances),
        ):
            header = SectionHeader(title, self._reasons)
            header.note.setText(note)
            reasons.addWidget(header)
            reasons.addWidget(widget)
            reasons.addSpacing(8)
        column.addWidget(self._reasons)
        column.addStretch(1)
        self._pages.addWidget(self._empty)
        self._pages.addWidget(_scrolling(page))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self._pages, 1)
        outer.addWidget(Separator(self))
        foot = QVBoxLayout()
        foot.setContentsMargins(16, 12, 16, 12)
        foot.setSpacing(12)
        foot.addWidget(self.inner_loop)
        foot.addWidget(self.enough)
        foot.addWidget(self.threshold)
        outer.addLayout(foot)
        self.setTabOrder(self.enough.picture, self.threshold.automatic)
        self.setTabOrder(self.threshold.automatic, self.threshold.slider)

    def _connect(self) -> None:
        disconnect = [
            self._predictor.updated.connect(self._on_scores),
            self._session.changed.connect(self._on_document),
            self._gallery.listed.connect(self._on_listed),
        ]
        self.destroyed.connect(lambda: [each() for each in disconnect])

    # What others ask --------------------------------------------------------------------------------

    def show_rows(self, rows: NDArray[np.int64] | Sequence[int]) -> None:
        """Show the first of the gallery rows; none is the empty state."""
        if not len(rows):
            self.clear()
            return
        file = self._gallery.files[int(rows[0])]
        fresh = file != self._file
        self._file = file
        self._pages.setCurrentIndex(1)
        self._read_row()
        if fresh:
            self._drop_preview()
            self.preview.show_pixels(None)
            self._preview_job = self._library.thumbnail(
                file,
                _PREVIEW_PIXELS,
                lambda pixels: self._preview_came(file, pixels),
                lambda error: self._preview_failed(file, error),
            )

    def show_single(self, single: SinglePrediction, pixels: NDArray[np.uint8]) -> None:
        """Show the prediction of a picture (H, W, 3) uint8 RGB that is no row of the gallery."""
        self._file = None
        self._drop_preview()
        self._pages.setCurrentIndex(1)
        self.preview.show_pixels(pixels)
        self.note.clear()
        self._show(reading_of_single(single))

    def show_source(self, source: str) -> None:
        """Say what to do on the page of "folder", "camera", "video" or "draw" to see something here."""
        # The last words stay together: alone on its line, "why" looks like a slip.
        words = {
            "camera": self.tr("Start the camera to\N{NO-BREAK SPACE}see\N{NO-BREAK SPACE}why"),
            "video": self.tr("Play a video to\N{NO-BREAK SPACE}see\N{NO-BREAK SPACE}why"),
            "draw": self.tr("Draw something to\N{NO-BREAK SPACE}see\N{NO-BREAK SPACE}why"),
        }
        self._empty.title.setText(
            words.get(source, self.tr("Select a picture to\N{NO-BREAK SPACE}see\N{NO-BREAK SPACE}why"))
        )

    def clear(self) -> None:
        """Show nothing."""
        self._file = self._reading = None
        self._drop_preview()
        self.preview.show_pixels(None)
        self._pages.setCurrentIndex(0)

    @property
    def is_empty(self) -> bool:
        """True while no picture is shown."""
        return self._pages.currentIndex() == 0

    # What happens -----------------------------------------------------------------------------------

    def _drop_preview(self) -> None:
        """Let nobody decode a picture that is not looked at any more."""
        if self._preview_job is not None:
            self._preview_job.cancel()
            self._preview_job = None

    def _preview_came(self, file: PictureFile, pixels: NDArray[np.uint8]) -> None:
        if file == self._file:
            self.preview.show_pixels(pixels)

    def _preview_failed(self, file: PictureFile, error: Exception) -> None:
        if file == self._file:
            self.preview.show_words(problem_words(str(getattr(error, "kind", ""))))

    def _on_scores(self, _scores: Scores) -> None:
        self._show_counts()
        # At 768 pixels there is room for one of the two under a picture and its reasons.
        self.enough.setVisible(self._predictor.inner_loop is None)
        if self._file is not None:
            self._read_row()

    def _on_document(self, _before: Document, _after: Document) -> None:
        if not self.is_empty:
            self._show(self._reading)

    def _on_listed(self) -> None:
        if self._file is None:
            return
        row = self._gallery.row_of(self._file.path)
        if row is None:
            self.clear()
        elif self._gallery.files[row] != self._file:  # it was written anew
            self.show_rows(np.array([row], np.int64))

    def _read_row(self) -> None:
        assert self._file is not None
        # By path, never by a remembered number: the rows may be of another folder by now.
        row = self._gallery.row_of(self._file.path)
        self.note.setText(self._file.path.replace("\\", "/").rpartition("/")[2])
        self._show(None if row is None else reading_of_row(self._predictor.scores, row))

    def _show_counts(self) -> None:
        scores = self._predictor.scores
        self.threshold.show_counts(count_labels(scores) if scores is not None else None)

    def _show(self, reading: Reading | None) -> None:
        self._reading = reading
        categories = {each.id: each for each in self._session.document.categories}
        self._reasons.setVisible(reading is not None and reading.best >= 0)
        self.answer.setText(answer_words(reading, categories))
        if reading is None:
            return
        self.bars.show_rows(_probability_rows(reading, categories))
        # Else "None of these" stands above a category with 97 %, and one of the two seems to be wrong.
        self._if_one.setText(self.tr("if it were one of them") if reading.rejected else "")
        self.distances.show_rows(_distance_rows(reading, categories))
        self.neighbours.show_neighbours(
            [
                neighbour
                for picture, distance in reading.nearest
                if (neighbour := self._neighbour(picture, distance)) is not None
            ]
        )

    def _neighbour(self, picture: PictureId, distance: float) -> Neighbour | None:
        document = self._session.document
        owner = document.owner(picture)
        if owner is None:
            return None  # taken away a moment ago
        category = document.category(owner)
        stored = self._session.picture(picture)
        thumbnail = stored.thumbnail if stored is not None else b""
        return Neighbour(thumbnail, category.name, category.colour, distance)


def _probability_rows(reading: Reading, categories: dict[CategoryId, Category]) -> list[BarRow]:
    """One row for each category, in the order of the document: a row never jumps while one watches."""
    return [
        BarRow(
            category.name, category.colour, float(value), percent_words(float(value)), number == reading.best
        )
        for number, (each, value) in enumerate(zip(reading.classes, reading.probabilities, strict=True))
        if (category := categories.get(each)) is not None
    ]


def _distance_rows(reading: Reading, categories: dict[CategoryId, Category]) -> list[BarRow]:
    finite = reading.distances[np.isfinite(reading.distances)]
    longest = float(finite.max()) if len(finite) else 1.0
    nearest = float(finite.min()) if len(finite) else np.inf
    rows = []
    for each, value in zip(reading.classes, reading.distances, strict=True):
        category = categories.get(each)
        if category is not None:
            known = bool(np.isfinite(value))
            share = float(value) / (longest or 1.0) if known else None
            words = f"{value:.2f}" if known else "–"
            rows.append(
                BarRow(category.name, category.colour, share, words, known and float(value) == nearest)
            )
    return rows


def percent_words(probability: float) -> str:
    """Return a probability as whole percent; what is not nought is never called nought."""
    return "< 1 %" if 0 < probability < 0.005 else f"{round(100 * probability)} %"


def _scrolling(page: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setObjectName("inspectorPage")
    area.setAccessibleName(QCoreApplication.translate("InspectorPanel", "Why this answer"))
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    # A focus stop only where there is something to scroll.
    area.verticalScrollBar().rangeChanged.connect(
        lambda _top, bottom: area.setFocusPolicy(
            Qt.FocusPolicy.TabFocus if bottom > 0 else Qt.FocusPolicy.NoFocus
        )
    )
    area.setWidgetResizable(True)
    area.setWidget(page)
    area.viewport().setAutoFillBackground(False)
    page.setAutoFillBackground(False)
    return area
