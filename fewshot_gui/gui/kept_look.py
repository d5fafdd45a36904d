"""How the window looks, kept from one start to the next: its colours, its place, the widths of its panels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from PySide6.QtCore import QByteArray

from fewshot_gui.gui.theme import ColourChoice
from fewshot_gui.gui.window_settings import window_settings

if TYPE_CHECKING:
    from fewshot_gui.gui.main_window import MainWindow

_COLOURS: Final = "colours"
_PLACE: Final = "place"
_PANELS: Final = "panels"
_WIDEST: Final = 10_000


def kept_colours() -> ColourChoice:
    """Return the colours that the person chose last; those of the system where nothing legible is kept."""
    kept = window_settings().value(_COLOURS)
    return next((choice for choice in get_args(ColourChoice) if choice == kept), "system")


def keep_colours(choice: ColourChoice) -> None:
    """Keep the choice; silently not where the user's data folder cannot be written: it is a convenience."""
    window_settings().setValue(_COLOURS, choice)


def keep_place(window: MainWindow) -> None:
    """Keep where the window is, how large, whether maximised, and how wide its outer panels are."""
    settings = window_settings()
    settings.setValue(_PLACE, window.saveGeometry())
    settings.setValue(_PANELS, [str(width) for width in window.panels.widths])


def restore_place(window: MainWindow) -> None:
    """Put the window where it was last; what is not legible, or of a screen that is gone, is passed over."""
    settings = window_settings()
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
