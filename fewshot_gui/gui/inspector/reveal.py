"""How the gallery is brought to show pictures of the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fewshot_gui.gui.query.folder_page import FolderPage


def reveal_row(folder: FolderPage, row: int) -> None:
    """Choose this row of the folder and scroll to it; a filter that hides it is taken off."""
    reveal_rows(folder, np.array([row], np.int64))


def reveal_rows(folder: FolderPage, rows: NDArray[np.int64]) -> None:
    """Choose these rows of the folder, at least one, and scroll to the first; no filter hides any of them."""
    if len(folder.model.positions_of(rows)) < len(rows):
        folder.bar.chips.choose(None)
    position = folder.model.position_of(int(rows[0]))
    if position is None:
        return
    index = folder.model.index(position)
    folder.view.setCurrentIndex(index)
    folder.view.select_rows(rows)
    folder.view.scrollTo(index)
    folder.view.setFocus()
