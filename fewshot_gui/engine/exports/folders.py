"""Copies of the labelled pictures in folders that training programs read."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from fewshot_gui.engine.exports.csv_table import COLUMNS, cells, write_csv
from fewshot_gui.engine.exports.labelled import Labelled, category_names
from fewshot_gui.engine.publish import new_file
from fewshot_gui.engine.sorting.names import folded, free_stem, safe_folder_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PROVENANCE = "provenance.csv"
_METADATA = "metadata.csv"
_VALIDATION_SHARE = 0.2


class Layout(StrEnum):
    """How the folders lie."""

    IMAGE_FOLDER = "image-folder"
    """CATEGORY/picture: torchvision's ImageFolder, Keras, fastai."""
    HUGGING_FACE = "hugging-face"
    """The same, and metadata.csv with the label and its provenance."""
    YOLO = "yolo-cls"
    """train/CATEGORY/picture and val/CATEGORY/picture: Ultralytics' classification."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of an export into folders.

    Attributes:
        written: how many pictures were copied.
        problems: (path, reason) of those that could not be; the rest went on.
    """

    written: int
    problems: tuple[tuple[str, str], ...]


class FolderTakenError(Exception):
    """The chosen folder holds something already; nothing was written."""


def write_folders(
    root: Path,
    rows: Sequence[Labelled],
    layout: Layout,
    *,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Copied:
    """Copy every labelled picture into a new folder and return what became of it; the originals stay.

    Pictures of none of these are left out. A picture that cannot be copied is listed, and the rest goes on.
    Beside the folders lies a table that says of each copy who or what decided, when and with which weights:
    metadata.csv in the columns of Hugging Face, else provenance.csv, which `read_csv` reads.

    Args:
        root: a folder that does not exist yet, or is empty.
        rows: the labelled pictures.
        layout: how the folders lie.
        progress: called with pictures copied and their number.
        cancelled: asked before each picture; what was copied until then stays.

    Raises:
        FolderTakenError: `root` holds something.
        OSError: `root` cannot be made, or the table not be written.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise FolderTakenError(f"{root} is not empty; choose a new folder")
    root.mkdir(parents=True, exist_ok=True)
    problems: list[tuple[str, str]] = []
    copies: list[Labelled] = []
    wanted = [row for row in rows if row.category]
    for place, row in _places(wanted, layout):
        if cancelled():
            break
        try:
            _copy(Path(row.path), root / place)
            copies.append(replace(row, path=str(place)))
        except OSError as error:
            problems.append((row.path, error.strerror or str(error)))
        if progress:
            progress(len(copies) + len(problems), len(wanted))
    if layout is Layout.HUGGING_FACE:
        _write_metadata(root / _METADATA, copies)
    else:
        write_csv(root / PROVENANCE, copies)
    return Copied(len(copies), tuple(problems))


def _places(rows: list[Labelled], layout: Layout) -> Iterator[tuple[PurePosixPath, Labelled]]:
    """Yield (place below the root, row): no two places are the same, on any system."""
    folders: dict[str, str] = {}
    for name in category_names(rows):
        folders[name] = safe_folder_name(name, (PROVENANCE, _METADATA, *folders.values()))
    taken: dict[PurePosixPath, set[str]] = {}
    for row in rows:
        folder = PurePosixPath(folders[row.category])
        if layout is Layout.YOLO:
            folder = PurePosixPath("val" if _held_out(row.path) else "train") / folder
        used = taken.setdefault(folder, set())
        name = _free(Path(row.path).name, used)
        used.add(folded(name))
        yield folder / name, row


def _free(name: str, used: set[str]) -> str:
    """Return the name where it, folded, is none of those in use; else the first one with a number."""
    if folded(name) not in used:
        return name
    path = PurePosixPath(name)
    return free_stem(path.stem, (path.suffix,), lambda each: folded(each) in used)[0] + path.suffix


def _held_out(path: str) -> bool:
    """Return whether a picture is for validation: a fifth of them, the same ones every time."""
    digest = hashlib.blake2b(os.fsencode(path), digest_size=4).digest()
    return int.from_bytes(digest) < _VALIDATION_SHARE * 2**32


def _copy(source: Path, target: Path) -> None:
    """Copy a file with its times; nothing is overwritten, and no half copy stays behind."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as read, target.open("xb") as write:
        try:
            shutil.copyfileobj(read, write, 1 << 20)
        except OSError:
            write.close()  # Windows removes no open file
            target.unlink()
            raise
    with suppress(OSError):  # a network drive may know no rights; the picture is there all the same
        shutil.copystat(source, target)


def _write_metadata(path: Path, copies: Sequence[Labelled]) -> None:
    with new_file(path) as file:
        writer = csv.writer(file)
        writer.writerow(("file_name", "label", *COLUMNS[2:]))
        writer.writerows(cells(row) for row in copies)
