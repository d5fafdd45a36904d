"""Which format the bytes of a file are in; its name is not asked."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Format(StrEnum):
    """A picture format that the reader reads."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"
    GIF = "GIF"
    BMP = "BMP"
    TIFF = "TIFF"
    HEIF = "HEIF"
    AVIF = "AVIF"
    RAW = "camera raw"


_STARTS = (
    (b"\xff\xd8\xff", Format.JPEG),
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"GIF87a", Format.GIF),
    (b"GIF89a", Format.GIF),
    (b"II*\0", Format.TIFF),
    (b"MM\0*", Format.TIFF),
    (b"II+\0", Format.TIFF),  # BigTIFF
    (b"MM\0+", Format.TIFF),
)
_FOREIGN = (
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\0\0\1\0", "Windows icon"),
    (b"%PDF-", "PDF"),
    (b"8BPS", "Photoshop"),
    (b"DDS ", "DirectDraw surface"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"qoif", "QOI"),
    (b"FUJIFILMCCD-RAW", "camera raw"),
    (b"IIU\0", "camera raw"),
    (b"IIRO", "camera raw"),
    (b"<svg", "SVG"),
    (b"gimp xcf", "GIMP"),
)
_BMP_HEADER_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}


def sniff(data: bytes) -> Format | None:
    """Return the format that the first bytes announce, or None if the reader knows it not."""
    for start, found in _STARTS:
        if data.startswith(start):
            return found
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Format.WEBP
    # "BM" alone begins many a text: the size of the header that follows decides.
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADER_SIZES:
        return Format.BMP
    brands = _brands(data)
    if brands & _AVIF_BRANDS:
        return Format.AVIF
    return Format.HEIF if brands & _HEIF_BRANDS else None


def foreign_format(data: bytes) -> str | None:
    """Return the name of a media format that is known but not read, or None if it is none of them."""
    for start, name in _FOREIGN:
        if data.startswith(start):
            return name
    return "video or camera raw" if data[4:8] == b"ftyp" else None


def ends_early(data: bytes, kind: Format) -> bool:
    """Return True if bytes that could not be decoded lack their end, False if something else ails them."""
    if kind in _ENDS:
        # Some cameras fill the last block of the disk with zeros.
        return _ENDS[kind] not in data[-64:].rstrip(b"\0")[-12:]
    return _STATED_LENGTHS[kind](data) > len(data)


def _brands(data: bytes) -> set[bytes]:
    """Return the four-letter brands of an ISO media file, the major one and the compatible ones."""
    if data[4:8] != b"ftyp":
        return set()
    box = data[: min(int.from_bytes(data[:4], "big"), 512)]
    return {box[8:12], *(box[at : at + 4] for at in range(16, len(box) - 3, 4))}


def _boxes_end(data: bytes) -> int:
    """Return where the last top-level box of an ISO media file says that it ends, in bytes."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:  # the size did not fit into 32 bits and follows in 64
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size < 8:  # 0: up to the end of the file; 2 to 7: nonsense
            return len(data)
        at += size
    return at


def _first_directory(data: bytes) -> int:
    """Return where the first directory of a TIFF file lies, in bytes, plus the two that count its entries."""
    return int.from_bytes(data[4:8], "little" if data[:2] == b"II" else "big") + 2


_ENDS = {Format.JPEG: b"\xff\xd9", Format.PNG: b"IEND", Format.GIF: b";"}
_STATED_LENGTHS: dict[Format, Callable[[bytes], int]] = {
    Format.BMP: lambda data: int.from_bytes(data[2:6], "little"),
    Format.WEBP: lambda data: int.from_bytes(data[4:8], "little") + 8,
    Format.TIFF: _first_directory,
    Format.HEIF: _boxes_end,
    Format.AVIF: _boxes_end,
    Format.RAW: lambda _data: 0,  # of many kinds, none of which says it at one place
}
