"""The dialog that brings labels in: from a table or from class folders, as labels or as examples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QRadioButton,
    QVBoxLayout,
)
from shiboken6 import isValid

from fewshot_gui.engine.commands import (
    AddCategory,
    Command,
    Together,
    clean_name,
    name_key,
    new_category_id,
)
from fewshot_gui.engine.deciding.keys import with_keys
from fewshot_gui.engine.exports.csv_table import TableError
from fewshot_gui.engine.exports.gathering import Matched, labels_of, match, read_labels
from fewshot_gui.engine.worker import CancelToken
from fewshot_gui.gui.sorting.words import error_words, pictures_words
from fewshot_gui.gui.widgets import PushButton

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from fewshot_gui.engine.sorter import Sorter
    from fewshot_gui.engine.state import CategoryId
    from fewshot_gui.engine.workspace import Workspace


class ImportDialog(QDialog):
    """Choose what the labels are to be, then the table or the folder; what has no picture is listed."""

    def __init__(self, workspace: Workspace, sorter: Sorter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._sorter = workspace, sorter
        self._token = CancelToken()
        self.setObjectName("importDialog")
        self.setWindowTitle(self.tr("Bring labels in"))
        self.setMinimumWidth(560)
        self.labels = QRadioButton(self.tr("As labels: you decided these pictures"), self)
        self.labels.setObjectName("importLabels")
        self.labels.setChecked(True)
        self.examples = QRadioButton(self.tr("As examples: the program learns from these pictures"), self)
        self.examples.setObjectName("importExamples")
        self.note = QLabel(self)
        self.note.setObjectName("importNote")
        self.note.setProperty("role", "muted")
        self.note.setWordWrap(True)
        self.unmatched = QPlainTextEdit(self)
        self.unmatched.setObjectName("importUnmatched")
        self.unmatched.setAccessibleName(self.tr("Lines without a picture"))
        self.unmatched.setReadOnly(True)
        self.bar = QProgressBar(self)
        self.table = PushButton(self.tr("From a table (CSV)…"), self)
        self.table.setObjectName("importTable")
        self.folder = PushButton(self.tr("From class folders…"), self)
        self.folder.setObjectName("importFolder")
        self.leave = PushButton(self.tr("Close"), self, role="primary")
        self._lay_out()
        self.table.clicked.connect(self._ask_table)
        self.folder.clicked.connect(self._ask_folder)
        self.leave.clicked.connect(self.accept)
        self.finished.connect(lambda _result: self._token.cancel())

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(8)
        heading = QLabel(self.tr("Bring them in"), self)
        heading.setProperty("role", "heading")
        hint = QLabel(
            self.tr("A table needs the columns path and category; one that this program exported has both. "
                    "Pictures are known by their content, so a moved copy is found too."), self
        )  # fmt: skip
        hint.setProperty("role", "small")
        hint.setWordWrap(True)
        for part in (heading, self.labels, self.examples, hint, self.bar, self.note, self.unmatched):
            column.addWidget(part)
        self.bar.hide()
        self.unmatched.hide()
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self.table)
        foot.addWidget(self.folder)
        foot.addStretch(1)
        foot.addWidget(self.leave)
        column.addSpacing(8)
        column.addLayout(foot)

    def _ask_table(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, self.windowTitle(), "", "*.csv *.tsv *.txt")
        if chosen:
            self.read(Path(chosen))

    def _ask_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.windowTitle())
        if chosen:
            self.read(Path(chosen))

    def read(self, place: Path) -> None:
        """Read the labels of a table or of class folders, find their pictures, and take them over."""
        gallery = self._workspace.gallery
        known = {file.path: picture for file, picture in zip(gallery.files, gallery.ids, strict=True)}
        self._token = token = CancelToken()

        def work(token: CancelToken) -> Matched:
            def stop() -> bool:
                return token.cancelled

            rows = read_labels(place, stop)
            return match(rows, known, cancelled=stop)

        for button in (self.table, self.folder):
            button.setEnabled(False)
        self.bar.setRange(0, 0)
        self.bar.show()
        self.note.setText(self.tr("Reading {0}…").format(place))
        self._sorter.lane.submit(work, then=self._take, failed=self._failed, token=token)

    def _rest(self) -> None:
        self.bar.hide()
        for button in (self.table, self.folder):
            button.setEnabled(True)

    def _failed(self, error: Exception) -> None:
        if isValid(self):
            self._rest()
            said = (
                str(error)
                if isinstance(error, TableError)
                else self.tr("It cannot be read: {0}").format(error_words(error))
            )
            self.note.setText(said)

    def _take(self, matched: Matched) -> None:
        if not isValid(self):
            return
        self._rest()
        taken = self._teach(matched) if self.examples.isChecked() else self._label(matched)
        words = self.tr("{0} taken over.").format(pictures_words(taken))
        if matched.unmatched:
            missing = len(matched.unmatched)
            lines = (
                self.tr("1 line has no picture:") if missing == 1 else self.tr("{0:,} lines have no picture:")
            )
            words += " " + lines.format(missing)
            if not taken:
                words = self.tr("No picture was found. Open the folder that holds them, then try again.")
            self.unmatched.setPlainText("\n".join(f"{path}\t{name}" for path, name in matched.unmatched))
        self.unmatched.setVisible(bool(matched.unmatched))
        self.note.setText(words)

    def _label(self, matched: Matched) -> int:
        """Say it of all pictures as one step of undo."""
        commands, ids = self._categories(matched)
        commands += labels_of(matched.found, ids)
        self._do(commands)
        return len(matched.found)

    def _teach(self, matched: Matched) -> int:
        """Teach all pictures to their categories; those that are none of these teach nothing."""
        commands, ids = self._categories(matched)
        self._do(commands)
        for name, category in ids.items():
            paths = [each.path for each in matched.found if each.category == name]
            self._workspace.intake.add_files(paths, category)
        return sum(bool(each.category) for each in matched.found)

    def _do(self, commands: list[Command]) -> None:
        session = self._workspace.session
        if commands:
            session.do(with_keys(session.document, Together(tuple(commands))))

    def _categories(self, matched: Matched) -> tuple[list[Command], dict[str, CategoryId]]:
        """Return the commands that make what is missing, and the category of each name that was read."""
        there = {name_key(each.name): each.id for each in self._workspace.session.document.categories}
        commands: list[Command] = []
        ids: dict[str, CategoryId] = {}
        for name in dict.fromkeys(each.category for each in matched.found if each.category):
            key = name_key(name)
            if key not in there:
                there[key] = new_category_id()
                commands.append(AddCategory(there[key], clean_name(name)))
            ids[name] = there[key]
        return commands, ids
