"""The head of the gallery: which folder, how far it is looked at, what is shown and in which order."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSlider, QVBoxLayout, QWidget

from fewshot_gui.gui.query.arranging import Arrangement
from fewshot_gui.gui.query.filter_chips import FilterChips
from fewshot_gui.gui.query.grid_view import DEFAULT_SIDE, TILE_SIDES
from fewshot_gui.gui.widgets import ComboBox, ElidedLabel, ToolButton

if TYPE_CHECKING:
    from fewshot_gui.engine.scores import OrderKey
    from fewshot_gui.gui.theme import Appearance

# What one wants to see first: the surest, the most doubtful; names and folders from the top.
_FIRST_DESCENDING: Final[dict[OrderKey, bool]] = {
    "confidence": True,
    "uncertainty": True,
    "doubt": True,
    "name": False,
    "folder": False,
}


class FilterBar(QWidget):
    """Says what is shown and lets it be chosen.

    `arranged` carries the Arrangement that was chosen, `resized` the wanted width of a tile in pixels, and
    `open_requested` asks for another folder.
    """

    arranged = Signal(object)
    resized = Signal(int)
    open_requested = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._descending = False
        self._folder = ElidedLabel(parent=self, mode=Qt.TextElideMode.ElideMiddle)
        self._folder.setProperty("role", "heading")
        self._folder.setObjectName("folderName")
        self._note = QLabel(self)
        self._note.setProperty("role", "muted")
        self._note.setObjectName("folderNote")
        self._open = ToolButton("folder", self.tr("Open a folder"), self, key="Ctrl+O")
        self._open.setObjectName("openFolderButton")
        self._open.clicked.connect(self.open_requested)
        self._sort = self._make_sort()
        self._direction = ToolButton("up", self.tr("Turn the order around"), self)
        self._direction.setObjectName("sortDirection")
        self._direction.clicked.connect(self._turn)
        self._size = self._make_size()
        self._progress = QProgressBar(self)
        self._progress.setTextVisible(False)
        self._progress.setObjectName("folderProgress")
        self._progress.setAccessibleName(self.tr("Pictures seen"))
        self.chips = FilterChips(appearance, self)
        self.chips.chosen.connect(self._arrange)
        self._lay_out()

    def _make_sort(self) -> ComboBox:
        box = ComboBox(self)
        box.setObjectName("sortSelector")
        box.setAccessibleName(self.tr("Sort by"))
        box.setToolTip(self.tr("Sort the pictures by this"))
        box.addItem(self.tr("Folder order"), "folder")
        box.addItem(self.tr("Name"), "name")
        box.addItem(self.tr("Confidence"), "confidence")
        box.addItem(self.tr("Uncertainty"), "uncertainty")
        box.addItem(self.tr("Doubtful labels"), "doubt")
        words = self.tr(
            "What you taught, said or accepted, and the program would call otherwise, comes first"
        )
        box.setItemData(box.count() - 1, words, Qt.ItemDataRole.ToolTipRole)
        box.activated.connect(self._sorted)
        return box

    def _make_size(self) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal, self)
        slider.setObjectName("tileSizeSlider")
        slider.setAccessibleName(self.tr("Tile size"))
        slider.setToolTip(self.tr("Size of the pictures"))
        slider.setRange(*TILE_SIDES)
        slider.setPageStep(32)
        slider.setSingleStep(8)
        slider.setValue(DEFAULT_SIDE)
        slider.setFixedWidth(88)
        slider.valueChanged.connect(self.resized)
        return slider

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._open)
        top.addWidget(self._folder)
        top.addWidget(self._note)
        top.addStretch(1)
        top.addWidget(self._sort)
        top.addWidget(self._direction)
        top.addSpacing(8)
        top.addWidget(self._size)
        column = QVBoxLayout(self)
        # The right edge is that of the tiles, which end 16 px before a scroll bar of 10 px.
        column.setContentsMargins(12, 12, 26, 8)
        column.setSpacing(8)
        column.addLayout(top)
        below = QVBoxLayout()
        # The folder button carries 4 px of its own around its icon; what is below lines up with the tiles.
        below.setContentsMargins(4, 0, 0, 0)
        below.setSpacing(8)
        below.addWidget(self._progress)
        below.addWidget(self.chips)
        column.addLayout(below)
        policy = self._progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._progress.setSizePolicy(policy)

    @property
    def arrangement(self) -> Arrangement:
        """What is chosen now."""
        key: OrderKey = self._sort.currentData()
        return Arrangement(key, self._descending, self.chips.current)

    def show_folder(self, folder: str, count: int, embedded: int, *, listing: bool) -> None:
        """Say which folder this is, how many pictures it has, and how many were looked at."""
        self._folder.setText(PurePath(folder).name or folder)
        self._folder.setAccessibleDescription(folder)
        busy = embedded < count
        if listing:
            words = self.tr("1 picture so far") if count == 1 else self.tr("{count} pictures so far")
            note = words.format(count=f"{count:,}")
        elif busy:
            note = self.tr("{done} of {count} seen").format(done=f"{embedded:,}", count=f"{count:,}")
        else:
            note = self.tr("1 picture") if count == 1 else self.tr("{n} pictures").format(n=f"{count:,}")
        self._note.setText(note)
        self._progress.setRange(0, max(1, count))
        self._progress.setValue(embedded)
        self._progress.setVisible(busy)

    def allow_sorting(self, allowed: bool) -> None:
        """Let the order be chosen, or not: questions have an order of their own."""
        self._sort.setEnabled(allowed)
        self._direction.setEnabled(allowed)

    def choose(self, key: OrderKey, *, descending: bool) -> None:
        """Sort by this from now on."""
        self._sort.setCurrentIndex(self._sort.findData(key))
        self._set_direction(descending=descending)
        self._arrange()

    def _sorted(self) -> None:
        key: OrderKey = self._sort.currentData()
        self._set_direction(descending=_FIRST_DESCENDING[key])
        self._arrange()

    def _turn(self) -> None:
        self._set_direction(descending=not self._descending)
        self._arrange()

    def _set_direction(self, *, descending: bool) -> None:
        self._descending = descending
        self._direction.set_icon("down" if descending else "up")
        self._direction.set_tip(self._direction_words(descending=descending))

    def _direction_words(self, *, descending: bool) -> str:
        if self._sort.currentData() in {"folder", "name"}:
            if descending:
                return self.tr("From the last to the first; click to turn around")
            return self.tr("From the first to the last; click to turn around")
        if descending:
            return self.tr("Largest first; click to turn around")
        return self.tr("Smallest first; click to turn around")

    def _arrange(self) -> None:
        self.arranged.emit(self.arrangement)
