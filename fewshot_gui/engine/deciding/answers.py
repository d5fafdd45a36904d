"""What a person answers to the program's suggestions, as commands that carry the pictures they are about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fewshot_gui.engine.commands import (
    AcceptLabels,
    LabelNoneOfThese,
    LabelPictures,
    Together,
    WithdrawLabels,
)
from fewshot_gui.engine.scores import NONE_OF_THESE, UNKNOWN, Said

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.commands import Command
    from fewshot_gui.engine.deciding.piles import Pile, Piles
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.state import CategoryId


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as it stands before the person, with the suggestion that they see.

    Taken when it is drawn and handed to the answer: whatever arrives meanwhile, the key that is pressed is
    about this picture and this suggestion.

    Attributes:
        row: of the gallery.
        picture: the content that is shown.
        suggestion: an index into the categories, NONE_OF_THESE, or UNKNOWN.
        category: the suggested category; None where it is none of these or unknown.
    """

    row: int
    picture: PictureId
    suggestion: int
    category: CategoryId | None

    def accept(self) -> Command | None:
        """Return the command that accepts the suggestion, None where there is none."""
        return None if self.suggestion == UNKNOWN else AcceptLabels((self.picture,), self.category)


def show(row: int, ids: Sequence[PictureId | None], scores: Scores) -> Shown | None:
    """Return what the person sees in a row, None where its picture is not known yet."""
    picture = ids[row]
    if picture is None or row >= scores.count:
        return None
    label = UNKNOWN if not scores.known[row] else int(scores.best[row])
    if scores.rejected[row]:
        label = NONE_OF_THESE
    return Shown(row, picture, label, scores.classes[label] if label >= 0 else None)


def accept_rows(rows: Iterable[int], ids: Sequence[PictureId | None], scores: Scores) -> Command | None:
    """Return one command that accepts what these rows suggest; None where there is nothing to accept.

    Rows of which a person has said something already, and rows that are not scored yet, are passed over.
    """
    wanted = np.fromiter((row for row in rows if row < scores.count), np.int64)
    wanted = wanted[scores.said[wanted] == Said.MACHINE]
    found: dict[int, dict[PictureId, None]] = {}
    for row, label in zip(wanted.tolist(), scores.labels()[wanted].tolist(), strict=True):
        picture = ids[row]
        if picture is not None and label != UNKNOWN:
            found.setdefault(label, {})[picture] = None
    commands = tuple(
        AcceptLabels(tuple(pictures), scores.classes[label] if label >= 0 else None)
        for label, pictures in sorted(found.items())
    )
    return Together(commands) if len(commands) > 1 else next(iter(commands), None)


def accept_pile(
    piles: Piles,
    pile: Pile,
    ids: Sequence[PictureId | None],
    scores: Scores,
    category: CategoryId | None = None,
) -> Command | None:
    """Return one command that accepts a whole pile, or one category of it; None where it is empty."""
    return accept_rows(piles.rows(pile, category).tolist(), ids, scores)


def label_rows(
    rows: Iterable[int], ids: Sequence[PictureId | None], category: CategoryId | None
) -> Command | None:
    """Return the command by which a person says what these rows are, None of a category: none of these.

    Returns None where no picture is known. A selection, a stack or a whole row of the gallery is one command.
    """
    pictures = _pictures(rows, ids)
    if not pictures:
        return None
    return LabelNoneOfThese(pictures) if category is None else LabelPictures(pictures, category)


def withdraw_rows(rows: Iterable[int], ids: Sequence[PictureId | None]) -> Command | None:
    """Return the command that takes back what was said of these rows; None where no picture is known."""
    pictures = _pictures(rows, ids)
    return WithdrawLabels(pictures) if pictures else None


def _pictures(rows: Iterable[int], ids: Sequence[PictureId | None]) -> tuple[PictureId, ...]:
    return tuple(dict.fromkeys(picture for row in rows if (picture := ids[row]) is not None))
