"""How bold the program is: one slider in words, with what it does to the folder at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from fewshot_gui.engine.commands import SetThreshold
from fewshot_gui.gui.widgets import PushButton, SectionHeader

if TYPE_CHECKING:
    from fewshot_gui.engine.scores import Counts
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import Document

STEPS: Final = 100
# Where the handle rests while the threshold is automatic; the engine sets the true one from the examples.
MIDDLE: Final = 50


class ThresholdControl(QWidget):
    """The slider from careful to bold; every move is sent as SetThreshold, which the session coalesces."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setObjectName("thresholdControl")
        self.automatic = PushButton(self.tr("Automatic"), self, role="quiet")
        self.automatic.setObjectName("thresholdAutomatic")
        self.automatic.setToolTip(self.tr("Let the examples decide how careful to be"))
        self.automatic.clicked.connect(lambda: self._send(None))
        room = self.automatic.sizePolicy()
        room.setRetainSizeWhenHidden(True)
        self.automatic.setSizePolicy(room)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setObjectName("thresholdSlider")
        self.slider.setAccessibleName(self.tr("Careful to bold"))
        self.slider.setToolTip(
            self.tr("Left: say “None of these” more often. Right: always name a category. (Arrow keys)")
        )
        self.slider.setRange(0, STEPS)
        self.slider.setPageStep(10)
        self.slider.valueChanged.connect(lambda value: self._send(value / STEPS))
        self.sentence = self._label("muted")
        self.sentence.setObjectName("thresholdSentence")
        self.counts = self._label("small")
        self.counts.setObjectName("thresholdCounts")
        self._lay_out()
        disconnect = session.changed.connect(self._on_document)
        self.destroyed.connect(lambda _gone: disconnect())
        self._show(session.document.settings.threshold)

    def _label(self, role: str, text: str = "") -> QLabel:
        label = QLabel(text, self)
        label.setProperty("role", role)
        label.setWordWrap(True)
        return label

    def _lay_out(self) -> None:
        header = SectionHeader(self.tr("How sure to be"), self)
        header.add(self.automatic)
        ends = QHBoxLayout()
        ends.addWidget(self._label("small", self.tr("Careful")))
        bold = self._label("small", self.tr("Bold"))
        bold.setAlignment(Qt.AlignmentFlag.AlignRight)
        ends.addWidget(bold)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(header)
        column.addWidget(self.slider)
        column.addLayout(ends)
        column.addSpacing(4)
        column.addWidget(self.sentence)
        column.addWidget(self.counts)

    def show_counts(self, counts: Counts | None) -> None:
        """Say what the present setting does to the folder."""
        named = sum(counts.categories) if counts is not None else 0
        rest = counts.none_of_these if counts is not None else 0
        words = self.tr("{named} with a category · {rest} none of these")
        self.counts.setText(words.format(named=f"{named:,}", rest=f"{rest:,}") if named or rest else "")

    def _send(self, value: float | None) -> None:
        if value != self._session.document.settings.threshold:
            self._session.do(SetThreshold(value))

    def _on_document(self, before: Document, after: Document) -> None:
        if before.settings.threshold != after.settings.threshold:
            self._show(after.settings.threshold)

    def _show(self, value: float | None) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setValue(MIDDLE if value is None else round(value * STEPS))
        self.automatic.setVisible(value is not None)
        self.sentence.setText(self._words(value))

    def _words(self, value: float | None) -> str:
        if value is None:
            return self.tr("Automatic: your examples decide when a picture is “None of these”.")
        if value >= 1:
            return self.tr("Every picture gets a category, however unlike your examples it is.")
        if value < 1 / 3:
            return self.tr("Only pictures very like your examples get a category.")
        if value < 2 / 3:
            return self.tr("Pictures unlike your examples become “None of these”.")
        return self.tr("Only very strange pictures become “None of these”.")
