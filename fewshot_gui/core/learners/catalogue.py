"""The learners by name; the module of each is imported only when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fewshot_gui.core.learners.context import LearnerContext
from fewshot_gui.core.learners.facts import LEARNERS, LearnerError, facts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fewshot_gui.core.learners.base import Learner

__all__ = ["LEARNERS", "LearnerError", "make_learner"]


def make_learner(name: str, context: LearnerContext | None = None) -> Learner:
    """Return the learner of that name, with what it may use of a bundle.

    Args:
        name: one of `LEARNERS`.
        context: of the bundle whose embeddings, or pixels, it will be given; by default of none.

    Raises:
        LearnerError: there is no such learner, or it needs another bundle.
    """
    facts, context = facts_of(name), context or LearnerContext()
    own = context.learner == name
    if facts.needs_own_bundle and not own:
        made_for = f"this one was trained for {context.learner}" if context.learner else "this one was not"
        raise LearnerError(f"{name} works only on a bundle that was trained for it, and {made_for}")
    if facts.space == "pixels":
        return _gradient(name, context)
    if facts.needs_own_bundle or (own and uses_head(name) and context.head):
        return _learned(name, context)
    return _MAKERS[name](context)


_HAVE_HEADS = frozenset({"matching", "ridge"})
"""Learners that a bundle may bring a trained head for, and that do without one as well."""


def uses_head(name: str) -> bool:
    """Return whether the learner takes the trained head of a bundle that was made for it.

    Raises:
        LearnerError: there is no such learner.
    """
    return facts_of(name).needs_own_bundle or name in _HAVE_HEADS


def _gradient(name: str, context: LearnerContext) -> Learner:
    """Return the gradient method, with the settings of the bundle's training where it was trained for it.

    Raises:
        LearnerError: no network is given.
    """
    if context.network is None:
        raise LearnerError(f"{name} adapts a network, and none is given")
    from fewshot_gui.core.learners.gradient.learner import GradientLearner  # noqa: PLC0415 - imports torch

    return GradientLearner(name, context.head if context.learner == name else {}, context)


def _learned(name: str, context: LearnerContext) -> Learner:
    """Return the bundle's meta-trained head as a learner.

    Raises:
        LearnerError: the bundle's head cannot be made, or its values do not fit it.
    """
    from fewshot_gui.core.learners.heads import HeadError, build_head  # noqa: PLC0415 - imports torch
    from fewshot_gui.core.learners.learned import LearnedHead  # noqa: PLC0415 - imports torch

    try:
        head = build_head(context.head, context.dimension)
        head.load_state_dict(dict(context.head_tensors))
    except (HeadError, RuntimeError) as error:  # torch's own, for names and shapes of values
        raise LearnerError(f"the {name} head of this bundle cannot be used: {error}") from error
    return LearnedHead(name, head, context.head_temperature, context.novelty)


def _matching(context: LearnerContext) -> Learner:
    from fewshot_gui.core.learners.matching import Matching  # noqa: PLC0415 - imports torch

    return Matching(default_temperature=context.temperature, default_novelty=context.novelty)


def _prototypical(context: LearnerContext) -> Learner:
    from fewshot_gui.core.learners.prototypical import Prototypical  # noqa: PLC0415 - imports torch

    return Prototypical("euclidean", context.temperature, context.novelty)


def _prototypical_cosine(context: LearnerContext) -> Learner:
    from fewshot_gui.core.learners.prototypical import Prototypical  # noqa: PLC0415 - imports torch

    return Prototypical("cosine", context.temperature, context.novelty)


def _simpleshot(context: LearnerContext) -> Learner:
    from fewshot_gui.core.learners.simpleshot import SimpleShot  # noqa: PLC0415 - imports torch

    return SimpleShot(default_temperature=context.temperature, default_novelty=context.novelty)


def _mahalanobis(context: LearnerContext) -> Learner:
    from fewshot_gui.core.learners.mahalanobis import Mahalanobis  # noqa: PLC0415 - imports torch

    return Mahalanobis(default_temperature=context.temperature, default_novelty=context.novelty)


def _nearest(context: LearnerContext) -> Learner:
    from fewshot_gui.core.learners.nearest import Nearest  # noqa: PLC0415 - imports torch

    return Nearest(context.temperature, context.novelty)


def _ridge(context: LearnerContext) -> Learner:
    from fewshot_gui.core.learners.ridge import Ridge  # noqa: PLC0415 - imports torch

    return Ridge(default_temperature=context.temperature, default_novelty=context.novelty)


def _logistic(context: LearnerContext) -> Learner:
    from fewshot_gui.core.learners.logistic import Logistic  # noqa: PLC0415 - imports torch

    return Logistic(default_temperature=context.temperature, default_novelty=context.novelty)


def _finetune(context: LearnerContext) -> Learner:
    from fewshot_gui.core.learners.finetune import FineTune  # noqa: PLC0415 - imports torch

    return FineTune(default_temperature=context.temperature, default_novelty=context.novelty)


def _auto(context: LearnerContext) -> Learner:
    from fewshot_gui.core.learners.auto import Auto  # noqa: PLC0415 - imports torch

    return Auto(context.temperature, context.novelty, episodic=bool(context.learner))


_MAKERS: Mapping[str, Callable[[LearnerContext], Learner]] = {
    "prototypical": _prototypical,
    "prototypical-cosine": _prototypical_cosine,
    "simpleshot": _simpleshot,
    "mahalanobis": _mahalanobis,
    "nearest": _nearest,
    "ridge": _ridge,
    "logistic": _logistic,
    "finetune": _finetune,
    "auto": _auto,
    "matching": _matching,
}
