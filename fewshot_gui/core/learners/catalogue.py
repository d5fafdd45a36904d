"""The learners by name; the names are known without importing torch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fewshot_gui.core.learners.base import Learner

LEARNERS = ("prototypical", "prototypical-cosine", "nearest", "ridge")


class LearnerError(ValueError):
    """A learner that does not exist; its sentence lists those that do."""


def make_learner(
    name: str, *, default_temperature: float = 1.0, default_novelty: float = math.inf
) -> Learner:
    """Return the learner of that name with the calibration defaults of a bundle.

    Args:
        name: one of `LEARNERS`.
        default_temperature: the bundle's, for minus the squared Euclidean distance to prototypes at five
            shots.
        default_novelty: the bundle's distance to the nearest example beyond which a picture is none of these.

    Raises:
        LearnerError: there is no such learner.
    """
    if name not in LEARNERS:
        raise LearnerError(f"there is no learner {name!r}; choose one of {', '.join(LEARNERS)}")

    from fewshot_gui.core.learners.nearest import Nearest  # noqa: PLC0415 - torch takes seconds to import
    from fewshot_gui.core.learners.prototypical import Prototypical  # noqa: PLC0415 - torch takes seconds
    from fewshot_gui.core.learners.ridge import Ridge  # noqa: PLC0415 - torch takes seconds to import

    makers: dict[str, Learner] = {
        "prototypical": Prototypical("euclidean", default_temperature, default_novelty),
        "prototypical-cosine": Prototypical("cosine", default_temperature, default_novelty),
        "nearest": Nearest(default_temperature, default_novelty),
        "ridge": Ridge(default_temperature=default_temperature, default_novelty=default_novelty),
    }
    return makers[name]
