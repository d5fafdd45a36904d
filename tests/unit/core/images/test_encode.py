"""Pixels as files, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fewshot_gui.core.images.encode import encode_jpeg, encode_png
from fewshot_gui.core.images.reader import decode_image
from fewshot_gui.core.images.signature import Format, sniff


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.randoms(use_true_random=False))
def test_png_gives_the_very_pixels_back(width: int, height: int, random: Any) -> None:
    pixels = np.frombuffer(random.randbytes(width * height * 3), np.uint8).reshape(height, width, 3)
    data = encode_png(pixels)
    assert sniff(data) is Format.PNG
    np.testing.assert_array_equal(decode_image(data), pixels)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.tuples(*[st.integers(0, 255)] * 3))
def test_jpeg_keeps_size_and_colour(width: int, height: int, colour: tuple[int, int, int]) -> None:
    pixels = np.full((height, width, 3), colour, np.uint8)
    data = encode_jpeg(pixels)
    assert sniff(data) is Format.JPEG
    back = decode_image(data)
    assert back.shape == pixels.shape
    assert np.abs(back.astype(int) - pixels).max() <= 6


def test_a_higher_quality_is_a_larger_file() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert len(encode_jpeg(noise, 40)) < len(encode_jpeg(noise)) < len(encode_jpeg(noise, 95))


@pytest.mark.parametrize("encode", [encode_jpeg, encode_png])
def test_a_part_of_a_picture_is_encoded_as_it_looks(encode: Any) -> None:
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, 20:] = (0, 0, 255)
    back = decode_image(encode(pixels[:, ::-2]))
    assert back.shape == (20, 20, 3)
    assert np.abs(back[10, 3].astype(int) - (0, 0, 255)).max() <= 12
    assert back[10, 16].max() <= 12
