"""One line under the header where a learner does not fit, with a button for what would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from fewshot_gui.core.backbones.fits import Misfit
from fewshot_gui.engine.commands import ChooseLearner
from fewshot_gui.engine.predictor_status import LEARNER, SUPPORT
from fewshot_gui.gui.icons import icon
from fewshot_gui.gui.learner_words import learner_title
from fewshot_gui.gui.widgets import PushButton, ToolButton

if TYPE_CHECKING:
    from fewshot_gui.engine.commands import Command
    from fewshot_gui.engine.predictor_status import PredictorStatus
    from fewshot_gui.gui.learner_offers import Offer
    from fewshot_gui.gui.theme import Appearance

SAFE: Final = "prototypical"
"""The learner that works on nearly any backbone, and from any examples."""
ADAPTING: Final = "maml"
"""Where pictures are only seen together, the one that does."""


class LearnerNotice(QFrame):
    """Hidden while all is well; `wanted(command)` is emitted when its button is pressed.

    It says one of two things: that a learner just picked needs another backbone, until it is answered or
    something else is chosen; else that the learner in use does not fit any more, for as long as that is so.
    """

    wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._asked: Offer | None = None
        self._chosen: Offer | None = None
        self._problem = ""
        self._appearance: Appearance | None = None
        self._command: Command | None = None
        self.setObjectName("learnerNotice")
        self.setProperty("role", "card")
        self.icon = QLabel(self)
        self.words = QLabel(self)
        self.words.setObjectName("learnerNoticeWords")
        self.words.setWordWrap(True)
        self.words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.button = PushButton("", self)
        self.button.setObjectName("learnerNoticeButton")
        self.button.clicked.connect(self._press)
        self.dismiss = ToolButton("close", self.tr("Leave it as it is"), self, size=16)
        self.dismiss.setObjectName("learnerNoticeDismiss")
        self.dismiss.clicked.connect(lambda: self.ask(None))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.setSpacing(12)
        row.addWidget(self.icon, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.words, 1)
        row.addWidget(self.button)
        row.addWidget(self.dismiss)
        self.hide()

    def ask(self, offer: Offer | None) -> None:
        """Offer to switch the backbone with a learner; None takes that back."""
        self._asked = offer
        self._show()

    def show_chosen(self, offer: Offer | None) -> None:
        """Say whether the learner in use fits; None where it is not known at all."""
        self._chosen = offer
        self._show()

    def show_status(self, status: PredictorStatus) -> None:
        """Say where a learner fits by all that is known of it, and cannot learn from these examples."""
        self._problem = str(status.problem) if status.problem in {SUPPORT, LEARNER} else ""
        self.words.setToolTip(status.detail if self._problem else "")
        self._show()

    def wear(self, appearance: Appearance) -> None:
        """Draw the sign in the colours of the theme from now on."""
        self._appearance = appearance
        # A method of this widget, not a lambda: it ends with the widget, and the look outlives all windows.
        appearance.changed.connect(self._tint)
        self._tint()

    def _tint(self) -> None:
        if self._appearance is not None:
            self.icon.setPixmap(icon("info", self._appearance.theme.accent).pixmap(20, 20))

    def _show(self) -> None:
        offer = self._asked or self._chosen
        misfit = None if offer is None else offer.misfit
        if offer is None or (misfit is None and not self._problem):
            self.hide()
            return
        title = learner_title(offer.name)
        self.words.setText(self._words(offer, title))
        if offer.bundle:
            self._command = offer.command
            text = self.tr("Use {0} with {1}").format(title, offer.bundle)
        else:
            other = ADAPTING if misfit is Misfit.SEES_TOGETHER else SAFE
            self._command = ChooseLearner(other)
            text = self.tr("Use {0}").format(learner_title(other))
        self.button.setText(text)
        self.button.setAccessibleName(text)
        self.button.setVisible(offer.name != SAFE or bool(offer.bundle) or misfit is Misfit.SEES_TOGETHER)
        self.dismiss.setVisible(self._asked is not None)
        self.setAccessibleName(self.words.text())
        self.show()

    def _words(self, offer: Offer, title: str) -> str:
        if offer.misfit is Misfit.TOO_MANY_WAYS:
            words = self.tr("{0} knows at most {1} categories, and more have examples now.")
            return words.format(title, offer.most)
        if offer.misfit is Misfit.NEEDS_OWN_BUNDLE and offer.bundle:
            words = self.tr("{0} works only with weights that were trained for it: {1}. Your examples stay.")
            return words.format(title, offer.bundle)
        why = {
            Misfit.TOO_MANY_PICTURES: self.tr(
                "These are too many pictures for {0}: it looks at each of them anew."
            ),
            Misfit.NO_GRADIENTS: self.tr(
                "{0} adapts the network itself, and an ONNX model cannot be adapted."
            ),
            Misfit.SEES_TOGETHER: self.tr(
                "These weights are for learners that adapt the network, and {0} does not."
            ),
            Misfit.NEEDS_OWN_BUNDLE: self.tr("{0} works only with weights that were trained for it."),
        }
        other = self.tr("{0} cannot learn from these examples.")
        return (why.get(offer.misfit, other) if offer.misfit else other).format(title)

    def _press(self) -> None:
        if self._command is not None:
            self.wanted.emit(self._command)
