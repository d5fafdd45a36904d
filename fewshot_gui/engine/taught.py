"""What a person said of each row of the gallery, by example or by label."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final
from weakref import ref

import numpy as np

from fewshot_gui.engine.scores import NONE_OF_THESE, UNKNOWN, Said
from fewshot_gui.engine.state import NO_LABELS, By, Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.state import CategoryId, Document, Labels

_NOTHING: Final = 0
_MANY: Final = 2_000
"""Labels to look up, about 3 ms of work: from so many on it is worth it to remember what was known before."""
_WAYPOINTS: Final = 32
"""So many states are remembered at most, each of 4 bytes a row."""


@dataclass(frozen=True, slots=True, eq=False)
class Owners:
    """What a person said of R rows.

    Attributes:
        taught: int32 (R,), a category, NONE_OF_THESE, or UNKNOWN where nobody said anything.
        said: int8 (R,), how, a `Said`; MACHINE where nobody said anything.
    """

    taught: NDArray[np.int32]
    said: NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class _Waypoint:
    """What was known at some labels.

    Attributes:
        labels: a reference that keeps them from no end: what undo no longer knows, nobody comes back to.
        codes: int32 (R,), of each row.
        noted: how many rows had been logged by then.
    """

    labels: ref[Labels]
    codes: NDArray[np.int32]
    noted: int


class RowIndex:
    """The rows of each picture by content; one picture may lie in several files.

    It remembers the labels that it was asked for last, and looks at those that are different only: 100,000 of
    them would take 30 ms at each key. Where many are different, as after a whole pile, it keeps what it knew
    for as long as somebody may come back to those labels: to look up 90,000 pictures again takes 140 ms, and
    an undo shall not.
    """

    def __init__(self) -> None:
        self._rows: dict[PictureId, list[int]] = {}
        self._ids: dict[int, PictureId] = {}
        self._forget_labels()

    def note(self, rows: Iterable[int], ids: Sequence[PictureId | None]) -> None:
        """Take up rows whose id, `ids[row]`, is known now or has changed."""
        for row in rows:
            new, old = ids[row], self._ids.get(row)
            if new == old:
                continue
            if old is not None:
                self._rows[old].remove(row)
                del self._ids[row]
            if new is not None:
                self._ids[row] = new
                self._rows.setdefault(new, []).append(row)
            self._noted.add(row)
            if self._waypoints:
                self._log.append(row)

    def rows(self, picture: PictureId) -> Sequence[int]:
        """Return the rows that show this picture."""
        return self._rows.get(picture, ())

    def clear(self) -> None:
        """Forget all rows."""
        self._rows.clear()
        self._ids.clear()
        self._forget_labels()

    def taught(self, document: Document, classes: Sequence[CategoryId], count: int) -> NDArray[np.int32]:
        """Return int32 (count,): which of `classes` owns each row, else NONE_OF_THESE or UNKNOWN."""
        return self.owners(document, classes, count).taught

    def owners(self, document: Document, classes: Sequence[CategoryId], count: int) -> Owners:
        """Return what a person said of the first `count` rows, in the columns of `classes`."""
        self._follow(document, count)
        column = {category: index for index, category in enumerate(classes)}
        columns, hows = self._tables(column)
        codes = self._codes[:count]
        owners, said = columns[codes], hows[codes]
        for category in document.categories:
            index = column.get(category.id, UNKNOWN)
            for example in category.examples:
                for row in self._rows.get(example.picture, ()):
                    owners[row] = index
                    said[row] = Said.MACHINE if index == UNKNOWN else Said.TAUGHT
        return Owners(owners, said)

    def _forget_labels(self) -> None:
        self._labels = NO_LABELS
        self._noted: set[int] = set()
        self._decisions: dict[Decision | None, int] = {None: _NOTHING}
        self._codes = np.full(0, _NOTHING, np.int32)
        self._waypoints: list[_Waypoint] = []
        self._log: list[int] = []  # rows that were noted since the oldest waypoint

    def _follow(self, document: Document, count: int) -> None:
        """Bring the code of each row up to these labels."""
        # A row can be noted before anything is asked about it.
        missing = max(count, 1 + max(self._noted, default=-1)) - len(self._codes)
        if missing > 0:
            self._codes = np.concatenate([self._codes, np.full(missing, _NOTHING, np.int32)])
        self._look_at(self._noted)
        self._noted = set()
        if document.labels is not self._labels and not self._go_back(document.labels):
            self._go_on(document.labels)

    def _look_at(self, rows: Iterable[int]) -> None:
        """Note of these rows what the present labels say."""
        for row in rows:
            identity = self._ids.get(row)
            self._codes[row] = _NOTHING if identity is None else self._code(self._labels.get(identity))

    def _go_back(self, labels: Labels) -> bool:
        """Take up what was known at these labels, and return whether they were passed before."""
        found = next((each for each in self._waypoints if each.labels() is labels), None)
        if found is None:
            return False
        self._keep_waypoint()
        fresh = np.full(len(self._codes) - len(found.codes), _NOTHING, np.int32)
        self._codes, self._labels = np.concatenate([found.codes, fresh]), labels
        self._look_at(self._log[found.noted :])
        return True

    def _keep_waypoint(self) -> None:
        """Remember what is known at the present labels, and forget what nobody can come back to."""
        here, kept = self._labels, []
        for each in self._waypoints:
            labels = each.labels()
            if labels is not None and labels is not here:
                kept.append(each)
        self._waypoints = [*kept[1 - _WAYPOINTS :], _Waypoint(ref(here), self._codes.copy(), len(self._log))]

    def _go_on(self, labels: Labels) -> None:
        """Follow labels that are new."""
        changes = list(labels.changes_since(self._labels))
        if len(changes) >= _MANY:
            self._keep_waypoint()
        # One look-up a picture, for each misses the processor's cache; and as a pile that is accepted shares
        # one decision, that is hashed once: 50,000 changes take 0.1 s, most of it in dictionaries.
        found = [self._rows.get(picture, ()) for picture, _ in changes]
        code = {key: self._code(said) for key, said in {id(said): said for _, said in changes}.items()}
        codes = [code[id(said)] for _, said in changes]
        lengths = list(map(len, found))
        if lengths.count(1) != len(lengths):  # some pictures lie in several files, or in none
            codes = np.repeat(codes, lengths).tolist()
        self._codes[list(chain.from_iterable(found))] = codes
        self._labels = labels

    def _code(self, decision: Decision | None) -> int:
        return self._decisions.setdefault(decision, len(self._decisions))

    def _tables(self, column: dict[CategoryId, int]) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
        """Return what each code means: int32 (codes,) the column, int8 (codes,) the `Said`."""
        columns = np.full(len(self._decisions), UNKNOWN, np.int32)
        hows = np.full(len(self._decisions), Said.MACHINE, np.int8)
        for decision, code in self._decisions.items():
            if decision is None:
                continue
            category = decision.category
            columns[code] = NONE_OF_THESE if category is None else column.get(category, UNKNOWN)
            if columns[code] != UNKNOWN:
                hows[code] = _how(decision)
        return columns, hows


def _how(decision: Decision) -> Said:
    if decision.by is By.ACCEPTED:
        return Said.ACCEPTED
    return Said.HUMAN_NONE if decision.category is None else Said.HUMAN
