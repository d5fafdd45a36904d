"""Stacks: bursts, copies and near-duplicates made for the purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.deciding.stacks import Stacks, find_stacks

if TYPE_CHECKING:
    from numpy.typing import NDArray


def found(embeddings: NDArray[np.float32], known: NDArray[np.bool_] | None = None, **more: object) -> Stacks:
    """The stacks, once all steps are taken."""
    steps = find_stacks(
        embeddings,
        np.ones(len(embeddings), np.bool_) if known is None else known,
        **more,  # type: ignore[arg-type]
    )
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def scenes(count: int, each: int, spread: float, seed: int = 0) -> NDArray[np.float32]:
    """Return (count * each, 32): so many scenes with so many shots of each, that differ by `spread`."""
    random = np.random.default_rng(seed)
    places = np.repeat(random.standard_normal((count, 32)), each, axis=0)
    return (places + spread * random.standard_normal(places.shape)).astype(np.float32)


def test_shots_of_a_scene_are_one_stack() -> None:
    stacks = found(scenes(30, 4, 0.05))
    assert stacks.of.tolist() == np.repeat(np.arange(0, 120, 4), 4).tolist()
    assert stacks.members(5) == [4, 5, 6, 7]


def test_a_burst_may_differ_more_than_pictures_of_another_day() -> None:
    shots = scenes(30, 3, 0.3)
    assert len(set(found(shots).of.tolist())) > 60
    burst = np.repeat(np.arange(30) * 600.0, 3) + np.tile([0, 1, 2], 30)
    assert found(shots, taken=burst).of.tolist() == np.repeat(np.arange(0, 90, 3), 3).tolist()


def test_a_burst_is_found_by_time_where_names_lie_apart() -> None:
    shots = scenes(40, 2, 0.3)
    mixed = np.concatenate([shots[::2], shots[1::2]])
    taken = np.tile(np.arange(40) * 600.0, 2)
    assert found(mixed, taken=taken).of.tolist() == list(range(40)) * 2


def test_near_duplicates_are_found_anywhere() -> None:
    shots = scenes(300, 2, 0.03)
    mixed = np.concatenate([shots[::2], shots[1::2][::-1]])
    stacks = found(mixed)
    alike = stacks.of[:300] == stacks.of[300:][::-1]
    assert alike.mean() > 0.95


def test_hashes_that_nearly_agree_help_to_find_them() -> None:
    shots = scenes(60, 2, 0.28)
    mixed = np.concatenate([shots[::2], shots[1::2]])
    hashes = np.random.default_rng(1).integers(0, 2**63, 60).astype(np.uint64)
    both = np.concatenate([hashes, hashes ^ np.uint64(5)])
    assert found(mixed, hashes=both).of.tolist() == list(range(60)) * 2


def test_the_same_content_is_one_stack_though_it_is_not_embedded_yet() -> None:
    a, b = PictureId("a"), PictureId("b")
    embeddings = np.zeros((4, 2), np.float32)
    stacks = found(embeddings, np.zeros(4, np.bool_), ids=[a, b, None, a])
    assert stacks.of.tolist() == [0, 1, 2, 0]


def test_a_slow_pan_does_not_become_one_stack() -> None:
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    pan = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    stacks = found(pan, taken=np.arange(60.0))
    for first in set(stacks.of.tolist()):
        for row in stacks.members(first):
            assert pan[first] @ pan[row] > 0.75, "a stack reaches round the corner"


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows_are_alone(rows: int) -> None:
    assert found(np.zeros((rows, 3), np.float32)).of.tolist() == list(range(rows))


def test_rows_of_one_and_the_same_embedding_are_alike() -> None:
    assert found(np.ones((3, 2), np.float32)).of.tolist() == [0, 0, 0]


@given(st.integers(2, 30), st.integers(0, 50))
def test_each_stack_is_known_by_its_first_row(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    embeddings = random.standard_normal((count, 2)).astype(np.float32)
    stacks = found(embeddings, random.random(count) < 0.8)
    assert (stacks.of <= np.arange(count)).all()
    assert (stacks.of[stacks.of] == stacks.of).all()
    assert sorted(row for first in set(stacks.of.tolist()) for row in stacks.members(first)) == list(
        range(count)
    )
