"""The learner that the support set asks for: a rule by shots, overruled by clear evidence alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import torch

from fewshot_gui.core.learners.fitted import FittedClassifier, begin, finish
from fewshot_gui.core.learners.logistic import Logistic
from fewshot_gui.core.learners.mahalanobis import Mahalanobis
from fewshot_gui.core.learners.prototypical import Prototypical
from fewshot_gui.core.learners.reason import Reason, Why
from fewshot_gui.core.learners.ridge import Ridge
from fewshot_gui.core.learners.simpleshot import SimpleShot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from torch import Tensor

    from fewshot_gui.core.learners.base import Cancel, Progress, SupportSet

    Candidate: TypeAlias = Prototypical | SimpleShot | Mahalanobis | Ridge | Logistic

# Products of all examples with all classes, beyond which trying all takes longer than a tenth of a second.
_LARGE = 1_000_000
# Examples beyond which the distances take several times as long as a regression, for ten thousand pictures.
_MANY = 500
_SPARE_BELOW = 2
_SPREAD_FROM = 3
# The best of four others is ahead by a standard error in every second task in which all are alike.
_CLEAR = 2.0


@dataclass(frozen=True, slots=True)
class Auto:
    """Prototypes for one example a class, then ridge regression, then Mahalanobis distances; or a better one.

    The rule is what five other domains say (textures, garments, hand signs, defects, flowers; 5-way): ridge
    regression is ahead of prototypes by 1 to 3 % from two examples up, with `photo` and with MobileNetV2's
    features alike, and Mahalanobis distances are ahead of it from three up, on `photo` by 0.2 to 1.1 %. On
    embeddings that episodes have trained to lie around prototypes both are behind them.

    Each candidate leaves out every example once to be calibrated, so trying them costs one fit of each. What
    few left-out examples say is often wrong (arXiv 2307.02732): another learner is taken only where it
    classifies more of them right, by twice the standard error of the difference on the very same examples,
    every class counting the same.

    Attributes:
        default_temperature: for scores of minus the squared Euclidean distance to prototypes at five shots.
        default_novelty: the threshold where the support set tells nothing; +inf rejects nothing.
        episodic: whether the embeddings come of episodes, made for prototypes and their like.
    """

    default_temperature: float = 1.0
    default_novelty: float = math.inf
    episodic: bool = False

    @property
    def name(self) -> str:
        """Return the name on the command line."""
        return "auto"

    def fit(
        self, support: SupportSet, *, progress: Progress | None = None, cancel: Cancel | None = None
    ) -> AutoClassifier:
        """Return the classifier of the chosen learner, with the choice and its reason.

        Raises:
            SupportError: no example, or one that is not finite.
        """
        begin(support, progress, cancel)
        reason = self._before_trying(support)
        tried = self._candidates()
        if reason.why is not Why.RULE:
            tried = {reason.by_rule: tried[reason.by_rule]}
        classifiers: dict[str, FittedClassifier] = {}
        for place, (name, learner) in enumerate(tried.items()):
            classifiers[name] = learner.fit(support, cancel=cancel)
            if progress is not None:
                progress(0.9 * (place + 1) / len(tried))
        chosen, reason = _choice(classifiers, reason)
        fitted = classifiers[chosen]
        finish(progress, cancel)
        return AutoClassifier(
            support=support,
            calibration=fitted.calibration,
            anchors=fitted.anchors,
            fitted=fitted,
            learner=tried[chosen],
            reason=reason,
        )

    def _candidates(self) -> dict[str, Candidate]:
        defaults = (self.default_temperature, self.default_novelty)
        learners: tuple[Candidate, ...] = (
            Prototypical("euclidean", *defaults),
            SimpleShot(*defaults),
            Mahalanobis(*defaults),
            Ridge(1.0, *defaults),
            Logistic(1.0, *defaults),
        )
        return {learner.name: learner for learner in learners}

    def _before_trying(self, support: SupportSet) -> Reason:
        """Return why the learner by rule is taken, where none is tried or none of those is clearly better."""
        counts = support.counts()
        counts = counts[counts > 0]
        shots = float(counts.double().quantile(0.5))
        why = Why.RULE
        if len(counts) < _SPARE_BELOW:
            why = Why.ONE_CATEGORY
        elif int(counts.max()) < _SPARE_BELOW:
            why = Why.TOO_FEW
        elif not bool(support.spare().any()):
            why = Why.ALIKE
        elif support.embeddings.numel() * len(counts) > _LARGE:
            why = Why.TOO_MANY
        return Reason(why, len(counts), shots, self._by_rule(support, len(counts), shots))

    def _by_rule(self, support: SupportSet, ways: int, shots: float) -> str:
        """Return the learner that suits so many examples in most domains.

        A spread is that of several views: one that is seen from frames of a single one is of the camera.
        """
        if ways < _SPARE_BELOW or shots < _SPARE_BELOW or self.episodic:
            return "prototypical"
        views = support.shots()
        spread = float(views[views > 0].double().quantile(0.5)) >= _SPREAD_FROM
        return "mahalanobis" if spread and len(support.labels) <= _MANY else "ridge"


def _choice(classifiers: Mapping[str, FittedClassifier], reason: Reason) -> tuple[str, Reason]:
    """Return the name to take of those that were tried, and why."""
    rule = reason.by_rule
    if reason.why is not Why.RULE:
        return rule, reason
    right = {name: classifier.calibration.right for name, classifier in classifiers.items()}
    chosen = clearly_best(right, rule, classifiers[rule].calibration.left_out)
    return chosen, replace(
        reason,
        why=Why.RULE if chosen == rule else Why.LEAVE_ONE_OUT,
        left_out=len(right[rule]),
        accuracies=MappingProxyType({name: float(marks.mean()) for name, marks in right.items()}),
    )


def clearly_best(right: Mapping[str, Tensor], by_rule: str, labels: Tensor) -> str:
    """Return the name that the left-out examples speak for clearly; else the one by rule.

    It is right on more of them, and clearly so where every class counts the same. The error is taken about no
    difference, not about the mean: a few examples that agree would have none.

    Args:
        right: by name float64 (M,), 1 for each example that was classified right; the same examples for all.
        by_rule: one of the names.
        labels: int64 (M,), the true classes; those of one class alone tell nothing about the others.
    """
    counts = torch.bincount(labels).double()
    present = int((counts > 0).sum())
    if present < _SPARE_BELOW:
        return by_rule
    weight = 1 / (present * counts[labels])
    name = max(right, key=lambda candidate: (float(weight @ right[candidate]), candidate == by_rule))
    gain = right[name] - right[by_rule]
    error = math.sqrt(float(weight.square() @ gain.square()))
    return name if float(weight @ gain) > _CLEAR * error and float(gain.sum()) > 0 else by_rule


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AutoClassifier(FittedClassifier):
    """The classifier of the chosen learner; `anchors` are that one's.

    Attributes:
        fitted: that classifier.
        learner: what made it.
        reason: what the choice rests on.
    """

    fitted: FittedClassifier
    learner: Candidate
    reason: Reason

    @property
    def chosen(self) -> str:
        """The name of the chosen learner."""
        return self.learner.name

    def judge(self, query: Tensor, to_support: Tensor, to_anchors: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scores and distances of the chosen classifier, (Q, N) each."""
        return self.fitted.judge(query, to_support, to_anchors)
