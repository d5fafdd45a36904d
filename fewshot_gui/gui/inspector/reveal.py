"""How the gallery is brought to show pictures of the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QItemSelectionModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fewshot_gui.gui.query.folder_page import FolderPage


def reveal_row(folder: FolderPage, row: int) -> None:
    """Choose this row of the folder and scroll to it, whatever hides it."""
    reveal_rows(folder, np.array([row], np.int64))


def reveal_rows(folder: FolderPage, rows: NDArray[np.int64]) -> int:
    """Choose these rows of the folder alone, scroll to the first, and return how many are chosen.

    A filter that hides one is taken off, then a pile, and a stack is opened. Of rows that are not listed,
    or lie too far apart to be shown as chosen, none is: a key must not answer for what was chosen before.
    """
    model = folder.model

    def hidden() -> bool:
        return len(model.positions_of(rows)) < len(rows)

    if hidden():
        folder.bar.chips.choose(None)
    if hidden():
        folder.piles.choose(None)
    if hidden():
        model.unfold(rows)
    folder.view.select_rows(rows)
    positions = model.positions_of(rows)
    if len(positions):
        index = model.index(int(positions[0]))
        folder.view.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
        folder.view.scrollTo(index)
        folder.view.setFocus()
    return len(folder.view.selected_rows())
