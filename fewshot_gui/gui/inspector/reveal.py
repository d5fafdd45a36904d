"""How the gallery is brought to show one picture of the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fewshot_gui.gui.query.folder_page import FolderPage


def reveal_row(folder: FolderPage, row: int) -> None:
    """Choose this row of the folder and scroll to it; a filter that hides it is taken off."""
    if folder.model.position_of(row) is None:
        folder.bar.chips.choose(None)
    position = folder.model.position_of(row)
    if position is None:
        return
    index = folder.model.index(position)
    folder.view.setCurrentIndex(index)
    folder.view.select_rows(np.array([row], np.int64))
    folder.view.scrollTo(index)
    folder.view.setFocus()
