"""The gallery: rows that stay where they are, what is seen embedded first, and nothing of a former folder."""

from __future__ import annotations

import itertools
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fewshot_gui.core.images.identity import file_id
from fewshot_gui.core.images.scan import PictureFile, scan_folder
from fewshot_gui.engine import gallery as module
from fewshot_gui.engine.gallery import Gallery
from fewshot_gui.engine.library import Library
from fewshot_gui.engine.problems import ProblemLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from fewshot_gui.engine.worker import CancelToken, Worker
    from tests.unit.engine.conftest import FakeBackbone, MainThread

Colour = tuple[int, int, int]


class Room:
    """A gallery on a library with two lanes, and the events it has told."""

    def __init__(
        self, main: MainThread, lane: Callable[..., Worker], folder: Path, backbone: FakeBackbone
    ) -> None:
        self.main = main
        self.decode, self.model = lane("decode", threads=2), lane("model")
        self.problems = ProblemLog()
        self.backbones = {"fake": backbone, "twice": replace(backbone, hash="fedcba", scale=2.0, batches=[])}
        self.library = Library(
            main,
            self.decode,
            self.model,
            folder,
            self.problems,
            load=self.backbones.__getitem__,
            describe=self.backbones.__getitem__,
        )
        self.gallery = Gallery(self.library, self.decode, self.problems, backbone="fake", device="cpu")
        self.counts: list[int] = []
        self.progress: list[tuple[int, int]] = []
        self.rows: list[int] = []
        self.cleared: list[int] = []
        self.errors: list[Exception] = []
        self.gallery.listed.connect(lambda: self.counts.append(self.gallery.count))
        self.gallery.progressed.connect(lambda done, total: self.progress.append((done, total)))
        self.gallery.embedded_rows.connect(lambda rows: self.rows.extend(rows.tolist()))
        self.gallery.cleared.connect(lambda: self.cleared.append(len(self.rows)))
        self.gallery.failed.connect(self.errors.append)

    def finish(self) -> None:
        self.main.finish(self.decode, self.model)

    def hold_model(self) -> threading.Event:
        """Return an event until which nothing is embedded."""
        gate = threading.Event()

        def wait(_token: CancelToken) -> None:
            assert gate.wait(20)

        self.model.submit(wait, priority=0)
        return gate

    def restart(self) -> None:
        self.finish()
        self.library.close()


@pytest.fixture
def room(
    main: MainThread, lane: Callable[..., Worker], tmp_path: Path, backbone: FakeBackbone
) -> Iterator[Room]:
    room = Room(main, lane, tmp_path / "cache", backbone)
    yield room
    room.gallery.close()
    room.library.close()


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "pictures")


def assert_rows(gallery: Gallery, expected: list[Colour]) -> None:
    assert gallery.known.all()
    np.testing.assert_allclose(gallery.embeddings, np.array(expected), atol=0.5)


def test_opened_folder_is_listed_and_embedded(
    room: Room, folder: str, paint: Callable[..., list[PictureFile]], colours: Callable[[int], Colour]
) -> None:
    files = paint(150)
    room.gallery.open(folder)
    assert room.gallery.listing
    room.finish()
    gallery = room.gallery
    assert not gallery.listing
    assert gallery.folder == folder
    assert list(gallery.files) == files
    assert_rows(gallery, [colours(number) for number in range(150)])
    assert gallery.ids[77] == file_id(files[77].path)
    assert gallery.row_of(files[77].path) == 77
    assert gallery.row_of("elsewhere") is None
    assert room.progress[-1] == (150, 150)
    assert sorted(room.rows) == list(range(150))


def test_first_rows_come_before_the_rest_is_listed(
    room: Room, folder: str, paint: Callable[..., list[PictureFile]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PORTION", 4)
    monkeypatch.setattr(module, "PORTION", 10)
    monkeypatch.setattr(module, "monotonic", lambda: 0.0)
    paint(20)
    room.gallery.open(folder)
    room.finish()
    assert room.counts == [0, 4, 14, 20]


def test_of_a_slow_disk_what_is_found_is_shown_twice_a_second(
    room: Room, folder: str, paint: Callable[..., list[PictureFile]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, a hundred pictures had to be found before the first was shown."""
    clock = itertools.count(0, 0.25)  # a quarter of a second for each file
    monkeypatch.setattr(module, "monotonic", lambda: next(clock))
    files = paint(5)
    room.gallery.open(folder)
    room.finish()
    assert room.counts == [0, 2, 4, 5]
    assert list(room.gallery.files) == files
    room.gallery.rescan()
    room.finish()
    assert not room.gallery.missing.any()


def test_empty_folder_ends_with_nothing(room: Room, tmp_path: Path) -> None:
    room.gallery.open(str(tmp_path))
    room.finish()
    assert room.gallery.count == 0
    assert room.gallery.embeddings.shape[0] == 0
    assert room.progress[-1] == (0, 0)


def test_folder_that_is_not_there_is_a_problem(room: Room, tmp_path: Path) -> None:
    room.gallery.open(str(tmp_path / "gone"))
    room.finish()
    assert [entry.kind for entry in room.problems.entries] == ["missing"]
    assert not room.gallery.listing


def test_file_opened_as_a_folder_is_a_problem(room: Room, paint: Callable[..., list[PictureFile]]) -> None:
    (file,) = paint(1)
    room.gallery.open(file.path)
    room.finish()
    assert [entry.path for entry in room.problems.entries] == [file.path]
    assert room.gallery.count == 0
    assert not room.errors


@pytest.mark.parametrize(
    ("error", "kind"), [(PermissionError(13, "no"), "no-permission"), (OSError(5, "unplugged"), "unreadable")]
)
def test_folder_that_cannot_be_read_is_a_problem_and_its_neighbours_are_shown(
    room: Room, folder: str, paint: Callable[..., list[PictureFile]], monkeypatch: pytest.MonkeyPatch,
    error: OSError, kind: str,
) -> None:  # fmt: skip
    paint(3)
    paint(2, folder="pictures/closed")
    paint(2, folder="pictures/open")
    listed = os.scandir

    def scandir(path: str) -> Any:
        if str(path).endswith("closed"):
            raise error
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    room.gallery.open(folder)
    room.finish()
    assert room.gallery.known.sum() == room.gallery.count == 5
    assert [(Path(entry.path).name, entry.kind) for entry in room.problems.entries] == [("closed", kind)]
    assert not room.errors


def test_folder_that_is_unplugged_after_it_was_listed_is_told_file_by_file(
    room: Room, folder: str, paint: Callable[..., list[PictureFile]]
) -> None:
    paint(20)
    gate = room.hold_model()
    room.gallery.open(folder)
    room.main.run_until(lambda: room.gallery.count == 20)
    Path(folder).rename(folder + " elsewhere")
    gate.set()
    room.finish()
    lost = 20 - int(room.gallery.known.sum())
    assert [entry.kind for entry in room.problems.entries] == ["missing"] * lost
    assert room.progress[-1] == (20, 20)
    room.gallery.rescan()
    room.finish()
    assert room.gallery.missing.all()
    assert not room.errors


def test_folders_below_can_be_left_out(
    room: Room, tmp_path: Path, paint: Callable[..., list[PictureFile]]
) -> None:
    paint(2)
    paint(3, folder="pictures/below")
    room.gallery.open(str(tmp_path / "pictures"), recursive=False)
    room.finish()
    assert room.gallery.count == 2


def test_unreadable_rows_are_done_but_not_known(
    room: Room, folder: str, paint: Callable[..., list[PictureFile]]
) -> None:
    files = paint(10)
    Path(files[4].path).write_bytes(b"")
    room.gallery.open(folder)
    room.finish()
    assert room.gallery.embedded == 10
    assert np.flatnonzero(~room.gallery.known).tolist() == [4]
    assert room.gallery.ids[4] is None
    assert room.progress[-1] == (10, 10)


def test_preferred_rows_are_embedded_before_the_others(
    room: Room,
    folder: str,
    paint: Callable[..., list[PictureFile]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SLICE", 4)
    paint(60)
    gate = room.hold_model()
    room.gallery.open(folder)
    room.main.run_until(lambda: not room.gallery.listing)
    room.gallery.prefer(range(40, 48))
    gate.set()
    room.finish()
    # Two slices may have been on their way already.
    assert set(range(40, 48)) <= set(room.rows[: 2 * 4 + 8 + 2 * 4])
    assert sorted(room.rows) == list(range(60))


def test_known_rows_come_at_once_when_a_folder_is_opened_again(
    main: MainThread,
    lane: Callable[..., Worker],
    tmp_path: Path,
    backbone: FakeBackbone,
    folder: str,
    paint: Callable[..., list[PictureFile]],
    colours: Callable[[int], Colour],
) -> None:
    paint(90)
    first = Room(main, lane, tmp_path / "cache", backbone)
    first.gallery.open(folder)
    first.restart()
    backbone.batches.clear()
    again = Room(main, lane, tmp_path / "cache", backbone)
    again.gallery.open(folder)
    again.restart()
    assert backbone.batches == []
    assert_rows(again.gallery, [colours(number) for number in range(90)])


def test_embeddings_are_written_when_the_folder_is_done(
    room: Room, folder: str, paint: Callable[..., list[PictureFile]], tmp_path: Path
) -> None:
    paint(5)
    room.gallery.open(folder)
    room.finish()
    assert list((tmp_path / "cache").glob("*.f32"))


def test_another_folder_takes_the_place_of_the_first_at_once(
    room: Room, tmp_path: Path, paint: Callable[..., list[PictureFile]], colours: Callable[[int], Colour]
) -> None:
    paint(50)
    paint(3, folder="others", first=100)
    gate = room.hold_model()
    room.gallery.open(str(tmp_path / "pictures"))
    room.main.run_until(lambda: not room.gallery.listing)
    room.gallery.open(str(tmp_path / "others"))
    assert room.gallery.count == 0
    gate.set()
    room.finish()
    assert_rows(room.gallery, [colours(number) for number in range(100, 103)])
    assert sorted(room.rows) == [0, 1, 2]


def test_close_shows_nothing_and_stops(
    room: Room, folder: str, paint: Callable[..., list[PictureFile]]
) -> None:
    paint(50)
    room.gallery.open(folder)
    room.gallery.close()
    room.finish()
    assert room.gallery.count == 0
    assert room.gallery.folder == ""
    assert room.rows == []
    assert not room.gallery.listing


def test_explicit_list_is_shown_as_given(
    room: Room, paint: Callable[..., list[PictureFile]], colours: Callable[[int], Colour]
) -> None:
    files = paint(3)
    room.gallery.open_files(files[::-1])
    assert room.counts == [3]
    room.finish()
    assert room.gallery.folder == ""
    assert_rows(room.gallery, [colours(2), colours(1), colours(0)])
    room.gallery.rescan()
    assert not room.gallery.listing


def test_rescan_adds_at_the_end_and_marks_what_is_gone(
    room: Room, folder: str, paint: Callable[..., list[PictureFile]], colours: Callable[[int], Colour]
) -> None:
    files = paint(4, first=10)
    room.gallery.open(folder)
    room.finish()
    new = paint(2, first=0)
    Path(files[1].path).unlink()
    room.gallery.rescan()
    room.finish()
    assert list(room.gallery.files) == [*files, *new]
    assert room.gallery.missing.tolist() == [False, True, False, False, False, False]
    assert_rows(room.gallery, [*map(colours, range(10, 14)), colours(0), colours(1)])
    assert room.counts[-1] == 6


def test_rescan_embeds_a_changed_file_again_in_its_row(
    room: Room, folder: str, paint: Callable[..., list[PictureFile]], colours: Callable[[int], Colour]
) -> None:
    files = paint(3)
    room.gallery.open(folder)
    room.finish()
    (other,) = paint(1, first=7)
    Path(other.path).replace(files[1].path)
    room.rows.clear()
    room.gallery.rescan()
    room.finish()
    assert_rows(room.gallery, [colours(0), colours(7), colours(2)])
    assert room.rows == [1]
    assert room.gallery.ids[1] == file_id(files[1].path)


def test_rescan_while_rows_are_embedded_loses_none(
    room: Room, folder: str, paint: Callable[..., list[PictureFile]], colours: Callable[[int], Colour]
) -> None:
    paint(80)
    room.gallery.open(folder)
    room.main.run_until(lambda: room.rows)
    paint(5, first=80)
    room.gallery.rescan()
    room.finish()
    assert_rows(room.gallery, [colours(number) for number in range(85)])


def test_another_backbone_embeds_all_rows_again(
    room: Room, folder: str, paint: Callable[..., list[PictureFile]], colours: Callable[[int], Colour]
) -> None:
    paint(20)
    room.gallery.open(folder)
    room.finish()
    before = room.gallery.embeddings
    room.gallery.set_backbone("twice", "cpu")
    assert not room.gallery.known.any()
    assert room.progress[-1] == (0, 20)
    assert room.cleared[-1] == 20
    assert room.gallery.backbone == "twice"
    room.finish()
    np.testing.assert_allclose(room.gallery.embeddings, 2 * before)
    np.testing.assert_allclose(before[3], colours(3), atol=0.5)


def test_backbone_chosen_in_the_middle_leaves_no_row_of_the_former(
    room: Room, folder: str, paint: Callable[..., list[PictureFile]], colours: Callable[[int], Colour]
) -> None:
    paint(150)
    room.gallery.open(folder)
    room.main.run_until(lambda: room.rows)
    room.gallery.set_backbone("twice", "cpu")
    room.gallery.set_backbone("fake", "cpu")
    room.gallery.set_backbone("twice", "cpu")
    room.finish()
    np.testing.assert_allclose(
        room.gallery.embeddings, 2 * np.array([colours(number) for number in range(150)]), atol=1.0
    )


def test_another_device_alone_embeds_nothing_again(
    room: Room, folder: str, paint: Callable[..., list[PictureFile]]
) -> None:
    paint(3)
    room.gallery.open(folder)
    room.finish()
    room.gallery.set_backbone("fake", "auto")
    room.finish()
    assert sorted(room.rows) == [0, 1, 2]


def test_backbone_that_cannot_be_loaded_is_told_once_and_another_one_helps(
    room: Room, folder: str, paint: Callable[..., list[PictureFile]]
) -> None:
    paint(150)
    room.gallery.open(folder)
    room.finish()
    room.gallery.set_backbone("lost", "cpu")
    room.finish()
    assert [type(error) for error in room.errors] == [KeyError]
    assert room.gallery.embedded == 0
    room.gallery.set_backbone("fake", "cpu")
    room.finish()
    assert room.gallery.known.all()


def test_listing_that_breaks_is_told(room: Room, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_values: object, **_options: object) -> Iterator[PictureFile]:
        raise MemoryError
        yield

    monkeypatch.setattr(module, "scan_folder", broken)
    room.gallery.open(folder)
    room.finish()
    assert [type(error) for error in room.errors] == [MemoryError]
    assert not room.gallery.listing


def test_hundred_thousand_rows_are_listed_in_portions_and_stay_small(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def many(*_values: object, **_options: object) -> Iterator[PictureFile]:
        return (PictureFile(f"/pictures/{number}.jpg", number, number) for number in range(100_000))

    monkeypatch.setattr(module, "scan_folder", many)
    monkeypatch.setattr(module, "monotonic", lambda: 0.0)
    found: list[NDArray[np.int64]] = []
    monkeypatch.setattr(room.gallery, "_embed", lambda: found.append(room.gallery.known))
    room.gallery.open("/pictures")
    room.finish()
    assert room.gallery.count == 100_000
    assert room.counts[:3] == [0, 100, 5100]
    assert room.gallery.row_of("/pictures/99999.jpg") == 99_999
    assert len(found) == 1


def test_a_folder_is_known_by_one_path_however_it_is_written(
    room: Room, folder: str, paint: Callable[..., list[PictureFile]]
) -> None:
    """Qt's dialogs write C:/Pictures where the plan of a sort writes C:\\Pictures: nothing was followed."""
    files = paint(1)
    room.gallery.open(f"{folder}/../pictures/")
    room.finish()
    assert room.gallery.folder == folder
    assert room.gallery.row_of(files[0].path) == 0


def test_what_comes_while_the_folder_is_listed_is_looked_for_afterwards(
    room: Room, folder: str, paint: Callable[..., list[PictureFile]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that ended meanwhile, and F5, were forgotten."""
    paint(2)
    looked, gate = threading.Event(), threading.Event()

    def slow(*values: Any, **options: Any) -> Iterator[PictureFile]:
        found = list(scan_folder(*values, **options))
        looked.set()
        gate.wait(20)
        yield from found

    monkeypatch.setattr(module, "scan_folder", slow)
    room.gallery.open(folder)
    assert looked.wait(20)
    paint(1, first=5)
    room.gallery.rescan()
    gate.set()
    room.finish()
    assert room.gallery.count == 3
    assert not room.gallery.listing
