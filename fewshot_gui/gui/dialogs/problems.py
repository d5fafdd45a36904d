"""The problems list: every file that was left out, with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QFileInfo, Qt, QTimer, QUrl
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
from fewshot_gui.gui.widgets import PushButton, open_as

if TYPE_CHECKING:
    from fewshot_gui.engine.problems import Problem, ProblemLog
    from fewshot_gui.gui.main_window import MainWindow

SOON_MS: Final = 150
"""So long new lines are gathered: of a folder that cannot be read there come thousands, one by one."""


def show_problems(window: MainWindow) -> ProblemsDialog:
    """Return the problems list, beside the window, which goes on working; a second call raises it again."""
    dialog = next((each for each in window.findChildren(ProblemsDialog) if each.isVisible()), None)
    if dialog is None:
        dialog = ProblemsDialog(window.workspace.problems, window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()
    return dialog


class ProblemsDialog(QDialog):
    """A table of path and reason that follows the list while it is open."""

    def __init__(self, problems: ProblemLog, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("problemsDialog")
        self.setWindowTitle(self.tr("Problems"))
        open_as(self, 880, 440)
        self._problems = problems
        self._shown: tuple[Problem, ...] = ()
        self._soon = QTimer(self, interval=SOON_MS, singleShot=True)
        self._soon.timeout.connect(self._fill)
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
        self.table.setTabKeyNavigation(False)  # Tab leads on to the buttons
        self._lay_out()
        self.table.itemSelectionChanged.connect(self._allow)
        self.table.itemDoubleClicked.connect(lambda _item: self._show())
        self._disconnect = problems.changed.connect(self._fill_soon)
        self.finished.connect(lambda _result: self._stop())
        self._fill()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(16)
        column.addWidget(self.intro)
        column.addWidget(self.table, 1)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.place = PushButton(self.tr("Show in its folder"), self)
        self.copy = PushButton(self.tr("Copy the list"), self)
        self.clear = PushButton(self.tr("Clear the list"), self)
        for button, slot, tip in (
            (self.place, self._show, self.tr("Open the folder of the chosen file")),
            (self.copy, self._copy, self.tr("Copy all lines, such as for a mail")),
            (self.clear, self._clear, self.tr("Forget these lines; the files stay as they are")),
        ):
            button.setToolTip(tip)
            button.clicked.connect(slot)
            row.addWidget(button)
        row.addStretch(1)
        close = PushButton(self.tr("Close"), self, role="primary")
        close.clicked.connect(self.accept)
        close.setDefault(True)
        row.addWidget(close)
        column.addLayout(row)

    def _fill_soon(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _stop(self) -> None:
        self._disconnect()
        self._soon.stop()

    def _clear(self) -> None:
        self._problems.clear()
        self._fill()

    def _fill(self) -> None:
        """Show the present list; lines that stand there already are left alone."""
        entries, kept = self._problems.entries, len(self._shown)
        if entries[:kept] != self._shown:
            kept = 0
        self._shown = entries
        few = self.tr("These files were left out; everything else went on.")
        self.intro.setText(few if entries else self.tr("No problems: every file could be read."))
        self.table.setRowCount(len(entries))
        for row, problem in enumerate(entries[kept:], kept):
            for column, text in enumerate((problem.path, problem_words(problem))):
                item = QTableWidgetItem(text)
                item.setToolTip(f"{text}\n{problem.detail}" if column else text)
                self.table.setItem(row, column, item)
        for button in (self.copy, self.clear):
            button.setEnabled(bool(entries))
        self._allow()

    def _allow(self) -> None:
        """Offer a folder only of a line that is chosen and names a file: some problems are of none."""
        self.place.setEnabled(bool(self._chosen_path()))

    def _chosen_path(self) -> str:
        row, shown = self.table.currentRow(), self._shown
        return shown[row].path if 0 <= row < len(shown) and self.table.selectedItems() else ""

    def _show(self) -> None:
        path = self._chosen_path()
        if path:
            QDesktopServices.openUrl(QUrl.fromLocalFile(QFileInfo(path).absolutePath()))

    def _copy(self) -> None:
        lines = [f"{problem.path}\t{problem_words(problem)}" for problem in self._problems.entries]
        QGuiApplication.clipboard().setText("\n".join(lines))
