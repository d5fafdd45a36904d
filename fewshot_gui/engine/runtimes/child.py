"""A trial in a process of its own: started, waited for in steps, and ended with whoever asked for it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from fewshot_gui.engine.runtimes.record import Record, read_record, write_record

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.engine.runtimes.conditions import Conditions
    from fewshot_gui.engine.worker import Steps

PATIENCE_SECONDS = 1800.0
"""Some ten seconds of work, but at the lowest priority beside whatever else the machine does."""
_STEP_SECONDS = 0.1
_WORDS_KEPT = 300
_MODULE = "fewshot_gui.engine.runtimes.trial"


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial that is still to be made.

    Attributes:
        name: name or path of the bundle.
        folder: where models and records are kept.
        most_threads: that torch may use.
        conditions: that the record will be of.
    """

    name: str
    folder: Path
    most_threads: int
    conditions: Conditions

    @property
    def command(self) -> list[str]:
        """The command line of the process."""
        return [sys.executable, "-P", "-m", _MODULE, self.name, str(self.folder), str(self.most_threads)]


def make_trial(trial: Trial) -> Steps[Record | None]:
    """Return what was found and is recorded, by the steps of a job; closing them ends the process.

    A process that fails, dies or takes too long is recorded as a problem, and not started again under the
    same conditions. None where nothing could be recorded.
    """
    with tempfile.TemporaryFile() as said:
        process = _start(trial, said)
        deadline = time.monotonic() + PATIENCE_SECONDS
        try:
            while not _ended(process) and time.monotonic() < deadline:
                yield
        finally:
            timed_out = process.poll() is None
            process.kill()
            process.wait()
        if process.returncode == 0:
            return read_record(trial.folder, trial.conditions)
        problem = (
            f"it took over {PATIENCE_SECONDS:.0f} s" if timed_out else _last_words(said, process.returncode)
        )
        return _recorded(trial, problem)


def _start(trial: Trial, said: IO[bytes]) -> subprocess.Popen[bytes]:
    # Elsewhere the process makes itself the least urgent one, which Windows knows only from outside.
    idle: int = getattr(subprocess, "IDLE_PRIORITY_CLASS", 0)
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        trial.command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=said,
        creationflags=idle,
    )


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(timeout=_STEP_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _last_words(said: IO[bytes], code: int) -> str:
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    return lines[-1][:_WORDS_KEPT] if lines else f"exit code {code}"


def _recorded(trial: Trial, problem: str) -> Record | None:
    record = Record(trial.conditions, problem)
    try:
        write_record(trial.folder, record)
    except OSError:
        return None
    return record
