"""The problems list: each problem once, in the order of time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.images.problems import ProblemKind
from fewshot_gui.engine.problems import Problem, ProblemLog


def test_problems_are_kept_in_order_and_told() -> None:
    log, told = ProblemLog(), []
    log.changed.connect(lambda: told.append(len(log)))
    log.add("a.jpg", "truncated", "10 bytes short")
    log.add("b.jpg", "empty")
    assert log.entries == (Problem("a.jpg", "truncated", "10 bytes short"), Problem("b.jpg", "empty", ""))
    assert told == [1, 2]


def test_same_problem_is_told_once() -> None:
    log, told = ProblemLog(), []
    log.add("a.jpg", "empty")
    log.changed.connect(lambda: told.append("changed"))
    log.add("a.jpg", "empty")
    assert len(log) == 1
    assert not told


def test_kind_is_a_plain_word() -> None:
    log = ProblemLog()
    log.add("a.jpg", ProblemKind.NOT_A_PICTURE)
    assert type(log.entries[0].kind) is str
    assert log.entries[0].kind == "not-a-picture"


def test_clear_forgets_and_tells_only_if_there_was_something() -> None:
    log, told = ProblemLog(), []
    log.changed.connect(lambda: told.append("changed"))
    log.clear()
    assert not told
    log.add("a.jpg", "empty")
    log.clear()
    assert log.entries == ()
    assert len(told) == 2
    log.add("a.jpg", "empty")
    assert len(log) == 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["empty", "missing"]))))
def test_entries_are_the_distinct_problems_in_order(added: list[tuple[str, str]]) -> None:
    log = ProblemLog()
    for path, kind in added:
        log.add(path, kind)
    assert [(entry.path, entry.kind) for entry in log.entries] == list(dict.fromkeys(added))
