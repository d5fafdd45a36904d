"""Drawings by hand as values, and the picture of one that a network for characters expects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 105
"""Pixels of the square picture: that of Omniglot."""
INK_SHARE = 0.62
"""Longer side of the ink over the side of the picture; in Omniglot mostly 0.55 to 0.73."""
LINE_SHARE = 3.4 / 105
"""Width of a line over the side of the picture; Omniglot's pen is 3 to 4 pixels wide in 105."""
LEAST_EXTENT = 0.06
"""A drawing smaller than this share of the canvas is a dot, which stays one instead of being blown up."""
_OVERSAMPLING = 4
_SHIFT = 4  # cv2 takes coordinates in sixteenths of a pixel

Point: TypeAlias = tuple[float, float]
"""x to the right and y down, in sides of the canvas: 0 to 1, a little outside where the hand went over."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """One line from where the pen came down to where it was lifted: at least one point."""

    points: tuple[Point, ...]


Drawing: TypeAlias = tuple[Stroke, ...]


@dataclass(frozen=True, slots=True)
class Sketch:
    """A drawing in progress, with the drawings it was before.

    Attributes:
        strokes: what is on the paper.
        past: the former drawings, the latest last.
    """

    strokes: Drawing = ()
    past: tuple[Drawing, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True where the paper is blank."""
        return not self.strokes

    @property
    def can_undo(self) -> bool:
        """True where there is a former drawing."""
        return bool(self.past)

    def drawn(self, stroke: Stroke) -> Sketch:
        """Return the sketch with one more stroke."""
        return Sketch((*self.strokes, stroke), (*self.past, self.strokes))

    def cleared(self) -> Sketch:
        """Return the sketch with blank paper; undo brings the drawing back."""
        return self if self.is_empty else Sketch((), (*self.past, self.strokes))

    def undone(self) -> Sketch:
        """Return the sketch before its last stroke or clearing; the same where there is none."""
        return replace(self, strokes=self.past[-1], past=self.past[:-1]) if self.past else self


def render(strokes: Drawing, side: int = SIDE) -> NDArray[np.uint8]:
    """Return uint8 (side, side, 3) RGB: black ink on white paper in the way of Omniglot.

    The ink is centred and scaled, so that where and how large somebody drew makes no difference;
    the lines are equally wide whatever the size. Blank paper where there is no stroke.
    """
    large = side * _OVERSAMPLING
    paper = np.full((large, large), 255, np.uint8)
    if strokes:
        _draw(paper, strokes)
    grey = cv2.resize(paper, (side, side), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2))


def _draw(paper: NDArray[np.uint8], strokes: Drawing) -> None:
    """Draw the strokes on the paper, uint8 (side, side), fitted and centred."""
    side = len(paper)
    points = [np.asarray(stroke.points, np.float64).reshape(-1, 2) for stroke in strokes]
    low, high = np.vstack(points).min(axis=0), np.vstack(points).max(axis=0)
    width = LINE_SHARE * side
    # The pen adds half its width on either side of the line's middle.
    scale = (INK_SHARE * side - width) / max(float((high - low).max()), LEAST_EXTENT)
    for line in points:
        fitted = (line - (low + high) / 2) * scale + (side - 1) / 2
        fixed = np.rint(fitted * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(
            paper,
            [fixed],
            isClosed=False,
            color=0,
            thickness=round(width),
            lineType=cv2.LINE_AA,
            shift=_SHIFT,
        )
        # Round ends, and the only ink of a dot.
        for end in (fixed[0], fixed[-1]):
            cv2.circle(
                paper, end.tolist(), round(width * (1 << _SHIFT) / 2), 0, cv2.FILLED, cv2.LINE_AA, _SHIFT
            )
