"""Camera raw files: the picture that the camera put into them, or what their sensor saw."""

from __future__ import annotations

import os
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from fewshot_gui.core.images.problems import ImageProblem, ProblemKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from rawpy import RawPy

RAW_SUFFIXES = frozenset(
    {
        *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".fff", ".iiq", ".kdc", ".mef", ".mos"),
        *(".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"),
    }
)
"""Suffixes of what cameras write, in lower case."""

_SUFFIXES = tuple(RAW_SUFFIXES)
_LARGE = 1000  # pixels: the shorter side of an inner picture that does for looking at it at full size
_QUARTERS = {3: 2, 5: 1, 6: 3}  # LibRaw's numbers for how the camera was held: quarter turns to the left


def is_raw(path: str | os.PathLike[str]) -> bool:
    """Return True if the suffix, in either case, is one of `RAW_SUFFIXES`; the file is not touched."""
    return os.fspath(path).lower().endswith(_SUFFIXES)


def decode_raw(
    data: bytes, name: str, at_least: int | None, decode: Callable[[bytes], NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """Return uint8 (H, W, 3), RGB, upright, of a raw file's bytes.

    It is the largest JPEG in it, which looks as on the camera and takes no longer than any JPEG. Where that
    is missing or too small, the sensor's values are developed, at half their resolution.

    Args:
        data: the whole file.
        name: to stand in the problem that may be raised.
        at_least: the length in pixels that the shorter side needs; None: large enough to be looked at.
        decode: of the bytes of a JPEG.

    Raises:
        ImageProblem: the bytes are no raw file that can be decoded.
    """
    import rawpy  # noqa: PLC0415 - few folders hold raw files

    try:
        with rawpy.imread(BytesIO(data)) as raw:
            inner = _inner(raw, decode)
            if inner is not None and min(inner.shape[:2]) >= (at_least or _LARGE):
                return inner
            try:
                return np.ascontiguousarray(raw.postprocess(half_size=True, use_camera_wb=True))
            except rawpy.LibRawError:
                if inner is None:
                    raise
                return inner
    except rawpy.LibRawFileUnsupportedError as error:
        raise ImageProblem(
            ProblemKind.UNSUPPORTED, name, "this is no raw file, or of a camera that is not known here"
        ) from error
    except (rawpy.LibRawError, rawpy.NotSupportedError) as error:
        raise ImageProblem(
            ProblemKind.UNREADABLE, name, f"the raw file is damaged ({_words(error)})"
        ) from error


def raw_size(path: str) -> tuple[int, int]:
    """Return (width, height) of a raw file in pixels, upright; (0, 0) where it cannot be read."""
    import rawpy  # noqa: PLC0415 - beside `decode_raw`

    try:
        with rawpy.imread(path) as raw:
            sizes = raw.sizes
    except (OSError, rawpy.LibRawError, rawpy.NotSupportedError):
        return 0, 0
    return (sizes.height, sizes.width) if sizes.flip in {5, 6} else (sizes.width, sizes.height)


def _inner(raw: RawPy, decode: Callable[[bytes], NDArray[np.uint8]]) -> NDArray[np.uint8] | None:
    """Return the picture inside, upright; None where there is none that can be read."""
    import rawpy  # noqa: PLC0415 - beside `decode_raw`

    try:
        found = raw.extract_thumb()
        if isinstance(found.data, bytes):
            return decode(found.data)  # LibRaw gives one without EXIF data some, which say how it is held
    except (rawpy.LibRawError, ImageProblem):
        return None
    return np.ascontiguousarray(np.rot90(found.data, _QUARTERS.get(raw.sizes.flip, 0)))


def _words(error: Exception) -> str:
    """Return LibRaw's sentence, which it hands over as bytes."""
    said = error.args[0] if error.args else ""
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
