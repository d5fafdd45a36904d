"""From pixels to what a network takes: part of every bundle, the same in training and in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from fewshot_gui.core.images.view import View

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
        views: how the network looks at a picture; what it makes of several is their mean.
        version: grows whenever the same picture would give other values.
    """

    side: int
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    invert: bool = False
    views: tuple[View, ...] = (View(),)
    version: int = 1

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """Return the preprocessing that `values`, as read from JSON or TOML, describes.

        Raises:
            TypeError, ValueError: they describe none.
        """
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        if "views" in fields:
            fields["views"] = tuple(View(**view) for view in fields["views"])
            if not fields["views"]:
                raise ValueError("there is no view")
        return cls(**fields)

    @property
    def prepared_shape(self) -> tuple[int, int, int]:
        """Return (views * side, side, channels), the shape of a prepared picture."""
        return len(self.views) * self.side, self.side, self.channels

    @property
    def least_side(self) -> int:
        """Return how long the shorter side of a picture must be for the network to see all that it can."""
        return max(view.least_side(self.side) for view in self.views)

    def prepare(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return uint8 (views * side, side, channels) of a picture (H, W, 3) RGB: each view below the last.

        Thread-safe and without torch, so that the decode threads can do it.
        """
        seen = self.look(pixels)
        if self.channels == 1:
            seen = cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY).astype(np.uint8)[:, :, None]
        return np.ascontiguousarray(255 - seen if self.invert else seen)

    def look(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return uint8 (views * side, side, C) of a picture (H, W, C), in its own colours."""
        if len(self.views) == 1:
            return self.views[0].of(pixels, self.side)
        return np.concatenate([view.of(pixels, self.side) for view in self.views])


IMAGENET: Final = Preprocessing(224, 3, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""That most published networks were trained with."""
