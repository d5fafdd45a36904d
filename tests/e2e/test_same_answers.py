"""The command and the window say the same of the same pictures."""

from __future__ import annotations

import csv
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import Qt

from fewshot_gui.cli.main import main
from fewshot_gui.gui.label_export import label_table
from fewshot_gui.gui.sorting.export_dialog import ExportDialog
from fewshot_gui.gui.sorting.export_words import formats

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("photo_weights")

TOLERANCE = 1e-4


def read_table(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        head, *rows = csv.reader(file)
    return head, rows


def export(app: Any, place: Path) -> Path:
    """Write the table of all probabilities by the window's own dialog."""
    app.window.named_actions["exportAction"].trigger()
    [dialog] = [each for each in app.window.findChildren(ExportDialog) if each.isVisible()]
    dialog.write(next(form for form in formats() if form.key == "classify"), place)
    app.wait(lambda: "exported" in dialog.note.text())
    dialog.reject()
    return place


def numbers(rows: list[list[str]], begin: int, end: int) -> np.ndarray:
    return np.array([[float(cell) for cell in row[begin:end]] for row in rows])


@pytest.mark.parametrize(
    ("learner", "key", "threshold"),
    [("auto", "", None), ("nearest", "N", "0.35"), ("prototypical", "P", None), ("auto", "", "1")],
)
def test_the_command_says_what_the_window_says(
    stage: Any, tmp_path: Path, support: Path, query: Path, learner: str, key: str, threshold: str | None
) -> None:
    out = tmp_path / "labels.csv"
    command = ["classify", "--support", str(support), "--query", str(query), "--out", str(out)]
    command += ["--learner", learner, *(["--threshold", threshold] if threshold else [])]
    assert main(command) == 0
    head, rows = read_table(out)
    app = stage.start()
    app.teach_all(support)
    app.open_folder(query)
    if key:
        app.window.header.selectors.learner.setFocus()
        app.key(getattr(Qt.Key, f"Key_{key}"))
    if threshold:
        app.window.inspector.threshold.slider.setValue(round(100 * float(threshold)))
    app.settle()
    assert app.document.settings.learner == learner
    table = label_table(app.window.workspace)
    names = list(table.classes)
    assert head == ["path", "predicted", "probability"] + [
        f"{what}:{name}" for what in ("probability", "distance") for name in names
    ]
    assert [row[0] for row in rows] == list(table.paths)
    assert np.abs(numbers(rows, 3, 6) - table.probabilities).max() < TOLERANCE
    assert np.abs(numbers(rows, 6, 9) - table.distances).max() < TOLERANCE
    best = [names[index] for index in table.probabilities.argmax(axis=1)]
    wanted = ["" if rejected else name for name, rejected in zip(best, table.rejected, strict=True)]
    assert [row[1] for row in rows] == wanted


def test_the_window_writes_the_very_file_of_the_command(
    stage: Any, tmp_path: Path, support: Path, query: Path
) -> None:
    out = tmp_path / "command.csv"
    assert main(["classify", "--support", str(support), "--query", str(query), "--out", str(out)]) == 0
    app = stage.start()
    app.teach_all(support)
    app.open_folder(query)
    app.settle()
    exported = export(app, tmp_path / "window.csv")
    ours, theirs = read_table(out), read_table(exported)
    assert ours[0] == theirs[0]
    assert [row[:2] for row in ours[1]] == [row[:2] for row in theirs[1]]


def test_unreadable_pictures_are_listed_and_the_rest_is_labelled(
    places: Path, support: Path, query: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (query / "empty.png").write_bytes(b"")
    (query / "letter.jpg").write_text("no picture")
    (support / "red" / "cut.png").write_bytes((support / "red" / "red 0.png").read_bytes()[:300])
    out = places / "labels.csv"
    assert main(["classify", "--support", str(support), "--query", str(query), "--out", str(out)]) == 1
    _head, rows = read_table(out)
    names = [row[0].rpartition("/")[2] for row in rows]
    assert names == [f"{colour} {n}.png" for colour in ("blue", "green", "red") for n in range(4)]
    assert [row[1] for row in rows] == [name.split()[0] for name in names]
    assert all(float(row[2]) == pytest.approx(max(map(float, row[3:6]))) for row in rows)
    head, listed = read_table(places / "labels.csv.problems.csv")
    assert head == ["path", "reason"]
    assert {path.rpartition("/")[2] for path, _reason in listed} == {"empty.png", "letter.jpg", "cut.png"}
    assert all(reason for _path, reason in listed)
    error = capsys.readouterr().err
    assert all(name in error for name in ("empty.png", "letter.jpg", "cut.png"))


def test_the_word_of_a_person_goes_into_the_file(
    stage: Any, tmp_path: Path, support: Path, query: Path
) -> None:
    app = stage.start()
    app.teach_all(support)
    app.open_folder(query)
    app.settle()
    app.click_tile("red 0.png")
    app.key(getattr(Qt.Key, f"Key_{app.category('blue').shortcut}"))
    app.settle()
    exported = export(app, tmp_path / "window.csv")
    labels = {row[0].rpartition("/")[2]: row[1] for row in read_table(exported)[1]}
    assert (labels["red 0.png"], labels["red 1.png"]) == ("blue", "red")


def test_a_picture_that_is_there_twice_counts_once(
    stage: Any, tmp_path: Path, support: Path, query: Path
) -> None:
    """By content: twice in its class, once in two classes, and once among the pictures to label."""
    shutil.copy(support / "red" / "red 0.png", support / "red" / "again.png")
    shutil.copy(support / "blue" / "blue 0.png", support / "green" / "blue in green.png")
    shutil.copy(support / "red" / "red 1.png", query / "known.png")
    out = tmp_path / "labels.csv"
    assert main(["classify", "--support", str(support), "--query", str(query), "--out", str(out)]) == 0
    _head, rows = read_table(out)
    app = stage.start()
    app.drop_files(app.window.support, support)
    app.wait(lambda: app.counts() == {"blue": 4, "green": 6, "red": 5})
    app.open_folder(query)
    app.settle()
    table = label_table(app.window.workspace)
    assert [row[0] for row in rows] == list(table.paths)
    assert np.abs(numbers(rows, 3, 6) - table.probabilities).max() < TOLERANCE
    names = [*table.classes, ""]
    assert [row[1] for row in rows] == [names[table.label(row)] for row in range(len(rows))]
