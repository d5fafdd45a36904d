"""The dialog that hands the labels to other programs."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QRadioButton,
    QVBoxLayout,
)
from shiboken6 import isValid

from fewshot_gui.engine.exports.annotations import write_coco, write_label_studio
from fewshot_gui.engine.exports.csv_table import write_csv
from fewshot_gui.engine.exports.folders import Copied, Layout, write_folders
from fewshot_gui.engine.exports.gathering import gather
from fewshot_gui.engine.label_table import write_labels
from fewshot_gui.engine.sorting.plan import SameName, Way
from fewshot_gui.engine.worker import CancelToken
from fewshot_gui.gui.file_names import with_suffix
from fewshot_gui.gui.label_export import label_table
from fewshot_gui.gui.sorting.choices import PILES
from fewshot_gui.gui.sorting.export_words import Format, export_words, formats
from fewshot_gui.gui.sorting.snapshot import snapshot
from fewshot_gui.gui.sorting.words import alone_words, pictures_words, scope_words
from fewshot_gui.gui.widgets import ComboBox, PushButton

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from PySide6.QtWidgets import QWidget

    from fewshot_gui.engine.exports.labelled import Labelled
    from fewshot_gui.engine.sorter import PlanRequest, Sorter
    from fewshot_gui.engine.workspace import Workspace


class ExportDialog(QDialog):
    """Choose a format and which labels; everything is written on a lane, and nothing is overwritten.

    Args:
        workspace: whose labels.
        sorter: its lane writes.
        parent: the window.
        selected: the paths of the chosen pictures, which may be exported alone.
    """

    def __init__(
        self,
        workspace: Workspace,
        sorter: Sorter,
        parent: QWidget | None = None,
        *,
        selected: Collection[str] = (),
    ) -> None:
        super().__init__(parent)
        self._workspace, self._sorter = workspace, sorter
        self._selected = frozenset(selected)
        self._token = CancelToken()
        self.setObjectName("exportDialog")
        self.setWindowTitle(self.tr("Export the labels"))
        self.setMinimumWidth(560)
        self.choice = QButtonGroup(self)
        self.scope = ComboBox(self)
        self.scope.setObjectName("exportScope")
        self.scope.setAccessibleName(self.tr("Which labels"))
        for words, key in scope_words():
            self.scope.addItem(words, key)
        self.scope.setCurrentIndex(2)
        self.alone = QCheckBox(alone_words(len(self._selected)), self)
        self.alone.setObjectName("exportSelected")
        self.alone.setVisible(bool(self._selected))
        self.note = QLabel(self)
        self.note.setObjectName("exportNote")
        self.note.setProperty("role", "muted")
        self.note.setWordWrap(True)
        self.bar = QProgressBar(self)
        self.bar.setAccessibleName(self.tr("How far the export is"))
        self.go = PushButton(self.tr("Export…"), self, role="primary")
        self.go.setObjectName("exportButton")
        self.leave = PushButton(self.tr("Close"), self)
        self._lay_out()
        # The table of all probabilities has every picture, whatever was decided.
        self.choice.idToggled.connect(lambda: self.scope.setEnabled(self.format.key != "classify"))
        self.go.clicked.connect(self.ask)
        self.leave.clicked.connect(self.reject)
        self.finished.connect(lambda _result: self._token.cancel())

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(8)
        column.addWidget(self._heading(self.tr("Which labels")))
        column.addWidget(self.scope)
        column.addWidget(self.alone)
        column.addSpacing(8)
        column.addWidget(self._heading(self.tr("Format")))
        for number, form in enumerate(formats()):
            button = QRadioButton(form.name, self)
            button.setObjectName(f"export:{form.key}")
            button.setToolTip(form.what)
            self.choice.addButton(button, number)
            what = QLabel(form.what, self)
            what.setProperty("role", "small")
            what.setContentsMargins(24, 0, 0, 4)
            column.addWidget(button)
            column.addWidget(what)
        self.choice.button(0).setChecked(True)
        column.addSpacing(8)
        self.bar.hide()
        column.addWidget(self.bar)
        column.addWidget(self.note)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.leave)
        foot.addWidget(self.go)
        column.addLayout(foot)

    def _heading(self, words: str) -> QLabel:
        heading = QLabel(words, self)
        heading.setProperty("role", "heading")
        return heading

    @property
    def format(self) -> Format:
        """The chosen way out."""
        return formats()[self.choice.checkedId()]

    def ask(self) -> None:
        """Ask for a file or a folder, and write."""
        form, title = self.format, self.windowTitle()
        if form.suffix:
            name = f"labels{form.suffix}"
            unasked = QFileDialog.Option.DontConfirmOverwrite  # what is there is refused anyway
            chosen, _ = QFileDialog.getSaveFileName(self, title, name, f"*{form.suffix}", options=unasked)
            chosen = with_suffix(chosen, form.suffix)
        else:
            chosen = QFileDialog.getExistingDirectory(self, self.tr("A new, empty folder"))
        if chosen:
            self.write(form, Path(chosen))

    def write(self, form: Format, place: Path) -> None:
        """Write the labels in this format; the note says what became of it."""
        work: Callable[[CancelToken], Copied | None]
        if form.key == "classify":
            table = label_table(self._workspace, self._only)
            if table is None:
                self.note.setText(self.tr("There are no labels yet: teach two categories and open a folder."))
                return

            def work(_token: CancelToken) -> Copied | None:
                if os.path.lexists(place):
                    raise FileExistsError(place)
                write_labels(place, table)
                return Copied(len(table.paths), ())
        else:
            work = self._work(form, place)
        self._token = CancelToken()
        self.go.setEnabled(False)
        self.bar.setRange(0, 0)
        self.bar.show()
        self._sorter.lane.submit(
            work, then=partial(self._done, place), failed=partial(self._failed, place), token=self._token
        )

    @property
    def _only(self) -> frozenset[str] | None:
        """The paths that are exported alone, None where all are."""
        return self._selected if self.alone.isChecked() else None

    def _request(self) -> PlanRequest:
        return snapshot(
            self._workspace, machine=PILES[self.scope.currentData()], none_name="", destination="",
            way=Way.COPY, same_name=SameName.RENAME, only=self._only,
        )  # fmt: skip

    def _work(self, form: Format, place: Path) -> Callable[[CancelToken], Copied | None]:
        request = self._request()

        def work(token: CancelToken) -> Copied | None:
            return self._write(form, place, gather(request.decisions().decided), token)

        return work

    def _write(self, form: Format, place: Path, rows: list[Labelled], token: CancelToken) -> Copied | None:
        """Write the rows; on the lane."""

        def progress(done: int, total: int) -> None:
            if done % 16 == 0 or done == total:
                self._sorter.lane.tell(token, lambda: self._show_progress(done, total))

        if not rows:
            return None
        if form.key == "csv":
            write_csv(place, rows)
        elif form.key == "coco":
            write_coco(place, rows, progress=progress, cancelled=lambda: token.cancelled)
        elif form.key == "label-studio":
            write_label_studio(place, rows)
        else:
            return write_folders(
                place, rows, Layout(form.key), progress=progress, cancelled=lambda: token.cancelled
            )
        return Copied(len(rows), ())

    def _show_progress(self, done: int, total: int) -> None:
        if isValid(self):
            self.bar.setRange(0, total)
            self.bar.setValue(done)

    def _done(self, place: Path, copied: Copied | None) -> None:
        if not isValid(self):
            return
        self.bar.hide()
        self.go.setEnabled(True)
        if copied is None:
            self.note.setText(
                self.tr("There is nothing to export yet: decide some pictures, or choose more labels.")
            )
            return
        words = self.tr("{0} exported to {1}.").format(pictures_words(copied.written), place)
        self.note.setText(" ".join((words, *self._troubles(copied))))

    def _troubles(self, copied: Copied) -> list[str]:
        """Return a sentence on each thing that is not as one might expect."""
        troubles = []
        if copied.problems:
            path, reason = copied.problems[0]
            some = self.tr("{0} could not be copied, the first: {1} ({2}).")
            if len(copied.problems) == 1:
                some = self.tr("{0} could not be copied: {1} ({2}).")
            troubles.append(some.format(pictures_words(len(copied.problems)), path, reason))
        if copied.without_validation:
            some = self.tr("{0} categories have one picture each and none for validation, the first: {1}.")
            if len(copied.without_validation) == 1:
                some = self.tr("{1} has one picture and none for validation.")
            troubles.append(some.format(len(copied.without_validation), copied.without_validation[0]))
        return troubles

    def _failed(self, place: Path, error: Exception) -> None:
        if not isValid(self):
            return
        self.bar.hide()
        self.go.setEnabled(True)
        self.note.setText(export_words(error, place))
