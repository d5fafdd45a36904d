"""Relation networks: a small network learns what it means to be alike (Sung et al. 2018)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn
from torch.nn import functional

from fewshot_gui.core.learners.head import Head
from fewshot_gui.core.learners.prototypical import prototypes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

Pooling = Literal["mean", "sum"]


def class_maps(support: Tensor, labels: Tensor, n_way: int, pooling: Pooling = "mean") -> Tensor:
    """Return (N, D), the feature map of each class; zeros for a class without examples.

    The paper sums over the shots. A sum means something else at every number of shots, so "sum" is the mean
    times the average number of shots of the classes present: exactly the paper's where all have as many, and
    without a jump where one category has an example more.

    Args:
        support: float (S, D), flattened feature maps.
        labels: int64 (S,), 0 .. N - 1.
        n_way: N.
        pooling: "mean" serves any number of shots alike, "sum" is the paper's.
    """
    means = prototypes(support, labels, n_way)
    if pooling == "mean":
        return means
    present = (torch.bincount(labels, minlength=n_way) > 0).sum()
    return means * (len(labels) / present).to(means.dtype)


def compared_maps(classes: Tensor, query: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return (Q, N, O, h, w), the convolution of every class map concatenated with every query map.

    The convolution of a concatenation is the sum of two convolutions, so N + Q of them with C channels do the
    work of N Q with 2 C; the concatenation itself, twice as large as the result, is never built.

    Args:
        classes: float (N, C, h, w).
        query: float (Q, C, h, w).
        weight: float (O, 2 C, k, k), k odd; the first C channels are for the class.
        bias: float (O,).
    """
    channels, padding = classes.shape[1], weight.shape[-1] // 2
    of_classes = functional.conv2d(classes, weight[:, :channels], padding=padding)
    of_queries = functional.conv2d(query, weight[:, channels:], bias, padding=padding)
    return of_queries.unsqueeze(1) + of_classes.unsqueeze(0)


def relation_logits(compared: Tensor, judge: Callable[[Tensor], Tensor]) -> Tensor:
    """Return (Q, N), the logit of the relation score of each pair.

    Args:
        compared: float (Q, N, O, h, w), see `compared_maps`.
        judge: from (B, O, h, w) to (B, 1), the rest of the relation module up to its sigmoid.
    """
    return judge(compared.flatten(0, 1)).view(compared.shape[:2])


def relation_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean squared error between relation scores and 1 for the own class, 0 for the others.

    Args:
        logits: float (Q, N), of the relation scores.
        targets: int64 (Q,).
    """
    wanted = functional.one_hot(targets, logits.shape[1]).to(logits.dtype)
    return functional.mse_loss(logits.sigmoid(), wanted)


class RelationHead(Head):
    """A relation module on concatenated feature maps; its score in [0, 1] says how alike two are.

    Sung, Yang, Zhang, Xiang, Torr and Hospedales 2018, "Learning to Compare: Relation Network for Few-Shot
    Learning". Two blocks (3x3 convolution, batch norm, ReLU, 2x2 max pooling), then two linear layers.

    The original normalises with the statistics of whatever batch of pairs it is given, the queries among
    them, so its published figures are transductive (with momentum 1 its running statistics are those of
    the last batch alone, and without the queries' 99.6 % fell to about 90 %). Here the running
    statistics are averages over many episodes, and in eval mode an answer depends on its query alone.

    Attributes:
        shape: (C, h, w) of the feature map that an embedding is the flattened form of.
        pooling: how the maps of a class become one, see `class_maps`.
    """

    def __init__(
        self, dimension: int, *, shape: Sequence[int], hidden: int = 8, pooling: Pooling = "mean"
    ) -> None:
        super().__init__()
        channels, height, width = shape
        if math.prod(shape) != dimension:
            raise ValueError(f"an embedding of {dimension} numbers is no feature map of {tuple(shape)}")
        self.shape = (channels, height, width)
        self.pooling: Pooling = pooling
        self.compare = nn.Conv2d(2 * channels, channels, 3, padding=1)
        # Rounded up, so that the last row of an odd map counts and a map of one pixel stays one.
        left = channels * math.ceil(height / 4) * math.ceil(width / 4)
        self.judge = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Flatten(),
            nn.Linear(left, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 1),
        )

    def scores(self, support: Tensor, labels: Tensor, query: Tensor, n_way: int) -> Tensor:
        """Return float (Q, N), the logits of the relation scores; sigmoid makes the scores of them."""
        classes = class_maps(support, labels, n_way, self.pooling).view(n_way, *self.shape)
        pairs = compared_maps(
            classes, query.reshape(len(query), *self.shape), self.compare.weight, self.compare.bias
        )
        return relation_logits(pairs, self.judge)

    def loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Return the mean squared error of the relation scores, as the paper has it."""
        return relation_loss(scores, targets)
