"""FEAT: prototypes that look at one another before they are compared (Ye et al. 2020)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from fewshot_gui.core.learners.head import Head
from fewshot_gui.core.learners.prototypical import prototypes, squared_euclidean_logits

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


def set_attention(
    queries: Tensor, keys: Tensor, values: Tensor, heads: int, present: Tensor | None = None
) -> Tensor:
    """Return (N, E), each point's average of the values, weighted by how well its query meets the keys.

    Scaled dot products, E split evenly among the heads (Vaswani et al. 2017). Nothing tells a place in the
    set, so a permutation of the points permutes the answer.

    Args:
        queries: float (N, E).
        keys: float (N, E).
        values: float (N, E).
        heads: a divisor of E.
        present: bool (N,), the points that may be looked at; None: all.
    """
    split = [part.reshape(len(part), heads, -1).transpose(0, 1) for part in (queries, keys, values)]
    logits = split[0] @ split[1].transpose(1, 2) / math.sqrt(split[0].shape[2])
    if present is not None:
        logits = logits.masked_fill(~present, -torch.inf)
    seen: Tensor = logits.softmax(2) @ split[2]
    return seen.transpose(0, 1).flatten(1)


def contrastive_loss(
    points: Tensor, labels: Tensor, n_way: int, adapt: Callable[[Tensor], Tensor], temperature: float | Tensor
) -> Tensor:
    """Return the cross-entropy of all points to the centres of their adapted classes.

    Each class's points are adapted as a set of their own; their mean is its centre, and every point, not
    adapted, shall lie nearest to that of its class.

    Args:
        points: float (M, D), examples and queries.
        labels: int64 (M,), 0 .. N - 1, each class at least once.
        n_way: N.
        adapt: from a set (m, D) to its adapted members (m, D).
        temperature: what the squared distances are divided by.
    """
    centres = torch.stack([adapt(points[labels == way]).mean(0) for way in range(n_way)])
    return functional.cross_entropy(squared_euclidean_logits(points, centres) / temperature, labels)


class FeatHead(Head):
    """Class means adapted to one another by self-attention, then the nearest by squared distance.

    Ye, Hu, Zhan and Sha 2020, "Few-Shot Learning via Embedding Adaptation with Set-to-Set Functions": one
    layer of multi-head attention with a residual and a layer norm. The authors' dropout is left out:
    an answer, and a training, are functions of their inputs.

    Attributes:
        heads: among how many the attention is split; the paper has 1.
        balance: the weight of `auxiliary_loss`; the authors use 0.01 to 0.1.
    """

    def __init__(
        self, dimension: int, *, heads: int = 1, temperature: float = 64.0, balance: float = 0.0
    ) -> None:
        super().__init__()
        if dimension % heads:
            raise ValueError(f"{heads} heads do not divide an embedding of {dimension} numbers")
        self.heads = heads
        self.balance = balance
        self.query, self.key, self.value = (nn.Linear(dimension, dimension, bias=False) for _ in range(3))
        self.project = nn.Linear(dimension, dimension)
        self.norm = nn.LayerNorm(dimension)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(temperature)))
        for layer in (self.query, self.key, self.value, self.project):
            nn.init.xavier_normal_(layer.weight)

    def adapt(self, points: Tensor, present: Tensor | None = None) -> Tensor:
        """Return (N, D), points (N, D) adapted to the set they are in.

        Args:
            points: float (N, D).
            present: bool (N,), those that the others may look at; None: all.
        """
        seen = set_attention(self.query(points), self.key(points), self.value(points), self.heads, present)
        adapted: Tensor = self.norm(points + self.project(seen))
        return adapted

    def scores(self, support: Tensor, labels: Tensor, query: Tensor, n_way: int) -> Tensor:
        """Return float (Q, N), minus the squared distances to the adapted means over the temperature."""
        present = torch.bincount(labels, minlength=n_way) > 0
        adapted = self.adapt(prototypes(support, labels, n_way), present)
        return squared_euclidean_logits(query, adapted) / self.log_temperature.exp()

    def auxiliary_loss(
        self, support: Tensor, labels: Tensor, query: Tensor, targets: Tensor, n_way: int
    ) -> Tensor:
        """Return `balance` times the contrastive regulariser, to be added to `loss`; 0 where it is not used.

        Args:
            support: float (S, D).
            labels: int64 (S,), 0 .. N - 1, each class at least once.
            query: float (Q, D).
            targets: int64 (Q,).
            n_way: N.
        """
        if not self.balance:
            return support.new_zeros(())
        points, classes = torch.cat([support, query]), torch.cat([labels, targets])
        return self.balance * contrastive_loss(points, classes, n_way, self.adapt, self.log_temperature.exp())
