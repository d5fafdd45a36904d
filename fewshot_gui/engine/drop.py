"""What is dropped, read: the pictures in files and folders by category, and each picture as it is kept."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from fewshot_gui.core.images.encode import encode_jpeg, encode_png
from fewshot_gui.core.images.files import read_bytes
from fewshot_gui.core.images.identity import file_id, picture_id
from fewshot_gui.core.images.problems import ImageProblem
from fewshot_gui.core.images.reader import decode_image
from fewshot_gui.core.images.resize import resize_within
from fewshot_gui.core.images.scan import class_folders, scan_folder
from fewshot_gui.engine.folders import file_finder
from fewshot_gui.engine.pictures import StoredPicture, find_moved, lost_pictures

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.worker import CancelToken

THUMBNAIL_SIDE: Final = 256
"""The longest side of a thumbnail that the session keeps, in pixels."""
FRAME_ORIGINS: Final = frozenset({"camera", "video"})
FRAME_QUALITY: Final = 95
NO_PICTURES: Final = "no-pictures"

Groups: TypeAlias = "dict[str, list[str]]"
"""Paths by the name of their category; the empty name stands for the category that was given."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a drop holds.

    Attributes:
        groups: the paths by category.
        problems: path, kind and detail of each folder that could not be listed or holds no picture.
    """

    groups: Groups
    problems: tuple[tuple[str, str, str], ...]


def list_pictures(paths: tuple[str, ...], token: CancelToken, *, named: bool) -> Listed:
    """Return the files of `paths`, and the pictures in its folders; all under the name "" unless `named`."""
    groups: Groups = {}
    problems: list[tuple[str, str, str]] = []

    def on_problem(problem: ImageProblem) -> None:
        problems.append((problem.path, problem.kind, problem.detail))

    for path in paths:
        token.check()
        if not os.path.isdir(path):  # noqa: PTH112 - Path raises where a folder on the way may not be entered
            groups.setdefault(_name(Path(path).absolute().parent) if named else "", []).append(path)
            continue
        inside = _folder_groups(path, token, on_problem, named=named)
        if not inside:
            problems.append((path, NO_PICTURES, ""))
        for name, files in inside.items():
            groups.setdefault(name, []).extend(files)
    return Listed(groups, tuple(problems))


def _folder_groups(
    folder: str, token: CancelToken, on_problem: Callable[[ImageProblem], None], *, named: bool
) -> Groups:
    """Return the pictures below a folder by the name of their category; empty where there are none.

    Loose ones are of a category that is called as the folder.
    """

    def cancelled() -> bool:
        return token.cancelled

    if not named:
        paths = [file.path for file in scan_folder(folder, cancelled=cancelled, on_problem=on_problem)]
        return {"": paths} if paths else {}
    groups: Groups = {}
    # Without on_problem: the class folders tell what is wrong with the folder itself, too.
    loose = [file.path for file in scan_folder(folder, recursive=False, cancelled=cancelled)]
    if loose:
        groups[_name(Path(folder).absolute())] = loose
    for name, files in class_folders(folder, cancelled=cancelled, on_problem=on_problem).items():
        groups.setdefault(name, []).extend(file.path for file in files)
    return groups


def _name(folder: Path) -> str:
    """Return what a category made of this folder is called; the root of a disk, as of a camera's card, is."""
    return folder.name or str(folder)


def read_file(path: str, _token: CancelToken) -> StoredPicture:
    """Return the picture at `path`, its bytes read once.

    Raises:
        ImageProblem: it cannot be read.
    """
    data = read_bytes(path)
    pixels = decode_image(data, name=path, at_least=THUMBNAIL_SIDE)
    thumbnail = encode_jpeg(resize_within(pixels, THUMBNAIL_SIDE))
    return StoredPicture(picture_id(data), thumbnail, path=path, size=len(data))


def pack_pixels(pixels: NDArray[np.uint8], origin: str, _token: CancelToken) -> StoredPicture:
    """Return a picture (H, W, 3) RGB that has no file: JPEG of a live frame, PNG of anything else."""
    # A frame is a JPEG's worth and comes five times a second; strokes and screens would suffer from it.
    data = encode_jpeg(pixels, quality=FRAME_QUALITY) if origin in FRAME_ORIGINS else encode_png(pixels)
    thumbnail = encode_jpeg(resize_within(pixels, THUMBNAIL_SIDE))
    return StoredPicture(picture_id(data), thumbnail, original=data)


def find_lost(
    kept: tuple[StoredPicture, ...], files: tuple[PictureFile, ...], token: CancelToken
) -> dict[PictureId, str]:
    """Return the new path of each picture whose file is gone and lies among `files`."""

    def identify(path: str) -> PictureId | None:
        try:
            return file_id(path)
        except ImageProblem:
            return None

    find = file_finder()

    def is_there(path: str) -> bool:
        token.check()
        return find(path)

    lost = lost_pictures(kept, is_there)
    return find_moved(lost, files, identify, token.check) if lost else {}
