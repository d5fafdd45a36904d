"""Which learners fit a bundle and the task at hand, and what stands in the way of the others."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from fewshot_gui.core.backbones.catalogue import installed_sound, kind_of_bundle
from fewshot_gui.core.learners.facts import LearnerError, facts_of

if TYPE_CHECKING:
    from fewshot_gui.core.backbones.bundle_info import BundleInfo
    from fewshot_gui.core.learners.facts import LearnerFacts

MOST_BYTES: Final = 2_000_000_000
"""What the pictures of a task may take as the input of a network; beyond it, embeddings are needed."""
_FLOAT32_BYTES: Final = 4


class Misfit(StrEnum):
    """Why a learner does not fit."""

    NEEDS_OWN_BUNDLE = "needs-own-bundle"
    TOO_MANY_WAYS = "too-many-ways"
    TOO_MANY_PICTURES = "too-many-pictures"
    NO_GRADIENTS = "no-gradients"
    SEES_TOGETHER = "sees-together"


def misfit(facts: LearnerFacts, info: BundleInfo, ways: int = 0, pictures: int = 0) -> Misfit | None:
    """Return what keeps a learner from a bundle and a task, None where nothing does.

    Args:
        facts: of the learner.
        info: of the bundle.
        ways: categories to tell apart.
        pictures: to be classified, examples included.
    """
    if facts.needs_own_bundle and info.learner != facts.name:
        return Misfit.NEEDS_OWN_BUNDLE
    if facts.space == "pixels" and not info.adaptable:
        return Misfit.NO_GRADIENTS
    if facts.space != "pixels" and info.architecture.get("norm") == "task":
        return Misfit.SEES_TOGETHER
    most = info.head.get("max_ways", info.ways)
    if facts.limited_ways and most is not None and ways > most:
        return Misfit.TOO_MANY_WAYS
    if facts.space == "pixels" and math.prod(info.input_shape) * pictures * _FLOAT32_BYTES > MOST_BYTES:
        return Misfit.TOO_MANY_PICTURES
    return None


def require_fit(learner: str, info: BundleInfo, *, pictures: int = 0) -> None:
    """Check that a learner works on a bundle, and holds so many pictures.

    Raises:
        LearnerError: there is no such learner, or it does not; the sentence names the bundles here on which
            it does, those for the same kind of pictures first.
    """
    why = misfit(facts_of(learner), info, pictures=pictures)
    if why is None:
        return
    if why is Misfit.TOO_MANY_PICTURES:
        raise LearnerError(
            f"{learner} needs the pixels of all {pictures:,} pictures in memory at once, which is too much; "
            "take fewer pictures at a time, or another learner"
        )
    if why is Misfit.NO_GRADIENTS:
        raise LearnerError(
            f"{learner} adapts the network, and {info.name} is an ONNX model, which has no gradients; "
            "choose another learner or another bundle"
        )
    if why is Misfit.SEES_TOGETHER:
        raise LearnerError(
            f"{info.name} was trained with norm = 'task': what it makes of a picture depends on the others "
            f"that it sees, so {learner} cannot compare them; choose a learner that adapts the network"
        )
    own = [other for other in installed_sound() if other.learner == learner]
    own.sort(key=lambda other: kind_of_bundle(other) != kind_of_bundle(info))
    instead = f"use {' or '.join(other.name for other in own)}" if own else "none is shipped"
    raise LearnerError(
        f"{learner} works only on a bundle that was trained for it, not on {info.name}; {instead}"
    )
