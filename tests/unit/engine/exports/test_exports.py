"""Exports: each file is read back by a plain reader, and holds who said what."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pillow_heif import register_heif_opener

from fewshot_gui.core.images.reader import read_image
from fewshot_gui.core.images.scan import class_folders
from fewshot_gui.engine.exports import folders
from fewshot_gui.engine.exports.annotations import write_coco, write_label_studio
from fewshot_gui.engine.exports.csv_table import TableError, read_csv, write_csv
from fewshot_gui.engine.exports.folders import FolderTakenError, Layout, write_folders
from fewshot_gui.engine.exports.labelled import Labelled, SaidBy
from fewshot_gui.engine.publish import new_file
from fewshot_gui.engine.spreadsheet import harmless, plain


def picture(folder: Path, name: str, shade: int = 0, size: tuple[int, int] = (6, 4)) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    Image.fromarray(np.full((size[1], size[0], 3), shade, np.uint8)).save(path)
    return str(path)


def rows_in(folder: Path) -> list[Labelled]:
    return [
        Labelled(picture(folder, "a.png", 1), "cats", SaidBy.EXAMPLE, None, "2026-01-02T03:04:05+00:00"),
        Labelled(
            picture(folder, "b.png", 2),
            "dogs",
            SaidBy.MACHINE,
            0.75,
            "",
            "ridge",
            "photo",
            "0123456789abcdef",
        ),
        Labelled(picture(folder / "more", "a.png", 3), "cats", SaidBy.ACCEPTED, 0.9),
        Labelled(picture(folder, "c.png", 4), "", SaidBy.HUMAN),
    ]


def test_csv_comes_back_as_it_went(tmp_path: Path) -> None:
    rows = rows_in(tmp_path)
    write_csv(tmp_path / "labels.csv", rows)
    assert read_csv(tmp_path / "labels.csv") == rows


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=8))
def test_any_text_survives_the_table(
    tmp_path_factory: pytest.TempPathFactory, names: list[tuple[str, str]]
) -> None:
    tmp_path = tmp_path_factory.mktemp("csv")
    clean = [(a.replace("\0", ""), b.replace("\0", "").strip()) for a, b in names]
    rows = [Labelled(os.path.normpath(tmp_path / f"x{a}"), b, SaidBy.HUMAN) for a, b in clean]
    write_csv(tmp_path / "t.csv", rows)
    assert [(row.path, row.category) for row in read_csv(tmp_path / "t.csv")] == [
        (row.path, row.category) for row in rows
    ]


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_is_run_as_a_formula(tmp_path: Path, cell: str) -> None:
    write_csv(tmp_path / "labels.csv", [Labelled("/p/a.png", cell, SaidBy.HUMAN)])
    with (tmp_path / "labels.csv").open(newline="", encoding="utf-8-sig") as file:
        written = list(csv.reader(file))[1][1]
    assert written == harmless(cell) == f"'{cell}"


@given(st.text("'=+-@a", max_size=5))
def test_a_cell_that_began_with_an_apostrophe_keeps_it(cell: str) -> None:
    assert plain(harmless(cell)) == cell


def test_excel_sees_utf8(tmp_path: Path) -> None:
    write_csv(tmp_path / "labels.csv", [Labelled("/p/ä.png", "Größe", SaidBy.HUMAN)])
    data = (tmp_path / "labels.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert "Größe".encode() in data


def test_reads_the_table_of_classify_and_of_a_german_excel(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("path,predicted,probability,probability:x\na.png,x,0.5,0.5\n")
    (tmp_path / "b.csv").write_text("path;category;probability\nsub/a.png;x;0,5\n", encoding="utf-8-sig")
    (first,), (second,) = read_csv(tmp_path / "a.csv"), read_csv(tmp_path / "b.csv")
    assert (first.path, first.category, first.said_by) == (str(tmp_path / "a.png"), "x", SaidBy.MACHINE)
    assert (second.path, second.said_by) == (str(tmp_path / "sub" / "a.png"), SaidBy.HUMAN)
    assert first.probability == second.probability == 0.5


@pytest.mark.parametrize(
    ("text", "has"), [("", "none"), ("name,label\na,b\n", "name, label"), ("path\na\n", "path")]
)
def test_a_table_without_labels_says_which_columns_it_needs(tmp_path: Path, text: str, has: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(TableError, match=f"path and category; it has {has}$"):
        read_csv(tmp_path / "t.csv")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("mine")
    with pytest.raises(FileExistsError, match="another name"):
        write_csv(tmp_path / "labels.csv", [])
    assert (tmp_path / "labels.csv").read_text() == "mine"


def test_a_failed_export_leaves_nothing_behind(tmp_path: Path) -> None:
    def half_written() -> None:
        with new_file(tmp_path / "x.json") as file:
            file.write("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        half_written()
    assert not list(tmp_path.iterdir())


def test_coco_boxes_are_the_whole_upright_picture(tmp_path: Path) -> None:
    rows = rows_in(tmp_path)
    turned = Image.new("RGB", (8, 3))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "t.jpg", exif=exif)
    rows.append(Labelled(str(tmp_path / "t.jpg"), "dogs", SaidBy.HUMAN))
    rows.append(Labelled(str(tmp_path / "gone.jpg"), "dogs", SaidBy.HUMAN))
    seen: list[tuple[int, int]] = []
    write_coco(tmp_path / "coco.json", rows, progress=lambda done, total: seen.append((done, total)))
    value = json.loads((tmp_path / "coco.json").read_text())
    assert [c["name"] for c in value["categories"]] == ["cats", "dogs"]
    assert [(i["width"], i["height"]) for i in value["images"]] == [(6, 4)] * 4 + [(3, 8), (0, 0)]
    assert [a["image_id"] for a in value["annotations"]] == [1, 2, 3, 5, 6]
    assert value["annotations"][1]["attributes"]["weights"] == "0123456789abcdef"
    assert value["annotations"][1]["bbox"] == [0, 0, 6, 4]
    assert seen[-1] == (6, 6)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "heic", "avif"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_coco_sizes_are_those_of_the_pixels_that_are_read(
    tmp_path: Path, suffix: str, orientation: int
) -> None:
    """Before, HEIC had none, and a turned TIFF those of before it was turned."""
    register_heif_opener()
    path, picture = tmp_path / f"a.{suffix}", Image.new("RGB", (80, 60), (9, 9, 200))
    exif = picture.getexif()
    exif[0x0112] = orientation
    picture.save(path, exif=exif)
    height, width, _ = read_image(path).shape
    write_coco(tmp_path / "coco.json", [Labelled(str(path), "dogs", SaidBy.HUMAN)])
    (image,) = json.loads((tmp_path / "coco.json").read_text())["images"]
    assert (image["width"], image["height"]) == (width, height)


def test_one_picture_at_the_limit_does_not_cost_the_export(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    head = struct.pack(">IIBBBBB", 19_000, 10_000, 8, 2, 0, 0, 0)
    crc = struct.pack(">I", zlib.crc32(b"IHDR" + head))
    end = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + head + crc + end)
    write_coco(tmp_path / "coco.json", [Labelled(str(path), "dogs", SaidBy.HUMAN)])
    assert (tmp_path / "coco.json").is_file()


@pytest.mark.parametrize(
    "first", ["path,predicted,red; dark; old,a;b", "path;category;at,that", "path\tlabel"]
)
def test_the_column_path_says_what_parts_the_cells(tmp_path: Path, first: str) -> None:
    """Before, the sign that was there most often did, and the names of the categories stand there too."""
    sign = first[4]
    cells = ["a.png", "dogs", *["1"] * (len(first.split(sign)) - 2)]
    (tmp_path / "t.csv").write_text(f"{first}\n{sign.join(cells)}\n")
    assert [row.category for row in read_csv(tmp_path / "t.csv")] == ["dogs"]


def test_label_studio_tells_people_from_machines(tmp_path: Path) -> None:
    write_label_studio(tmp_path / "ls.json", rows_in(tmp_path))
    example, machine, accepted, none = json.loads((tmp_path / "ls.json").read_text())
    assert example["annotations"][0]["result"][0]["value"] == {"choices": ["cats"]}
    assert "annotations" not in machine
    assert machine["predictions"][0]["score"] == 0.75
    assert "predictions" not in accepted
    assert not {"annotations", "predictions"} & set(none)
    assert example["data"]["image"] == (tmp_path / "a.png").as_uri()
    ids = {task["annotations"][0]["result"][0]["id"] for task in (example, accepted)}
    assert len(ids) == 2


@pytest.mark.parametrize("layout", [Layout.IMAGE_FOLDER, Layout.HUGGING_FACE])
def test_image_folder_reads_back(tmp_path: Path, layout: Layout) -> None:
    rows = rows_in(tmp_path / "in")
    done = write_folders(tmp_path / "out", rows, layout)
    found = class_folders(tmp_path / "out")
    assert (done.written, done.problems) == (3, ())
    assert {name: len(files) for name, files in found.items()} == {"cats": 2, "dogs": 1}
    contents = {Path(file.path).read_bytes() for file in found["cats"]}
    assert contents == {Path(rows[0].path).read_bytes(), Path(rows[2].path).read_bytes()}
    assert all(Path(row.path).exists() for row in rows)


def test_hugging_face_metadata_names_each_file(tmp_path: Path) -> None:
    write_folders(tmp_path / "out", rows_in(tmp_path / "in"), Layout.HUGGING_FACE)
    with (tmp_path / "out" / "metadata.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [line["label"] for line in lines] == ["cats", "dogs", "cats"]
    assert all((tmp_path / "out" / line["file_name"]).is_file() for line in lines)


@pytest.mark.parametrize("layout", [Layout.IMAGE_FOLDER, Layout.YOLO])
def test_folders_come_with_a_table_of_who_decided_and_when(tmp_path: Path, layout: Layout) -> None:
    rows = rows_in(tmp_path / "in")
    write_folders(tmp_path / "out", rows, layout)
    back = read_csv(tmp_path / "out" / "provenance.csv")
    assert all(Path(row.path).is_file() for row in back)
    assert [replace(row, path="") for row in back] == [replace(row, path="") for row in rows if row.category]


def test_a_category_called_as_the_table_gets_another_folder(tmp_path: Path) -> None:
    rows = [Labelled(picture(tmp_path / "in", "a.png"), "provenance.csv", SaidBy.HUMAN)]
    done = write_folders(tmp_path / "out", rows, Layout.IMAGE_FOLDER)
    assert (done.written, len(read_csv(tmp_path / "out" / "provenance.csv"))) == (1, 1)


def test_every_format_tells_when(tmp_path: Path) -> None:
    rows = rows_in(tmp_path / "in")[:1]
    write_csv(tmp_path / "labels.csv", rows)
    write_coco(tmp_path / "coco.json", rows)
    write_label_studio(tmp_path / "ls.json", rows)
    write_folders(tmp_path / "hf", rows, Layout.HUGGING_FACE)
    write_folders(tmp_path / "if", rows, Layout.IMAGE_FOLDER)
    write_folders(tmp_path / "yolo", rows, Layout.YOLO)
    for name in (
        "labels.csv", "coco.json", "ls.json", "hf/metadata.csv", "if/provenance.csv", "yolo/provenance.csv"
    ):  # fmt: skip
        assert "2026-01-02T03:04:05+00:00" in (tmp_path / name).read_text(encoding="utf-8"), name


def test_yolo_parts_training_from_validation_the_same_way_every_time(tmp_path: Path) -> None:
    rows = [Labelled(picture(tmp_path / "in", f"{i}.png", i), "x", SaidBy.HUMAN) for i in range(60)]
    for out in ("one", "two"):
        write_folders(tmp_path / out, rows, Layout.YOLO)
    first, second = (
        {str(p.relative_to(tmp_path / out)) for p in (tmp_path / out).rglob("*.png")}
        for out in ("one", "two")
    )
    assert first == second
    assert sum(name.startswith("val") for name in first) == 12


def test_yolo_has_every_category_in_both_parts_but_for_one_of_a_single_picture(tmp_path: Path) -> None:
    """Before, each picture was held out by itself, and a small category could be in one part alone."""
    sizes = {"one": 1, "two": 2, "three": 3, "ten": 10}
    rows = [
        Labelled(picture(tmp_path / "in" / name, f"{number}.png", number), name, SaidBy.HUMAN)
        for name, size in sizes.items()
        for number in range(size)
    ]
    done = write_folders(tmp_path / "out", rows, Layout.YOLO)
    assert (done.written, done.problems, done.without_validation) == (16, (), ("one",))
    train, val = (
        {name: len(files) for name, files in class_folders(tmp_path / "out" / part).items()}
        for part in ("train", "val")
    )
    assert train == {"one": 1, "two": 1, "three": 2, "ten": 8}
    assert val == {"two": 1, "three": 1, "ten": 2}
    write_folders(tmp_path / "again", rows[::-1], Layout.YOLO)
    held_out = (sorted(read_val(tmp_path / name)) for name in ("out", "again"))
    assert next(held_out) == next(held_out), "the order of the pictures changes nothing"


def read_val(root: Path) -> list[bytes]:
    return [path.read_bytes() + path.parent.name.encode() for path in (root / "val").rglob("*.png")]


def test_other_layouts_part_nothing(tmp_path: Path) -> None:
    done = write_folders(tmp_path / "out", rows_in(tmp_path / "in"), Layout.IMAGE_FOLDER)
    assert done.without_validation == ()


def test_what_cannot_be_copied_is_listed_and_the_rest_goes_on(tmp_path: Path) -> None:
    rows = rows_in(tmp_path / "in")
    Path(rows[0].path).unlink()
    done = write_folders(tmp_path / "out", rows, Layout.IMAGE_FOLDER)
    assert done.written == 2
    assert done.problems[0][0] == rows[0].path


def test_a_drive_that_knows_no_rights_gets_the_pictures_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(shutil, "copystat", refuse)
    done = write_folders(tmp_path / "out", rows_in(tmp_path / "in"), Layout.IMAGE_FOLDER)
    assert (done.written, done.problems) == (3, ())
    assert len(read_csv(tmp_path / "out" / "provenance.csv")) == 3


def test_a_disk_that_fills_up_keeps_no_half_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(_source: object, target: IO[bytes], _size: int) -> None:
        target.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copyfileobj", fill)
    done = write_folders(tmp_path / "out", rows_in(tmp_path / "in"), Layout.IMAGE_FOLDER)
    assert (done.written, len(done.problems)) == (0, 3)
    assert [path.name for path in (tmp_path / "out").rglob("*.*")] == ["provenance.csv"]


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("x")
    with pytest.raises(FolderTakenError, match="new folder"):
        write_folders(tmp_path / "out", rows_in(tmp_path / "in"), Layout.YOLO)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["mine"]


def test_an_export_can_be_stopped(tmp_path: Path) -> None:
    asked: list[int] = []
    done = write_folders(
        tmp_path / "out",
        rows_in(tmp_path / "in"),
        Layout.IMAGE_FOLDER,
        cancelled=lambda: len(asked) >= 1,
        progress=lambda count, _total: asked.append(count),
    )
    assert done.written == 1


def test_a_coco_export_that_is_stopped_writes_nothing(tmp_path: Path) -> None:
    """Before, it went on to the end, though nobody wanted it any more."""
    asked: list[int] = []
    write_coco(
        tmp_path / "coco.json",
        rows_in(tmp_path / "in"),
        cancelled=lambda: len(asked) >= 2,
        progress=lambda count, _total: asked.append(count),
    )
    assert asked == [1, 2]
    assert not list(tmp_path.glob("*coco*"))


def test_a_thousand_pictures_of_one_name_are_numbered_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    real = folders.free_stem

    def counted(stem: str, tails: Any, is_taken: Any, first: int = 2) -> Any:
        return real(stem, tails, lambda name: bool(tried.append(name)) or is_taken(name), first)

    monkeypatch.setattr(folders, "free_stem", counted)
    taken = folders._Taken()
    names = [taken.take("cover.jpg") for _ in range(1000)]
    assert names[:3] == ["cover.jpg", "cover (2).jpg", "cover (3).jpg"]
    assert len(set(names)) == 1000
    assert len(tried) == 999
    assert taken.take("COVER (3).jpg") == "COVER (3) (2).jpg"
