"""The table of all probabilities that `fewshot-gui classify` writes, of the pictures of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fewshot_gui.engine.label_table import LabelTable

if TYPE_CHECKING:
    from collections.abc import Collection

    from fewshot_gui.engine.workspace import Workspace


def label_table(workspace: Workspace, only: Collection[str] | None = None) -> LabelTable | None:
    """Return what is said of the gallery's pictures, in the order of the scan; None while nothing is.

    Args:
        workspace: of the gallery.
        only: paths; of these pictures alone, None: of all.
    """
    scores, gallery = workspace.predictor.scores, workspace.gallery
    if scores is None or not scores.classes:
        return None
    rows = np.flatnonzero(scores.known & (scores.probabilities.sum(axis=1) > 0))
    if only is not None:
        rows = np.array([row for row in rows.tolist() if gallery.files[row].path in only], np.int64)
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
