"""Where a result may be written: at a free name, or in place of an earlier one of this program."""

from __future__ import annotations

import csv
import os
import sys
from typing import TYPE_CHECKING, Any

from fewshot_gui.cli.output import UsageError
from fewshot_gui.engine.own_pictures import may_replace
from fewshot_gui.engine.spreadsheet import MARK, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

PROBLEM_COLUMNS = ("path", "reason")
_LABEL_COLUMNS = ("path", "predicted", "probability")
_HEAD = 1024  # bytes


def require_folder(option: str, path: Path) -> None:
    """Check that the folder of a file to be written is there, and that the file is none itself.

    Raises:
        UsageError: it is not, or it is.
    """
    if not path.absolute().parent.is_dir():
        raise UsageError(f"the folder of {option} {path} does not exist; make it first")
    if path.is_dir():
        raise UsageError(f"{option} {path} is a folder; name a file in it")


def require_new(option: str, path: Path) -> None:
    """Check that a file may be written which never takes the place of another: a plan, a receipt.

    Raises:
        UsageError: there is no such folder, or something of that name.
    """
    require_folder(option, path)
    if os.path.lexists(path):
        raise UsageError(f"{option} {path} is there already; choose another name")


def require_own(option: str, path: Path, is_own: Callable[[Path], bool]) -> None:
    """Check that a result may be written: to a free name, an empty file, or over one of this program.

    Args:
        option: that named it.
        path: of the file to be written.
        is_own: whether a file was written by this program.

    Raises:
        UsageError: there is no such folder, or what is there is somebody else's.
    """
    require_folder(option, path)
    if not may_replace(path, is_own):
        raise UsageError(
            f"{option} {path} is there already, and not as this command writes it; choose another name"
        )


def is_label_table(path: Path) -> bool:
    """Return whether a file is a table of `classify` in which no label was changed by hand to another."""
    try:
        with path.open(newline="", encoding="utf-8-sig", errors=sys.getfilesystemencodeerrors()) as file:
            rows = csv.DictReader(file)
            columns = tuple(rows.fieldnames or ())
            return columns[:3] == _LABEL_COLUMNS and all(_is_as_written(row) for row in rows)
    except (csv.Error, UnicodeDecodeError):
        return False


def _is_as_written(row: dict[str | Any, str | Any]) -> bool:
    """Return whether the probability of a row is that of its label; of none of these, that of the nearest."""
    if None in row or None in row.values():  # more or fewer cells than columns
        return False
    chances = {key: value for key, value in row.items() if key.startswith("probability:")}
    label = plain(row["predicted"])
    wanted = chances.get(f"probability:{label}") if label else max(chances.values(), default=None)
    return row["probability"] == wanted


def has_columns(path: Path, columns: Sequence[str]) -> bool:
    """Return whether a file is a table with just these columns."""
    with path.open("rb") as file:
        head = file.readline(_HEAD).strip().removeprefix(MARK.encode())
    return head == ",".join(columns).encode()
