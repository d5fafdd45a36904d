"""What learners make of one picture on which they disagree, gathered by answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fewshot_gui.gui.learner_words import learner_title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.comparing import Answer, Comparison, Contender
    from fewshot_gui.engine.state import CategoryId


@dataclass(frozen=True, slots=True)
class Say:
    """One answer, and who gives it.

    Attributes:
        category: the answer.
        learners: titles of those who give it.
    """

    category: CategoryId
    learners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dispute:
    """A picture on which learners disagree, with the answers, the most common one first."""

    file: PictureFile
    says: tuple[Say, ...]


def contender_title(contender: Contender) -> str:
    """Return what a contender is called: its learner, with the bundle where it is not the one in use."""
    title = learner_title(contender.learner)
    return f"{title} · {contender.bundle}" if contender.bundle else title


def disputes(comparison: Comparison, files: Sequence[PictureFile]) -> list[Dispute]:
    """Return the pictures on which learners disagree, most disagreement first.

    Args:
        comparison: its rows are places in `files`.
        files: of the gallery when the comparison began.
    """
    answers = [answer for answer in comparison.answers if answer.problem is None]
    return [
        Dispute(files[int(comparison.rows[place])], _says(comparison, answers, place))
        for place in comparison.disputed().tolist()
    ]


def _says(comparison: Comparison, answers: Sequence[Answer], place: int) -> tuple[Say, ...]:
    by_class: dict[int, list[str]] = {}
    for answer in answers:
        by_class.setdefault(int(answer.best[place]), []).append(learner_title(answer.contender.learner))
    ordered = sorted(by_class.items(), key=lambda item: -len(item[1]))
    return tuple(Say(comparison.classes[best], tuple(names)) for best, names in ordered)
