"""Pictures at another size: an area filter to shrink, a cubic one to enlarge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def resize_cover(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return uint8 (side, side, 3), C-contiguous: shorter side to `side`, of the longer one the middle.

    Args:
        pixels: uint8 (H, W, 3), of any size and proportion; not changed.
        side: in pixels, at least 1.
    """
    height, width = pixels.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    # Cut first: the other way round a strip of 10,000 x 1 pixels would grow to 2,000,000 x 200 on the way.
    return _resize(pixels[top : top + short, left : left + short], side, side)


def resize_within(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return uint8 (h, w, 3), C-contiguous, both sides at most `side`, in proportion; never enlarged.

    A picture that fits already is returned as it is, not copied.

    Args:
        pixels: uint8 (H, W, 3); not changed.
        side: of the square to fit into, in pixels, at least 1.
    """
    height, width = pixels.shape[:2]
    long = max(height, width)
    if long <= side:
        return np.ascontiguousarray(pixels)
    return _resize(pixels, max(1, round(height * side / long)), max(1, round(width * side / long)))


def _resize(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    if pixels.shape[:2] == (height, width):
        return np.ascontiguousarray(pixels)
    shrinks = height * width < pixels.shape[0] * pixels.shape[1]
    # Averaging the area under each pixel keeps fine patterns from turning into false coarse ones.
    resized = cv2.resize(
        pixels, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )
    return np.ascontiguousarray(resized, dtype=np.uint8)
