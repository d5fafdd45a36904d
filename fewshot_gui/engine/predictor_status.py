"""How the predictor is doing, and what stands in its way."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from fewshot_gui.core.backbones.bundle import BundleError
from fewshot_gui.core.learners.catalogue import LearnerError
from fewshot_gui.engine.devices import is_out_of_memory
from fewshot_gui.engine.fitting import SupportFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fewshot_gui.core.learners.reason import Choice

SUPPORT: Final = "support"
LEARNER: Final = "learner"
OUT_OF_MEMORY: Final = "out-of-memory"
UNEXPECTED: Final = "unexpected"


@dataclass(frozen=True, slots=True)
class PredictorStatus:
    """How the predictor is doing.

    Attributes:
        device: where the backbone runs, such as "cuda"; empty before it was used.
        milliseconds: what the last fit and its scores took, without loading and embedding; 0 before it.
        busy: a classifier is being made.
        problem: why there is none: a kind of BundleProblem, SUPPORT, LEARNER, OUT_OF_MEMORY or UNEXPECTED.
        backbone: the name of the backbone.
        detail: the facts of the problem.
        cancelled: the last fit was stopped on demand: what is shown is of the classifier before it.
        choice: which learner was chosen for the present classifier, and why; None where the person chose it.
    """

    device: str = ""
    milliseconds: float = 0.0
    busy: bool = False
    problem: str | None = None
    backbone: str = ""
    detail: str = ""
    cancelled: bool = False
    choice: Choice | None = None


AT_REST: Final[Mapping[str, Any]] = MappingProxyType(
    {"busy": False, "problem": None, "detail": "", "milliseconds": 0.0, "cancelled": False, "choice": None}
)
"""The values of a status while there is nothing to learn from."""


def problem_of(error: Exception) -> str:
    """Return the kind of problem that an error of a job is."""
    if isinstance(error, BundleError):
        return str(error.kind)
    if isinstance(error, SupportFault):
        return SUPPORT
    if isinstance(error, LearnerError):
        return LEARNER
    if is_out_of_memory(error):
        return OUT_OF_MEMORY
    return UNEXPECTED
