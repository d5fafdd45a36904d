"""The file in which the window keeps how it looks."""

from __future__ import annotations

from PySide6.QtCore import QSettings

from fewshot_gui.engine.folders import data_folder


def window_settings() -> QSettings:
    """Return what is kept; silently nothing where the user's data folder cannot be read or written."""
    # A file of our own beside the sessions: FEWSHOT_DATA moves it too, which the registry would not follow.
    return QSettings(str(data_folder() / "window.ini"), QSettings.Format.IniFormat)
