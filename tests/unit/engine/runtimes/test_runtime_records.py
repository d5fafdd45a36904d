"""Records of a comparison: kept for their conditions alone, and void when damaged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.engine.runtimes import conditions as conditions_module
from fewshot_gui.engine.runtimes.conditions import (
    LARGEST_PARAMETERS,
    Conditions,
    conditions_of,
    machine,
    size_of,
)
from fewshot_gui.engine.runtimes.record import (
    Case,
    Record,
    model_path,
    read_model,
    read_record,
    write_model,
    write_record,
)

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.core.backbones.bundle import Bundle

HERE = Conditions("0123456789abcdef", "a machine", ("1", "2", "3", "4"), (1, 2))
CASES = Case(1, 1, 6.4, 4.6), Case(32, 2, 5.0, 7.0)
FOUND = Record(HERE, "", "", 1e-6, CASES)


def test_what_was_found_is_read_again(tmp_path: Path) -> None:
    write_record(tmp_path / "new", FOUND)
    assert read_record(tmp_path / "new", HERE) == FOUND


@pytest.mark.parametrize(
    "change", [{"bundle": "f" * 16}, {"machine": "another"}, {"versions": ("1",) * 4}, {"threads": (1, 4)}]
)
def test_under_other_conditions_nothing_is_known(tmp_path: Path, change: dict[str, Any]) -> None:
    write_record(tmp_path, FOUND)
    assert read_record(tmp_path, replace(HERE, **change)) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"conditions": 1}', "null", '{"conditions": {}, "cases": []}']
)
def test_a_damaged_record_is_none(tmp_path: Path, text: str) -> None:
    write_record(tmp_path, FOUND)
    (tmp_path / f"{HERE.stem}.json").write_text(text)
    assert read_record(tmp_path, HERE) is None


@given(st.binary(max_size=40))
def test_no_content_of_a_record_is_an_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("records")
    (folder / f"{HERE.stem}.json").write_bytes(data)
    assert read_record(folder, HERE) is None


def test_a_record_of_other_conditions_under_this_name_does_not_count(tmp_path: Path) -> None:
    other = replace(FOUND, conditions=replace(HERE, machine="another"))
    write_record(tmp_path, other)
    (tmp_path / f"{other.conditions.stem}.json").rename(tmp_path / f"{HERE.stem}.json")
    assert read_record(tmp_path, HERE) is None


def test_a_model_is_read_only_whole(tmp_path: Path) -> None:
    record = replace(FOUND, model=write_model(tmp_path, HERE, b"a model"))
    assert read_model(tmp_path, record) == b"a model"
    model_path(tmp_path, HERE).write_bytes(b"a modem")
    assert read_model(tmp_path, record) is None
    model_path(tmp_path, HERE).unlink()
    assert read_model(tmp_path, record) is None


def test_writing_leaves_nothing_else_behind(tmp_path: Path) -> None:
    write_record(tmp_path, FOUND)
    write_model(tmp_path, HERE, b"a model")
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".onnx"}


@pytest.mark.parametrize(("onnx_ms", "faster"), [(9.4, True), (9.5, True), (9.6, False), (12.0, False)])
def test_the_copy_of_the_weights_must_be_worth_it(onnx_ms: float, faster: bool) -> None:
    assert Case(1, 1, 10.0, onnx_ms).onnx_is_faster is faster


def test_each_size_has_its_own_winner() -> None:
    assert [FOUND.case(count) for count in (1, 4, 5, 64)] == [CASES[0], CASES[0], CASES[1], CASES[1]]
    assert FOUND.onnx_wins
    assert not replace(FOUND, cases=()).onnx_wins
    assert replace(FOUND, cases=()).case(1) is None
    assert [size_of(count) for count in (1, 4, 5)] == [1, 1, 32]


def test_the_conditions_name_what_the_speed_depends_on(tiny: Bundle, conditions: Conditions) -> None:
    assert conditions.bundle == tiny.hash
    assert conditions.machine == machine()
    assert conditions.threads == (1, 1)
    eight = conditions_of(tiny.info, 8)
    assert eight is not None
    assert eight.threads == (1, 4)
    assert eight.stem != conditions.stem


def test_where_a_package_is_missing_there_is_nothing_to_compare(
    tiny: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conditions_module, "PACKAGES", ("torch", "a-package-that-nobody-has"))
    assert conditions_of(tiny.info, 2) is None


def test_some_networks_are_not_compared(tiny: Bundle) -> None:
    assert conditions_of(tiny.info.as_pixels(), 2) is None
    assert conditions_of(replace(tiny.info, architecture={"kind": "onnx"}), 2) is None
    assert conditions_of(replace(tiny.info, parameters=LARGEST_PARAMETERS + 1), 2) is None


def test_without_proc_the_machine_has_a_name_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions_module, "_PROCESSORS", tmp_path / "none")
    assert "of it" in machine()
