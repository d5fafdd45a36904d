"""What a probability and "none of these" mean: temperature and threshold fitted on the support set itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from fewshot_gui.core.learners.distances import burst_mates, evenly_spaced, squared_distances

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot_gui.core.learners.base import Classifier, SupportSet

# Standard deviation of the logarithm of the temperature between tasks: how far a task's own examples may
# pull it from the default. A usable example carries about 0.2 of information on it, so ten of them weigh as
# much as this prior. On five other domains (textures, garments, hand signs, defects, flowers; 5-way 5-shot)
# the calibration error is 0.070 with 0.35, 0.048 with 0.7 and 0.045 with 1.2, and ridge regression's 0.067,
# 0.047 and 0.063.
_PRIOR_SPREAD = 0.7
# An example left out of a class of n is a query to n - 1 shots, which is harder than the queries to come:
# left out of two it says little, out of ten nearly all. It counts ((n - 1) / n) to this power.
_TRUST_POWER = 4
_SEARCH_SPAN = math.log(100.0)
_GRID = 17
_ROUNDS = 3
# One number needs no more scores than this to be found, and a support set of thousands no more left-out
# examples.
_SCORES = 20_000
_LEFT_OUT = 512
_SHOT_NOISE = 5.0

# The default threshold counts as much as this many examples of the task.
_PRIOR_EXAMPLES = 8.0
# Distances of few examples scatter less than the truth: at least this share of their mean is taken as their
# spread.
_LEAST_SPREAD = 0.12
_LENIENCE = 2.0
_SLIDER_POWER = 0.25


@dataclass(frozen=True, slots=True)
class Calibration:
    """How scores become probabilities and distances become "none of these".

    Attributes:
        temperature: probabilities are softmax(scores / temperature).
        novelty_threshold: the distance to the nearest example above which a query is none of these.
        right: float64 (M,), 1 for each left-out example that the others classified right, else 0; empty where
            none was left out. Those that show the same view as another are not among them.
        left_out: int64 (M,), the true classes of these.
    """

    temperature: float
    novelty_threshold: float
    right: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.float64), compare=False)
    left_out: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64), compare=False)


def fit_temperature(scores: Tensor, labels: Tensor, default: float, weights: Tensor | None = None) -> float:
    """Return the temperature that explains leave-one-out scores best, held near the default by few of them.

    The maximum a posteriori of the negative log-likelihood with a log-normal prior around `default`.
    Without the prior, a support set that is classified without an error would ask for a temperature of 0,
    and a wrong answer would be shown with certainty. No example, or one class only, gives the default.

    Args:
        scores: float (M, N), each example scored by a classifier that has not seen it; -inf for an empty
            class.
        labels: int64 (M,), the true classes.
        default: in the unit of the scores, above 0.
        weights: float (M,), how much each example counts; None counts each as 1.
    """
    if not len(labels) or scores.shape[1] < 2:
        return default
    rows = evenly_spaced(len(labels), max(64, _SCORES // scores.shape[1]))
    weight = torch.ones(len(labels)) if weights is None else weights
    counted = weight[rows].double() * len(labels) / len(rows)
    gaps = (scores[rows] - scores[rows].gather(1, labels[rows].unsqueeze(1))).double() / default
    centre = 0.0
    span = _SEARCH_SPAN
    for _ in range(_ROUNDS):
        grid = torch.linspace(centre - span, centre + span, _GRID, dtype=torch.float64)
        loss = torch.logsumexp(gaps / grid.exp().view(-1, 1, 1), dim=2) @ counted
        centre = float(grid[(loss + grid.square() / (2 * _PRIOR_SPREAD**2)).argmin()])
        span = 2 * span / (_GRID - 1)
    return default * math.exp(centre)


def temperature_for_shots(default: float, support: SupportSet) -> float:
    """Return the default temperature of prototypes for as many examples as the classes have.

    Prototypes of few examples are noisy, so distances to them mean less. Measured on miniImageNet's
    validation classes with a small centred and normalised backbone, 2 to 12 ways: 0.295, 0.175, 0.135,
    0.096, 0.072, 0.062 for 1, 2, 3, 5, 10, 20 shots, which 0.05 (1 + 5 / shots) meets within 5 %.

    Args:
        default: the temperature at five shots.
        support: the support set.
    """
    shots = support.shots()
    return default * shots_factor(1 / float((1 / shots[shots > 0]).mean()))


def shots_factor(shots: float) -> float:
    """Return by what the temperature of prototypes at five shots is multiplied at so many."""
    return (1 + _SHOT_NOISE / shots) / (1 + _SHOT_NOISE / 5)


def converted_temperature(default: float, scores: Tensor, reference: Tensor, present: Tensor) -> float:
    """Return the default temperature in the unit of other scores.

    It is stated for minus the squared distance to prototypes. Scores of another head for the same
    examples differ in scale, so it is multiplied by the ratio of their spreads over the classes; for ridge
    regression with a growing penalty, whose scores become those of the prototypes times a constant, this is
    the right answer.

    Args:
        default: the temperature for `reference`.
        scores: float (S, N), of the examples.
        reference: float (S, N), minus the squared distances of the same examples to the prototypes.
        present: bool (N,), the classes that have examples.
    """
    if int(present.sum()) < 2:
        return default
    spread = float(scores[:, present].std(dim=1).mean())
    reference_spread = float(reference[:, present].std(dim=1).mean())
    tiny = torch.finfo(scores.dtype).tiny
    return default * spread / reference_spread if spread > tiny and reference_spread > tiny else default


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """Examples left out one at a time, before a method has scored them.

    Attributes:
        support: the support set.
        rows: int64 (M,), which examples are left out: all, or evenly spaced ones where there are very many.
        squared: float (M, S), squared distances of those to all examples.
    """

    support: SupportSet
    rows: Tensor
    squared: Tensor

    @classmethod
    def of(cls, support: SupportSet) -> LeftOut:
        """Return the examples of a support set, as many of them as memory and time allow."""
        rows = evenly_spaced(len(support.labels), _LEFT_OUT)
        return cls(support, rows, squared_distances(support.embeddings[rows], support.embeddings))

    @property
    def labels(self) -> Tensor:
        """Return int64 (M,), the true classes."""
        return self.support.labels[self.rows]

    def others(self) -> Tensor:
        """Return float (M, S), the squared distances with +inf between an example and itself."""
        others = self.squared.clone()
        others[torch.arange(len(self.rows)), self.rows] = torch.inf
        return others

    def calibrate(
        self, scores: Tensor, *, temperature: float, novelty: float, to_means: bool = False
    ) -> Calibration:
        """Return the calibration that the scores of the left-out examples ask for.

        A new picture lies nearer to the mean of all n than a left-out one to the mean of n - 1: by (1 + 1/n)
        to (1 + 1/(n - 1)) in expected square, a ratio of 1 - 1/n^2. Squared distances to the own mean are
        reduced by it before the temperature is fitted; at 5 shots that comes out at 0.105 instead of 0.165,
        where new pictures ask for 0.096. Right or wrong is told by the scores as they are.

        Examples of one view recognise one another, whatever the method: of them neither is learned.

        Args:
            scores: float (M, N), of each example by the classifier fitted without it.
            temperature: the default, in the unit of the scores.
            novelty: the default threshold; +inf where there is none.
            to_means: whether the scores are minus squared distances to the means of the classes.
        """
        counts, shots = self.support.counts()[self.labels], self.support.shots()[self.labels]
        usable = self.support.spare()[self.rows]
        scores = scores.masked_fill(~self.support.present(), -torch.inf)[usable]
        labels, counts, shots = self.labels[usable], counts[usable].to(scores.dtype), shots[usable]
        right = (scores.argmax(1) == labels).double()
        if to_means:
            own = labels.unsqueeze(1)
            scores = scores.scatter(1, own, scores.gather(1, own) * (1 - counts**-2).unsqueeze(1))
        trust = (1 - 1 / shots.to(scores.dtype)) ** _TRUST_POWER
        return Calibration(
            temperature=fit_temperature(scores, labels, temperature, trust),
            novelty_threshold=fit_novelty_threshold(self, novelty),
            right=right,
            left_out=labels,
        )


def fit_novelty_threshold(left_out: LeftOut, default: float) -> float:
    """Return the distance to the nearest example above which a query is none of these.

    The score is the distance to the nearest support example: a k-NN detector ranks before specialised or
    complex methods (arXiv 2206.09236), where the softmax, in which a common distance cancels, is near
    chance. A copy of an example is never rejected, a category may hold several kinds of picture, and the
    same distance serves every learner and, within 5 %, every number of shots. (On miniImageNet with a small
    backbone of 55 % at five shots, AUROC was 0.62 by the nearest example, 0.65 by the nearest prototype, 0.57
    by the softmax.)

    Two leave-one-outs tell what a distance means here. Without an example itself, the nearest of
    its own class is as far as a *known* picture is; without its whole class, the nearest of the others is
    as far as an *unknown* one is. The threshold lies equally many standard deviations from both means; with
    one of the two only, at a lenient distance of that one; then it is drawn toward the default, the more
    the fewer examples.

    Args:
        left_out: the examples, left out one at a time.
        default: the bundle's threshold; +inf where it has none.
    """
    known, unknown, count = _leave_one_out_distances(left_out)
    fitted = _boundary(known, unknown)
    if fitted is None or fitted <= 0:
        return default
    if not math.isfinite(default) or default <= 0:
        return fitted
    share = count / (count + _PRIOR_EXAMPLES)
    return math.exp(share * math.log(fitted) + (1 - share) * math.log(default))


def _leave_one_out_distances(left_out: LeftOut) -> tuple[Tensor, Tensor, int]:
    """Return the distances to the nearest other of the own class, and to the nearest of the other classes.

    The last is how many examples the first are worth: of one view there is but one.
    """
    support, others, own = left_out.support, left_out.others(), left_out.labels.unsqueeze(1)
    same = own == support.labels
    unknown = others.masked_fill(same, torch.inf).amin(1).sqrt()
    unknown = unknown[unknown.isfinite()]
    # Pictures of one burst say nothing of how far the next picture of their category will be.
    others = others.masked_fill(burst_mates(others, left_out.labels, support.labels), torch.inf)
    if support.views is not None:
        others = others.masked_fill(support.views[left_out.rows].unsqueeze(1) == support.views, torch.inf)
    known = others.masked_fill(~same, torch.inf).amin(1).sqrt()
    known, shots = known[known.isfinite()], support.shots()
    return known, unknown, min(len(known), int(shots[shots > 1].sum()))


def _boundary(known: Tensor, unknown: Tensor) -> float | None:
    """Return the distance between known and unknown ones; None where neither has a member."""
    if not len(known) and not len(unknown):
        return None
    if not len(known):
        mean, spread = _mean_and_spread(unknown)
        return mean - _LENIENCE * spread
    mean, spread = _mean_and_spread(known)
    lenient = mean + _LENIENCE * spread
    if not len(unknown):
        return lenient
    far_mean, far_spread = _mean_and_spread(unknown)
    if far_mean <= mean:  # the classes overlap: nothing here tells known from unknown, so reject little
        return lenient
    total = spread + far_spread
    return (mean * far_spread + far_mean * spread) / total if total > 0 else (mean + far_mean) / 2


def _mean_and_spread(values: Tensor) -> tuple[float, float]:
    mean = float(values.mean())
    return mean, max(float(values.std(correction=0)), _LEAST_SPREAD * mean)


def threshold_at(boldness: float | None, classifier: Classifier) -> float:
    """Return the novelty above which a query is none of these, at a place of the slider.

    Args:
        boldness: 0 rejects everything that is not a copy of an example, 0.5 is the fitted threshold, 1
            rejects nothing (+inf); in between it grows with the fourth root of the odds, as distances
            between pictures lie close together. None: the fitted threshold.
        classifier: what was fitted.

    Raises:
        ValueError: boldness outside 0 to 1.
    """
    fitted = classifier.novelty_threshold
    if boldness is None:
        return fitted
    if not 0 <= boldness <= 1:
        raise ValueError(f"boldness lies in 0 to 1, not {boldness}")
    if boldness == 1:
        return math.inf
    if boldness == 0:
        return 0.0
    return float(fitted * (boldness / (1 - boldness)) ** _SLIDER_POWER)
