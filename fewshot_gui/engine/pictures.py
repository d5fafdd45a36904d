"""The pictures that a session keeps, and how those whose files have moved are found again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.core.images.scan import PictureFile


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A picture as the session file keeps it.

    Attributes:
        id: The hash of its content.
        thumbnail: JPEG, at most 256 pixels long.
        original: The encoded picture, for one without a file (camera, canvas, clipboard, web); else None.
        path: Where its file was last seen; empty where it has none.
        size: Bytes of that file; 0 where unknown.
        mtime_ns: When that file was last changed; 0 where unknown.
    """

    id: PictureId
    thumbnail: bytes
    original: bytes | None = None
    path: str = ""
    size: int = 0
    mtime_ns: int = 0


def lost_pictures(pictures: Iterable[StoredPicture], is_there: Callable[[str], bool]) -> dict[PictureId, int]:
    """Size in bytes (0: unknown) of each picture whose file is no longer at its path."""
    return {picture.id: picture.size for picture in pictures if picture.path and not is_there(picture.path)}


def find_moved(
    ids: Mapping[PictureId, int],
    files: Iterable[PictureFile],
    identify: Callable[[str], PictureId | None],
    check: Callable[[], None] = lambda: None,
) -> dict[PictureId, str]:
    """The path of a file with the same content, for each picture that has one.

    Only files of a fitting size are read, and none once all are found.

    Args:
        ids: The pictures to look for, each with its size in bytes; 0 where unknown.
        files: Where to look.
        identify: Hash of a file's content, or None where it cannot be read.
        check: Called for each file; raises to stop.
    """
    wanted = dict(ids)
    sizes = Counter(wanted.values())
    found: dict[PictureId, str] = {}
    for file in files:
        if not wanted:
            break
        check()
        if not sizes[file.size] and not sizes[0]:
            continue
        picture = identify(file.path)
        size = None if picture is None else wanted.pop(picture, None)
        if picture is not None and size is not None:
            sizes[size] -= 1
            found[picture] = file.path
    return found
