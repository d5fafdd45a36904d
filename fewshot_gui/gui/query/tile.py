"""What one tile of the gallery says: a value made for one picture at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from fewshot_gui.engine.scores import NONE_OF_THESE, UNKNOWN, Said

if TYPE_CHECKING:
    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.state import Category, CategoryId


class TileState(Enum):
    """How a picture stands: who says what of it."""

    UNSEEN = auto()
    PREDICTED = auto()
    REJECTED = auto()
    """The program says that it is none of these."""
    TAUGHT = auto()
    SAID = auto()
    """A person named its category without teaching it."""
    ACCEPTED = auto()
    """A person accepted the category that the program suggested."""
    SAID_NONE = auto()
    ACCEPTED_NONE = auto()

    @property
    def is_none(self) -> bool:
        """True where the answer is none of these, whoever says so."""
        return self in {TileState.REJECTED, TileState.SAID_NONE, TileState.ACCEPTED_NONE}

    @property
    def is_decided(self) -> bool:
        """True where a person has spoken."""
        return self not in {TileState.UNSEEN, TileState.PREDICTED, TileState.REJECTED}


_OF_CATEGORY: Final = {
    Said.MACHINE: TileState.PREDICTED,
    Said.TAUGHT: TileState.TAUGHT,
    Said.HUMAN: TileState.SAID,
    Said.ACCEPTED: TileState.ACCEPTED,
}
_OF_NONE: Final = {Said.MACHINE: TileState.REJECTED, Said.ACCEPTED: TileState.ACCEPTED_NONE}


@dataclass(frozen=True, slots=True)
class Tile:
    """The words and colours of one picture.

    Attributes:
        row: its row in the gallery.
        file: the picture that all the rest is said of.
        state: what kind of answer this is.
        category: the name of the answer; empty where there is none.
        colour: the palette index of the answer; -1 where there is none.
        probability: of the answer, 0 to 1; 0 where there is none.
        stack: how many look-alikes the tile stands for; 1 where it stands for itself.
        opened: True where those look-alikes are all shown.
    """

    row: int
    file: PictureFile
    state: TileState = TileState.UNSEEN
    category: str = ""
    colour: int = -1
    probability: float = 0.0
    stack: int = 1
    opened: bool = False

    @property
    def name(self) -> str:
        """The name of the file without its folders."""
        return self.file.path.replace("\\", "/").rpartition("/")[2]


def tile_of(
    row: int, file: PictureFile, scores: Scores | None, categories: dict[CategoryId, Category]
) -> Tile:
    """Return what the scores say of this row, in the names and colours of the present document."""
    if scores is None or row >= scores.count:
        return Tile(row, file)
    taught, said = int(scores.taught[row]), Said(int(scores.said[row]))
    label = taught if taught != UNKNOWN else _machine_label(scores, row)
    if label == UNKNOWN:
        return Tile(row, file)
    if label == NONE_OF_THESE:
        state = _OF_NONE.get(said, TileState.SAID_NONE)
        return Tile(row, file, state, probability=float(scores.confidence[row]))
    category = categories.get(scores.classes[label])
    if category is None:  # removed a moment ago; its new scores are on their way
        return Tile(row, file)
    probability = float(scores.probabilities[row, label])
    return Tile(row, file, _OF_CATEGORY[said], category.name, category.colour, probability)


def _machine_label(scores: Scores, row: int) -> int:
    if not scores.known[row]:
        return UNKNOWN
    return NONE_OF_THESE if scores.rejected[row] else int(scores.best[row])
