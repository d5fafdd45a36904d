"""Whether two runtimes give one answer: embeddings equal to a thousandth, and the same class the nearest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fewshot_gui.core.backbones.preprocessing import Preprocessing

TOLERANCE = 1e-3
"""Embeddings that differ by no more are equal: an exported network differs by about 1e-6."""
PROTOTYPES = 5


class Embeds(Protocol):
    """What is needed of either side."""

    def embed(self, batch: NDArray[np.uint8], /) -> NDArray[np.float32]:
        """Return embeddings (B, D) of prepared pictures (B, side, side, channels)."""


class DifferentAnswerError(ValueError):
    """ONNX Runtime embeds otherwise than torch; its sentence says by how much."""


def largest_difference(
    reference: Embeds, other: Embeds, preprocessing: Preprocessing, sizes: Sequence[int]
) -> float:
    """Return the largest difference between the numbers of both embeddings of one picture.

    Args:
        reference: embeds with torch.
        other: embeds with ONNX Runtime.
        preprocessing: of the bundle.
        sizes: how many pictures to embed at once.

    Raises:
        DifferentAnswerError: it is above `TOLERANCE`, or another prototype is the nearest to a picture.
        OnnxRuntimeError: from `other`, where it cannot embed.
    """
    largest = 0.0
    for size in sizes:
        batch = probe(preprocessing, size)
        expected, found = reference.embed(batch), other.embed(batch)
        if expected.shape != found.shape:
            raise DifferentAnswerError(f"embeddings of {found.shape}, not {expected.shape}")
        difference = float(np.abs(expected - found).max())
        if not difference <= TOLERANCE:  # so put, it also catches what is not a number
            raise DifferentAnswerError(f"embeddings differ by {difference:.2g}, more than {TOLERANCE:g}")
        if not same_nearest(found, expected):
            raise DifferentAnswerError("another class is the nearest")
        largest = max(largest, difference)
    return largest


def probe(preprocessing: Preprocessing, count: int) -> NDArray[np.uint8]:
    """Return prepared pictures, uint8 (count, views * side, side, channels): coloured squares under grain."""
    generator = np.random.default_rng(count)
    height, side, channels = preprocessing.prepared_shape
    across = side // 4 + 1
    tiles = generator.integers(0, 256, (count, -(-height // across), 4, channels))
    soft = tiles.repeat(across, axis=1).repeat(across, axis=2)[:, :height, :side]
    grain = generator.normal(0, 20, soft.shape)
    pictures: NDArray[np.uint8] = np.clip(soft + grain, 0, 255).astype(np.uint8)
    return pictures


def same_nearest(found: NDArray[np.float32], expected: NDArray[np.float32]) -> bool:
    """Return whether the same of some prototypes is the nearest to each picture by both embeddings (B, D).

    The first rows of `expected` are the prototypes. Two that are equally near may take each other's place.
    """
    prototypes = expected[None, :PROTOTYPES]
    apart, apart_found = (np.linalg.norm(each[:, None] - prototypes, axis=2) for each in (expected, found))
    chosen = np.take_along_axis(apart, apart_found.argmin(axis=1)[:, None], axis=1)[:, 0]
    return bool((chosen - apart.min(axis=1) <= TOLERANCE).all())
