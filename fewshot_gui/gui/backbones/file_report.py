"""What of a file of weights does not fit, in plain words, and a line to name its network by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from fewshot_gui.core.backbones.architectures import architecture_name
from fewshot_gui.engine.taking_in import DoesNotFitError
from fewshot_gui.gui.widgets import PushButton, ToolButton

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QKeyEvent

    from fewshot_gui.core.backbones.foreign_fit import FitReport

translate = QCoreApplication.translate
_MOST_LINES: Final = 200


class FileReport(QFrame):
    """Hidden until something does not fit; `tried(path, architecture)` asks to read the file once more."""

    tried = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path = ""
        self.setObjectName("backboneFileReport")
        self.setProperty("role", "card")
        self.title = QLabel(self)
        self.title.setProperty("role", "heading")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.words = QLabel(self)
        self.words.setObjectName("backboneFileWords")
        self.words.setProperty("role", "muted")
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setWordWrap(True)
        self.details = QPlainTextEdit(self)
        self.details.setObjectName("backboneFileDetails")
        self.details.setAccessibleName(self.tr("What does not fit, part by part"))
        self.details.setReadOnly(True)
        self.details.setTabChangesFocus(True)
        self.details.setMaximumHeight(96)
        self.network = QLineEdit(self)
        self.network.setObjectName("backboneFileNetwork")
        self.network.setAccessibleName(self.tr("The network that these weights are of"))
        self.network.setPlaceholderText("torchvision:resnet50, timm:vit_small_patch16_224 …")
        self.again = PushButton(self.tr("Try this backbone"), self)
        self.again.setObjectName("backboneFileAgain")
        self.dismiss = ToolButton("close", self.tr("Leave it"), self, size=16)
        self._lay_out()
        self.again.clicked.connect(self._try)
        self.network.returnPressed.connect(self._try)
        self.network.textChanged.connect(lambda text: self.again.setEnabled(bool(text.strip())))
        self.again.setEnabled(False)
        self.dismiss.clicked.connect(self.hide)
        self.hide()

    def _lay_out(self) -> None:
        head, foot = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.dismiss)
        foot.setSpacing(8)
        foot.addWidget(self.network, 1)
        foot.addWidget(self.again)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 12)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.words)
        column.addWidget(self.details)
        column.addLayout(foot)

    def show_error(self, path: Path, error: Exception) -> bool:
        """Show why a file does not fit and return True; False where the error is of another kind."""
        if not isinstance(error, DoesNotFitError):
            return False
        self._path = str(path)
        self.title.setText(self.tr("{0} does not fit").format(path.name))
        self.words.setText(_words(error))
        lines = _lines(error.report) if error.report is not None else []
        self.details.setPlainText("\n".join(lines))
        self.details.setVisible(bool(lines))
        self.setAccessibleName(f"{self.title.text()}. {self.words.text()}")
        guess = error.report.guess if error.report is not None else None
        self.network.setText(architecture_name(guess) if guess else "")
        self.show()
        self.network.setFocus()
        return True

    def show_refusal(self, words: str) -> None:
        """Show what kept the network that was named here from being made; another one may be named."""
        self.words.setText(words)
        self.setAccessibleName(f"{self.title.text()}. {words}")
        self.show()
        self.network.setFocus()
        self.network.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep Return in the line to itself: the dialog would take it for its Close."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            event.accept()
        else:
            super().keyPressEvent(event)

    def _try(self) -> None:
        text = self.network.text().strip()
        if text:
            self.tried.emit(self._path, text)


def _words(error: DoesNotFitError) -> str:
    """Return what is wrong, and what can be done."""
    if error.report is None or error.architecture is None:
        return translate(
            "FileReport",
            "Its weights resemble no network of torchvision or timm. If you know which network they are of, "
            "name it here.",
        )
    counts = [
        words.format(number)
        for words, number in (
            (translate("FileReport", "missing from the file: {0}"), len(error.report.missing)),
            (
                translate("FileReport", "unknown to it: {0}"),
                len(error.report.unexpected),
            ),
            (translate("FileReport", "of another shape: {0}"), len(error.report.wrong_shape)),
        )
        if number
    ]
    words = translate("FileReport", "The network {0} does not take these weights. Parts {1}.")
    return words.format(architecture_name(error.architecture), ", ".join(counts))


def _lines(report: FitReport) -> list[str]:
    """Return a line a part, those of another shape first: they tell most."""
    lines = [
        translate("FileReport", "{0}: {1} in the file, {2} in the network").format(
            key, _shape(found), _shape(expected)
        )
        for key, found, expected in report.wrong_shape
    ]
    lines += [translate("FileReport", "{0}: missing from the file").format(key) for key in report.missing]
    lines += [translate("FileReport", "{0}: unknown to the network").format(key) for key in report.unexpected]
    more = len(lines) - _MOST_LINES
    rest = [translate("FileReport", "… and {0:,} more").format(more)] if more > 0 else []
    return lines[:_MOST_LINES] + rest


def _shape(sizes: tuple[int, ...]) -> str:
    return " × ".join(map(str, sizes)) or translate("FileReport", "a single number")
