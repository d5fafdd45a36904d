"""A plan as JSON: what is read back is what was written, and what is no plan says so."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.engine.sorting.plan import (
    Conflict,
    ConflictKind,
    Machine,
    Plan,
    PlanError,
    PlannedFile,
    Way,
)

paths = st.text(st.characters(codec=None), max_size=12)
files = st.builds(
    PlannedFile,
    source=paths,
    target=paths,
    size=st.integers(0, 2**63),
    mtime_ns=st.integers(),
    inode=st.integers(0, 2**64),
    device=st.integers(0, 2**64),
    category=paths,
    group=st.integers(0, 9),
    way=st.sampled_from(Way),
    is_companion=st.booleans(),
    by=st.sampled_from(["example", "accepted", "machine", "human"]),
    probability=st.none() | st.floats(0, 1),
    picture=st.none() | st.text("0123456789abcdef", min_size=32, max_size=32),
    alike=st.lists(paths, max_size=3).map(tuple),
    at=paths,
    machine=st.builds(Machine, paths, paths, paths),
)
conflicts = st.builds(Conflict, path=paths, kind=st.sampled_from(ConflictKind), detail=paths)
plans = st.builds(
    Plan,
    id=st.uuids().map(lambda each: each.hex),
    root=paths,
    way=st.sampled_from(Way),
    files=st.lists(files, max_size=4).map(tuple),
    conflicts=st.lists(conflicts, max_size=4).map(tuple),
)


@given(plans)
def test_a_plan_survives_json(plan: Plan) -> None:
    again = Plan.from_json(plan.to_json())
    assert again == plan
    assert again.to_json() == plan.to_json()


@given(plans)
def test_the_json_is_pure_ascii_and_so_survives_any_disk(plan: Plan) -> None:
    assert plan.to_json().isascii()


@given(plans)
def test_counts_and_bytes_are_those_of_the_files(plan: Plan) -> None:
    assert sum(plan.counts.values()) == sum(not file.is_companion for file in plan.files)
    assert plan.total_bytes == sum(file.size for file in plan.files)


GOOD = json.loads(Plan("0" * 32, "/to", Way.COPY).to_json())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "not json",
        json.dumps({**GOOD, "format": "another"}),
        json.dumps({**GOOD, "version": 2}),
        json.dumps({**GOOD, "way": "teleport"}),
        json.dumps({**GOOD, "files": [[1, 2]]}),
        json.dumps({**GOOD, "conflicts": [["/a", "imaginary", ""]]}),
        json.dumps({key: value for key, value in GOOD.items() if key != "files"}),
        "\0" * 100,
    ],
)
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(PlanError):
        Plan.from_json(text)


def test_a_plan_of_before_moments_were_noted_is_read() -> None:
    file = PlannedFile("/a", "/b", 1, 2, 3, 4, "c", 0, Way.COPY)
    values = json.loads(Plan("0" * 32, "/to", Way.COPY, (file,)).to_json())
    columns = values["columns"]
    kept = [at for at, name in enumerate(columns) if name not in {"at", "machine"}]
    values["columns"] = [columns[at] for at in kept]
    values["files"] = [[row[at] for at in kept] for row in values["files"]]
    assert Plan.from_json(json.dumps(values)).files == (file,)


def test_a_conflict_tells_whether_the_file_stays() -> None:
    assert Conflict("/a", ConflictKind.LINK).left_out
    assert not Conflict("/a", ConflictKind.RENAMED).left_out


def test_no_number_in_it_is_other_than_json_knows() -> None:
    file = PlannedFile("/a", "/b", 1, 2, 3, 4, "c", 0, Way.COPY, probability=0.5)
    values = json.loads(Plan("0" * 32, "/to", Way.COPY, (file,)).to_json(), parse_constant=pytest.fail)
    assert math.isfinite(values["files"][0][values["columns"].index("probability")])
