"""What a person answers to the pictures of the gallery, about the very pictures that they saw."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from fewshot_gui.engine.commands import (
    AcceptLabels,
    AddExamples,
    LabelNoneOfThese,
    LabelPictures,
    RemoveExamples,
    Together,
    WithdrawLabels,
)
from fewshot_gui.engine.deciding.answers import accept_rows
from fewshot_gui.engine.deciding.piles import Pile
from fewshot_gui.engine.scores import UNKNOWN, Said, Special
from fewshot_gui.engine.session_error import SessionError
from fewshot_gui.engine.state import Example
from fewshot_gui.gui.query.answer_keys import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.commands import Command
    from fewshot_gui.engine.deciding.answers import Shown
    from fewshot_gui.engine.gallery import Gallery
    from fewshot_gui.engine.intake import Intake
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import CategoryId
    from fewshot_gui.gui.query.gallery_model import GalleryModel
    from fewshot_gui.gui.query.gallery_view import GalleryView

AT_ONCE: Final = 5_000
"""So many pictures are accepted before the window may draw again: 50,000 would hold it for 0.2 s and more."""


class Answerer(QObject):
    """Turns keys and buttons into commands, and moves the cursor on.

    `finished` says that a whole pile was accepted.

    Args:
        session: carries out the commands.
        gallery: the pictures of the rows.
        intake: teaches, and keeps the thumbnails of what is taught.
        model: what is shown.
        view: what is chosen, and what the person saw of it.
        parent: owns the answerer.
    """

    finished = Signal()

    def __init__(
        self,
        session: Session,
        gallery: Gallery,
        intake: Intake,
        model: GalleryModel,
        view: GalleryView,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.teaching = True
        self._large: Shown | None = None
        self._session, self._gallery, self._intake = session, gallery, intake
        self._model, self._view = model, view
        self._waiting: deque[AcceptLabels] = deque()
        self._gesture = object()
        self._next = QTimer(self, interval=0)
        self._next.timeout.connect(self._accept_some)

    # One picture, or the chosen ones -----------------------------------------------------------------

    def name(self, category: CategoryId) -> None:
        """Say that the chosen pictures belong to this category, teach it or not, and move on."""
        rows = self._held()
        if self._name(rows, category):
            self._move_on(rows)

    def teach(self, category: CategoryId) -> None:
        """Put the chosen pictures into this category, as one step of undo."""
        self._teach(self._view.targets(), category)

    def answer(self, answer: Answer) -> None:
        """Do what a key asks for."""
        if answer is Answer.ACCEPT_LINE:
            self._accept_line()
            return
        rows = self._held()
        if self._answer(rows, answer) and answer is not Answer.WITHDRAW:
            self._move_on(rows)

    def _held(self) -> NDArray[np.int64]:
        """Return the rows to answer, which do not move by themselves from now on."""
        self._view.take_hold(self._view.currentIndex().row())
        return self._view.targets()

    def answer_shown(self, shown: Shown, answer: Answer | CategoryId) -> None:
        """Do what a key asks for that was pressed over this one picture, such as in the large view."""
        self._large = shown
        rows = np.array([shown.row], np.int64)
        try:
            if isinstance(answer, Answer):
                self._answer(rows, answer)
            else:
                self._name(rows, answer)
        finally:
            self._large = None

    def _name(self, rows: NDArray[np.int64], category: CategoryId) -> bool:
        if not len(rows) or category not in self._session.document:
            return False
        return self._teach(rows, category) if self.teaching else self._say(rows, category)

    def _answer(self, rows: NDArray[np.int64], answer: Answer) -> bool:
        match answer:
            case Answer.ACCEPT:
                return self._accept(rows.tolist())
            case Answer.NONE_OF_THESE:
                return self._say(rows, None)
            case Answer.WITHDRAW:
                return self._withdraw(rows.tolist())
            case _:
                return False

    def _teach(self, rows: NDArray[np.int64], category: CategoryId) -> bool:
        """Teach, as one step of undo; of a stack the picture that is shown, and the others are labelled.

        Thirty pictures of one burst would outweigh all other examples.
        """
        files = self._gallery.files
        lessons = [(files[row], self._picture(row)) for row in rows.tolist()]
        others = self._others(rows.tolist())
        if not lessons or category not in self._session.document:
            return False
        if others:
            known = tuple(Example(picture, file.path) for file, picture in lessons if picture is not None)
            self._session.do(Together((AddExamples(category, known), LabelPictures(others, category))))
        self._intake.teach_all(lessons, category)
        return True

    def _say(self, rows: NDArray[np.int64], category: CategoryId | None) -> bool:
        some = rows.tolist()
        pictures = tuple(filter(None, map(self._picture, some))) + self._others(some)
        if not pictures:
            return False
        self._session.do(
            LabelNoneOfThese(pictures) if category is None else LabelPictures(pictures, category)
        )
        return True

    def _withdraw(self, rows: list[int]) -> bool:
        pictures = tuple(filter(None, map(self._picture, rows)))
        pictures += self._ids(row for first in rows for row in self._model.stack(first) if row != first)
        if pictures:
            self._session.do(Together((RemoveExamples(pictures), WithdrawLabels(pictures))))
        return bool(pictures)

    def _accept(self, rows: list[int]) -> bool:
        """Accept what the person saw suggested for these rows, and say whether there was anything."""
        found: dict[CategoryId | None, list[PictureId]] = {}
        for row in rows:
            shown = self._seen(row)
            if shown is None or shown.suggestion == UNKNOWN:
                continue
            pictures = found.setdefault(shown.category, [])
            pictures.append(shown.picture)
            pictures.extend(self._others([row]))
        # A category that was removed since it was suggested is no answer any more.
        known = {category: some for category, some in found.items() if self._is_there(category)}
        commands = [AcceptLabels(tuple(dict.fromkeys(some)), category) for category, some in known.items()]
        self._do_all(commands)
        return bool(commands)

    def _accept_line(self) -> None:
        current = self._view.currentIndex().row()
        if current < 0:
            return
        columns = self._view.grid().columns
        start = current // columns * columns
        line = self._model.order[start : start + columns]
        scores = self._model.scores
        if scores is None:
            return
        line = line[line < scores.count]
        rows = line[scores.said[line] == Said.MACHINE]
        if len(rows) and self._accept(rows.tolist()):
            self._move_on(line)

    def _is_there(self, category: CategoryId | None) -> bool:
        return category is None or category in self._session.document

    def _seen(self, row: int) -> Shown | None:
        """What the person has seen of this row."""
        large = self._large
        return large if large is not None and large.row == row else self._view.drawn(row)

    def _picture(self, row: int) -> PictureId | None:
        """The picture that the person saw in this row; of one not looked at then, what its file holds."""
        large = self._large
        if self._view.was_drawn(row) or (large is not None and large.row == row):
            shown = self._seen(row)
            if shown is not None:
                return shown.picture
        return self._gallery.ids[row]  # of fifty thousand chosen at once the person saw few

    def _others(self, rows: list[int]) -> tuple[PictureId, ...]:
        """The pictures that the tiles of these rows stand for besides their own."""
        chosen = set(rows)
        return self._ids(row for first in rows for row in self._model.behind(first) if row not in chosen)

    def _ids(self, rows: Iterable[int]) -> tuple[PictureId, ...]:
        ids = self._gallery.ids
        return tuple(dict.fromkeys(picture for row in rows if (picture := ids[row]) is not None))

    def _move_on(self, rows: NDArray[np.int64]) -> None:
        """Put the cursor behind the last of these rows; among questions on the next open one."""
        order, scores = self._model.order, self._model.scores
        positions = self._model.positions_of(rows)
        if not len(positions):
            return
        following = int(positions[-1]) + 1
        if self._model.arrangement.pile is Pile.ASK and scores is not None:
            ahead = order[following:]
            open_ones = np.flatnonzero(scores.said[ahead] == Said.MACHINE)
            following += int(open_ones[0]) if len(open_ones) else 0
        self._view.go_to(following)

    # A whole pile ------------------------------------------------------------------------------------

    def acceptable(self) -> NDArray[np.int64]:
        """int64 (K,): the rows of the shown pile and label, in it whole or behind another in a stack."""
        piles, arrangement = self._model.piles, self._model.arrangement
        if piles is None or arrangement.pile in {None, Pile.DECIDED}:
            return np.empty(0, np.int64)
        rows = piles.rows(arrangement.pile or Pile.SURE)
        only = arrangement.only
        if only is None:
            return rows
        label = only.value if isinstance(only, Special) else _index(piles.classes, only)
        those: NDArray[np.int64] = rows[piles.labels[rows] == label]
        return those

    def accept_pile(self) -> None:
        """Accept what is suggested for all of `acceptable`, as one step of undo."""
        scores = self._model.scores
        if scores is None:
            return
        command = accept_rows(self.acceptable().tolist(), self._gallery.ids, scores)
        if command is not None:
            parts = command.commands if isinstance(command, Together) else (command,)
            self._do_all([part for part in parts if isinstance(part, AcceptLabels)])
            if not self._waiting:
                self.finished.emit()

    def _do_all(self, commands: list[AcceptLabels]) -> None:
        """Do the commands as one step: at once where they are few, else some at a time."""
        if sum(len(command.pictures) for command in commands) <= AT_ONCE:
            together: list[Command] = list(commands)
            if commands:
                self._session.do(together[0] if len(together) == 1 else Together(tuple(together)))
            return
        self._waiting = deque(_slices(commands))
        self._gesture = object()
        self._accept_some(first=True)
        self._next.start()

    def _accept_some(self, *, first: bool = False) -> None:
        undone = not first and self._session.can_redo  # the person has taken back what came before
        try:
            if self._waiting and not undone:
                self._session.do(self._waiting.popleft(), gesture=self._gesture)
        except SessionError:  # closed meanwhile
            undone = True
        if undone:
            self._waiting.clear()
        if not self._waiting:
            self._next.stop()
            if not first:
                self.finished.emit()


def _slices(commands: Iterable[AcceptLabels]) -> Iterator[AcceptLabels]:
    for command in commands:
        for start in range(0, len(command.pictures), AT_ONCE):
            yield AcceptLabels(command.pictures[start : start + AT_ONCE], command.category)


def _index(classes: tuple[CategoryId, ...], category: CategoryId) -> int:
    return classes.index(category) if category in classes else len(classes)
