"""The menu of a card: everything that can be done to a category."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QMenu, QWidget

from fewshot_gui.engine.commands import MergeCategories
from fewshot_gui.engine.deciding.keys import free_letter
from fewshot_gui.engine.state import SHORTCUT_DIGITS
from fewshot_gui.gui.icons import icon

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QColor

    from fewshot_gui.engine.state import Category, CategoryId
    from fewshot_gui.gui.support.teaching import Teaching
    from fewshot_gui.gui.theme import Appearance


LONGEST = 32


class CardMenu(QMenu):
    """Rename, colour, key, add files, move, merge, remove; it deletes itself when it closes."""

    def __init__(
        self, category: Category, teaching: Teaching, appearance: Appearance, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setObjectName("cardMenu")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setToolTipsVisible(True)
        self._category = category
        self._teaching = teaching
        self._appearance = appearance

    def fill(
        self, *, rename: Callable[[], object], colour: Callable[[], object], files: Callable[[], object]
    ) -> CardMenu:
        """Return the menu with its entries; the three calls are the card's own."""
        text, category, teaching = self._appearance.theme.text, self._category, self._teaching
        order = [other.id for other in teaching.document.categories]
        place = order.index(category.id)
        self.addAction(icon("edit", text), self.tr("Rename\tF2"), rename)
        self.addAction(icon("palette", text), self.tr("Colour…"), colour)
        self._add_keys()
        self.addAction(icon("add", text), self.tr("Add files…"), files)
        self.addSeparator()
        up = self.addAction(
            icon("up", text), self.tr("Move up\tAlt+Up"), lambda: teaching.move_by(category.id, -1)
        )
        up.setEnabled(place > 0)
        down = self.addAction(
            icon("down", text), self.tr("Move down\tAlt+Down"), lambda: teaching.move_by(category.id, 1)
        )
        down.setEnabled(place < len(order) - 1)
        self._add_merge()
        self.addSeparator()
        remove = self.tr("Remove category\tDelete")
        danger = self._appearance.theme.danger
        self.addAction(icon("remove", danger), remove, lambda: teaching.remove_category(category.id))
        return self

    def _add_keys(self) -> None:
        menu = self.addMenu(self.tr("Key"))
        menu.setObjectName("keyMenu")
        document, own = self._teaching.document, self._category.shortcut
        holders = {other.shortcut: other.name for other in document.categories}
        letter = own if own.isalpha() else free_letter(document, self._category)
        for key in (*SHORTCUT_DIGITS, *letter):
            holder = holders.get(key)
            free = holder is None or key == own
            name = _shortened(holder or "")
            text = key.upper() if free else self.tr("{key}  (swap with {name})").format(key=key, name=name)
            self._add_key(menu, text, key)
        menu.addSeparator()
        self._add_key(menu, self.tr("No key"), "")

    def _add_key(self, menu: QMenu, text: str, key: str) -> None:
        action = menu.addAction(
            text.replace("&", "&&"), lambda: self._teaching.give_key(self._category.id, key)
        )
        action.setCheckable(True)
        action.setChecked(self._category.shortcut == key)

    def _add_merge(self) -> None:
        menu = self.addMenu(icon("merge", self._appearance.theme.text), self.tr("Merge into"))
        menu.setObjectName("mergeMenu")
        source = self._category.id
        for other in self._teaching.document.categories:
            if other.id != source:
                _add_target(
                    menu, other, self._appearance.theme.category(other.colour), self._teaching, source
                )
        menu.setEnabled(not menu.isEmpty())


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _add_target(menu: QMenu, other: Category, colour: QColor, teaching: Teaching, source: CategoryId) -> None:
    swatch = QPixmap(16, 16)
    swatch.fill(colour)
    name = _shortened(other.name).replace("&", "&&")
    action = menu.addAction(QIcon(swatch), name)
    action.triggered.connect(lambda: teaching.ask(MergeCategories(source, other.id)))
