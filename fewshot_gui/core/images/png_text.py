"""PNG files without what a decoder need not read, or would refuse: words longer than it takes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

_SIGNATURE = 8
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_TELLING = frozenset({b"IHDR", b"eXIf"})
_END = b"\0\0\0\0IEND\xaeB`\x82"


def without_text(data: bytes) -> bytes:
    """Return a PNG file without its chunks of text; bytes that are not well-formed stay as they are.

    Programs keep work flows, profiles and histories there, and Pillow refuses the whole picture where one is
    larger than a megabyte when it is unpacked.
    """
    if not any(kind in data for kind in _TEXTS):
        return data
    kept, start, at = [], 0, _SIGNATURE
    while at + 8 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")  # length, kind, content, check sum
        if end > len(data):
            break
        if data[at + 4 : at + 8] in _TEXTS:
            kept.append(data[start:at])
            start = end
        at = end
    return b"".join([*kept, data[start:]])


def head_of(file: BinaryIO) -> bytes:
    """Return a PNG file of those chunks alone that tell its size and how it is held; the others are not read.

    Args:
        file: that stands at its beginning. The pixels are passed over too: EXIF data may lie behind them.
    """
    kept = [file.read(_SIGNATURE)]
    while len(start := file.read(8)) == 8 and start[4:] != b"IEND":
        length = int.from_bytes(start[:4], "big") + 4  # and the check sum
        if start[4:] in _TELLING:
            kept += [start, file.read(length)]
        else:
            file.seek(length, os.SEEK_CUR)
    return b"".join([*kept, _END])
