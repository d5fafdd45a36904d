"""Schedules by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.training.schedule import scheduled_rate, scheduled_side
from fewshot_gui.core.training.stage import Stage


@given(steps=st.integers(1, 500), within=st.data(), schedule=st.sampled_from(["cosine", "step"]))
def test_the_learning_rate_stays_between_zero_and_its_height(
    steps: int, within: st.DataObject, schedule: str
) -> None:
    stage = Stage("classify", steps=steps, learning_rate=0.1, schedule=schedule)  # type: ignore[arg-type]
    rate = scheduled_rate(stage, within.draw(st.integers(0, steps - 1)))
    assert 0 <= rate <= 0.1 + 1e-12


@given(st.lists(st.integers(16, 96), min_size=1, max_size=5), st.integers(5, 100))
def test_every_side_has_its_part_of_the_stage_in_order(sides: list[int], steps: int) -> None:
    stage = Stage("classify", steps=steps, learning_rate=0.1, sides=tuple(sides))
    used = [scheduled_side(stage, within, 28) for within in range(steps)]
    assert used[0] == sides[0]
    assert used[-1] == sides[-1]
    assert set(used) == set(sides)


def test_a_cosine_by_hand() -> None:
    stage = Stage("episodes", steps=100, learning_rate=1.0)
    rates = [scheduled_rate(stage, within) for within in (0, 4, 5, 52, 99)]
    halfway = 0.5 * (1 + math.cos(math.pi * 47 / 95))
    assert rates == pytest.approx([0.2, 1.0, 1.0, halfway, 0.5 * (1 + math.cos(math.pi * 94 / 95))])


def test_steps_by_hand() -> None:
    stage = Stage("episodes", steps=10, learning_rate=1.0, schedule="step", warm_up=0.0,
                  drops=(0.5, 0.8), drop=0.1)  # fmt: skip
    rates = [scheduled_rate(stage, within) for within in range(10)]
    assert rates == pytest.approx([1.0] * 5 + [0.1] * 3 + [0.01] * 2)


def test_without_a_warm_up_the_first_step_is_at_its_height() -> None:
    stage = Stage("episodes", steps=10, learning_rate=0.5, warm_up=0.0)
    assert scheduled_rate(stage, 0) == 0.5
