"""Camera raw files made here: DNG, which is a TIFF with a few more tags."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BYTE, ASCII, SHORT, LONG, RATIONAL, SIGNED_RATIONAL = 1, 2, 3, 4, 5, 10
_LETTERS = {BYTE: "B", ASCII: "B", SHORT: "H", LONG: "I", RATIONAL: "I", SIGNED_RATIONAL: "i"}
_SIZES = {BYTE: 1, ASCII: 1, SHORT: 2, LONG: 4, RATIONAL: 8, SIGNED_RATIONAL: 8}
Entry = tuple[int, int, "Sequence[int]"]


def red_sensor(height: int = 128, width: int = 192) -> NDArray[np.uint16]:
    """Return what a sensor with red, green, green and blue pixels sees of a red wall."""
    seen = np.zeros((height, width), np.uint16)
    seen[0::2, 0::2] = 40_000
    return seen


def dng(sensor: NDArray[np.uint16], inner: NDArray[np.uint8] | None = None, orientation: int = 1) -> bytes:
    """Return a DNG file: the values of a sensor (H, W), RGGB, and maybe a JPEG (H, W, 3) of them."""
    out = bytearray(b"II*\0\0\0\0\0")
    height, width = sensor.shape
    strip = _put(out, sensor.astype("<u2").tobytes())
    values: list[Entry] = [
        (254, LONG, [0]), (256, LONG, [width]), (257, LONG, [height]), (258, SHORT, [16]), (259, SHORT, [1]),
        (262, SHORT, [32803]), (273, LONG, [strip]), (277, SHORT, [1]), (278, LONG, [height]),
        (279, LONG, [2 * sensor.size]), (33421, SHORT, [2, 2]), (33422, BYTE, [0, 1, 1, 2]),
        (50714, SHORT, [0]), (50717, LONG, [65535]),
    ]  # fmt: skip
    identity = [value for row in np.eye(3, dtype=int).tolist() for cell in row for value in (cell, 1)]
    camera: list[Entry] = [
        (271, ASCII, b"Test\0"), (272, ASCII, b"Camera\0"), (274, SHORT, [orientation]),
        (50706, BYTE, [1, 4, 0, 0]), (50708, ASCII, b"Test Camera\0"), (50721, SIGNED_RATIONAL, identity),
        (50728, RATIONAL, [1] * 6), (50778, SHORT, [21]),
    ]  # fmt: skip
    if inner is None:
        root = _directory(out, values + camera)
    else:
        stream = io.BytesIO()
        Image.fromarray(inner).save(stream, "JPEG", quality=95)
        jpeg = _put(out, stream.getvalue())
        below = _directory(out, values)
        root = _directory(out, [
            *camera, (254, LONG, [1]), (256, LONG, [inner.shape[1]]), (257, LONG, [inner.shape[0]]),
            (258, SHORT, [8, 8, 8]), (259, SHORT, [7]), (262, SHORT, [6]), (273, LONG, [jpeg]),
            (277, SHORT, [3]), (278, LONG, [inner.shape[0]]), (279, LONG, [len(stream.getvalue())]),
            (330, LONG, [below]),
        ])  # fmt: skip
    out[4:8] = struct.pack("<I", root)
    return bytes(out)


def _put(out: bytearray, data: bytes) -> int:
    """Append the data at an even place, and return that."""
    out.extend(b"\0" * (len(out) % 2))
    place = len(out)
    out.extend(data)
    return place


def _directory(out: bytearray, entries: Sequence[Entry]) -> int:
    rows = bytearray(struct.pack("<H", len(entries)))
    for tag, kind, values in sorted(entries, key=lambda entry: entry[0]):
        data = struct.pack(f"<{len(values)}{_LETTERS[kind]}", *values)
        inside = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack("<I", _put(out, data))
        rows += struct.pack("<HHI", tag, kind, len(data) // _SIZES[kind]) + inside
    return _put(out, bytes(rows) + b"\0" * 4)
