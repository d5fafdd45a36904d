"""Words in a PNG, which say nothing of its pixels and may be longer than a decoder takes."""

from __future__ import annotations

_SIGNATURE = 8
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})


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
