"""When the support set is examined: after each fit, at leisure, where that keeps nobody waiting."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from fewshot_gui.core.learners.facts import space_of
from fewshot_gui.engine.deciding.enough import examine
from fewshot_gui.engine.deciding.shots import shots_curve
from fewshot_gui.engine.worker import Priority

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.engine.deciding.enough import LooReport
    from fewshot_gui.engine.deciding.shots import ShotsCurve
    from fewshot_gui.engine.fitting import Fitted
    from fewshot_gui.engine.worker import Job, Worker

LONGEST_FIT_SECONDS: Final = 0.25
"""A live frame waits for the fit under way: where the network adapts for longer, nothing is examined."""


class Examiner:
    """Examines the present classifier when nothing else is to do. Belongs to the main thread.

    Args:
        model: the lane that fits.
        done: gets each report that is still of the present classifier.
        failed: gets the error.
    """

    def __init__(
        self, model: Worker, done: Callable[[LooReport], None], failed: Callable[[Exception], None]
    ) -> None:
        self.report: LooReport | None = None
        self._model = model
        self._done = done
        self._failed = failed
        self._version = 0
        self._fitted: Fitted | None = None
        self._job: Job | None = None

    @property
    def under_way(self) -> bool:
        """True while a report is on its way."""
        return self._job is not None and self.report is None

    def start(self, fitted: Fitted) -> None:
        """Examine this classifier, unless its network adapts for too long to be asked so often."""
        if space_of(fitted.recipe.learner) == "pixels" and fitted.seconds > LONGEST_FIT_SECONDS:
            return
        self._version, self._fitted = fitted.version, fitted
        self._job = self._model.submit(
            partial(examine, fitted),
            then=self._arrived,
            failed=self._failed,
            priority=Priority.FOLDER,
            replaces="predictor.examine",
        )

    def drop(self) -> None:
        """Forget the report, and the one that is on its way."""
        if self._job is not None:
            self._job.cancel()
        self._job = self.report = self._fitted = None
        self._version = 0

    def ask_shots(self, then: Callable[[ShotsCurve], None]) -> None:
        """Hand `then` how accuracy grows with the present examples; nothing where nothing is examined."""
        fitted = self._fitted
        if fitted is None:
            return

        def arrived(curve: ShotsCurve) -> None:
            if curve.version == self._version:
                then(curve)

        self._model.submit(
            partial(shots_curve, fitted),
            then=arrived,
            failed=self._failed,
            priority=Priority.FOLDER,
            replaces="predictor.shots",
        )

    def _arrived(self, report: LooReport) -> None:
        if report.version == self._version:
            self.report = report
            self._done(report)
