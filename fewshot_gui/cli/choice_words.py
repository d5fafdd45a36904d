"""Which learner `auto` chose and why, in one line and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fewshot_gui.cli.output import counted
from fewshot_gui.core.learners.reason import Why

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fewshot_gui.core.learners.reason import Choice


def choice_line(choice: Choice) -> str:
    """Return which learner was taken and why."""
    reason, name = choice.reason, choice.learner
    if reason.why is Why.ONE_CATEGORY:
        return f"auto took {name}: only one class has examples"
    if reason.why is Why.TOO_FEW:
        return f"auto took {name}: one example a class is too few to compare learners on"
    if reason.why is Why.ALIKE:
        return f"auto took {name}: frames that look alike cannot tell which learner is better"
    if reason.why is Why.LEAVE_ONE_OUT:
        rule = reason.by_rule
        return (
            f"auto took {name}: right on {reason.right(name)} of {reason.left_out} left-out examples, "
            f"{rule} on {reason.right(rule)}"
        )
    more = ", and no other was clearly better"
    if reason.why is Why.TOO_MANY:
        more = ", too many in all to compare learners on"
    return f"auto took {name}: about {counted(round(reason.shots), 'example')} a class{more}"


def choice_values(choice: Choice | None) -> dict[str, Any] | None:
    """Return a choice as the JSON object of it; None where there was none."""
    if choice is None:
        return None
    reason = choice.reason
    return {
        "learner": choice.learner,
        "why": str(reason.why),
        "ways": reason.ways,
        "shots": reason.shots,
        "by_rule": reason.by_rule,
        "left_out": reason.left_out,
        "accuracies": dict(reason.accuracies),
    }


def choices_line(chosen: Mapping[str, int], why: Mapping[str, int]) -> str:
    """Return how often each learner was taken, and on what that rests, over many tasks."""
    return f"auto took {_counts(chosen)} of {counted(sum(chosen.values()), 'task')}; why: {_counts(why)}"


def _counts(numbers: Mapping[str, int]) -> str:
    ordered = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} in {number}" for name, number in ordered)
