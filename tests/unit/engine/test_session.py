"""The session in use: events, undo across restarts, pictures, settings, and a disk that fails."""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine.commands import (
    AddCategory,
    AddExamples,
    Command,
    CommandError,
    RemoveCategory,
    RenameCategory,
    SetThreshold,
    Together,
)
from fewshot_gui.engine.pictures import StoredPicture, find_moved, lost_pictures
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.session_error import SessionError, SessionProblem
from fewshot_gui.engine.state import CategoryId, Document, Example
from fewshot_gui.engine.timeline import MILESTONE, Timeline
from fewshot_gui.engine.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CAT = CategoryId("c")
ADD = AddCategory(CAT, "cats")
ONE, TWO = PictureId("1" * 32), PictureId("2" * 32)


class Disk:
    """A disk worker, with a main thread that runs what is posted when the test says so."""

    def __init__(self) -> None:
        self.posted: list[Callable[[], None]] = []
        self.worker = Worker("disk", self.posted.append)

    def settle(self) -> None:
        assert self.worker.drain(30)
        while self.posted:
            self.posted.pop(0)()


@pytest.fixture
def disk() -> Iterator[Disk]:
    disk = Disk()
    yield disk
    assert disk.worker.close(30)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "birds of 2026 ü%20#?.fewshot"


@pytest.fixture
def session(disk: Disk, path: Path) -> Iterator[Session]:
    session = Session.create(path, disk.worker)
    yield session
    assert session.close(discard=True)


def reopened(session: Session, disk: Disk) -> Session:
    assert session.close()
    return Session.open(session.path, disk.worker)


def rows(path: str, query: str) -> list[Any]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_a_new_session_is_empty_and_bears_the_name_of_its_file(session: Session) -> None:
    assert session.document == Document()
    assert session.title == "birds of 2026 ü%20#?"
    assert not session.can_undo
    assert not session.can_redo


def test_a_change_tells_before_and_after(session: Session) -> None:
    heard: list[tuple[Document, Document]] = []
    session.changed.connect(lambda before, after: heard.append((before, after)))
    session.do(ADD)
    session.undo()
    session.redo()
    empty, full = Document(), session.document
    assert heard == [(empty, full), (full, empty), (empty, full)]


def test_undo_and_redo_know_their_commands(session: Session) -> None:
    session.do(ADD)
    assert (session.undo_command, session.redo_command) == (ADD, None)
    session.undo()
    assert (session.undo_command, session.redo_command) == (None, ADD)


def test_undo_and_redo_without_anything_to_do_are_silent(session: Session) -> None:
    session.changed.connect(lambda *_: pytest.fail("nothing happened"))
    session.undo()
    session.redo()


def test_an_impossible_command_is_neither_done_nor_stored(session: Session, disk: Disk) -> None:
    session.do(ADD)
    with pytest.raises(CommandError):
        session.do(ADD)
    session = reopened(session, disk)
    assert rows(session.path, "SELECT count(*) FROM history") == [(1,)]
    assert session.close()


def test_a_command_that_changes_nothing_is_no_step(session: Session) -> None:
    session.do(ADD)
    session.do(RenameCategory(CAT, "cats"))
    assert session.undo_command == ADD


def test_a_new_command_drops_what_was_undone_in_the_file_too(session: Session, disk: Disk) -> None:
    for command in (ADD, RenameCategory(CAT, "a"), RenameCategory(CAT, "b")):
        session.do(command)
    session.undo()
    session.undo()
    session.do(RenameCategory(CAT, "c"))
    assert not session.can_redo
    session = reopened(session, disk)
    assert session.document.category(CAT).name == "c"
    assert rows(session.path, "SELECT seq FROM history") == [(1,), (2,)]
    assert session.close()


def test_a_dragged_slider_is_one_step_in_memory_and_on_disk(session: Session, disk: Disk) -> None:
    session.do(ADD)
    for percent in range(100):
        session.do(SetThreshold(percent / 100))
    assert session.flush()
    assert rows(session.path, "SELECT count(*) FROM history") == [(2,)]
    session = reopened(session, disk)
    assert session.document.settings.threshold == 0.99
    session.undo()
    assert session.document.settings.threshold is None
    assert session.undo_command == ADD
    assert session.close()


def test_the_program_s_own_choice_of_the_threshold_is_a_step(session: Session) -> None:
    """Before, it was taken for a part of the drag before it, and undo brought nothing back."""
    for value in (0.3, 0.4, None, 0.5):
        session.do(SetThreshold(value))
    values = []
    while session.can_undo:
        session.undo()
        values.append(session.document.settings.threshold)
    assert values == [None, 0.4, None]


def examples(*names: str) -> tuple[Example, ...]:
    return tuple(Example(PictureId(name), "camera") for name in names)


def test_examples_of_one_gesture_are_one_step_in_memory_and_on_disk(session: Session, disk: Disk) -> None:
    gesture = object()
    session.do(ADD)
    for name in "abc":
        session.do(AddExamples(CAT, examples(name)), gesture=gesture)
        assert session.flush()  # each of them at once, not when the gesture ends
        assert name in rows(session.path, "SELECT payload FROM history WHERE seq = 2")[0][0]
    session = reopened(session, disk)
    assert session.undo_command == AddExamples(CAT, examples("a", "b", "c"))
    session.undo()
    assert session.document.category(CAT).examples == ()
    session.redo()
    assert session.document.category(CAT).examples == examples("a", "b", "c")
    assert session.close()


def test_what_lies_between_two_parts_of_a_gesture_keeps_them_apart(session: Session) -> None:
    gesture, dog = object(), CategoryId("d")
    session.do(Together((ADD, AddCategory(dog, "dogs"))))
    session.do(AddExamples(CAT, examples("a")), gesture=gesture)
    session.do(RenameCategory(CAT, "lions"))
    session.do(AddExamples(CAT, examples("b")), gesture=gesture)
    session.do(AddExamples(dog, examples("c")), gesture=gesture)
    session.do(AddExamples(dog, examples("d")))
    session.undo()
    session.undo()
    assert session.undo_command == AddExamples(CAT, examples("b"))
    session.redo()
    session.do(AddExamples(dog, examples("e")), gesture=gesture)
    assert session.undo_command == AddExamples(dog, examples("e"))


def test_undo_and_redo_work_after_a_restart(session: Session, disk: Disk) -> None:
    session.do(ADD)
    session.do(RenameCategory(CAT, "dogs"))
    session.undo()
    session = reopened(session, disk)
    assert session.document.category(CAT).name == "cats"
    session.redo()
    assert session.document.category(CAT).name == "dogs"
    session.undo()
    session.undo()
    assert session.document == Document()
    assert session.close()


def test_steps_carry_their_time_in_utc(session: Session) -> None:
    session.do(ADD)
    assert session.flush()
    [(at, kind)] = rows(session.path, "SELECT at, kind FROM history")
    assert at.endswith("+00:00")
    assert kind == "AddCategory"


def test_twenty_thousand_steps_open_at_once(session: Session, disk: Disk) -> None:
    session.do(ADD)
    for number in range(5000):
        session.do(AddExamples(CAT, (Example(PictureId(f"{number:032x}"), "camera"),)))
    for number in range(15_000):
        session.do(RenameCategory(CAT, f"cats {number}"))
    document = session.document
    assert session.close()
    begun = time.process_time()
    session = Session.open(session.path, disk.worker)
    # Measured: 0.3 s of processor time here; a replay that copies all for each step takes several times that.
    assert time.process_time() - begun < 1.0
    assert session.document == document
    assert session.close()


def test_undo_is_exact_far_beyond_what_is_kept_in_memory() -> None:
    commands: list[Command] = [ADD]
    commands += [AddExamples(CAT, (Example(PictureId(str(n)), "x"),)) for n in range(4 * MILESTONE)]
    timeline = Timeline(commands)
    for done in range(len(commands), 0, -1):
        assert len(timeline.document.pictures()) == done - 1
        timeline.undo()
    assert timeline.document == Document()


def test_pictures_come_back_with_their_thumbnails(session: Session, disk: Disk) -> None:
    odd_path = "/home/\udcff/ü \U0001f600.jpg"
    session.keep_picture(StoredPicture(ONE, b"thumb", None, odd_path, 10, 20))
    assert session.picture(ONE) == StoredPicture(ONE, b"thumb", None, odd_path, 10, 20)
    session = reopened(session, disk)
    assert session.picture(ONE) == StoredPicture(ONE, b"thumb", None, odd_path, 10, 20)
    assert session.picture(TWO) is None
    assert session.stored_pictures() == (StoredPicture(ONE, b"thumb", None, odd_path, 10, 20),)
    assert session.close()


def test_an_original_is_there_at_once_and_later_from_the_disk(session: Session, disk: Disk) -> None:
    session.keep_picture(StoredPicture(ONE, b"thumb", b"pixels"))
    assert session.original(ONE) == b"pixels"
    disk.settle()
    assert session._unsaved_originals == {}
    assert session.original(ONE) == b"pixels"
    assert session.original(TWO) is None


def test_an_original_is_read_by_a_worker_while_it_is_committed(session: Session, disk: Disk) -> None:
    session.keep_picture(StoredPicture(ONE, b"thumb", b"pixels"))

    class Committing(dict):  # type: ignore[type-arg]
        def __contains__(self, key: object) -> bool:
            known = super().__contains__(key)
            disk.settle()  # the commit arrives between two look-ups
            return known

    session._unsaved_originals = Committing(session._unsaved_originals)
    read: list[bytes | None] = []
    disk.worker.submit(lambda _token: session.original(ONE), then=read.append)
    disk.settle()
    assert ONE not in session._unsaved_originals
    assert [*read, session.original(ONE)] == [b"pixels", b"pixels"]


def test_an_original_is_not_lost_when_the_picture_comes_again_as_a_file(session: Session) -> None:
    session.keep_picture(StoredPicture(ONE, b"thumb", b"pixels"))
    session.keep_picture(StoredPicture(ONE, b"thumb", None, "/a.jpg"))
    assert session.flush()
    assert rows(session.path, "SELECT path, original FROM pictures") == [(b"/a.jpg", b"pixels")]


def test_a_relocated_picture_stays_where_it_is(session: Session, disk: Disk) -> None:
    session.keep_picture(StoredPicture(ONE, b"thumb", None, "/old.jpg"))
    session.relocate_all({ONE: "/new.jpg", TWO: "/unknown.jpg"})
    session = reopened(session, disk)
    known = session.picture(ONE)
    assert known is not None
    assert known.path == "/new.jpg"
    assert session.picture(TWO) is None
    assert session.close()


def test_remembered_values_are_recalled_and_untouched_by_undo(session: Session, disk: Disk) -> None:
    session.do(ADD)
    session.remember("layout", {"columns": [1, 2.5, None], "name": "ü"})
    session.undo()
    session = reopened(session, disk)
    assert session.recall("layout") == {"columns": [1, 2.5, None], "name": "ü"}
    assert session.recall("folder", "none") == "none"
    assert session.close()


def test_a_value_of_another_type_is_another_value(session: Session) -> None:
    session.remember("key", 1)
    session.remember("key", True)  # equal in Python, not in JSON
    assert session.recall("key") is True


def test_a_remembered_list_is_a_copy(session: Session) -> None:
    given = [1]
    session.remember("list", given)
    given.append(2)
    assert session.recall("list") == [1]


def test_a_full_disk_is_reported_once_and_nothing_is_lost(session: Session, disk: Disk) -> None:
    problems: list[Exception] = []
    session.failed.connect(problems.append)
    connection = session._file._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    session.do(ADD)
    session.keep_picture(StoredPicture(ONE, b"t" * 100_000, b"o" * 100_000))
    disk.settle()
    session.do(RenameCategory(CAT, "dogs"))
    disk.settle()

    [problem] = problems
    assert isinstance(problem, SessionError)
    assert (problem.kind, problem.path) == (SessionProblem.DISK_FULL, session.path)
    assert session.problem is not None
    assert not session.flush()
    assert not session.close()
    assert session.original(ONE) == b"o" * 100_000

    connection.execute("PRAGMA max_page_count = 100000")
    session.do(RenameCategory(CAT, "birds"))
    disk.settle()
    assert session.problem is None
    assert session.flush()
    session = reopened(session, disk)
    assert session.document.category(CAT).name == "birds"
    assert session.picture(ONE) == StoredPicture(ONE, b"t" * 100_000)
    assert session.close()


class FailingChange:
    """A change that fails as often as it is told."""

    def __init__(self, times: int) -> None:
        self.times = times

    def write(self, connection: sqlite3.Connection) -> None:
        assert connection.in_transaction
        self.times -= 1
        if self.times >= 0:
            raise sqlite3.OperationalError("disk I/O error")


def test_a_failed_batch_is_written_as_a_whole_later(session: Session, disk: Disk) -> None:
    problems: list[Exception] = []
    session.failed.connect(problems.append)
    session.do(ADD)
    disk.settle()
    session._send(FailingChange(2))
    disk.settle()
    session.do(RenameCategory(CAT, "dogs"))
    disk.settle()
    assert rows(session.path, "SELECT count(*) FROM history") == [(1,)]
    assert session.flush()
    assert rows(session.path, "SELECT count(*) FROM history") == [(2,)]
    disk.settle()
    session._send(FailingChange(1))
    disk.settle()
    assert len(problems) == 2
    assert session.flush()


def test_closing_may_discard_what_cannot_be_written(session: Session, disk: Disk) -> None:
    session.do(ADD)
    assert session.flush()
    session._send(FailingChange(1_000_000))
    session.do(RemoveCategory(CAT))
    assert not session.close()
    assert session.close(discard=True)
    again = Session.open(session.path, disk.worker)
    assert CAT in again.document
    assert again.close()


def test_closing_gives_up_a_copy_that_is_being_made(
    session: Session, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, it waited a minute for the copy and then said that the session was not saved."""
    begun, ended = threading.Event(), list[bool]()

    def endless(*_paths: object) -> Iterator[None]:
        begun.set()
        try:
            while True:
                yield
        finally:
            ended.append(True)

    monkeypatch.setattr("fewshot_gui.engine.session_file.copy_session", endless)
    told: list[object] = []
    session.do(ADD)
    session.copy_to(tmp_path / "copy.fewshot", then=told.append, failed=told.append)
    assert begun.wait(30)
    assert not session.await_copies(0.01)
    assert session.flush(30)
    asked = time.monotonic()
    assert session.close()
    assert time.monotonic() - asked < 20, "less than it waits for anything"
    disk.settle()
    assert (ended, told) == ([True], [])


def test_a_copy_that_is_made_is_under_way_no_more(session: Session, disk: Disk, tmp_path: Path) -> None:
    for number, target in enumerate((tmp_path / "copy.fewshot",) * 2):
        told: list[object] = []
        session.copy_to(target, then=told.append, failed=told.append)
        disk.settle()
        assert session.await_copies(0)
        assert isinstance(told[0], SessionError) == bool(number), "the second finds the first there"


def test_a_closed_session_takes_no_commands(session: Session) -> None:
    assert session.close()
    assert session.close()
    with pytest.raises(SessionError) as caught:
        session.do(ADD)
    assert caught.value.kind is SessionProblem.CLOSED
    assert session.document == Document()


def test_closing_leaves_one_file(session: Session, path: Path) -> None:
    session.do(ADD)
    assert session.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_burst_is_one_transaction(session: Session) -> None:
    count = 0

    def committed(statement: str) -> None:
        nonlocal count
        count += statement == "COMMIT"

    session._file._connection.set_trace_callback(committed)
    session.do(ADD)
    for number in range(500):
        session.do(RenameCategory(CAT, f"cats {number}"))
    assert session.flush()
    assert 1 <= count < 400


def test_moved_pictures_are_found_by_content() -> None:
    kept = [StoredPicture(ONE, b"", path="/gone/1.jpg", size=5), StoredPicture(TWO, b"", path="/here.jpg")]
    lost = lost_pictures([*kept, StoredPicture(PictureId("3"), b"")], lambda path: path == "/here.jpg")
    assert lost == {ONE: 5}

    read: list[str] = []
    contents = {"/new/a.jpg": TWO, "/new/b.jpg": ONE, "/new/c.jpg": ONE}

    def identify(path: str) -> PictureId | None:
        read.append(path)
        return contents.get(path)

    files = [
        PictureFile(name, size, 0)
        for name, size in [("/x", 4), ("/bad", 5), ("/new/a.jpg", 5), ("/new/b.jpg", 5), ("/new/c.jpg", 5)]
    ]
    assert find_moved(lost, files, identify) == {ONE: "/new/b.jpg"}
    assert read == ["/bad", "/new/a.jpg", "/new/b.jpg"]


def test_two_pictures_of_one_size_are_both_looked_for() -> None:
    files = [PictureFile("/a", 5, 0), PictureFile("/b", 5, 0), PictureFile("/c", 5, 0)]
    read: list[str] = []

    def identify(path: str) -> PictureId | None:
        read.append(path)
        return {"/a": ONE, "/b": TWO}.get(path)

    assert find_moved({ONE: 5, TWO: 5, PictureId("3" * 32): 7}, files, identify) == {ONE: "/a", TWO: "/b"}
    assert read == ["/a", "/b"], "and then nothing more of that size is wanted"


def test_a_picture_of_unknown_size_is_looked_for_in_every_file() -> None:
    files = [PictureFile("/a", 1, 0), PictureFile("/b", 2, 0)]
    assert find_moved({ONE: 0}, files, {"/b": ONE}.get) == {ONE: "/b"}
