"""How a backbone looks at a picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from fewshot_gui.core.images.resize import resize_cover
from fewshot_gui.core.images.view import View

LENGTHS = st.integers(1, 300)
VIEWS = (View(), View(whole=True), View(zoom=1.5), View(turn=10), View(zoom=1.2, turn=-90))


@limits(deadline=None)
@given(height=LENGTHS, width=LENGTHS, side=st.integers(1, 100), view=st.sampled_from(VIEWS))
@example(height=1, width=20_000, side=64, view=View(whole=True))
@example(height=20_000, width=1, side=64, view=View(zoom=1.5))
@example(height=1, width=1, side=64, view=View(zoom=300))
@pytest.mark.parametrize("channels", [1, 3])
def test_a_view_is_a_square_and_one_colour_stays_as_it_is(
    channels: int, height: int, width: int, side: int, view: View
) -> None:
    seen = view.of(np.full((height, width, channels), 200, np.uint8), side)
    assert seen.shape == (side, side, channels)
    assert seen.dtype == np.uint8
    assert seen.flags.c_contiguous
    assert (seen == 200).all()


def test_the_plain_view_is_the_middle_square() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8)
    np.testing.assert_array_equal(View().of(pixels, 16), resize_cover(pixels, 16))


def test_the_whole_view_has_both_ends_of_a_long_picture_and_the_colour_of_its_edges_beside() -> None:
    pixels = np.full((20, 80, 3), 100, np.uint8)
    pixels[5:15, :20], pixels[5:15, 60:] = 0, 250
    seen = View(whole=True).of(pixels, 40)
    assert seen[20, 2].tolist() == [0, 0, 0]
    assert seen[20, 37].tolist() == [250, 250, 250]
    beside = np.concatenate([seen[:15], seen[25:]])
    assert (beside == beside[0, 0]).all()
    # The two ends are half of the edges' height, which is a fifth of the edges' length.
    assert abs(int(beside[0, 0, 0]) - 104) <= 6
    assert (View().of(pixels, 40) == 100).all(), "the middle square has neither end"


def test_of_a_square_the_whole_view_is_the_middle_square() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 50, 3), dtype=np.uint8)
    np.testing.assert_array_equal(View(whole=True).of(pixels, 16), View().of(pixels, 16))


def test_zoom_sees_the_middle_alone() -> None:
    pixels = np.zeros((60, 90, 3), np.uint8)
    pixels[15:45, 30:60] = 255
    assert (View(zoom=2).of(pixels, 16) == 255).all()
    assert not (View(zoom=1.5).of(pixels, 16) == 255).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_quarter_turn_is_numpys(channels: int) -> None:
    blocks = np.random.default_rng(0).integers(0, 256, (4, 4, channels), dtype=np.uint8)
    pixels = blocks.repeat(8, axis=0).repeat(8, axis=1)
    turned = View(turn=90).of(pixels, 32).astype(int)
    assert np.abs(turned - np.rot90(pixels).astype(int)).mean() < 12  # it was enlarged and shrunk again
    assert np.abs(turned - pixels.astype(int)).mean() > 50


def test_turning_there_and_back_is_nearly_the_picture() -> None:
    pixels = np.zeros((28, 28, 1), np.uint8)
    pixels[10:18, 8:20] = 255
    back = View(turn=-10).of(View(turn=10).of(pixels, 28), 28)
    assert np.abs(back.astype(int) - pixels).mean() < 12


@pytest.mark.parametrize(
    ("view", "least"), [(View(), 64), (View(whole=True), 64), (View(zoom=1.5), 96), (View(turn=5), 128)]
)
def test_the_least_side_has_all_the_detail_that_a_view_shows(view: View, least: int) -> None:
    assert view.least_side(64) == least


@pytest.mark.parametrize("settings", [{"zoom": 0.5}, {"whole": True, "turn": 5}, {"whole": True, "zoom": 2}])
def test_a_view_that_cannot_be_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="whole, or"):
        View(**settings)  # type: ignore[arg-type]


def test_the_picture_given_is_not_changed() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (30, 20, 3), dtype=np.uint8)
    before = pixels.copy()
    pixels.flags.writeable = False
    for view in VIEWS:
        view.of(pixels, 7)
    np.testing.assert_array_equal(pixels, before)
