"""A mapping that never changes, held against a plain dictionary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.engine.persistent import PersistentMap

Numbers = PersistentMap[str, int]

keys = st.lists(st.integers(0, 40).map(str), max_size=8)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("with"), keys, st.integers(0, 3)), st.tuples(st.just("without"), keys, st.just(0))
    ),
    max_size=20,
)
Step = tuple[str, list[str], int]


def played(taken: list[Step]) -> list[tuple[Numbers, dict[str, int]]]:
    """All the mappings on the way, each beside the dictionary that it should equal."""
    there: Numbers = PersistentMap()
    plain: dict[str, int] = {}
    found = [(there, plain)]
    for kind, some, value in taken:
        if kind == "with":
            there, plain = there.with_all(some, value), plain | dict.fromkeys(some, value)
        else:
            there = there.without(some)
            plain = {key: value for key, value in plain.items() if key not in some}
        found.append((there, plain))
    return found


@given(steps)
def test_it_is_a_dictionary_and_former_ones_stay_as_they_were(taken: list[Step]) -> None:
    for there, plain in played(taken):
        assert dict(there) == plain
        assert len(there) == len(plain)
        assert all(there.get(str(key)) == plain.get(str(key)) for key in range(41))


@given(steps, steps)
def test_equal_content_is_equal_whatever_the_way(one: list[Step], other: list[Step]) -> None:
    a, plain_a = played(one)[-1]
    b, plain_b = played(other)[-1]
    assert (a == b) == (plain_a == plain_b)
    if a == b:
        assert hash(a) == hash(b)


@given(steps, steps)
def test_changes_lead_from_one_to_the_other(one: list[Step], other: list[Step]) -> None:
    a, plain_a = played(one)[-1]
    b, plain_b = played(one + other)[-1]
    changes = dict(b.changes_since(a))
    expected = {
        key: plain_b.get(key)
        for key in plain_a.keys() | plain_b.keys()
        if plain_a.get(key) != plain_b.get(key)
    }
    assert changes == expected


@given(steps)
def test_values_are_changed_or_dropped(taken: list[Step]) -> None:
    there, plain = played(taken)[-1]
    halved = there.mapped(lambda value: None if value % 2 else value // 2)
    assert dict(halved) == {key: value // 2 for key, value in plain.items() if not value % 2}


def test_where_nothing_changes_it_is_the_same_object() -> None:
    there: Numbers = PersistentMap[str, int]().with_all(["a", "b"], 1)
    assert there.with_all(["a"], 1) is there
    assert there.without(["c"]) is there
    assert there.mapped(lambda value: value) is there
    assert there.with_all([], 5) is there


def test_it_reads_like_a_dictionary() -> None:
    there: Numbers = PersistentMap[str, int]().with_all(["a"], 1)
    assert repr(there) == "PersistentMap({'a': 1})"
    assert there != {"a": 1}
    with pytest.raises(KeyError):
        there["b"]
