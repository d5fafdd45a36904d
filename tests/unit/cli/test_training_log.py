"""The logs beside a bundle: what is cut at a resume, and the curve that is drawn of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.cli.training_log import (
    curve,
    log_path,
    log_records,
    logged_seconds,
    tensorboard,
    validated,
    validation_path,
)
from fewshot_gui.core.training.checkpoint import Look
from fewshot_gui.core.training.trainer import StepRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def records(first: int, last: int) -> Iterator[StepRecord]:
    for step in range(first, last + 1):
        look = Look(step, 0, step / 100, 0.01) if step % 15 == 0 else None
        yield StepRecord(step, "episodes", 1.0, 0.5, 0.1, 0.2, look)


def first_column(path: Path) -> list[str]:
    return [line.split(",")[0] for line in path.read_text().splitlines()]


def test_every_tenth_step_and_every_look_is_logged(tmp_path: Path) -> None:
    out, told = tmp_path / "a.safetensors", []
    last = log_records(records(1, 31), out, told.append, resume=False)
    assert last is not None
    assert last.step == 31
    assert told == list(range(1, 32))
    assert first_column(log_path(out)) == ["step", "10", "20", "30"]
    assert first_column(validation_path(out)) == ["step", "15", "30"]
    assert logged_seconds(out) == 6


def test_a_resumed_log_has_every_step_once(tmp_path: Path) -> None:
    out = tmp_path / "a.safetensors"
    log_records(records(1, 45), out, lambda _step: None, resume=False)
    log_records(records(21, 45), out, lambda _step: None, resume=True)
    assert first_column(log_path(out)) == ["step", "10", "20", "30", "40"]
    assert first_column(validation_path(out)) == ["step", "15", "30", "45"]


class Board:
    """Remembers the steps of each curve."""

    def __init__(self) -> None:
        self.steps: dict[str, list[int]] = {}

    def add_scalar(self, name: str, _value: float, step: int) -> None:
        self.steps.setdefault(name, []).append(step)


def test_a_board_shows_every_look_whatever_its_step(tmp_path: Path) -> None:
    board = Board()
    log_records(records(1, 31), tmp_path / "a.safetensors", lambda _step: None, resume=False, board=board)
    assert board.steps["training/loss"] == [10, 20, 30]
    assert board.steps["validation/accuracy"] == [15, 30]


def test_a_curve_has_the_mean_of_each_stretch_between_looks() -> None:
    rows = [{"step": str(s), "loss": str(s), "accuracy": "0.5"} for s in (10, 20, 30)]
    looks = [{"step": "25", "accuracy": "0.7"}, {"step": "30", "accuracy": "0.8"}]
    steps, series = curve(rows, looks)
    assert steps == [25, 30]
    assert series == {"loss": [15, 30], "accuracy training": [0.5, 0.5], "accuracy validation": [0.7, 0.8]}


def test_a_stretch_without_a_row_is_a_gap() -> None:
    _, series = curve([], [{"step": "5", "accuracy": "0.7"}])
    assert math.isnan(series["loss"][0])


def test_a_curve_without_validation_has_at_most_so_many_points() -> None:
    rows = [{"step": str(10 * s), "loss": "1", "accuracy": "0.5"} for s in range(1, 1001)]
    steps, series = curve(rows, [])
    assert len(steps) == len(series["loss"]) == 200
    assert steps[-1] == 10_000


def test_no_board_is_no_board() -> None:
    with tensorboard(None) as board:
        assert board is None


@pytest.mark.parametrize("look", [None, Look(5, 0, 0.9, 0.02)])
def test_the_summary_tells_of_the_look_that_was_kept(look: Look | None) -> None:
    assert validated(look).get("validation_step") == (look.step if look else None)
