"""The intake: how files, folders, frames and gallery pictures get into categories."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fewshot_gui.core.images.encode import encode_png
from fewshot_gui.core.images.identity import PictureId, file_id, picture_id
from fewshot_gui.core.images.reader import decode_image
from fewshot_gui.engine.commands import AddCategory, RemoveCategory
from fewshot_gui.engine.drop import list_pictures
from fewshot_gui.engine.intake import Intake
from fewshot_gui.engine.problems import ProblemLog
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.state import CategoryId
from fewshot_gui.engine.worker import CancelToken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from numpy.typing import NDArray

    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.worker import Worker

CAT, DOG = CategoryId("cat"), CategoryId("dog")
Paint = "Callable[..., list[PictureFile]]"


class Desk:
    """A session, its intake, and the lanes below them."""

    def __init__(self, main: Any, session: Session, decode: Worker) -> None:
        self.session, self.problems = session, ProblemLog()
        self.intake = Intake(session, self.problems, decode)
        self.added: list[tuple[CategoryId, int]] = []
        self.intake.added.connect(lambda category, count: self.added.append((category, count)))
        self._main, self._decode = main, decode

    def finish(self) -> None:
        self._main.finish(self._decode)

    def counts(self) -> dict[str, int]:
        return {category.name: len(category.examples) for category in self.session.document.categories}

    def kinds(self) -> list[str]:
        return [problem.kind for problem in self.problems.entries]


@pytest.fixture
def desk(tmp_path: Path, main: Any, lane: Callable[..., Worker]) -> Iterator[Desk]:
    session = Session.create(tmp_path / "s.fewshot", lane("disk"))
    session.do(AddCategory(CAT, "cat"))
    session.do(AddCategory(DOG, "dog"))
    yield Desk(main, session, lane("decode", threads=2))
    assert session.close()


def paths(files: list[PictureFile]) -> list[str]:
    return [file.path for file in files]


def test_files_go_into_the_category_with_thumbnail_and_place(desk: Desk, paint: Any) -> None:
    files = paint(3)
    desk.intake.add_files(paths(files), CAT)
    desk.finish()
    examples = desk.session.document.category(CAT).examples
    assert [example.origin for example in examples] == paths(files)
    assert desk.added == [(CAT, 3)]
    kept = desk.session.picture(examples[0].picture)
    assert kept is not None
    assert kept.id == file_id(files[0].path)
    assert (kept.path, kept.size, kept.original) == (files[0].path, files[0].size, None)
    assert decode_image(kept.thumbnail).shape == (16, 16, 3)


def test_a_large_picture_is_kept_as_a_small_thumbnail(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(encode_png(np.zeros((600, 1200, 3), np.uint8)))
    desk.intake.add_files([str(path)], CAT)
    desk.finish()
    kept = desk.session.picture(file_id(path))
    assert kept is not None
    assert decode_image(kept.thumbnail).shape == (128, 256, 3)


def test_a_drop_is_one_step_of_undo(desk: Desk, paint: Any) -> None:
    desk.intake.add_files(paths(paint(5)), CAT)
    desk.finish()
    desk.session.undo()
    assert desk.counts() == {"cat": 0, "dog": 0}


def test_folders_dropped_on_a_category_are_walked(desk: Desk, paint: Any, tmp_path: Path) -> None:
    paint(2, "deep")
    paint(2, "deep/er", first=2)
    desk.intake.add_files([str(tmp_path / "deep")], CAT)
    desk.finish()
    assert desk.counts() == {"cat": 4, "dog": 0}


def test_a_folder_of_class_folders_makes_categories_in_one_step(
    desk: Desk, paint: Any, tmp_path: Path
) -> None:
    (tmp_path / "all").mkdir()
    paint(2, "all/bird")
    paint(3, "all/Cat", first=2)
    desk.intake.add_files([str(tmp_path / "all")])
    desk.finish()
    assert desk.counts() == {"cat": 3, "dog": 0, "bird": 2}
    desk.session.undo()
    assert desk.counts() == {"cat": 0, "dog": 0}


def test_what_lies_loosely_beside_class_folders_is_a_category_called_as_the_folder(
    desk: Desk, paint: Any, tmp_path: Path
) -> None:
    """Before, it was left out without a word."""
    paint(1, "all")
    paint(2, "all/bird", first=1)
    paint(3, "all/all", first=3)
    (tmp_path / "all" / "broken.png").write_bytes(b"")
    desk.intake.add_files([str(tmp_path / "all")])
    desk.finish()
    assert desk.counts() == {"cat": 0, "dog": 0, "all": 4, "bird": 2}
    assert desk.kinds() == ["empty"]
    desk.session.undo()
    assert desk.counts() == {"cat": 0, "dog": 0}


@pytest.mark.skipif(sys.platform == "win32", reason="no folder has such a name there")
def test_a_class_folder_without_a_name_that_shows_gets_one(desk: Desk, paint: Any, tmp_path: Path) -> None:
    """Before, the whole drop was lost."""
    (tmp_path / "all").mkdir()
    paint(2, "all/bird")
    paint(2, "all/\u3000", first=2)
    desk.intake.add_files([str(tmp_path / "all")])
    desk.finish()
    assert desk.counts() == {"cat": 0, "dog": 0, "bird": 2, "unnamed": 2}


def test_a_folder_of_loose_pictures_makes_one_category(desk: Desk, paint: Any, tmp_path: Path) -> None:
    paint(2, "bird")
    desk.intake.add_files([str(tmp_path / "bird")])
    desk.finish()
    assert desk.counts()["bird"] == 2


def test_loose_files_make_a_category_named_after_their_folder(desk: Desk, paint: Any) -> None:
    desk.intake.add_files(paths(paint(2, "bird")))
    desk.finish()
    assert desk.counts()["bird"] == 2


def test_broken_files_are_told_and_the_rest_goes_on(desk: Desk, paint: Any, tmp_path: Path) -> None:
    (broken := tmp_path / "broken.jpg").write_bytes(b"")
    desk.intake.add_files([str(broken), *paths(paint(2)), str(tmp_path / "gone.png")], CAT)
    desk.finish()
    assert desk.counts()["cat"] == 2
    assert sorted(desk.kinds()) == ["empty", "missing"]


def test_only_broken_files_make_no_category(desk: Desk, tmp_path: Path) -> None:
    (broken := tmp_path / "broken.jpg").write_bytes(b"")
    desk.intake.add_files([str(broken)])
    desk.finish()
    assert desk.counts() == {"cat": 0, "dog": 0}


def test_a_folder_without_pictures_is_told(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    desk.intake.add_files([str(tmp_path / "empty")])
    desk.finish()
    assert desk.kinds() == ["no-pictures"]


def test_the_same_picture_is_added_once(desk: Desk, paint: Any, tmp_path: Path) -> None:
    (file,) = paint(1)
    (copy := tmp_path / "copy.png").write_bytes((tmp_path / "pictures" / "00000.png").read_bytes())
    desk.intake.add_files([file.path, str(copy), file.path], CAT)
    desk.finish()
    desk.intake.add_files([str(copy)], CAT)
    desk.finish()
    assert desk.counts()["cat"] == 1
    assert desk.added == [(CAT, 1)]


def test_an_example_of_another_category_moves(desk: Desk, paint: Any) -> None:
    files = paths(paint(1))
    for category in (CAT, DOG):
        desk.intake.add_files(files, category)
        desk.finish()
    assert desk.counts() == {"cat": 0, "dog": 1}


def test_pictures_for_a_category_that_was_removed_meanwhile_go_nowhere(desk: Desk, paint: Any) -> None:
    desk.intake.add_files(paths(paint(2)), CAT)
    desk.intake.add_pixels(np.zeros((8, 8, 3), np.uint8), CAT, "canvas")
    desk.session.do(RemoveCategory(CAT))
    desk.finish()
    assert desk.counts() == {"dog": 0}
    assert set(desk.kinds()) == {"category-removed"}
    assert desk.session.stored_pictures() == ()


def test_progress_ends_where_it_said(desk: Desk, paint: Any) -> None:
    steps: list[tuple[int, int]] = []
    desk.intake.reading.connect(lambda done, total: steps.append((done, total)))
    desk.intake.add_files(paths(paint(3)), CAT)
    desk.finish()
    assert steps == [(0, 0), (1, 3), (2, 3), (3, 3)]
    assert not desk.intake.busy


def test_all_drops_can_be_stopped(desk: Desk, paint: Any) -> None:
    steps: list[tuple[int, int]] = []
    desk.intake.reading.connect(lambda done, total: steps.append((done, total)))
    desk.intake.add_files(paths(paint(3)), CAT)
    desk.intake.add_files(paths(paint(2)))
    assert desk.intake.busy
    desk.intake.stop_reading()
    desk.finish()
    assert steps == [(0, 0)] * 3
    assert not desk.intake.busy
    assert sum(desk.counts().values()) == 0
    desk.intake.add_files(paths(paint(1)), CAT)
    desk.finish()
    assert desk.counts()["cat"] == 1, "the next drop is read as ever"


def test_a_cancelled_drop_adds_nothing(desk: Desk, paint: Any) -> None:
    desk.intake.add_files(paths(paint(3)), CAT).cancel()
    desk.finish()
    assert desk.counts()["cat"] == 0


# Without a file


@pytest.mark.parametrize(
    ("origin", "start"), [("canvas", b"\x89PNG"), ("camera", b"\xff\xd8"), ("video", b"\xff\xd8")]
)
def test_a_picture_without_a_file_is_kept_whole(desk: Desk, origin: str, start: bytes) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 30, 3), np.uint8)
    desk.intake.add_pixels(pixels, DOG, origin)
    desk.finish()
    (example,) = desk.session.document.category(DOG).examples
    original = desk.session.original(example.picture)
    assert original is not None
    assert original.startswith(start)
    assert example == type(example)(picture_id(original), origin)
    if origin == "canvas":
        assert np.array_equal(decode_image(original), pixels)


def frame(value: int) -> NDArray[np.uint8]:
    return np.full((12, 16, 3), value, np.uint8)


def test_the_frames_of_one_hold_are_one_step_and_there_before_it_ends(desk: Desk) -> None:
    hold = desk.intake.begin_capture(CAT, "camera")
    for value in (10, 100, 200):
        hold.add(frame(value))
        desk.finish()
    assert desk.counts() == {"cat": 3, "dog": 0}
    assert desk.added == [(CAT, 1)] * 3
    desk.session.undo()
    assert desk.counts() == {"cat": 0, "dog": 0}
    desk.session.redo()
    assert desk.counts() == {"cat": 3, "dog": 0}


def test_two_holds_are_two_steps(desk: Desk) -> None:
    for values in ((10, 60), (110, 160, 210)):
        hold = desk.intake.begin_capture(CAT, "camera")
        for value in values:
            hold.add(frame(value))
        desk.finish()
    assert desk.counts()["cat"] == 5
    desk.session.undo()
    assert desk.counts()["cat"] == 2


def test_what_is_undone_during_a_hold_stays_undone(desk: Desk) -> None:
    hold = desk.intake.begin_capture(CAT, "video")
    hold.add(frame(10))
    desk.finish()
    desk.session.undo()
    hold.add(frame(200))
    desk.finish()
    assert desk.counts()["cat"] == 1
    desk.session.undo()
    assert desk.counts()["cat"] == 0


# From the gallery


def test_teaching_a_known_picture_is_immediate_and_its_thumbnail_follows(desk: Desk, paint: Any) -> None:
    (file,) = paint(1)
    pictured: list[PictureId] = []
    desk.intake.pictured.connect(pictured.append)
    picture = file_id(file.path)
    desk.intake.teach(file, picture, CAT)
    assert desk.counts()["cat"] == 1
    desk.finish()
    assert desk.session.picture(picture) is not None
    assert pictured == [picture]


def test_teaching_an_unread_picture_reads_it_first(desk: Desk, paint: Any) -> None:
    (file,) = paint(1)
    desk.intake.teach(file, None, CAT)
    assert desk.counts()["cat"] == 0
    desk.finish()
    assert desk.counts()["cat"] == 1


def test_teaching_many_is_one_step(desk: Desk, paint: Any) -> None:
    desk.intake.teach_all([(file, file_id(file.path)) for file in paint(4)], CAT)
    desk.session.undo()
    assert desk.counts()["cat"] == 0
    desk.finish()


def test_a_file_that_changed_since_it_was_taught_lends_no_thumbnail(desk: Desk, paint: Any) -> None:
    (file,) = paint(1)
    desk.intake.teach(file, PictureId("0" * 32), CAT)
    desk.finish()
    assert desk.session.picture(PictureId("0" * 32)) is None
    assert desk.kinds() == ["changed-on-disk"]


@pytest.mark.skipif(os.name == "nt", reason="names may be as long there")
def test_a_path_that_cannot_be_looked_at_spoils_no_drop(desk: Desk, paint: Any) -> None:
    """Before, nothing of the drop was added, and "something unexpected happened"."""
    (file,) = paint(1)
    desk.intake.add_files(["/" + "x" * 300 + ".png", file.path], CAT)
    desk.finish()
    assert len(desk.session.document.pictures()) == 1
    assert len(desk.kinds()) == 1


# Moved


def test_moved_pictures_are_found_by_content(desk: Desk, paint: Any, tmp_path: Path) -> None:
    files = paint(2)
    desk.intake.add_files(paths(files), CAT)
    desk.finish()
    (tmp_path / "pictures").rename(tmp_path / "elsewhere")
    found: list[int] = []
    desk.intake.found.connect(found.append)
    there = [replace(file, path=str(tmp_path / "elsewhere" / Path(file.path).name)) for file in files]
    desk.intake.find_moved(there)
    desk.finish()
    assert found == [2]
    stored = [desk.session.picture(each) for each in desk.session.document.pictures()]
    assert [each.path for each in stored if each is not None] == paths(there)


def test_pictures_that_are_where_they_were_stay_there(desk: Desk, paint: Any) -> None:
    desk.intake.add_files(paths(paint(2)), CAT)
    desk.finish()
    found: list[int] = []
    desk.intake.found.connect(found.append)
    desk.intake.find_moved(paint(2, "copies"))
    desk.finish()
    assert found == []


def test_a_closed_intake_teaches_nothing_and_reads_nothing_more(desk: Desk, paint: Any) -> None:
    files = paint(6)
    desk.intake.add_files(paths(files), CAT)
    desk.intake.add_pixels(np.zeros((8, 8, 3), np.uint8), DOG, "canvas")
    desk.intake.teach(files[0], file_id(files[0].path), DOG)
    desk.intake.close()
    desk.finish()
    assert desk.counts() == {"cat": 0, "dog": 1}  # its content was known: that was done at once
    assert desk.session.picture(file_id(files[0].path)) is None


def test_a_gallery_picture_for_a_category_that_is_gone_goes_nowhere(desk: Desk, paint: Any) -> None:
    (file,) = paint(1)
    desk.session.do(RemoveCategory(CAT))
    desk.intake.teach(file, file_id(file.path), CAT)
    desk.finish()
    assert desk.counts() == {"dog": 0}


def test_what_lies_in_the_root_of_a_disk_gets_a_name(tmp_path: Path) -> None:
    root = Path(tmp_path.anchor)
    listed = list_pictures((str(root / "gone.png"),), CancelToken(), named=True)
    assert listed.groups == {str(root): [str(root / "gone.png")]}


def test_a_pasted_picture_and_its_new_category_are_one_step(desk: Desk) -> None:
    """One undo left an empty category behind."""
    names = iter(("Category 1", "Category 2"))
    for value in (0, 1):  # the second is pasted before the first is packed
        desk.intake.add_pixels(
            np.full((8, 8, 3), value, np.uint8), None, "clipboard", name=lambda: next(names)
        )
    desk.finish()
    new = desk.session.document.categories[-2:]
    assert [(each.name, len(each.examples)) for each in new] == [("Category 1", 1), ("Category 2", 1)]
    desk.session.undo()
    assert new[1].id not in desk.session.document
    assert new[0].id in desk.session.document
