"""Files that arrive in a watched folder: told once they are whole, in batches, and never our own."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from fewshot_gui.core.images.raw import is_raw
from fewshot_gui.core.images.scan import raws_alone

SETTLE_SECONDS = 2.0
"""A file that nobody wrote to for so long is whole: a camera or a browser writes more often."""
RAW_PATIENCE = 3
"""How many times as long a raw file waits: a camera that writes a JPEG as well does so right after it."""


@dataclass(slots=True)
class _Growing:
    """A file under way: what it looked like when it last changed, and when that was."""

    size: int
    mtime_ns: int
    since: float


@dataclass(slots=True)
class Arrivals:
    """Collects what a watcher reports until it has settled. Time comes in as an argument, in seconds.

    A thousand files at once, or a thousand reports of one file, are one batch: nothing here works by the
    report.

    Attributes:
        settle: seconds without a change after which a file counts as whole.
    """

    settle: float = SETTLE_SECONDS
    _waiting: dict[str, _Growing] = field(default_factory=dict)
    _ours: dict[str, float] = field(default_factory=dict)

    def touched(self, path: str, now: float) -> None:
        """Note that something happened to the file."""
        if path in self._ours:
            return
        found = _look(path)
        if found is None:
            self._waiting.pop(path, None)
            return
        before = self._waiting.get(path)
        if before is None or (before.size, before.mtime_ns) != found:
            self._waiting[path] = _Growing(*found, now)

    def ignore(self, paths: list[str], now: float) -> None:
        """Expect reports about what this program itself is about to write, move or take back there."""
        self._ours.update(dict.fromkeys(paths, now))

    def settled(self, now: float) -> list[str]:
        """Return the files that have become whole since the last call, in the order of their arrival.

        A file that still grows waits on; one that is gone, or is empty, is not told, nor a raw file beside
        which a picture of the same name lies by then.
        """
        self._forget(now)
        done: list[str] = []
        for path, growing in list(self._waiting.items()):
            found = _look(path)
            if found is None:
                del self._waiting[path]
            elif found != (growing.size, growing.mtime_ns):
                self._waiting[path] = _Growing(*found, now)
            elif found[0] and now - growing.since >= self.settle * (RAW_PATIENCE if is_raw(path) else 1):
                del self._waiting[path]
                done.append(path)
        shown = raws_alone([path for path in done if is_raw(path)])
        return [path for path in done if path in shown or not is_raw(path)]

    def is_ours(self, path: str) -> bool:
        """Return whether a report about the file is about what this program does or has just done."""
        return path in self._ours

    @property
    def waiting(self) -> int:
        """How many files are still on their way."""
        return len(self._waiting)

    def _forget(self, now: float) -> None:
        """Listen again to our own files once the system has had time to report what we did."""
        for path, since in list(self._ours.items()):
            if now - since > 10 * self.settle:
                del self._ours[path]


def _look(path: str) -> tuple[int, int] | None:
    """Return (size, mtime in ns) of a file, None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - paths are strings in the engine
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
