"""Which rows of the gallery are shown, and in what order: by label, by pile, look-alikes as one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from fewshot_gui.engine.deciding.asking import order_to_ask
from fewshot_gui.engine.deciding.piles import Pile, sort_into_piles
from fewshot_gui.engine.scores import OrderKey, Said, Special, name_ranks, order_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.deciding.piles import Piles
    from fewshot_gui.engine.deciding.stacks import Stacks
    from fewshot_gui.engine.gallery import Gallery
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.state import CategoryId

DEFAULT_BOLDNESS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Which rows are shown, and in what order.

    Attributes:
        key: what to sort by; the pile of questions has an order of its own.
        descending: the largest, or the last name, first.
        only: show one label alone; None shows all.
        pile: show one pile alone; None shows all.
    """

    key: OrderKey = "folder"
    descending: bool = False
    only: CategoryId | Special | None = None
    pile: Pile | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What the order of the coming rows is made from; any thread may make it."""

    rows: NDArray[np.int64]
    uncertainty: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    stacks: NDArray[np.int32] | None
    asked: NDArray[np.int64]

    def order(self) -> NDArray[np.int64]:
        """Return int64 (M,), the rows, the least certain first and each unlike those before it."""
        largest = max(int(self.rows.max(initial=-1)), int(self.asked.max(initial=-1)))
        if largest >= len(self.embeddings):  # another backbone embeds anew: there is nothing to compare
            return self.rows[np.argsort(-self.uncertainty[self.rows], kind="stable")]
        return order_to_ask(self.rows, self.uncertainty, self.embeddings, self.stacks, self.asked)


@dataclass(slots=True)
class Arranger:
    """Answers what is shown under an arrangement; keeps what is the same from one question to the next.

    Attributes:
        boldness: 0 (careful) to 1 (bold): where the piles are cut.
        stacks: the look-alikes to be shown as one; None: every picture is shown.
        opened: the stacks, by their first row, whose pictures are all shown.
    """

    gallery: Gallery
    boldness: float = DEFAULT_BOLDNESS
    stacks: Stacks | None = None
    opened: frozenset[int] = frozenset()
    _cut: tuple[Scores, float, Piles] | None = None
    _said: tuple[Scores, NDArray[np.int32]] | None = None
    _names: NDArray[np.int64] | None = None
    _sizes: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def piles(self, scores: Scores | None) -> Piles | None:
        """Return the piles of these scores, None before anything was taught."""
        if scores is None:
            return None
        if self._cut is None or self._cut[0] is not scores or self._cut[1] != self.boldness:
            gone = np.zeros(scores.count, np.bool_)
            missing = self.gallery.missing[: scores.count]
            gone[: len(missing)] = missing
            self._cut = (scores, self.boldness, sort_into_piles(scores, self.boldness, gone))
        return self._cut[2]

    def forget_folder(self) -> None:
        """Know nothing of the rows any more: they are those of another folder."""
        self.stacks, self.opened, self._names = None, frozenset(), None
        self._cut = self._said = None

    # Orders ------------------------------------------------------------------------------------------

    def wanted(self, scores: Scores | None, arrangement: Arrangement) -> NDArray[np.int64]:
        """Return int64 (M,), the rows to show in their order, with look-alikes as one."""
        if arrangement.pile is Pile.ASK and scores is not None:
            return self.folded(self.question(scores, arrangement, np.empty(0, np.int64)).order())
        return self.folded(self._passing(scores, arrangement))

    def question(self, scores: Scores, arrangement: Arrangement, asked: NDArray[np.int64]) -> Question:
        """Return what the order to ask is made from; `asked` are the rows that were asked about before."""
        stacks = self.stacks.of if self.stacks is not None and self._covers(scores.count) else None
        return Question(
            self._passing(scores, arrangement), scores.uncertainty, self.gallery.embeddings, stacks, asked
        )

    def _passing(self, scores: Scores | None, arrangement: Arrangement) -> NDArray[np.int64]:
        """Return int64 (M,), the rows that pass both filters, in the order that was asked for."""
        files = self.gallery.files
        key: OrderKey = "folder" if arrangement.pile is Pile.ASK else arrangement.key
        rows = order_by(
            scores,
            files,
            key,
            descending=arrangement.descending and arrangement.pile is not Pile.ASK,
            only=arrangement.only,
            names=self._name_ranks(files) if key == "name" else None,
        )
        piles = self.piles(scores)
        if arrangement.pile is None:
            return rows
        if piles is None:
            return rows[:0]
        rows = rows[rows < len(piles.of)]
        there: NDArray[np.int64] = rows[piles.of[rows] == arrangement.pile]
        return there

    def _name_ranks(self, files: Sequence[PictureFile]) -> NDArray[np.int64]:
        if self._names is None or len(self._names) != len(files):
            self._names = name_ranks(files)
        return self._names

    # Look-alikes -------------------------------------------------------------------------------------

    def _covers(self, count: int) -> bool:
        return self.stacks is not None and len(self.stacks.of) >= count

    def folded(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return int64, the rows with the first of each stack alone; an opened one stands together."""
        self._sizes = np.empty(0, np.int64)
        if self.stacks is None or not self._covers(int(rows.max(initial=-1)) + 1):
            return rows
        stack = self.stacks.of[rows]
        self._sizes = np.bincount(stack, minlength=len(self.stacks.of))
        first = np.full(len(self.stacks.of), -1, np.int64)
        first[stack[::-1]] = np.arange(len(rows))[::-1]  # of equal ones the first is written last
        place = first[stack]
        shown = (place == np.arange(len(rows))) | np.isin(stack, list(self.opened))
        folded: NDArray[np.int64] = rows[shown][np.argsort(place[shown], kind="stable")]
        return folded

    def size(self, row: int) -> int:
        """Return how many pictures the tile of a row stands for, or its opened stack has; 1 if alone."""
        stack = self._stack_of(row)
        return max(1, int(self._sizes[stack])) if 0 <= stack < len(self._sizes) else 1

    def is_open(self, row: int) -> bool:
        """Return whether all pictures of the row's stack are shown."""
        return self._stack_of(row) in self.opened

    def toggle(self, row: int) -> None:
        """Show all pictures of the row's stack from now on, or one for all again."""
        self.opened = self.opened ^ {self._stack_of(row)}

    def open_stacks(self, rows: Sequence[int]) -> bool:
        """Show all pictures of the stacks of these rows from now on; return whether there are any."""
        stacks = {self._stack_of(row) for row in rows} - {-1}
        self.opened = self.opened | stacks
        return bool(stacks)

    def members(self, row: int) -> list[int]:
        """Return the rows of a closed stack, or the row alone."""
        alone = self.stacks is None or self.is_open(row) or self.size(row) == 1
        return [row] if alone or self.stacks is None else self.stacks.members(row)

    def behind(self, row: int, scores: Scores | None, arrangement: Arrangement) -> list[int]:
        """Return the rows that an answer to the tile of a row is about, that row first.

        Those of a stack that do not pass the filters, or of which a person has spoken, are left as they are.
        """
        stack = self.members(row)
        if scores is None or len(stack) == 1:
            return [row]
        members = np.array(stack)
        members = members[(members < scores.count) & (members != row)]
        members = members[scores.said[members] == Said.MACHINE]
        piles = self.piles(scores)
        if arrangement.pile is not None and piles is not None:
            members = members[piles.of[members] == arrangement.pile]
        if arrangement.only is not None:
            labels = self._labels(scores)
            members = members[labels[members] == labels[row]]
        return [row, *members.tolist()]

    def _labels(self, scores: Scores) -> NDArray[np.int32]:
        # Made of all rows, and asked for once for each of thousands of chosen tiles.
        if self._said is None or self._said[0] is not scores:
            self._said = (scores, scores.labels())
        return self._said[1]

    def _stack_of(self, row: int) -> int:
        stacks = self.stacks
        return int(stacks.of[row]) if stacks is not None and 0 <= row < len(stacks.of) else -1
