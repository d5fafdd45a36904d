"""`fewshot-gui classify`: its table, what it says of bad files, and bad use in one line."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.cli import classify
from fewshot_gui.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def query(data: Path, tmp_path: Path) -> Path:
    """One picture of each class, which is no example any more."""
    folder = tmp_path / "query"
    folder.mkdir()
    for name in sorted(each.name for each in data.iterdir()):
        (data / name / "5.png").rename(folder / f"{name}.PNG")
    return folder


def command(data: Path, query: Path, backbone: Path, *more: str) -> list[str]:
    out = query.parent / "labels.csv"
    first = ["classify", "--support", str(data), "--query", str(query), "--out", str(out)]
    return [*first, "--backbone", str(backbone), *more]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_every_picture_gets_a_row(data: Path, query: Path, mean_colour: Path, tmp_path: Path) -> None:
    assert main(command(data, query, mean_colour, "--threshold", "1")) == 0
    rows = table(tmp_path / "labels.csv")
    names = sorted(each.name for each in data.iterdir())
    assert list(rows[0]) == [
        "path", "predicted", "probability",
        *(f"probability:{name}" for name in names), *(f"distance:{name}" for name in names),
    ]  # fmt: skip
    assert [row["path"].rpartition("/")[2] for row in rows] == [f"{name}.PNG" for name in names]
    assert [row["predicted"] for row in rows] == names
    for row in rows:
        values = [float(row[f"probability:{name}"]) for name in names]
        assert sum(values) == pytest.approx(1, abs=1e-5)
        assert float(row["probability"]) == max(values)
        assert min(names, key=lambda name, row=row: float(row[f"distance:{name}"])) == row["predicted"]
    assert not (tmp_path / "labels.csv.problems.csv").exists()
    assert not list(tmp_path.glob(".*.partial"))


def test_a_careful_threshold_leaves_names_empty(
    data: Path, query: Path, mean_colour: Path, tmp_path: Path
) -> None:
    main(command(data, query, mean_colour, "--threshold", "0"))
    careful = sum(not row["predicted"] for row in table(tmp_path / "labels.csv"))
    main(command(data, query, mean_colour, "--threshold", "1"))
    assert careful >= sum(not row["predicted"] for row in table(tmp_path / "labels.csv")) == 0


def test_json_is_one_object(
    data: Path, query: Path, mean_colour: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(data, query, mean_colour, "--json")) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["pictures"] == 6
    assert values["problems"] == 0


def test_what_cannot_be_read_is_listed_once_and_the_rest_goes_on(
    data: Path, query: Path, mean_colour: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (query / "zero.jpg").write_bytes(b"")
    assert main(command(data, query, mean_colour)) == 1
    assert len(table(tmp_path / "labels.csv")) == 6
    listed = table(tmp_path / "labels.csv.problems.csv")
    assert [row["path"].rpartition("/")[2] for row in listed] == ["zero.jpg"]
    assert "zero.jpg" in capsys.readouterr().err


def test_the_list_of_problems_goes_when_there_are_none_any_more(
    data: Path, query: Path, mean_colour: Path, tmp_path: Path
) -> None:
    (query / "zero.jpg").write_bytes(b"")
    assert main(command(data, query, mean_colour)) == 1
    (query / "zero.jpg").unlink()
    assert main(command(data, query, mean_colour)) == 0
    assert not (tmp_path / "labels.csv.problems.csv").exists()


def test_a_cache_that_cannot_be_written_is_told_but_no_input_has_failed(
    data: Path,
    query: Path,
    mean_colour: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FEWSHOT_CACHE", str(tmp_path / "file"))
    assert main(command(data, query, mean_colour)) == 0
    assert len(table(tmp_path / "labels.csv")) == 6
    assert str(tmp_path / "file") in capsys.readouterr().err


def test_an_empty_folder_gives_an_empty_table_and_is_told(
    data: Path, mean_colour: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    assert main(command(data, nothing, mean_colour)) == 0
    assert table(tmp_path / "labels.csv") == []
    assert f"{nothing} holds no pictures" in capsys.readouterr().err


def test_a_class_whose_pictures_are_all_of_another_has_no_probability(
    data: Path, query: Path, mean_colour: Path, tmp_path: Path
) -> None:
    shutil.copytree(data / "black", data / "a copy")
    assert main(command(data, query, mean_colour)) == 0
    rows = table(tmp_path / "labels.csv")
    assert {row["probability:a copy"] for row in rows} == {"0.000000"}
    assert {row["distance:a copy"] for row in rows} == {""}


def test_one_example_of_one_class(data: Path, query: Path, mean_colour: Path, tmp_path: Path) -> None:
    one = tmp_path / "one"
    (one / "red").mkdir(parents=True)
    shutil.copy(data / "red" / "0.png", one / "red")
    assert main(command(one, query, mean_colour, "--threshold", "1")) == 0
    assert {row["probability"] for row in table(tmp_path / "labels.csv")} == {"1.000000"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--support", "/nowhere"], "--support /nowhere is not a folder"),
        (["--query", "/nowhere"], "--query /nowhere is not a folder"),
        (["--threshold", "1.5"], "between 0 and 1"),
        (["--threshold", "nan"], "between 0 and 1"),
        (["--out", "/nowhere/labels.csv"], "make it first"),
        (["--learner", "oracle"], "choose one of"),
        (["--backbone", "/nowhere.safetensors"], "no such bundle"),
    ],
)
def test_bad_use_is_one_line_and_writes_nothing(
    data: Path,
    query: Path,
    mean_colour: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    wrong: list[str],
    words: str,
) -> None:
    assert main(command(data, query, mean_colour, *wrong)) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert len(said.err.splitlines()) == 1
    assert not said.out
    assert not (tmp_path / "labels.csv").exists()


def test_a_support_folder_without_class_folders(
    query: Path, mean_colour: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(query, query, mean_colour)) == 2
    assert "holds no class folders" in capsys.readouterr().err


def test_examples_of_which_none_can_be_read(
    query: Path, mean_colour: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad" / "red").mkdir(parents=True)
    (tmp_path / "bad" / "red" / "0.png").write_bytes(b"")
    assert main(command(tmp_path / "bad", query, mean_colour)) == 2
    assert "of 1 example under" in capsys.readouterr().err


def test_an_interrupted_command_says_so(
    data: Path,
    query: Path,
    mean_colour: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(classify, "_predict", interrupt)
    assert main(command(data, query, mean_colour)) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_a_picture_in_two_classes_and_a_class_without_any_are_told(
    data: Path, query: Path, mean_colour: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "none").mkdir()
    (data / "none" / "broken.png").write_bytes(b"")
    shutil.copy(data / "red" / "0.png", data / "white" / "again.png")
    assert main(command(data, query, mean_colour)) == 1
    told = capsys.readouterr().err
    assert "in more than one class, and counted in the last one alone: 1 example\n" in told
    assert "none: no example of this class is left" in told


def test_a_table_that_cannot_be_written_is_one_line_with_its_name(
    data: Path,
    query: Path,
    mean_colour: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(classify, "write_labels", full)
    assert main(command(data, query, mean_colour)) == 2
    assert "labels.csv: No space left on device\n" in capsys.readouterr().err


def test_a_folder_that_cannot_be_listed_is_told_and_counted(
    data: Path,
    query: Path,
    mean_colour: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # No right is denied to root, so the system's answer is given by hand.
    (query / "locked").mkdir()
    scandir = os.scandir

    def denied(path: str) -> Iterator[os.DirEntry[str]]:
        if path == str(query / "locked"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    assert main(command(data, query, mean_colour)) == 1
    assert str(query / "locked") in capsys.readouterr().err
    listed = table(tmp_path / "labels.csv.problems.csv")
    assert [row["path"] for row in listed] == [str(query / "locked")]
