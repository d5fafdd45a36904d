"""Which learner the program chose and why, in one plain sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from fewshot_gui.core.learners.reason import Why
from fewshot_gui.gui.learner_words import learner_title

if TYPE_CHECKING:
    from fewshot_gui.core.learners.reason import Choice, Reason

translate = QCoreApplication.translate


def choice_words(choice: Choice) -> str:
    """Return which learner was chosen and why; figures only where left-out examples decided."""
    title, reason = learner_title(choice.learner), choice.reason
    if reason.why is Why.ONE_CATEGORY:
        words = translate("ChoiceWords", "{0}, because only one category has examples.")
    elif reason.why is Why.LEAVE_ONE_OUT:
        return _by_evidence(choice, title)
    elif reason.why is Why.TOO_FEW:
        words = translate("ChoiceWords", "{0}, because one example each is too few to compare learners on.")
    elif reason.why is Why.ALIKE:
        words = translate(
            "ChoiceWords", "{0}, because frames that look alike cannot tell which learner is better."
        )
    else:
        return _by_rule(reason, title)
    return words.format(title)


def _by_rule(reason: Reason, title: str) -> str:
    shots = (
        translate("ChoiceWords", "one example")
        if round(reason.shots) == 1
        else translate("ChoiceWords", "{0:.0f} examples").format(reason.shots)
    )
    words = translate(
        "ChoiceWords", "{0}, because you gave about {1} each, too many in all to compare learners on."
    )
    if reason.why is Why.RULE:
        words = translate(
            "ChoiceWords", "{0}, because you gave about {1} each, and no other did clearly better."
        )
    return words.format(title, shots)


def _by_evidence(choice: Choice, title: str) -> str:
    reason = choice.reason
    words = translate("ChoiceWords", "{0}, because it was right on {1} of {2} left-out examples, {3} on {4}.")
    return words.format(
        title,
        reason.right(choice.learner),
        reason.left_out,
        learner_title(reason.by_rule),
        reason.right(reason.by_rule),
    )
