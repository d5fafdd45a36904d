"""Ridge regression differentiated through: R2-D2 (Bertinetto et al. 2019)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from fewshot_gui.core.learners.head import Head
from fewshot_gui.core.learners.ridge import even_weights, ridge_solution

if TYPE_CHECKING:
    from torch import Tensor


def ridge_logits(
    support: Tensor, labels: Tensor, query: Tensor, n_way: int, penalty: float | Tensor
) -> Tensor:
    """Return (Q, N), the ridge regression from the examples to their one-hot classes, at the queries.

    Every class counts the same, however many examples it has. The smaller of the (S, S) and the (D, D)
    system is solved (Woodbury), and gradients flow to all three: examples, queries and penalty.

    Args:
        support: float (S, D).
        labels: int64 (S,), 0 .. N - 1.
        query: float (Q, D).
        n_way: N.
        penalty: above 0, in the unit of a squared length of the embeddings.
    """
    targets = functional.one_hot(labels, n_way).to(support.dtype)
    weights = even_weights(labels, n_way, support)
    coefficients, intercept = ridge_solution(support, targets, penalty, weights)
    return query @ coefficients + intercept


class RidgeHead(Head):
    """Ridge regression whose penalty, output scale and output bias are meta-learned.

    Bertinetto, Henriques, Torr and Vedaldi 2019, "Meta-learning with differentiable closed-form solvers"
    (R2-D2). The regression aims at 0 and 1, which is too narrow for a softmax: hence the scale. The bias is
    the same for every class and cancels in the softmax; it is kept for losses in which it does not.

    Attributes:
        log_penalty: the logarithm of the penalty, which keeps it above 0.
        scale: what the regression's values are multiplied by.
        bias: what is then added.
    """

    def __init__(
        self,
        dimension: int,  # noqa: ARG002 - every head is made with it
        *,
        penalty: float = 50.0,
        scale: float = 10.0,
    ) -> None:
        super().__init__()
        self.log_penalty = nn.Parameter(torch.tensor(math.log(penalty)))
        self.scale = nn.Parameter(torch.tensor(float(scale)))
        self.bias = nn.Parameter(torch.tensor(0.0))

    def scores(self, support: Tensor, labels: Tensor, query: Tensor, n_way: int) -> Tensor:
        """Return float (Q, N), the regression's values, scaled and shifted."""
        return self.scale * ridge_logits(support, labels, query, n_way, self.log_penalty.exp()) + self.bias
