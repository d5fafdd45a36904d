"""The dialog that sorts the files of the gallery: choose and see the plan, go, read the receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QStackedWidget, QVBoxLayout
from shiboken6 import isValid

from fewshot_gui.engine.sorting.states import RunState
from fewshot_gui.gui.sorting.choices import Choices
from fewshot_gui.gui.sorting.plan_page import PlanPage
from fewshot_gui.gui.sorting.progress_page import ProgressPage
from fewshot_gui.gui.sorting.receipt_page import ReceiptPage
from fewshot_gui.gui.sorting.snapshot import snapshot
from fewshot_gui.gui.sorting.words import journal_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from fewshot_gui.engine.sorter import PlanRequest, Sorter
    from fewshot_gui.engine.sorting.receipt import Receipt
    from fewshot_gui.engine.workspace import Workspace
    from fewshot_gui.gui.theme import Appearance


class SortDialog(QDialog):
    """Three pages, one after the other; `moved` carries each receipt.

    While files are on their way it cannot be closed, only stopped.
    """

    moved = Signal(object)

    def __init__(
        self, workspace: Workspace, sorter: Sorter, appearance: Appearance, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._sorter = workspace, sorter
        self.setObjectName("sortDialog")
        self.setWindowTitle(self.tr("Sort the files"))
        self.resize(1120, 640)
        self.choices = Choices(workspace.session, workspace.gallery.folder)
        self.plan = PlanPage(sorter, self.choices, self._request, appearance, self)
        self.progress = ProgressPage(self)
        self.receipt = ReceiptPage(sorter, appearance, self)
        self.pages = QStackedWidget(self)
        for page in (self.plan, self.progress, self.receipt):
            self.pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pages)
        self._disconnect = sorter.progressed.connect(self.progress.show_progress)
        self.finished.connect(self._release)
        self.plan.accepted.connect(self.apply)
        self.plan.cancelled.connect(self.reject)
        self.progress.stopped.connect(sorter.stop)
        self.receipt.takeBackRequested.connect(self.take_back)
        self.receipt.resumeRequested.connect(self.go_on)
        self.receipt.closeRequested.connect(self.accept)
        self.plan.make_plan()

    def _request(self) -> PlanRequest:
        choices = self.choices
        return snapshot(
            self._workspace,
            machine=choices.machine,
            none_name=choices.chosen_none,
            destination=choices.target,
            way=choices.chosen_way,
            same_name=choices.chosen_same_name,
            trash=choices.chosen_trash,
        )

    def apply(self) -> None:
        """Do what the plan says."""
        planned = self.plan.planned
        if planned is None or self._sorter.busy:
            return
        self.choices.keep()
        self._begin(self.tr("Sorting"), len(planned.plan.files))
        self._sorter.apply(
            planned.plan, self.choices.chosen_same_name, self._still(self._done), self._still(self._failed)
        )

    def take_back(self, files: list[int] | None) -> None:
        """Take back the run, or these files of it."""
        receipt = self.receipt.receipt
        if receipt is not None and not self._sorter.busy:
            self._begin(self.tr("Taking back"), len(files) if files is not None else len(receipt.lines))
            self._sorter.take_back(receipt.run, files, self._still(self._done), self._still(self._failed))

    def go_on(self) -> None:
        """Do the rest of a run that was stopped."""
        receipt = self.receipt.receipt
        if receipt is not None and receipt.state is not RunState.TAKEN_BACK and not self._sorter.busy:
            self._begin(self.tr("Sorting"), len(receipt.lines))
            self._sorter.resume(receipt.run, self._still(self._done), self._still(self._failed))

    def _begin(self, title: str, total: int) -> None:
        self.progress.begin(title, total)
        self.pages.setCurrentWidget(self.progress)

    def _still(self, call: Callable[..., None]) -> Callable[..., None]:
        """Return a call that comes to nothing once this dialog is gone."""
        return lambda value: call(value) if isValid(self) else None

    def _done(self, receipt: Receipt) -> None:
        self.receipt.show_receipt(receipt)
        self.pages.setCurrentWidget(self.receipt)
        self.receipt.close_button.setFocus()
        self.moved.emit(receipt)

    def _failed(self, error: Exception) -> None:
        if self.receipt.receipt is None:
            self.plan.headline.setText(self.tr("Nothing could be sorted"))
            self.plan.note.setText(journal_words(error))
            self.pages.setCurrentWidget(self.plan)
        else:
            self.receipt.say(journal_words(error))
            self.pages.setCurrentWidget(self.receipt)

    def _release(self) -> None:
        self.plan.stop()
        self._disconnect()

    def reject(self) -> None:
        """Close, unless files are on their way: then stop first."""
        if self._sorter.busy:
            self._sorter.stop()
        else:
            super().reject()
