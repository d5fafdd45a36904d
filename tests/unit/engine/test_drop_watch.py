"""The watch over drops: what is found, what is kept, and how each warning goes when it is solved."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from fewshot_gui.core.images.encode import encode_png
from fewshot_gui.core.images.identity import PictureId, file_id
from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine.commands import AddCategory, AddExamples, RemoveCategory, RemoveExamples
from fewshot_gui.engine.deciding.enough import LooReport, report_of
from fewshot_gui.engine.deciding.warnings import DropWarning, WarningKind
from fewshot_gui.engine.drop import read_file
from fewshot_gui.engine.drop_watch import DropWatch
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.intake import Intake
from fewshot_gui.engine.problems import ProblemLog
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.state import CategoryId, Example
from fewshot_gui.engine.worker import CancelToken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fewshot_gui.engine.worker import Worker

CAT, DOG = CategoryId("cat"), CategoryId("dog")


class Desk:
    """A session with a watch over its intake; pictures are noise that differs by its seed."""

    def __init__(self, folder: Path, main: Any, session: Session, decode: Worker) -> None:
        self.folder, self.session = folder, session
        self.intake = Intake(session, ProblemLog(), decode)
        self.examined: Event[[LooReport]] = Event()
        predictor: Any = SimpleNamespace(examined=self.examined)
        self.watch = DropWatch(session, self.intake, predictor, decode)
        self.found: list[tuple[DropWarning, ...]] = []
        self.changes = 0
        self.watch.found.connect(self.found.append)
        self.watch.changed.connect(self._count)
        self._main, self._decode = main, decode

    def _count(self) -> None:
        self.changes += 1

    def paint(self, name: str, seed: int, *, blurred: bool = False, brighter: int = 0) -> str:
        coarse = np.random.default_rng(seed).integers(0, 200, (12, 12, 3), np.uint8)
        pixels = cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_NEAREST) + np.uint8(brighter)
        if blurred:
            pixels = np.broadcast_to(np.linspace(0, 240, 96).astype(np.uint8)[None, :, None], (96, 96, 3))
        path = self.folder / name
        path.write_bytes(encode_png(np.ascontiguousarray(pixels)))
        return str(path)

    def drop(self, category: CategoryId | None, *paths: str) -> list[PictureId]:
        self.intake.add_files(list(paths), category)
        self.finish()
        return [file_id(path) for path in paths]

    def finish(self) -> None:
        self._main.finish(self._decode)

    def kinds(self, picture: PictureId) -> list[WarningKind]:
        return [warning.kind for warning in self.watch.of(picture)]

    def examine(self, *cells: tuple[CategoryId, CategoryId, PictureId, float]) -> None:
        """Say that each picture, taught as the first, is taken for the second so surely."""
        table = {(own, taken): (picture,) for own, taken, picture, _ in cells}
        report = report_of(table, (CAT, DOG), 1)
        sure = {picture: share for _, _, picture, share in cells}
        self.examined.emit(
            LooReport(report.examined, report.correct, report.misfits, 1, (CAT, DOG), report.cells, sure)
        )


@pytest.fixture
def desk(tmp_path: Path, main: Any, lane: Callable[..., Worker]) -> Iterator[Desk]:
    session = Session.create(tmp_path / "s.fewshot", lane("disk"))
    session.do(AddCategory(CAT, "cat"))
    session.do(AddCategory(DOG, "dog"))
    result = Desk(tmp_path, main, session, lane("decode", threads=2))
    yield result
    result.watch.close()
    assert session.close()


def test_pictures_that_are_as_they_should_be_are_not_talked_about(desk: Desk) -> None:
    pictures = desk.drop(CAT, desk.paint("a.png", 1), desk.paint("b.png", 2))
    assert not desk.watch.pictures
    assert not desk.found
    assert desk.kinds(pictures[0]) == []


def test_a_burst_that_is_dropped_at_once_is_told(desk: Desk) -> None:
    first, second = desk.drop(CAT, desk.paint("a.png", 1), desk.paint("b.png", 1, brighter=20))
    assert desk.kinds(second) == [WarningKind.NEAR_DUPLICATE]
    assert desk.watch.of(second)[0].other == first
    assert desk.kinds(first) == []
    assert [len(found) for found in desk.found] == [1]


def test_a_near_duplicate_of_an_older_example_is_solved_when_that_goes(desk: Desk) -> None:
    (old,) = desk.drop(DOG, desk.paint("a.png", 1))
    (new,) = desk.drop(CAT, desk.paint("b.png", 1, brighter=20))
    assert desk.kinds(new) == [WarningKind.NEAR_DUPLICATE]
    changes = desk.changes
    desk.session.do(RemoveExamples((old,)))
    assert desk.kinds(new) == []
    assert desk.changes == changes + 1


def test_a_blurred_picture_is_told_until_it_is_taken_out(desk: Desk) -> None:
    (picture,) = desk.drop(CAT, desk.paint("a.png", 1, blurred=True))
    assert desk.kinds(picture) == [WarningKind.BLURRED]
    desk.session.do(RemoveExamples((picture,)))
    assert not desk.watch.pictures


def test_what_was_in_the_category_already_is_told_once_and_leaves_no_mark(desk: Desk) -> None:
    path = desk.paint("a.png", 1)
    desk.drop(CAT, path)
    (picture,) = desk.drop(CAT, path)
    assert [warning.kind for warning in desk.found[-1]] == [WarningKind.DUPLICATE]
    assert desk.kinds(picture) == []


def test_what_a_drop_took_from_another_category_is_marked(desk: Desk) -> None:
    path = desk.paint("a.png", 1)
    desk.drop(CAT, path)
    (picture,) = desk.drop(DOG, path)
    assert desk.watch.of(picture)[0].category == CAT
    desk.session.undo()
    assert not desk.watch.pictures


def test_moving_an_example_in_the_gallery_is_not_talked_about(desk: Desk) -> None:
    path = desk.paint("a.png", 1)
    (picture,) = desk.drop(CAT, path)
    desk.intake.teach_all([(PictureFile(path, 10, 0), picture)], DOG)
    desk.finish()
    assert desk.session.document.owner(picture) == DOG
    assert not desk.watch.pictures


def test_a_removed_category_takes_the_warnings_about_it_along(desk: Desk) -> None:
    path = desk.paint("a.png", 1)
    desk.drop(CAT, path)
    (picture,) = desk.drop(DOG, path)
    desk.session.do(RemoveCategory(CAT))
    assert desk.kinds(picture) == []


def test_the_report_tells_what_looks_like_another_category_and_takes_it_back(desk: Desk) -> None:
    (picture,) = desk.drop(CAT, desk.paint("a.png", 1))
    desk.examine((CAT, DOG, picture, 0.9))
    (warning,) = desk.watch.of(picture)
    assert (warning.kind, warning.category, warning.measure) == (WarningKind.LOOKS_LIKE_ANOTHER, DOG, 0.9)
    assert desk.found == [(warning,)]
    desk.examine((CAT, DOG, picture, 0.9))
    assert len(desk.found) == 1  # told once
    desk.examine((CAT, CAT, picture, 0.6))
    assert desk.kinds(picture) == []


@pytest.mark.parametrize(("sure", "marked"), [(0.79, False), (0.81, True)])
def test_only_a_sure_misfit_is_marked(desk: Desk, sure: float, marked: bool) -> None:
    (picture,) = desk.drop(CAT, desk.paint("a.png", 1))
    desk.examine((CAT, DOG, picture, sure))
    assert bool(desk.watch.of(picture)) is marked


def test_examples_from_before_are_left_alone(desk: Desk) -> None:
    old = PictureId("0" * 32)
    desk.session.do(AddExamples(CAT, (Example(old, "old.jpg"),)))
    desk.examine((CAT, DOG, old, 0.99))
    assert not desk.watch.pictures


def test_a_picture_of_the_gallery_waits_for_its_thumbnail(desk: Desk) -> None:
    path = desk.paint("a.png", 1, blurred=True)
    picture = file_id(path)
    desk.intake.teach_all([(PictureFile(path, 10, 0), picture)], CAT)
    assert desk.kinds(picture) == []
    desk.finish()
    assert desk.kinds(picture) == [WarningKind.BLURRED]


def test_a_picture_that_never_comes_holds_up_nothing(desk: Desk) -> None:
    gone = PictureId("1" * 32)
    path = desk.paint("a.png", 1, blurred=True)
    known = file_id(path)
    desk.intake.teach_all([(PictureFile("/nowhere.png", 1, 0), gone), (PictureFile(path, 1, 0), known)], CAT)
    desk.finish()
    assert desk.kinds(known) == []
    desk.session.do(RemoveExamples((gone,)))
    desk.finish()
    assert desk.kinds(known) == [WarningKind.BLURRED]


def test_a_folder_of_folders_is_watched_too(desk: Desk) -> None:
    (desk.folder / "all" / "bird").mkdir(parents=True)
    (desk.folder / "all" / "fish").mkdir()
    desk.paint("all/bird/a.png", 1)
    desk.paint("all/fish/b.png", 1, brighter=20)
    desk.intake.add_files([str(desk.folder / "all")])
    desk.finish()
    assert [warning.kind for found in desk.found for warning in found] == [WarningKind.NEAR_DUPLICATE]


def test_frames_of_a_capture_are_not_watched(desk: Desk) -> None:
    capture = desk.intake.begin_capture(CAT, "camera")
    for _ in range(3):
        capture.add(np.full((32, 32, 3), 90, np.uint8))
    desk.finish()
    assert not desk.found


def test_nothing_is_watched_after_close(desk: Desk) -> None:
    desk.watch.close()
    desk.drop(CAT, desk.paint("a.png", 1, blurred=True))
    assert not desk.watch.pictures
    assert not desk.found


def test_once_closed_nothing_is_looked_at(desk: Desk) -> None:
    """A drop of thousands was compared for minutes after its session had ended, on the next one's lane."""
    desk.drop(CAT, desk.paint("a.png", 1))
    looked = dict(desk.watch._looks)
    gate = threading.Event()
    before = desk.session.document
    path = desk.paint("b.png", 2)
    desk.session.keep_picture(read_file(path, CancelToken()))
    for _ in range(desk._decode.threads):
        desk._decode.submit(lambda _token: gate.wait(20), priority=0)
    desk.intake.taught.emit(before, (AddExamples(CAT, (Example(file_id(path), path),)),))
    desk.watch.close()
    gate.set()
    desk.finish()
    assert desk.watch._looks == looked
