"""Multinomial logistic regression on the embeddings (Tian et al. 2020)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from fewshot_gui.core.learners.calibration import LeftOut, converted_temperature, temperature_for_shots
from fewshot_gui.core.learners.fitted import FittedClassifier, begin, finish
from fewshot_gui.core.learners.prototypical import prototypes, squared_euclidean_logits
from fewshot_gui.core.learners.ridge import even_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from fewshot_gui.core.learners.base import Cancel, Progress, SupportSet

_LEAST_NORM = 1e-12
_ITERATIONS = 200
_MEMORY = 8
_EXPECTED_EVALUATIONS = 25.0
# Above this many products in one evaluation float64 costs seconds and the last digits are of no use.
_LARGE = 10_000_000
# Of the gradient, by the root of the number of examples.
_TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4}


def logistic_loss(
    coefficients: Tensor, intercept: Tensor, rows: Tensor, targets: Tensor, penalty: float, weights: Tensor
) -> Tensor:
    """Return the scalar sum_i w_i CE(rows_i W + b, targets_i) + penalty / 2 |W|^2.

    Args:
        coefficients: float (D, N), W.
        intercept: float (N,), b, not penalised.
        rows: float (S, D).
        targets: float (S, N), rows that sum to 1.
        penalty: above 0.
        weights: float (S,), above 0.
    """
    logits = rows @ coefficients + intercept
    entropy = torch.logsumexp(logits, 1) - (targets * logits).sum(1)
    return weights @ entropy + penalty / 2 * coefficients.square().sum()


def logistic_gradient(
    coefficients: Tensor, intercept: Tensor, rows: Tensor, targets: Tensor, penalty: float, weights: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the gradient of `logistic_loss` by W (D, N) and by b (N,)."""
    errors = weights.unsqueeze(1) * (torch.softmax(rows @ coefficients + intercept, 1) - targets)
    return rows.T @ errors + penalty * coefficients, errors.sum(0)


def logistic_solution(
    rows: Tensor,
    targets: Tensor,
    penalty: float,
    weights: Tensor,
    on_evaluation: Callable[[], None] = lambda: None,
) -> tuple[Tensor, Tensor]:
    """Return W (D, N) and b (N,) that minimise `logistic_loss`, the only ones as it is convex.

    In coordinates in which the bound on the Hessian, half of X'X and the penalty, is the identity (Böhning
    1992), a step of the whole gradient never raises the loss. Anderson 1965 extrapolates these steps; where
    that raises it, the plain step is taken. Twice as fast as torch.optim.LBFGS in the same coordinates,
    whose first use imports a compiler for more than a second.

    Args:
        rows: float (S, D), best of length about 1.
        targets: float (S, N), rows that sum to 1.
        penalty: above 0.
        weights: float (S,), above 0.
        on_evaluation: called before each evaluation; may raise to stop.
    """
    extended = functional.pad(rows, (0, 1), value=1.0)
    factor = torch.linalg.cholesky(_hessian(extended, weights / 2, penalty))

    def read(both: Tensor) -> tuple[Tensor, Tensor]:
        plain = torch.linalg.solve_triangular(factor.T, both, upper=True)
        return plain[:-1], plain[-1]

    def evaluate(both: Tensor) -> tuple[Tensor, float]:
        on_evaluation()
        problem = (*read(both), rows, targets, penalty, weights)
        by_coefficients, by_intercept = logistic_gradient(*problem)
        slope = torch.cat([by_coefficients, by_intercept.unsqueeze(0)])
        return torch.linalg.solve_triangular(factor, slope, upper=False), float(logistic_loss(*problem))

    start = rows.new_zeros(rows.shape[1] + 1, targets.shape[1])
    return read(_lowest(evaluate, start, _TOLERANCE[rows.dtype] * len(rows) ** 0.5))


def _lowest(evaluate: Callable[[Tensor], tuple[Tensor, float]], place: Tensor, tolerance: float) -> Tensor:
    """Return where a function is lowest whose second derivative lies between 0 and 1 in every direction.

    Args:
        evaluate: returns its gradient and its value at a place.
        place: where to begin.
        tolerance: of the largest entry of the gradient.
    """
    moves: list[Tensor] = []
    turns: list[Tensor] = []  # of the gradient along each move
    slope, value = evaluate(place)
    for _ in range(_ITERATIONS):
        if float(slope.abs().max()) <= tolerance:
            break
        further = place - slope - _extrapolation(moves, turns, slope)
        its_slope, its_value = evaluate(further)
        if moves and not its_value <= value:  # nor where it is no number, as a GPU may extrapolate
            moves, turns = [], []
            further = place - slope
            its_slope, its_value = evaluate(further)
        moves = [*moves, (further - place).flatten()][-_MEMORY:]
        turns = [*turns, (its_slope - slope).flatten()][-_MEMORY:]
        place, slope, value = further, its_slope, its_value
    return place


def _extrapolation(moves: list[Tensor], turns: list[Tensor], slope: Tensor) -> Tensor:
    """Return what Anderson's method takes from a plain step, after these moves; zeros after none."""
    if not moves:
        return torch.zeros_like(slope)
    along, across = torch.stack(moves, 1), torch.stack(turns, 1)
    shares = torch.linalg.lstsq(across, slope.reshape(-1, 1)).solution
    taken: Tensor = ((along - across) @ shares).view_as(slope)
    return taken


def _hessian(extended: Tensor, curvature: Tensor, penalty: float) -> Tensor:
    """Return (D + 1, D + 1), the second derivative for rows with a 1 appended, of this curvature (S,)."""
    penalties = extended.new_full((extended.shape[1],), penalty)
    # Of the intercept, so that it is solvable where nothing else holds it.
    penalties[-1] = torch.finfo(extended.dtype).eps * len(extended)
    return (extended.T * curvature) @ extended + torch.diag(penalties)


def logistic_leave_one_out(
    rows: Tensor, targets: Tensor, penalty: float, weights: Tensor, solution: tuple[Tensor, Tensor]
) -> Tensor:
    """Return (S, N), nearly the logits of each example by the regression of all others, without refitting.

    One Newton step away from the solution (Rad and Maleki 2020): f + a w / (1 - a w v) (p - y), a the
    example's length under the inverse Hessian. The curvature p - p p' of the softmax is taken as its mean v
    in all directions that sum to 0, which for two classes is exact and makes one system of size D of the
    many of size D N.

    Args:
        rows: float (S, D).
        targets: float (S, N).
        penalty: as for `logistic_solution`.
        weights: float (S,).
        solution: of `logistic_solution` for the same arguments.
    """
    coefficients, intercept = solution
    logits = rows @ coefficients + intercept
    shares = torch.softmax(logits, 1)
    curvature = weights * (1 - shares.square().sum(1)) / max(1, targets.shape[1] - 1)
    extended = functional.pad(rows, (0, 1), value=1.0)
    hessian = _hessian(extended, curvature, penalty)
    lengths = (extended * torch.linalg.solve(hessian, extended.T).T).sum(1)
    rest = (1 - lengths * curvature).clamp(min=torch.finfo(rows.dtype).eps ** 0.5)
    moved: Tensor = logits + (lengths * weights / rest).unsqueeze(1) * (shares - targets)
    return moved


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """The regression of a support set, among the classes that have examples and in the span of the examples.

    Attributes:
        rows: (S, R), the examples in coordinates of the span, their mean squared length 1.
        basis: (D, R), what the coordinates mean; None: they are the embedding's own, scaled.
        centre: (D,), taken away before.
        scale: the root of the mean squared distance from it, divided by.
        targets: (S, P), one-hot among the P classes present.
        weights: (S,), every class counts the same.
    """

    rows: Tensor
    basis: Tensor | None
    centre: Tensor
    scale: float
    targets: Tensor
    weights: Tensor

    @classmethod
    def of(cls, support: SupportSet) -> _Problem:
        """Return it in float64 unless it is large."""
        examples, n_way = support.embeddings, len(support.classes)
        if examples.numel() * n_way <= _LARGE:
            examples = examples.double()
        weights = even_weights(support.labels, n_way, examples)
        centre = (weights / weights.sum()) @ examples
        moved = examples - centre
        mean_squared = float((weights / weights.sum()) @ moved.square().sum(1))
        scale = math.sqrt(max(mean_squared, _LEAST_NORM))
        basis = torch.linalg.qr(moved.T)[0] if len(moved) < moved.shape[1] else None
        rows = (moved if basis is None else moved @ basis) / scale
        targets = functional.one_hot(support.labels, n_way)[:, support.present()].to(rows.dtype)
        return cls(rows, basis, centre, scale, targets, weights)

    def in_embedding(self, solution: tuple[Tensor, Tensor], present: Tensor) -> tuple[Tensor, Tensor]:
        """Return W (D, N) and b (N,) for embeddings, zeros for a class without examples."""
        coefficients, intercept = solution
        own = (coefficients if self.basis is None else self.basis @ coefficients) / self.scale
        return _widened(own, present), _widened(intercept - self.centre @ own, present)


def _widened(values: Tensor, present: Tensor) -> Tensor:
    """Return (..., N), values (..., P) at the places of the P classes present and 0 elsewhere."""
    wide = values.new_zeros(*values.shape[:-1], len(present))
    wide[..., present] = values
    return wide


@dataclass(frozen=True, slots=True)
class Logistic:
    """Multinomial logistic regression with a squared penalty, every class counting the same.

    Tian, Wang, Krishnan, Tenenbaum and Isola 2020, "Rethinking Few-Shot Image Classification: a Good
    Embedding Is All You Need?".

    Attributes:
        penalty: of half the squared coefficients, against the sum of the examples' cross-entropies, for
            examples scaled to a mean squared distance of 1 from their centre.
        default_temperature: for scores of minus the squared Euclidean distance to prototypes at five shots.
        default_novelty: the threshold where the support set tells nothing; +inf rejects nothing.
    """

    penalty: float = 1.0
    default_temperature: float = 1.0
    default_novelty: float = math.inf

    @property
    def name(self) -> str:
        """Return the name on the command line."""
        return "logistic"

    def fit(
        self, support: SupportSet, *, progress: Progress | None = None, cancel: Cancel | None = None
    ) -> LogisticClassifier:
        """Return the solution with its temperature and novelty threshold.

        Raises:
            SupportError: no example, or one that is not finite.
        """
        begin(support, progress, cancel)
        problem, examples, present = _Problem.of(support), support.embeddings, support.present()
        data = (problem.rows, problem.targets, self.penalty, problem.weights)
        solution = logistic_solution(*data, _watched(progress, cancel))
        scores = _widened(logistic_leave_one_out(*data, solution), present).to(examples.dtype)
        coefficients, intercept = (
            part.to(examples.dtype) for part in problem.in_embedding(solution, present)
        )
        means = prototypes(examples, support.labels, len(support.classes))
        left_out = LeftOut.of(support)
        temperature = converted_temperature(
            temperature_for_shots(self.default_temperature, support),
            examples @ coefficients + intercept,
            squared_euclidean_logits(examples, means),
            present,
        )
        calibration = left_out.calibrate(
            scores[left_out.rows], temperature=temperature, novelty=self.default_novelty
        )
        finish(progress, cancel)
        return LogisticClassifier(
            support=support,
            calibration=calibration,
            anchors=means,
            coefficients=coefficients,
            intercept=intercept,
        )


def _watched(progress: Progress | None, cancel: Cancel | None) -> Callable[[], None]:
    """Return what is called at each evaluation: how many are needed is not known, so progress slows down."""
    done = 0

    def on_evaluation() -> None:
        nonlocal done
        done += 1
        if cancel is not None:
            cancel()
        if progress is not None:
            progress(0.9 * (1 - math.exp(-done / _EXPECTED_EVALUATIONS)))

    return on_evaluation


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LogisticClassifier(FittedClassifier):
    """A linear classifier; `anchors` (N, D) are the class means, whose distances it reports.

    Attributes:
        coefficients: float (D, N).
        intercept: float (N,).
    """

    coefficients: Tensor
    intercept: Tensor

    def judge(self, query: Tensor, to_support: Tensor, to_anchors: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - part of the interface
        """Return the logits and the Euclidean distances to the class means, (Q, N) each."""
        return query @ self.coefficients + self.intercept, to_anchors.sqrt()
