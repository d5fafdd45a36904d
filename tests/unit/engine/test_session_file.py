"""Session files that are odd, damaged, foreign or in use; copies and generations."""

from __future__ import annotations

import os
import shutil
import sqlite3
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine import session_content
from fewshot_gui.engine.commands import AddCategory, RenameCategory
from fewshot_gui.engine.lease import Lease, LeaseTakenError
from fewshot_gui.engine.pictures import StoredPicture
from fewshot_gui.engine.publish import publish
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.session_changes import PutSetting, Seek
from fewshot_gui.engine.session_copy import back_up, backup_folder, generations, newest_sound_copy
from fewshot_gui.engine.session_error import SessionError, SessionProblem
from fewshot_gui.engine.session_file import open_file
from fewshot_gui.engine.session_schema import APPLICATION_ID, SCHEMA_VERSION, wal_of
from fewshot_gui.engine.state import CategoryId, Document
from fewshot_gui.engine.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CAT = CategoryId("c")
ONE = PictureId("1" * 32)


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker("disk", lambda call: call())
    yield worker
    assert worker.close(30)


@pytest.fixture
def path(tmp_path: Path, worker: Worker) -> Path:
    """A closed session with two steps and some pictures."""
    path = tmp_path / "birds.fewshot"
    session = Session.create(path, worker)
    session.do(AddCategory(CAT, "cats"))
    session.do(RenameCategory(CAT, "birds"))
    for number in range(30):
        session.keep_picture(StoredPicture(PictureId(f"{number:032x}"), os.urandom(3000), b"original" * 900))
    assert session.close()
    shutil.rmtree(backup_folder(path), ignore_errors=True)  # where it was made before the session was closed
    return path


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file in a folder with its bytes."""
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def refused(path: Path, worker: Worker) -> SessionError:
    """The error of opening it, which leaves the folder as it was."""
    before = snapshot(path.parent)
    with pytest.raises(SessionError) as caught:
        Session.open(path, worker)
    assert snapshot(path.parent) == before
    assert caught.value.path == str(path)
    return caught.value


def opened(path: Path, worker: Worker) -> tuple[SessionProblem | None, str]:
    """Why it does not open, or the category's name."""
    try:
        session = Session.open(path, worker)
    except SessionError as error:
        return error.kind, ""
    name = session.document.category(CAT).name
    assert session.close()
    return None, name


def execute(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (lambda _: b"", SessionProblem.DAMAGED),
        (lambda data: bytes(len(data)), SessionProblem.DAMAGED),
        (lambda data: data[:10], SessionProblem.DAMAGED),
        (lambda data: data[:99], SessionProblem.DAMAGED),
        (lambda data: data[:4096], SessionProblem.DAMAGED),
        (lambda data: data[: len(data) // 2], SessionProblem.DAMAGED),
        (lambda data: data[:-1], SessionProblem.DAMAGED),
        (lambda data: data[:4096] + bytes(len(data) - 4096), SessionProblem.DAMAGED),
        (lambda data: data[:100] + b"\xff" * 5000 + data[5100:], SessionProblem.DAMAGED),
        (lambda _: b"\xff\xd8\xff\xe0" + bytes(range(256)) * 9, SessionProblem.FOREIGN),
        (lambda _: b"text", SessionProblem.FOREIGN),
        (lambda _: b'{"version": 1}' * 20, SessionProblem.FOREIGN),
    ],
)
def test_damaged_and_foreign_files_are_refused_and_left_alone(
    path: Path, worker: Worker, damage: Callable[[bytes], bytes], kind: SessionProblem
) -> None:
    path.write_bytes(damage(path.read_bytes()))
    assert refused(path, worker).kind is kind


def test_nul_pages_anywhere_are_found(path: Path, worker: Worker) -> None:
    whole = path.read_bytes()
    for start in range(4096, len(whole), 5 * 4096):
        path.write_bytes(whole[:start] + bytes(4096) + whole[start + 4096 :])
        problem, name = opened(path, worker)
        # A page in the middle of a picture's data has no structure that could be wrong.
        assert problem is SessionProblem.DAMAGED or name == "birds"


def test_another_programs_database_is_foreign(tmp_path: Path, worker: Worker) -> None:
    path = tmp_path / "other.fewshot"
    execute(path, "CREATE TABLE history (seq INTEGER)", "INSERT INTO history VALUES (1)")
    assert refused(path, worker).kind is SessionProblem.FOREIGN


def test_a_newer_version_is_refused_with_both_numbers(path: Path, worker: Worker) -> None:
    execute(path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    error = refused(path, worker)
    assert error.kind is SessionProblem.NEWER
    assert str(SCHEMA_VERSION + 1) in error.detail


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM history WHERE seq = 1",
        "UPDATE history SET kind = 'Nothing' WHERE seq = 2",
        "UPDATE history SET payload = '{' WHERE seq = 2",
        "UPDATE history SET kind = 'RemoveCategory', payload = '{\"id\": \"x\"}' WHERE seq = 2",
        "UPDATE position SET seq = 3",
        "UPDATE position SET seq = -1",
        "DELETE FROM position",
        "DROP TABLE pictures",
        "INSERT INTO settings VALUES ('key', '{')",
        "UPDATE pictures SET path = x'ff' WHERE rowid = 1",
    ],
)
def test_a_file_whose_content_makes_no_sense_is_damaged(path: Path, worker: Worker, statement: str) -> None:
    execute(path, statement)
    assert refused(path, worker).kind is SessionProblem.DAMAGED


def test_a_missing_file_a_missing_folder_and_a_folder(tmp_path: Path, worker: Worker) -> None:
    folder = tmp_path / "folder.fewshot"
    folder.mkdir()
    assert refused(folder, worker).kind is SessionProblem.IS_A_FOLDER
    assert refused(tmp_path / "a.fewshot", worker).kind is SessionProblem.MISSING
    assert refused(tmp_path / "no" / "a.fewshot", worker).kind is SessionProblem.MISSING_FOLDER
    with pytest.raises(SessionError) as caught:
        Session.create(tmp_path / "no" / "a.fewshot", worker)
    assert caught.value.kind is SessionProblem.MISSING_FOLDER


def test_a_protected_file_is_read_only(path: Path, worker: Worker) -> None:
    path.chmod(0o444)
    assert refused(path, worker).kind is SessionProblem.READ_ONLY


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="an administrator may write everything")
def test_a_protected_folder_is_read_only(path: Path, worker: Worker) -> None:
    path.parent.chmod(0o555)
    assert refused(path, worker).kind is SessionProblem.READ_ONLY
    path.parent.chmod(0o755)


def test_nothing_is_created_over_an_existing_file(path: Path, worker: Worker) -> None:
    before = snapshot(path.parent)
    with pytest.raises(SessionError) as caught:
        Session.create(path, worker)
    assert caught.value.kind is SessionProblem.EXISTS
    assert snapshot(path.parent) == before


def test_two_never_write_one_session(path: Path, worker: Worker) -> None:
    first = Session.open(path, worker)
    with pytest.raises(SessionError) as caught:
        Session.open(path, worker)
    assert caught.value.kind is SessionProblem.IN_USE
    first.do(RenameCategory(CAT, "still mine"))
    assert first.close()
    second = Session.open(path, worker)
    assert second.document.category(CAT).name == "still mine"
    assert second.close()


def test_a_lease_is_free_after_release_and_after_a_crash(tmp_path: Path) -> None:
    lease = Lease(tmp_path / "a")
    with pytest.raises(LeaseTakenError):
        Lease(tmp_path / "a")
    lease.release()
    lease.release()
    (tmp_path / ".a.lock").touch()  # what a killed program leaves
    Lease(tmp_path / "a").release()
    assert list(tmp_path.iterdir()) == []


def test_a_refused_file_is_not_held(path: Path, worker: Worker) -> None:
    whole = path.read_bytes()
    path.write_bytes(b"")
    assert refused(path, worker).kind is SessionProblem.DAMAGED
    path.write_bytes(whole)
    session = Session.open(path, worker)
    assert session.close()


def test_what_only_the_wal_holds_is_read_and_a_refusal_leaves_it(path: Path, worker: Worker) -> None:
    session = Session.open(path, worker)
    session.do(RenameCategory(CAT, "newest"))
    assert session.flush()
    killed = path.with_name("killed.fewshot")  # the files as a kill would leave them
    killed.write_bytes(path.read_bytes())
    wal_of(killed).write_bytes(wal_of(path).read_bytes())
    assert session.close()

    whole = killed.read_bytes()
    killed.write_bytes(whole[:64] + b"\x00\x00\x00\x09" + whole[68:72] + b"\xff" * 2000 + whole[2072:])
    refused(killed, worker)
    killed.write_bytes(whole)
    again = Session.open(killed, worker)
    assert again.document.category(CAT).name == "newest"
    assert again.close()
    assert not wal_of(killed).exists()


class Failing:
    """A change that fails once."""

    def __init__(self) -> None:
        self.failed = False

    def write(self, connection: sqlite3.Connection) -> None:
        assert connection.in_transaction
        if not self.failed:
            self.failed = True
            raise sqlite3.OperationalError("disk I/O error")


def test_of_a_batch_that_fails_halfway_nothing_is_written_and_all_is_kept(path: Path) -> None:
    file, content = open_file(path)
    assert content.timeline.position == 2
    for change in (Seek(1), Failing(), PutSetting("key", "1")):
        file.take(change)
    with pytest.raises(SessionError) as caught:
        file.commit()
    assert caught.value.kind is SessionProblem.UNWRITABLE
    assert read(path, "SELECT seq FROM position") == [(2,)]
    assert file.committed == 0

    assert file.commit() == 3
    assert read(path, "SELECT seq FROM position") == [(1,)]
    assert read(path, "SELECT key FROM settings") == [("key",)]
    file.close()


def read(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    found = connection.execute(query).fetchall()
    connection.close()
    return found


def test_a_large_file_is_read_without_a_full_check(
    path: Path, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_content, "FULL_CHECK_BYTES", 0)
    session = Session.open(path, worker)
    assert session.document.category(CAT).name == "birds"
    assert session.close()


def test_the_header_says_whose_file_it_is(path: Path) -> None:
    header = path.read_bytes()[:100]
    assert int.from_bytes(header[68:72], "big") == APPLICATION_ID


def test_a_copy_has_everything_and_never_replaces_a_file(path: Path, worker: Worker) -> None:
    session = Session.open(path, worker)
    session.remember("folder", "/pictures")
    session.undo()
    done: list[None] = []
    failures: list[Exception] = []
    target = path.with_name("copy ü#.fewshot")
    for _ in range(2):
        session.copy_to(target, then=done.append, failed=failures.append)
        assert worker.drain(30)
    assert done == [None]
    [failure] = failures
    assert isinstance(failure, SessionError)
    assert failure.kind is SessionProblem.EXISTS

    copy = Session.open(target, worker)
    assert copy.document == session.document
    assert copy.redo_command == RenameCategory(CAT, "birds")
    assert copy.recall("folder") == "/pictures"
    assert copy.stored_pictures() == session.stored_pictures()
    assert copy.original(PictureId(f"{7:032x}")) == b"original" * 900
    assert copy.close()
    assert session.close()
    assert {file.name for file in path.parent.iterdir()} >= {path.name, target.name}
    assert not [file for file in path.parent.iterdir() if ".part" in file.name]


def test_a_copy_into_nowhere_says_so(path: Path, worker: Worker) -> None:
    session = Session.open(path, worker)
    failures: list[Exception] = []
    session.copy_to(path.parent / "no" / "copy.fewshot", failed=failures.append)
    assert worker.drain(30)
    assert [type(failure) for failure in failures] == [SessionError]
    assert session.close()


def copy_of(session: Session, worker: Worker, target: Path) -> Document:
    """Make a copy and return the document in it."""
    failures: list[Exception] = []
    session.copy_to(target, failed=failures.append)
    assert worker.drain(30)
    assert not failures
    copy = Session.open(target, worker)
    document = copy.document
    assert copy.close()
    return document


@pytest.mark.skipif(os.name == "nt", reason="a file that is open cannot be deleted there")
@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_deleted_while_it_is_open_is_told_and_a_copy_saves_everything(
    path: Path, worker: Worker, replaced: bool
) -> None:
    """Before, SQLite went on writing to the deleted file, and closing said that all was saved."""
    session = Session.open(path, worker)
    assert worker.drain(30)  # the generation of the day
    told: list[Exception] = []
    session.failed.connect(told.append)
    if replaced:
        other = path.with_name("other")
        other.write_bytes(path.read_bytes())
        other.replace(path)
    else:
        path.unlink()
    session.do(RenameCategory(CAT, "owls"))
    assert not session.flush()
    [error] = told
    assert isinstance(error, SessionError)
    assert error.kind is SessionProblem.GONE
    assert not session.close()
    assert copy_of(session, worker, path.with_name("copy.fewshot")) == session.document
    assert session.close(discard=True)


def test_a_copy_has_what_the_session_file_could_not_take(
    path: Path, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, a copy saved elsewhere while the disk was full said "saved" and lacked all since then."""
    session = Session.open(path, worker)

    def full(_file: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("fewshot_gui.engine.session_file.SessionFile._write", full)
        session.do(RenameCategory(CAT, "owls"))
        session.do(RenameCategory(CAT, "doves"))
        session.undo()
        assert not session.flush()
        assert copy_of(session, worker, path.with_name("copy.fewshot")) == session.document
    assert session.document.category(CAT).name == "owls"
    assert session.close()


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege")
def test_a_link_to_a_session_is_the_session(path: Path, worker: Worker, tmp_path: Path) -> None:
    """Before, it had a lease and a log of its own, and the second window deleted what the first had done."""
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.fewshot"
    link.symlink_to(path)
    session = Session.open(link, worker)
    assert session.path == str(path)
    assert opened(path, worker) == (SessionProblem.IN_USE, "")
    assert session.close()
    assert list(link.parent.iterdir()) == [link]


@pytest.mark.skipif(os.name == "nt", reason="names may be as long there")
def test_a_path_that_cannot_be_looked_at_is_told_as_any_other(tmp_path: Path, worker: Worker) -> None:
    with pytest.raises(SessionError):
        Session.open(tmp_path / ("x" * 300), worker)


@pytest.mark.parametrize("left", ["-wal", "-journal"])
def test_what_a_deleted_session_left_does_not_come_back_in_a_new_one(
    path: Path, worker: Worker, left: str
) -> None:
    """Before, an empty new session of that name had the steps of the deleted one, or was damaged."""
    path.unlink()
    path.with_name(path.name + left).write_bytes(b"steps")
    with pytest.raises(SessionError) as caught:
        Session.create(path, worker)
    assert caught.value.kind is SessionProblem.EXISTS
    assert path.with_name(path.name + left).read_bytes() == b"steps"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="for a user whose permissions count")
def test_a_lock_that_another_user_left_is_no_hindrance(path: Path) -> None:
    lock = path.with_name(f".{path.name}.lock")
    lock.touch(0o444)
    with pytest.raises(PermissionError):
        lock.open("r+b")
    lease = Lease(path)
    with pytest.raises(LeaseTakenError):
        Lease(path)
    lease.release()


def run(steps: object) -> None:
    list(steps)  # type: ignore[call-overload]


def test_a_cancelled_copy_leaves_nothing(path: Path) -> None:
    steps = back_up(path, date(2026, 1, 1))
    next(steps)
    assert list(backup_folder(path).iterdir())
    steps.close()
    assert list(backup_folder(path).iterdir()) == []


def test_closing_in_the_middle_of_a_copy_leaves_no_file_of_sqlite(path: Path, worker: Worker) -> None:
    for _ in range(10):
        assert opened(path, worker) == (None, "birds")
        assert {file.name for file in path.parent.iterdir()} <= {path.name, "birds.backups"}
        assert len(list(backup_folder(path).glob("*"))) <= 1


def test_opening_makes_one_generation_a_day(path: Path, worker: Worker) -> None:
    for _ in range(2):
        session = Session.open(path, worker)
        assert worker.drain(30)
        assert session.close()
    [copy] = generations(path)
    assert copy.parent == backup_folder(path) == path.with_name("birds.backups")
    assert opened(copy, worker) == (None, "birds")


def test_an_empty_session_needs_no_generation(tmp_path: Path, worker: Worker) -> None:
    session = Session.create(tmp_path / "new.fewshot", worker)
    assert session.close()
    run(back_up(tmp_path / "new.fewshot", date(2026, 1, 1)))
    assert generations(tmp_path / "new.fewshot") == []


def test_five_generations_are_kept_and_nobody_elses_files_are_touched(path: Path) -> None:
    backup_folder(path).mkdir()
    notes = backup_folder(path) / "birds notes.fewshot"
    notes.write_text("mine")
    for day in range(8):
        run(back_up(path, date(2026, 2, 25) + timedelta(days=day)))
    names = [copy.name for copy in generations(path)]
    assert names == [f"birds 2026-{day}.fewshot" for day in ("03-04", "03-03", "03-02", "03-01", "02-28")]
    assert notes.read_text() == "mine"


def test_a_damaged_session_names_its_newest_sound_generation(path: Path, worker: Worker) -> None:
    for day in (1, 2, 3):
        run(back_up(path, date(2026, 1, day)))
    newest, middle, _ = generations(path)
    newest.write_bytes(b"")
    path.write_bytes(bytes(5000))
    assert refused(path, worker).backup == str(middle) == newest_sound_copy(path)


def test_a_damaged_session_without_generations_names_none(path: Path, worker: Worker) -> None:
    path.write_bytes(b"")
    assert refused(path, worker).backup is None


def test_publishing_never_replaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError("this file system has no links")

    for links in (True, False):
        if not links:
            monkeypatch.setattr(os, "link", no_links)
        new, target = tmp_path / "new", tmp_path / f"target {links}"
        new.write_text("new")
        publish(new, target)
        assert target.read_text() == "new"
        assert not new.exists()
        new.write_text("newer")
        with pytest.raises(FileExistsError):
            publish(new, target)
        assert target.read_text() == "new"
        assert new.read_text() == "newer"


def test_a_new_session_document_is_empty_on_disk(tmp_path: Path, worker: Worker) -> None:
    assert Session.create(tmp_path / "a.fewshot", worker).close()
    session = Session.open(tmp_path / "a.fewshot", worker)
    assert session.document == Document()
    assert session.picture(ONE) is None
    assert session.close()


@pytest.mark.parametrize("call", [Session.open, Session.create])
def test_a_folder_that_may_not_be_entered_is_told(
    call: Callable[..., Session], tmp_path: Path, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "is_dir", refuse)
    with pytest.raises(SessionError) as caught:
        call(tmp_path / "closed" / "s.fewshot", worker)
    assert caught.value.kind is SessionProblem.NO_PERMISSION
