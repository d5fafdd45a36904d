"""The menu of chosen examples: move them, split them off, see where they lie, remove them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.gui.icons import icon
from fewshot_gui.gui.query.tile_menu import dot_icon, show_in_file_manager

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fewshot_gui.engine.state import Category, CategoryId
    from fewshot_gui.gui.mime import DraggedPicture
    from fewshot_gui.gui.support.teaching import Teaching
    from fewshot_gui.gui.theme import Appearance


class ExampleMenu(QMenu):
    """What can be done to examples of `category`, at least one; it deletes itself when it closes.

    Args:
        pictures: the chosen ones.
        category: whose examples they are.
        teaching: does it.
        appearance: the look.
        split: puts the pictures into a new category, whose name is typed then.
        parent: the card.
    """

    def __init__(
        self,
        pictures: Sequence[DraggedPicture],
        category: Category,
        teaching: Teaching,
        appearance: Appearance,
        split: Callable[[Sequence[DraggedPicture]], object],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("exampleMenu")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._pictures, self._teaching, theme = tuple(pictures), teaching, appearance.theme
        targets = self.addMenu(icon("merge", theme.text), self._move_words())
        targets.setObjectName("moveExamplesMenu")
        for other in teaching.document.categories:
            if other.id != category.id:
                action = targets.addAction(
                    dot_icon(theme.category(other.colour)), other.name.replace("&", "&&")
                )
                action.triggered.connect(self._mover(other.id))
        targets.addSeparator()
        targets.addAction(icon("add", theme.text), self.tr("A new category"), lambda: split(self._pictures))
        paths = [each.path for each in self._pictures if each.path]
        if len(self._pictures) == 1 and paths:
            self.addAction(
                icon("folder", theme.text),
                self.tr("Show in its folder"),
                lambda: show_in_file_manager(paths[0]),
            )
        self.addSeparator()
        self.addAction(icon("remove", theme.danger), self.tr("Remove\tDelete"), self._remove)

    def _move_words(self) -> str:
        if len(self._pictures) == 1:
            return self.tr("Move to")
        return self.tr("Move {count} examples to").format(count=f"{len(self._pictures):,}")

    def _mover(self, category: CategoryId) -> Callable[[], None]:
        return lambda: self._teaching.move_examples(self._pictures, category)

    def _remove(self) -> None:
        self._teaching.remove_examples([PictureId(each.id) for each in self._pictures if each.id])
