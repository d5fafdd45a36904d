"""Several learners on the same examples, side by side; the pictures on which they disagree come first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from fewshot_gui.engine.recipe import recipe_of
from fewshot_gui.gui.compare.choices import LearnerChoices
from fewshot_gui.gui.compare.disputed_list import DisputedList
from fewshot_gui.gui.compare.disputes import disputes
from fewshot_gui.gui.compare.results import ResultsTable
from fewshot_gui.gui.inspector.reveal import reveal_row
from fewshot_gui.gui.learner_offers import offers_for, task_of
from fewshot_gui.gui.widgets import EmptyState, PushButton, SectionHeader, open_as

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QShowEvent

    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.comparing import Comparison
    from fewshot_gui.engine.state import Document
    from fewshot_gui.engine.worker import Job
    from fewshot_gui.engine.workspace import Workspace
    from fewshot_gui.gui.main_window import MainWindow
    from fewshot_gui.gui.theme import Appearance

_PROGRESS = 1000


class CompareDialog(QDialog):
    """Stands beside the window, which goes on working; `pictureChosen(path)` asks to show a picture there."""

    pictureChosen = Signal(str)  # noqa: N815 - reads like the signals of Qt's own views

    def __init__(self, workspace: Workspace, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._jobs: list[Job] = []
        self._made_of: object = None
        self._folder = ""
        self.setObjectName("compareDialog")
        self.setWindowTitle(self.tr("Compare learners"))
        open_as(self, 1000, 640)
        self.choices = LearnerChoices(self)
        self.run = PushButton(self.tr("Compare"), self, role="primary")
        self.run.setObjectName("compareRun")
        self.cancel = PushButton(self.tr("Cancel"), self)
        self.cancel.setObjectName("compareCancel")
        self.progress = QProgressBar(self)
        self.progress.setRange(0, _PROGRESS)
        self.progress.setAccessibleName(self.tr("How far the comparison is"))
        self.note = QLabel(self)
        self.note.setObjectName("compareNote")
        self.note.setProperty("role", "muted")
        self.note.setWordWrap(True)
        self.waiting = EmptyState("grid", "", "", parent=self)
        self.leave = PushButton(self.tr("Close"), self)
        self.leave.setObjectName("compareClose")
        self.leave.setAutoDefault(False)  # Enter compares
        self.table = ResultsTable(self)
        self.apart = SectionHeader(self.tr("Where they disagree"), self)
        self.disputed = DisputedList(workspace.library, appearance, self)
        self._lay_out()
        self._connect()
        self._show_document()
        self._show_state()

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(16)
        left.addWidget(SectionHeader(self.tr("Learners"), self))
        left.addWidget(self.choices, 1)
        left.addWidget(self.run)
        left.addWidget(self.cancel)
        right = QVBoxLayout()
        right.setSpacing(8)
        for widget in (self.note, self.progress, self.table, self.apart):
            right.addWidget(widget)
        right.addWidget(self.disputed, 1)
        right.addWidget(self.waiting, 1)
        right.addSpacing(8)
        right.addWidget(self.leave, 0, Qt.AlignmentFlag.AlignRight)
        row = QHBoxLayout(self)
        row.setContentsMargins(24, 24, 24, 24)
        row.setSpacing(24)
        row.addLayout(left)
        row.addLayout(right, 1)
        self.choices.setFixedWidth(224)

    def _connect(self) -> None:
        space, jobs = self._workspace, self._jobs
        self.choices.changed.connect(self._show_state)
        self.run.clicked.connect(self.start)
        self.cancel.clicked.connect(self.stop)
        self.leave.clicked.connect(self.accept)
        self.finished.connect(lambda _result: self.stop())
        self.table.wanted.connect(space.session.do)
        self.disputed.chosen.connect(self.pictureChosen)
        disconnect = [
            space.session.changed.connect(self._on_document),
            space.gallery.listed.connect(self._on_gallery),
            space.gallery.cleared.connect(self._on_gallery),
        ]

        def release() -> None:
            for call in (*disconnect, *(job.cancel for job in jobs)):
                call()

        self.destroyed.connect(release)

    # What happens -----------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """True while a comparison is under way."""
        return bool(self._jobs)

    def start(self) -> None:
        """Compare the ticked learners on what is taught now."""
        self.stop()
        # A copy: by the time the answers are there, a row of the gallery may be another picture.
        files = list(self._workspace.gallery.files)
        self._made_of, self._folder = self._taught(), self._workspace.gallery.folder
        self.progress.setValue(0)
        self._jobs.append(
            self._workspace.comparer.start(
                self.choices.chosen(),
                lambda comparison: self._show(comparison, files),
                progress=lambda share: self.progress.setValue(round(_PROGRESS * share)),
                failed=self._failed,
            )
        )
        self._show_state()

    def stop(self) -> None:
        """Drop the comparison that is under way; what was shown before stays."""
        while self._jobs:
            self._jobs.pop().cancel()
        self._show_state()

    def _show(self, comparison: Comparison, files: Sequence[PictureFile]) -> None:
        self._jobs.clear()
        self.table.show_answers(comparison.answers, self._workspace.session.document.settings)
        rows = self.table.rowCount() * self.table.verticalHeader().defaultSectionSize()
        self.table.setFixedHeight(
            min(rows, 5 * 40 + 20) + self.table.horizontalHeader().sizeHint().height() + 4
        )
        found = disputes(comparison, files)
        self.disputed.disputed.show_disputes(found)
        self.apart.note.setText(self._apart_words(len(found), len(comparison.rows)))
        self._show_state()

    def _apart_words(self, apart: int, compared: int) -> str:
        if not compared:
            return self.tr("No pictures are open to compare on")
        if not apart:
            if compared == 1:
                return self.tr("Nowhere: the same answer for the one picture")
            return self.tr("Nowhere: the same answer for all {0:,} pictures").format(compared)
        if compared == 1:
            return self.tr("The only picture")
        return self.tr("{0:,} of {1:,} pictures, the most disputed first").format(apart, compared)

    def _failed(self, error: Exception) -> None:
        self._jobs.clear()
        self._show_state()
        self.note.setText(self.tr("It could not be compared: {0}").format(error))

    def showEvent(self, event: QShowEvent) -> None:
        """Show what has changed while it was closed."""
        super().showEvent(event)
        if not event.spontaneous():  # only minimised, it has followed
            self._on_gallery()

    def _on_document(self, before: Document, after: Document) -> None:
        if not self.isVisible():
            return
        if before.categories is not after.categories or before.settings != after.settings:
            self._show_document()
            self._show_state()

    def _on_gallery(self) -> None:
        if not self.isVisible():
            return
        if self._workspace.gallery.folder != self._folder and self.disputed.disputed.disputes:
            self.disputed.disputed.show_disputes([])  # pictures that are not open any more
            self.apart.note.setText(self.tr("In another folder"))
        self._show_document()
        self._show_state()

    # What is shown ----------------------------------------------------------------------------------

    def _taught(self) -> object:
        """Return what a comparison depends on, as a value to compare."""
        recipe = recipe_of(self._workspace.session.document)
        support = frozenset((category, frozenset(pictures)) for category, pictures in recipe.support)
        return support, recipe.backbone, self._workspace.gallery.folder

    def _show_document(self) -> None:
        document = self._workspace.session.document
        task = task_of(document, self._workspace.gallery.count)
        self.choices.show_offers(offers_for(task), document.settings.learner)
        self.disputed.disputed.show_categories({each.id: each for each in document.categories})
        self.table.show_settings(document.settings)

    def _show_state(self) -> None:
        document, shown = self._workspace.session.document, bool(self.table.answers)
        taught = sum(1 for category in document.categories if category.examples)
        self.run.setVisible(not self.running)
        self.run.setEnabled(taught > 1 and bool(self.choices.chosen()))
        self.cancel.setVisible(self.running)
        self.progress.setVisible(self.running)
        for widget in (self.table, self.apart, self.disputed):
            widget.setVisible(shown)
        self.waiting.setVisible(not shown)
        self._show_waiting()
        self.note.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.note.setText(self._note(taught, shown=shown))

    def _show_waiting(self) -> None:
        """Say what will stand where there is nothing yet."""
        self.waiting.title.setText(self.tr("Comparing…") if self.running else self.tr("Not compared yet"))
        self.waiting.text.setText(
            self.tr("The answers stand here as soon as every learner has given them.")
            if self.running
            else self.tr(
                "Here you will see how many of your examples each learner names right, how long it takes to "
                "learn them, and on which pictures they disagree."
            )
        )

    def _note(self, taught: int, *, shown: bool) -> str:
        if self.running:
            return self.tr("Each learner learns from your examples, and answers for the same pictures…")
        if taught < 2:
            return self.tr("Give examples to at least two categories first.")
        if not self.choices.chosen():
            return self.tr("Tick at least one learner.")
        if not shown:
            return self.tr("Tick the learners to compare. All learn from the examples that you have now.")
        if self._made_of != self._taught():
            return self.tr(
                "The examples, the backbone or the folder changed: run again to compare on what you have now."
            )
        return self.tr("All learned from the same examples. A click on a picture shows it in the window.")


def compare_learners(window: MainWindow) -> CompareDialog:
    """Return the dialog that compares learners, beside the window; a second call raises it again."""
    dialog = window.findChild(CompareDialog)
    if dialog is None:
        dialog = CompareDialog(window.workspace, window.inspector.appearance, window)
        dialog.pictureChosen.connect(lambda path: show_picture(window, path))
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()
    return dialog


def show_picture(window: MainWindow, path: str) -> None:
    """Choose a picture in the gallery, whatever hides it there: keys answer for what is seen."""
    row = window.workspace.gallery.row_of(path)
    if row is None:
        return
    window.show_source("folder")
    page = window.query.folder
    position = page.model.position_of(row)
    if position is None:
        reveal_row(page, row)
        return
    index = page.model.index(position, 0)
    page.view.setCurrentIndex(index)
    page.view.scrollTo(index)
