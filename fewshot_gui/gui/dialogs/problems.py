"""The problems list: every file that was left out, with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from fewshot_gui.gui.error_words import problem_words
from fewshot_gui.gui.widgets import PushButton

if TYPE_CHECKING:
    from fewshot_gui.engine.problems import ProblemLog


class ProblemsDialog(QDialog):
    """A table of path and reason that follows the list while it is open."""

    def __init__(self, problems: ProblemLog, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("problemsDialog")
        self.setWindowTitle(self.tr("Problems"))
        self.resize(880, 440)
        self._problems = problems
        self.intro = QLabel(self)
        self.intro.setWordWrap(True)
        self.table = QTableWidget(0, 2, self)
        self.table.setObjectName("problemsTable")
        self.table.setAccessibleName(self.tr("Files that were left out"))
        self.table.setHorizontalHeaderLabels([self.tr("File"), self.tr("Reason")])
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        # The reasons are ours and short enough; a path may be cut in its middle.
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._lay_out()
        self._disconnect = problems.changed.connect(self._fill)
        self.finished.connect(lambda _result: self._disconnect())
        self._fill()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(16)
        column.addWidget(self.intro)
        column.addWidget(self.table, 1)
        row = QHBoxLayout()
        row.setSpacing(8)
        for text, slot in (
            (self.tr("Show in its folder"), self._show),
            (self.tr("Copy the list"), self._copy),
            (self.tr("Clear the list"), self._problems.clear),
        ):
            button = PushButton(text, self)
            button.clicked.connect(slot)
            row.addWidget(button)
        row.addStretch(1)
        close = PushButton(self.tr("Close"), self, role="primary")
        close.clicked.connect(self.accept)
        close.setDefault(True)
        row.addWidget(close)
        column.addLayout(row)

    def _fill(self) -> None:
        entries = self._problems.entries
        few = self.tr("These files were left out; everything else went on.")
        self.intro.setText(few if entries else self.tr("No problems: every file could be read."))
        self.table.setRowCount(len(entries))
        for row, problem in enumerate(entries):
            for column, text in enumerate((problem.path, problem_words(problem))):
                item = QTableWidgetItem(text)
                item.setToolTip(f"{text}\n{problem.detail}" if column else text)
                self.table.setItem(row, column, item)

    def _show(self) -> None:
        row = max(0, self.table.currentRow())
        if row < len(self._problems.entries):
            folder = self._problems.entries[row].path.rpartition("/")[0]
            QDesktopServices.openUrl(QUrl.fromLocalFile(folder))

    def _copy(self) -> None:
        lines = [f"{problem.path}\t{problem_words(problem)}" for problem in self._problems.entries]
        QGuiApplication.clipboard().setText("\n".join(lines))
