"""The two file dialogs of sessions, which begin where the sessions lie."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QFileDialog

from fewshot_gui.engine.session_places import SUFFIX
from fewshot_gui.gui.file_names import with_suffix

if TYPE_CHECKING:
    from fewshot_gui.gui.main_window import MainWindow

translate = QCoreApplication.translate


def ask_session_path(window: MainWindow | None) -> str:
    """Return the session file that the person chooses, empty where none."""
    chosen, _ = QFileDialog.getOpenFileName(
        window, translate("SessionDialogs", "Open a session"), _folder(window), _pattern()
    )
    return chosen


def ask_copy_path(window: MainWindow) -> str:
    """Return where a copy of the session shall go, with the ending of sessions; empty where nowhere."""
    chosen, _ = QFileDialog.getSaveFileName(  # what is there is refused, whatever is answered
        window, translate("SessionDialogs", "Save a copy"), _folder(window), _pattern(),
        options=QFileDialog.Option.DontConfirmOverwrite,
    )  # fmt: skip
    return with_suffix(chosen, SUFFIX)


def _folder(window: MainWindow | None) -> str:
    # Qt's own choice is the folder that the program was started in, where no session ever lies.
    return os.path.dirname(window.workspace.session.path) if window is not None else ""  # noqa: PTH120 - a text


def _pattern() -> str:
    return translate("SessionDialogs", "Sessions (*{0})").format(SUFFIX)
