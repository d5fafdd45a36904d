"""The identity of a picture: a hash of its bytes, whatever it is called and wherever it lies."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NewType

from fewshot_gui.core.images.files import read_bytes

if TYPE_CHECKING:
    import os

PictureId = NewType("PictureId", str)


def picture_id(data: bytes | memoryview) -> PictureId:
    """Return 32 hex digits, BLAKE2b of 16 bytes, that only the same bytes share.

    128 bits: among a million pictures two different ones meet with probability 1.5e-27.
    """
    return PictureId(hashlib.blake2b(data, digest_size=16).hexdigest())


def file_id(path: str | os.PathLike[str]) -> PictureId:
    """Return the identity of the file's content.

    Raises:
        ImageProblem: the file cannot be read, or is empty.
    """
    return picture_id(read_bytes(path))


def bytes_of(path: str | os.PathLike[str], picture: PictureId) -> bytes | None:
    """Return a file's bytes; None where it is another picture by now.

    Raises:
        ImageProblem: it cannot be read.
    """
    data = read_bytes(path)
    return data if picture_id(data) == picture else None
