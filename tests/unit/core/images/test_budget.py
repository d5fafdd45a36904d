"""A budget that threads share."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given, settings
from hypothesis import strategies as st

from fewshot_gui.core.images.budget import Budget

MOST = 10


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 15), min_size=1, max_size=12))
def test_never_more_is_spent_than_there_is_but_by_one_alone(amounts: list[int]) -> None:
    budget, lock = Budget(MOST), threading.Lock()
    spent: list[int] = []
    seen: list[list[int]] = []

    def spend(amount: int) -> None:
        with budget.spending(amount):
            with lock:
                spent.append(amount)
                seen.append(list(spent))
            with lock:
                spent.remove(amount)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(spend, amounts))
    assert len(seen) == len(amounts), "everybody comes to it"
    assert all(sum(each) <= MOST or len(each) == 1 for each in seen)


def test_an_error_gives_back_what_it_spent() -> None:
    budget = Budget(MOST)
    try:
        with budget.spending(MOST):
            raise ValueError
    except ValueError:
        pass
    with budget.spending(MOST):
        pass
