"""What a figure says of itself: whether it reaches its bar, and how it stands beside its baseline."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.engine.measures.figure import FULL, QUICK, Figure, MeasureError, percentile


def test_less_time_than_the_bar_meets_it() -> None:
    assert Figure("teach", 49.9, "ms", 100.0, bar=50.0).met
    assert not Figure("teach", 50.1, "ms", 100.0, bar=50.0).met


def test_more_frames_than_the_bar_meet_it() -> None:
    assert Figure("live", 25.0, "frames/s", 20.0, bar=25.0, more_is_better=True).met
    assert not Figure("live", 24.9, "frames/s", 20.0, bar=25.0, more_is_better=True).met


def test_without_a_bar_nothing_is_met_or_missed() -> None:
    assert Figure("first-prediction", 5000.0, "ms", 6000.0).met is None


def test_the_ratio_says_how_many_times_as_good_it_is() -> None:
    assert Figure("teach", 10.0, "ms", 40.0).ratio == 4.0
    assert Figure("index", 40.0, "pictures/s", 10.0, more_is_better=True).ratio == 4.0
    assert Figure("blocked", 0.0, "ms", 10.0).ratio == float("inf")


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([5.0, 1.0, 3.0, 2.0, 4.0], 0.5) == 3.0
    assert percentile([float(number) for number in range(1, 101)], 0.95) == 95.0
    assert percentile([7.0], 0.95) == 7.0


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(MeasureError, match="nothing was measured"):
        percentile([], 0.5)


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=50), st.floats(0.01, 1))
def test_enough_values_lie_at_or_below_a_percentile(values: list[float], share: float) -> None:
    limit = percentile(values, share)
    below = sum(value <= limit for value in values)
    assert limit in values
    assert below >= share * len(values) - 1e-6


def test_quick_is_smaller_everywhere() -> None:
    assert QUICK.starts < FULL.starts
    assert QUICK.rows < FULL.rows
    assert QUICK.photos < FULL.photos
    assert QUICK.pictures < FULL.pictures
    assert QUICK.computed < QUICK.pictures
