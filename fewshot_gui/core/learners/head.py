"""A head: what is meta-trained on top of a backbone and answers from a support set."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor


class Head(nn.Module, ABC):
    """A learned way from a support set and queries, both as embeddings, to scores.

    Attributes:
        max_ways: the most classes that it can tell apart, None where there is no limit.
    """

    max_ways: int | None = None

    @abstractmethod
    def scores(self, support: Tensor, labels: Tensor, query: Tensor, n_way: int) -> Tensor:
        """Return float (Q, N), the logits of the queries, each independent of the other queries.

        Args:
            support: float (S, D), in any order; classes may differ in their number of examples.
            labels: int64 (S,), 0 .. N - 1; a class without examples may get any finite score.
            query: float (Q, D).
            n_way: N.
        """

    def loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy of scores (Q, N) and targets int64 (Q,): what meta-training lowers."""
        return functional.cross_entropy(scores, targets)
