"""Watching the opened folder: what arrives is shown and proposed, and moved only where that was asked for."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from fewshot_gui.core.images.raw import is_raw
from fewshot_gui.core.images.scan import raws_alone
from fewshot_gui.engine.deciding.piles import Pile
from fewshot_gui.engine.sorting.arrivals import Arrivals
from fewshot_gui.engine.sorting.watch import FolderWatch, WatchError
from fewshot_gui.engine.worker import Priority
from fewshot_gui.gui.sorting.snapshot import scores_and_piles
from fewshot_gui.gui.sorting.words import watch_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.sorter import Sorter
    from fewshot_gui.engine.worker import Post
    from fewshot_gui.engine.workspace import Workspace

KEY = "watching"
TICK_MS = 500
_REMIND_SECONDS = 5.0
_LOOK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Grace:
    """Whether sure arrivals are sorted by themselves, and after how many minutes."""

    on: bool = False
    minutes: int = 10

    @classmethod
    def of(cls, session: Session) -> Grace:
        """Return what the person chose; off unless they said otherwise."""
        kept = session.recall(KEY)
        if not isinstance(kept, dict):
            return cls()
        return cls(bool(kept.get("on")), max(1, int(kept.get("minutes", 10))))

    def keep(self, session: Session) -> None:
        """Keep the choice in the session."""
        session.remember(KEY, {"on": self.on, "minutes": self.minutes})


class Watching(QObject):
    """Ticks while a folder is watched.

    `arrived` carries how many new pictures there are and how many of them are sure; `due` the paths of sure
    ones whose grace period is over; `failed` why the folder cannot be watched.
    """

    arrived = Signal(int, int)
    due = Signal(object)
    failed = Signal(str)

    def __init__(
        self,
        workspace: Workspace,
        sorter: Sorter,
        post: Post,
        parent: QObject | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._sorter, self._post, self._clock = workspace, sorter, post, clock
        self._arrivals = Arrivals()
        self._watch: FolderWatch | None = None
        self._ours: list[str] = []
        self._reminded = 0.0
        self._known: set[str] = set()  # what lay there when watching began, and what has arrived since
        self._beginning = self._fewer = self._away = False
        self._looked = 0.0
        self.new: dict[str, float] = {}
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self.tick)
        self._disconnect = [
            sorter.touching.connect(self._expect),
            sorter.ended.connect(lambda _receipt: self._remind()),
            workspace.predictor.updated.connect(lambda _scores: self._tell()),
        ]

    @property
    def on(self) -> bool:
        """Whether a folder is watched."""
        return self._watch is not None

    def start(self) -> None:
        """Watch the folder of the gallery from now on."""
        self.stop()
        self._tell()  # what was new in the former folder is not in this one
        if self._begin(self._workspace.gallery.folder):
            self._beginning = True
            self._know_what_lies_there()
            self._timer.start()

    def _begin(self, folder: str) -> bool:
        """Have the system report on a folder; return whether it does, and tell why it does not."""
        try:
            self._watch = FolderWatch(folder, self._post, self.touched)
        except WatchError as error:
            self.stop()
            self.failed.emit(watch_words(error))
            return False
        return True

    def stop(self) -> None:
        """Watch nothing any more."""
        self._timer.stop()
        self._arrivals, self._known, self.new = Arrivals(), set(), {}
        self._away = False
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def release(self) -> None:
        """Stop, and follow the engine no more."""
        self.stop()
        for disconnect in self._disconnect:
            disconnect()

    def forget(self, paths: Sequence[str] | None = None) -> None:
        """Count these arrivals as seen, or all."""
        gone = set(self.new if paths is None else paths)
        self.new = {path: at for path, at in self.new.items() if path not in gone}
        self._tell()

    def offer_again(self, paths: Sequence[str]) -> None:
        """Count these arrivals as due once more: they could not be sorted just now."""
        self.new |= dict.fromkeys(paths, -math.inf)
        self._tell()

    def touched(self, path: str) -> None:
        """Hear that something happened to a picture."""
        if self._watch is None:
            return
        if not os.path.lexists(path):
            self._known.discard(path)
            if path in self.new and not self._arrivals.is_ours(path):
                del self.new[path]
                self._fewer = True  # a thousand may go at once, and are told at once
        elif self._arrivals.is_ours(path):
            self._known.add(path)
        self._arrivals.touched(path, self._clock())

    def tick(self) -> None:
        """Look what has arrived."""
        now, gallery = self._clock(), self._workspace.gallery
        if self._watch is not None and gallery.folder and gallery.folder != self._watch.folder:
            self.start()
        self._look_after(now)
        self._know_what_lies_there()
        if self._sorter.busy and now - self._reminded > _REMIND_SECONDS:
            self._remind()
        arrived = self._arrivals.settled(now)
        self.new |= dict.fromkeys((path for path in arrived if path not in self._known), now)
        self._known.update(arrived)
        if arrived:
            self._pass_over_raws()
            gallery.rescan()
        if arrived or self._fewer:
            self._fewer = False
            self._tell()
        self._offer_due(now)

    def _look_after(self, now: float) -> None:
        """Ask now and then whether the folder is there: a card may have been pulled, a share be gone."""
        if self._watch is None or now - self._looked < _LOOK_SECONDS:
            return
        # A share that is gone may take minutes to say so: not here, and not on all threads of the lane.
        self._looked, folder = math.inf, self._watch.folder
        self._workspace.lanes.decode.submit(
            lambda _token: os.path.isdir(folder),  # noqa: PTH112 - paths are strings in the engine
            then=partial(self._is_there, folder),
            priority=Priority.VISIBLE,
        )

    def _is_there(self, folder: str, there: bool) -> None:
        """Watch anew a folder that was away: the system forgot the watch. What came meanwhile is known."""
        self._looked = self._clock()
        if self._watch is None or self._watch.folder != folder:
            return
        came_back, self._away = there and self._away, not there
        if came_back:
            self._watch.close()
            if self._begin(folder):
                self._workspace.gallery.rescan()
                self._beginning = True

    def _know_what_lies_there(self) -> None:
        """Count as no arrival what the folder is opened with; a later listing may come before a report."""
        if self._beginning:
            gallery = self._workspace.gallery
            rows = np.flatnonzero(~gallery.missing)  # those that are gone may come anew
            self._known.update(gallery.files[row].path for row in rows.tolist())
            self._beginning = gallery.listing

    def _pass_over_raws(self) -> None:
        """Count a raw file no more beside which a picture of its name has come late: they are one picture."""
        raws = [path for path in self.new if is_raw(path)]
        alone = raws_alone(raws)
        self.new = {path: at for path, at in self.new.items() if path in alone or not is_raw(path)}

    def sure(self) -> list[str]:
        """Return the new pictures that the program is sure of."""
        if not self.new:
            return []
        _scores, piles = scores_and_piles(self._workspace)
        rows = {path: self._workspace.gallery.row_of(path) for path in self.new}
        return [
            path
            for path, row in rows.items()
            if row is not None and row < len(piles.of) and piles.of[row] == Pile.SURE
        ]

    def _offer_due(self, now: float) -> None:
        grace = Grace.of(self._workspace.session)
        if not grace.on or self._sorter.busy or not self.new:
            return
        ready = [path for path in self.sure() if now - self.new[path] >= 60 * grace.minutes]
        if ready:
            self.forget(ready)
            self.due.emit(ready)

    def _expect(self, paths: list[str]) -> None:
        self._ours = paths
        self._remind()

    def _remind(self) -> None:
        """Say again what is our own doing: it is forgotten after a while, and a run may last longer."""
        self._reminded = self._clock()
        self._arrivals.ignore(self._ours, self._reminded)

    def _tell(self) -> None:
        self.arrived.emit(len(self.new), len(self.sure()))
