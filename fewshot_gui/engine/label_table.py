"""The table of labels as a CSV file: the one form in which command and window write it."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class LabelTable:
    """What is said of R pictures and N classes.

    Attributes:
        paths: R of them.
        classes: N names.
        probabilities: float (R, N).
        distances: float (R, N); not finite where there is none.
        rejected: bool (R,), True for none of these.
    """

    paths: Sequence[str]
    classes: Sequence[str]
    probabilities: NDArray[np.float32]
    distances: NDArray[np.float32]
    rejected: NDArray[np.bool_]


def write_labels(path: Path, table: LabelTable) -> None:
    """Write path, predicted (empty for none of these), probability, then both for each class; UTF-8.

    The file is complete or not there: it is written beside and then renamed.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(
                ["path", "predicted", "probability"]
                + [f"probability:{name}" for name in table.classes]
                + [f"distance:{name}" for name in table.classes]
            )
            for row, picture in enumerate(table.paths):
                writer.writerow([picture, *_row(table, row)])
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _row(table: LabelTable, row: int) -> list[str]:
    probabilities, distances = table.probabilities[row], table.distances[row]
    best = int(probabilities.argmax())
    predicted = "" if table.rejected[row] else table.classes[best]
    return [predicted, *map(_number, [probabilities[best], *probabilities, *distances])]


def _number(value: float) -> str:
    return f"{value:.6f}" if math.isfinite(value) else ""
