"""Figures: readable PNG files, whatever the numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from fewshot_gui.cli.figures import save_comparison, save_curve
from fewshot_gui.core.evaluation.episodic import Report

if TYPE_CHECKING:
    from pathlib import Path


def report(learner: str, **changes: Any) -> Report:
    values: dict[str, Any] = {
        "backbone": "photo", "ways": 5, "shots": 1, "queries": 15, "episodes": 9, "seed": 0, "accuracy": 0.8,
        "ci95": 0.01, "ece": 0.02, "ms_per_task": 3.0,
    }  # fmt: skip
    return Report(learner, **(values | changes))


def inked(path: Path) -> float:
    """Return the share of a picture that is not white; fails where it is no PNG."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        return float((np.asarray(image.convert("L")) < 250).mean())


@pytest.mark.parametrize(
    "reports",
    [
        [report("prototypical")],
        [report("maml", ms_per_task=900.0, backbone="x"), report("nearest", transductive=True)],
        [report("one", ci95=math.inf, accuracy=1.0), report("two", ms_per_task=0.0, accuracy=0.0)],
        [report(f"learner-{number}", accuracy=number / 20) for number in range(20)],
    ],
)
def test_a_comparison_is_drawn(tmp_path: Path, reports: list[Report]) -> None:
    save_comparison(tmp_path / "table.png", reports)
    assert 0.005 < inked(tmp_path / "table.png") < 0.4


def test_more_learners_make_a_taller_figure(tmp_path: Path) -> None:
    heights = []
    for count in (1, 9):
        save_comparison(tmp_path / "table.png", [report(f"learner-{number}") for number in range(count)])
        with Image.open(tmp_path / "table.png") as image:
            heights.append(image.height)
    assert heights[1] > heights[0] + 400


@pytest.mark.parametrize(
    "series",
    [
        {"loss": [2.0, 1.0, 0.5]},
        {
            "loss": [2.0, math.nan, math.inf],
            "accuracy training": [0.1, 0.2, 0.3],
            "accuracy validation": [0.1, 0, 1],
        },
        {"loss": [math.nan] * 3},
        {},
    ],
)
def test_a_curve_is_drawn(tmp_path: Path, series: dict[str, list[float]]) -> None:
    save_curve(tmp_path / "curve.png", [0, 100, 200], series, "prototypical on Omniglot")
    assert inked(tmp_path / "curve.png") > 0.002


def test_values_far_apart_are_joined_over_what_is_not_there(tmp_path: Path) -> None:
    """A validation every tenth step must not vanish between the steps without one."""
    sparse = [number / 100 if number % 10 == 0 else math.nan for number in range(100)]
    save_curve(tmp_path / "sparse.png", list(range(100)), {"accuracy": sparse}, "")
    save_curve(tmp_path / "none.png", list(range(100)), {"accuracy": [math.nan] * 100}, "")
    assert inked(tmp_path / "sparse.png") > inked(tmp_path / "none.png")


def test_a_figure_leaves_no_global_state(tmp_path: Path) -> None:
    import sys

    save_curve(tmp_path / "curve.png", [1], {"loss": [1.0]}, "")
    assert "matplotlib.pyplot" not in sys.modules
