"""After a run: the session learns where its pictures are now, and the gallery looks again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fewshot_gui.engine.sorting.plan import TAKES_AWAY
from fewshot_gui.engine.sorting.states import FileState

if TYPE_CHECKING:
    from fewshot_gui.engine.sorting.receipt import Receipt
    from fewshot_gui.engine.workspace import Workspace


def follow_moves(workspace: Workspace, receipt: Receipt) -> None:
    """Note the new places of pictures that were moved; they are known by content, so all else holds."""
    places: dict[str, str] = {}
    for line in receipt.lines:
        if line.way in TAKES_AWAY:
            if line.state is FileState.DONE:
                places[line.source] = line.target
            elif line.state is FileState.TAKEN_BACK:
                places[line.target] = line.source
    session = workspace.session
    for picture in session.stored_pictures():
        place = places.get(os.path.abspath(picture.path)) if picture.path else None  # noqa: PTH100
        if place is not None:
            session.relocate(picture.id, place)
    workspace.gallery.rescan()
