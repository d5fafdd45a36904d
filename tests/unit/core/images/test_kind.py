"""Drawings and photos are told apart by their paper, not by their content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fewshot_gui.core.images.encode import encode_jpeg, encode_png
from fewshot_gui.core.images.kind import is_drawing, kind_of_files, kind_of_pictures

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def drawing(paper: int = 255, ink: int = 0) -> NDArray[np.uint8]:
    pixels = np.full((60, 60, 3), paper, np.uint8)
    cv2.circle(pixels, (30, 30), 20, (ink, ink, ink), 3)
    return pixels


def photo(seed: int = 0) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return cv2.resize(noise, (60, 60)).astype(np.uint8)


def test_ink_on_paper_is_a_drawing() -> None:
    assert is_drawing(drawing())
    assert is_drawing(drawing(paper=225, ink=70))  # pencil on grey paper
    assert is_drawing(drawing()[:, :, :1])


@pytest.mark.parametrize(
    "pixels",
    [
        photo(),
        np.repeat(photo()[:, :, :1], 3, axis=2),  # a photo in grey
        np.full((9, 9, 3), 255, np.uint8),  # an empty sheet says nothing
        drawing(paper=0, ink=255),
        drawing() // np.array([1, 1, 2], np.uint8),  # on yellow paper
    ],
)
def test_what_has_colour_shades_or_no_paper_is_not(pixels: NDArray[np.uint8]) -> None:
    assert not is_drawing(pixels)


def test_most_pictures_decide() -> None:
    assert kind_of_pictures([drawing(), drawing(), photo()]) == "drawing"
    assert kind_of_pictures([drawing(), photo()]) == "photo"
    assert kind_of_pictures([]) == "photo"


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(0, 6))
def test_the_order_of_pictures_does_not_matter(drawings: int, photos: int) -> None:
    pictures = [drawing()] * drawings + [photo()] * photos
    assert kind_of_pictures(pictures) == kind_of_pictures(pictures[::-1])


def test_files_are_sampled_over_all_and_unreadable_ones_do_not_count(tmp_path: Path) -> None:
    paths = []
    for number in range(30):
        path = tmp_path / f"{number:02}.png"
        path.write_bytes(encode_png(drawing()) if number >= 3 else b"broken")
        paths.append(str(path))
    assert kind_of_files(paths) == "drawing"
    assert kind_of_files(paths, sample=2) == "drawing"
    assert kind_of_files(paths[:3]) == "photo"
    assert kind_of_files([]) == "photo"


def test_a_scan_as_jpeg_is_still_a_drawing(tmp_path: Path) -> None:
    path = tmp_path / "scan.jpg"
    path.write_bytes(encode_jpeg(drawing(paper=250, ink=20)))
    assert kind_of_files([str(path)]) == "drawing"
