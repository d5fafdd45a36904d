"""What one tile of the gallery says: a value made for one picture at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from fewshot_gui.engine.scores import NONE_OF_THESE, UNKNOWN

if TYPE_CHECKING:
    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.state import Category, CategoryId


class TileState(Enum):
    """How a picture stands: not scored, told by the program, none of these, or told by a person."""

    UNSEEN = auto()
    PREDICTED = auto()
    REJECTED = auto()
    TAUGHT = auto()


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
    """

    row: int
    file: PictureFile
    state: TileState = TileState.UNSEEN
    category: str = ""
    colour: int = -1
    probability: float = 0.0

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
    taught = int(scores.taught[row])
    label = taught if taught >= 0 else _machine_label(scores, row)
    if label == UNKNOWN:
        return Tile(row, file)
    if label == NONE_OF_THESE:
        return Tile(row, file, TileState.REJECTED, probability=float(scores.confidence[row]))
    category = categories.get(scores.classes[label])
    if category is None:  # removed a moment ago; its new scores are on their way
        return Tile(row, file)
    state = TileState.TAUGHT if taught >= 0 else TileState.PREDICTED
    probability = float(scores.probabilities[row, label])
    return Tile(row, file, state, category.name, category.colour, probability)


def _machine_label(scores: Scores, row: int) -> int:
    if not scores.known[row]:
        return UNKNOWN
    return NONE_OF_THESE if scores.rejected[row] else int(scores.best[row])
