"""Data sets read from class folders."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.episodes.dataset import DatasetError, load_classes
from fewshot_gui.core.images.reader import encode_png

if TYPE_CHECKING:
    from pathlib import Path

PREPROCESSING = Preprocessing(8, 3, (0.5,) * 3, (0.25,) * 3)


def write(path: Path, value: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(np.full((10, 12, 3), value, np.uint8)))


def test_a_class_is_a_folder_that_holds_pictures(tmp_path: Path) -> None:
    for name, value in (("Greek/alpha", 10), ("Greek/beta", 20), ("Latin/a", 30)):
        write(tmp_path / name / "one.png", value)
        write(tmp_path / name / "two.PNG", value)
    seen: list[tuple[int, int]] = []
    data = load_classes(tmp_path, PREPROCESSING, progress=lambda done, total: seen.append((done, total)))
    assert data.names == ("Greek/alpha", "Greek/beta", "Latin/a")
    assert data.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert data.images[:, 0, 0, 0].tolist() == [10, 10, 20, 20, 30, 30]
    assert seen[-1] == (6, 6)


def test_a_broken_picture_is_listed_and_the_rest_goes_on(tmp_path: Path) -> None:
    write(tmp_path / "a" / "good.png", 1)
    (tmp_path / "a" / "bad.png").write_bytes(b"no picture")
    data = load_classes(tmp_path, PREPROCESSING)
    assert len(data.images) == 1
    assert [problem.path for problem in data.problems] == [str(tmp_path / "a" / "bad.png")]


def test_a_subset_is_relabelled_in_its_own_order(tmp_path: Path) -> None:
    for value, name in enumerate("abc"):
        write(tmp_path / name / "one.png", value)
    part = load_classes(tmp_path, PREPROCESSING).subset([2, 0])
    assert part.names == ("c", "a")
    assert part.images[:, 0, 0, 0].tolist() == [0, 2]
    assert part.labels.tolist() == [1, 0]


def test_a_split_holds_out_evenly_spread_classes(tmp_path: Path) -> None:
    for value, name in enumerate("abcdef"):
        write(tmp_path / name / "one.png", value)
    data = load_classes(tmp_path, PREPROCESSING)
    rest, held_out = data.split(0.5)
    assert (rest.names, held_out.names) == (("b", "d", "f"), ("a", "c", "e"))
    assert held_out.images[:, 0, 0, 0].tolist() == [0, 2, 4]
    assert data.split(0.01)[1].names == ("a", "d")  # two at least


@pytest.mark.parametrize("make", [lambda _: None, lambda p: p.mkdir(), lambda p: write(p / "loose.png", 1)])
def test_a_folder_without_classes_says_how_one_looks(tmp_path: Path, make: object) -> None:
    make(tmp_path / "data")  # type: ignore[operator]
    with pytest.raises(DatasetError, match="folder"):
        load_classes(tmp_path / "data", PREPROCESSING)


def test_a_folder_of_broken_pictures_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "bad.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match="can be read"):
        load_classes(tmp_path, PREPROCESSING)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="an administrator may list all")
def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path / name / "one.png", 1)
    (tmp_path / "b").chmod(0)
    data = load_classes(tmp_path, PREPROCESSING)
    (tmp_path / "b").chmod(0o700)
    assert [problem.path for problem in data.problems] == [str(tmp_path / "b")]
    assert data.names == ("a",)
