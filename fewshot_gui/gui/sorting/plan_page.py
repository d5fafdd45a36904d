"""The page on which a run is chosen and its plan is seen: nothing has been written yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QScrollArea, QVBoxLayout, QWidget

from fewshot_gui.engine.sorting.plan import ConflictKind
from fewshot_gui.engine.sorting.table import left_out
from fewshot_gui.gui.sorting.plan_tables import FolderTable, PlanTable
from fewshot_gui.gui.sorting.tables import ROW_HEIGHT, line_view
from fewshot_gui.gui.sorting.words import (
    conflict_words,
    files_words,
    folders_words,
    journal_words,
    pictures_words,
    size_words,
)
from fewshot_gui.gui.widgets import PushButton

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.engine.sorter import Planned, PlanRequest, Sorter
    from fewshot_gui.engine.worker import Job
    from fewshot_gui.gui.sorting.choices import Choices
    from fewshot_gui.gui.theme import Appearance

_TYPING_MS = 250
_FOLDERS_SEEN = 4


class PlanPage(QWidget):
    """Choices at the left, the plan at the right; it is made anew when a choice changes.

    Args:
        sorter: makes the plan on its lane.
        choices: what the person chose.
        request: gives the snapshot to plan from.
        appearance: the look.
        parent: of the page.
    """

    accepted = Signal()
    cancelled = Signal()

    def __init__(
        self,
        sorter: Sorter,
        choices: Choices,
        request: Callable[[], PlanRequest],
        appearance: Appearance,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._sorter, self.choices, self._request = sorter, choices, request
        self.planned: Planned | None = None
        self._job: Job | None = None
        self.headline = QLabel(self)
        self.headline.setObjectName("sortHeadline")
        self.headline.setProperty("role", "title")
        self.headline.setWordWrap(True)
        self.note = QLabel(self)
        self.note.setObjectName("sortNote")
        self.note.setProperty("role", "muted")
        self.note.setWordWrap(True)
        self.waiting = QProgressBar(self)
        self.waiting.setRange(0, 0)
        self.folders = FolderTable(appearance, self)
        self.plan = PlanTable(appearance, self)
        self.folder_view = line_view(
            self.folders, "sortFolders", self.tr("Folders of the categories"), (200, 90, 100), self
        )
        self.plan_view = line_view(self.plan, "sortPlan", self.tr("What goes where"), (140, 130, 160), self)
        self.go = PushButton(self.tr("Sort"), self, role="primary")
        self.go.setObjectName("sortNowButton")
        self.leave = PushButton(self.tr("Cancel"), self)
        self.leave.setObjectName("sortCancelButton")
        self._lay_out()
        self._soon = QTimer(self, interval=_TYPING_MS, singleShot=True)
        self._soon.timeout.connect(self.make_plan)
        choices.changed.connect(self._follow)
        self.go.clicked.connect(self.accepted)
        self.leave.clicked.connect(self.cancelled)

    def _lay_out(self) -> None:
        self.folder_view.setFixedHeight((_FOLDERS_SEEN + 1) * ROW_HEIGHT + 8)
        right = QVBoxLayout()
        right.setSpacing(8)
        for part in (self.headline, self.note, self.waiting, self.folder_view):
            right.addWidget(part)
        right.addWidget(self.plan_view, 1)
        left = QScrollArea(self)
        left.setWidgetResizable(True)
        left.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        left.setFixedWidth(304)
        left.setWidget(self.choices)
        left.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = QHBoxLayout()
        body.setSpacing(24)
        body.addWidget(left)
        body.addLayout(right, 1)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        promise = QLabel(
            self.tr("Nothing is written before you press the button, and nothing is ever overwritten."), self
        )
        promise.setProperty("role", "small")
        foot.addWidget(promise, 1)
        foot.addWidget(self.leave)
        foot.addWidget(self.go)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(16)
        column.addLayout(body, 1)
        column.addLayout(foot)

    def _follow(self) -> None:
        self._outdate()
        self._soon.start()

    def _outdate(self) -> None:
        """What is shown is no longer what was chosen: until the next plan is there, nothing can be sorted."""
        self.stop()
        self.planned = None
        self.go.setEnabled(False)
        self.waiting.show()

    def make_plan(self) -> None:
        """Make the plan anew; until it is there, nothing can be sorted."""
        self._outdate()
        self._job = self._sorter.plan(
            self._request(), then=self._show, failed=self._failed, stage=self._show_stage
        )

    def stop(self) -> None:
        """Make no plan any more."""
        self._soon.stop()
        if self._job is not None:
            self._job.cancel()

    def _show_stage(self, stage: str) -> None:
        words = {
            "decide": self.tr("Gathering what was decided…"),
            "survey": self.tr("Looking at the folders…"),
            "plan": self.tr("Planning…"),
        }
        self.note.setText(words[stage])

    def _failed(self, error: Exception) -> None:
        self.waiting.hide()
        self.headline.setText(self.tr("There is no plan"))
        self.note.setText(journal_words(error))

    def _show(self, planned: Planned) -> None:
        self.planned = planned
        self.waiting.hide()
        plan = planned.plan
        pictures = sum(plan.counts.values())
        self.folders.show(planned.counts)
        self.plan.show_plan(planned)
        self.plan_view.scrollToTop()
        self.headline.setText(self._headline(planned, pictures))
        self.note.setText(self._notes(planned))
        self.go.setText(self.tr("Sort {0}").format(pictures_words(pictures)))
        self.go.setAccessibleName(self.go.text())
        self.go.setEnabled(bool(plan.files))
        self.go.setDefault(True)

    def _headline(self, planned: Planned, pictures: int) -> str:
        plan = planned.plan
        for conflict in plan.conflicts:
            if conflict.kind is ConflictKind.DESTINATION:
                return conflict_words(conflict)
        if not plan.files:
            return self.tr("Nothing to sort")
        staying = left_out(plan)
        thrown = sum(count.pictures for count in planned.counts if count.trash)
        folders = sum(not count.trash for count in planned.counts)
        parts = []
        if pictures > thrown:
            kept = pictures_words(pictures - thrown)
            parts.append(self.tr("{0} in {1}").format(kept, folders_words(folders)))
        if thrown:
            parts.append(self.tr("{0} to the trash").format(pictures_words(thrown)))
        words = ", ".join([*parts, size_words(plan.total_bytes)])
        return (
            self.tr("{0}; left where they are: {1}").format(words, files_words(staying)) if staying else words
        )

    def _notes(self, planned: Planned) -> str:
        decisions, notes = planned.decisions, []
        beside = len(planned.plan.files) - sum(planned.plan.counts.values())
        if beside:
            notes.append(self.tr("Going with them: {0}.").format(files_words(beside)))
        if decisions.undecided:
            words = self.tr("Left, as nothing is decided: {0}.")
            notes.append(words.format(pictures_words(decisions.undecided)))
        if decisions.none_of_these:
            words = self.tr("Left as none of these: {0}.")
            notes.append(words.format(pictures_words(decisions.none_of_these)))
        if not planned.plan.files and not planned.rows:
            notes.append(self.tr("Decide some pictures first, or sort what the program proposes."))
        return " ".join(notes)
