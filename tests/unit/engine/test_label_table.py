"""The table of labels: its columns, its order, and that it is whole or not there."""

from __future__ import annotations

import csv
import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fewshot_gui.engine.label_table import LabelTable, write_labels
from fewshot_gui.engine.spreadsheet import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def table(**changes: Any) -> LabelTable:
    values: dict[str, Any] = {
        "paths": ["/p/1.jpg", "/p/2.jpg"],
        "classes": ["cat", "dog"],
        "probabilities": np.array([[0.25, 0.75], [0.9, 0.1]], np.float32),
        "distances": np.array([[2.5, 0.5], [0.125, np.inf]], np.float32),
        "rejected": np.array([False, True]),
        "taught": np.full(2, -1, np.int32),
    }
    return LabelTable(**(values | changes))


def read(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.reader(file))


def test_the_columns_stand_in_the_order_that_is_promised(tmp_path: Path) -> None:
    write_labels(tmp_path / "labels.csv", table())
    assert read(tmp_path / "labels.csv") == [
        [
            "path",
            "predicted",
            "probability",
            "probability:cat",
            "probability:dog",
            "distance:cat",
            "distance:dog",
        ],
        ["/p/1.jpg", "dog", "0.750000", "0.250000", "0.750000", "2.500000", "0.500000"],
        ["/p/2.jpg", "", "0.900000", "0.900000", "0.100000", "0.125000", ""],
    ]


def test_none_of_these_may_be_the_word_of_a_person() -> None:
    said = table(taught=np.array([-2, 1], np.int32))
    assert [said.label(0), said.label(1)] == [-1, 1]
    assert said.probability(0) == 0.75


@pytest.mark.parametrize(("taught", "row"), [(0, "0.250000"), (1, "0.750000")])
def test_the_word_of_a_person_counts_first(tmp_path: Path, taught: int, row: str) -> None:
    said = table(taught=np.array([taught, 0], np.int32))
    write_labels(tmp_path / "labels.csv", said)
    _, first, second = read(tmp_path / "labels.csv")
    assert first[1:3] == [("cat", "dog")[taught], row]
    assert second[1:3] == ["cat", "0.900000"]  # rejected, but taught
    assert said.label(0) == taught


def test_no_picture_gives_the_head_alone(tmp_path: Path) -> None:
    none = np.zeros((0, 2), np.float32)
    empty = table(
        paths=[], probabilities=none, distances=none, rejected=np.zeros(0, np.bool_)
    )  # its other arrays are asked by row
    write_labels(tmp_path / "labels.csv", empty)
    assert len(read(tmp_path / "labels.csv")) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_name_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    write_labels(tmp_path / "labels.csv", table(paths=[name, "x"], classes=["cat", name]))
    head, first, _ = read(tmp_path / "labels.csv")
    assert head[4] == f"probability:{name}"
    assert [plain(cell) for cell in first[:2]] == [name, name]
    assert not first[1].startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_spreadsheet_knows_it_for_utf_8(tmp_path: Path) -> None:
    """Else Excel shows Käfer as KÃ¤fer."""
    write_labels(tmp_path / "labels.csv", table(classes=["Käfer", "dog"]))
    assert (tmp_path / "labels.csv").read_bytes().startswith(b"\xef\xbb\xbfpath,")


def test_a_former_table_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("of yesterday")
    write_labels(path, table())
    assert len(read(path)) == 3
    assert list(tmp_path.iterdir()) == [path]


def test_what_breaks_off_leaves_the_former_table_and_nothing_beside_it(tmp_path: Path) -> None:
    class Breaking(list[str]):
        def __iter__(self) -> Iterator[str]:
            yield "/p/1.jpg"
            raise OSError(28, "No space left on device")

    path = tmp_path / "labels.csv"
    path.write_text("of yesterday")
    with pytest.raises(OSError, match="No space"):
        write_labels(path, table(paths=Breaking()))
    assert path.read_text() == "of yesterday"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_labels(tmp_path / "gone" / "labels.csv", table())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a name is always Unicode, or nearly")
def test_a_name_that_is_no_unicode_is_written_as_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    write_labels(path, table(paths=[os.fsdecode(b"/p/caf\xe9.jpg"), "/p/2.jpg"]))
    assert b"\n/p/caf\xe9.jpg,dog," in path.read_bytes()
