"""Watching a folder: the operating system's reports, handed to the main thread."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from fewshot_gui.core.images.raw import is_raw
from fewshot_gui.core.images.scan import is_picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.engine.worker import Post


class WatchProblem(StrEnum):
    """Why a folder cannot be watched."""

    MISSING = "missing"  # it is not there
    REFUSED = "refused"  # the system watches no more folders


class WatchError(Exception):
    """A folder that cannot be watched; who shows it finds the words.

    Attributes:
        problem: why.
        folder: its path.
        detail: what the system said, or "".
    """

    def __init__(self, problem: WatchProblem, folder: str, detail: str = "") -> None:
        super().__init__(f"{problem}: {folder} {detail}".rstrip())
        self.problem, self.folder, self.detail = problem, folder, detail


class FolderWatch:
    """Reports each picture that comes into a folder or below it, is written or leaves, on the main thread.

    Hidden files and folders are passed over, as by the scan.

    Args:
        folder: an existing folder.
        post: hands a call to the main thread.
        touched: gets the path of a picture that something happened to; many times for one file.

    Raises:
        WatchError: the folder is gone, or the system watches no more folders.
    """

    def __init__(self, folder: str, post: Post, touched: Callable[[str], None]) -> None:
        self.folder = folder
        if not os.path.isdir(folder):  # noqa: PTH112 - paths are strings in the engine
            raise WatchError(WatchProblem.MISSING, folder)
        self._observer = Observer()
        self._observer.daemon = True
        # Of a link the systems watch the link itself, or tell the paths behind it.
        real = folder if sys.platform == "win32" else os.path.realpath(folder)
        self._observer.schedule(_Reporter(folder, real, post, touched), real, recursive=True)
        try:
            self._observer.start()
        except OSError as error:  # inotify: the user's limit of watches is reached
            raise WatchError(WatchProblem.REFUSED, folder, error.strerror or str(error)) from error

    def close(self) -> None:
        """Report nothing any more."""
        self._observer.stop()
        self._observer.join(timeout=2)


class _Reporter(FileSystemEventHandler):
    """Runs on the watcher's thread: it does nothing but hand on."""

    def __init__(self, folder: str, real: str, post: Post, touched: Callable[[str], None]) -> None:
        self._above = os.path.join(folder, "")  # noqa: PTH118 - paths are strings in the engine
        self._real = os.path.join(real, "")  # noqa: PTH118 - the same
        self._post = post
        self._touched = touched

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Hand on what became of a picture: where it was and where it is now, for a moved one."""
        # "attrib": rights, times and tags, which sync programs set on pictures that have long lain there.
        if event.is_directory or event.event_type in ("opened", "closed_no_write", "attrib"):
            return
        for path in map(os.fsdecode, (event.src_path, event.dest_path)):
            if (is_picture(path) or is_raw(path)) and not self._is_hidden(path):
                self._post(partial(self._touched, self._as_opened(path)))

    def _as_opened(self, path: str) -> str:
        return self._above + path[len(self._real) :] if path.startswith(self._real) else path

    def _is_hidden(self, path: str) -> bool:
        """Return whether a part of the path below the folder is hidden: ._new.jpg, .Trash-0/old.jpg."""
        return any(part.startswith(".") for part in PurePath(path.removeprefix(self._real)).parts)
