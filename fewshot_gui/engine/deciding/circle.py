"""Where pictures lie on a circle of categories, each of which pulls at them as it is probable (RadViz)."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EXACT: Final = 7
"""Categories whose orders, 720 then, are all looked at."""
_PULL: Final = 0.5
"""Power of the probabilities: without one nearly all pictures lie on top of one another at the rim."""
_GOLDEN: Final = 2.399963229728653
_SCATTER: Final = 0.05
_ROUNDS: Final = 60
_FAR: Final = 3.0


def ring_order(probabilities: NDArray[np.float32]) -> list[int]:
    """Return the N categories in an order round the circle in which those that are confused are neighbours.

    What lies between two opposite ones would look as if it lay between all. The first one stays first.

    Args:
        probabilities: float (Q, N).
    """
    ways = probabilities.shape[1]
    shared = probabilities.T.astype(np.float64) @ probabilities
    np.fill_diagonal(shared, 0)
    if ways <= 3:
        return list(range(ways))
    if ways <= _EXACT:
        orders = np.array([(0, *rest) for rest in permutations(range(1, ways)) if rest[0] < rest[-1]])
        return [int(each) for each in orders[shared[orders, np.roll(orders, -1, 1)].sum(1).argmax()]]
    order = [0]
    while len(order) < ways:
        left = [each for each in range(ways) if each not in order]
        order.append(max(left, key=lambda each: shared[order[-1], each]))
    return order


def anchors(order: list[int]) -> NDArray[np.float64]:
    """Return (N, 2), the place of each category on a circle, x to the right and y down.

    Two lie left and right of each other; of more the first lies on top, and the circle is stretched until
    they reach from -1 to 1 either way.
    """
    start = np.pi if len(order) == 2 else -np.pi / 2
    angles = np.empty(len(order))
    angles[order] = start + 2 * np.pi * np.arange(len(order)) / max(1, len(order))
    found = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    if len(order) > 2:
        low, high = found.min(0), found.max(0)
        found = 2 * (found - low) / (high - low) - 1
    return found


def places(
    probabilities: NDArray[np.float32], corners: NDArray[np.float64], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return (Q, 2), where each picture lies: the mean of the categories' places, each by its pull.

    Pictures of the same probabilities are scattered a little, each always in the same direction.

    Args:
        probabilities: float (Q, N), rows sum to 1.
        corners: float (N, 2), of `anchors`.
        rows: int64 (Q,), a number of each picture, which decides how it is scattered.
    """
    pull = probabilities.astype(np.float64) ** _PULL
    found = pull @ corners / np.maximum(pull.sum(1, keepdims=True), 1e-12)
    far = np.sqrt(rows * 0.6180339887498949 % 1.0)
    aside = np.stack([np.cos(rows * _GOLDEN), np.sin(rows * _GOLDEN)], axis=1) * far[:, None]
    # Between two categories nothing but the line is told; their pictures are strewn across it.
    found += aside * ((_SCATTER, 10 * _SCATTER) if len(corners) == 2 else (_SCATTER, _SCATTER))
    return np.asarray(found)


def apart(places: NDArray[np.float64], distance: float) -> NDArray[np.float64]:
    """Return the places, moved so that, where there is room, no two are nearer than a distance.

    Args:
        places: float (Q, 2), of which no two are the same; some hundred.
        distance: between any two.
    """
    moved, count = places.copy(), len(places)
    gaps = places[:, None] - places[None]
    # Who is far away at first hardly ever comes near: a tenth of the pairs, and of the time.
    ones, others = np.nonzero(np.triu((gaps**2).sum(2) < (_FAR * distance) ** 2, 1))
    for left in range(_ROUNDS, 0, -1):
        gap = moved[ones] - moved[others]
        lengths = np.sqrt((gap**2).sum(1))
        push = np.clip(distance - lengths, 0, None) / np.maximum(lengths, 1e-9)
        if not push.any():
            break
        force = gap * push[:, None]
        # A third of the way, as each is pushed by several; and a little back to where it belongs, ever less.
        for axis in (0, 1):
            pushed = np.bincount(ones, force[:, axis], count) - np.bincount(others, force[:, axis], count)
            moved[:, axis] += pushed / 3
        moved += 0.05 * left / _ROUNDS * (places - moved)
    return moved
