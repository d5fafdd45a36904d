"""The order of "ask me": uncertain first, not twenty of one burst, and nothing moves under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.engine.deciding import asking
from fewshot_gui.engine.deciding.asking import order_to_ask, reordered

if TYPE_CHECKING:
    from numpy.typing import NDArray


def test_the_least_certain_comes_first() -> None:
    embeddings = np.eye(4, dtype=np.float32)
    order = order_to_ask(np.arange(4), np.array([0.1, 0.9, 0.3, 0.5], np.float32), embeddings)
    assert order.tolist() == [1, 3, 2, 0]


def test_twenty_of_a_burst_are_not_asked_one_after_the_other() -> None:
    random = np.random.default_rng(0)
    burst = random.standard_normal((1, 8)) + 0.001 * random.standard_normal((20, 8))
    others = 5 * random.standard_normal((10, 8))
    embeddings = np.concatenate([burst, others]).astype(np.float32)
    uncertainty = np.concatenate([np.full(20, 0.95), np.full(10, 0.6)]).astype(np.float32)
    first = order_to_ask(np.arange(30), uncertainty, embeddings)[:11].tolist()
    assert sum(row < 20 for row in first) == 1


def test_of_a_stack_one_is_asked_and_the_others_come_last() -> None:
    stacks = np.array([0, 0, 0, 3, 4], np.int32)
    uncertainty = np.array([0.7, 0.9, 0.8, 0.2, 0.3], np.float32)
    order = order_to_ask(np.arange(5), uncertainty, np.eye(5, dtype=np.float32), stacks).tolist()
    assert order[0] == 1
    assert order[3:] == [2, 0]


def test_the_next_question_is_unlike_the_last_one() -> None:
    embeddings = np.array([[0, 0], [0.1, 0], [9, 9]], np.float32)
    uncertainty = np.array([0.9, 0.9, 0.8], np.float32)
    rows = np.array([1, 2])
    assert order_to_ask(rows, uncertainty, embeddings).tolist() == [1, 2]
    assert order_to_ask(rows, uncertainty, embeddings, asked=np.array([0])).tolist() == [2, 1]


def test_rows_beyond_the_spread_follow_by_uncertainty() -> None:
    count = asking.MOST_SPREAD + 50
    uncertainty = np.linspace(1, 0, count, dtype=np.float32)
    embeddings = np.random.default_rng(1).standard_normal((count, 4), np.float32)
    order = order_to_ask(np.arange(count), uncertainty, embeddings)
    assert order[asking.MOST_SPREAD :].tolist() == list(range(asking.MOST_SPREAD, count))
    assert sorted(order.tolist()) == list(range(count))


def test_regions_take_turns_after_the_centres() -> None:
    places = np.repeat(np.arange(100), 3)
    embeddings = np.stack([places * 10.0, np.zeros(300)], axis=1).astype(np.float32)
    order = order_to_ask(np.arange(300), np.full(300, 0.5, np.float32), embeddings)
    assert len(set(places[order[: asking.CENTRES]].tolist())) == asking.CENTRES


@given(st.data())
def test_every_row_is_asked_once_whatever_the_numbers(data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 90))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    embeddings = random.integers(0, 3, (count, 2)).astype(np.float32)  # many are alike
    uncertainty = random.integers(0, 3, count).astype(np.float32) / 2
    rows = np.flatnonzero(random.random(count) < 0.7)
    stacks = random.integers(0, max(count, 1), count).astype(np.int32) if data.draw(st.booleans()) else None
    order = order_to_ask(rows, uncertainty, embeddings, stacks)
    assert sorted(order.tolist()) == rows.tolist()
    assert order.tolist() == order_to_ask(rows, uncertainty, embeddings, stacks).tolist()


orders = st.lists(st.integers(0, 30), unique=True).map(lambda rows: np.array(rows, np.int64))


@given(orders, st.data())
def test_what_is_under_the_cursor_or_was_asked_stays(rows: NDArray[np.int64], data: st.DataObject) -> None:
    kept, order = data.draw(st.integers(0, len(rows))), data.draw(orders)
    after = reordered(rows, kept, order).tolist()
    passed = rows[:kept].tolist()
    assert after[:kept] == passed
    assert after[kept:] == [row for row in order.tolist() if row not in passed]
