"""What a tile says in words: for a screen reader, and in its tooltip with the meaning of the marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from fewshot_gui.gui.bidi import isolated
from fewshot_gui.gui.query.problem_words import problem_words
from fewshot_gui.gui.query.tile import TileState

if TYPE_CHECKING:
    from fewshot_gui.gui.query.tile import Tile

translate = QCoreApplication.translate


def sentence(tile: Tile, problem: str | None = None) -> str:
    """Return the file, the answer and who gave it; of a stack also how many pictures it is about.

    Args:
        tile: what is to be told.
        problem: the kind of what keeps the picture from being read.
    """
    if problem is not None and tile.state is TileState.UNSEEN:
        return f"{isolated(tile.name)}: {problem_words(problem)}"
    words = _answer(tile).format(
        file=isolated(tile.name), category=isolated(tile.category), percent=round(100 * tile.probability)
    )
    if tile.stack > 1:
        count = translate("TileWords", "{count} look-alikes").format(count=f"{tile.stack:,}")
        return f"{words}, {count}"
    return words


def tooltip(tile: Tile, problem: str | None = None) -> str:
    """Return the sentence, the path, and what the marks mean."""
    legend = translate(
        "TileWords",
        "Marks: filled tick = taught, pencil or cross = said by you, tick in a ring = accepted, "
        "none = suggested",
    )
    return f"{sentence(tile, problem)}\n{tile.file.path}\n{legend}"


def _answer(tile: Tile) -> str:
    return {
        TileState.UNSEEN: translate("TileWords", "{file}: not seen yet"),
        TileState.PREDICTED: translate("TileWords", "{file}: {category}, {percent} %"),
        TileState.REJECTED: translate("TileWords", "{file}: none of these"),
        TileState.TAUGHT: translate("TileWords", "{file}: {category}, taught by you"),
        TileState.SAID: translate("TileWords", "{file}: {category}, said by you"),
        TileState.ACCEPTED: translate("TileWords", "{file}: {category}, accepted by you"),
        TileState.SAID_NONE: translate("TileWords", "{file}: none of these, said by you"),
        TileState.ACCEPTED_NONE: translate("TileWords", "{file}: none of these, accepted by you"),
    }[tile.state]
