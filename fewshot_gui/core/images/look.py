"""How a picture looks, in two numbers: a hash that look-alikes nearly share, and how sharp it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from fewshot_gui.core.images.resize import resize_within

if TYPE_CHECKING:
    from numpy.typing import NDArray

HASH_BITS: Final = 64
SHARPNESS_SIDE: Final = 256
"""Sharpness is measured at this longest side, in pixels: what a person sees of it on the screen."""
_NOISE: Final = 4.0
"""Added to the variance of the brightness (squared grey levels): noise on a plain wall is not sharp."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture looks.

    Attributes:
        bits: 64 bits, the difference hash; look-alikes differ in few of them.
        sharpness: variance of the Laplacian over the variance of the brightness; 0 for a plain surface.
    """

    bits: int
    sharpness: float


def look_of(pixels: NDArray[np.uint8]) -> Look:
    """Return the look of a picture uint8 (H, W, 3)."""
    return Look(difference_hash(pixels), sharpness(pixels))


def difference_hash(pixels: NDArray[np.uint8]) -> int:
    """Return 64 bits of a picture uint8 (H, W, 3): where, of 8 rows of 9 areas, the right one is brighter.

    The same for other sizes, brightness and contrast (Krawetz, "Kind of Like That", 2013).
    """
    grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY).astype(np.float32)
    small = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA)
    brighter = small[:, 1:] > small[:, :-1]
    return int.from_bytes(np.packbits(brighter).tobytes(), "big")


def differing_bits(one: int, other: int) -> int:
    """Return in how many of their bits two hashes differ, 0 to 64."""
    return (one ^ other).bit_count()


def sharpness(pixels: NDArray[np.uint8]) -> float:
    """Return how sharp a picture uint8 (H, W, 3) is, whatever its size and contrast.

    The variance of the Laplacian (Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", 2000)
    grows with contrast; the ratio to that of the brightness does not.
    """
    grey = cv2.cvtColor(resize_within(pixels, SHARPNESS_SIDE), cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var() / (grey.var() + _NOISE))
