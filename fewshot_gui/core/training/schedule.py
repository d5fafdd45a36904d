"""What changes from step to step of a stage: its learning rate and the side of its pictures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fewshot_gui.core.training.stage import Stage


def scheduled_rate(stage: Stage, within: int) -> float:
    """Return the learning rate of a step: a linear warm-up, then the stage's schedule."""
    warm = int(stage.warm_up * stage.steps)
    # A stage that is to be warmed up begins below its height, however short it is.
    warm = max(1, warm) if stage.warm_up else 0
    if within < warm:
        return stage.learning_rate * (within + 1) / warm
    if stage.schedule == "step":
        return stage.learning_rate * stage.drop ** sum(within >= share * stage.steps for share in stage.drops)
    return stage.learning_rate * 0.5 * (1 + math.cos(math.pi * (within - warm) / max(1, stage.steps - warm)))


def scheduled_side(stage: Stage, within: int, default: int) -> int:
    """Return the picture side of a step: the stage's sides in equal parts, one after the other."""
    return stage.sides[within * len(stage.sides) // stage.steps] if stage.sides else default
