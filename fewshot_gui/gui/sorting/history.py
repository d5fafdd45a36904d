"""What was sorted before: every run, its files, and the way back, days later too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from fewshot_gui.engine.sorting.states import FileState, RunState
from fewshot_gui.gui.sorting.run_dialog import RunDialog
from fewshot_gui.gui.sorting.tables import LineTable, line_view
from fewshot_gui.gui.sorting.words import journal_words, run_words, time_words, way_words
from fewshot_gui.gui.widgets import PushButton, open_as

if TYPE_CHECKING:
    from PySide6.QtGui import QColor

    from fewshot_gui.engine.sorter import RunSummary, Sorter
    from fewshot_gui.engine.sorting.receipt import Receipt
    from fewshot_gui.gui.theme import Appearance


class RunTable(LineTable):
    """One line a run, the newest first."""

    numbers = frozenset({2, 3})

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__((), parent)
        self._titles = (
            self.tr("When"), self.tr("How"), self.tr("Files"), self.tr("Did not go"), self.tr("State"),
            self.tr("Folder"),
        )  # fmt: skip
        self._appearance = appearance

    def cell(self, line: RunSummary, column: int) -> str:
        """Return what stands in a cell."""
        run, counts = line.run, line.counts
        if column in {2, 3}:
            return f"{sum(counts.values()) if column == 2 else counts.get(FileState.FAILED, 0):,}"
        words = {
            0: time_words(run.began_at),
            1: way_words()[run.way][0],
            4: run_words(run.state, run.stopped_by),
            5: run.root,
        }
        return words[column]

    def ink(self, line: RunSummary, column: int) -> QColor | None:
        """Return the colour of a warning where something is open, and a muted one for what is only told."""
        theme = self._appearance.theme
        if column == 4 and line.run.state in {RunState.OPEN, RunState.PAUSED}:
            return theme.warning
        return theme.muted if column in {1, 5} else None


class HistoryDialog(RunDialog):
    """The runs above, the receipt of the chosen one below.

    Args:
        sorter: reads the journal and takes back.
        appearance: the look.
        parent: of the dialog.
        run: the run to choose first; the newest by default.
    """

    def __init__(
        self, sorter: Sorter, appearance: Appearance, parent: QWidget | None = None, *, run: str = ""
    ) -> None:
        super().__init__(sorter, appearance, parent, margin=0)
        self._wanted = run
        self.setObjectName("historyDialog")
        self.setWindowTitle(self.tr("Sorted before"))
        open_as(self, 1040, 640)
        self.note = QLabel(self.tr("Reading what was sorted…"), self)
        self.note.setObjectName("historyNote")
        self.note.setProperty("role", "muted")
        self.note.setWordWrap(True)
        self.runs = RunTable(appearance, self)
        self.view = line_view(self.runs, "runTable", self.tr("Runs"), (150, 110, 80, 90, 200), self)
        self.view.setSelectionMode(self.view.SelectionMode.SingleSelection)
        # The receipt has its own; this one stands where there is no receipt yet.
        self.leave = PushButton(self.tr("Close"), self, role="primary")
        self.leave.setObjectName("historyClose")
        self.leave.clicked.connect(self.accept)
        self.leave.hide()
        self._lay_out()
        # Else Enter would press the first button there is, which takes everything back.
        self.receipt.close_button.setDefault(True)
        self.view.setFocus()
        self.view.selectionModel().currentRowChanged.connect(lambda _now, _before: self._read())
        self.load()

    def _lay_out(self) -> None:
        splitter = QSplitter(Qt.Orientation.Vertical, self)
        splitter.setHandleWidth(16)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.view)
        splitter.addWidget(self.pages)
        splitter.setSizes([180, 400])
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(16)
        column.addWidget(self.note)
        column.addWidget(splitter, 1)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.leave)
        column.addLayout(foot)

    def load(self) -> None:
        """Read the list of runs anew."""
        self._sorter.runs(self._still(self._show_runs), self._still(self._failed))

    def _show_runs(self, found: list[RunSummary]) -> None:
        self.runs.show(found)
        empty = self.tr("Nothing was sorted yet. What you sort is listed here, and can be taken back here.")
        kept = self.tr(
            "Every run is kept here and can be taken back, as long as its files are as it left them."
        )
        self.note.setText(kept if found else empty)
        numbers = [summary.run.id for summary in found]
        if found:
            self.view.selectRow(numbers.index(self._wanted) if self._wanted in numbers else 0)
        self.pages.setVisible(bool(found))
        self.leave.setVisible(not found)

    def _read(self) -> None:
        index = self.view.currentIndex()
        if index.isValid():
            self._wanted = self.runs.lines[index.row()].run.id
            self._sorter.receipt(
                self._wanted, self._still(self.receipt.show_receipt), self._still(self._failed)
            )

    def _begin(self, title: str, total: int) -> None:
        self.view.setEnabled(False)
        super()._begin(title, total)

    def _done(self, receipt: Receipt) -> None:
        self.view.setEnabled(True)
        super()._done(receipt)
        self.load()

    def _failed(self, error: Exception) -> None:
        self.view.setEnabled(True)
        self.pages.setCurrentWidget(self.receipt)
        self.note.setText(journal_words(error))
