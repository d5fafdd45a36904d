"""What to ask next: the least certain pictures, each unlike those before it; at the cursor nothing moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_SPREAD: Final = 2000
"""So many of the least certain rows are spread out; nobody answers more before the next fit."""
CENTRES: Final = 64
REMEMBERED: Final = 16
"""The next question is also unlike so many that were just asked."""
_LEAST_WEIGHT: Final = 0.25
"""What a row of no uncertainty weighs against 1.25 for a tie: the farthest is still asked about some time."""


def order_to_ask(
    rows: NDArray[np.int64],
    uncertainty: NDArray[np.float32],
    embeddings: NDArray[np.float32],
    stacks: NDArray[np.int32] | None = None,
    asked: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Return int64 (M,), the same rows in the order in which to ask about them.

    Of each stack of look-alikes one row comes in its turn and the others at the end: one answer counts for
    all. The least certain rows are covered by centres, each far from those before (greedy k-center: Sener &
    Savarese, "Active learning for convolutional neural networks: a core-set approach", ICLR 2018; here
    weighted by uncertainty), and then taken from the neighbourhoods of the centres in turn.

    Args:
        rows: int64 (M,), the rows of the pile, with embeddings.
        uncertainty: float32 (R,), 0 sure to 1 a tie.
        embeddings: float32 (R, D).
        stacks: int32 (R,), the stack of each row; None: each is its own.
        asked: int64, rows asked about before, the last one last.
    """
    rows = rows[np.argsort(-uncertainty[rows], kind="stable")]
    first = np.ones(len(rows), np.bool_)
    if stacks is not None:
        first[:] = False
        first[np.unique(stacks[rows], return_index=True)[1]] = True
    leaders = rows[first]
    head = leaders[:MOST_SPREAD]
    before = embeddings[:0] if asked is None else embeddings[asked[-REMEMBERED:]]
    spread = _spread(embeddings[head], uncertainty[head], before)
    return np.concatenate([head[spread], leaders[MOST_SPREAD:], rows[~first]])


def _spread(
    points: NDArray[np.float32], uncertainty: NDArray[np.float32], before: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Return int64 (n,), an order of points (n, D), given by falling uncertainty, from place to place."""
    count = len(points)
    weight = _LEAST_WEIGHT + uncertainty
    norms = np.einsum("nd,nd->n", points, points)
    nearest = np.full(count, np.inf, np.float32)
    for point in before:
        nearest = np.minimum(nearest, _squared(points, norms, point))
    region = np.zeros(count, np.int64)  # the centre that is nearest
    turn = np.full(count, -1, np.int64)
    for centre in range(min(CENTRES, count)):
        # Without anything asked before, all are equally (infinitely) far: the least certain one begins.
        value = weight if np.isinf(nearest).all() else np.sqrt(nearest) * weight
        chosen = int(np.where(turn >= 0, np.float32(-1), value).argmax())
        turn[chosen] = centre
        squared = _squared(points, norms, points[chosen])
        closer = squared < nearest
        region[closer] = centre
        nearest[closer] = squared[closer]
        region[chosen] = centre
    others = np.flatnonzero(turn < 0)
    rank = _rank_within(region[others])
    hops = others[np.lexsort((others, rank))]
    centres = np.argsort(np.where(turn < 0, count, turn), kind="stable")[: count - len(others)]
    return np.concatenate([centres, hops])


def _squared(
    points: NDArray[np.float32], norms: NDArray[np.float32], point: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return float32 (n,), the squared distances of points (n, D) to one of them (D,)."""
    squared: NDArray[np.float32] = np.maximum(norms - 2 * (points @ point) + point @ point, 0)
    return squared


def _rank_within(region: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return int64 (n,), how many rows of the same region come before each row."""
    order = np.argsort(region, kind="stable")
    ordered = region[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(ordered)])
    rank = np.empty(len(region), np.int64)
    rank[order] = np.arange(len(region)) - np.repeat(starts, np.diff(np.r_[starts, len(region)]))
    return rank


def reordered(rows: NDArray[np.int64], kept: int, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return int64, the first `kept` rows as they are, and behind them the others in their new order."""
    passed = np.zeros(1 + max(order.max(initial=0), rows[:kept].max(initial=0)), np.bool_)
    passed[rows[:kept]] = True
    return np.concatenate([rows[:kept], order[~passed[order]]])
