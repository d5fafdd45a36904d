from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.engine.sources.frames import Newest, SourceProblem, SourceTrouble

if TYPE_CHECKING:
    from collections.abc import Callable


def test_only_the_newest_value_is_delivered() -> None:
    calls: list[Callable[[], None]] = []
    got: list[int] = []
    box = Newest(calls.append, got.append)
    for value in range(5):
        box.offer(value)
    assert len(calls) == 1, "one call is on its way, however many values come"
    calls.pop()()
    assert got == [4]


def test_a_closed_box_delivers_nothing() -> None:
    calls: list[Callable[[], None]] = []
    got: list[int] = []
    box = Newest(calls.append, got.append)
    box.offer(1)
    box.close()
    calls.pop()()
    box.offer(2)
    calls.pop()()
    assert got == []


def test_a_value_offered_while_another_is_delivered_comes_next() -> None:
    calls: list[Callable[[], None]] = []
    got: list[int] = []

    def deliver(value: int) -> None:
        got.append(value)
        if value < 3:
            box.offer(value + 1)

    box = Newest(calls.append, deliver)
    box.offer(1)
    while calls:
        calls.pop(0)()
    assert got == [1, 2, 3]


@given(st.lists(st.booleans(), max_size=40))
def test_whatever_the_order_the_last_value_arrives_and_nothing_piles_up(steps: list[bool]) -> None:
    calls: list[Callable[[], None]] = []
    got: list[int] = []
    box = Newest(calls.append, got.append)
    offered = 0
    for offers in steps:
        if offers:
            offered += 1
            box.offer(offered)
        elif calls:
            calls.pop(0)()
        assert len(calls) <= 1
    while calls:
        calls.pop(0)()
    assert got == sorted(set(got))
    assert got[-1:] == ([offered] if offered else [])


def test_a_problem_says_what_it_is_of() -> None:
    problem = SourceProblem(SourceTrouble.BUSY, "Webcam", "EBUSY")
    assert (problem.kind, problem.source, problem.detail) == (SourceTrouble.BUSY, "Webcam", "EBUSY")
    assert str(problem) == "Webcam: busy (EBUSY)"
