"""Ridge regression onto the classes, in closed form (Bertinetto et al. 2019)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from fewshot_gui.core.learners.calibration import LeftOut, converted_temperature, temperature_for_shots
from fewshot_gui.core.learners.fitted import FittedClassifier, begin, finish
from fewshot_gui.core.learners.prototypical import prototypes, squared_euclidean_logits

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot_gui.core.learners.base import Cancel, Progress, SupportSet

_LEAST_NORM = 1e-12
# With so few examples a class loses much of its weight with one of them, which the formula does not see.
_REFITTED = 40


def even_weights(labels: Tensor, n_way: int, like: Tensor) -> Tensor:
    """Return (S,), weights of mean 1 that let every class count the same, however many examples it has.

    Args:
        labels: int64 (S,), 0 .. N - 1.
        n_way: N.
        like: a tensor whose type and device the weights get.
    """
    counts = torch.bincount(labels, minlength=n_way).to(like.dtype)
    present = (counts > 0).sum()
    return len(labels) / (present * counts[labels])


def ridge_solution(
    support: Tensor, targets: Tensor, penalty: float | Tensor, weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return the coefficients (D, N) and the intercept (N,) of ridge regression.

    They minimise sum_i w_i |y_i - x_i W - b|^2 + penalty |W|^2; the intercept is not penalised. The smaller
    of the (S, S) and the (D, D) system is solved (Woodbury), so five pictures cost the same at any D.

    Args:
        support: float (S, D).
        targets: float (S, N), one-hot for classification.
        penalty: above 0; a tensor may be learned.
        weights: float (S,), above 0; None counts every example the same.
    """
    rows, values, centre, height = _centred(support, targets, weights)
    if len(support) <= support.shape[1]:
        coefficients = rows.T @ torch.linalg.solve(_penalised(rows @ rows.T, penalty), values)
    else:
        coefficients = torch.linalg.solve(_penalised(rows.T @ rows, penalty), rows.T @ values)
    return coefficients, height - centre @ coefficients


def ridge_leave_one_out(
    support: Tensor,
    targets: Tensor,
    penalty: float,
    weights: Tensor | None = None,
    *,
    solution: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Return (S, N), each example predicted by the ridge regression of all the others, without refitting.

    The prediction without example i is (f_i - h_i y_i) / (1 - h_i), with f the fit and h the diagonal of
    the hat matrix (Cook and Weisberg 1982). It is exact for weights that the other examples keep. One
    example only gives finite numbers without a meaning.

    Args:
        support: float (S, D).
        targets: float (S, N).
        penalty: above 0.
        weights: float (S,), above 0; None counts every example the same.
        solution: of `ridge_solution` for the same arguments, where it is known already.
    """
    coefficients, intercept = solution or ridge_solution(support, targets, penalty, weights)
    rows, _, _, _ = _centred(support, targets, weights)
    if len(support) <= support.shape[1]:
        gram = rows @ rows.T
        leverage = torch.linalg.solve(_penalised(gram, penalty), gram).diagonal()
    else:
        leverage = (rows * torch.linalg.solve(_penalised(rows.T @ rows, penalty), rows.T).T).sum(1)
    share = torch.full_like(leverage, 1 / len(support)) if weights is None else weights / weights.sum()
    leverage = (leverage + share).unsqueeze(1)
    rest = (1 - leverage).clamp(min=torch.finfo(support.dtype).eps)
    fitted = support @ coefficients + intercept
    without: Tensor = (fitted - leverage * targets) / rest
    return without


def ridge_refitted(support: Tensor, labels: Tensor, n_way: int, penalty: float) -> Tensor:
    """Return (S, N), each example predicted by the ridge regression that all the others give.

    Every class counts the same in each of the S regressions, which are solved at once. For 40 examples that
    takes 4 ms, twice as long as the formula of `ridge_leave_one_out`, for which a class of two keeps its
    weight when one of them is left out. One example only gives finite numbers without a meaning.

    Args:
        support: float (S, D).
        labels: int64 (S,), 0 .. N - 1.
        n_way: N.
        penalty: in units of the mean squared distance of the others from their centre.
    """
    targets = functional.one_hot(labels, n_way).to(support.dtype)
    others = 1 - torch.eye(len(labels), dtype=support.dtype, device=support.device)
    counts = others @ targets  # (S, N), how many of each class are left
    even = others / counts[:, labels].clamp(min=1)
    share = even / even.sum(1, keepdim=True).clamp(min=_LEAST_NORM)
    # As `even_weights` has them: of mean 1 over the others.
    heights, root = share @ targets, (share * (len(labels) - 1)).sqrt().unsqueeze(2)
    gram = _centred_grams(support, share)
    spread = (share * gram.diagonal(dim1=1, dim2=2)).sum(1, keepdim=True).clamp(min=_LEAST_NORM)
    asked = gram.diagonal().T.unsqueeze(2)  # (S, S, 1), each against all, as its own regression sees them
    gram = root * gram * root.mT
    gram.diagonal(dim1=1, dim2=2).add_(penalty * spread)
    found = torch.linalg.solve(gram, root * (targets - heights.unsqueeze(1)))
    predicted: Tensor = ((root * asked).mT @ found).squeeze(1) + heights
    return predicted


def _centred_grams(support: Tensor, share: Tensor) -> Tensor:
    """Return (M, S, S), the inner products of examples (S, D) less each of M weighted means.

    Args:
        support: float (S, D).
        share: float (M, S), the weights of the means, which sum to 1.
    """
    rows = support - support.mean(0)  # or digits would be lost below
    gram = rows @ rows.T
    towards = share @ gram
    middle = (towards * share).sum(1).view(-1, 1, 1)
    return gram - towards.unsqueeze(1) - towards.unsqueeze(2) + middle


def _centred(
    support: Tensor, targets: Tensor, weights: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return rows and targets less their weighted means, times the root of the weights, and the two means."""
    weight = support.new_ones(len(support)) if weights is None else weights
    share = weight / weight.sum()
    centre, height = share @ support, share @ targets
    root = weight.sqrt().unsqueeze(1)
    return root * (support - centre), root * (targets - height), centre, height


def _penalised(matrix: Tensor, penalty: float | Tensor) -> Tensor:
    """Return the square matrix with the penalty added to its diagonal."""
    return matrix + penalty * torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)


@dataclass(frozen=True, slots=True)
class Ridge:
    """Ridge regression from embeddings to one-hot classes, every class counting the same.

    Bertinetto, Henriques, Torr and Vedaldi 2019, "Meta-learning with differentiable closed-form solvers".

    Attributes:
        penalty: in units of the mean squared distance of the examples from their centre, so that it means
            the same for embeddings of any length.
        default_temperature: for scores of minus the squared Euclidean distance to prototypes at five shots.
        default_novelty: the threshold where the support set tells nothing; +inf rejects nothing.
    """

    penalty: float = 1.0
    default_temperature: float = 1.0
    default_novelty: float = math.inf

    @property
    def name(self) -> str:
        """Return the name on the command line."""
        return "ridge"

    def fit(
        self, support: SupportSet, *, progress: Progress | None = None, cancel: Cancel | None = None
    ) -> RidgeClassifier:
        """Return the solution with its temperature and novelty threshold.

        Raises:
            SupportError: no example, or one that is not finite.
        """
        begin(support, progress, cancel)
        examples, n_way = support.embeddings, len(support.classes)
        means = prototypes(examples, support.labels, n_way)
        weights = even_weights(support.labels, n_way, examples)
        targets = functional.one_hot(support.labels, n_way).to(examples.dtype)
        penalty = self.penalty * _mean_squared_norm(examples, weights)
        solution = ridge_solution(examples, targets, penalty, weights)
        coefficients, intercept = solution
        left_out = LeftOut.of(support)
        without = (
            ridge_refitted(examples, support.labels, n_way, self.penalty)
            if len(examples) <= _REFITTED
            else ridge_leave_one_out(examples, targets, penalty, weights, solution=solution)
        )
        calibration = left_out.calibrate(
            without[left_out.rows],
            temperature=converted_temperature(
                temperature_for_shots(self.default_temperature, support),
                examples @ coefficients + intercept,
                squared_euclidean_logits(examples, means),
                support.present(),
            ),
            novelty=self.default_novelty,
        )
        finish(progress, cancel)
        return RidgeClassifier(
            support=support,
            calibration=calibration,
            anchors=means,
            coefficients=coefficients,
            intercept=intercept,
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RidgeClassifier(FittedClassifier):
    """A linear classifier; `anchors` (N, D) are the class means, whose distances it reports.

    Attributes:
        coefficients: float (D, N).
        intercept: float (N,).
    """

    coefficients: Tensor
    intercept: Tensor

    def judge(self, query: Tensor, to_support: Tensor, to_anchors: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - part of the interface
        """Return the regression's values and the Euclidean distances to the class means, (Q, N) each."""
        return query @ self.coefficients + self.intercept, to_anchors.sqrt()


def _mean_squared_norm(examples: Tensor, weights: Tensor) -> float:
    """Return the weighted mean squared distance of examples (S, D) from their centre, a little above 0."""
    share = weights / weights.sum()
    return max(float(share @ (examples - share @ examples).square().sum(1)), _LEAST_NORM)
