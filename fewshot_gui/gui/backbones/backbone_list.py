"""The list of backbones under their headings; the arrow keys go from one to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from fewshot_gui.gui.backbones.entries import Section
from fewshot_gui.gui.backbones.row import BackboneRow
from fewshot_gui.gui.widgets import SectionHeader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QKeyEvent

    from fewshot_gui.engine.fetching import Fetching
    from fewshot_gui.gui.backbones.entries import Entry


class BackboneList(QScrollArea):
    """Rows of entries; `asked(what, name)` passes on what a row asks."""

    asked = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backboneList")
        self.setAccessibleName(self.tr("Backbones"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        # The buttons in it are the stops of the keyboard.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows: dict[str, BackboneRow] = {}
        self._shown: list[tuple[str, Section]] = []
        self.viewport().setAutoFillBackground(False)

    def show_entries(
        self, entries: Sequence[Entry], state: Callable[[str], Fetching | None], *, on_processor: bool
    ) -> bool:
        """Show these entries, and return True where the rows are new; the focus stays with its backbone.

        Args:
            entries: section by section.
            state: of the download of that name.
            on_processor: pictures are looked at without a graphics card.
        """
        focused = self._focused_name()
        shown = [(entry.name, entry.section) for entry in entries]
        rebuilt = shown != self._shown
        if rebuilt:
            self._shown = shown
            self._build(entries)
        for entry in entries:
            self.rows[entry.name].show_entry(entry, state(entry.name), on_processor=on_processor)
        if focused in self.rows and self._focused_name() != focused:
            self.reveal(focused)
        return rebuilt

    def _build(self, entries: Sequence[Entry]) -> None:
        former, page = self.takeWidget(), QWidget()
        if former is not None:
            former.deleteLater()
        page.setAutoFillBackground(False)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(8)
        self.rows, section = {}, None
        for entry in entries:
            if entry.section is not section:
                if section is not None:
                    column.addSpacing(8)
                section = entry.section
                column.addWidget(self._heading(section, page))
            row = BackboneRow(entry, page)
            row.asked.connect(lambda what, name=entry.name: self.asked.emit(what, name))
            self.rows[entry.name] = row
            column.addWidget(row)
        column.addStretch(1)
        self.setWidget(page)

    def _heading(self, section: Section, parent: QWidget) -> SectionHeader:
        title, note = {
            Section.PHOTOS: (self.tr("Here"), self.tr("ready to use")),
            Section.LADDER: (
                self.tr("To download"),
                self.tr("more exact, and slower the larger they are; none comes by itself"),
            ),
            Section.DRAWINGS: (
                self.tr("For drawings"),
                self.tr("for characters and sketches in black on white"),
            ),
        }[section]
        header = SectionHeader(title, parent)
        header.note.setText(note)
        return header

    def _focused_name(self) -> str:
        widget: QWidget | None = self.window().focusWidget()
        while widget is not None and not isinstance(widget, BackboneRow):
            widget = widget.parentWidget()
        return widget.entry.name if widget is not None and widget in self.rows.values() else ""

    def reveal(self, name: str) -> None:
        """Give the first button of a row the focus, and bring the row into view."""
        self.rows[name].first_button().setFocus()
        self.ensureWidgetVisible(self.rows[name], 0, 16)

    def reveal_first(self) -> None:
        """Give the first button that can be pressed the focus: of what can be downloaded, if there is any."""
        # Whoever comes here wants a stronger one; those beside the one in use are there to be compared with.
        rows = sorted(self.rows.values(), key=lambda row: row.entry.section is not Section.LADDER)
        first = next((row.first_button() for row in rows if row.first_button().isEnabled()), None)
        if first is not None:
            first.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the row above or below."""
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
        names, focused = list(self.rows), self._focused_name()
        if step is None or not focused:
            super().keyPressEvent(event)
            return
        for name in names[names.index(focused) + step :: step] if names.index(focused) + step >= 0 else []:
            if self.rows[name].first_button().isEnabled():
                self.reveal(name)
                return
