"""Drawings or photos: which of the two some pictures are, told from their pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from fewshot_gui.core.images.problems import ImageProblem
from fewshot_gui.core.images.reader import read_image
from fewshot_gui.core.images.resize import resize_within

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

PictureKind: TypeAlias = Literal["photo", "drawing"]

SAMPLE: Final = 12
_SIDE: Final = 96
_GREY: Final = 24
"""Channels of a grey pixel differ by less: JPEG and a scanner's lamp tint paper by a few levels."""
_PAPER: Final = 40
"""A pixel of the paper differs from the paper's own level, the median, by less."""


def is_drawing(pixels: NDArray[np.uint8]) -> bool:
    """Return whether a picture is strokes on paper: nearly no colour, mostly light, and mostly of one level.

    Args:
        pixels: uint8 (H, W, 3) RGB, or (H, W, 1).
    """
    levels = pixels.astype(np.int16)
    coloured = (levels.max(axis=2) - levels.min(axis=2)) >= _GREY
    grey = levels.mean(axis=2)
    paper = float(np.median(grey))
    blank = np.abs(grey - paper) < _PAPER
    return bool(coloured.mean() < 0.02 and paper > 150 and 0.6 < blank.mean() < 1)


def kind_of_pictures(pictures: Iterable[NDArray[np.uint8]]) -> PictureKind:
    """Return "drawing" where more than half of some pictures, uint8 (H, W, 3), are drawings, else "photo"."""
    votes = [is_drawing(pixels) for pixels in pictures]
    return "drawing" if 2 * sum(votes) > len(votes) else "photo"


def kind_of_files(paths: Sequence[str], *, sample: int = SAMPLE) -> PictureKind:
    """Return the kind of the pictures in files, told from some of them spread over all; "photo" without any.

    Args:
        paths: of the files; those that cannot be read do not count.
        sample: how many to read.
    """
    places = np.unique(np.linspace(0, len(paths) - 1, min(sample, len(paths))).round().astype(np.int64))
    pictures = []
    for place in places.tolist():
        try:
            pictures.append(resize_within(read_image(paths[place], at_least=_SIDE), _SIDE))
        except ImageProblem:
            continue  # it is told where all pictures are read
    return kind_of_pictures(pictures)
