"""One labelled picture with its provenance: who or what said so, when, and with which weights."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SaidBy(StrEnum):
    """Who or what gave a picture its label."""

    EXAMPLE = "example"
    """A person taught the category with this very picture."""
    HUMAN = "human"
    """A person said so, without teaching it."""
    ACCEPTED = "accepted"
    """A person accepted what the machine proposed."""
    MACHINE = "machine"
    """The machine alone."""

    @property
    def by_person(self) -> bool:
        """True where a person stands behind the label."""
        return self is not SaidBy.MACHINE


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture with its label.

    Attributes:
        path: of the file.
        category: its name; empty for none of these.
        said_by: who or what gave the label.
        probability: that the machine gives the category, 0 to 1; None where it was not asked.
        at: when it was last said, ISO 8601 with the time zone; of the machine alone when it was asked for
            this table; empty where nobody noted it.
        learner: of the machine that gives the probability.
        backbone: the bundle's name.
        weights: the bundle's hash, 16 hex digits.
    """

    path: str
    category: str
    said_by: SaidBy
    probability: float | None = None
    at: str = ""
    learner: str = ""
    backbone: str = ""
    weights: str = ""


def category_names(rows: list[Labelled]) -> list[str]:
    """Return the categories in the order of their first picture, each once; none of these is none of them."""
    return list(dict.fromkeys(row.category for row in rows if row.category))
