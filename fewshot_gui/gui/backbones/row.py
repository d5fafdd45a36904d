"""One backbone of the list: what it is, what can be done with it, and how its download is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QProgressBar, QWidget

from fewshot_gui.engine.fetching import Phase
from fewshot_gui.gui.backbones.words import fact_words, slow_words, state_words, wrapping
from fewshot_gui.gui.widgets import PushButton

if TYPE_CHECKING:
    from fewshot_gui.engine.fetching import Fetching
    from fewshot_gui.gui.backbones.entries import Entry

_PARTS: Final = 1000
"""Steps of the progress bar: sizes in bytes do not fit its numbers."""


class BackboneRow(QFrame):
    """Shows one entry; `asked(what)` is "use", "download", "cancel", "discard" or "remove"."""

    asked = Signal(str)

    def __init__(self, entry: Entry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entry = entry
        self.setObjectName(f"backboneRow:{entry.name}")
        self.setProperty("role", "card")
        self.title = QLabel(entry.title, self)
        self.title.setProperty("role", "heading")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.name = QLabel(entry.name, self)
        self.name.setProperty("role", "small")
        self.name.setTextFormat(Qt.TextFormat.PlainText)
        self.facts = QLabel(self)
        self.facts.setProperty("role", "small")
        self.facts.setTextFormat(Qt.TextFormat.PlainText)
        self.facts.setWordWrap(True)
        self.note = QLabel(self)
        self.note.setObjectName(f"backboneNote:{entry.name}")
        self.note.setProperty("role", "muted")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setWordWrap(True)
        self.progress = QProgressBar(self)
        self.progress.setObjectName(f"backboneProgress:{entry.name}")
        self.progress.setAccessibleName(self.tr("How far the download of {0} is").format(entry.title))
        self.progress.setRange(0, _PARTS)
        self.use = self._button("Use", "use", self.tr("Use it"))
        self.download = self._button("Download", "download", self.tr("Download"))
        self.cancel = self._button("Cancel", "cancel", self.tr("Cancel"))
        self.discard = self._button("Discard", "discard", self.tr("Discard"), role="quiet")
        self.remove = self._button("Remove", "remove", self.tr("Remove…"), role="quiet")
        self._lay_out()

    def _button(self, name: str, what: str, text: str, role: str = "") -> PushButton:
        button = PushButton(text, self, role=role)
        button.setObjectName(f"backbone{name}:{self.entry.name}")
        button.clicked.connect(lambda: self.asked.emit(what))
        return button

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in self.buttons():
            buttons.addWidget(button)
        grid = QGridLayout(self)
        grid.setContentsMargins(12, 8, 8, 8)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.title)
        head.addWidget(self.name, 1, Qt.AlignmentFlag.AlignBottom)
        grid.addLayout(head, 0, 0)
        grid.addWidget(self.facts, 1, 0)
        grid.addLayout(buttons, 0, 1, 2, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(self.progress, 2, 0, 1, 2)
        grid.addWidget(self.note, 3, 0, 1, 2)
        grid.setColumnStretch(0, 1)

    def show_entry(self, entry: Entry, state: Fetching | None, *, on_processor: bool) -> None:
        """Show the facts, and how the download is doing.

        Args:
            entry: of the same name as before.
            state: of its download; None where nobody asked for one.
            on_processor: pictures are looked at without a graphics card.
        """
        self.entry = entry
        self.facts.setText(wrapping(fact_words(entry)))
        under_way = state is not None and state.under_way
        fresh = state is not None and state.phase is Phase.DONE and entry.installed
        self._show_buttons(entry, under_way=under_way, paused=state is not None and state.done > 0)
        self.use.set_role("primary" if fresh and not entry.in_use else "")
        self._show_progress(state if under_way else None)
        words = "" if entry.installed or state is None else state_words(state)
        if entry.installed and on_processor and entry.slow and (fresh or entry.in_use):
            words = slow_words(entry)
        self.note.setText(words)
        self.note.setVisible(bool(words))
        self.setAccessibleName(f"{entry.title}. {fact_words(entry)}. {words}".strip())

    def _show_buttons(self, entry: Entry, *, under_way: bool, paused: bool) -> None:
        buttons = self.buttons()
        focused = self.window().focusWidget()
        self.use.setText(self.tr("In use") if entry.in_use else self.tr("Use it"))
        self.use.setEnabled(not entry.in_use)
        self.use.setVisible(entry.installed)
        self.download.setText(self.tr("Go on") if paused else self.tr("Download"))
        self.download.setVisible(not entry.installed and not under_way)
        self.cancel.setVisible(under_way)
        self.discard.setVisible(not entry.installed and not under_way and paused)
        self.discard.setToolTip(self.tr("Remove what has arrived of it"))
        self.remove.setVisible(entry.removable)
        self.remove.setEnabled(not entry.in_use)
        self.remove.setToolTip(self.tr("Use another one first") if entry.in_use else "")
        for button in buttons:
            button.setAccessibleName(f"{button.text().rstrip('…')}: {entry.title}")
        if focused in buttons and focused.isHidden():
            self.first_button().setFocus()  # the button that was pressed has made way for another

    def buttons(self) -> tuple[PushButton, ...]:
        """Return its buttons in the order of the keyboard, those that are not shown too."""
        return self.discard, self.remove, self.use, self.download, self.cancel

    def first_button(self) -> PushButton:
        """Return the button that does what the row is for at present."""
        shown = [b for b in (self.cancel, self.download, self.use) if not b.isHidden() and b.isEnabled()]
        return shown[0] if shown else self.remove

    def _show_progress(self, state: Fetching | None) -> None:
        self.progress.setVisible(state is not None)
        if state is None:
            return
        moving = state.phase is Phase.DOWNLOADING and state.total
        self.progress.setRange(0, _PARTS if moving or state.phase is Phase.WAITING else 0)
        if moving:
            self.progress.setValue(round(_PARTS * state.done / (state.total or 1)))
