"""Matching networks: a query's class is read off the examples it attends to (Vinyals et al. 2016)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from fewshot_gui.core.learners.calibration import LeftOut, temperature_for_shots
from fewshot_gui.core.learners.distances import class_minimum
from fewshot_gui.core.learners.fitted import FittedClassifier, begin, finish
from fewshot_gui.core.learners.head import Head
from fewshot_gui.core.learners.prototypical import cosine_logits

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from fewshot_gui.core.learners.base import Cancel, Progress, SupportSet

# What a class without examples gets where a logarithm has none: its share is 0 in any precision, and
# differences to it stay finite.
_NOTHING = -1e4
# How much softer attention is than the final softmax. Measured with a small photo backbone on miniImageNet's
# validation classes, 5 ways, by softness 1.5, 2, 3, 4, 16: 0.706, 0.735, 0.743, 0.745, 0.742 right at five
# shots, 0.787, 0.804, 0.805, 0.804, 0.796 at twenty. As soft as that, the temperature that fits is within a
# third of that of prototypes at any number of shots.
_SOFTNESS = 3.0


def class_log_mean_exp(values: Tensor, labels: Tensor, n_way: int) -> Tensor:
    """Return (Q, N), log(mean(exp(values))) over the examples of each class; very small where there is none.

    Args:
        values: float (Q, S), one column an example; -inf leaves an example out, but counts it.
        labels: int64 (S,), the class of each column.
        n_way: N.
    """
    highest = -class_minimum(-values.detach(), labels, n_way)
    empty = highest == -torch.inf
    highest = highest.masked_fill(empty, 0.0)
    sums = values.new_zeros(highest.shape).index_add(1, labels, (values - highest[:, labels]).exp())
    counts = torch.bincount(labels, minlength=n_way).clamp(min=1).to(values.dtype)
    return (sums.masked_fill(empty, 1.0).log() + highest - counts.log()).masked_fill(empty, _NOTHING)


def attention_scores(
    query: Tensor,
    support: Tensor,
    labels: Tensor,
    n_way: int,
    scale: float | Tensor = 1.0,
    *,
    rectified: bool = False,
) -> Tensor:
    """Return (Q, N), the logarithms of the attention that each class's examples get; no NaN, exp sums to 1.

    The attention is the softmax over the examples of the scaled cosines. Where classes differ in their
    number of examples each counts the same, as if it had as many; else one with thirty would win over one
    with two for its number alone.

    Args:
        query: float (Q, D), of any length.
        support: float (S, D), of any length; a zero vector has cosine 0.
        labels: int64 (S,), 0 .. N - 1.
        n_way: N.
        scale: what the cosines are multiplied by; at 1 the attention is nearly even and learns nothing.
        rectified: cosines below 0 count as 0.
    """
    cosines = cosine_logits(query, support)
    if rectified:
        cosines = cosines.relu()
    return class_log_mean_exp(scale * cosines, labels, n_way).log_softmax(1)


def support_context(support: Tensor, reader: Callable[[Tensor], tuple[Tensor, object]]) -> Tensor:
    """Return (S, D), the examples in the context of one another: g(x, S) of the paper.

    Args:
        support: float (S, D); their order matters, as a recurrent network reads them.
        reader: from (S, D) to the outputs (S, 2 D) of a bidirectional LSTM and its last states; the outputs
            of both directions are added to the example itself.
    """
    forward, backward = reader(support)[0].chunk(2, dim=1)
    return support + forward + backward


def query_context(
    query: Tensor,
    support: Tensor,
    cell: Callable[[Tensor, tuple[Tensor, Tensor]], tuple[Tensor, Tensor]],
    steps: int,
) -> Tensor:
    """Return (Q, D), the queries in the context of the examples: f(x, S) of the paper.

    An LSTM looks `steps` times at the examples, by content (a softmax over dot products), starting from the
    query itself; the query is added after each look.

    Args:
        query: float (Q, D).
        support: float (S, D), see `support_context`; their order does not matter here.
        cell: from the input (Q, 2 D) and the states (Q, D) to the next states: an LSTM cell.
        steps: K of the paper.
    """
    hidden, memory = query, torch.zeros_like(query)
    for _ in range(steps):
        read = (hidden @ support.T).softmax(1) @ support
        hidden, memory = cell(torch.cat([query, read], 1), (hidden, memory))
        hidden = hidden + query
    return hidden


class MatchingHead(Head):
    """Attention over the examples, both sides in full context embeddings.

    Vinyals, Blundell, Lillicrap, Kavukcuoglu and Wierstra 2016, "Matching Networks for One Shot Learning".
    With contexts the order of the examples matters, as a recurrent network reads them; without, it does not.
    Both sides are normalised, cosines below 0 count as 0, and the scale is learned: without one the network
    does not train (Chen et al. 2019, "A Closer Look at Few-shot Classification", fix it at 100).

    Attributes:
        steps: how often a query looks at the examples.
        rectified: cosines below 0 count as 0.
        log_scale: the logarithm of the cosines' scale.
        reader: the bidirectional LSTM over the examples; None without contexts.
        cell: the LSTM cell of the queries; None without contexts.
    """

    def __init__(
        self,
        dimension: int,
        *,
        contexts: bool = True,
        steps: int = 5,
        scale: float = 10.0,
        rectified: bool = True,
    ) -> None:
        super().__init__()
        self.steps = steps
        self.rectified = rectified
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))
        self.reader = nn.LSTM(dimension, dimension, bidirectional=True) if contexts else None
        self.cell = nn.LSTMCell(2 * dimension, dimension) if contexts else None

    def scores(self, support: Tensor, labels: Tensor, query: Tensor, n_way: int) -> Tensor:
        """Return float (Q, N), the logarithms of the classes' attention."""
        if self.reader is not None and self.cell is not None:
            support = support_context(support, self.reader)
            query = query_context(query, support, self.cell, self.steps)
        return attention_scores(query, support, labels, n_way, self.log_scale.exp(), rectified=self.rectified)


@dataclass(frozen=True, slots=True)
class Matching:
    """Attention over the cosines to all examples, without contexts and with nothing learned: for any bundle.

    Vinyals et al. 2016, "Matching Networks for One Shot Learning", section 2.1. How sharp the attention over
    the examples is, and how sure the answer, are two temperatures: one for both costs accuracy.

    Attributes:
        default_temperature: for scores of minus the squared Euclidean distance to prototypes at five shots.
        default_novelty: the threshold where the support set tells nothing; +inf rejects nothing.
    """

    default_temperature: float = 1.0
    default_novelty: float = math.inf

    @property
    def name(self) -> str:
        """Return the name on the command line."""
        return "matching"

    def fit(
        self, support: SupportSet, *, progress: Progress | None = None, cancel: Cancel | None = None
    ) -> MatchingClassifier:
        """Return the examples with their temperature and novelty threshold.

        Raises:
            SupportError: no example, or one that is not finite.
        """
        begin(support, progress, cancel)
        sharpness = _SOFTNESS * self.default_temperature
        unit = _cosine_in_squared_distance(support)
        left_out = LeftOut.of(support)
        calibration = left_out.calibrate(
            _leave_one_out_scores(left_out, unit, sharpness),
            temperature=temperature_for_shots(self.default_temperature, support),
            novelty=self.default_novelty,
        )
        finish(progress, cancel)
        return MatchingClassifier(
            support=support,
            calibration=calibration,
            anchors=support.embeddings[:0],
            unit=unit,
            sharpness=sharpness,
        )


def soft_maximum(values: Tensor, labels: Tensor, n_way: int, temperature: float) -> Tensor:
    """Return (Q, N), T log(mean(exp(value / T))) over each class: between its mean and its largest value.

    Divided by T and put through a softmax over the classes it is the attention of `attention_scores`.

    Args:
        values: float (Q, S), one column an example.
        labels: int64 (S,), 0 .. N - 1.
        n_way: N.
        temperature: T, above 0, in the unit of the values.
    """
    return temperature * class_log_mean_exp(values / temperature, labels, n_way)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MatchingClassifier(FittedClassifier):
    """The examples themselves; no anchors.

    Attributes:
        unit: what cosines are multiplied by, so that differences of scores are those of squared distances.
        sharpness: the temperature of the attention over the examples, in the unit of a squared distance.
    """

    unit: float
    sharpness: float

    def judge(self, query: Tensor, to_support: Tensor, to_anchors: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - part of the interface
        """Return the soft maxima, and 1 - cosine of each class's nearest example, (Q, N) each."""
        labels, n_way = self.support.labels, len(self.classes)
        cosines = cosine_logits(query, self.support.embeddings)
        away = class_minimum(1 - cosines, labels, n_way).clamp(min=0)
        return soft_maximum(self.unit * cosines, labels, n_way, self.sharpness), away


def _cosine_in_squared_distance(support: SupportSet) -> float:
    """Return what a cosine more is worth in squared distance, between pictures as long as the examples.

    |a - b|^2 = 2 |a|^2 (1 - cosine) for two of the same length.
    """
    return max(2 * float(support.embeddings.square().sum(1).mean()), torch.finfo(torch.float32).tiny)


def _leave_one_out_scores(left_out: LeftOut, unit: float, sharpness: float) -> Tensor:
    """Return (M, N), the score of each example from the others, see `MatchingClassifier`."""
    support = left_out.support
    values = unit * cosine_logits(support.embeddings[left_out.rows], support.embeddings)
    values[torch.arange(len(left_out.rows)), left_out.rows] = -torch.inf
    scores = soft_maximum(values, support.labels, len(support.classes), sharpness)
    # The mean above divides by all n examples of the own class, of which one was left out.
    counts = support.counts()[left_out.labels].to(scores.dtype)
    missing = sharpness * (counts / (counts - 1).clamp(min=1)).log()
    return scores.scatter_add(1, left_out.labels.unsqueeze(1), missing.unsqueeze(1))
