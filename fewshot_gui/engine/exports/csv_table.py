"""Labels as a CSV table that a spreadsheet opens without harm, and the way back in."""

from __future__ import annotations

import csv
import os
from dataclasses import fields
from typing import TYPE_CHECKING

from fewshot_gui.engine.exports.labelled import Labelled, SaidBy
from fewshot_gui.engine.publish import new_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COLUMNS = ("path", "category", "said_by", "probability", "at", "learner", "backbone", "weights")
# A cell that begins so is a formula to Excel and LibreOffice: a file called "=cmd|..." would be run.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
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
        file.write("\ufeff")  # without it Excel takes UTF-8 for the system's old code page
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([harmless(cell) for cell in cells(row)] for row in rows)


def cells(row: Labelled) -> list[str]:
    """Return what stands under each of `COLUMNS`."""
    chance = "" if row.probability is None else f"{row.probability:.6f}"
    values = {field.name: getattr(row, field.name) for field in fields(row)} | {"probability": chance}
    return [str(values[column]) for column in COLUMNS]


def harmless(cell: str) -> str:
    """Return the cell with an apostrophe before what a spreadsheet would run as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _plain(cell: str) -> str:
    """Return the cell without the apostrophe of `harmless`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


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
                raise TableError(f"{path} needs the columns path and category; it has {', '.join(names)}")
            return [_row(path.parent, line, column) for line in reader if line["path"]]
    except csv.Error as error:
        raise TableError(f"{path} is no table of comma-separated values: {error}") from error
    finally:
        csv.field_size_limit(former)


def _dialect(first: str) -> type[csv.Dialect]:
    """Return how the cells are parted: Excel writes semicolons where the comma is the decimal sign."""

    class Separated(csv.excel):
        delimiter = max(",;\t", key=first.count)

    return Separated


def _row(folder: Path, line: dict[str, str], column: str) -> Labelled:
    said = _plain(line.get("said_by") or "")
    return Labelled(
        path=os.path.normpath(folder / _plain(line["path"])),
        category=_plain(line[column] or "").strip(),
        said_by=SaidBy(said)
        if said in set(SaidBy)
        else SaidBy.MACHINE
        if column == "predicted"
        else SaidBy.HUMAN,
        probability=_number(line.get("probability") or ""),
        **{name: _plain(line.get(name) or "") for name in ("at", "learner", "backbone", "weights")},
    )


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
