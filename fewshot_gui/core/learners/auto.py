"""The learner that the support set asks for: a rule by shots, overruled by clear evidence alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import torch

from fewshot_gui.core.learners.base import SupportSet
from fewshot_gui.core.learners.fitted import FittedClassifier, begin, finish
from fewshot_gui.core.learners.folds import balanced_folds
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

    from fewshot_gui.core.learners.base import Cancel, Progress

    Candidate: TypeAlias = Prototypical | SimpleShot | Mahalanobis | Ridge | Logistic

_FOLDS = 4
# Products of all examples with all classes, beyond which cross-validation takes seconds.
_LARGE = 1_000_000
_SPARE_BELOW = 2
# The best of four others is ahead by a standard error in every second task in which all are alike.
_CLEAR = 2.0


@dataclass(frozen=True, slots=True)
class Auto:
    """Prototypes for few examples, ridge regression from five, or another that is clearly better here.

    Cross-validation over few examples chooses badly (arXiv 2307.02732), so it has a say only where it
    classifies more right, by twice the standard error of the difference on the very same examples.

    Attributes:
        default_temperature: for scores of minus the squared Euclidean distance to prototypes at five shots.
        default_novelty: the threshold where the support set tells nothing; +inf rejects nothing.
    """

    default_temperature: float = 1.0
    default_novelty: float = math.inf

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
        candidates = self._candidates()
        name, reason = _choice(support, candidates, progress, cancel)
        fitted = candidates[name].fit(support, cancel=cancel)
        finish(progress, cancel)
        return AutoClassifier(
            support=support,
            calibration=fitted.calibration,
            anchors=fitted.anchors,
            fitted=fitted,
            chosen=name,
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


def _choice(
    support: SupportSet,
    candidates: Mapping[str, Candidate],
    progress: Progress | None,
    cancel: Cancel | None,
) -> tuple[str, Reason]:
    """Return the name of the learner to take, and why."""
    counts = support.counts()
    counts = counts[counts > 0]
    ways, shots = len(counts), float(counts.double().quantile(0.5))
    by_rule = Reason(Why.RULE, ways, shots).by_rule
    if ways < _SPARE_BELOW:
        return "prototypical", Reason(Why.ONE_CATEGORY, ways, shots)
    if int(counts.max()) < _SPARE_BELOW:
        return by_rule, Reason(Why.TOO_FEW, ways, shots)
    if support.embeddings.numel() * ways > _LARGE:
        return by_rule, Reason(Why.TOO_MANY, ways, shots)
    right = held_out_answers(support, candidates, progress, cancel)
    accuracies = MappingProxyType({name: float(marks.mean()) for name, marks in right.items()})
    name = clearly_best(right, by_rule)
    why = Why.RULE if name == by_rule else Why.CROSS_VALIDATION
    return name, Reason(why, ways, shots, len(right[by_rule]), accuracies)


def clearly_best(right: Mapping[str, Tensor], by_rule: str) -> str:
    """Return the name that the held-out answers speak for clearly; else the one by rule.

    Args:
        right: by name float64 (M,), 1 for each example that was classified right; the same examples for all.
        by_rule: one of the names.
    """
    name = max(right, key=lambda candidate: (float(right[candidate].mean()), candidate == by_rule))
    gain = right[name] - right[by_rule]
    error = float(gain.std(correction=0)) / math.sqrt(len(gain))
    return name if float(gain.mean()) > _CLEAR * error else by_rule


def held_out_answers(
    support: SupportSet,
    candidates: Mapping[str, Candidate],
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> dict[str, Tensor]:
    """Return by name float64 (M,), 1 for each example that a classifier without its fold put right, else 0.

    Args:
        support: the support set; a class of one example is always learned from, never asked.
        candidates: the learners by name.
        progress: called with the share done.
        cancel: called between fits; raises to stop.
    """
    folds = balanced_folds(support.embeddings, support.labels, len(support.classes), _FOLDS)
    marks: dict[str, list[Tensor]] = {name: [] for name in candidates}
    used = [fold for fold in range(_FOLDS) if bool((folds == fold).any())]
    for place, fold in enumerate(used):
        asked = folds == fold
        rest = SupportSet(support.embeddings[~asked], support.labels[~asked], support.classes)
        for name, learner in candidates.items():
            answers = learner.fit(rest, cancel=cancel).predict(support.embeddings[asked]).scores.argmax(1)
            marks[name].append((answers == support.labels[asked]).double())
        if progress is not None:
            progress(0.9 * (place + 1) / len(used))
    return {name: torch.cat(parts) for name, parts in marks.items()}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AutoClassifier(FittedClassifier):
    """The classifier of the chosen learner; `anchors` are that one's.

    Attributes:
        fitted: that classifier.
        chosen: the name of its learner.
        reason: what the choice rests on.
    """

    fitted: FittedClassifier
    chosen: str
    reason: Reason

    def judge(self, query: Tensor, to_support: Tensor, to_anchors: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scores and distances of the chosen classifier, (Q, N) each."""
        return self.fitted.judge(query, to_support, to_anchors)
