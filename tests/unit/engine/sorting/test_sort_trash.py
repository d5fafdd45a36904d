"""What is thrown away can be had back, wherever it went."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from fewshot_gui.engine.sorting.states import Failure
from fewshot_gui.engine.sorting.trash import restore, throw_away


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    monkeypatch.setenv("FEWSHOT_DATA", str(folder))
    return folder


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.jpg"
    path.write_text("a")
    os.utime(path, ns=(1, 1_234_567_890_000_000_000))
    return path


def test_without_the_systems_trash_it_goes_to_quarantine_and_back(picture: Path, data: Path) -> None:
    trashed = throw_away(str(picture))

    assert not picture.exists()
    assert Path(trashed.place).is_relative_to(data)
    assert not trashed.by_system
    restore(trashed)
    assert picture.read_text() == "a"
    assert picture.stat().st_mtime_ns == 1_234_567_890_000_000_000


def test_the_systems_trash_is_used_where_it_tells_the_place(picture: Path, tmp_path: Path) -> None:
    def system(path: str) -> str:
        return str(Path(path).rename(tmp_path / "trash.jpg"))

    trashed = throw_away(str(picture), system)

    assert trashed.by_system
    restore(trashed)
    assert picture.read_text() == "a"


def test_trash_deleted_permanently_on_network_or_partitioned_drives(picture: Path) -> None:
    """On another disk than the user's the system is not asked: there its trash may delete."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == picture.stat().st_dev:
        pytest.skip("there is one disk only")
    folder = memory / uuid4().hex
    folder.mkdir()
    try:
        path = folder / "a.jpg"
        path.write_text("a")

        def system(_path: str) -> str:
            raise AssertionError("asked")

        trashed = throw_away(str(path), system)

        assert not path.exists()
        restore(trashed)
        assert path.read_text() == "a"
    finally:
        shutil.rmtree(folder)


def test_a_system_that_cannot_leaves_it_to_us(picture: Path) -> None:
    assert not throw_away(str(picture), lambda _path: None).by_system


def test_restoring_overwrites_nothing(picture: Path) -> None:
    trashed = throw_away(str(picture))
    picture.write_text("new")

    with pytest.raises(FileExistsError):
        restore(trashed)

    assert picture.read_text() == "new"
    assert Path(trashed.place).read_text() == "a"


def test_only_files_are_thrown_away(tmp_path: Path) -> None:
    with pytest.raises(Failure):
        throw_away(str(tmp_path))
