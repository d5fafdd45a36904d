"""The page that shows what became of a run, and takes it back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget
from shiboken6 import isValid

from fewshot_gui.engine.publish import new_file
from fewshot_gui.engine.sorting.plan import Way
from fewshot_gui.engine.sorting.states import IN_DOUBT, FileState, Reason, RunState
from fewshot_gui.gui.file_names import with_suffix
from fewshot_gui.gui.sorting.receipt_table import ReceiptTable
from fewshot_gui.gui.sorting.tables import line_view
from fewshot_gui.gui.sorting.words import error_words, files_words, reason_words, time_words, way_words
from fewshot_gui.gui.widgets import PushButton

if TYPE_CHECKING:
    from fewshot_gui.engine.sorter import Sorter
    from fewshot_gui.engine.sorting.receipt import Receipt
    from fewshot_gui.gui.theme import Appearance


class ReceiptPage(QWidget):
    """A receipt with its buttons.

    `takeBackRequested` carries the ids of the chosen files, or None for the whole run; `resumeRequested` asks
    for the rest of a run that was stopped; `closeRequested` when the person has seen enough.
    """

    takeBackRequested = Signal(object)  # noqa: N815 - reads like Qt's own signals
    resumeRequested = Signal()  # noqa: N815 - the same
    closeRequested = Signal()  # noqa: N815 - the same

    def __init__(
        self, sorter: Sorter, appearance: Appearance, parent: QWidget | None = None, *, margin: int = 24
    ) -> None:
        super().__init__(parent)
        self._sorter = sorter
        self.receipt: Receipt | None = None
        self.left = 0  # files that the plan left: the journal knows only those that were to go
        self.title = QLabel(self)
        self.title.setObjectName("receiptTitle")
        self.title.setProperty("role", "title")
        self.title.setWordWrap(True)
        self.note = QLabel(self)
        self.note.setObjectName("receiptNote")
        self.note.setProperty("role", "muted")
        self.note.setWordWrap(True)
        self.table = ReceiptTable(appearance, self)
        self.view = line_view(
            self.table, "receiptTable", self.tr("What became of each file"), (220, 110, 130), self
        )
        self.all_back = self._button("takeBackAll", self.tr("Take everything back"))
        self.some_back = self._button("takeBackChosen", self.tr("Take back what is chosen"))
        self.resume = self._button("resumeButton", self.tr("Go on with the rest"))
        self.csv = self._button("receiptCsv", self.tr("Save as CSV…"))
        self.folder = self._button("receiptFolder", self.tr("Show the folder"))
        self.close_button = PushButton(self.tr("Close"), self, role="primary")
        self.close_button.setObjectName("receiptClose")
        self._lay_out(margin)
        self._connect()

    def _button(self, name: str, words: str) -> PushButton:
        button = PushButton(words, self)
        button.setObjectName(name)
        return button

    def _lay_out(self, margin: int) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(margin, margin, margin, margin)
        column.setSpacing(16)
        head = QVBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.title)
        head.addWidget(self.note)
        column.addLayout(head)
        column.addWidget(self.view, 1)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        for button in (self.all_back, self.some_back, self.resume, self.csv, self.folder):
            foot.addWidget(button)
        foot.addStretch(1)
        foot.addWidget(self.close_button)
        column.addLayout(foot)

    def _connect(self) -> None:
        self.all_back.clicked.connect(lambda: self.takeBackRequested.emit(None))
        self.some_back.clicked.connect(lambda: self.takeBackRequested.emit(self._chosen_done()))
        self.resume.clicked.connect(self.resumeRequested)
        self.csv.clicked.connect(self._ask_csv)
        self.folder.clicked.connect(self._show_folder)
        self.close_button.clicked.connect(self.closeRequested)
        self.view.selectionModel().selectionChanged.connect(self._follow)

    def show_receipt(self, receipt: Receipt) -> None:
        """Show what became of a run."""
        self.receipt = receipt
        self.table.show_receipt(receipt)
        self.view.scrollToTop()
        self.title.setText(self._title(receipt))
        when = self.tr("{0}, {1} to {2}").format(
            time_words(receipt.began_at), way_words()[Way(receipt.way)][0], receipt.root
        )
        self.note.setText(f"{when}. {self._left(receipt)} {self._stopped(receipt)}".strip())
        self._follow()

    def say(self, words: str) -> None:
        """Say something of this receipt."""
        self.note.setText(words)

    def _title(self, receipt: Receipt) -> str:
        counts = receipt.counts
        parts = [
            words.format(files_words(count))
            for count, words in (
                (counts[FileState.DONE] - receipt.trashed, self.tr("{0} sorted")),
                (receipt.trashed, self.tr("{0} to the trash")),
                (counts[FileState.TAKEN_BACK], self.tr("{0} taken back")),
                (counts[FileState.SKIPPED], self.tr("{0} stayed")),
                (counts[FileState.FAILED], self.tr("{0} did not go")),
                (counts[FileState.PLANNED], self.tr("{0} not yet")),
                (sum(counts[state] for state in IN_DOUBT), self.tr("{0} in doubt")),
            )
            if count
        ]
        stuck = sum(line.state is FileState.DONE and line.reason is not None for line in receipt.lines)
        if stuck:
            parts.append(self.tr("{0} could not be taken back").format(files_words(stuck)))
        return ", ".join(parts) or self.tr("No files")

    def _left(self, receipt: Receipt) -> str:
        if not self.left or receipt.state is RunState.TAKEN_BACK:
            return ""
        return self.tr("Left, as the plan said: {0}.").format(files_words(self.left))

    def _stopped(self, receipt: Receipt) -> str:
        if receipt.state is not RunState.PAUSED or receipt.stopped_by is None:
            return ""
        if receipt.stopped_by is Reason.CANCELLED:
            return self.tr("You stopped it: what is not done yet is where it was.")
        return reason_words(receipt.stopped_by)

    def _follow(self) -> None:
        receipt = self.receipt
        done = receipt is not None and receipt.counts[FileState.DONE] > 0
        self.all_back.setEnabled(done)
        self.some_back.setEnabled(bool(self._chosen_done()))
        waiting = receipt is not None and receipt.counts[FileState.PLANNED] > 0
        self.resume.setVisible(waiting)
        for button in (self.csv, self.folder):
            button.setEnabled(receipt is not None)

    def _chosen_done(self) -> list[int]:
        lines = [self.table.lines[index.row()] for index in self.view.selectionModel().selectedRows()]
        return [line.id for line in lines if line.state is FileState.DONE]

    def _show_folder(self) -> None:
        if self.receipt is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(self.receipt.root))

    def _ask_csv(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save as CSV"), "receipt.csv", self.tr("Tables (*.csv)"),
            options=QFileDialog.Option.DontConfirmOverwrite,
        )  # fmt: skip
        if chosen:
            self.save_csv(with_suffix(chosen, ".csv"))

    def save_csv(self, path: str) -> None:
        """Save the receipt as a table, on the lane."""
        receipt = self.receipt
        if receipt is None:
            return

        def work(_token: object) -> None:
            target = Path(path)
            # Refused where there is something of that name, whatever the dialog was told: it may be anything.
            with new_file(target) as file:
                file.write(receipt.to_csv())

        def tell(words: str) -> None:
            if isValid(self):  # else nobody reads it any more
                self.say(words)

        saved, failed = self.tr("Saved as {0}").format(path), self.tr("It could not be saved: {0}.")
        self._sorter.lane.submit(
            work, then=lambda _none: tell(saved), failed=lambda error: tell(failed.format(error_words(error)))
        )
