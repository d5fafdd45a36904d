"""What was decided of every file, and by whom: from here on it is sorted or exported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from fewshot_gui.engine.deciding.moments import moments
from fewshot_gui.engine.deciding.piles import Pile
from fewshot_gui.engine.scores import NONE_OF_THESE, UNKNOWN
from fewshot_gui.engine.sorting.plan import UNNOTED, Decided
from fewshot_gui.engine.sorting.watched import go_on, watched
from fewshot_gui.engine.state import By

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.deciding.moments import Moments
    from fewshot_gui.engine.deciding.piles import Piles
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.sorting.plan import DecidedBy, Machine
    from fewshot_gui.engine.sorting.watched import Check
    from fewshot_gui.engine.state import CategoryId, Document

_Word: TypeAlias = "tuple[CategoryId | None, DecidedBy]"


@dataclass(frozen=True, slots=True)
class Decisions:
    """What was decided of the files of a gallery.

    Attributes:
        decided: each file that goes somewhere, in the order of the rows.
        undecided: how many stay, since nobody has said enough of them.
        none_of_these: how many stay, since they belong nowhere.
    """

    decided: tuple[Decided, ...]
    undecided: int
    none_of_these: int


def decide(
    files: Sequence[PictureFile],
    ids: Sequence[PictureId | None],
    scores: Scores,
    piles: Piles,
    document: Document,
    *,
    machine: Collection[Pile] = (Pile.SURE,),
    none_name: str | None = None,
    when: Moments | None = None,
    at: str = "",
    made_by: Machine = UNNOTED,
    only: Collection[str] | None = None,
    check: Check = go_on,
) -> Decisions:
    """Return what is known of each file under the present document.

    A person's word is looked up in the document by the content of the file, so it holds even while the
    scores are still those of a former document, and whatever the machine says.

    Args:
        files: of the R rows.
        ids: their contents, None where unknown.
        scores: what the machine says.
        piles: of those scores.
        document: the categories' names, and what the person said.
        machine: the piles whose rows go where the machine says, unseen; empty: only what a person said.
        none_name: the category under which pictures that are none of these go; None: they stay.
        when: the moments at which a person said what they said.
        at: when the machine was asked, ISO 8601: the moment of what it says alone.
        made_by: what made the scores.
        only: the paths that are asked about, all others are passed over; None: all are.
        check: asked now and then; raises to end the work.
    """
    when = when or moments(())
    names: dict[CategoryId | None, str | None] = {one.id: one.name for one in document.categories}
    names[None] = none_name
    decided: list[Decided] = []
    undecided = passed = 0
    words = _words(ids, piles, document, machine)
    for row, (file, picture, word) in enumerate(zip(watched(files, check), ids, words, strict=True)):
        if only is not None and file.path not in only:
            passed += 1
        elif word is None or word[0] not in names:
            undecided += 1
        elif (name := names[word[0]]) is not None:
            chance = _probability(scores, row, word[0])
            said = at if word[1] == "machine" or picture is None else when[word[1]].get(picture, "")
            decided.append(
                Decided(file.path, name, word[1], chance, picture, file.size, file.mtime_ns, said, made_by)
            )
    return Decisions(
        decided=tuple(decided),
        undecided=undecided,
        none_of_these=len(files) - passed - undecided - len(decided),
    )


def _words(
    ids: Sequence[PictureId | None], piles: Piles, document: Document, machine: Collection[Pile]
) -> Iterator[_Word | None]:
    """Yield what counts for each row: a person's word, else the machine's where its pile goes, else None."""
    said = _said(document)
    trusted = np.isin(piles.of, list(machine)).tolist()
    labels: list[int] = piles.labels.tolist()
    for row, picture in enumerate(ids):
        if picture in said:
            yield said[picture]
        elif picture is None or row >= len(trusted) or not trusted[row] or labels[row] == UNKNOWN:
            yield None
        else:
            none = labels[row] == NONE_OF_THESE
            yield None if none else piles.classes[labels[row]], "machine"


def _said(document: Document) -> dict[PictureId | None, _Word]:
    words: dict[PictureId | None, _Word] = {
        picture: (decision.category, "accepted" if decision.by is By.ACCEPTED else "human")
        for picture, decision in document.labels.items()
    }
    for category in document.categories:
        words.update(dict.fromkeys(category.pictures, (category.id, "example")))
    return words


def _probability(scores: Scores, row: int, category: CategoryId | None) -> float | None:
    if category not in scores.classes or row >= scores.count or not scores.known[row]:
        return None
    return float(scores.probabilities[row, scores.classes.index(category)])
