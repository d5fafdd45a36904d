"""The dialog that writes what was taught as a model for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDir, QProcess, Qt, QTemporaryDir, QUrl
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
from fewshot_gui.engine.recipe import recipe_of
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
        self._outcome, self._written, self._cancelled = "", False, False
        self.setObjectName("modelDialog")
        self.setWindowTitle(self.tr("Export a model"))
        self.setMinimumWidth(_WIDTH)
        self._column = QVBoxLayout(self)
        self.process = QProcess(self)
        self.process.finished.connect(self._finished)
        self.process.errorOccurred.connect(self._not_started)
        self.facts = {key: ElidedLabel("", self) for key in _FACTS}
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
        document = self._workspace.session.document
        taught = [category for category in document.categories if category.examples]
        choice = self._workspace.predictor.status.choice
        learner = learner_title(document.settings.learner)
        if choice is not None:
            learner = self.tr("{0} (chosen for you)").format(learner_title(choice.learner))
        self.facts["categories"].setText(", ".join(category.name for category in taught) or self.tr("none"))
        self.facts["examples"].setText(str(sum(len(category.examples) for category in taught)))
        self.facts["learner"].setText(learner)
        self.facts["backbone"].setText(Path(document.settings.backbone).name)
        hindered = self._hindered(len(taught))
        self.go.setEnabled(not hindered and not self.running)
        if not self.running:
            self._tell(hindered or self._outcome, written=self._written and not hindered)

    def _hindered(self, taught: int) -> str:
        """Return what keeps the model from being written, and what to do; empty where nothing does."""
        document, predictor = self._workspace.session.document, self._workspace.predictor
        learner, fitted = document.settings.learner, predictor.fitted
        if taught < 2:
            return self.tr("Teach two categories first.")
        if space_of(learner) == "pixels":
            words = self.tr("{0} adapts the network itself, which cannot be exported. {1}")
            return words.format(learner_title(learner), other_learners())
        if predictor.status.busy:
            return self.tr("Wait until your examples are learned.")
        if fitted is None or fitted.recipe.key != recipe_of(document).key:
            return self.tr("Your examples are not learned: the line at the bottom of the window says why.")
        return ""

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
        self._show_state()
        fitted = self._workspace.predictor.fitted
        if fitted is None or not self.go.isEnabled():
            return
        self._out = out if out.suffix == SUFFIX else out.with_name(out.name + SUFFIX)
        self._folder, self._cancelled = QTemporaryDir(), False
        task = Path(self._folder.path()) / "task.npz"
        try:
            if not self._folder.isValid():
                raise OSError(self._folder.errorString())
            ModelTask.of(fitted, self._workspace.session, self._out).write(task)
        except OSError as error:
            self._end(system_words(Path(QDir.tempPath()), error.strerror or str(error)))
            return
        program, *arguments = command(task)
        self.process.start(program, arguments)
        if self.running:  # else it has been told already why not
            self.go.setEnabled(False)
            self._tell(self.tr("Writing… this takes some 15 seconds."))

    def _finished(self, code: int, status: QProcess.ExitStatus) -> None:
        said = bytes(self.process.readAllStandardOutput().data())
        lines = bytes(self.process.readAllStandardError().data()).decode(errors="replace").splitlines()
        try:
            reply = ModelReply.read(said)
        except ValueError:
            last = next((line for line in reversed(lines) if line.strip()), f"exit code {code}")
            if self._cancelled:
                self._end(self.tr("Cancelled."))
            elif status == QProcess.ExitStatus.CrashExit:
                self._end(
                    self.tr("The export was ended from outside. If memory is short, close other programs.")
                )
            else:
                self._end(self.tr("The export failed: {0}").format(last))
            return
        self._end(reply_words(reply, self._out), written=reply.trouble is None)

    def _end(self, outcome: str, *, written: bool = False) -> None:
        """Say what became of it, until something else is tried."""
        self._folder = None
        self._outcome, self._written = outcome, written
        self._show_state()

    def _not_started(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._end(self.tr("The export failed: {0}").format(self.process.errorString()))

    def _leave(self) -> None:
        """Cancel what is under way; else close."""
        if self.running:
            self._stop()
        else:
            self.reject()

    def _stop(self) -> None:
        if self.running:
            self._cancelled = True
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
