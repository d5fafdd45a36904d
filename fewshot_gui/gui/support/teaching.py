"""What a person does in the support panel, turned into commands and into work for the intake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine.commands import (
    AddCategory,
    AddExamples,
    Command,
    CommandError,
    MoveCategory,
    RemoveCategory,
    RemoveExamples,
    SetShortcut,
    Together,
    name_key,
    new_category_id,
)
from fewshot_gui.engine.deciding.keys import rename_with_key, with_keys
from fewshot_gui.gui.support.wording import count_words, problem_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fewshot_gui.engine.intake import Intake
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import CategoryId, Document, Example
    from fewshot_gui.gui.mime import DraggedPicture, Dropped


class Teaching(QObject):
    """The asking side of the panel; `refused` and `removed` carry words for the person.

    `removed` is emitted after something was taken away that one undo brings back.
    """

    refused = Signal(str)
    removed = Signal(str)

    def __init__(self, session: Session, intake: Intake, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._intake = intake

    @property
    def document(self) -> Document:
        """Return the present document."""
        return self._session.document

    def do(self, command: Command) -> str:
        """Do `command`, and return why it was refused; an empty text where it was done."""
        try:
            self._session.do(command)
        except CommandError as error:
            return problem_words(error, self.document)
        return ""

    def ask(self, command: Command) -> bool:
        """Do `command`; where it is refused, emit the reason and return False."""
        reason = self.do(command)
        if reason:
            self.refused.emit(reason)
        return not reason

    def undo(self) -> None:
        """Take the last step back."""
        self._session.undo()

    def add_category(self, pictures: Sequence[DraggedPicture] = ()) -> CategoryId:
        """Return the id of a new category with a free name: "Category 1", "Category 2", ...

        Pictures that are examples of others move over into it, in the same step of undo.
        """
        new = new_category_id()
        add = AddCategory(new, self._free_name())
        moved, others = self._sorted_out(pictures)
        command = Together((add, AddExamples(new, moved))) if moved else add
        if self.ask(with_keys(self.document, command)) and others:
            self._intake.teach_all(others, new)
        return new

    def _free_name(self) -> str:
        taken = {name_key(category.name) for category in self.document.categories}
        numbers = range(1, len(taken) + 2)
        names = (self.tr("Category {number}").format(number=number) for number in numbers)
        return next(name for name in names if name_key(name) not in taken)

    def rename(self, category: CategoryId, name: str) -> str:
        """Rename `category`, and return why it was refused; an empty text where it was done."""
        # An undo can take a category away while its name is being written.
        if category not in self.document or self.document.category(category).name == name:
            return ""
        return self.do(rename_with_key(self.document, self.document.category(category), name))

    def move_by(self, category: CategoryId, places: int) -> None:
        """Move `category` up (negative) or down by `places`, as far as the list goes."""
        order = [other.id for other in self.document.categories]
        if category not in order:
            return  # it went while its menu was open
        index = order.index(category) + places
        if 0 <= index < len(order):
            self.ask(MoveCategory(category, index))

    def give_key(self, category: CategoryId, key: str) -> None:
        """Give `category` the shortcut `key`; a category that has it gets the former key in exchange."""
        if category not in self.document:
            return
        former = self.document.category(category).shortcut
        holder = next((other for other in self.document.categories if key and other.shortcut == key), None)
        if holder is None or holder.id == category:
            self.ask(SetShortcut(category, key))
        else:
            steps = (SetShortcut(holder.id, ""), SetShortcut(category, key), SetShortcut(holder.id, former))
            self.ask(Together(steps))

    def remove_category(self, category: CategoryId) -> None:
        """Remove `category`, and say what is gone."""
        if category not in self.document:
            return
        gone = self.document.category(category)
        if self.ask(RemoveCategory(category)):
            text = self.tr("Removed “{name}” ({count}).") if gone.examples else self.tr("Removed “{name}”.")
            self.removed.emit(text.format(name=gone.name, count=count_words(len(gone.examples))))

    def remove_examples(self, pictures: Sequence[PictureId]) -> None:
        """Take `pictures` out of their categories, and say how many where it is more than one."""
        if self.ask(RemoveExamples(tuple(pictures))) and len(pictures) > 1:
            self.removed.emit(self.tr("Removed {count}.").format(count=count_words(len(pictures))))

    def add_files(self, paths: Sequence[str], category: CategoryId | None) -> None:
        """Teach files and folders; without a category, the intake makes one for each folder."""
        self._intake.add_files(list(paths), category)

    @property
    def reading(self) -> bool:
        """Whether something that was dropped is being read."""
        return self._intake.busy

    def stop_reading(self) -> None:
        """Teach nothing of what is being read: it was dropped by mistake."""
        self._intake.stop_reading()

    def receive(self, dropped: Dropped, category: CategoryId | None, origin: str) -> None:
        """Teach `category`, or a new one where it is None, with what was dropped or pasted."""
        if dropped.files:
            self.add_files(dropped.files, category)
        elif dropped.pictures:
            if category is None:
                self.add_category(dropped.pictures)
            else:
                self._receive_pictures(dropped.pictures, category)
        elif dropped.image is not None:
            self._intake.add_pixels(dropped.image, category, origin, name=self._free_name)
        elif dropped.links:
            self.refused.emit(
                self.tr(
                    "The browser gave only an address. Copy the picture itself there, then paste it here."
                )
            )
        else:
            self.refused.emit(self.tr("There is no picture in what was dropped."))

    def move_examples(self, pictures: Sequence[DraggedPicture], category: CategoryId) -> None:
        """Move examples into `category`, unless it went while it was being chosen."""
        if category in self.document:
            self._receive_pictures(pictures, category)

    def _receive_pictures(self, pictures: Sequence[DraggedPicture], category: CategoryId) -> None:
        moved, others = self._sorted_out(pictures)
        if moved:
            self.ask(AddExamples(category, moved))
        if others:
            self._intake.teach_all(others, category)

    def _sorted_out(
        self, pictures: Sequence[DraggedPicture]
    ) -> tuple[tuple[Example, ...], list[tuple[PictureFile, PictureId | None]]]:
        """Return the pictures that are examples already, and the files of the others."""
        examples = self._examples()
        moved = tuple(examples[each.id] for each in pictures if each.id in examples)
        # Size and time are not asked for here: a disk can be slow, and the intake reads the file anyway.
        others = [
            (PictureFile(each.path, size=0, mtime_ns=0), PictureId(each.id) if each.id else None)
            for each in pictures
            if each.id not in examples
        ]
        return moved, others

    def _examples(self) -> dict[str | None, Example]:
        return {
            example.picture: example for category in self.document.categories for example in category.examples
        }
