"""Processes that are measured from outside: started, waited for, and read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fewshot_gui.engine.measures.figure import MeasureError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PATIENCE_SECONDS = 900
_WORDS_KEPT = 400


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of its own for everything that a measure writes.

    Attributes:
        folder: empty at first, removed by whoever made it.
        backbone: name or path of the bundle to measure with.
    """

    folder: Path
    backbone: str

    @property
    def cache(self) -> Path:
        """The folder of the embedding cache."""
        return self.folder / "cache"

    def environment(self) -> dict[str, str]:
        """Return the environment of a process that writes here alone and needs no screen."""
        own = {"FEWSHOT_CACHE": str(self.cache), "FEWSHOT_DATA": str(self.folder / "data")}
        return {"QT_QPA_PLATFORM": "offscreen", **os.environ, **own}


def run_child(place: Place, module: str, *arguments: str) -> dict[str, Any]:
    """Return the JSON object of the last line that `python -m module arguments` prints.

    `begun_at` is added to it: seconds since 1970 when the process was started.

    Args:
        place: where it may write.
        module: to run.
        arguments: of the command line.

    Raises:
        MeasureError: it fails, hangs or prints something else.
    """
    command = [sys.executable, "-m", module, *arguments]
    begun_at = time.time()
    try:
        done = subprocess.run(  # noqa: S603 - this Python, and our own modules
            command,
            env=place.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise MeasureError(f"{module} {_words(arguments)} took over {PATIENCE_SECONDS} s") from error
    try:
        printed: dict[str, Any] = json.loads(done.stdout.strip().rpartition("\n")[2])
    except ValueError as error:
        said = done.stderr.strip()[-_WORDS_KEPT:]
        raise MeasureError(f"{module} {_words(arguments)} ended with {done.returncode}: {said}") from error
    if "error" in printed:
        raise MeasureError(str(printed["error"]))
    return {**printed, "begun_at": begun_at}


def measure_window(place: Place, session: Path, name: str, *paths: Path) -> dict[str, Any]:
    """Return what the window measures of itself; see `fewshot_gui.gui.measure`.

    Raises:
        MeasureError: the window fails or hangs.
    """
    return run_child(place, "fewshot_gui", str(session), "--measure", name, *map(str, paths))


def _words(arguments: Sequence[str]) -> str:
    return " ".join(arguments)
