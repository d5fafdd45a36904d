"""The sessions used last, as a menu: whoever began another one finds the former again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QFileInfo, QLocale, Signal
from PySide6.QtWidgets import QMenu

from fewshot_gui.engine.session_places import is_same_file, recent_sessions

if TYPE_CHECKING:
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget


class RecentMenu(QMenu):
    """Lists the sessions each time it opens; `chosen(path)` is emitted for the one that is picked.

    Args:
        present: the path of the session that is open, which is ticked.
        parent: the window.
    """

    chosen = Signal(str)

    def __init__(self, present: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._present = present
        self.setObjectName("recentMenu")
        self.setTitle(self.tr("Open &recent"))
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """List what is there now, with the time of its last change: a new session is called Untitled."""
        self.clear()
        for path in recent_sessions():
            self._add(path)
        if self.isEmpty():
            self.addAction(self.tr("No other session yet")).setEnabled(False)

    def _add(self, path: str) -> QAction:
        file = QFileInfo(path)
        name = file.completeBaseName().replace("&", "&&")
        when = QLocale().toString(file.lastModified(), QLocale.FormatType.ShortFormat)
        action = self.addAction(f"{name}\t{when}", lambda: self.chosen.emit(path))
        action.setToolTip(path)
        if is_same_file(path, self._present):
            action.setCheckable(True)
            action.setChecked(True)
        return action
