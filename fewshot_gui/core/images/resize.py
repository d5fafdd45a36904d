"""Pictures at another size: an area filter to shrink, a cubic one to enlarge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def resize_cover(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return uint8 (side, side, C), C-contiguous: shorter side to `side`, of the longer one the middle.

    Args:
        pixels: uint8 (H, W, C), of any size and proportion; not changed.
        side: in pixels, at least 1.
    """
    # Cut first: the other way round a strip of 10,000 x 1 pixels would grow to 2,000,000 x 200 on the way.
    return _resize(middle(pixels, min(pixels.shape[:2])), side, side)


def middle(pixels: NDArray[np.uint8], cut: int) -> NDArray[np.uint8]:
    """Return the middle (cut, cut, C) of a picture (H, W, C), not copied; its sides are as long or longer."""
    top, left = (pixels.shape[0] - cut) // 2, (pixels.shape[1] - cut) // 2
    return pixels[top : top + cut, left : left + cut]


def resize_whole(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return uint8 (side, side, C), C-contiguous: longer side to `side`, beside it the mean of the edges.

    Args:
        pixels: uint8 (H, W, C), of any size and proportion; not changed.
        side: in pixels, at least 1.
    """
    seen = _resize(pixels, *_fitting(pixels, side))
    height, width = seen.shape[:2]
    if height == width:
        return seen
    edges = np.concatenate([seen[0], seen[-1], seen[:, 0], seen[:, -1]])
    square = np.empty((side, side, seen.shape[2]), np.uint8)
    square[:] = np.rint(edges.mean(axis=0))
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = seen
    return square


def resize_within(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return uint8 (h, w, C), C-contiguous, both sides at most `side`, in proportion; never enlarged.

    A picture that fits already is returned as it is, not copied.

    Args:
        pixels: uint8 (H, W, C); not changed.
        side: of the square to fit into, in pixels, at least 1.
    """
    if max(pixels.shape[:2]) <= side:
        return np.ascontiguousarray(pixels)
    return _resize(pixels, *_fitting(pixels, side))


def _fitting(pixels: NDArray[np.uint8], side: int) -> tuple[int, int]:
    """Return (height, width) of the picture whose longer side is `side`."""
    height, width = pixels.shape[:2]
    long = max(height, width)
    return max(1, round(height * side / long)), max(1, round(width * side / long))


def _resize(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    if pixels.shape[:2] == (height, width):
        return np.ascontiguousarray(pixels)
    shrinks = height * width < pixels.shape[0] * pixels.shape[1]
    # Averaging the area under each pixel keeps fine patterns from turning into false coarse ones.
    resized = cv2.resize(
        pixels, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )
    # OpenCV drops the axis of a single channel.
    return np.ascontiguousarray(resized, dtype=np.uint8).reshape(height, width, -1)
