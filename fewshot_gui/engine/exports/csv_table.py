"""Labels as a CSV table that a spreadsheet opens without harm, and the way back in."""

from __future__ import annotations

import csv
import os
from dataclasses import fields
from typing import TYPE_CHECKING

from fewshot_gui.engine.exports.labelled import Labelled, SaidBy
from fewshot_gui.engine.publish import new_file
from fewshot_gui.engine.spreadsheet import MARK, harmless, plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COLUMNS = ("path", "category", "said_by", "probability", "at", "learner", "backbone", "weights")
_LARGEST_CELL = 1_000_000


class TableError(ValueError):
    """A table that no labels can be read from; its sentence says what is missing."""


def write_csv(path: Path, rows: Sequence[Labelled]) -> None:
    """Write one line a picture with all of its provenance; UTF-8 with the mark that Excel asks for.

    Raises:
        FileExistsError: there is something of that name.
        OSError: the folder cannot be written or the disk is full.
    """
    with new_file(path) as file:
        file.write(MARK)
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([harmless(cell) for cell in cells(row)] for row in rows)


def cells(row: Labelled) -> list[str]:
    """Return what stands under each of `COLUMNS`."""
    chance = "" if row.probability is None else f"{row.probability:.6f}"
    values = {field.name: getattr(row, field.name) for field in fields(row)} | {"probability": chance}
    return [str(values[column]) for column in COLUMNS]


def read_csv(path: Path) -> list[Labelled]:
    """Return the labels of a table that this program wrote, or of any with the columns path and category.

    The table of `fewshot-gui classify` (path, predicted, probability) is read too. A path that is not
    absolute is meant from the table's folder.

    Raises:
        TableError: no such columns, or not a text file.
        OSError: it cannot be read.
    """
    former = csv.field_size_limit(_LARGEST_CELL)
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            reader = csv.DictReader(file, dialect=_dialect(file.readline()))
            file.seek(0)
            names = set(reader.fieldnames or ())
            column = next((name for name in ("category", "predicted", "label") if name in names), None)
            if "path" not in names or column is None:
                there = ", ".join(reader.fieldnames or ()) or "none"
                raise TableError(f"{path} needs the columns path and category; it has {there}")
            return [_row(path.parent, line, column) for line in reader if line["path"]]
    except csv.Error as error:
        raise TableError(f"{path} is no table of comma-separated values: {error}") from error
    finally:
        csv.field_size_limit(former)


def _dialect(first: str) -> type[csv.Dialect]:
    """Return how the cells are parted: Excel writes semicolons where the comma is the decimal sign.

    It is what parts the column "path" from the others: the name of a category may hold any of the signs.
    """
    there = (sign for sign in ",;\t" if "path" in next(csv.reader([first], delimiter=sign), []))

    class Separated(csv.excel):
        delimiter = next(there, ",")

    return Separated


def _row(folder: Path, line: dict[str, str], column: str) -> Labelled:
    said = plain(line.get("said_by") or "")
    return Labelled(
        path=os.path.normpath(folder / plain(line["path"])),
        category=plain(line[column] or "").strip(),
        said_by=SaidBy(said)
        if said in set(SaidBy)
        else SaidBy.MACHINE
        if column == "predicted"
        else SaidBy.HUMAN,
        probability=_number(line.get("probability") or ""),
        **{name: plain(line.get(name) or "") for name in ("at", "learner", "backbone", "weights")},
    )


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
