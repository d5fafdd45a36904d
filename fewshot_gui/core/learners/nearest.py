"""The nearest-neighbour rule: a class is as near as its nearest example (Cover and Hart 1967)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fewshot_gui.core.learners.calibration import LeftOut
from fewshot_gui.core.learners.distances import class_minimum
from fewshot_gui.core.learners.fitted import FittedClassifier, begin, finish

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot_gui.core.learners.base import Cancel, Progress, SupportSet

_AT_ONE_SHOT = 3.0
_SHOT_POWER = 0.3


@dataclass(frozen=True, slots=True)
class Nearest:
    """The class of the nearest example.

    Cover and Hart 1967, "Nearest neighbor pattern classification".

    Attributes:
        default_temperature: for scores of minus the squared Euclidean distance to prototypes at
            five shots.
        default_novelty: the threshold where the support set tells nothing; +inf rejects nothing.
    """

    default_temperature: float = 1.0
    default_novelty: float = math.inf

    @property
    def name(self) -> str:
        """Return the name on the command line."""
        return "nearest"

    def fit(
        self, support: SupportSet, *, progress: Progress | None = None, cancel: Cancel | None = None
    ) -> NearestClassifier:
        """Return the examples with their temperature and novelty threshold.

        Raises:
            SupportError: no example, or one that is not finite.
        """
        begin(support, progress, cancel)
        left_out = LeftOut.of(support)
        scores = -class_minimum(left_out.others(), support.labels, len(support.classes))
        calibration = left_out.calibrate(
            scores, temperature=_temperature(self.default_temperature, support), novelty=self.default_novelty
        )
        finish(progress, cancel)
        return NearestClassifier(support=support, calibration=calibration, anchors=support.embeddings[:0])


def _temperature(default: float, support: SupportSet) -> float:
    """Return the temperature of nearest examples, given that of prototypes at five shots.

    Measured as for `temperature_for_shots`: 0.295, 0.227, 0.201, 0.168, 0.143, 0.128 for 1, 2, 3, 5, 10, 20
    shots, a power of -0.3, where prototypes of five have 0.096.
    """
    shots = support.shots()
    return default * _AT_ONE_SHOT * float((shots[shots > 0].double() ** -_SHOT_POWER).mean())


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NearestClassifier(FittedClassifier):
    """The examples themselves; no anchors."""

    def judge(self, query: Tensor, to_support: Tensor, to_anchors: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - part of the interface
        """Return minus the squared distance to each class's nearest example, and the distance, (Q, N)."""
        squared = class_minimum(to_support, self.support.labels, len(self.classes))
        return -squared, squared.sqrt()
