"""The visible inner loop: how a learner adapts, step by step, and a slider through its steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QLabel, QSlider, QVBoxLayout, QWidget

from fewshot_gui.gui.inspector.inner_loop_curve import LossCurve
from fewshot_gui.gui.widgets import PushButton, SectionHeader

if TYPE_CHECKING:
    from fewshot_gui.engine.inner_loop import InnerLoop
    from fewshot_gui.engine.predictor import Predictor, PredictorStatus
    from fewshot_gui.gui.theme import Appearance


class InnerLoopView(QWidget):
    """Shown while a learner adapts, and after it, while its steps can be looked at; hides itself else."""

    def __init__(self, predictor: Predictor, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._predictor = predictor
        self._told: dict[int, float] = {}
        self._wanted: int | None = None
        self._busy = predictor.status.busy
        self.setObjectName("innerLoopView")
        self.header = SectionHeader(self.tr("Adapting"), self)
        self.cancel = self._button("innerLoopCancel", self.tr("Cancel"))
        self.cancel.setToolTip(self.tr("Stop adapting; what was shown before stays"))
        self.cancel.clicked.connect(predictor.cancel_fit)
        self.again = self._button("innerLoopAgain", self.tr("Adapt again"))
        self.again.clicked.connect(predictor.refresh)
        self.curve = LossCurve(appearance, self)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setObjectName("innerLoopSlider")
        self.slider.setAccessibleName(self.tr("Steps of adapting"))
        self.slider.setToolTip(self.tr("See the answers after each step (arrow keys)"))
        self.slider.setPageStep(1)
        self.slider.valueChanged.connect(self._choose)
        self.sentence = QLabel(self)
        self.sentence.setObjectName("innerLoopSentence")
        self.sentence.setProperty("role", "muted")
        self.sentence.setWordWrap(True)
        self._lay_out()
        disconnect = [
            predictor.adapting.connect(self._on_step),
            predictor.status_changed.connect(self._on_status),
            predictor.updated.connect(lambda _scores: self._show()),
        ]
        self.destroyed.connect(lambda _gone: [each() for each in disconnect])
        self._show()

    def _button(self, name: str, text: str) -> PushButton:
        button = PushButton(text, self, role="quiet")
        button.setObjectName(name)
        return button

    def _lay_out(self) -> None:
        self.header.add(self.cancel)
        self.header.add(self.again)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for widget in (self.header, self.curve, self.slider, self.sentence):
            column.addWidget(widget)

    # What happens -----------------------------------------------------------------------------------

    def _on_step(self, step: int, steps: int, loss: float) -> None:
        if not self._busy:
            return  # told of a fit that was cancelled a moment ago
        self._told[step] = loss
        self.curve.show_losses([self._told.get(each, math.nan) for each in range(step + 1)], steps)
        self._show()

    def _on_status(self, status: PredictorStatus) -> None:
        if status.busy and not self._busy:
            self._told, self._wanted = {}, None
            self.curve.show_losses((), 0)
        if status.problem is not None:
            self._wanted = None
        self._busy = status.busy
        self._show()

    def _choose(self, step: int) -> None:
        loop = self._predictor.inner_loop
        if loop is not None and not self._busy:
            self._wanted = step
            self._predictor.show_step(step)
            self._show()

    # What is shown ----------------------------------------------------------------------------------

    def _show(self) -> None:
        loop, status = self._predictor.inner_loop, self._predictor.status
        adapting = self._busy and (loop is not None or bool(self._told))
        stopped = status.cancelled and not self._busy and (loop is not None or bool(self._told))
        self.cancel.setVisible(adapting)
        self.again.setVisible(stopped)
        self.slider.setVisible(not adapting and loop is not None and loop.steps > 0)
        self.curve.setVisible(adapting or (loop is not None and loop.steps > 0))
        if adapting:
            self._show_adapting()
        elif loop is not None:
            self._show_loop(loop, stopped=stopped)
        elif stopped:
            self._say("", self.tr("Stopped. The answers are those of before."))
        self.setVisible(adapting or stopped or loop is not None)

    def _show_adapting(self) -> None:
        step = max(self._told, default=0)
        note = self.tr("Step {0} of {1}").format(step, self.curve.steps) if self._told else ""
        self._say(
            note,
            self.tr("Each step makes the network less wrong about your examples (the curve)."),
        )

    def _show_loop(self, loop: InnerLoop, *, stopped: bool) -> None:
        if self._wanted == loop.shown_step or (self._wanted or 0) > loop.steps:
            self._wanted = None
        step = loop.shown_step if self._wanted is None else self._wanted
        self.curve.show_losses(loop.losses, loop.steps, step)
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, loop.steps)
            self.slider.setValue(step)
        note = self.tr("Step {0} of {1}").format(step, loop.steps) if loop.steps else ""
        words = self._words(loop, step)
        self._say(note, f"{self.tr('Stopped; this is from before.')} {words}" if stopped else words)
        self.slider.setAccessibleDescription(f"{note}. {self.sentence.text()}")

    def _words(self, loop: InnerLoop, step: int) -> str:
        if not loop.steps:
            return self.tr(
                "No step was taken: the averages of your examples tell the categories apart at least as well."
            )
        loss = loop.losses[step]
        if step == 0:
            words = self.tr("Before the first step: how the network began, not yet adapted. Error {0}.")
        elif step == loop.steps:
            words = self.tr("After the last step: adapted to your examples. Error on them {0}.")
        else:
            words = self.tr("On the way: the answers after this many steps. Error on your examples {0}.")
        return words.format(f"{loss:.2f}" if loss >= 0.01 else self.tr("below 0.01"))

    def _say(self, note: str, words: str) -> None:
        self.header.note.setText(note)
        self.sentence.setText(words)
