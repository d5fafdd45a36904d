"""The one reader of the program: any picture file as upright RGB pixels."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Image import DecompressionBombError, DecompressionBombWarning
from PIL.Image import new as new_image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile
from pillow_heif import HeifImageFile

from fewshot_gui.core.images.budget import Budget
from fewshot_gui.core.images.encode import encode_jpeg, encode_png
from fewshot_gui.core.images.files import read_bytes
from fewshot_gui.core.images.orientation import lies_on_its_side, upright_transpose
from fewshot_gui.core.images.pixels import to_rgb
from fewshot_gui.core.images.png_text import head_of, without_text
from fewshot_gui.core.images.problems import ImageProblem, ProblemKind
from fewshot_gui.core.images.raw import decode_raw, is_raw, raw_size
from fewshot_gui.core.images.resize import resize_cover, resize_within
from fewshot_gui.core.images.signature import Format, ends_early, foreign_format, sniff

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

__all__ = [
    "MAX_PIXELS",
    "ImageProblem",
    "ProblemKind",
    "decode_image",
    "encode_jpeg",
    "encode_png",
    "picture_size",
    "read_bytes",
    "read_image",
    "resize_cover",
    "resize_within",
]

MAX_PIXELS = 200_000_000
"""The largest picture that is decoded, width times height; as RGB it takes 600 MB."""
LARGE_PIXELS = 25_000_000
"""Of pictures above this, width times height as decoded, only so many are decoded at once as memory bears.

A decoder, the picture turned upright and its RGB copy take three times the 600 MB of the largest: of several
such at once the system ends the program, without an error that could be told.
"""
_at_once = Budget(MAX_PIXELS)
_HEAD = 4096


class _QuietJpegImageFile(JpegImageFile):
    """A JPEG whose EXIF data Pillow leaves alone: it looks for dots per inch there, and warns at damage."""

    def _read_dpi_from_exif(self) -> None:
        pass


class _LargeTiffImageFile(TiffImageFile):
    """A TIFF that Pillow loads at any size; it would check the size once more, as Image.open does."""

    def load_prepare(self) -> None:
        if self._im is None:  # _tile_size: as stored, before it is turned upright
            self.im = new_image(self.mode, getattr(self, "_tile_size", self.size)).im
        super().load_prepare()


# Built from their classes and not by Image.open: that warns above 89 megapixels and refuses at 179 by a limit
# which only a change of Pillow's global could move, and tries formats beyond these, some of which run
# other programs.
_OPENERS: dict[Format, Callable[[BinaryIO], ImageFile]] = {
    Format.JPEG: _QuietJpegImageFile,  # a multi-picture JPEG too: its first picture is a JPEG like any other
    Format.PNG: PngImageFile,
    Format.WEBP: WebPImageFile,
    Format.GIF: GifImageFile,
    Format.BMP: BmpImageFile,
    Format.TIFF: _LargeTiffImageFile,
    Format.HEIF: HeifImageFile,
    Format.AVIF: AvifImageFile,
}
# What decoders raise at bytes that they do not like; a warning, too, where the host turns it into an error.
_DECODER_ERRORS = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    RuntimeError,
    LookupError,
    TypeError,
    ArithmeticError,
    Warning,
    DecompressionBombError,  # raised by Pillow itself above its own limit, of WebP and GIF
)


def read_image(path: str | os.PathLike[str], *, at_least: int | None = None) -> NDArray[np.uint8]:
    """Return uint8 (H, W, 3), RGB, upright, C-contiguous, of a picture file; of an animation the first frame.

    Args:
        path: of a file in one of the formats of `Format`, whatever its suffix, but for raw files: many of
            them begin as a TIFF does.
        at_least: the length in pixels that the shorter side needs. A larger JPEG, or HEIF with a thumbnail
            inside, is decoded at reduced size, which for 12 megapixels takes a third of the time; its shorter
            side never gets shorter than this. None: full size.

    Raises:
        ImageProblem: the file cannot be read, or is no picture that can be decoded.
    """
    return decode_image(read_bytes(path), name=os.fspath(path), at_least=at_least)


def decode_image(data: bytes, *, name: str = "", at_least: int | None = None) -> NDArray[np.uint8]:
    """Return uint8 (H, W, 3), RGB, upright, C-contiguous, of a picture file's bytes; see `read_image`.

    Args:
        data: the whole file.
        name: to stand in the problem that may be raised.
        at_least: the length in pixels that the shorter side needs; None: full size.

    Raises:
        ImageProblem: the bytes are no picture that can be decoded.
    """
    kind = _format(data, name)
    try:
        return _decode(data, kind, name, at_least)
    except MemoryError as error:
        raise ImageProblem(
            ProblemKind.OUT_OF_MEMORY, name, "not enough memory to decode the picture"
        ) from error
    except (DecompressionBombError, DecompressionBombWarning) as error:
        # Pillow still guards the parts of a file that contradict its header, as a GIF frame may.
        raise ImageProblem(ProblemKind.TOO_LARGE, name, str(error)) from error
    except _DECODER_ERRORS as error:
        raise _problem(data, kind, name, error) from error


def picture_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Return (width, height) that `read_image` gives a file, from its head alone.

    Raises:
        ImageProblem: the file cannot be read, or has no head of a picture.
    """
    name = os.fspath(path)
    try:
        with Path(path).open("rb") as file:
            kind = _format(file.read(_HEAD), name)
            if kind is Format.RAW:
                return raw_size(name)
            file.seek(0)
            image = _OPENERS[kind](_head(file, kind))
            width, height = image.size
            # HEIF and TIFF are turned already, as when they are decoded: see `_upright`. Pillow is not asked
            # for the tag: of a PNG it would decode the pixels first.
            exif: bytes = b"" if kind in {Format.HEIF, Format.TIFF} else image.info.get("exif") or b""
    except _DECODER_ERRORS as error:
        raise ImageProblem(ProblemKind.UNREADABLE, name, str(error)) from error
    return (height, width) if lies_on_its_side(exif) else (width, height)


def _head(file: BinaryIO, kind: Format) -> BinaryIO:
    """Return what a decoder is given of a file for its size alone."""
    return BytesIO(head_of(file)) if kind is Format.PNG else file


def _format(data: bytes, name: str) -> Format:
    if not data:
        raise ImageProblem(ProblemKind.EMPTY, name, "the file is empty")
    kind = sniff(data)
    if kind in {None, Format.TIFF} and is_raw(name):  # most raw files begin as a TIFF does
        return Format.RAW
    if kind is not None:
        return kind
    foreign = foreign_format(data)
    if foreign is not None:
        raise ImageProblem(ProblemKind.UNSUPPORTED, name, f"this is a file of another kind: {foreign}")
    raise ImageProblem(ProblemKind.NOT_A_PICTURE, name, "the content is no picture, whatever the name says")


def _decode(data: bytes, kind: Format, name: str, at_least: int | None) -> NDArray[np.uint8]:
    if kind is Format.RAW:
        return decode_raw(data, name, at_least, lambda inner: decode_image(inner, name="", at_least=at_least))
    if kind is Format.TIFF and ends_early(data, kind):
        raise EOFError(
            "its directory lies beyond the end"
        )  # Pillow would warn instead, and find an empty one
    image = _OPENERS[kind](BytesIO(without_text(data) if kind is Format.PNG else data))
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageProblem(
            ProblemKind.TOO_LARGE,
            name,
            f"{width} x {height} are {width * height / 1e6:,.0f} megapixels, "
            f"more than the {MAX_PIXELS // 1_000_000} that are read",
        )
    if at_least is not None:
        # Before the pixels are turned upright, which is then cheap; the shorter side is the same either way.
        image.draft("RGB", (max(at_least, 1), max(at_least, 1)))
    # The whole file in one call: Python's lock is let go once for all of the decoding, not anew every 64 KB.
    image.decodermaxblock = max(len(data), 2**24)
    if image.width * image.height <= LARGE_PIXELS:
        return _pixels(image)
    with _at_once.spending(image.width * image.height):
        return _pixels(image)


def _pixels(image: ImageFile) -> NDArray[np.uint8]:
    image.load()
    return to_rgb(_upright(image))


def _upright(image: ImageFile) -> Image:
    """Return the loaded image turned by its EXIF data.

    HEIF and TIFF are upright already: their decoders turn them, take the tag away, and leave none in `info`.
    """
    transpose = upright_transpose(image.info.get("exif") or b"")
    return image if transpose is None else image.transpose(transpose)


def _problem(data: bytes, kind: Format, name: str, error: Exception) -> ImageProblem:
    message = " ".join(str(error).split())  # libheif ends its sentences with a new line
    if "truncated" in message.lower() or ends_early(data, kind):
        return ImageProblem(ProblemKind.TRUNCATED, name, f"the {kind} file ends early ({message})")
    if "not supported" in message or "unknown pixel mode" in message:
        return ImageProblem(ProblemKind.UNSUPPORTED, name, f"this kind of {kind} is not read ({message})")
    return ImageProblem(ProblemKind.UNREADABLE, name, f"the {kind} file is damaged ({message})")
