"""Odd picture files, made on the spot: the zoo that the tests of the reader walk through."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from pillow_heif import from_pillow

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)
ORIENTATION = 0x0112


def red_and_blue(width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    """Return uint8 (height, width, 3): red on the left, blue on the right."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2] = RED
    pixels[:, width // 2 :] = BLUE
    return pixels


def saved(pixels: NDArray[Any] | Image.Image, format_: str, **options: Any) -> bytes:
    """Return the file that Pillow, or for HEIF pillow-heif, writes."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = BytesIO()
    if format_ == "HEIF":
        from_pillow(image).save(file, quality=95, **options)
    else:
        image.save(file, format_, **options)
    return file.getvalue()


def with_orientation(format_: str, orientation: int, **options: Any) -> bytes:
    """Return a file whose stored pixels become upright, red left of blue, only by its orientation.

    HEIF and AVIF then hold it twice: as EXIF, and as the rotation of the container.
    """
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = Image.fromarray(red_and_blue())
    stored = image.transpose(undo[orientation]) if orientation in undo else image
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return saved(stored, format_, exif=exif.tobytes(), **options)


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a PNG chunk."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *, extra: bytes = b"") -> bytes:
    """Return a PNG file by hand, of a kind that Pillow cannot write; a row begins with its filter."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff(order: str, tags: dict[int, tuple[int, int, int]], pixels: bytes) -> bytes:
    """Return a TIFF file by hand: tags number -> (type, count, value), the pixels at offset 8."""
    directory = 8 + len(pixels)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", directory)
    entries = b""
    for tag, (type_, count, value) in sorted(tags.items()):
        packed = struct.pack(order + "HH", value, 0) if type_ == 3 else struct.pack(order + "I", value)
        entries += struct.pack(order + "HHI", tag, type_, count) + packed
    return head + pixels + struct.pack(order + "H", len(tags)) + entries + b"\0\0\0\0"


def _palette(*, transparent: int | None = None) -> bytes:
    image = Image.new("P", (64, 48), 0)
    image.putpalette([*RED, *BLUE, 0, 255, 0])
    image.paste(1, (32, 0, 64, 48))
    return saved(image, "PNG") if transparent is None else saved(image, "PNG", transparency=transparent)


def _alpha(mode: str = "RGBA") -> Image.Image:
    """Return red, opaque, on the left; blue, wholly transparent, on the right."""
    pixels = np.dstack([red_and_blue(), np.full((48, 64), 255, np.uint8)])
    pixels[:, 32:, 3] = 0
    return Image.fromarray(pixels).convert(mode)


def _sixteen_bits_rgb() -> bytes:
    values = red_and_blue().astype(">u2") * 257
    return png(64, 48, 16, 2, b"".join(b"\0" + row.tobytes() for row in values))


def _animation() -> bytes:
    other = Image.new("RGB", (64, 48), (0, 255, 0))
    return saved(red_and_blue(), "GIF", save_all=True, append_images=[other])


def _multi_picture_tiff() -> bytes:
    return saved(
        red_and_blue(), "TIFF", save_all=True, append_images=[Image.new("RGB", (64, 48), (0, 255, 0))]
    )


def _mpo() -> bytes:
    return saved(
        red_and_blue(), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 48), (0, 255, 0))]
    )


def _broken_exif() -> bytes:
    return saved(red_and_blue(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x03\0\xff" * 5)


def _camera_padding() -> bytes:
    return saved(red_and_blue(), "JPEG") + b"\0" * 4096


# Each of these shows red on the left; on the right blue, or white where the blue is transparent.
COLOURED: dict[str, tuple[Callable[[], bytes], tuple[int, int, int]]] = {
    "jpeg": (lambda: saved(red_and_blue(), "JPEG"), BLUE),
    "jpeg progressive": (lambda: saved(red_and_blue(), "JPEG", progressive=True), BLUE),
    "jpeg without subsampling": (lambda: saved(red_and_blue(), "JPEG", subsampling=0), BLUE),
    "jpeg cmyk": (lambda: saved(Image.fromarray(red_and_blue()).convert("CMYK"), "JPEG"), BLUE),
    "jpeg of several pictures": (_mpo, BLUE),
    "jpeg with broken exif": (_broken_exif, BLUE),
    "jpeg padded with zeros": (_camera_padding, BLUE),
    "png": (lambda: saved(red_and_blue(), "PNG"), BLUE),
    "png palette": (_palette, BLUE),
    "png palette with a transparent colour": (lambda: _palette(transparent=1), WHITE),
    "png alpha": (lambda: saved(_alpha(), "PNG"), WHITE),
    "png palette with alpha": (lambda: saved(_alpha().quantize(4), "PNG"), WHITE),
    "png transparent colour": (lambda: saved(red_and_blue(), "PNG", transparency=BLUE), WHITE),
    "png 16 bits colour": (_sixteen_bits_rgb, BLUE),
    "apng": (
        lambda: saved(red_and_blue(), "PNG", save_all=True, append_images=[Image.new("RGB", (64, 48))]),
        BLUE,
    ),
    "webp": (lambda: saved(red_and_blue(), "WEBP"), BLUE),
    "webp lossless": (lambda: saved(red_and_blue(), "WEBP", lossless=True), BLUE),
    "webp alpha": (lambda: saved(_alpha(), "WEBP", lossless=True), WHITE),
    "gif": (lambda: saved(red_and_blue(), "GIF"), BLUE),
    "gif animated": (_animation, BLUE),
    "bmp": (lambda: saved(red_and_blue(), "BMP"), BLUE),
    "bmp palette": (lambda: saved(Image.fromarray(red_and_blue()).quantize(4), "BMP"), BLUE),
    "tiff": (lambda: saved(red_and_blue(), "TIFF"), BLUE),
    "tiff lzw": (lambda: saved(red_and_blue(), "TIFF", compression="tiff_lzw"), BLUE),
    "tiff deflate": (lambda: saved(red_and_blue(), "TIFF", compression="tiff_adobe_deflate"), BLUE),
    "tiff jpeg": (lambda: saved(red_and_blue(), "TIFF", compression="jpeg"), BLUE),
    "tiff cmyk": (lambda: saved(Image.fromarray(red_and_blue()).convert("CMYK"), "TIFF"), BLUE),
    "tiff alpha": (lambda: saved(_alpha(), "TIFF"), WHITE),
    "tiff palette": (lambda: saved(Image.fromarray(red_and_blue()).quantize(4), "TIFF"), BLUE),
    "tiff of several pictures": (_multi_picture_tiff, BLUE),
    "bigtiff": (lambda: saved(red_and_blue(), "TIFF", big_tiff=True), BLUE),
    "heic": (lambda: saved(red_and_blue(), "HEIF"), BLUE),
    "heic alpha": (lambda: saved(_alpha(), "HEIF"), WHITE),
    "avif": (lambda: saved(red_and_blue(), "AVIF"), BLUE),
    "avif alpha": (lambda: saved(_alpha(), "AVIF"), WHITE),
}


def _grey_ramp(dtype: str, top: float) -> NDArray[Any]:
    """Return (1, 3): black, the middle and white of a scale from 0 to `top`."""
    return np.array([[0, top / 2, top]]).astype(dtype)


def _big_endian_tiff(bits: int = 16) -> bytes:
    pixels = _grey_ramp(">u2", 65535).tobytes()
    short, long = 3, 4
    tags = {
        256: (short, 1, 3),
        257: (short, 1, 1),
        258: (short, 1, bits),
        259: (short, 1, 1),
        262: (short, 1, 1),
        273: (long, 1, 8),
        277: (short, 1, 1),
        278: (short, 1, 1),
        279: (long, 1, len(pixels)),
    }
    return tiff(">", tags, pixels)


def _grey_alpha_16() -> bytes:
    values = np.array([[[0, 65535], [32768, 65535], [0, 0]]], ">u2")  # the last is black, but transparent
    return png(3, 1, 16, 4, b"\0" + values.tobytes())


def _one_bit() -> bytes:
    return saved(
        Image.fromarray(np.array([[0, 255, 255]], np.uint8)).convert("1", dither=Image.Dither.NONE), "PNG"
    )


def _not_a_number() -> bytes:
    return saved(np.array([[np.nan, 0.5, 1.0]], np.float32), "TIFF")


# Each of these is one row of three pixels: black, middle grey (or what is stated) and white.
GREY: dict[str, tuple[Callable[[], bytes], int]] = {
    "png grey": (lambda: saved(_grey_ramp("uint8", 255), "PNG"), 127),
    "png grey 16 bits": (lambda: saved(_grey_ramp("uint16", 65535), "PNG"), 127),
    "png grey alpha 16 bits": (_grey_alpha_16, 128),
    "png one bit": (_one_bit, 255),
    "tiff 16 bits": (lambda: saved(_grey_ramp("uint16", 65535), "TIFF"), 127),
    "tiff 16 bits big-endian": (_big_endian_tiff, 127),
    "tiff 32 bits of 0 to 65535": (lambda: saved(_grey_ramp("int32", 65535), "TIFF"), 127),
    "tiff 32 bits of 0 to 255": (lambda: saved(_grey_ramp("int32", 255), "TIFF"), 127),
    "tiff 32 bits below zero": (lambda: saved(_grey_ramp("int32", 2000) - 1000, "TIFF"), 128),
    "tiff float of 0 to 1": (lambda: saved(_grey_ramp("float32", 1), "TIFF"), 128),
    "tiff float of 0 to 255": (lambda: saved(_grey_ramp("float32", 255), "TIFF"), 128),
    "tiff float beyond": (lambda: saved(_grey_ramp("float32", 1e30), "TIFF"), 128),
    "tiff float not a number": (_not_a_number, 128),
}


def huge_png() -> bytes:
    """Return a PNG that claims 20,000 x 10,001 pixels in its header and holds almost nothing."""
    return png(20_000, 10_001, 8, 2, b"")


# Whatever is wrong with them, by the kind of the problem.
BROKEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "empty"),
    "text": (lambda: b"Dear diary, ...", "not-a-picture"),
    "text that begins as a bmp": (lambda: b"BMW is a make of car, and this is a text.", "not-a-picture"),
    "zeros": (lambda: b"\0" * 4096, "not-a-picture"),
    "one byte": (lambda: b"\xff", "not-a-picture"),
    "html": (lambda: b"<!doctype html><title>404</title>", "not-a-picture"),
    "zip": (lambda: b"PK\x03\x04" + b"\0" * 30, "not-a-picture"),
    "riff that is a sound": (lambda: b"RIFF\x24\0\0\0WAVEfmt ", "not-a-picture"),
    "pdf": (lambda: b"%PDF-1.7\n", "unsupported"),
    "svg": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported"),
    "photoshop": (lambda: b"8BPS\0\1" + b"\0" * 20, "unsupported"),
    "mp4": (lambda: b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", "unsupported"),
    "jpeg xl": (lambda: b"\xff\x0a" + b"\0" * 20, "unsupported"),
    "icon": (lambda: saved(red_and_blue(), "ICO"), "unsupported"),
    "tiff of 7 bits": (lambda: _big_endian_tiff(bits=7), "unsupported"),
    "huge png": (huge_png, "too-large"),
    "jpeg header alone": (lambda: b"\xff\xd8\xff\xe0", "truncated"),
    "png header alone": (lambda: b"\x89PNG\r\n\x1a\n", "truncated"),
    "png of no width": (lambda: png(0, 5, 8, 2, b"\0"), "unreadable"),
    "png with a wrong sum": (
        lambda: saved(red_and_blue(), "PNG").replace(b"IHDR\0\0\0\x40", b"IHDR\0\0\0\x41"),
        "unreadable",
    ),
    "webp of noise": (lambda: b"RIFF\x18\0\0\0WEBPVP8 \x0c\0\0\0" + b"\x55" * 16, "unreadable"),
    "gif header alone": (lambda: b"GIF89a\x08\0\x08\0\0\0\0", "truncated"),
    "heic of noise": (
        lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0\0\0\x10free" + b"x" * 8,
        "unreadable",
    ),
}
