"""The speed table, run by hand: `pytest tests/benchmarks`. Figures against the baseline of the same run.

Only ratios are asserted, and generously: they hold on a slow and on a busy machine, where milliseconds do
not. The bars themselves are told by `fewshot-gui bench`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.core.backbones.catalogue import default_bundle
from fewshot_gui.engine.measures.catalogue import take
from fewshot_gui.engine.measures.figure import QUICK

if TYPE_CHECKING:
    from fewshot_gui.engine.measures.figure import Figure

pytestmark = pytest.mark.timeout(900)

BACKBONE = os.environ.get("FEWSHOT_BENCH_BACKBONE") or default_bundle("photo")


def measured(name: str) -> tuple[Figure, ...]:
    return take(name, BACKBONE, QUICK)


def test_the_window_comes_before_torch_and_costs_few_empty_windows() -> None:
    (figure,) = measured("start")

    assert figure.detail["torch_imported"] is False
    assert figure.ratio > 0.05


def test_the_first_prediction_takes_little_longer_than_a_plain_script() -> None:
    (figure,) = measured("first-prediction")

    assert figure.ratio > 0.4


def test_an_example_costs_no_more_than_a_naive_script() -> None:
    (figure,) = measured("teach")

    assert figure.ratio > 0.5


def test_live_keeps_up_with_a_loop_that_shows_nothing() -> None:
    rate, latency = measured("live")

    assert rate.ratio > 0.5
    assert latency.ratio > 0.05


def test_indexing_is_much_faster_than_the_usual_loop() -> None:
    (figure,) = measured("index")

    assert figure.ratio > 2


def test_the_window_is_not_blocked_for_long() -> None:
    """No ratio: a window that is left alone is blocked for next to nothing."""
    (figure,) = measured("blocked")

    assert figure.value < 1000


def test_an_open_folder_costs_less_memory_than_torch() -> None:
    (figure,) = measured("memory")

    assert figure.ratio > 0.3
