"""How a backbone looks at a picture: its middle square, closer to it, turned, or all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from fewshot_gui.core.images.resize import middle, resize_cover, resize_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class View:
    """One look at a picture, a square; without any settings it is the middle square.

    Attributes:
        whole: all of the picture in its proportions, with the mean colour of its edges beside it.
        zoom: how many times closer than the middle square.
        turn: by how many degrees it is turned, counterclockwise.

    Raises:
        ValueError: it is whole and more, or its zoom is below 1.
        TypeError: a setting is no number.
    """

    whole: bool = False
    zoom: float = 1.0
    turn: float = 0.0

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.zoom < 1 or (self.whole and (self.zoom > 1 or self.turn)):
            raise ValueError("a view is whole, or has a zoom from 1 up and a turn")

    def of(self, pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
        """Return uint8 (side, side, C) of a picture (H, W, C) of any size and proportion, C 1 or 3."""
        if self.whole:
            return resize_whole(pixels, side)
        near = middle(pixels, max(1, round(min(pixels.shape[:2]) / self.zoom)))
        if not self.turn:
            return resize_cover(near, side)
        # Turned at twice the size, so that shrinking smooths what turning has frayed.
        double = resize_cover(near, 2 * side)
        about = cv2.getRotationMatrix2D((side - 0.5, side - 0.5), self.turn, 1.0)
        turned = cv2.warpAffine(double, about, (2 * side, 2 * side), borderMode=cv2.BORDER_REPLICATE)
        return resize_cover(np.asarray(turned, np.uint8).reshape(double.shape), side)

    def least_side(self, side: int) -> int:
        """Return how long the shorter side of a picture must be for the view to have all its detail."""
        return int(np.ceil(side * self.zoom)) * (2 if self.turn else 1)
