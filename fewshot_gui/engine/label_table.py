"""The table of labels as a CSV file: the one form in which command and window write it."""

from __future__ import annotations

import csv
import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fewshot_gui.engine.publish import replacing
from fewshot_gui.engine.spreadsheet import MARK, harmless

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
        taught: int (R,), what a person said of the picture: a class, -2 (none of these), or -1 (nothing).
    """

    paths: Sequence[str]
    classes: Sequence[str]
    probabilities: NDArray[np.float32]
    distances: NDArray[np.float32]
    rejected: NDArray[np.bool_]
    taught: NDArray[np.int32]

    def label(self, row: int) -> int:
        """Return the index of the class of a picture, -1 for none of these; a person's word counts first."""
        if self.taught[row] != -1:
            return max(int(self.taught[row]), -1)
        return -1 if self.rejected[row] else int(self.probabilities[row].argmax())

    def probability(self, row: int) -> float:
        """Return the probability of the label, or of the nearest class where it is none of these."""
        label = self.label(row)
        return float(self.probabilities[row].max() if label < 0 else self.probabilities[row, label])


def write_labels(path: Path, table: LabelTable) -> None:
    """Write path, predicted (empty for none of these), probability, then both for each class.

    UTF-8 that spreadsheets know as such, and no name is a formula to them.

    The file is complete or not there: it is written beside and then renamed.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    # A name that is no valid Unicode is written as the bytes that the file system knows it by.
    unusual = sys.getfilesystemencodeerrors()
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8", errors=unusual) as file:
        writer = csv.writer(file)
        file.write(MARK)
        writer.writerow(
            ["path", "predicted", "probability"]
            + [f"probability:{name}" for name in table.classes]
            + [f"distance:{name}" for name in table.classes]
        )
        for row, picture in enumerate(table.paths):
            writer.writerow([harmless(picture), *_row(table, row)])


def _row(table: LabelTable, row: int) -> list[str]:
    label = table.label(row)
    predicted = "" if label < 0 else harmless(table.classes[label])
    numbers = [table.probability(row), *table.probabilities[row], *table.distances[row]]
    return [predicted, *map(_number, numbers)]


def _number(value: float) -> str:
    return f"{value:.6f}" if math.isfinite(value) else ""
