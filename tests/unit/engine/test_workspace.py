"""The workspace: sessions come and go on the same lanes, and nothing of the former one is heard again."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fewshot_gui.core.images.identity import file_id
from fewshot_gui.engine import embedder, examples
from fewshot_gui.engine.commands import AddCategory
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.state import CategoryId
from fewshot_gui.engine.worker import lanes_at_work
from fewshot_gui.engine.workspace import FOLDER_KEY, Lanes, Workspace, remembered_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.worker import CancelToken, Worker

    Paint = Callable[..., list[PictureFile]]

CAT = CategoryId("cat")


class Desk:
    """Lanes, and the workspaces that are opened on them one after the other."""

    def __init__(self, main: Any, lane: Callable[..., Worker], folder: Path) -> None:
        self.main, self.folder = main, folder
        self.lanes = Lanes(
            lane("decode", threads=2), lane("model"), lane("disk"), lane("camera", threads=2), lane("video")
        )
        self.workspaces: list[Workspace] = []

    def open(self, name: str = "one") -> Workspace:
        path = self.folder / f"{name}.fewshot"
        session = (Session.open if path.exists() else Session.create)(path, self.lanes.disk)
        if CAT not in session.document:
            session.do(AddCategory(CAT, "cat"))
        self.workspaces.append(Workspace(session, self.lanes, self.main))
        return self.workspaces[-1]

    def finish(self) -> None:
        self.main.finish(*self.lanes.all())

    def hold(self, lane: Worker) -> threading.Event:
        """Return an event until which a lane does nothing."""
        gate = threading.Event()

        def wait(_token: CancelToken) -> None:
            assert gate.wait(20)

        for _ in range(lane.threads):
            lane.submit(wait, priority=0)
        return gate


@pytest.fixture
def desk(
    tmp_path: Path, main: Any, lane: Callable[..., Worker], backbone: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    monkeypatch.setenv("FEWSHOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(embedder, "_load_bundle", lambda _name: backbone)
    monkeypatch.setattr(embedder, "_describe_bundle", lambda _name: backbone)
    monkeypatch.setattr(embedder, "choose_device", lambda _wanted: "cpu")
    desk = Desk(main, lane, tmp_path)
    yield desk
    for workspace in desk.workspaces:
        assert workspace.close(discard=True)
    desk.finish()  # what comes late raises nothing


def teach_all(desk: Desk, workspace: Workspace, files: list[PictureFile]) -> None:
    workspace.intake.add_files([file.path for file in files], CAT)
    workspace.gallery.open(str(desk.folder / "pictures"))
    desk.main.run_until(lambda: workspace.predictor.scores and workspace.predictor.scores.known.sum() == 6)


def test_sessions_follow_one_another_on_the_same_lanes(desk: Desk, paint: Paint, backbone: Any) -> None:
    files = paint(6)
    first = desk.open()
    teach_all(desk, first, files[:2])
    assert first.close()
    assert first.close()
    second = desk.open("two")
    desk.finish()
    assert first.gallery.count == second.gallery.count == 0
    assert second.session.document.category(CAT).examples == ()
    assert second.close()

    backbone.batches.clear()
    again = desk.open()
    assert again.session.recall(FOLDER_KEY) == str(desk.folder / "pictures")
    again.gallery.open(str(again.session.recall(FOLDER_KEY)))
    desk.main.run_until(
        lambda: again.predictor.scores is not None and again.predictor.scores.known.sum() == 6
    )
    assert len(again.session.document.category(CAT).examples) == 2
    assert backbone.batches == []  # nothing is computed twice, neither the folder nor the examples


def test_a_session_that_is_opened_again_decodes_and_computes_nothing(
    desk: Desk, paint: Paint, backbone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = desk.open()
    first.intake.add_files([file.path for file in paint(20)], CAT)
    for value in (10, 200):
        first.intake.add_pixels(np.full((16, 16, 3), value, np.uint8), CAT, "canvas")
    desk.main.run_until(lambda: len(first.session.document.category(CAT).examples) == 22)
    desk.finish()
    assert sum(backbone.batches) == 22
    assert first.close()

    backbone.batches.clear()
    monkeypatch.setattr(examples, "decode_image", lambda *_, **__: pytest.fail("decoded again"))
    again = desk.open()
    desk.main.run_until(lambda: again.predictor.report is not None)
    assert again.predictor.scores is not None
    assert len(again.predictor.scores.support_ids) == 22
    assert backbone.batches == []


def test_closing_while_pictures_are_embedded_takes_no_two_seconds(
    desk: Desk, paint: Paint, backbone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    paint(200)
    gate, begun, embed = threading.Event(), threading.Event(), backbone.embed

    def held(batch: Any, device: str = "cpu") -> Any:
        begun.set()
        assert gate.wait(20)
        return embed(batch, device)

    monkeypatch.setattr(backbone, "embed", held)
    workspace = desk.open()
    workspace.gallery.open(str(desk.folder / "pictures"))
    desk.main.run_until(begun.is_set)
    started = time.monotonic()
    assert workspace.close()
    took = time.monotonic() - started
    gate.set()
    desk.finish()
    assert took < 2
    assert workspace.gallery.count == 0
    assert len(backbone.batches) <= 1


def test_closing_while_torch_is_loaded_does_not_wait_for_it(desk: Desk) -> None:
    workspace = desk.open()
    gate = desk.hold(desk.lanes.model)
    workspace.warm_up()
    started = time.monotonic()
    assert workspace.close()
    assert time.monotonic() - started < 2
    gate.set()


def test_what_is_dropped_when_the_session_closes_reaches_no_session(desk: Desk, paint: Paint) -> None:
    files, frame = paint(3), np.zeros((8, 8, 3), np.uint8)
    workspace = desk.open()
    gate = desk.hold(desk.lanes.decode)
    workspace.intake.add_files([files[0].path], CAT)
    workspace.intake.add_pixels(frame, CAT, "canvas")
    workspace.intake.find_moved(files)
    gate.set()
    assert desk.lanes.decode.drain(20)  # read, and not yet told
    assert workspace.close()
    desk.finish()
    assert workspace.problems.entries == ()
    later = desk.open()
    assert later.session.document.category(CAT).examples == ()


def test_a_live_frame_that_comes_late_is_not_shown(desk: Desk) -> None:
    workspace = desk.open()
    shown: list[Any] = []
    workspace.camera_loop.predicted.connect(shown.append)
    gate = desk.hold(desk.lanes.model)
    frame = np.zeros((8, 8, 3), np.uint8)
    workspace.camera_loop.offer(frame, 1.0)
    workspace.predictor.classify(frame, shown.append, key="canvas")
    gate.set()
    assert desk.lanes.model.drain(20)  # computed, and not yet told
    assert workspace.close()
    desk.finish()
    assert shown == []


def test_a_session_that_cannot_be_written_stays_open(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = desk.open()
    monkeypatch.setattr(workspace.session, "flush", lambda: False)
    assert not workspace.close()
    workspace.session.do(AddCategory(CategoryId("dog"), "dog"))
    assert len(workspace.predictor.scores.classes if workspace.predictor.scores else ()) == 2
    assert workspace.close(discard=True)


def test_moved_examples_are_found_in_the_folder_that_is_opened(desk: Desk, paint: Paint) -> None:
    files = paint(2)
    workspace = desk.open()
    workspace.intake.add_files([files[0].path], CAT)
    desk.finish()
    moved = desk.folder / "elsewhere"
    (desk.folder / "pictures").rename(moved)
    workspace.gallery.open(str(moved))
    desk.finish()
    (example,) = workspace.session.document.category(CAT).examples
    kept = workspace.session.picture(example.picture)
    assert kept is not None
    assert kept.path == str(moved / "00000.png")


def test_lanes_end_with_the_program() -> None:
    lanes = Lanes.start(lambda call: call())
    names = {thread.name for thread in threading.enumerate()}
    assert {"decode-0", "decode-1", "model-0", "disk-0", "camera-0", "camera-1", "video-0"} <= names
    lanes.close()
    assert not any(lane.pending for lane in lanes.all())


def test_lanes_do_not_wait_for_what_does_not_end() -> None:
    lanes = Lanes.start(lambda call: call())
    gate, begun = threading.Event(), threading.Barrier(3)

    def stick(_token: CancelToken) -> None:
        begun.wait(20)
        assert gate.wait(20)

    for lane in (lanes.model, lanes.camera):
        lane.submit(stick)
    begun.wait(20)
    began = time.monotonic()
    assert not lanes.close()
    assert time.monotonic() - began < 2
    assert lanes_at_work()
    gate.set()
    assert lanes.close()


def test_a_session_that_travels_with_its_pictures_shows_them_there(
    desk: Desk, paint: Paint, tmp_path: Path
) -> None:
    (tmp_path / "trip").mkdir()
    paint(3, folder="trip/pictures")
    workspace = desk.open("trip/session")
    assert remembered_folder(workspace.session) == ""
    workspace.gallery.open(str(tmp_path / "trip" / "pictures"))
    desk.finish()
    assert remembered_folder(workspace.session) == str(tmp_path / "trip" / "pictures")
    assert workspace.close()
    (tmp_path / "trip").rename(tmp_path / "elsewhere")
    again = desk.open("elsewhere/session")
    assert remembered_folder(again.session) == str(tmp_path / "elsewhere" / "pictures")


def test_a_session_of_an_older_version_opens_its_folder_where_it_was(desk: Desk) -> None:
    workspace = desk.open()
    workspace.session.remember(FOLDER_KEY, "/far/photos")
    assert remembered_folder(workspace.session) == "/far/photos"
    workspace.session.remember(FOLDER_KEY, 7)
    assert remembered_folder(workspace.session) == ""


def test_examples_of_a_session_that_ended_before_it_had_read_them_are_read_at_the_next_start(
    desk: Desk, paint: Paint
) -> None:
    """Their tiles stayed empty for good, and another backbone left them out of the examples."""
    files = paint(3)
    workspace = desk.open()
    gate = desk.hold(desk.lanes.decode)
    workspace.intake.teach_all([(file, file_id(file.path)) for file in files], CAT)
    assert workspace.close()
    gate.set()
    desk.finish()
    again = desk.open()
    assert len(again.session.document.category(CAT).examples) == 3
    desk.finish()
    assert {each.path for each in again.session.stored_pictures()} == {file.path for file in files}
    desk.finish()
    assert again.predictor.fitted is not None
    assert len(again.predictor.fitted.support_ids) == 3
