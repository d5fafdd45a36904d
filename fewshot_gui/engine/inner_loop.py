"""The visible inner loop of a learner that adapts step by step: its losses, and a look at any step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from fewshot_gui.core.learners.stepwise import StepwiseClassifier
from fewshot_gui.engine import fitting

if TYPE_CHECKING:
    from fewshot_gui.engine.event import Event
    from fewshot_gui.engine.fitting import Fitted, Rows
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.worker import CancelToken, Steps, Worker


@dataclass(frozen=True, slots=True)
class InnerLoop:
    """How the present classifier came about.

    Attributes:
        losses: on the support set after 0, 1, ... `steps` steps.
        steps: how many there were.
        shown_step: the predictions that are shown are those after so many steps.
    """

    losses: tuple[float, ...]
    steps: int
    shown_step: int


def inner_loop_of(fitted: Fitted | None) -> InnerLoop | None:
    """Return the inner loop of a classifier, None where it has none."""
    whole: object = None if fitted is None else fitted.whole
    if fitted is None or not isinstance(whole, StepwiseClassifier):
        return None
    losses = tuple(whole.losses)
    steps = len(losses) - 1
    return InnerLoop(losses, steps, steps if fitted.shown_step is None else fitted.shown_step)


def watch_steps(token: CancelToken, lane: Worker, adapting: Event[[int, int, float]]) -> fitting.Watch:
    """Return who looks on at a job of a lane: each step of a learner is told on the main thread."""

    def told(step: int, steps: int, loss: float) -> None:
        lane.tell(token, partial(adapting.emit, step, steps, loss))

    return fitting.Watch(token.check, told)


def score_step(
    fitted: Fitted, step: int, rows: Rows, threshold: float | None, version: int
) -> Steps[tuple[Fitted, Scores]]:
    """Return the classifier as it was after so many steps, and the scores of the gallery under it.

    Args:
        fitted: whose `whole` classifier is a StepwiseClassifier.
        step: 0 to its number of steps.
        rows: to score.
        threshold: the boldness; None is automatic.
        version: of the result.
    """
    shown = fitting.at_step(fitted, step, version)
    yield
    scores = yield from fitting.score_all(shown, rows, threshold)
    return shown, scores
