"""The order in which examples are read."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.learners.order import in_turn


def test_classes_take_turns_by_hand() -> None:
    assert in_turn(torch.tensor([0, 0, 0, 1, 1, 2])).tolist() == [0, 3, 5, 1, 4, 2]
    assert in_turn(torch.tensor([2, 0, 2, 0])).tolist() == [0, 1, 2, 3]
    assert in_turn(torch.zeros(0, dtype=torch.int64)).tolist() == []


@given(st.lists(st.integers(0, 6), max_size=40))
def test_no_example_comes_before_all_classes_have_had_as_many(labels: list[int]) -> None:
    values = torch.tensor(labels, dtype=torch.int64)
    order = in_turn(values)
    assert sorted(order.tolist()) == list(range(len(labels)))
    seen: dict[int, int] = {}
    turns = []
    for label in values[order].tolist():
        seen[label] = seen.get(label, -1) + 1
        turns.append(seen[label])
    assert turns == sorted(turns)
