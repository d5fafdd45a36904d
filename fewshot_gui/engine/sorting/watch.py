"""Watching a folder: the operating system's reports, handed to the main thread."""

from __future__ import annotations

import os
from enum import StrEnum
from functools import partial
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
    """Reports each picture that is made, written or moved into a folder or below it, on the main thread.

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
        self._observer.schedule(_Reporter(post, touched), folder, recursive=True)
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

    def __init__(self, post: Post, touched: Callable[[str], None]) -> None:
        self._post = post
        self._touched = touched

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Hand on what became of a picture: where it is now, for a moved one."""
        if event.is_directory or event.event_type in ("opened", "closed_no_write", "deleted"):
            return
        path = os.fsdecode(event.dest_path or event.src_path)
        if is_picture(path) or is_raw(path):
            self._post(partial(self._touched, path))
