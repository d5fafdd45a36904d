"""The table of all probabilities, as `fewshot-gui classify` writes it; saved on the disk lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QCoreApplication
from shiboken6 import isValid

from fewshot_gui.engine.label_table import LabelTable, write_labels

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.engine.workspace import Workspace
    from fewshot_gui.gui.main_window import MainWindow

translate = QCoreApplication.translate


def write_to(window: MainWindow, path: Path, table: LabelTable) -> None:
    """Write the table on the disk lane and say so."""
    done = translate("Export", "{0:,} labels saved in {1}").format(len(table.paths), path)
    failed = translate("Export", "The labels could not be saved in {0}: {1}. Choose another place.")

    def say(words: str, *, stay: bool = False) -> None:
        if isValid(window):  # another session may have been opened meanwhile
            window.toast.say(words, stay=stay)

    window.workspace.lanes.disk.submit(
        lambda _token: write_labels(path, table),
        then=lambda _none: say(done),
        failed=lambda error: say(failed.format(path, error), stay=True),
    )


def label_table(workspace: Workspace) -> LabelTable | None:
    """Return what is said of the gallery's pictures, in the order of the scan; None while nothing is."""
    scores, gallery = workspace.predictor.scores, workspace.gallery
    if scores is None or not scores.classes:
        return None
    rows = np.flatnonzero(scores.known & (scores.probabilities.sum(axis=1) > 0))
    if not len(rows):
        return None
    document = workspace.session.document
    return LabelTable(
        paths=[gallery.files[row].path for row in rows.tolist()],
        classes=[document.category(category).name for category in scores.classes],
        probabilities=scores.probabilities[rows],
        distances=scores.distances[rows],
        rejected=scores.rejected[rows],
        taught=scores.taught[rows],
    )
