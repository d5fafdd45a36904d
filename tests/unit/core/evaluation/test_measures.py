from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.evaluation.measures import auroc, ece, interval95

numbers = st.floats(-10, 10, width=32)
novelties = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=12)


def test_the_interval_by_hand() -> None:
    # Standard deviation 1 of three values: 1.96 / sqrt(3).
    assert interval95([1.0, 2.0, 3.0]) == pytest.approx(1.959964 / math.sqrt(3))
    assert interval95(torch.tensor([0.5, 0.5])) == 0


@pytest.mark.parametrize("values", [[], [0.7]])
def test_one_value_has_no_interval(values: list[float]) -> None:
    assert interval95(values) == math.inf


def test_the_interval_holds_the_mean_95_times_in_100() -> None:
    draws = torch.randn(2000, 100, generator=torch.Generator().manual_seed(0))
    held = sum(abs(float(row.mean())) <= interval95(row) for row in draws)
    assert 0.93 < held / 2000 < 0.97


def test_the_calibration_error_by_hand() -> None:
    # Two answers at 0.9, one right: |0.9 - 0.5|. Two at 0.6, both right: |0.6 - 1|. Half of the answers each.
    probabilities = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    assert ece(probabilities, torch.tensor([0, 1, 1, 1])) == pytest.approx(0.4, abs=1e-6)


def test_certain_and_right_has_no_error_and_certain_and_wrong_has_all() -> None:
    certain = torch.eye(3)
    assert ece(certain, torch.arange(3)) == 0
    assert ece(certain, torch.tensor([1, 2, 0])) == 1


def test_honest_probabilities_have_a_small_error() -> None:
    generator = torch.Generator().manual_seed(0)
    probabilities = (2 * torch.randn(20_000, 4, generator=generator)).softmax(1)
    labels = torch.multinomial(probabilities, 1, generator=generator).squeeze(1)
    assert ece(probabilities, labels) < 0.01


@given(
    rows=st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=1, max_size=20), bins=st.integers(1, 20)
)
def test_the_calibration_error_lies_between_0_and_1(rows: list[list[float]], bins: int) -> None:
    probabilities = torch.tensor(rows).softmax(1)
    assert 0 <= ece(probabilities, torch.zeros(len(rows), dtype=torch.int64), bins) <= 1


def test_no_answer_has_no_calibration_error() -> None:
    with pytest.raises(ValueError, match="at least one answer"):
        ece(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64))


@given(known=novelties, unknown=novelties)
def test_the_area_is_the_share_of_pairs_in_the_right_order(known: list[float], unknown: list[float]) -> None:
    pairs = [(b > a) + 0.5 * (b == a) for a in known for b in unknown]
    found = auroc(torch.tensor(known), torch.tensor(unknown))
    assert found == pytest.approx(sum(pairs) / len(pairs))
    assert auroc(torch.tensor(unknown), torch.tensor(known)) == pytest.approx(1 - found)


@pytest.mark.parametrize(("known", "unknown"), [([], [1.0]), ([1.0], [])])
def test_the_area_needs_both_kinds(known: list[float], unknown: list[float]) -> None:
    with pytest.raises(ValueError, match="known and unknown"):
        auroc(torch.tensor(known), torch.tensor(unknown))
