"""The order in which the examples of a task are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def in_turn(labels: Tensor) -> Tensor:
    """Return int64 (S,), the places of all examples: the first of each class, then the second of each, ...

    Args:
        labels: int64 (S,).
    """
    by_class = torch.argsort(labels, stable=True)
    grouped = labels[by_class]
    counts = torch.bincount(labels)
    starts = counts.cumsum(0) - counts
    earlier = torch.empty_like(labels)  # how many of the same class stand before
    earlier[by_class] = torch.arange(len(labels), device=labels.device) - starts[grouped]
    return torch.argsort(earlier, stable=True)
