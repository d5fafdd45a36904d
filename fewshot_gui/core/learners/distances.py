"""Euclidean distances between two sets of embeddings, exact where two of them nearly coincide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from fewshot_gui.core.learners.folds import fixed_order

if TYPE_CHECKING:
    from torch import Tensor

# Below this share of the squared norms the expansion |a|^2 - 2 a.b + |b|^2 has lost half of its digits in
# float32.
_CANCELLED = 1e-4
_PAIRS_AT_ONCE = 4096
# Two pictures of a class nearer than this share of the usual distance to other classes are of one burst. Of
# drawings and photographs of one class fewer than one in a hundred are so near to any other.
_BURST_SHARE = 0.15
# Two frames of a camera are one view of one thing below this share. Photographs that are moved by two percent
# and two degrees lie at 0.2 to 0.6 of one another (magnetic tiles and hand signs at up to 0.75), other
# photographs of the same class at 0.65 to 1.4.
_VIEW_SHARE = 0.6
# Counting on tells nothing more: what is left belongs to the nearest of these.
_MOST_VIEWS = 64
_ROWS_FOR_SCALE = 512


def squared_distances(first: Tensor, second: Tensor) -> Tensor:
    """Return (A, B), the squared Euclidean distances of (A, D) to (B, D); never negative.

    One matrix product does nearly all of it. Pairs that nearly coincide (the same picture twice) are computed
    again by subtraction, as a distance of 0 must not show as 0.0003.
    """
    if torch.compiler.is_compiling():  # an exported model cannot ask whether a row lies close
        return (first.unsqueeze(1) - second).square().sum(2)
    centre = second.mean(0) if len(second) else second.new_zeros(second.shape[1])
    left, right = first - centre, second - centre
    left_norm = torch.linalg.vector_norm(left, dim=1, keepdim=True).square()
    right_norm = torch.linalg.vector_norm(right, dim=1).square()
    # The few rows on the left: a product of ten thousand by 25 takes two thirds of the time that way round.
    squared = torch.addmm(right_norm.unsqueeze(1), right, left.T, alpha=-2).T.add_(left_norm).clamp_(min=0)
    cancelled = squared < _CANCELLED * left_norm
    if cancelled.any():  # asking first is cheaper than listing: most often there is none
        _repair(squared, left, right, cancelled)
    return squared


def _repair(squared: Tensor, left: Tensor, right: Tensor, cancelled: Tensor) -> None:
    """Compute the marked entries of squared (A, B) again by subtraction, a few thousand at a time."""
    rows, columns = torch.nonzero(cancelled, as_tuple=True)
    for row, column in zip(
        torch.split(rows, _PAIRS_AT_ONCE), torch.split(columns, _PAIRS_AT_ONCE), strict=True
    ):
        squared[row, column] = (left[row] - right[column]).square().sum(1)


def class_minimum(values: Tensor, labels: Tensor, n_way: int) -> Tensor:
    """Return (Q, N), the smallest of values (Q, S) within each class; +inf for a class without examples.

    Args:
        values: one column an example.
        labels: int64 (S,), the class of each column.
        n_way: N.
    """
    smallest = values.new_full((values.shape[0], n_way), torch.inf)
    columns = labels.unsqueeze(0).expand(values.shape[0], -1)
    return smallest.scatter_reduce(1, columns, values, reduce="amin")


def evenly_spaced(count: int, at_most: int) -> Tensor:
    """Return int64 (min(count, at_most),), positions from the first to the last."""
    return torch.linspace(0, count - 1, min(count, at_most), dtype=torch.float64).round().long()


def burst_mates(squared: Tensor, own: Tensor, labels: Tensor) -> Tensor:
    """Return bool (M, S), True where two examples of a class look the same, as frames of one burst do.

    Without a second class there is nothing to compare with, and all are False.

    Args:
        squared: float (M, S), squared distances of some examples to all.
        own: int64 (M,), the classes of these.
        labels: int64 (S,), the classes of all.
    """
    same = own.unsqueeze(1) == labels
    usual = _to_other_classes(squared, same)
    return torch.zeros_like(same) if usual is None else same & (squared < _BURST_SHARE**2 * usual)


def _to_other_classes(squared: Tensor, same: Tensor) -> Tensor | None:
    """Return the usual squared distance to the nearest of another class; None without a second class."""
    others = squared.masked_fill(same, torch.inf).amin(1) if squared.numel() else squared.new_zeros(0)
    others = others[others.isfinite()]
    return others.median() if len(others) else None


def views_of(embeddings: Tensor, labels: Tensor, frames: Tensor) -> Tensor:
    """Return int64 (S,), equal for those frames of a class that show one thing from one side.

    What a camera gives while a thing is held before it are pictures of one another: as many as they are, they
    tell as much as one. Without a second class there is nothing to compare with, and each is its own. Which
    are one view does not depend on the order of the examples; the number is the place of one of them.

    Args:
        embeddings: float (S, D).
        labels: int64 (S,), the classes.
        frames: bool (S,), the examples that a camera or a video gave.
    """
    views = torch.arange(len(labels))
    order = fixed_order(embeddings)
    rows = order[evenly_spaced(len(order), _ROWS_FOR_SCALE)]
    same = labels[rows].unsqueeze(1) == labels
    usual = _to_other_classes(squared_distances(embeddings[rows], embeddings), same)
    if usual is None:
        return views
    for own in sorted(set(labels[frames].tolist())):
        waiting = order[(frames & (labels == own))[order]]
        firsts: list[int] = []
        while len(waiting) and len(firsts) < _MOST_VIEWS:
            firsts.append(int(waiting[0]))
            near = squared_distances(embeddings[waiting[:1]], embeddings[waiting])[0] < _VIEW_SHARE**2 * usual
            near[0] = True
            views[waiting[near]] = firsts[-1]
            waiting = waiting[~near]
        if len(waiting):
            leaders = torch.tensor(firsts)
            views[waiting] = leaders[squared_distances(embeddings[waiting], embeddings[leaders]).argmin(1)]
    return views
