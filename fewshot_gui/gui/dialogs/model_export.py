"""The dialog that writes what was taught as a model for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QProcess, Qt, QTemporaryDir, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QVBoxLayout,
)

from fewshot_gui.core.learners.facts import space_of
from fewshot_gui.engine.exports.model_task import ModelReply, ModelTask, command
from fewshot_gui.gui.dialogs.model_words import other_learners, reply_words, system_words
from fewshot_gui.gui.learner_words import learner_title
from fewshot_gui.gui.widgets import ElidedLabel, PushButton

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from fewshot_gui.engine.workspace import Workspace
    from fewshot_gui.gui.main_window import MainWindow

_WIDTH = 560
SUFFIX = ".onnx"
_FACTS = ("categories", "examples", "learner", "backbone")


class ModelDialog(QDialog):
    """Says what an export is, asks for a file, and waits for the process that writes it.

    Args:
        workspace: whose classifier.
        parent: the window, which goes on working meanwhile.
    """

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._folder: QTemporaryDir | None = None
        self._out = Path()
        self.setObjectName("modelDialog")
        self.setWindowTitle(self.tr("Export a model"))
        self.setMinimumWidth(_WIDTH)
        self._column = QVBoxLayout(self)
        self.process = QProcess(self)
        self.process.finished.connect(self._finished)
        self.process.errorOccurred.connect(self._not_started)
        self.facts = {
            key: ElidedLabel("", parent=self) for key in ("categories", "examples", "learner", "backbone")
        }
        self.bar = QProgressBar(self)
        self.bar.setRange(0, 0)
        self.bar.setAccessibleName(self.tr("The model is being written"))
        self.note = QLabel(self)
        self.note.setObjectName("modelNote")
        self.note.setProperty("role", "muted")
        self.note.setWordWrap(True)
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.shown = PushButton(self.tr("Show the folder"), self)
        self.shown.setObjectName("modelFolder")
        self.leave = PushButton(self.tr("Close"), self)
        self.go = PushButton(self.tr("Export…"), self, role="primary")
        self.go.setObjectName("modelButton")
        self._lay_out()
        self.go.clicked.connect(self.ask)
        self.leave.clicked.connect(self._leave)
        self.shown.clicked.connect(self._show_folder)
        self.finished.connect(self._stop)
        predictor = workspace.predictor
        unfollow = predictor.status_changed.connect(lambda _status: self._show_state())
        self.destroyed.connect(unfollow)
        self._show_state()

    def _lay_out(self) -> None:
        column = self._column
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(16)
        words = QLabel(
            self.tr(
                "What your examples teach, as an ONNX model for other programs, and beside it a Python "
                "program that labels pictures with it. Neither needs Few-shot Labeler."
            ),
            self,
        )
        words.setWordWrap(True)
        column.addWidget(words)
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        titles = (self.tr("Categories"), self.tr("Examples"), self.tr("Learner"), self.tr("Backbone"))
        for row, (title, value) in enumerate(zip(titles, self.facts.values(), strict=True)):
            name = QLabel(title, self)
            name.setProperty("role", "muted")
            grid.addWidget(name, row, 0)
            grid.addWidget(value, row, 1)
        column.addLayout(grid)
        column.addWidget(self.bar)
        column.addWidget(self.note)
        foot = QHBoxLayout()
        foot.addWidget(self.shown)
        foot.addStretch(1)
        foot.addWidget(self.leave)
        foot.addWidget(self.go)
        column.addLayout(foot)

    # What can be done -------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """True while the model is being written."""
        return self.process.state() != QProcess.ProcessState.NotRunning

    def _show_state(self) -> None:
        """Show what would be exported now, or what keeps it from being so."""
        document, fitted = self._workspace.session.document, self._workspace.predictor.fitted
        taught = [category for category in document.categories if category.examples]
        choice = self._workspace.predictor.status.choice
        learner = learner_title(document.settings.learner)
        if choice is not None:
            learner = self.tr("{0} (chosen for you)").format(learner_title(choice.learner))
        self.facts["categories"].setText(", ".join(category.name for category in taught) or self.tr("none"))
        self.facts["examples"].setText(str(sum(len(category.examples) for category in taught)))
        self.facts["learner"].setText(learner)
        self.facts["backbone"].setText(Path(document.settings.backbone).name)
        hindered = ""
        if len(taught) < 2:
            hindered = self.tr("Teach two categories first.")
        elif space_of(document.settings.learner) == "pixels":
            hindered = self.tr("{0} adapts the network itself, which cannot be exported. {1}").format(
                learner_title(document.settings.learner), other_learners()
            )
        elif fitted is None or self._workspace.predictor.status.busy:
            hindered = self.tr("Wait until your examples are learned.")
        self.go.setEnabled(not hindered and not self.running)
        if not self.running:
            self._tell(hindered)

    def _tell(self, words: str, *, written: bool = False) -> None:
        self.note.setText(words)
        self.note.setVisible(bool(words))
        self.shown.setVisible(written)
        self.bar.setVisible(self.running)
        self.leave.setText(self.tr("Cancel") if self.running else self.tr("Close"))
        self.resize(self.width(), self._column.totalHeightForWidth(self.width()))

    # Writing ----------------------------------------------------------------------------------------

    def ask(self) -> None:
        """Ask for a file, and write the model there."""
        name = f"{self._workspace.session.title}{SUFFIX}"
        chosen, _ = QFileDialog.getSaveFileName(self, self.windowTitle(), name, f"ONNX (*{SUFFIX})")
        if chosen:
            self.write(Path(chosen))

    def write(self, out: Path) -> None:
        """Write the model there, its name ending in .onnx; the note says what became of it."""
        fitted = self._workspace.predictor.fitted
        if fitted is None or self.running:
            return
        self._out = out if out.suffix == SUFFIX else out.with_name(out.name + SUFFIX)
        self._folder = QTemporaryDir()
        task = Path(self._folder.path()) / "task.npz"
        try:
            ModelTask.of(fitted, self._workspace.session, self._out).write(task)
        except OSError as error:
            self._tell(system_words(self._out, error.strerror or str(error)))
            return
        program, *arguments = command(task)
        self.process.start(program, arguments)
        self.go.setEnabled(False)
        self._tell(self.tr("Writing… this takes some 15 seconds."))

    def _finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._folder = None
        self._show_state()
        if status != QProcess.ExitStatus.NormalExit:
            self._tell(self.tr("Cancelled. Nothing was written."))
            return
        try:
            reply = ModelReply.read(bytes(self.process.readAllStandardOutput().data()))
        except ValueError:
            lines = bytes(self.process.readAllStandardError().data()).decode(errors="replace").split("\n")
            last = next((line for line in reversed(lines) if line.strip()), f"exit code {code}")
            self._tell(system_words(self._out, last))
            return
        self._tell(reply_words(reply, self._out), written=reply.trouble is None)

    def _not_started(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._folder = None
            self._show_state()
            self._tell(system_words(self._out, self.process.errorString()))

    def _leave(self) -> None:
        """Cancel what is under way; else close."""
        if self.running:
            self._stop()
        else:
            self.reject()

    def _stop(self) -> None:
        if self.running:
            self.process.kill()
            self.process.waitForFinished(1000)

    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._out.parent)))


def export_model(window: MainWindow) -> ModelDialog:
    """Return the dialog, shown over the window."""
    dialog = ModelDialog(window.workspace, window)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
    return dialog
