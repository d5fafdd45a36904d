"""Beside the pictures: whether this is enough, in one sentence, and the example that would help most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from fewshot_gui.engine.deciding.enough import VerdictKind, is_enough, next_best_example
from fewshot_gui.gui.inspector.enough_words import next_words, verdict_words
from fewshot_gui.gui.query.thumbnail_cache import rounded, square
from fewshot_gui.gui.widgets import PushButton, SectionHeader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtGui import QShowEvent

    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.gallery import Gallery
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.predictor import Predictor
    from fewshot_gui.engine.session import Session

SIDE: Final = 48
_PIXELS: Final = 128
_SOON_MS: Final = 150
"""The best of 100,000 rows takes some 20 ms to find: once for a burst of news, not for each."""
_NO_NEXT: Final = frozenset({VerdictKind.NOTHING, VerdictKind.ONE_CATEGORY, VerdictKind.ENOUGH})


class EnoughView(QWidget):
    """Follows what was taught and how well it explains itself.

    `rowWanted` carries the row of the gallery that a person wants to see, `tableWanted` asks for the table.
    """

    rowWanted = Signal(int)  # noqa: N815 - signals are named as Qt names them
    tableWanted = Signal()  # noqa: N815 - the same

    def __init__(
        self,
        session: Session,
        predictor: Predictor,
        gallery: Gallery,
        library: Library,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._predictor = session, predictor
        self._gallery, self._library = gallery, library
        self._file: PictureFile | None = None
        self.setObjectName("enoughView")
        self.setAccessibleName(self.tr("Is this enough?"))
        self.sentence = self._label("enoughSentence")
        self.question = self._label("enoughNext")
        self.picture = QToolButton(self)
        self._soon = QTimer(self, interval=_SOON_MS, singleShot=True)
        self._soon.timeout.connect(self.refresh)
        self._lay_out()
        disconnect = [
            event.connect(self._later)
            for event in (session.changed, predictor.updated, predictor.examined, gallery.listed)
        ]
        self.destroyed.connect(lambda: [each() for each in disconnect])
        self.refresh()

    def _label(self, name: str) -> QLabel:
        label = QLabel(self)
        label.setObjectName(name)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        return label

    def _lay_out(self) -> None:
        header = SectionHeader(self.tr("Is this enough?"), self)
        self.table = PushButton(self.tr("Table"), self, role="quiet")
        self.table.setObjectName("enoughTable")
        self.table.setToolTip(self.tr("Show which examples are taken for what (Ctrl+T)"))
        self.table.clicked.connect(self.tableWanted)
        header.add(self.table)
        self.picture.setObjectName("enoughPicture")
        self.picture.setFixedSize(SIDE + 8, SIDE + 8)
        self.picture.setIconSize(QSize(SIDE, SIDE))
        self.picture.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.picture.setToolTip(self.tr("Show this picture in the gallery"))
        self.picture.setAccessibleName(self.tr("Show this picture in the gallery"))
        self.picture.clicked.connect(self._ask_for_row)
        self.question.setProperty("role", "muted")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.picture, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.question, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(header)
        column.addWidget(self.sentence)
        column.addLayout(row)
        self.setTabOrder(self.table, self.picture)

    # What is shown ----------------------------------------------------------------------------------

    def _later(self, *_news: object) -> None:
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what happened while nobody looked."""
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """Say what is true now."""
        document, report = self._session.document, self._predictor.report
        verdict = is_enough(document, report)
        self.sentence.setText(verdict_words(verdict, document, report, examining=self._predictor.examining))
        self.table.setEnabled(verdict.kind not in {VerdictKind.NOTHING, VerdictKind.ONE_CATEGORY})
        scores = self._predictor.scores
        best = None if verdict.kind in _NO_NEXT else next_best_example(document, report, scores)
        self.question.setVisible(best is not None)
        self.question.setText("" if best is None else next_words(best, document))
        row = None if best is None else best.row
        self._show_file(None if row is None or row >= self._gallery.count else self._gallery.files[row])

    def _show_file(self, file: PictureFile | None) -> None:
        self.picture.setVisible(file is not None)
        if file == self._file:
            return
        self._file = file
        self.picture.setIcon(QIcon())
        if file is not None:
            self._library.thumbnail(
                file, _PIXELS, lambda pixels: self._came(file, pixels), lambda _error: self._failed(file)
            )

    def _came(self, file: PictureFile, pixels: NDArray[np.uint8]) -> None:
        if file == self._file:
            ratio = self.devicePixelRatioF()
            self.picture.setIcon(QIcon(rounded(square(pixels, round(SIDE * ratio)), 4, ratio)))

    def _failed(self, file: PictureFile) -> None:
        if file == self._file:
            blank = QPixmap(SIDE, SIDE)
            blank.fill(self.palette().midlight().color())
            self.picture.setIcon(QIcon(blank))

    def _ask_for_row(self) -> None:
        # By path: the rows may be of another folder by now.
        row = None if self._file is None else self._gallery.row_of(self._file.path)
        if row is not None:
            self.rowWanted.emit(row)
