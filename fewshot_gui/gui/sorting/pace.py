"""How fast a run goes, and how long it still takes."""

from __future__ import annotations

from dataclasses import dataclass

_SETTLED_SECONDS = 1.0


@dataclass(slots=True)
class Pace:
    """The pace of a run since its first report. Time comes in as an argument, in seconds.

    Attributes:
        began: when the first report came, or None.
        done_then: how many files were done then.
    """

    began: float | None = None
    done_then: int = 0

    def rate(self, done: int, now: float) -> float | None:
        """Return files a second so far; None before there is anything to tell."""
        if self.began is None:
            self.began, self.done_then = now, done
        passed = now - self.began
        if passed < _SETTLED_SECONDS or done <= self.done_then:
            return None
        return (done - self.done_then) / passed

    def left(self, done: int, total: int, now: float) -> float | None:
        """Return the seconds that are left; None before there is anything to tell."""
        rate = self.rate(done, now)
        return (total - done) / rate if rate else None
