"""The watchdog: how long the GUI thread was away from its event loop, and where it was meanwhile."""

from __future__ import annotations

import faulthandler
import re
import threading
from dataclasses import asdict, dataclass
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QTimer

if TYPE_CHECKING:
    from io import RawIOBase

TICK_SECONDS = 0.005
ALARM_SECONDS = 0.1
_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+) in (?P<name>\S+)')
_FRAMES_KEPT = 3


@dataclass(frozen=True, slots=True)
class Gap:
    """One time for which nothing was answered.

    Attributes:
        milliseconds: how long.
        computing_ms: of that, how long this thread had the processor; the rest it waited for its turn.
        where: the innermost calls of this program in it, where it was long enough for the alarm.
    """

    milliseconds: float = 0.0
    computing_ms: float = 0.0
    where: str = ""


class Watchdog(QObject):
    """Measures the gaps between the ticks of a timer on the GUI thread, the longest of each phase.

    A tick that comes late was kept waiting by what input would have waited for too: a call of Python, the
    painting of Qt, the lock of the interpreter, or a busy processor. While a gap lasts longer than the
    alarm, a thread of C, which needs no interpreter, writes down where the GUI thread is.

    Args:
        notes: an empty file of the operating system, unbuffered, open until after `stop`.
    """

    def __init__(self, notes: RawIOBase) -> None:
        super().__init__()
        self.worst: dict[str, Gap] = {}
        self._phase = ""
        self._last = self._computed = 0.0
        self._notes = notes
        self._timer = QTimer(self, interval=round(1000 * TICK_SECONDS), timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def enter(self, phase: str) -> None:
        """Count what follows to this phase; watch from now on."""
        if self._timer.isActive():
            self._tick()
        else:
            self._mark()
            self._timer.start()
        self._phase = phase
        self.worst.setdefault(phase, Gap())

    def stop(self) -> None:
        """Watch no more."""
        self._tick()
        self._timer.stop()
        faulthandler.cancel_dump_traceback_later()

    def phases(self) -> dict[str, dict[str, Any]]:
        """Return the longest gap of each phase, as JSON takes it."""
        return {phase: asdict(gap) for phase, gap in self.worst.items()}

    @property
    def worst_ms(self) -> float:
        """The longest gap of all."""
        return max((gap.milliseconds for gap in self.worst.values()), default=0.0)

    def _tick(self) -> None:
        gap = 1000 * (perf_counter() - self._last - TICK_SECONDS)
        computed = 1000 * (thread_time() - self._computed)
        if gap > self.worst[self._phase].milliseconds:
            self.worst[self._phase] = Gap(gap, computed, self._read_notes())
        self._mark()

    def _mark(self) -> None:
        self._last, self._computed = perf_counter(), thread_time()
        faulthandler.dump_traceback_later(ALARM_SECONDS, file=self._notes)

    def _read_notes(self) -> str:
        faulthandler.cancel_dump_traceback_later()
        self._notes.seek(0)
        words = self._notes.read().decode(errors="replace")
        self._notes.seek(0)
        self._notes.truncate()
        return innermost_calls(words, threading.get_ident())


def innermost_calls(dump: str, thread: int) -> str:
    """Return the innermost calls of a thread in a dump of faulthandler, "" where it is not in there."""
    for part in dump.split("Thread 0x")[1:]:
        if int(part.split()[0].rstrip(":"), 16) == thread:
            frames = [match.groupdict() for match in _FRAME.finditer(part)]
            return " < ".join(
                f"{'/'.join(frame['file'].split('/')[-2:])}:{frame['line']} {frame['name']}"
                for frame in frames[:_FRAMES_KEPT]
            )
    return ""
