"""How large everything is shown, as a menu: for a projector, or for eyes that want it larger."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from fewshot_gui.gui.window_settings import window_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEY: Final = "size"
_FACTOR: Final = "QT_SCALE_FACTOR"
SIZES: Final = (100, 125, 150, 175, 200)
"""How large everything can be shown, in percent; the first is what the system says."""


class SizeMenu(QMenu):
    """Offers the sizes, and keeps the one that is picked for the starts to come; `chosen(percent)` tells it.

    Qt takes up the size of everything at the start of the program alone. A size at which the window would
    not fit on its screen cannot be picked.

    Args:
        window: the window.
        shown: the size that this program was started with, in percent.
    """

    chosen = Signal(int)

    def __init__(self, window: QWidget, shown: int) -> None:
        super().__init__(window)
        self._window, self._shown = window, shown
        self.setObjectName("sizeMenu")
        self.setTitle(self.tr("Si&ze of everything"))
        self.setToolTipsVisible(True)
        group = QActionGroup(self)
        kept = kept_size()
        for percent in SIZES:
            words = self.tr("As the system says") if percent == SIZES[0] else self.tr("{0} %").format(percent)
            action = self.addAction(words)
            action.setData(percent)
            action.setCheckable(True)
            action.setChecked(percent == kept)
            group.addAction(action)
        group.triggered.connect(lambda action: self._choose(action.data()))
        self.aboutToShow.connect(self.find_fitting)

    def find_fitting(self) -> None:
        """Offer what fits on the screen that the window is on now."""
        room, needed = self._window.screen().availableSize(), self._window.minimumSizeHint()
        for action in self.actions():
            grown = action.data() / self._shown
            fits = needed.width() * grown <= room.width() and needed.height() * grown <= room.height()
            action.setEnabled(fits or action.isChecked() or action.data() == SIZES[0])
            action.setToolTip("" if action.isEnabled() else self.tr("Too large for this screen."))

    def _choose(self, percent: int) -> None:
        keep_size(percent)
        self.chosen.emit(percent)


def kept_size() -> int:
    """Return how large the person wants everything, in percent; 100 where nothing legible is kept."""
    kept = str(window_settings().value(_KEY))
    return next((percent for percent in SIZES if str(percent) == kept), SIZES[0])


def keep_size(percent: int) -> None:
    """Keep the choice, one of `SIZES`, for the starts to come."""
    window_settings().setValue(_KEY, percent)


@contextmanager
def sized(percent: int) -> Iterator[None]:
    """Have an application that is built within show everything at this percentage of its usual size.

    A scale factor in the environment is multiplied, and stands again afterwards: the programs that this one
    opens, such as a file manager, are none of its business.
    """
    given = os.environ.get(_FACTOR)
    try:
        factor = float(given or 1)
    except ValueError:  # Qt passes it over as well
        factor = 1.0
    if percent != SIZES[0]:
        os.environ[_FACTOR] = str(factor * percent / 100)
    try:
        yield
    finally:
        os.environ.pop(_FACTOR, None)
        if given is not None:
            os.environ[_FACTOR] = given
