"""Looks for look-alikes in the opened folder, away from the window, and says how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QObject, Signal

from fewshot_gui.engine.deciding.stacks import find_stacks
from fewshot_gui.engine.worker import Priority

if TYPE_CHECKING:
    from fewshot_gui.engine.deciding.stacks import Stacks
    from fewshot_gui.engine.gallery import Gallery
    from fewshot_gui.engine.worker import CancelToken, Job, Steps, Worker

_PASSES: Final = 26
"""How often `find_stacks` goes over the rows, in chunks of 8192, between two of its yields; about."""
_CHUNK: Final = 8192


class StackFinder(QObject):
    """Finds the stacks of the gallery while it is on; again when all pictures were looked at.

    `found` carries the Stacks, or None where there are none any more; `progressed` a share from 0 to 1, or
    None where nothing is looked for.
    """

    found = Signal(object)
    progressed = Signal(object)

    def __init__(self, gallery: Gallery, lane: Worker | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gallery, self._lane = gallery, lane
        self._on = False
        self._jobs: list[Job] = []
        self._looked_at: tuple[str, int] | None = None
        self._disconnect = [gallery.progressed.connect(self._follow), gallery.listed.connect(self._follow)]
        disconnect, jobs = self._disconnect, self._jobs
        # The lane outlives the window: what it still does must not be told to an object that is gone.
        self.destroyed.connect(lambda: [each() for each in (*disconnect, *(job.cancel for job in jobs))])

    @property
    def on(self) -> bool:
        """True while look-alikes are wanted."""
        return self._on

    def turn(self, *, on: bool) -> None:
        """Look for look-alikes, or forget them."""
        self._on, self._looked_at = on, None
        self._drop()
        if on:
            self._follow()
        else:
            self.found.emit(None)

    def _drop(self) -> None:
        if self._jobs:
            self._jobs.pop().cancel()
            self.progressed.emit(None)

    def _follow(self, *_progress: int) -> None:
        """Look once for each folder and number of pictures, when none of them is still to be embedded."""
        gallery = self._gallery
        state = (gallery.folder, gallery.count)
        if self._looked_at is not None and self._looked_at[0] != gallery.folder:
            self._drop()
        complete = gallery.count > 0 and not gallery.listing and gallery.embedded >= gallery.count
        if not self._on or not complete or state == self._looked_at:
            return
        self._looked_at = state
        self._drop()
        if self._lane is None:
            self._came(_finish(self._look(None)))
            return
        lane = self._lane
        self.progressed.emit(0.0)
        self._jobs.append(lane.submit(self._look, then=self._came, priority=Priority.FOLDER))

    def _look(self, token: CancelToken | None) -> Steps[Stacks]:
        """Return the work, made from what is known now; any thread may do it."""
        gallery = self._gallery
        taken = np.array([file.mtime_ns for file in gallery.files], np.float64) / 1e9
        return self._counted(
            find_stacks(gallery.embeddings, gallery.known, ids=tuple(gallery.ids), taken=taken),
            token,
            max(1, _PASSES * -(-gallery.count // _CHUNK)),
        )

    def _counted(self, steps: Steps[Stacks], token: CancelToken | None, total: int) -> Steps[Stacks]:
        done = 0
        while True:
            try:
                next(steps)
            except StopIteration as end:
                stacks: Stacks = end.value
                return stacks
            done += 1
            share = min(1.0, done / total)
            if self._lane is not None and token is not None:
                self._lane.tell(token, lambda share=share: self.progressed.emit(share))  # type: ignore[misc]
            yield

    def _came(self, stacks: Stacks) -> None:
        self._jobs.clear()
        self.progressed.emit(None)
        self.found.emit(stacks)


def _finish(steps: Steps[Stacks]) -> Stacks:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            stacks: Stacks = end.value
            return stacks
