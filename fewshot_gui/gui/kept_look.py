"""How the window looks, kept from one start to the next: colours, size, place, the widths of its panels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from PySide6.QtCore import QByteArray, QSettings

from fewshot_gui.engine.folders import data_folder
from fewshot_gui.gui.theme import ColourChoice

if TYPE_CHECKING:
    from fewshot_gui.gui.main_window import MainWindow

_COLOURS: Final = "colours"
_SIZE: Final = "size"
_PLACE: Final = "place"
_PANELS: Final = "panels"
_WIDEST: Final = 10_000
SIZES: Final = (100, 125, 150, 175, 200)
"""How large everything can be shown, in percent; the first is what the system says."""


def kept_colours() -> ColourChoice:
    """Return the colours that the person chose last; those of the system where nothing legible is kept."""
    kept = _settings().value(_COLOURS)
    return next((choice for choice in get_args(ColourChoice) if choice == kept), "system")


def keep_colours(choice: ColourChoice) -> None:
    """Keep the choice; silently not where the user's data folder cannot be written: it is a convenience."""
    _settings().setValue(_COLOURS, choice)


def kept_size() -> int:
    """Return how large the person wants everything, in percent; 100 where nothing legible is kept."""
    kept = str(_settings().value(_SIZE))
    return next((percent for percent in SIZES if str(percent) == kept), SIZES[0])


def keep_size(percent: int) -> None:
    """Keep the choice, one of `SIZES`, for the starts to come."""
    _settings().setValue(_SIZE, percent)


def keep_place(window: MainWindow) -> None:
    """Keep where the window is, how large, whether maximised, and how wide its outer panels are."""
    settings = _settings()
    settings.setValue(_PLACE, window.saveGeometry())
    settings.setValue(_PANELS, [str(width) for width in window.panels.widths])


def restore_place(window: MainWindow) -> None:
    """Put the window where it was last; what is not legible, or of a screen that is gone, is passed over."""
    settings = _settings()
    place = settings.value(_PLACE)
    if isinstance(place, QByteArray):
        # Qt moves it onto a screen that is there, makes it no larger than that, and refuses nonsense.
        window.restoreGeometry(place)
    widths = settings.value(_PANELS)
    if isinstance(widths, list) and len(widths) == len(window.panels.widths):
        known = [int(width) for width in widths if str(width).isdecimal() and int(width) < _WIDEST]
        if len(known) == len(widths):
            window.panels.set_widths(*known)


def take_place(window: MainWindow, former: MainWindow) -> None:
    """Put the window where another one is, as large, as maximised and with panels as wide."""
    maximised = former.isMaximized()
    window.setGeometry(former.normalGeometry() if maximised else former.geometry())
    if maximised:
        window.setWindowState(former.windowState())
    window.panels.set_widths(*former.panels.widths)


def _settings() -> QSettings:
    # A file of our own beside the sessions: FEWSHOT_DATA moves it too, which the registry would not follow.
    return QSettings(str(data_folder() / "window.ini"), QSettings.Format.IniFormat)
