"""What a person sees suggested, and the command that accepts it of the very pictures that were seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fewshot_gui.engine.commands import AcceptLabels, Together
from fewshot_gui.engine.scores import NONE_OF_THESE, UNKNOWN, Said

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.commands import Command
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
