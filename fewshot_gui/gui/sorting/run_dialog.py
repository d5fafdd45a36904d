"""What every dialog over a run does: it goes on with the run, takes it back, and shows how far that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDialog, QStackedWidget
from shiboken6 import isValid

from fewshot_gui.gui.sorting.progress_page import ProgressPage
from fewshot_gui.gui.sorting.receipt_page import ReceiptPage

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from fewshot_gui.engine.sorter import Sorter
    from fewshot_gui.engine.sorting.receipt import Receipt
    from fewshot_gui.gui.theme import Appearance


class RunDialog(QDialog):
    """`pages` shows the receipt of a run, or the progress while files are on their way.

    Until they have arrived it cannot be closed, only stopped.
    """

    def __init__(
        self, sorter: Sorter, appearance: Appearance, parent: QWidget | None = None, *, margin: int = 24
    ) -> None:
        super().__init__(parent)
        self._sorter = sorter
        self.receipt = ReceiptPage(sorter, appearance, self, margin=margin)
        self.progress = ProgressPage(self)
        self.pages = QStackedWidget(self)
        for page in (self.receipt, self.progress):
            self.pages.addWidget(page)
        disconnect = sorter.progressed.connect(self.progress.show_progress)
        self.finished.connect(lambda _result: disconnect())
        self.receipt.takeBackRequested.connect(self.take_back)
        self.receipt.resumeRequested.connect(self.go_on)
        self.receipt.closeRequested.connect(self.accept)
        self.progress.stopped.connect(sorter.stop)

    def take_back(self, files: list[int] | None) -> None:
        """Take back the run that is shown, or these files of it."""
        receipt = self.receipt.receipt
        if receipt is not None and not self._is_busy():
            self._begin(self.tr("Taking back"), len(files) if files is not None else len(receipt.lines))
            self._sorter.take_back(receipt.run, files, self._still(self._done), self._still(self._failed))

    def go_on(self) -> None:
        """Do the rest of the run that is shown, which was stopped."""
        receipt = self.receipt.receipt
        if receipt is not None and not self._is_busy():
            self._begin(self.tr("Sorting"), len(receipt.lines))
            self._sorter.resume(receipt.run, self._still(self._done), self._still(self._failed))

    def _is_busy(self) -> bool:
        """Return whether other files are on their way, as new ones of a watched folder may be; say so."""
        if self._sorter.busy:
            self.receipt.note.setText(
                self.tr("Other files are on their way just now. Wait a moment, then try again.")
            )
        return self._sorter.busy

    def _begin(self, title: str, total: int) -> None:
        self.progress.begin(title, total)
        self.pages.setCurrentWidget(self.progress)

    def _still(self, call: Callable[..., None]) -> Callable[..., None]:
        """Return a call that comes to nothing once this dialog is gone."""
        return lambda value: call(value) if isValid(self) else None

    def _done(self, receipt: Receipt) -> None:
        self.receipt.show_receipt(receipt)
        self.pages.setCurrentWidget(self.receipt)

    def _failed(self, error: Exception) -> None:
        raise NotImplementedError

    def reject(self) -> None:
        """Close, unless files are on their way for this dialog: then stop first."""
        if self.pages.currentWidget() is self.progress:
            self._sorter.stop()
        else:
            super().reject()
