"""Any Pillow image as RGB pixels: palettes, transparency, 16 bits and floats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray


def to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """Return uint8 (H, W, 3) RGB, C-contiguous and writable, of a loaded image of any mode.

    Transparent parts show white, as on paper. 16-bit values keep their high byte: 0 to 65535 become 0 to 255.

    Raises:
        ValueError: Pillow converts this mode to no other.
    """
    if image.mode.startswith("I;16"):
        grey: NDArray[np.uint8] = (np.asarray(image) >> 8).astype(np.uint8)
        return _three_channels(grey)
    if image.mode in {"I", "F"}:
        return _three_channels(_to_bytes(np.asarray(image)))
    if image.has_transparency_data:
        image = _on_white(image)
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def _on_white(image: Image.Image) -> Image.Image:
    layer = image if image.mode == "RGBA" else image.convert("RGBA")
    paper = Image.new("RGB", layer.size, "white")
    paper.paste(layer, mask=layer.getchannel("A"))
    return paper


def _to_bytes(values: NDArray[np.int32] | NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return uint8 (H, W) of numbers whose scale no file states: the smallest usual one that holds them all.

    0 to 1 for floats, 0 to 255, 0 to 65535; beyond, and below zero, the range that occurs. NaN is black.
    """
    finite = np.isfinite(values)
    low = float(values.min(where=finite, initial=0))
    high = float(values.max(where=finite, initial=0))
    scales: tuple[float, ...] = (1, 255, 65535) if values.dtype.kind == "f" else (255, 65535)
    fitting = [scale for scale in scales if low >= 0 and high <= scale]
    if not fitting:
        low = float(values.min(where=finite, initial=high))
    top = fitting[0] if fitting else high
    # In 64 bits: the range from the lowest to the highest float32 does not fit into one.
    scaled = (values.astype(np.float64) - low) * (255 / (top - low))
    return np.where(finite, np.rint(scaled), 0).astype(np.uint8)


def _three_channels(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(grey[:, :, None], 3, axis=2)
