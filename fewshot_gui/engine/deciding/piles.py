"""Three piles, sure, ask me and none of these, as one slider from careful to bold cuts them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from fewshot_gui.engine.scores import Said

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.state import CategoryId

MOST_CAREFUL_ERROR: Final = 0.005
"""At the careful end one wrong picture in 200 is let through, as far as probabilities are honest."""
WIDEST_BAND: Final = 0.25
"""At the careful end, novelty within this share of the cutoff is too close to it to be sure either way."""


class Pile(IntEnum):
    """Where a row lies."""

    SURE = 0
    ASK = 1
    NONE_OF_THESE = 2
    DECIDED = 3
    """A person has spoken: the row is in no pile."""
    WAITING = 4
    """Nothing is known of the row yet, or its file is gone."""


@dataclass(frozen=True, slots=True, eq=False)
class Piles:
    """The piles of R rows under one position of the slider.

    Attributes:
        of: int8 (R,), the `Pile` of each row.
        labels: int32 (R,), what each row shows, as of `Scores.labels`.
        classes: the N categories that labels point into.
        counts: rows in each pile, in the order of `Pile`.
        sure: rows of each category in the pile of the sure ones.
    """

    of: NDArray[np.int8]
    labels: NDArray[np.int32]
    classes: tuple[CategoryId, ...]
    counts: tuple[int, ...]
    sure: tuple[int, ...]

    def rows(self, pile: Pile, category: CategoryId | None = None) -> NDArray[np.int64]:
        """Return int64 (M,), the rows of a pile, ascending; of one category only where it is given."""
        there = self.of == pile
        if category is not None:
            there &= self.labels == (
                self.classes.index(category) if category in self.classes else len(self.classes)
            )
        return np.flatnonzero(there)

    def count(self, pile: Pile) -> int:
        """How many rows lie in a pile."""
        return self.counts[pile]


def probability_needed(boldness: float) -> float:
    """Return the probability from which a row is sure: 0.995 at 0, 0.93 in the middle, 0 at 1.

    The share of errors that is let through grows by the same factor along the whole slider.
    """
    allowed: float = MOST_CAREFUL_ERROR ** (1 - min(1.0, max(0.0, boldness)))
    return 1 - allowed


def sort_into_piles(scores: Scores, boldness: float, gone: NDArray[np.bool_] | None = None) -> Piles:
    """Return the piles; bolder never takes a row out of the sure ones or of none of these.

    Args:
        scores: of R rows.
        boldness: 0 (careful: asks much) to 1 (bold: asks nothing).
        gone: bool (R,), True where the file is missing or unreadable; such rows wait unless decided.
    """
    sure = (scores.confidence >= probability_needed(boldness)) & ~scores.rejected
    none = scores.rejected
    band = WIDEST_BAND * (1 - min(1.0, max(0.0, boldness))) * abs(scores.cutoff)
    if np.isfinite(band) and band > 0:
        far = np.abs(scores.novelty - np.float32(scores.cutoff)) > band
        sure, none = sure & far, none & far
    piles = np.full(scores.count, Pile.ASK, np.int8)
    piles[sure] = Pile.SURE
    piles[none] = Pile.NONE_OF_THESE
    piles[~scores.known if gone is None else ~scores.known | gone[: scores.count]] = Pile.WAITING
    piles[scores.said != Said.MACHINE] = Pile.DECIDED
    labels = scores.labels()
    return Piles(
        of=piles,
        labels=labels,
        classes=scores.classes,
        counts=tuple(np.bincount(piles, minlength=len(Pile)).tolist()),
        sure=tuple(np.bincount(labels[piles == Pile.SURE], minlength=len(scores.classes)).tolist()),
    )
