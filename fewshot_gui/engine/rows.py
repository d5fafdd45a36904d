"""The rows of a gallery: file, content id and embedding of each, and which is to be embedded next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.core.images.scan import PictureFile

WAITING, ASKED, KNOWN, UNREADABLE = range(4)


@dataclass(frozen=True, slots=True)
class Rescan:
    """What became of the first m rows.

    Attributes:
        missing: bool (m,), whose file is gone.
        changed: rows whose file was written anew, and what it is now.
    """

    missing: NDArray[np.bool_]
    changed: list[tuple[int, PictureFile]]

    @classmethod
    def of(cls, files: Sequence[PictureFile], present: Iterable[PictureFile]) -> Rescan:
        """Return what became of `files`, where `present` is all there is now; 0.1 s for 100,000."""
        now = {file.path: file for file in present}
        found = [now.get(file.path) for file in files]
        changed = [
            (row, new)
            for row, (former, new) in enumerate(zip(files, found, strict=True))
            if new is not None and new != former
        ]
        return cls(np.array([file is None for file in found], np.bool_), changed)


class Rows:
    """Growing columns of equal length; row numbers never change.

    An embedding lies in one matrix whose unused rows are never touched, so that the system gives them no
    memory: 100,000 rows cost what is embedded and not what is listed.
    """

    def __init__(self) -> None:
        self.files: list[PictureFile] = []
        self.ids: list[PictureId | None] = []
        self.row_of: dict[str, int] = {}
        self.missing = np.zeros(0, np.bool_)
        self._state = np.zeros(0, np.uint8)
        self._matrix = np.empty((0, 0), np.float32)
        self._preferred: list[int] = []

    @property
    def embeddings(self) -> NDArray[np.float32]:
        """The embeddings (R, D), read-only, valid where `known`; D is 0 before the first."""
        view = self._matrix[: len(self.files)]
        view.flags.writeable = False
        return view

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which rows have an embedding, bool (R,), a copy."""
        known: NDArray[np.bool_] = self._state == KNOWN
        return known

    @property
    def done_count(self) -> int:
        """How many rows need no more work: embedded, unreadable or missing."""
        return int(np.count_nonzero((self._state >= KNOWN) | self.missing))

    def add(self, files: Iterable[PictureFile]) -> None:
        """Add a row for each file whose path has none yet."""
        for file in files:
            if file.path not in self.row_of:
                self.row_of[file.path] = len(self.files)
                self.files.append(file)
        new = len(self.files) - len(self.ids)
        self.ids.extend([None] * new)
        self._state = np.concatenate([self._state, np.zeros(new, np.uint8)])
        self.missing = np.concatenate([self.missing, np.zeros(new, np.bool_)])
        if self._matrix.shape[1]:
            self._reserve(self._matrix.shape[1])

    def apply(self, rescan: Rescan) -> bool:
        """Take over what a rescan found; return True if any row changed.

        A file that was written anew keeps its row and waits to be embedded again. So does one that could not
        be read: a disk may be back, or a lock gone, without a change that shows.
        """
        missing = np.zeros_like(self.missing)
        missing[: len(rescan.missing)] = rescan.missing
        changed = bool(rescan.changed) or not np.array_equal(missing, self.missing)
        self.missing = missing
        for row, file in rescan.changed:
            self.files[row], self.ids[row] = file, None
        self.release([row for row, _file in rescan.changed])
        self._state[(self._state == UNREADABLE) & ~missing] = WAITING
        return changed

    def prefer(self, rows: Sequence[int]) -> None:
        """Let `take` return these rows first."""
        self._preferred = [row for row in dict.fromkeys(rows) if 0 <= row < len(self.files)]

    def take(self, limit: int | None = None) -> list[int]:
        """Return up to `limit` rows that wait, preferred ones first; they wait no longer."""
        taken = [row for row in self._preferred if self._wanted(row)][:limit]
        self._state[taken] = ASKED
        if limit is None or len(taken) < limit:
            # A look at all states each time: 0.05 ms for 100,000 rows, and no cursor to keep right.
            others = np.flatnonzero((self._state == WAITING) & ~self.missing)
            others = others[: None if limit is None else limit - len(taken)]
            self._state[others] = ASKED
            taken.extend(others.tolist())
        return taken

    def release(self, rows: Sequence[int]) -> None:
        """Let these rows wait again."""
        self._state[list(rows)] = WAITING

    def release_asked(self) -> None:
        """Let all rows that were taken but not filled wait again: their jobs were cancelled."""
        self._state[self._state == ASKED] = WAITING

    def give_up(self, rows: Sequence[int]) -> None:
        """Mark rows as unreadable."""
        self._state[list(rows)] = UNREADABLE

    def fill(
        self, rows: NDArray[np.int64], ids: Sequence[PictureId], embeddings: NDArray[np.float32]
    ) -> None:
        """Set the ids and the embeddings (b, D) of b rows (b,), which are known from now on."""
        self._reserve(embeddings.shape[1])
        self._matrix[rows] = embeddings
        for row, identity in zip(rows.tolist(), ids, strict=True):
            self.ids[row] = identity
        self._state[rows] = KNOWN

    def forget_embeddings(self) -> None:
        """Let all rows wait, with a new matrix: whoever still reads the former one is not disturbed."""
        self._matrix = np.empty((0, 0), np.float32)
        self._state[:] = WAITING

    def _wanted(self, row: int) -> bool:
        return bool(self._state[row] == WAITING) and not self.missing[row]

    def _reserve(self, dimension: int) -> None:
        rows, former = len(self.files), self._matrix
        if former.shape[1] == dimension and len(former) >= rows:
            return
        # A quarter to spare: a folder that grows by rescans is not copied each time.
        self._matrix = np.empty((rows + rows // 4 * bool(len(former)), dimension), np.float32)
        if former.shape[1] == dimension:
            known = np.flatnonzero(self._state[: len(former)] == KNOWN)
            self._matrix[known] = former[known]
