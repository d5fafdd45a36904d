"""Downloads backbones and takes in those of files, each on a lane of its own: nothing waits for a network."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from enum import StrEnum
from errno import EPERM
from os import strerror
from typing import TYPE_CHECKING, Final

from fewshot_gui.core.backbones.own_bundles import is_users, remove_own
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.taking_in import take_in
from fewshot_gui.engine.worker import CancelToken, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import Protocol

    from fewshot_gui.core.backbones.bundle_info import BundleInfo
    from fewshot_gui.core.backbones.ladder import Rung
    from fewshot_gui.engine.worker import Post

    class Fetch(Protocol):
        """Downloads what a rung stands for and makes a bundle of it."""

        def __call__(
            self,
            rung: Rung,
            *,
            progress: Callable[[int, int | None], None],
            cancelled: Callable[[], bool],
        ) -> BundleInfo:
            """Return what the new bundle says of itself."""


_DOWNLOADS: Final = "downloads"
_FILES: Final = "backbones"
_TELL_SECONDS: Final = 0.1  # as often as a progress bar is looked at


class Phase(StrEnum):
    """How far one download is."""

    WAITING = "waiting"
    DOWNLOADING = "downloading"
    PREPARING = "preparing"
    PAUSED = "paused"
    FAILED = "failed"
    DONE = "done"


UNDER_WAY: Final = frozenset({Phase.WAITING, Phase.DOWNLOADING, Phase.PREPARING})


@dataclass(frozen=True, slots=True)
class Fetching:
    """How one download is doing.

    Attributes:
        phase: how far it is; PREPARING: all bytes are here and become a bundle.
        done: bytes that are here, of former tries too.
        total: bytes in all; None while nobody knows.
        error: why it failed.
    """

    phase: Phase
    done: int = 0
    total: int | None = None
    error: Exception | None = None

    @property
    def under_way(self) -> bool:
        """Whether it waits, runs or is being prepared."""
        return self.phase in UNDER_WAY


class Fetcher:
    """Does one download and one file at a time, and only what it was asked for. Belongs to the main thread.

    Attributes:
        changed: Emits the name of a rung whose download is elsewhere than before.
        landed: Emits each bundle that is new here.
        removed: Emits the name of each bundle that is here no more.

    Args:
        post: hands a call to the main thread.
        fetch: downloads one rung and makes a bundle of it.
        arrived: says how many bytes of a rung are here, to go on from.
        clock: seconds.
    """

    def __init__(
        self,
        post: Post,
        fetch: Fetch | None = None,
        arrived: Callable[[Rung], int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.changed: Event[[str]] = Event()
        self.landed: Event[[BundleInfo]] = Event()
        self.removed: Event[[str]] = Event()
        self._post, self._clock = post, clock
        self._fetch, self._arrived = fetch or _fetch, arrived or _arrived
        self._lanes: dict[str, Worker] = {}
        self._stops: dict[str, CancelToken] = {}
        self._states: dict[str, Fetching] = {}

    def state(self, name: str) -> Fetching | None:
        """Return how the download of a rung is doing; None where nobody asked for it."""
        return self._states.get(name)

    @property
    def busy(self) -> bool:
        """Whether a download waits or runs."""
        return any(state.under_way for state in self._states.values())

    def recall(self, rungs: Iterable[Rung]) -> None:
        """Take up what an earlier run of the program left unfinished, to be gone on from where asked."""
        for rung in rungs:
            if rung.name not in self._states and (done := self._arrived(rung)):
                self._set(rung.name, Fetching(Phase.PAUSED, done, rung.size_bytes))

    def drop(self, rung: Rung) -> None:
        """Remove what has arrived of an unfinished download.

        Raises:
            DownloadError: it is in use elsewhere, or cannot be removed.
        """
        from fewshot_gui.engine.downloads.download import drop  # noqa: PLC0415 - only once asked for
        from fewshot_gui.engine.downloads.fetch import unfinished_folder  # noqa: PLC0415 - the same

        drop(rung, unfinished_folder())
        self.forget(rung.name)

    def start(self, rung: Rung) -> None:
        """Download a rung, going on where an earlier try ended; nothing where that is under way."""
        state = self._states.get(rung.name)
        if state is not None and state.under_way:
            return
        stop = self._stops[rung.name] = CancelToken()
        done = state.done if state is not None else 0
        self._set(rung.name, Fetching(Phase.WAITING, done, rung.size_bytes))

        def work(token: CancelToken) -> BundleInfo:
            tell = self._teller(rung, token)
            return self._fetch(rung, progress=tell, cancelled=lambda: stop.cancelled or token.cancelled)

        self._lane(_DOWNLOADS).submit(
            work,
            then=lambda info: self._done(rung.name, info),
            failed=lambda error: self._failed(rung, stop, error),
        )

    def cancel(self, name: str) -> None:
        """Stop the download of a rung; what is here is kept, to go on from."""
        state, stop = self._states.get(name), self._stops.get(name)
        if state is None or stop is None or not state.under_way:
            return
        stop.cancel()
        self._set(name, replace(state, phase=Phase.PAUSED))

    def forget(self, name: str) -> None:
        """Know no more of a download that is not under way."""
        state = self._states.get(name)
        if state is not None and not state.under_way:
            del self._states[name]
            self.changed.emit(name)

    def remove(self, info: BundleInfo) -> None:
        """Remove a bundle that the user brought here.

        Raises:
            OSError: it cannot be removed, or is not the user's.
        """
        if not is_users(info):
            raise PermissionError(EPERM, strerror(EPERM), str(info.path))
        remove_own(info.name)
        self.forget(info.name)
        self.removed.emit(info.name)

    def take_in(
        self,
        path: Path,
        architecture: str,
        then: Callable[[BundleInfo], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Make a backbone of a file of weights, and hand over what it says of itself.

        Args:
            path: of the file.
            architecture: see `take_in` of engine.taking_in.
            then: gets the bundle, after `landed` was told.
            failed: gets the error.
        """

        def done(info: BundleInfo) -> None:
            self.landed.emit(info)
            then(info)

        self._lane(_FILES).submit(lambda _token: take_in(path, architecture), then=done, failed=failed)

    def _lane(self, name: str) -> Worker:
        """Return a lane; its thread begins when it is asked for first."""
        if name not in self._lanes:
            self._lanes[name] = Worker(name, self._post)
        return self._lanes[name]

    def close(self, timeout: float) -> bool:
        """Stop everything, and return True once all lanes have ended within `timeout` seconds."""
        for stop in self._stops.values():
            stop.cancel()
        end = self._clock() + timeout
        ended = [lane.close(max(0.0, end - self._clock())) for lane in self._lanes.values()]
        return all(ended)

    # What happens -------------------------------------------------------------------------------------

    def _teller(self, rung: Rung, token: CancelToken) -> Callable[[int, int | None], None]:
        """Return the progress that is told on the main thread, some times a second."""
        told = -_TELL_SECONDS

        def progress(done: int, total: int | None) -> None:
            nonlocal told
            now, complete = self._clock(), total is not None and done >= total
            if now - told >= _TELL_SECONDS or complete:
                told = now
                phase = Phase.PREPARING if complete else Phase.DOWNLOADING
                self._lane(_DOWNLOADS).tell(
                    token, lambda: self._progress(rung.name, Fetching(phase, done, total))
                )

        return progress

    def _progress(self, name: str, state: Fetching) -> None:
        present = self._states.get(name)
        if present is not None and present.under_way:  # else it was told after the person had cancelled
            self._set(name, replace(state, total=state.total or present.total))

    def _done(self, name: str, info: BundleInfo) -> None:
        self._set(name, Fetching(Phase.DONE))
        self.landed.emit(info)

    def _failed(self, rung: Rung, stop: CancelToken, error: Exception) -> None:
        if self._stops.get(rung.name) is not stop:
            return  # it was asked for again meanwhile
        phase = Phase.PAUSED if stop.cancelled else Phase.FAILED
        told = None if stop.cancelled else error
        self._set(rung.name, Fetching(phase, self._arrived(rung), rung.size_bytes, told))

    def _set(self, name: str, state: Fetching) -> None:
        if self._states.get(name) != state:
            self._states[name] = state
            self.changed.emit(name)


def _fetch(
    rung: Rung, *, progress: Callable[[int, int | None], None], cancelled: Callable[[], bool]
) -> BundleInfo:
    """Return the bundle that was made of a download."""
    from fewshot_gui.engine.downloads.fetch import fetch  # noqa: PLC0415 - only once somebody asks for it

    return fetch(rung, progress=progress, cancelled=cancelled)


def _arrived(rung: Rung) -> int:
    """Return how many bytes of an unfinished download are here."""
    from fewshot_gui.engine.downloads.fetch import arrived_bytes  # noqa: PLC0415 - as above

    return arrived_bytes(rung)
