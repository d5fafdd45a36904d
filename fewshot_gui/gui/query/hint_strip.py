"""A line above the pictures that says what to do first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from fewshot_gui.gui.icons import icon

if TYPE_CHECKING:
    from fewshot_gui.engine.state import Document
    from fewshot_gui.gui.theme import Appearance


class HintStrip(QFrame):
    """Shown until two categories are taught: add a category, give it pictures, then another."""

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self.setObjectName("galleryHint")
        self._sign = QLabel(self)
        self._words = QLabel(self)
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 10, 16, 2)
        row.setSpacing(8)
        row.addWidget(self._sign)
        row.addWidget(self._words, 1)
        appearance.changed.connect(self._tint)
        self._tint()

    @property
    def words(self) -> str:
        """What the strip says."""
        return self._words.text()

    def show_for(self, document: Document, *, opened: bool) -> None:
        """Say the next step for this document, or be hidden where two categories are taught."""
        taught = [category for category in document.categories if category.examples]
        if not document.categories:
            words = self.tr("Add a category on the left, then drag pictures into it.")
        elif not taught:
            words = self.tr("Drag pictures onto a category, or choose some and press the key of a category.")
        elif len(document.categories) == 1:
            words = self.tr("Nearly everything is “{0}” until there is a second category. Add one (Ctrl+N).")
        else:
            words = self.tr("Nearly everything is “{0}” until a second category has an example, too.")
        self._words.setText(words.format(taught[0].name) if taught else words)
        self.setVisible(opened and len(taught) < 2)

    def _tint(self) -> None:
        self._sign.setPixmap(icon("info", self._appearance.theme.accent).pixmap(16, 16))
