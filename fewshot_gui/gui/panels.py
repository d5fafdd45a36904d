"""The three panels side by side; in a narrow window one of the outer two at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QSplitter, QWidget

from fewshot_gui.gui.theme import GRID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QResizeEvent

WIDTHS: Final = (300, 304)
NARROW: Final = 1210
"""In fewer pixels there is only one outer panel: the bar of the piles, with its counts, needs the room."""
_LEFT, _MIDDLE, _RIGHT = range(3)
_OUTER: Final = (_LEFT, _RIGHT)


class Panels(QSplitter):
    """Categories, pictures and details; the middle one takes what the window gains, and gives what it loses.

    `narrowed(narrow)` is emitted when the window becomes too narrow for three, or wide enough again.
    """

    narrowed = Signal(bool)

    def __init__(self, panels: Sequence[QWidget], parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._parts = tuple(panels)
        self._widths = WIDTHS
        self._side = _LEFT
        self.narrow = False
        for number, panel in enumerate(panels):
            self.addWidget(panel)
            self.setStretchFactor(number, int(number == _MIDDLE))
            self.setCollapsible(number, number != _MIDDLE)
        self.setHandleWidth(GRID)
        self.setContentsMargins(GRID, 0, GRID, 0)
        self.splitterMoved.connect(lambda *_: self._note())

    @property
    def widths(self) -> tuple[int, int]:
        """The pixels of the left and the right panel when they were seen last; 0 where one is folded away."""
        return self._widths

    def set_widths(self, left: int, right: int) -> None:
        """Give the outer panels so many pixels, and the middle one the rest."""
        self._widths = left, right
        self._share()

    @property
    def details_shown(self) -> bool:
        """Whether the right panel is there."""
        return self._is_shown(_RIGHT)

    def show_details(self, *, on: bool) -> None:
        """Show the right panel, or the left one: in a narrow window each in place of the other."""
        self._side = _RIGHT if on else _LEFT
        self._choose()
        self._share()

    def minimumSizeHint(self) -> QSize:
        """Return the room for two panels: the right one gives way to the left one."""
        hint = super().minimumSizeHint()
        if not self.narrow:
            right = self._parts[_RIGHT]
            least = max(right.minimumWidth(), right.minimumSizeHint().width())
            hint.setWidth(hint.width() - least - self.handleWidth())
        return hint

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Take a panel away, or bring it back, where the width asks for it."""
        narrow = event.size().width() < NARROW
        changed = narrow is not self.narrow
        if changed:
            self.narrow, self._side = narrow, _LEFT
            self._choose()
        super().resizeEvent(event)
        if changed or not event.oldSize().isValid():
            self._share()
        if changed:
            self.narrowed.emit(narrow)

    def _choose(self) -> None:
        for number in _OUTER:
            self._parts[number].setVisible(not self.narrow or number == self._side)

    def _share(self) -> None:
        left, right = (
            # What was folded away is wanted again where it is asked for in place of the other.
            wide or usual if self.narrow else wide
            for wide, usual in zip(self._widths, WIDTHS, strict=True)
        )
        shown = [width for number, width in zip(_OUTER, (left, right), strict=True) if self._is_shown(number)]
        room = self.contentsRect().width() - len(shown) * self.handleWidth()
        self.setSizes([left, max(1, room - sum(shown)), right])

    def _is_shown(self, number: int) -> bool:
        return not self._parts[number].isHidden()

    def _note(self) -> None:
        sizes = self.sizes()
        left, right = (
            sizes[number] if self._is_shown(number) else self._widths[index]
            for index, number in enumerate(_OUTER)
        )
        self._widths = left, right
