"""Pictures at another size."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fewshot_gui.core.images.resize import resize_cover, resize_within

SIDES = st.integers(1, 400)


@settings(deadline=None)
@given(height=SIDES, width=SIDES, side=SIDES)
@example(height=1, width=20_000, side=300)
@example(height=20_000, width=1, side=300)
def test_cover_is_a_square_of_any_proportion(height: int, width: int, side: int) -> None:
    square = resize_cover(np.full((height, width, 3), 200, np.uint8), side)
    assert square.shape == (side, side, 3)
    assert square.dtype == np.uint8
    assert square.flags.c_contiguous
    assert (square == 200).all()


@settings(deadline=None)
@given(height=SIDES, width=SIDES, side=SIDES)
@example(height=1, width=20_000, side=300)
def test_within_fits_keeps_the_proportion_and_never_enlarges(height: int, width: int, side: int) -> None:
    small = resize_within(np.full((height, width, 3), 7, np.uint8), side)
    assert max(small.shape[:2]) == min(max(height, width), side)
    scale = max(small.shape[:2]) / max(height, width)
    assert abs(small.shape[0] - height * scale) < 1
    assert abs(small.shape[1] - width * scale) < 1
    assert (small == 7).all()


def test_cover_keeps_the_middle() -> None:
    pixels = np.zeros((10, 30, 3), np.uint8)
    pixels[:, 10:20] = 255
    assert (resize_cover(pixels, 5) == 255).all()
    assert (resize_cover(pixels.transpose(1, 0, 2), 20) == 255).all()


def test_shrinking_averages_so_that_a_fine_pattern_turns_grey() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(resize_cover(stripes, 16).astype(int) - 128).max() <= 1
    assert np.abs(resize_within(stripes, 20).astype(int) - 128).max() <= 32


def test_the_picture_given_is_not_changed() -> None:
    pixels = np.arange(30 * 20 * 3, dtype=np.uint32).astype(np.uint8).reshape(30, 20, 3)
    before = pixels.copy()
    pixels.flags.writeable = False
    resize_cover(pixels, 7)
    resize_within(pixels, 7)
    np.testing.assert_array_equal(pixels, before)


def test_what_fits_is_not_copied() -> None:
    pixels = np.zeros((3, 4, 3), np.uint8)
    assert resize_within(pixels, 4) is pixels


def test_a_square_of_the_right_size_is_the_same() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    np.testing.assert_array_equal(resize_cover(pixels, 9), pixels)
