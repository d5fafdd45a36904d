"""The status line: device, pictures, the time of the last answer, the chosen learner, and the problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from fewshot_gui.gui.choice_words import choice_words
from fewshot_gui.gui.widgets import ElidedLabel, PushButton

if TYPE_CHECKING:
    from fewshot_gui.engine.gallery import Gallery
    from fewshot_gui.engine.predictor import Predictor, PredictorStatus
    from fewshot_gui.engine.problems import ProblemLog

_MS_A_SECOND: Final = 1000


class StatusLine(QFrame):
    """One line at the foot of the window; `problemsRequested` when its button is pressed.

    `detailsRequested(on)` asks for the details in place of the categories, in a window too narrow for both.
    """

    problemsRequested = Signal()  # noqa: N815 - reads like Qt's own signals
    detailsRequested = Signal(bool)  # noqa: N815 - the same

    def __init__(
        self, predictor: Predictor, gallery: Gallery, problems: ProblemLog, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("statusLine")
        self._predictor, self._gallery, self._problem_log = predictor, gallery, problems
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 4, 16, 4)
        row.setSpacing(24)
        self.device = self._label(
            "deviceStatus", self.tr("What computes: the processor or the graphics card")
        )
        self.pictures = self._label("pictureStatus", self.tr("Pictures"))
        self.time = self._label("timeStatus", self.tr("How long the last learning took"))
        self.trouble = self._label("troubleStatus", self.tr("What is wrong"))
        for label in (self.device, self.pictures, self.time, self.trouble):
            row.addWidget(label)
        self.choice = ElidedLabel(parent=self)
        self.choice.setObjectName("choiceStatus")
        self.choice.setAccessibleName(self.tr("The learner that was chosen, and why"))
        self.choice.setProperty("role", "muted")
        self.choice.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        row.addWidget(self.choice, 1)
        self.problems = PushButton("", self, icon_name="warning", role="quiet")
        self.problems.setObjectName("problemsButton")
        self.problems.clicked.connect(self.problemsRequested)
        self.problems.setToolTip(self.tr("Show which files were left out, and why (Ctrl+P)"))
        room = self.problems.sizePolicy()
        room.setRetainSizeWhenHidden(True)  # else the panels above move by two pixels with the first problem
        self.problems.setSizePolicy(room)
        row.addWidget(self.problems)
        self.details = self._make_details()
        row.addWidget(self.details)
        self._disconnect = (
            predictor.status_changed.connect(self._show_status),
            gallery.progressed.connect(lambda *_: self._show_pictures()),
            gallery.listed.connect(self._show_pictures),
            problems.changed.connect(self._show_problems),
        )
        self._show_status(predictor.status)
        self._show_pictures()
        self._show_problems()

    def _make_details(self) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("detailsButton")
        button.setProperty("role", "framed")
        button.setText(self.tr("Details"))
        button.setAccessibleName(self.tr("Details in place of the categories"))
        button.setToolTip(
            self.tr(
                "Show why a picture got its label; the window is too narrow for that beside the categories"
            )
        )
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.toggled.connect(self.detailsRequested)
        button.hide()
        return button

    def offer_details(self, narrow: bool) -> None:
        """Offer the details behind a button where the window is too narrow to show them."""
        self.details.setChecked(False)
        self.details.setVisible(narrow)

    def release(self) -> None:
        """Follow the engine no more."""
        for disconnect in self._disconnect:
            disconnect()

    def _label(self, name: str, accessible: str) -> QLabel:
        label = QLabel(self)
        label.setObjectName(name)
        label.setAccessibleName(accessible)
        label.setToolTip(accessible)
        label.setProperty("role", "muted")
        return label

    def _show_status(self, status: PredictorStatus) -> None:
        device = status.device.upper() if status.device in {"cpu", "cuda", "mps", "xpu"} else status.device
        self.device.setText(device or self.tr("Getting ready…"))
        took = self.tr("Learned in {0}").format(self._took(status.milliseconds))
        self.time.setText(self.tr("Learning…") if status.busy else took)
        self.time.setVisible(status.busy or status.milliseconds > 0)
        self.trouble.setText(self._words(status.problem, status.detail) if status.problem else "")
        self.trouble.setVisible(bool(self.trouble.text()))
        chosen = choice_words(status.choice) if status.choice else ""
        self.choice.setText(self.tr("Automatic: {0}").format(chosen) if chosen else "")

    def _took(self, milliseconds: float) -> str:
        if milliseconds >= _MS_A_SECOND:
            return self.tr("{0:.1f} s").format(milliseconds / _MS_A_SECOND)
        return self.tr("{0:.0f} ms").format(milliseconds) if milliseconds >= 1 else self.tr("< 1 ms")

    def _words(self, problem: str, detail: str) -> str:
        known = {
            # The line under the header speaks of these two, with what to do.
            "support": "",
            "learner": "",
            "missing": self.tr("The backbone is missing; choose another at the top right."),
            "not-a-bundle": self.tr("This file is no backbone; choose another at the top right."),
            "damaged": self.tr("The backbone is damaged; install the program again, or choose another."),
            "needs-package": self.tr(
                "The backbone needs a package that is missing; choose another at the top right."
            ),
            "no-pixels": self.tr("This learner cannot adapt an ONNX backbone; choose another of the two."),
            "out-of-memory": self.tr(
                "Not enough memory; choose the processor as the device, or close other programs."
            ),
        }
        return known.get(str(problem), self.tr("Something went wrong: {0}").format(detail))

    def _show_pictures(self) -> None:
        total, done = self._gallery.count, self._gallery.embedded
        if not total:
            self.pictures.setText(self.tr("No pictures open"))
        elif done >= total:
            self.pictures.setText(
                self.tr("1 picture") if total == 1 else self.tr("{0:,} pictures").format(total)
            )
        else:
            words = (
                self.tr("{0:,} of 1 picture seen") if total == 1 else self.tr("{0:,} of {1:,} pictures seen")
            )
            self.pictures.setText(words.format(done, total))

    def _show_problems(self) -> None:
        number = len(self._problem_log)
        self.problems.setVisible(number > 0)
        self.problems.setText(
            self.tr("1 problem") if number == 1 else self.tr("{0:,} problems").format(number)
        )
        self.problems.setAccessibleName(self.problems.text())
