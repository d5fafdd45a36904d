"""The dialog that sorts the files of the gallery: choose and see the plan, go, read the receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout

from fewshot_gui.engine.sorting.table import left_out
from fewshot_gui.gui.sorting.choices import Choices
from fewshot_gui.gui.sorting.plan_page import PlanPage
from fewshot_gui.gui.sorting.run_dialog import RunDialog
from fewshot_gui.gui.sorting.snapshot import snapshot
from fewshot_gui.gui.sorting.words import journal_words
from fewshot_gui.gui.widgets import open_as

if TYPE_CHECKING:
    from collections.abc import Collection

    from PySide6.QtWidgets import QWidget

    from fewshot_gui.engine.sorter import PlanRequest, Sorter
    from fewshot_gui.engine.sorting.receipt import Receipt
    from fewshot_gui.engine.workspace import Workspace
    from fewshot_gui.gui.theme import Appearance


class SortDialog(RunDialog):
    """Three pages, one after the other; the `selected` paths may be sorted alone."""

    def __init__(
        self,
        workspace: Workspace,
        sorter: Sorter,
        appearance: Appearance,
        parent: QWidget | None = None,
        *,
        selected: Collection[str] = (),
    ) -> None:
        super().__init__(sorter, appearance, parent)
        self._workspace = workspace
        self.setObjectName("sortDialog")
        self.setWindowTitle(self.tr("Sort the files"))
        open_as(self, 1120, 640)
        self.choices = Choices(workspace.session, workspace.gallery.folder, selected=selected)
        self.plan = PlanPage(sorter, self.choices, self._request, appearance, self)
        self.pages.insertWidget(0, self.plan)
        self.pages.setCurrentWidget(self.plan)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pages)
        self.finished.connect(lambda _result: self.plan.stop())
        self.plan.accepted.connect(self.apply)
        self.plan.cancelled.connect(self.reject)
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
            only=choices.only,
        )

    def apply(self) -> None:
        """Do what the plan says."""
        planned = self.plan.planned
        if planned is None:
            return
        if self._sorter.busy:
            self.plan.note.setText(self.tr("New pictures are being sorted. Wait a moment, then try again."))
            return
        self.choices.keep()
        decisions = planned.decisions
        self.receipt.left = left_out(planned.plan) + decisions.undecided + decisions.none_of_these
        self._begin(self.tr("Sorting"), len(planned.plan.files))
        self._sorter.apply(
            planned.plan, self.choices.chosen_same_name, self._still(self._done), self._still(self._failed)
        )

    def _done(self, receipt: Receipt) -> None:
        super()._done(receipt)
        self.receipt.close_button.setFocus()

    def _failed(self, error: Exception) -> None:
        if self.receipt.receipt is None:
            self.plan.headline.setText(self.tr("Sorting could not be finished"))
            self.plan.note.setText(journal_words(error))
            self.pages.setCurrentWidget(self.plan)
        else:
            self.receipt.say(journal_words(error))
            self.pages.setCurrentWidget(self.receipt)
