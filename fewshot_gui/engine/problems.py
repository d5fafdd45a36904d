"""The problems list: what could not be read and why, while the rest went on."""

from __future__ import annotations

from dataclasses import dataclass

from fewshot_gui.engine.event import Event


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that went wrong.

    Attributes:
        path: of the file or folder; empty where it is about none.
        kind: a word that the views know how to say, such as "truncated" or "cache-off".
        detail: the facts, as the library or the system below gave them.
    """

    path: str
    kind: str
    detail: str


class ProblemLog:
    """The problems since the last `clear`, oldest first, each once. Belongs to the main thread."""

    def __init__(self) -> None:
        self.changed: Event[[]] = Event()
        self._entries: dict[Problem, None] = {}

    @property
    def entries(self) -> tuple[Problem, ...]:
        """The problems, oldest first."""
        return tuple(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, path: str, kind: str, detail: str = "") -> None:
        """Add a problem at the end; one that is already there stays where it is."""
        problem = Problem(path, str(kind), detail)
        if problem not in self._entries:
            self._entries[problem] = None
            self.changed.emit()

    def clear(self) -> None:
        """Forget all problems."""
        if self._entries:
            self._entries.clear()
            self.changed.emit()
