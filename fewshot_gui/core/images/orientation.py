"""The orientation that a camera wrote into a picture's EXIF data."""

from __future__ import annotations

from typing import Literal

from PIL.Image import Transpose

_TAG = 0x0112
_UPRIGHT_BY = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
_QUARTERS = frozenset({Transpose.TRANSPOSE, Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90})


def upright_transpose(exif: bytes) -> Transpose | None:
    """Return what turns the stored pixels upright, or None if they are, or if the data does not say.

    Only the one tag is read, here and not by Pillow: its parser warns about every other tag that a camera
    got wrong, and a warning can only be silenced for all threads at once.

    Args:
        exif: a TIFF header and its directory, with or without "Exif" and two zero bytes before it; it may be
            damaged or empty.
    """
    return _UPRIGHT_BY.get(_orientation(exif.removeprefix(b"Exif\0\0")))


def lies_on_its_side(exif: bytes) -> bool:
    """Return whether the width of the stored pixels is the height of the upright picture.

    Args:
        exif: as for `upright_transpose`.
    """
    return upright_transpose(exif) in _QUARTERS


def _orientation(exif: bytes) -> int:
    """Return 1 to 8, or 0 if the data does not say."""
    order: Literal["little", "big"] = "little" if exif[:2] == b"II" else "big"
    if exif[:2] not in {b"II", b"MM"}:
        return 0

    def number(at: int, size: int) -> int:
        return int.from_bytes(exif[at : at + size], order)

    directory = number(4, 4)
    for entry in range(number(directory, 2)):
        at = directory + 2 + 12 * entry
        if at + 12 > len(exif):
            return 0
        if number(at, 2) == _TAG:
            # Written as a 16-bit number by the standard, and as a 32-bit one by a few programs.
            return number(at + 8, 4 if number(at + 2, 2) == 4 else 2)
    return 0
