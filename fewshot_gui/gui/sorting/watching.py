"""Watching the opened folder: what arrives is shown and proposed, and moved only where that was asked for."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from fewshot_gui.core.images.raw import is_raw
from fewshot_gui.core.images.scan import raws_alone
from fewshot_gui.engine.deciding.piles import Pile
from fewshot_gui.engine.sorting.arrivals import Arrivals, look_at
from fewshot_gui.engine.sorting.watch import FolderWatch, WatchError
from fewshot_gui.engine.worker import Priority
from fewshot_gui.gui.sorting.snapshot import scores_and_piles
from fewshot_gui.gui.sorting.words import watch_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.sorter import Sorter
    from fewshot_gui.engine.sorting.arrivals import FileLook
    from fewshot_gui.engine.worker import CancelToken, Post
    from fewshot_gui.engine.workspace import Workspace

KEY = "watching"
TICK_MS = 500
_REMIND_SECONDS = 5.0
_LOOK_SECONDS = 5.0
# Where it takes the system longer to begin, what has come meanwhile is listed.
_LATE_SECONDS = 2.0


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


class _Look(NamedTuple):
    """What a look at the watched folder found.

    Attributes:
        there: whether the folder is.
        files: those of which something was reported, and those on their way.
        paired: of the new raw files, those beside which a picture of their name has come: they are one.
    """

    there: bool
    files: Mapping[str, FileLook | None]
    paired: frozenset[str]


def _look_at(folder: str, paths: Sequence[str], raws: Sequence[str], _token: CancelToken) -> _Look:
    there = os.path.isdir(folder)  # noqa: PTH112 - paths are strings in the engine
    return _Look(there, look_at(paths), frozenset(raws) - raws_alone(raws))


class Watching(QObject):
    """Ticks while a folder is watched.

    Nothing here asks a file or a folder for anything: a share may take minutes to answer, and a lane waits
    for it, with one look at a time.

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
        self._folder = ""
        self._watch: FolderWatch | None = None
        self._ours: list[str] = []
        self._reminded = 0.0
        self._known: set[str] = set()  # what lay there when watching began, and what has arrived since
        self._beginning = self._looking = self._away = False
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
        return bool(self._folder)

    def start(self) -> None:
        """Watch the folder of the gallery from now on."""
        self.stop()
        self._tell()  # what was new in the former folder is not in this one
        self._folder = self._workspace.gallery.folder
        self._beginning = True
        self._know_what_lies_there()
        self._begin()
        self._timer.start()

    def _begin(self, *, again: bool = False) -> None:
        """Have the system report on the folder, which takes long where there are thousands below it."""
        folder, touched = self._folder, self._arrivals.touched
        self._workspace.lanes.decode.submit(
            lambda _token: FolderWatch(folder, self._post, touched),
            then=partial(self._begun, self._arrivals, since=-math.inf if again else self._clock()),
            failed=partial(self._not_begun, self._arrivals),
            priority=Priority.VISIBLE,
            newest=KEY,  # with the looks: a share that does not answer holds one thread of the lane
        )

    def _begun(self, arrivals: Arrivals, watch: FolderWatch, *, since: float) -> None:
        if arrivals is not self._arrivals:  # it was stopped meanwhile
            watch.close()
            return
        self._watch = watch
        if self._clock() - since > _LATE_SECONDS:
            self._workspace.gallery.rescan()
            self._beginning = True

    def _not_begun(self, arrivals: Arrivals, error: Exception) -> None:
        if arrivals is not self._arrivals:
            return
        self.stop()
        if not isinstance(error, WatchError):
            raise error
        self.failed.emit(watch_words(error))

    def stop(self) -> None:
        """Watch nothing any more."""
        self._timer.stop()
        self._arrivals, self._known, self.new = Arrivals(), set(), {}
        self._folder = ""
        self._looking = self._away = False
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

    def tick(self) -> None:
        """Look what has arrived."""
        now, gallery = self._clock(), self._workspace.gallery
        if self._folder and gallery.folder and gallery.folder != self._folder:
            self.start()
        self._know_what_lies_there()
        if self._sorter.busy and now - self._reminded > _REMIND_SECONDS:
            self._remind()
        self._look(now)
        self._offer_due(now)

    def _look(self, now: float) -> None:
        """Look at what was reported; and now and then at the folder, as a card may have been pulled."""
        if self._watch is None or self._looking:
            return
        paths = self._arrivals.unseen()
        if not paths and now - self._looked < _LOOK_SECONDS:
            return
        self._looking = True
        self._workspace.lanes.decode.submit(
            partial(_look_at, self._folder, paths, [path for path in self.new if is_raw(path)]),
            then=partial(self._seen, self._arrivals, now),
            priority=Priority.VISIBLE,
            newest=KEY,
        )

    def _seen(self, arrivals: Arrivals, asked: float, look: _Look) -> None:
        if arrivals is not self._arrivals:  # it was of another folder, or is watched no more
            return
        self._looking, self._looked = False, self._clock()
        if not look.there:
            self._away = True
        elif self._away and self._watch is not None:
            # The system forgot the watch of a folder that was away. What came meanwhile is known.
            self._away = False
            self._watch.close()
            self._watch = None
            self._begin(again=True)
        self._know_what_lies_there()
        ours = {path for path in look.files if arrivals.is_ours(path)}
        gone = {path for path, found in look.files.items() if found is None}
        self._known |= ours
        self._known -= gone
        arrived = arrivals.settled(look.files, asked, self._looked)
        fresh = dict.fromkeys((path for path in arrived if path not in self._known), self._looked)
        self._known.update(arrived)
        left = (gone - ours | look.paired) & self.new.keys()
        self.new = {path: at for path, at in self.new.items() if path not in left} | fresh
        if arrived:
            self._workspace.gallery.rescan()
        if arrived or left:
            self._tell()

    def _know_what_lies_there(self) -> None:
        """Count as no arrival what the folder is opened with; a later listing may come before a report."""
        if self._beginning:
            gallery = self._workspace.gallery
            rows = np.flatnonzero(~gallery.missing)  # those that are gone may come anew
            self._known.update(gallery.files[row].path for row in rows.tolist())
            self._beginning = gallery.listing

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
