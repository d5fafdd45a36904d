"""From what was decided to rows for an export, and from rows that were read back to pictures."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from fewshot_gui.core.images.identity import PictureId, file_id
from fewshot_gui.core.images.problems import ImageProblem
from fewshot_gui.core.images.scan import class_folders
from fewshot_gui.engine.commands import AcceptLabels, LabelNoneOfThese, LabelPictures
from fewshot_gui.engine.exports.csv_table import read_csv
from fewshot_gui.engine.exports.labelled import Labelled, SaidBy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from fewshot_gui.engine.commands import Command
    from fewshot_gui.engine.sorting.plan import Decided
    from fewshot_gui.engine.state import CategoryId


def gather(decided: Iterable[Decided]) -> list[Labelled]:
    """Return each decided picture with its provenance."""
    return [
        Labelled(
            each.path,
            each.category,
            SaidBy(each.by),
            each.probability,
            each.at,
            each.machine.learner,
            each.machine.backbone,
            each.machine.weights,
        )
        for each in decided
    ]


@dataclass(frozen=True, slots=True)
class Found:
    """A picture that a label was read of.

    Attributes:
        path: of its file.
        picture: its content.
        category: empty where it is none of these.
        said_by: who or what gave the label.
        at: when a person did, ISO 8601; empty where nobody noted it, and where no person did.
    """

    path: str
    picture: PictureId
    category: str
    said_by: SaidBy = SaidBy.HUMAN
    at: str = ""


@dataclass(frozen=True, slots=True)
class Matched:
    """Labels that were read.

    Attributes:
        found: those whose picture is there, each picture once; of two labels the last one counts.
        unmatched: (path, category) of the others.
    """

    found: tuple[Found, ...]
    unmatched: tuple[tuple[str, str], ...]


def read_labels(place: Path, cancelled: Callable[[], bool] = lambda: False) -> list[Labelled]:
    """Return the labels of a table, or of a folder of class folders.

    Raises:
        TableError: the table has no such columns, or is none.
        OSError: it cannot be read.
    """
    if not place.is_dir():
        return read_csv(place)
    classes = class_folders(place, cancelled=cancelled)
    return [Labelled(file.path, name, SaidBy.HUMAN) for name, files in classes.items() for file in files]


def match(
    labelled: Iterable[Labelled],
    known: Mapping[str, PictureId | None],
    *,
    cancelled: Callable[[], bool] = lambda: False,
    progress: Callable[[int], None] = lambda _done: None,
) -> Matched:
    """Return which picture each label is about: the file of its path, else the one of that name.

    A picture counts by its content, so labels of a copy are labels of the original too.

    Args:
        labelled: what was read.
        known: the content of each path of the gallery, None where it is not known yet.
        cancelled: asked before each picture; the rest is then unmatched.
        progress: called with how many are done.
    """
    names: dict[str, list[str]] = {}
    for path in known:
        names.setdefault(os.path.basename(path), []).append(path)  # noqa: PTH119 - 100,000 of them
    found: dict[PictureId, Found] = {}
    unmatched: list[tuple[str, str]] = []
    for number, each in enumerate(labelled, start=1):
        alike = names.get(os.path.basename(each.path), [])  # noqa: PTH119 - as above
        there = each.path in known or os.path.lexists(each.path)
        path = each.path if there or len(alike) != 1 else alike[0]
        picture = None if cancelled() else _picture(path, known)
        if picture is None:
            unmatched.append((each.path, each.category))
        else:
            at = each.at if each.said_by.by_person and _is_moment(each.at) else ""
            found[picture] = Found(path, picture, each.category, each.said_by, at)
        progress(number)
    return Matched(tuple(found.values()), tuple(unmatched))


def labels_of(found: Iterable[Found], categories: Mapping[str, CategoryId]) -> list[Command]:
    """Return the commands that say of the pictures what was read, as it was said and when.

    What was accepted is accepted again, and gives way to a person's own word; all else was said by whoever
    brings the labels in, be it at this moment.

    Args:
        found: the pictures.
        categories: the category of each name.
    """
    groups: dict[tuple[bool, str], list[Found]] = {}
    for each in found:
        groups.setdefault((each.said_by is SaidBy.ACCEPTED, each.category), []).append(each)
    return [
        _label(some, categories[name] if name else None, accepted=accepted)
        for (accepted, name), some in groups.items()
    ]


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _label(found: list[Found], category: CategoryId | None, *, accepted: bool) -> Command:
    pictures, times = tuple(each.picture for each in found), tuple(each.at for each in found)
    times = times if any(times) else ()
    if accepted:
        return AcceptLabels(pictures, category, times)
    return LabelNoneOfThese(pictures, times) if category is None else LabelPictures(pictures, category, times)


def _picture(path: str, known: Mapping[str, PictureId | None]) -> PictureId | None:
    picture = known.get(path)
    if picture is not None:
        return picture
    try:
        return file_id(path)
    except (ImageProblem, OSError):
        return None
