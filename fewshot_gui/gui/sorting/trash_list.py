"""The categories, to be ticked where their pictures go to the trash and to no folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtWidgets import QWidget

    from fewshot_gui.engine.state import Category

NONE_OF_THESE = ""
"""Stands for the pictures that are none of these, among the ids of the categories."""
_LINES_SEEN = 4
_LINE, _FRAME = 24, 14  # pixels: a line, and what the style sheet puts around all of them


class TrashList(QListWidget):
    """One line a category, and the last one for none of these; `itemChanged` when one is ticked."""

    def __init__(self, categories: Iterable[Category], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sortTrash")
        self.setAccessibleName(self.tr("What goes to the trash and to no folder"))
        for category in categories:
            self._add(category.name, category.id)
        self._add(self.tr("None of these"), NONE_OF_THESE)
        lines = min(self.count(), _LINES_SEEN)
        self.setFixedHeight(lines * _LINE + _FRAME)

    def _add(self, name: str, key: str) -> None:
        item = QListWidgetItem(name, self)
        item.setSizeHint(QSize(0, _LINE))
        item.setData(Qt.ItemDataRole.UserRole, key)
        item.setFlags(
            Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable
        )
        item.setCheckState(Qt.CheckState.Unchecked)

    @property
    def keys(self) -> list[str]:
        """The ids of the ticked categories, and NONE_OF_THESE where that is ticked."""
        return [str(item.data(Qt.ItemDataRole.UserRole)) for item in self._ticked()]

    @property
    def names(self) -> list[str]:
        """The names of the ticked categories; none of these is none of them."""
        return [item.text() for item in self._ticked() if item.data(Qt.ItemDataRole.UserRole)]

    def tick(self, keys: Iterable[object]) -> None:
        """Tick these and no others; those of categories that are gone are passed over."""
        wanted = set(keys)
        for item in self._items():
            on = item.data(Qt.ItemDataRole.UserRole) in wanted
            item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)

    def _items(self) -> list[QListWidgetItem]:
        return [self.item(row) for row in range(self.count())]

    def _ticked(self) -> list[QListWidgetItem]:
        return [item for item in self._items() if item.checkState() is Qt.CheckState.Checked]
