"""Files that arrive in a watched folder: told once they are whole, in batches, and never our own."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from fewshot_gui.core.images.raw import is_raw
from fewshot_gui.core.images.scan import raws_alone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SETTLE_SECONDS = 2.0
"""A file that nobody wrote to for so long is whole: a camera or a browser writes more often."""
RAW_PATIENCE = 3
"""How many times as long a raw file waits: a camera that writes a JPEG as well does so right after it."""


class FileLook(NamedTuple):
    """What a file looked like at a moment.

    Attributes:
        size: in bytes.
        mtime_ns: when it was last written.
        alone: not a raw file beside which a picture of its name lies.
    """

    size: int
    mtime_ns: int
    alone: bool = True


def look_at(paths: Sequence[str]) -> dict[str, FileLook | None]:
    """Return what each file looks like, None where there is none; a slow disk takes its time."""
    alone = raws_alone([path for path in paths if is_raw(path)])
    return {path: _look(path, alone=path in alone or not is_raw(path)) for path in paths}


def _look(path: str, *, alone: bool) -> FileLook | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - paths are strings in the engine
    except OSError:
        return None
    return FileLook(found.st_size, found.st_mtime_ns, alone)


@dataclass(slots=True)
class _Growing:
    """A file under way: what it looked like when it last changed, and when that was."""

    look: FileLook
    since: float


@dataclass(slots=True)
class Arrivals:
    """Collects what a watcher reports until it has settled. Time comes in as an argument, in seconds.

    A thousand files at once, or a thousand reports of one file, are one batch: nothing here works by the
    report, and no file is asked for anything. Who asks, `look_at`, does so away from the main thread.

    Attributes:
        settle: seconds without a change after which a file counts as whole.
    """

    settle: float = SETTLE_SECONDS
    _touched: dict[str, None] = field(default_factory=dict)
    _waiting: dict[str, _Growing] = field(default_factory=dict)
    _ours: dict[str, float] = field(default_factory=dict)

    def touched(self, path: str) -> None:
        """Note that something happened to the file."""
        self._touched[path] = None

    def ignore(self, paths: list[str], now: float) -> None:
        """Expect reports about what this program itself is about to write, move or take back there."""
        self._ours.update(dict.fromkeys(paths, now))

    def unseen(self) -> list[str]:
        """Return the files to look at: those reported since the last call, and those on their way."""
        paths = list(self._waiting | self._touched)
        self._touched.clear()
        return paths

    def settled(self, looks: Mapping[str, FileLook | None], asked: float, now: float) -> list[str]:
        """Return the files that have become whole, in the order of their arrival.

        A file that still grows waits on; one that is gone, or is empty, is not told, nor a raw file beside
        which a picture of the same name lies by then.

        Args:
            looks: at what was unseen.
            asked: when they were asked for: no file was looked at before.
            now: when the last of them was answered.
        """
        done: list[str] = []
        for path, look in looks.items():
            if look is None or path in self._ours:
                self._waiting.pop(path, None)
                continue
            growing = self._waiting.get(path)
            if growing is None or growing.look[:2] != look[:2]:
                self._waiting[path] = _Growing(look, now)
            elif look.size and asked - growing.since >= self.settle * (RAW_PATIENCE if is_raw(path) else 1):
                del self._waiting[path]
                if look.alone:
                    done.append(path)
        self._forget(now)
        return done

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
            # What was reported of them while a slow disk was looked at is still to be told apart.
            if now - since > 10 * self.settle and path not in self._touched:
                del self._ours[path]
