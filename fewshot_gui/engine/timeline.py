"""Undo: the commands that were done, the position among them, and the document there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fewshot_gui.engine.commands import AcceptLabels, AddExamples, SetThreshold, Together
from fewshot_gui.engine.state import Document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fewshot_gui.engine.commands import Command

MILESTONE: Final = 256
"""Every so many steps the document is kept for ever; between them it is made again from the commands."""

RECENT: Final = 64
"""So many documents around the position are kept as well, so that an undo costs nothing."""


class Timeline:
    """All documents from the empty one to the last, with one of them present.

    Documents share what they have in common, yet each new one holds its own list of a category's
    examples: 20,000 of them would hold 200 million pointers. So only some are kept.
    """

    def __init__(
        self, commands: Iterable[Command] = (), position: int | None = None, times: Iterable[str] = ()
    ) -> None:
        """Replay the commands, then stand at the position (default: the end).

        Args:
            commands: That were done.
            position: How many of them are done now.
            times: When each was done, ISO 8601; commands beyond the last of them have no time.

        Raises:
            CommandError: They do not fit together.
            IndexError: There is no such position.
        """
        self._commands: list[Command] = []
        self._times: list[str] = []
        self._documents: dict[int, Document] = {0: Document()}
        self._document = Document()
        self._gesture: object | None = None
        known = iter(times)
        for command in commands:
            self._append(command, command.apply(self._document), next(known, ""))
        self._move(len(self._commands) if position is None else position)

    @property
    def document(self) -> Document:
        """The present document."""
        return self._document

    @property
    def position(self) -> int:
        """How many of the commands are done."""
        return self._position

    @property
    def steps(self) -> tuple[tuple[str, Command], ...]:
        """When each step up to the position was done, and what it was."""
        return tuple(zip(self._times[: self._position], self._commands, strict=False))

    def __len__(self) -> int:
        return len(self._commands)

    @property
    def undo_command(self) -> Command | None:
        """The command that undo takes back, or None."""
        return self._commands[self._position - 1] if self._position else None

    @property
    def redo_command(self) -> Command | None:
        """The command that redo does again, or None."""
        return self._commands[self._position] if self._position < len(self._commands) else None

    def do(self, command: Command, *, gesture: object | None = None, at: str = "") -> int | None:
        """The number of the step that the command now is, from 1; what was undone before is gone.

        The number of the step before is returned where the command continues it (a slider that is
        dragged is one step), and None where the command changes nothing and is no step.

        Args:
            command: What to do.
            gesture: What the person is doing meanwhile, such as holding a button: examples that go into
                one category within one gesture are one step, and so are suggestions that are accepted,
                unless something else was done between.
            at: The present moment, ISO 8601; a step that goes on was done at its end.

        Raises:
            CommandError: The command is impossible; nothing was changed.
        """
        after = command.apply(self._document)
        if after == self._document:
            return None
        joined = self._joined(command, gesture)
        if joined is not None:
            self._position -= 1
        self._cut()
        self._append(joined or command, after, at)
        self._gesture = gesture
        return self._position

    def undo(self) -> None:
        """The present document is the one before the last command.

        Raises:
            IndexError: Nothing is done.
        """
        self._move(self._position - 1)

    def redo(self) -> None:
        """The present document is the one after the command that was undone last.

        Raises:
            IndexError: Nothing is undone.
        """
        self._move(self._position + 1)

    def _joined(self, command: Command, gesture: object | None) -> Command | None:
        """The command that does what the last one and this one do, where they are one step; else None."""
        last = self.undo_command
        if isinstance(command, SetThreshold) and isinstance(last, SetThreshold):
            # To the program's own choice and back is a step each, not a drag.
            return None if None in (command.value, last.value) else command
        if gesture is None or gesture is not self._gesture:
            return None
        if isinstance(command, AcceptLabels):
            return _accepted(last, command)
        if not isinstance(command, AddExamples) or not isinstance(last, AddExamples):
            return None
        if command.category != last.category:
            return None
        return AddExamples(command.category, last.examples + command.examples)

    def _append(self, command: Command, after: Document, at: str) -> None:
        self._commands.append(command)
        self._times.append(at)
        self._position = len(self._commands)
        self._document = self._documents[self._position] = after
        self._forget()

    def _cut(self) -> None:
        for step in range(self._position + 1, len(self._commands) + 1):
            self._documents.pop(step, None)
        del self._commands[self._position :]
        del self._times[self._position :]

    def _move(self, position: int) -> None:
        if not 0 <= position <= len(self._commands):
            raise IndexError(position)
        kept = next(step for step in range(position, -1, -1) if step in self._documents)
        document = self._documents[kept]
        for step in range(kept, position):
            document = self._documents[step + 1] = self._commands[step].apply(document)
        self._position, self._document, self._gesture = position, document, None
        self._forget()

    def _forget(self) -> None:
        if len(self._documents) <= len(self._commands) // MILESTONE + 3 * RECENT:
            return
        self._documents = {
            step: document
            for step, document in self._documents.items()
            if step % MILESTONE == 0 or abs(step - self._position) < RECENT
        }


def _accepted(last: Command | None, command: AcceptLabels) -> Command | None:
    """The last step with more suggestions accepted; None where it was about something else."""
    parts: tuple[Command, ...] = () if last is None else (last,)
    if isinstance(last, Together):
        parts = last.commands
    if not parts or not all(isinstance(part, AcceptLabels) for part in parts):
        return None
    return Together((*parts, command))
