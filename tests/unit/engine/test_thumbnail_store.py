"""Thumbnails that are kept between runs: what was slow to read is read once."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fewshot_gui.core.images.problems import ImageProblem, ProblemKind
from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine.thumbnail_store import FILE_NAME, SLOW_SECONDS, ThumbnailStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

FILE = PictureFile("/photos/a.jpg", 5_000_000, 17)
SIDE = 32


class SlowDisk:
    """Reads squares of one grey, each in so many seconds of its own clock, and counts."""

    def __init__(self, seconds: float = 2 * SLOW_SECONDS) -> None:
        self.seconds, self.now, self.reads = seconds, 0.0, 0

    def clock(self) -> float:
        return self.now

    def read(self, path: str, side: int) -> NDArray[np.uint8]:
        self.reads += 1
        self.now += self.seconds
        if path.endswith("broken.jpg"):
            raise ImageProblem(ProblemKind.TRUNCATED, path, "too short")
        return np.full((side, side, 3), 40 + self.reads, np.uint8)


class Shelf:
    """Stores on one folder and one disk, closed at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.disk = folder, SlowDisk()
        self.stores: list[ThumbnailStore] = []

    def open(self, **options: int) -> ThumbnailStore:
        self.stores.append(ThumbnailStore(self.folder, self.disk.read, clock=self.disk.clock, **options))
        return self.stores[-1]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path / "cache")
    yield shelf
    for store in shelf.stores:
        store.close()


def test_what_was_slow_is_read_once_for_all_runs(shelf: Shelf) -> None:
    first = shelf.open()
    shown = first(FILE, SIDE)
    first.close()
    again = shelf.open()(FILE, SIDE)
    assert shelf.disk.reads == 1
    assert again.shape == shown.shape
    assert np.abs(again.astype(int) - shown).max() <= 2  # a JPEG is close to the pixels, not equal to them


def test_two_windows_share_what_they_keep(shelf: Shelf) -> None:
    one, other = shelf.open(), shelf.open()
    one(FILE, SIDE)
    other(FILE, SIDE)
    assert shelf.disk.reads == 1


def test_what_is_quick_to_read_is_not_kept(shelf: Shelf) -> None:
    shelf.disk.seconds = SLOW_SECONDS / 2
    store = shelf.open()
    store(FILE, SIDE)
    store(FILE, SIDE)
    assert shelf.disk.reads == 2
    assert not shelf.folder.exists()


@pytest.mark.parametrize("change", [{"mtime_ns": 18}, {"size": 1}, {"path": "/photos/b.jpg"}])
def test_another_version_of_a_file_is_another_picture(shelf: Shelf, change: dict[str, int | str]) -> None:
    store = shelf.open()
    store(FILE, SIDE)
    store(replace(FILE, **change), SIDE)  # type: ignore[arg-type] - fields of several types
    assert shelf.disk.reads == 2


def test_each_size_is_kept_by_itself(shelf: Shelf) -> None:
    store = shelf.open()
    store(FILE, SIDE)
    assert store(FILE, 2 * SIDE).shape == (2 * SIDE, 2 * SIDE, 3)


def test_a_file_of_unknown_age_is_always_read(shelf: Shelf) -> None:
    store, unknown = shelf.open(), replace(FILE, mtime_ns=0)
    store(unknown, SIDE)
    store(unknown, SIDE)
    assert shelf.disk.reads == 2


def test_a_picture_that_cannot_be_read_says_why_each_time(shelf: Shelf) -> None:
    store = shelf.open()
    for _ in range(2):
        with pytest.raises(ImageProblem):
            store(replace(FILE, path="/photos/broken.jpg"), SIDE)


def test_no_path_is_kept(shelf: Shelf) -> None:
    store = shelf.open()
    store(FILE, SIDE)
    store.close()
    assert b"photos" not in (shelf.folder / FILE_NAME).read_bytes()


def test_the_oldest_go_when_the_file_is_too_large(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fewshot_gui.engine.thumbnail_store._PRUNE_EVERY", 2)
    store = shelf.open(limit_bytes=1)
    files = [replace(FILE, mtime_ns=number) for number in range(1, 10)]
    for file in files:
        store(file, SIDE)
    reads = shelf.disk.reads
    store(files[-2], SIDE)
    assert shelf.disk.reads == reads
    store(files[0], SIDE)
    assert shelf.disk.reads == reads + 1


def test_a_damaged_file_is_made_anew(shelf: Shelf) -> None:
    shelf.folder.mkdir()
    (shelf.folder / FILE_NAME).write_bytes(b"no database" * 1000)
    shelf.open()(FILE, SIDE)
    shelf.open()(FILE, SIDE)
    assert shelf.disk.reads == 1


def test_a_damaged_thumbnail_is_read_from_the_picture(shelf: Shelf) -> None:
    store = shelf.open()
    store(FILE, SIDE)
    with sqlite3.connect(shelf.folder / FILE_NAME) as database:
        database.execute("UPDATE thumbnail SET jpeg = x'00'")
    database.close()
    store(FILE, SIDE)
    assert shelf.disk.reads == 2


@pytest.mark.parametrize("spoil", ["folder", "file"])
def test_without_a_place_to_keep_them_pictures_are_read_all_the_same(shelf: Shelf, spoil: str) -> None:
    if spoil == "folder":
        shelf.folder.write_bytes(b"in the way")
    else:
        (shelf.folder / FILE_NAME).mkdir(parents=True)
    store = shelf.open()
    for _ in range(2):
        assert store(FILE, SIDE).shape == (SIDE, SIDE, 3)


def test_after_closing_pictures_are_still_read(shelf: Shelf) -> None:
    store = shelf.open()
    store(FILE, SIDE)
    store.close()
    assert store(FILE, SIDE).shape == (SIDE, SIDE, 3)


def test_many_threads_may_ask_at_once(shelf: Shelf) -> None:
    store = shelf.open()
    files = [replace(FILE, mtime_ns=number) for number in range(1, 9)]

    def read() -> None:
        for file in files:
            store(file, SIDE)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    reads = shelf.disk.reads
    read()
    assert shelf.disk.reads == reads
