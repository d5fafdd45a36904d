"""Fine-tuning of a cosine head that begins as prototypes (Hu et al. 2022)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from fewshot_gui.core.learners.calibration import (
    Calibration,
    LeftOut,
    converted_temperature,
    fit_temperature,
    temperature_for_shots,
)
from fewshot_gui.core.learners.fitted import FittedClassifier, begin, finish
from fewshot_gui.core.learners.folds import NEVER, balanced_folds
from fewshot_gui.core.learners.prototypical import cosine_logits, prototypes, squared_euclidean_logits
from fewshot_gui.core.learners.ridge import even_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from fewshot_gui.core.learners.base import Cancel, Progress, SupportSet
    from fewshot_gui.core.learners.stepwise import OnStep

_RATES = (0.0, 2e-3, 2e-2)
_BLIND_RATE = 2e-3
"""Where every class has one example, so that none can be held out."""
_MARGIN = 0.01
_FOLDS = 2
_MOMENTUM = 0.9
_LEAST_STEPS = 5
# Products that all steps of all trial runs may take together: about a second on one core.
_PRODUCTS = 3_000_000_000
_LEAST_NORM = 1e-12


def cosine_head_gradient(
    head: Tensor, rows: Tensor, labels: Tensor, weights: Tensor, scale: float
) -> tuple[Tensor, Tensor]:
    """Return the loss (...,) of a cosine head and its gradient (..., N, D), closed form.

    The loss is sum_i w_i CE(scale * cos(x_i, head), y_i); the gradient of a row h_k lies across it, as its
    length changes nothing.

    Args:
        head: float (..., N, D); several heads may be tuned side by side.
        rows: float (S, D), of length 1 or 0.
        labels: int64 (S,).
        weights: float (..., S), 0 for an example that is held out.
        scale: above 0.
    """
    lengths = torch.linalg.vector_norm(head, dim=-1, keepdim=True).clamp(min=_LEAST_NORM)
    unit = head / lengths
    logits = scale * rows @ unit.transpose(-1, -2)
    present = torch.bincount(labels, minlength=head.shape[-2]) > 0
    logs = torch.log_softmax(logits.masked_fill(~present, -torch.inf), -1)
    targets = functional.one_hot(labels, head.shape[-2]).to(rows.dtype)
    own = logs.gather(-1, labels.unsqueeze(1).expand(*logs.shape[:-1], 1)).squeeze(-1)
    errors = weights.unsqueeze(-1) * (logs.exp() - targets)
    by_unit = scale * errors.transpose(-1, -2) @ rows
    across = by_unit - (by_unit * unit).sum(-1, keepdim=True) * unit
    return -(weights * own).sum(-1), across / lengths


def fine_tune(
    head: Tensor,
    gradient: Callable[[Tensor], tuple[Tensor, Tensor]],
    rate: Tensor,
    steps: int,
    on_step: Callable[[int, Tensor, Tensor], None],
) -> Tensor:
    """Return the head (..., N, D) after gradient descent with momentum.

    Plain momentum: the step of Adam, a gradient divided by its own size, turns rounding errors into moves,
    and the order of the examples would show.

    Args:
        head: float (..., N, D).
        gradient: of the head: loss (...,) and gradient (..., N, D).
        rate: float (...,).
        steps: how many.
        on_step: told the number of the step, the loss (...,) and the head then; may raise to stop.
    """
    velocity = torch.zeros_like(head)
    for step in range(steps + 1):
        loss, slope = gradient(head)
        on_step(step, loss, head)
        if step < steps:
            velocity = _MOMENTUM * velocity + slope
            head = head - rate[..., None, None] * velocity
    return head


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """The examples and their augmented copies, of length 1, with what each counts.

    Attributes:
        rows: (R, D).
        labels: (R,).
        weights: (R,), every class sums to 1.
        folds: (R,), where each is held out; a copy with its original.
        n_way: N.
        scale: of the cosine.
    """

    rows: Tensor
    labels: Tensor
    weights: Tensor
    folds: Tensor
    n_way: int
    scale: float

    @classmethod
    def of(cls, support: SupportSet, views: Tensor | None, scale: float) -> _Task:
        n_way, labels, examples = len(support.classes), support.labels, support.embeddings
        folds = balanced_folds(examples, labels, n_way, _FOLDS)
        if views is not None:
            examples = torch.cat([examples, views.to(examples).flatten(0, 1)])
            labels, folds = labels.repeat(len(views) + 1), folds.repeat(len(views) + 1)
        weights = even_weights(labels, n_way, examples)
        weights = weights * support.present().sum() / len(labels)
        return cls(functional.normalize(examples, dim=1), labels, weights, folds, n_way, scale)

    def start(self, weights: Tensor) -> Tensor:
        """Return (..., N, D), the normalised mean of each class's examples, by weights (..., R)."""
        targets = functional.one_hot(self.labels, self.n_way).to(self.rows.dtype)
        sums = (weights.unsqueeze(-1) * targets).transpose(-1, -2) @ self.rows
        return functional.normalize(sums, dim=-1)

    def descend(
        self,
        weights: Tensor,
        rate: Tensor,
        steps: int,
        on_step: Callable[[int, Tensor, Tensor], None],
    ) -> Tensor:
        """Return the heads (..., N, D) for weights (..., R) and rates (...,)."""

        def gradient(head: Tensor) -> tuple[Tensor, Tensor]:
            return cosine_head_gradient(head, self.rows, self.labels, weights, self.scale)

        return fine_tune(self.start(weights), gradient, rate, steps, on_step)

    def held_out_scores(self, steps: int, watch: Callable[[], None]) -> Tensor:
        """Return (L, R, N), for each rate the score of each row by the head tuned without its fold."""
        rates = torch.tensor(_RATES, dtype=self.rows.dtype)
        fold = torch.arange(_FOLDS).unsqueeze(1)
        weights = self.weights * (self.folds != fold)  # (F, R)
        several = (_FOLDS, len(rates))
        heads = self.descend(
            weights.unsqueeze(1).expand(*several, -1),
            rates.expand(several),
            steps,
            lambda *_: watch(),
        )
        scores = (
            self.scale * self.rows @ functional.normalize(heads, dim=-1).transpose(-1, -2)
        )  # (F, L, R, N)
        chosen = self.folds.clamp(min=0).view(1, 1, -1, 1).expand(1, len(rates), -1, self.n_way)
        return scores.gather(0, chosen).squeeze(0)


@dataclass(frozen=True, slots=True)
class FineTune:
    """A cosine head that begins as prototypes and descends on the support set.

    Hu, Li, Stuehmer, Kim and Hospedales 2022, "Pushing the Limits of Simple Pipelines for Few-Shot Learning"
    (P>M>F), on embeddings: the backbone stays as it is. The rate, 0 among those tried, is the one that
    explains held-out examples best: half of each class for the other half, and the other way round.

    Attributes:
        steps: how many at most; fewer where thousands of examples would take seconds.
        scale: of the cosine.
        default_temperature: for scores of minus the squared Euclidean distance to prototypes at five shots.
        default_novelty: the threshold where the support set tells nothing; +inf rejects nothing.
    """

    steps: int = 30
    scale: float = 10.0
    default_temperature: float = 1.0
    default_novelty: float = math.inf

    @property
    def name(self) -> str:
        """Return the name on the command line."""
        return "finetune"

    def fit(
        self, support: SupportSet, *, progress: Progress | None = None, cancel: Cancel | None = None
    ) -> FineTuneClassifier:
        """Return the tuned head with its temperature and novelty threshold.

        Raises:
            SupportError: no example, or one that is not finite.
        """
        return self.fit_augmented(support, None, progress=progress, cancel=cancel)

    def fit_watched(
        self,
        support: SupportSet,
        on_step: OnStep,
        *,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> FineTuneClassifier:
        """Return what `fit` does; `on_step` is told of each step of the final descent.

        Raises:
            SupportError: no example, or one that is not finite.
        """
        return self.fit_augmented(support, None, on_step, progress=progress, cancel=cancel)

    def fit_augmented(
        self,
        support: SupportSet,
        views: Tensor | None,
        on_step: OnStep | None = None,
        *,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> FineTuneClassifier:
        """Return the head tuned on the examples and on augmented copies of them.

        Args:
            support: the examples.
            views: float (V, S, D), the embeddings of V augmented copies of each example; None: of none.
            on_step: told of each step of the final descent.
            progress: called with the share done.
            cancel: called at each step; raises to stop.

        Raises:
            SupportError: no example, or one that is not finite.
        """
        begin(support, progress, cancel)
        task = _Task.of(support, views, self.scale)
        steps = self._affordable_steps(task)
        watch = _Watch(2 * (steps + 1), progress, cancel)
        rate, scores = self._choose(task, support, steps, watch.step)
        path, losses = _final_descent(task, rate, steps if rate else 0, on_step, watch.step)
        calibration = self._calibration(support, path[-1], scores[: len(support.labels)])
        finish(progress, cancel)
        return FineTuneClassifier(
            support=support,
            calibration=calibration,
            anchors=support.embeddings[:0],
            path=path,
            at=len(path) - 1,
            losses=losses,
            rate=rate,
            scale=self.scale,
        )

    def _calibration(self, support: SupportSet, head: Tensor, scores: Tensor) -> Calibration:
        """Return what held-out scores (S, N) ask for, the default in the unit of the head (N, D)."""
        left_out = LeftOut.of(support)
        means = prototypes(support.embeddings, support.labels, len(support.classes))
        temperature = converted_temperature(
            temperature_for_shots(self.default_temperature, support),
            cosine_logits(support.embeddings, head, self.scale),
            squared_euclidean_logits(support.embeddings, means),
            support.present(),
        )
        return left_out.calibrate(
            scores[left_out.rows], temperature=temperature, novelty=self.default_novelty
        )

    def _affordable_steps(self, task: _Task) -> int:
        runs = _FOLDS * len(_RATES) + 1
        products = 2 * task.rows.numel() * task.n_way * runs
        return min(self.steps, max(_LEAST_STEPS, _PRODUCTS // products))

    def _choose(
        self, task: _Task, support: SupportSet, steps: int, watch: Callable[[], None]
    ) -> tuple[float, Tensor]:
        """Return the rate and the scores (R, N) of all rows by the heads that have not seen them."""
        scores = task.held_out_scores(steps, watch).masked_fill(~support.present(), -torch.inf)
        held = task.folds != NEVER
        if not bool(held.any()):
            return _BLIND_RATE, scores[_RATES.index(_BLIND_RATE)]
        best, chosen = math.inf, 0
        for place in range(len(_RATES)):
            loss = _held_out_loss(scores[place, held], task.labels[held], task.weights[held])
            if loss < (1 - _MARGIN) * best:
                best, chosen = loss, place
        return _RATES[chosen], scores[chosen]


def _held_out_loss(scores: Tensor, labels: Tensor, weights: Tensor) -> float:
    """Return the mean cross-entropy at the temperature that suits it: sharper alone is not better."""
    temperature = fit_temperature(scores, labels, 1.0)
    entropy = functional.cross_entropy(scores / temperature, labels, reduction="none")
    return float(weights @ entropy / weights.sum())


class _Watch:
    """Counts steps for the progress bar and asks at each whether the work is still wanted."""

    def __init__(self, expected: int, progress: Progress | None, cancel: Cancel | None) -> None:
        self._done, self._expected, self._progress, self._cancel = 0, expected, progress, cancel

    def step(self) -> None:
        self._done += 1
        if self._cancel is not None:
            self._cancel()
        if self._progress is not None:
            self._progress(0.99 * min(1.0, self._done / self._expected))


def _final_descent(
    task: _Task, rate: float, steps: int, on_step: OnStep | None, watch: Callable[[], None]
) -> tuple[Tensor, tuple[float, ...]]:
    """Return the head (K + 1, N, D) and the mean loss after 0, 1, ... K steps on all rows."""
    path: list[Tensor] = []
    losses: list[float] = []

    def record(step: int, loss: Tensor, head: Tensor) -> None:
        watch()
        path.append(head)
        losses.append(float(loss / task.weights.sum()))
        if on_step is not None and step:
            on_step(step, steps, losses[-1])

    task.descend(task.weights, torch.tensor(rate, dtype=task.rows.dtype), steps, record)
    return torch.stack(path), tuple(losses)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FineTuneClassifier(FittedClassifier):
    """A cosine head and all that it was on the way; no anchors.

    Attributes:
        path: float (K + 1, N, D), the head after 0, 1, ... K steps.
        at: the step whose head answers.
        losses: the mean loss on the support set after 0, 1, ... K steps.
        rate: that was chosen; 0: prototypes explain held-out examples best, and there was no step.
        scale: of the cosine.
    """

    path: Tensor
    at: int
    losses: tuple[float, ...]
    rate: float
    scale: float

    @property
    def steps(self) -> int:
        """K, how many steps there were."""
        return len(self.path) - 1

    def at_step(self, steps: int) -> FineTuneClassifier:
        """Return the classifier as it was after that many steps, 0 to K.

        Raises:
            ValueError: there was no such step.
        """
        if not 0 <= steps <= self.steps:
            raise ValueError(f"there were {self.steps} steps, so there is none numbered {steps}")
        return replace(self, at=steps)

    def judge(self, query: Tensor, to_support: Tensor, to_anchors: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - part of the interface
        """Return the scaled cosines and 1 - cosine, (Q, N) each."""
        cosine = cosine_logits(query, self.path[self.at])
        return self.scale * cosine, (1 - cosine).clamp(min=0)
