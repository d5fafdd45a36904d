"""The row of filters: everything, each category, none of these, not seen yet, with live counts."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QScrollArea, QSizePolicy, QWidget

from fewshot_gui.engine.scores import Counts, Special
from fewshot_gui.gui.query.chip import HEIGHT, Chip
from fewshot_gui.gui.widgets import FlowLayout

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from PySide6.QtGui import QResizeEvent

    from fewshot_gui.engine.state import Category, CategoryId
    from fewshot_gui.gui.theme import Appearance

Filter: TypeAlias = "CategoryId | Special | None"
_SPACING = 8
_MOST_LINES = 2


class FilterChips(QWidget):
    """Chips of which exactly one is chosen; those of many categories scroll, two lines high.

    What is no category stands at the end: beside what scrolls, or together below one line of categories. It
    is wanted most, and never out of sight.
    """

    chosen = Signal(object)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._chips: dict[Filter, Chip] = {}
        self._categories: tuple[CategoryId, ...] = ()
        self._area = QScrollArea(self)
        self._page = QWidget()
        self._flow = FlowLayout(self._page, spacing=_SPACING)
        self._group = QButtonGroup(self)
        self.setObjectName("filterChips")
        self.setAccessibleName(self.tr("Show only"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidget(self._page)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # A scroll area fills its viewport with the window colour; the bar behind it has the surface colour.
        self._area.viewport().setAutoFillBackground(False)
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
            self._lead_tab()

    def _lead_tab(self) -> None:
        """Let the Tab key stop at the chosen chip: Qt leads it to the one that was made last."""
        for key, chip in self._chips.items():
            chip.setFocusPolicy(Qt.FocusPolicy.TabFocus if key == self.current else Qt.FocusPolicy.NoFocus)

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
        names[Special.UNKNOWN] = self.tr("Not seen")
        # Chips that stay are used again: adding a category to two hundred makes one chip, not two hundred.
        self._chips = {key: former.get(key) or self._chip(key, name) for key, name in names.items()}
        for key, chip in former.items():
            self._flow.removeWidget(chip)
            if key not in self._chips:
                self._group.removeButton(chip)
                chip.hide()
                chip.deleteLater()
        for key, chip in self._chips.items():
            if not isinstance(key, Special):
                self._flow.addWidget(chip)
            chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # Qt orders no others
        for left, right in pairwise(self._chips.values()):
            self.setTabOrder(left, right)
        self.choose(kept)
        self._lead_tab()
        if self.current != kept:
            self.chosen.emit(None)

    def _chip(self, key: Filter, name: str) -> Chip:
        chip = Chip(name, self._appearance, parent=self if isinstance(key, Special) else self._page)
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

    def minimumSizeHint(self) -> QSize:
        """Return room for the widest chip beside what is no category."""
        return self.sizeHint()

    def _fit(self) -> None:
        ends = [chip for key, chip in self._chips.items() if isinstance(key, Special)]
        before = _row_width(chip for key, chip in self._chips.items() if not isinstance(key, Special))
        one_line = before + _SPACING + _row_width(ends) <= self.width()
        below = not one_line and max(before, _row_width(ends)) <= self.width()
        row = one_line or below  # else a column, as high as the lines of categories beside it
        beside = max(chip.sizeHint().width() for chip in ends)
        room = before if row else max(0, self.width() - _SPACING - beside)
        height = HEIGHT if row else self._height(room)
        self._area.setGeometry(0, 0, room, height)
        place = QPoint(0, HEIGHT + _SPACING) if below else QPoint(room + _SPACING, 0)
        for chip in ends:
            chip.setGeometry(QRect(place, chip.sizeHint()))
            place += QPoint(chip.width() + _SPACING, 0) if row else QPoint(0, HEIGHT + _SPACING)
        height += HEIGHT + _SPACING if below else 0
        if height != self.height():
            self.setFixedHeight(height)

    def _height(self, room: int) -> int:
        """Return the height of the lines of categories: of two where they need no more."""
        most = _MOST_LINES * HEIGHT + (_MOST_LINES - 1) * _SPACING
        # Half a line more shows that there is more below.
        return most if self._flow.heightForWidth(room) <= most else most + HEIGHT // 2


def _row_width(chips: Iterable[Chip]) -> int:
    """Return the pixels that the chips take side by side."""
    widths = [chip.sizeHint().width() for chip in chips]
    return sum(widths) + _SPACING * (len(widths) - 1)
