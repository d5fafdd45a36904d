"""The map's geometry: who stands beside whom, and where a picture lies between them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.engine.deciding.circle import anchors, apart, places, ring_order


def chances(seed: int, count: int, ways: int) -> np.ndarray:
    found = np.random.default_rng(seed).dirichlet(np.full(ways, 0.3), count)
    return found.astype(np.float32)


@pytest.mark.parametrize("ways", [4, 5, 7, 9])
def test_those_that_are_confused_stand_side_by_side(ways: int) -> None:
    """Every second one is confused with the next of its kind, as far as there are any."""
    ring = [*range(0, ways, 2), *range(1, ways, 2)]
    rows = []
    for one, other in itertools.pairwise(ring):
        row = np.zeros(ways, np.float32)
        row[one] = row[other] = 0.5
        rows.append(row)
    order = ring_order(np.stack(rows))
    assert sorted(order) == list(range(ways))
    beside = {frozenset(pair) for pair in zip(order, [*order[1:], order[0]], strict=True)}
    assert all(frozenset(pair) in beside for pair in itertools.pairwise(ring))


@pytest.mark.parametrize("ways", [1, 2, 3])
def test_up_to_three_keep_their_order(ways: int) -> None:
    assert ring_order(chances(0, 20, ways)) == list(range(ways))


def test_two_lie_left_and_right_and_more_fill_the_room() -> None:
    assert np.allclose(anchors([0, 1]), [[-1, 0], [1, 0]])
    for ways in (3, 4, 5, 8):
        corners = anchors(list(range(ways)))
        assert np.allclose(corners.min(0), -1)
        assert np.allclose(corners.max(0), 1)
        assert np.argmin(corners[:, 1]) == 0
        assert abs(corners[0, 0]) < 0.35


def test_the_order_says_who_stands_where() -> None:
    plain, turned = anchors([0, 1, 2, 3]), anchors([0, 2, 1, 3])
    assert np.allclose(turned[[0, 2, 1, 3]], plain)


@given(st.integers(0, 2**32 - 1), st.integers(2, 9))
def test_pictures_lie_between_the_categories_and_nearest_to_the_surest(seed: int, ways: int) -> None:
    said = chances(seed, 12, ways)
    corners = anchors(ring_order(said))
    rows = np.arange(len(said)) + seed % 1000
    found = places(said, corners, rows)
    assert found.shape == (12, 2)
    assert np.abs(found).max() <= 1.06
    sure = np.zeros((ways, ways), np.float32)
    np.fill_diagonal(sure, 1)
    at = places(sure, corners, np.arange(ways))
    gaps = np.linalg.norm(at[:, None] - corners[None], axis=2)
    assert (gaps.argmin(1) == np.arange(ways)).all()


def test_a_tie_lies_in_the_middle_and_a_lead_moves_toward_the_leader() -> None:
    corners = anchors([0, 1, 2])
    rows = np.zeros(3, np.int64)  # the same scatter for all, none here
    tie, lead, sure = places(
        np.array([[0.5, 0.5, 0], [0.7, 0.3, 0], [0.99, 0.01, 0]], np.float32), corners, rows
    )
    assert np.allclose(tie, (corners[0] + corners[1]) / 2)
    far = [float(np.linalg.norm(place - corners[0])) for place in (tie, lead, sure)]
    assert far[0] > far[1] > far[2] > 0


def test_the_same_picture_is_always_scattered_alike() -> None:
    said = np.tile(np.array([[0.6, 0.4]], np.float32), (50, 1))
    corners, rows = anchors([0, 1]), np.arange(50)
    found = places(said, corners, rows)
    assert len(np.unique(found.round(6), axis=0)) == 50
    assert np.array_equal(places(said[7:9], corners, rows[7:9]), found[7:9])


def test_pictures_are_pushed_apart_and_stay_about_where_they_were() -> None:
    start = np.random.default_rng(0).normal(0, 5, (60, 2))
    moved = apart(start, 10)
    gaps = np.linalg.norm(moved[:, None] - moved[None], axis=2)[~np.eye(60, dtype=bool)]
    before = np.linalg.norm(start[:, None] - start[None], axis=2)[~np.eye(60, dtype=bool)]
    assert gaps.min() > 5 > before.min()
    assert np.linalg.norm(moved.mean(0) - start.mean(0)) < 1


def test_pictures_with_room_stay_where_they_are() -> None:
    start = np.array([[0.0, 0.0], [20.0, 0.0]])
    assert np.array_equal(apart(start, 10), start)
    assert apart(np.empty((0, 2)), 10).shape == (0, 2)
