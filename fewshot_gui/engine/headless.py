"""The engine without a window: a loop that runs what the lanes post, for commands and scripts."""

from __future__ import annotations

import queue
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fewshot_gui.engine.folders import cache_folder
from fewshot_gui.engine.library import Library, decode_threads
from fewshot_gui.engine.problems import ProblemLog
from fewshot_gui.engine.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class MainLoop:
    """Runs, on the thread that owns it, the calls that other threads post."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def post(self, call: Callable[[], None]) -> None:
        """Queue a call; any thread may."""
        self._calls.put(call)

    def run_until(self, done: Callable[[], bool]) -> None:
        """Run posted calls, in order, until `done` says so."""
        while not done():
            self._calls.get()()


@contextmanager
def open_library(loop: MainLoop, cache: Path | None = None) -> Iterator[tuple[Library, ProblemLog]]:
    """Yield a library with its problem list, whose results arrive on `loop`.

    Args:
        loop: of the thread that uses the library.
        cache: folder of the embedding cache; the user's own by default.
    """
    problems = ProblemLog()
    lanes = Worker("decode", loop.post, threads=decode_threads()), Worker("model", loop.post)
    library = Library(loop.post, *lanes, cache or cache_folder(), problems)
    try:
        yield library, problems
    finally:
        for lane in lanes:
            lane.close(timeout=5)
        library.close()
