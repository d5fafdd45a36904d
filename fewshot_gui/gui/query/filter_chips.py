"""The row of filters: everything, each category, none of these, not seen yet, with live counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QScrollArea, QSizePolicy, QWidget

from fewshot_gui.engine.scores import Counts, Special
from fewshot_gui.gui.query.chip import HEIGHT, Chip
from fewshot_gui.gui.widgets import FlowLayout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PySide6.QtGui import QResizeEvent

    from fewshot_gui.engine.state import Category, CategoryId
    from fewshot_gui.gui.theme import Appearance

Filter: TypeAlias = "CategoryId | Special | None"
_SPACING = 8
_MOST_LINES = 2


class FilterChips(QScrollArea):
    """One chip of which exactly one is chosen; with many categories the chips scroll, two lines high."""

    chosen = Signal(object)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._chips: dict[Filter, Chip] = {}
        self._categories: tuple[CategoryId, ...] = ()
        self._page = QWidget(self)
        self._flow = FlowLayout(self._page, spacing=_SPACING)
        self._group = QButtonGroup(self)
        self.setObjectName("filterChips")
        self.setAccessibleName(self.tr("Show only"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidget(self._page)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # A scroll area fills its viewport with the window colour; the bar behind it has the surface colour.
        self.viewport().setAutoFillBackground(False)
        self._page.setAutoFillBackground(False)
        self.show_categories(())

    @property
    def current(self) -> Filter:
        """What is shown: a category, a special label, or None for everything."""
        return next((key for key, chip in self._chips.items() if chip.isChecked()), None)

    def choose(self, wanted: Filter) -> None:
        """Choose this filter, or everything where it is not there any more."""
        key = wanted if wanted in self._chips else None
        if self.current != key or not self._chips[key].isChecked():
            self._chips[key].setChecked(True)

    def chip(self, key: Filter) -> Chip:
        """Return the chip of a filter.

        Raises:
            KeyError: there is none.
        """
        return self._chips[key]

    def show_categories(self, categories: Sequence[Category]) -> None:
        """Offer these categories, in their order; a chosen one stays chosen."""
        ids = tuple(category.id for category in categories)
        if ids != self._categories or not self._chips:
            self._rebuild(categories)
        for category in categories:
            self._chips[category.id].set_look(category.name, category.colour)
            self._chips[category.id].setObjectName(f"filterChip:{category.name}")
        self._fit()

    def show_counts(self, total: int, counts: Counts | None, classes: Sequence[CategoryId]) -> None:
        """Show how many pictures each filter would show."""
        numbers: Mapping[Filter, int] = dict(zip(classes, counts.categories, strict=True)) if counts else {}
        special = {
            None: total,
            Special.NONE_OF_THESE: counts.none_of_these if counts else 0,
            # Rows that were listed since the last scores were not seen either.
            Special.UNKNOWN: total - sum(numbers.values()) - (counts.none_of_these if counts else 0),
        }
        for key, chip in self._chips.items():
            number = special[key] if isinstance(key, Special) or key is None else numbers.get(key, 0)
            if chip.count != number:
                chip.set_count(number)
        self._fit()

    def _rebuild(self, categories: Sequence[Category]) -> None:
        kept, former = self.current, self._chips
        self._categories = tuple(category.id for category in categories)
        names: dict[Filter, str] = {None: self.tr("All")}
        names |= {category.id: category.name for category in categories}
        names[Special.NONE_OF_THESE] = self.tr("None of these")
        names[Special.UNKNOWN] = self.tr("Not seen yet")
        # Chips that stay are used again: adding a category to two hundred makes one chip, not two hundred.
        self._chips = {key: former.get(key) or self._chip(key, name) for key, name in names.items()}
        for key, chip in former.items():
            self._flow.removeWidget(chip)
            if key not in self._chips:
                self._group.removeButton(chip)
                chip.hide()
                chip.deleteLater()
        for chip in self._chips.values():
            self._flow.addWidget(chip)
        self.choose(kept)
        if self.current != kept:
            self.chosen.emit(None)

    def _chip(self, key: Filter, name: str) -> Chip:
        chip = Chip(name, self._appearance, parent=self._page)
        chip.setObjectName(f"filterChip:{name}")
        chip.toggled.connect(
            lambda on: self.chosen.emit(key) if on and self._chips.get(key) is chip else None
        )
        self._group.addButton(chip)
        chip.show()
        return chip

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Be as high as the lines of chips at this width."""
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        """Return the height of one line."""
        return QSize(240, HEIGHT)

    def _fit(self) -> None:
        most = _MOST_LINES * HEIGHT + (_MOST_LINES - 1) * _SPACING
        wanted = self._flow.heightForWidth(self.viewport().width())
        # Half a line more shows that there is more below.
        height = wanted if wanted <= most else most + HEIGHT // 2
        if height != self.height():
            self.setFixedHeight(max(HEIGHT, height))
