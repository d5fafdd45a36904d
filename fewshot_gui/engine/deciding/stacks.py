"""Stacks of look-alikes: copies, near-duplicates and bursts, to be labelled as one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.worker import Steps

NEAR: Final = 0.93
"""Look-alikes anywhere: the cosine of two embeddings, less the mean of the gallery, is at least this."""
BURST: Final = 0.8
"""The same for neighbours taken within seconds, and for pictures whose hashes nearly agree.

Measured with the photo backbone on mini-ImageNet: a picture and itself cut by 3 % and brightened have 0.93 to
0.99 (5 % to 95 %), cut by 8 % 0.83 to 0.96; two pictures of one class -0.13 to 0.47, at most 0.80.
"""
BURST_SECONDS: Final = 3.0
WINDOW: Final = 4
"""Each row is compared with so many that follow it in each of the sequences."""
HASH_BITS_APART: Final = 8
SIGN_BITS_APART: Final = 14
"""Of 64 random planes so many may part two embeddings at a cosine of 0.93: 7.7 do on average."""
_BITS: Final = 64
_CHUNK: Final = 8192
_ONES: Final = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Stacks:
    """Which rows look alike.

    Attributes:
        of: int32 (R,), the first row of the stack of each row; a row that is alone is its own.
    """

    of: NDArray[np.int32]

    def members(self, row: int) -> list[int]:
        """Return the rows of the stack of a row, itself included, ascending."""
        found: list[int] = np.flatnonzero(self.of == self.of[row]).tolist()
        return found


def find_stacks(
    embeddings: NDArray[np.float32],
    known: NDArray[np.bool_],
    *,
    ids: Sequence[PictureId | None] = (),
    taken: NDArray[np.float64] | None = None,
    hashes: NDArray[np.uint64] | None = None,
) -> Steps[Stacks]:
    """Return the stacks of R rows, that stand in the order of their names; yields every few milliseconds.

    Candidates are rows that follow each other by name, by time, by their hash, or by the side on which they
    lie of 64 random planes; their embeddings decide. A stack reaches only as far as what looks like its first
    row, so that a slow pan does not become one.

    Args:
        embeddings: float32 (R, D).
        known: bool (R,), where they are valid; other rows stay alone, unless their content is the same.
        ids: the content of each row; the same content is always one stack.
        taken: float64 (R,), when each was taken, in seconds; NaN where unknown.
        hashes: uint64 (R,), as of `core.images.look.difference_hash`.
    """
    forest = _Forest(embeddings, known)
    forest.join_copies(ids)
    rows = np.flatnonzero(known).astype(np.int64)
    if len(rows) < 2:
        return forest.stacks()
    yield from forest.centre(rows)
    times = np.full(len(known), np.nan) if taken is None else taken
    yield from forest.join(_following(rows), times)
    if taken is not None:
        yield from forest.join(_following(rows[np.argsort(taken[rows], kind="stable")]), times)
    if hashes is not None:
        pairs = _nearly_same(rows, hashes[rows], HASH_BITS_APART)
        yield from forest.join(pairs, np.zeros(len(known)))  # as good as taken at once
    signs = yield from forest.signs(rows)
    yield from forest.join(_nearly_same(rows, signs, SIGN_BITS_APART), times)
    return forest.stacks()


class _Forest:
    """Union-find over the rows; the root of each tree is its first row."""

    def __init__(self, embeddings: NDArray[np.float32], known: NDArray[np.bool_]) -> None:
        self._embeddings = embeddings
        self._parent = list(range(len(known)))
        self._mean = np.zeros(embeddings.shape[1], np.float32)

    def stacks(self) -> Stacks:
        return Stacks(np.array([self._root(row) for row in range(len(self._parent))], np.int32))

    def join_copies(self, ids: Sequence[PictureId | None]) -> None:
        first: dict[PictureId, int] = {}
        for row, picture in enumerate(ids):
            if picture is not None:
                self._unite(first.setdefault(picture, row), row)

    def centre(self, rows: NDArray[np.int64]) -> Iterator[None]:
        total = np.zeros(len(self._mean), np.float64)
        for start in range(0, len(rows), _CHUNK):
            total += self._embeddings[rows[start : start + _CHUNK]].sum(axis=0, dtype=np.float64)
            yield
        self._mean = (total / len(rows)).astype(np.float32)

    def signs(self, rows: NDArray[np.int64]) -> Steps[NDArray[np.uint64]]:
        """Return uint64 (M,): on which side of 64 random planes through the mean each row lies."""
        planes = np.random.default_rng(0).standard_normal((len(self._mean), _BITS), np.float32)
        parts = []
        for start in range(0, len(rows), _CHUNK):
            beyond = (self._embeddings[rows[start : start + _CHUNK]] - self._mean) @ planes > 0
            parts.append(np.packbits(beyond, axis=1).view(np.uint64)[:, 0])
            yield
        return np.concatenate(parts)

    def join(
        self, pairs: Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]], times: NDArray[np.float64]
    ) -> Iterator[None]:
        """Unite those of the pairs that look alike; those taken within seconds need to do so less."""
        for all_a, all_b in pairs:
            for start in range(0, len(all_a), _CHUNK):
                a, b = all_a[start : start + _CHUNK], all_b[start : start + _CHUNK]
                soon = np.abs(times[a] - times[b]) <= BURST_SECONDS
                alike = self._cosine(a, b) >= np.where(soon, np.float32(BURST), np.float32(NEAR))
                for one, other in zip(a[alike].tolist(), b[alike].tolist(), strict=True):
                    self._unite_if_alike(one, other)
                yield

    def _unite_if_alike(self, one: int, other: int) -> None:
        one, other = self._root(one), self._root(other)
        if one != other and float(self._cosine(np.array([one]), np.array([other]))[0]) >= BURST:
            self._unite(one, other)

    def _unite(self, one: int, other: int) -> None:
        one, other = self._root(one), self._root(other)
        self._parent[max(one, other)] = min(one, other)

    def _root(self, row: int) -> int:
        parent = self._parent
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    def _cosine(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.float32]:
        one, other = self._embeddings[a] - self._mean, self._embeddings[b] - self._mean
        lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
        products = np.einsum("nd,nd->n", one, other)
        # Two rows at the very mean are alike; one that is not, is unlike all that are.
        cosine: NDArray[np.float32] = np.where(
            lengths > 0, products / np.where(lengths > 0, lengths, 1), (one == other).all(axis=1)
        )
        return cosine


def _following(rows: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield pairs of each of `rows` with those that follow it."""
    for step in range(1, WINDOW + 1):
        yield rows[:-step], rows[step:]


def _nearly_same(
    rows: NDArray[np.int64], bits: NDArray[np.uint64], apart: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield pairs of rows (M,) whose `bits` (M,) differ in at most so many places; finds most of them.

    Sorted as numbers, two that agree in their first bits lie near each other; so they are sorted four
    times, each quarter of the bits once in front.
    """
    for turn in range(4):
        shift = np.uint64(turn * _BITS // 4)
        turned = bits if not shift else (bits << shift) | (bits >> (np.uint64(_BITS) - shift))
        order = np.argsort(turned, kind="stable")
        for a, b in _following(order):
            near = _ones(bits[a] ^ bits[b]) <= apart
            yield rows[a[near]], rows[b[near]]


def _ones(bits: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return int64 (M,), how many of the 64 bits are set."""
    ones: NDArray[np.int64] = _ONES[bits.view(np.uint8).reshape(-1, _BITS // 8)].sum(axis=1, dtype=np.int64)
    return ones
