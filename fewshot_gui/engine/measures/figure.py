"""A figure: what was measured, the bar it is held to, and what something plainer needs for the same."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any


class MeasureError(Exception):
    """A measure that could not be taken; its sentence says what happened."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Attributes:
        starts: how often the program is started; the median counts.
        rows: cached pictures that are scored anew when an example is added.
        teachings: how many examples are added, one after the other; the median counts.
        video_seconds: length of the recorded video.
        photos: large JPEGs to index.
        photo_side: their longer side in pixels; the shorter is three quarters of it.
        folder: pictures in the folder that is opened while the window is watched.
        pictures: in the folder whose memory is measured.
        computed: of those, how many are not in the cache beforehand.
    """

    starts: int = 3
    rows: int = 10_000
    teachings: int = 20
    video_seconds: float = 10.0
    photos: int = 24
    photo_side: int = 4000
    folder: int = 2_000
    pictures: int = 100_000
    computed: int = 2_000


FULL = Sizes()
QUICK = Sizes(
    starts=1, rows=2_000, teachings=5, video_seconds=3, photos=6, folder=200, pictures=5_000, computed=200
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value beside its baseline.

    Attributes:
        name: of the measure.
        value: what this program needs or does, in `unit`.
        unit: of value, bar and baseline.
        baseline_value: what the baseline needs or does.
        bar: what the value is held to; None where it is only reported.
        more_is_better: frames a second are, milliseconds are not.
        detail: further numbers.
    """

    name: str
    value: float
    unit: str
    baseline_value: float
    bar: float | None = None
    more_is_better: bool = False
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """True where the value reaches the bar; None where there is none."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.more_is_better else self.value <= self.bar

    @property
    def ratio(self) -> float:
        """How many times as good as the baseline this is; below 1 it is worse."""
        better, worse = self.value, self.baseline_value
        if not self.more_is_better:
            better, worse = worse, better
        return better / worse if worse else float("inf")


def percentile(values: list[float], share: float) -> float:
    """Return the smallest of `values` that at least `share` (0 to 1) of them do not exceed.

    Raises:
        MeasureError: there are no values.
    """
    if not values:
        raise MeasureError("nothing was measured")
    ordered = sorted(values)
    # The small number: 0.95 * 100 is a little more than 95.
    return ordered[max(0, math.ceil(share * len(ordered) - 1e-9) - 1)]
