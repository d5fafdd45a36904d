"""The plan as two tables: each file with where it goes, and each category with its folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fewshot_gui.engine.sorting.plan import Conflict, Way
from fewshot_gui.gui.sorting.tables import LineTable, base_name
from fewshot_gui.gui.sorting.words import conflict_words, files_words, size_words

if TYPE_CHECKING:
    from PySide6.QtGui import QColor
    from PySide6.QtWidgets import QWidget

    from fewshot_gui.engine.sorter import Planned
    from fewshot_gui.engine.sorting.plan import PlannedFile
    from fewshot_gui.engine.sorting.table import CategoryCount, Row
    from fewshot_gui.gui.theme import Appearance


class PlanTable(LineTable):
    """One line a file: its name, its category, where it goes, and what does not go plainly."""

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__((), parent)
        self._titles = (self.tr("File"), self.tr("Category"), self.tr("Goes to"), self.tr("To know"))
        self._appearance = appearance
        self._root = ""
        self._staying: dict[str, str] = {}

    def show_plan(self, planned: Planned) -> None:
        """Show the rows of a plan."""
        staying = {row.path for row in planned.rows if row.file is None}
        decided = planned.decisions.decided
        self._staying = {each.path: each.category for each in decided if each.path in staying}
        self._root = planned.plan.root
        self.show(planned.rows)

    def cell(self, line: Row, column: int) -> str:
        """Return what stands in a cell."""
        if column == 0:
            return base_name(line.path)
        if column == 3:
            return " ".join(conflict_words(each) for each in line.conflicts)
        if line.file is None:
            stays = self.tr("stays") if any(each.left_out for each in line.conflicts) else "–"
            return self._staying.get(line.path, "–") if column == 1 else stays
        return line.file.category if column == 1 else self._place(line.file)

    def _place(self, file: PlannedFile) -> str:
        """Return the folder; the name too where it is another one than before."""
        if file.way is Way.TRASH:
            return self.tr("the trash")
        name = base_name(file.target)
        if file.way is Way.SIDECAR:
            return name
        place = file.target.removeprefix(self._root).lstrip(os.sep)
        return place.removesuffix(name) if name == base_name(file.source) else place

    def tip(self, line: Row, column: int) -> str:
        """Return the whole path, or the whole sentence."""
        if column == 0:
            return line.path
        if column != 2 or line.file is None:
            return self.cell(line, column)
        if line.file.way is Way.TRASH:
            return self.tr("The system's trash, or else {0}").format(line.file.target)
        return line.file.target

    def ink(self, line: Row, column: int) -> QColor | None:
        """Return the colour of a warning for what stays, and a muted one for what is only told."""
        theme = self._appearance.theme
        if column == 3:
            return theme.warning if any(map(_stays, line.conflicts)) else theme.muted
        return theme.muted if line.file is None and column else None


def _stays(conflict: Conflict) -> bool:
    return conflict.left_out and conflict.kind != "already-there"


class FolderTable(LineTable):
    """One line a category: its name, how many pictures, and the folder that they go to."""

    numbers = frozenset({1, 2})

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__((), parent)
        self._titles = (self.tr("Category"), self.tr("Pictures"), self.tr("Size"), self.tr("Folder"))
        self._appearance = appearance

    def cell(self, line: CategoryCount, column: int) -> str:
        """Return what stands in a cell."""
        if column == 0:
            return line.category
        if column == 1:
            return f"{line.pictures:,} + {line.companions:,}" if line.companions else f"{line.pictures:,}"
        if column == 2:
            return size_words(line.size)
        if line.trash:
            return self.tr("the trash")
        return line.folder or self.tr("beside each picture")

    def tip(self, line: CategoryCount, column: int) -> str:
        """Return what the second number means."""
        if column == 1 and line.companions:
            return self.tr("Going with them: {0}.").format(files_words(line.companions))
        return self.cell(line, column)

    def ink(self, _line: CategoryCount, column: int) -> QColor | None:
        """Return a muted colour for what is only told."""
        return self._appearance.theme.muted if column else None
