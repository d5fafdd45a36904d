"""Watching a folder: the operating system's reports, handed to the main thread."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from fewshot_gui.core.images.scan import is_picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.engine.worker import Post


class WatchError(Exception):
    """A folder that cannot be watched; its sentence says why and what to do."""


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
            raise WatchError(f"{folder} is not there; open a folder that is")
        self._observer = Observer()
        self._observer.daemon = True
        self._observer.schedule(_Reporter(post, touched), folder, recursive=True)
        try:
            self._observer.start()
        except OSError as error:  # inotify: the user's limit of watches is reached
            raise WatchError(
                f"{folder} cannot be watched: {error.strerror}. Open it again to see what is new"
            ) from error

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
        if is_picture(path):
            self._post(partial(self._touched, path))
