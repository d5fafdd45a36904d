"""Copies of the labelled pictures in folders that training programs read."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
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
        without_validation: the categories whose only picture is for training.
    """

    written: int
    problems: tuple[tuple[str, str], ...]
    without_validation: tuple[str, ...] = ()


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
    return Copied(len(copies), tuple(problems), _single(wanted) if layout is Layout.YOLO else ())


def _places(rows: list[Labelled], layout: Layout) -> Iterator[tuple[PurePosixPath, Labelled]]:
    """Yield (place below the root, row): no two places are the same, on any system."""
    folders: dict[str, str] = {}
    for name in category_names(rows):
        folders[name] = safe_folder_name(name, (PROVENANCE, _METADATA, *folders.values()))
    taken: dict[PurePosixPath, _Taken] = {}
    held_out: frozenset[int] = _held_out(rows) if layout is Layout.YOLO else frozenset()
    for number, row in enumerate(rows):
        folder = PurePosixPath(folders[row.category])
        if layout is Layout.YOLO:
            folder = PurePosixPath("val" if number in held_out else "train") / folder
        yield folder / taken.setdefault(folder, _Taken()).take(Path(row.path).name), row


@dataclass(slots=True)
class _Taken:
    """The names in use in a folder, folded; and of each that was taken, the number to try next."""

    names: set[str] = field(default_factory=set)
    numbers: dict[str, int] = field(default_factory=dict)

    def take(self, name: str) -> str:
        """Return the name, or where it is in use the first one with a number, which is then in use."""
        key = folded(name)
        if key in self.names:
            path = PurePosixPath(name)
            stem, number = free_stem(
                path.stem, (path.suffix,), lambda each: folded(each) in self.names, self.numbers.get(key, 2)
            )
            name, self.numbers[key] = stem + path.suffix, number + 1
        self.names.add(folded(name))
        return name


def _held_out(rows: Sequence[Labelled]) -> frozenset[int]:
    """Return which of the rows are for validation: a fifth of each category, the same ones every time.

    At least one of two or more, and never all: Ultralytics wants every category in both parts.
    """
    categories: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        categories.setdefault(row.category, []).append(number)
    held_out: set[int] = set()
    for numbers in categories.values():
        count = max(1, round(_VALIDATION_SHARE * len(numbers))) if len(numbers) > 1 else 0
        held_out.update(sorted(numbers, key=lambda number: _digest(rows[number].path))[:count])
    return frozenset(held_out)


def _digest(path: str) -> bytes:
    return hashlib.blake2b(os.fsencode(path), digest_size=8).digest()


def _single(rows: Sequence[Labelled]) -> tuple[str, ...]:
    """Return the categories of one picture."""
    counts = Counter(row.category for row in rows)
    return tuple(name for name, count in counts.items() if count == 1)


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
