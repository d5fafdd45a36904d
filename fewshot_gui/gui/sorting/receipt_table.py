"""A receipt as a table: each file, what became of it, and where it is or why it did not go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fewshot_gui.engine.sorting.states import IN_DOUBT, FileState
from fewshot_gui.gui.sorting.tables import LineTable, base_name
from fewshot_gui.gui.sorting.words import doubt_words, reason_words, state_words

if TYPE_CHECKING:
    from PySide6.QtGui import QColor
    from PySide6.QtWidgets import QWidget

    from fewshot_gui.engine.sorting.receipt import Receipt, ReceiptLine
    from fewshot_gui.gui.theme import Appearance

_TROUBLE_FIRST = {FileState.FAILED: 0, FileState.SKIPPED: 2, FileState.DONE: 4, FileState.TAKEN_BACK: 5}


class ReceiptTable(LineTable):
    """One line a file; what did not go stands first."""

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__((), parent)
        self._titles = (self.tr("File"), self.tr("State"), self.tr("Category"), self.tr("Where, or why not"))
        self._appearance = appearance

    def show_receipt(self, receipt: Receipt) -> None:
        """Show what became of a run."""
        self.show(sorted(receipt.lines, key=_rank))

    def cell(self, line: ReceiptLine, column: int) -> str:
        """Return what stands in a cell."""
        if column == 0:
            return base_name(line.source)
        if column == 1:
            return self.tr("In the trash") if line.is_trashed else state_words(line.state)
        if column == 2:
            return line.category
        if line.reason is not None:
            return reason_words(line.reason, line.detail)
        if line.state in IN_DOUBT:
            return doubt_words()
        return line.target if line.state is FileState.DONE else line.source

    def tip(self, line: ReceiptLine, column: int) -> str:
        """Return the whole path, or the sentence with the system's own word on it."""
        if column == 3 and line.reason is not None:
            return f"{self.cell(line, column)}\n{line.detail}".rstrip()
        return line.source if column == 0 else self.cell(line, column)

    def ink(self, line: ReceiptLine, column: int) -> QColor | None:
        """Return the colour of a warning for what did not go, and a muted one for what is only told."""
        theme = self._appearance.theme
        if line.state in {FileState.FAILED, *IN_DOUBT} and column in {1, 3}:
            return theme.warning
        if line.state is FileState.DONE and column == 3 and line.reason is not None:
            return theme.warning
        return theme.muted if column else None


def _rank(line: ReceiptLine) -> int:
    # A file that is done and bears a reason is one that could not be taken back.
    rank = 0 if line.state in IN_DOUBT else _TROUBLE_FIRST.get(line.state, 3)
    return 1 if line.state is FileState.DONE and line.reason is not None else rank
