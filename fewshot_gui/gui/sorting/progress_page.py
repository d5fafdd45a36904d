"""The page that is shown while files are on their way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from fewshot_gui.gui.sorting.pace import Pace
from fewshot_gui.gui.sorting.words import duration_words
from fewshot_gui.gui.widgets import PushButton

if TYPE_CHECKING:
    from collections.abc import Callable


class ProgressPage(QWidget):
    """How far a run is, how fast it goes and how long it takes; `stopped` when the person wants no more."""

    stopped = Signal()

    def __init__(self, parent: QWidget | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._clock = clock
        self._pace = Pace()
        self.title = QLabel(self)
        self.title.setProperty("role", "title")
        self.bar = QProgressBar(self)
        self.bar.setObjectName("sortProgress")
        self.words = QLabel(self)
        self.words.setObjectName("sortProgressWords")
        self.words.setProperty("role", "muted")
        self.stop = PushButton(self.tr("Stop"), self)
        self.stop.setObjectName("sortStopButton")
        self.stop.clicked.connect(self._ask_stop)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(16)
        column.addStretch(1)
        for part in (self.title, self.bar, self.words):
            column.addWidget(part)
        foot = QHBoxLayout()
        promise = QLabel(
            self.tr("You can stop at any time: each file is then either there or where it was."), self
        )
        promise.setProperty("role", "small")
        foot.addWidget(promise, 1)
        foot.addWidget(self.stop)
        column.addStretch(2)
        column.addLayout(foot)
        column.setAlignment(Qt.AlignmentFlag.AlignVCenter)

    def begin(self, title: str, total: int) -> None:
        """Show a run of so many files at its beginning."""
        self._pace = Pace()
        self.title.setText(title)
        self.bar.setAccessibleName(title)
        self.stop.setEnabled(True)
        self.stop.setText(self.tr("Stop"))
        self.show_progress(0, total, 0)

    def show_progress(self, done: int, total: int, _bytes: int) -> None:
        """Show how far the run is."""
        self.bar.setRange(0, max(1, total))
        self.bar.setValue(done)
        template = self.tr("{0:,} of 1 file") if total == 1 else self.tr("{0:,} of {1:,} files")
        words = [template.format(done, total)]
        now = self._clock()
        rate = self._pace.rate(done, now)
        left = self._pace.left(done, total, now)
        if rate is not None and left is not None:
            words += [self.tr("{0:,.0f} files/s").format(rate), duration_words(left)]
        self.words.setText("  ·  ".join(words))

    def _ask_stop(self) -> None:
        self.stop.setEnabled(False)
        self.stop.setText(self.tr("Stopping…"))
        self.stopped.emit()
