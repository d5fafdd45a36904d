"""From pixels to what a network takes: part of every bundle, the same in training and in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from fewshot_gui.core.images.resize import resize_cover

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a picture becomes the input of a network.

    Attributes:
        side: of the square input, in pixels.
        channels: 3 for colour, 1 for grey.
        mean: of each channel over the training set, on the scale 0 to 1.
        std: of each channel, on the same scale.
        invert: dark ink on light paper becomes light on dark.
        version: grows whenever the same picture would give other values.
    """

    side: int
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    invert: bool = False
    version: int = 1

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """Return the preprocessing that `values`, as read from JSON or TOML, describes."""
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**fields)

    def prepare(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return uint8 (side, side, channels) of a picture (H, W, 3) RGB: shorter side to `side`, centre cut.

        Thread-safe and without torch, so that the decode threads can do it.
        """
        square = resize_cover(pixels, self.side)
        if self.channels == 1:
            square = cv2.cvtColor(square, cv2.COLOR_RGB2GRAY).astype(np.uint8)[:, :, None]
        return np.ascontiguousarray(255 - square if self.invert else square)


IMAGENET: Final = Preprocessing(224, 3, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""That most published networks were trained with."""
