"""Where a result may be written: what is not this program's stays, and the sentence says so."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fewshot_gui.cli.figures import save_curve
from fewshot_gui.cli.main import main
from fewshot_gui.cli.output import UsageError
from fewshot_gui.cli.own_files import has_columns, is_label_table, require_new, require_own
from fewshot_gui.engine.label_table import LabelTable, write_labels
from fewshot_gui.engine.own_pictures import is_own_picture


def labels(path: Path, taught: int = -1) -> Path:
    """Write a table of three pictures, the last of them none of these."""
    chances = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], np.float32)
    rejected = np.array([False, False, True])
    told = np.array([taught, -1, -1], np.int32)
    names = ["a.png", 'b "\n😀.png', "c.png"]
    write_labels(path, LabelTable(names, ("cat", "no dog, yet"), chances, chances, rejected, told))
    return path


def changed(path: Path, row: int, label: str) -> Path:
    """Put another label into a row, as a person would in a spreadsheet."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    rows[row][1] = label
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.mark.parametrize("taught", [-1, 1])
def test_a_table_of_classify_is_known_again(tmp_path: Path, taught: int) -> None:
    assert is_label_table(labels(tmp_path / "labels.csv", taught))


@pytest.mark.parametrize(("row", "label"), [(1, "no dog, yet"), (2, "a new one"), (3, "no dog, yet")])
def test_a_table_that_a_person_corrected_is_not(tmp_path: Path, row: int, label: str) -> None:
    assert not is_label_table(changed(labels(tmp_path / "labels.csv"), row, label))


@pytest.mark.parametrize(
    "content",
    [
        b"path,category\na.png,cat\n",
        b"path,predicted,probability\na.png,cat,0.5\n",
        b"path,predicted,probability,probability:cat\na.png\n",
        b"\x89PNG\r\n\x1a\n\0\0",
        b"path,\xff\xfe\n",
        b"my notes\n",
    ],
)
def test_another_file_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    assert not is_label_table(path)
    assert not has_columns(path, ("path", "reason"))


def test_a_picture_of_ours_is_known_and_no_other(tmp_path: Path) -> None:
    save_curve(tmp_path / "ours.png", [1, 2], {"loss": [2.0, 1.0]}, "Curve")
    Image.new("RGB", (8, 8)).save(tmp_path / "theirs.png")
    assert is_own_picture(tmp_path / "ours.png")
    assert not is_own_picture(tmp_path / "theirs.png")


def test_free_names_and_empty_files_may_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").touch()
    for path in (Path("free"), tmp_path / "empty"):
        require_own("--out", path, lambda _path: False)
    require_new("--out", Path("free"))


def test_a_folder_a_missing_folder_a_device_and_a_loose_link_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    places = [tmp_path, tmp_path / "no" / "file", tmp_path / "link", Path(os.devnull)]
    for place in places:
        with pytest.raises(UsageError, match=r"does not exist; make it|is a folder|is there already"):
            require_own("--out", place, lambda _path: True)
        with pytest.raises(UsageError, match=r"does not exist; make it|is a folder|is there already"):
            require_new("--out", place)


@pytest.mark.parametrize("name", ["labels.csv", "labels.csv.problems.csv"])
def test_classify_replaces_no_file_of_a_person(
    name: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text("dear diary")
    folders = ["--support", str(data), "--query", str(data)]
    assert main(["classify", *folders, "--out", str(tmp_path / "labels.csv")]) == 2
    assert f"{name} is there already" in capsys.readouterr().err
    assert (tmp_path / name).read_text() == "dear diary"


def test_evaluate_replaces_no_picture_of_a_person(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "holiday.png")
    before = (tmp_path / "holiday.png").read_bytes()
    assert main(["evaluate", "--data", str(data), "--picture", str(tmp_path / "holiday.png")]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "holiday.png").read_bytes() == before


@pytest.mark.parametrize("suffix", ["safetensors", "checkpoint", "log.csv", "validation.csv", "png"])
def test_train_replaces_no_file_of_a_person_beside_its_bundle(
    suffix: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = tmp_path / f"photo.{suffix}"
    theirs.write_text("theirs")
    out = str(tmp_path / "photo.safetensors")
    assert main(["train", "--learner", "prototypical", "--data", str(data), "--out", out]) == 2
    assert f"photo.{suffix} is there already" in capsys.readouterr().err
    assert theirs.read_text() == "theirs"
