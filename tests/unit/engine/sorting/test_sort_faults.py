"""Sorting and taking back, undisturbed and with everything that goes wrong with files and disks."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from fewshot_gui.engine.sorting import destination, settling
from fewshot_gui.engine.sorting import files as primitives
from fewshot_gui.engine.sorting import transfer as transfer_module
from fewshot_gui.engine.sorting.apply import apply_plan, resume
from fewshot_gui.engine.sorting.journal import Journal, JournalError, JournalInUseError
from fewshot_gui.engine.sorting.plan import Plan, PlannedFile, SameName, Way
from fewshot_gui.engine.sorting.recovery import recover
from fewshot_gui.engine.sorting.states import FileState, Reason, RunState
from fewshot_gui.engine.sorting.transfer import Hooks
from fewshot_gui.engine.sorting.undo import take_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fewshot_gui.engine.sorting.receipt import Receipt


class Desk:
    """A source folder, a destination, a journal; `before` is what was there."""

    def __init__(self, base: Path, target: Path) -> None:
        self.source, self.root = base / "source", target / "sorted"
        self.source.mkdir(parents=True)
        self.journal = Journal(base / "data" / "sorting.sqlite")

    def put(self, name: str, content: str | bytes, root: Path | None = None) -> Path:
        path = (root or self.source) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def plan(self, way: Way, groups: dict[str, int] | None = None, alike: tuple[str, ...] = ()) -> Plan:
        planned = []
        for number, path in enumerate(sorted(self.source.rglob("*.*"))):
            status, group = path.lstat(), (groups or {}).get(path.name, 1000 + number)
            target = str(self.root / "cats" / path.name)
            planned.append(
                PlannedFile(
                    str(path), target, status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev,
                    "cats", group, way, alike=alike,
                )
            )  # fmt: skip
        return Plan(uuid4().hex, str(self.root), way, tuple(planned))

    def now(self) -> dict[str, tuple[bytes, int]]:
        paths = [*self.source.rglob("*"), *self.root.rglob("*")]
        return {
            str(p): (p.read_bytes() if p.is_file() else b"", p.lstat().st_mtime_ns * p.is_file())
            for p in paths
        }


@pytest.fixture(params=["one disk", "two disks"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    memory = Path("/dev/shm")  # quick to sync, so the base where there is one
    two = memory.is_dir() and memory.stat().st_dev != tmp_path.stat().st_dev
    if request.param == "two disks" and not two:
        pytest.skip("there is one disk only")
    base = memory / f"sorting-{uuid4().hex}" if two else tmp_path
    desk = Desk(base, tmp_path if request.param == "two disks" else base)
    yield desk
    desk.journal.close()
    if two:
        shutil.rmtree(base)


def fault_at(point: str, name: str, action: Callable[[], None]) -> Hooks:
    """Return hooks that act once, when the file of that name is at the point."""
    done: list[str] = []

    def at(reached: str, path: str) -> None:
        if reached == point and Path(path).name == name and not done:
            done.append(path)
            action()

    return Hooks(at=at)


def raising(number: int) -> Callable[[], None]:
    def action() -> None:
        raise OSError(number, os.strerror(number))

    return action


def states(receipt: Receipt) -> dict[str, tuple[FileState, Reason | None]]:
    return {Path(line.source).name: (line.state, line.reason) for line in receipt.lines}


DONE = (FileState.DONE, None)


@pytest.mark.parametrize("way", [Way.COPY, Way.MOVE, Way.SYMBOLIC_LINK])
def test_apply_and_take_back_is_as_if_nothing_had_been(desk: Desk, way: Way) -> None:
    for number in range(5):
        desk.put(f"{number}.jpg", f"content {number}")
    before, plan = desk.now(), desk.plan(way)

    receipt = apply_plan(plan, desk.journal)

    assert receipt.counts == {FileState.DONE: 5}
    assert receipt.state is RunState.FINISHED
    assert (desk.root / "cats" / "3.jpg").read_text() == "content 3"
    assert (desk.source / "3.jpg").exists() == (way is not Way.MOVE)
    assert take_back(plan.id, desk.journal).counts == {FileState.TAKEN_BACK: 5}
    assert desk.now() == before
    assert not desk.root.exists()


def test_hard_links_are_made_and_taken_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path, tmp_path)
    desk.put("a.jpg", "a")
    before, plan = desk.now(), desk.plan(Way.HARD_LINK)

    apply_plan(plan, desk.journal)

    assert (desk.root / "cats/a.jpg").samefile(desk.source / "a.jpg")
    take_back(plan.id, desk.journal)
    assert desk.now() == before
    desk.journal.close()


def test_a_single_file_comes_back_days_later_after_a_restart(desk: Desk) -> None:
    desk.put("a.jpg", "a")
    desk.put("b.jpg", "b")
    plan = desk.plan(Way.MOVE)
    receipt = apply_plan(plan, desk.journal)
    desk.journal.close()
    desk.journal = Journal(desk.journal.path)

    took = take_back(plan.id, desk.journal, [receipt.lines[0].id])

    assert states(took) == {"a.jpg": (FileState.TAKEN_BACK, None), "b.jpg": DONE}
    assert (desk.source / "a.jpg").read_text() == "a"


# What peers' programs did to somebody's files ------------


@pytest.mark.parametrize("way", [Way.COPY, Way.MOVE])
def test_same_name_destination_silently_overwritten(desk: Desk, way: Way) -> None:
    desk.put("a.jpg", "mine")
    plan = desk.plan(way)
    theirs = desk.put("cats/a.jpg", "theirs", desk.root)  # since the plan

    apply_plan(plan, desk.journal)

    assert theirs.read_text() == "theirs"
    assert (desk.root / "cats/a (2).jpg").read_text() == "mine"
    take_back(plan.id, desk.journal)
    assert theirs.read_text() == "theirs"
    assert (desk.source / "a.jpg").read_text() == "mine"


@pytest.mark.parametrize("way", [Way.COPY, Way.MOVE])
def test_a_name_taken_between_look_and_rename_is_not_overwritten(desk: Desk, way: Way) -> None:
    desk.put("a.jpg", "mine")
    hooks = fault_at("begun", "a.jpg", lambda: str(desk.put("cats/a.jpg", "theirs", desk.root)) and None)

    receipt = apply_plan(desk.plan(way), desk.journal, hooks)

    assert states(receipt) == {"a.jpg": DONE}
    assert (desk.root / "cats/a.jpg").read_text() == "theirs"
    assert (desk.root / "cats/a (2).jpg").read_text() == "mine"


def test_same_name_is_skipped_by_rule_and_listed(desk: Desk) -> None:
    desk.put("a.jpg", "mine")
    desk.put("cats/a.jpg", "theirs", desk.root)

    receipt = apply_plan(desk.plan(Way.MOVE), desk.journal, same_name=SameName.SKIP)

    assert states(receipt) == {"a.jpg": (FileState.SKIPPED, Reason.TARGET_TAKEN)}


@pytest.mark.parametrize("way", [Way.COPY, Way.MOVE])
def test_identical_content_is_already_there_and_the_source_stays(desk: Desk, way: Way) -> None:
    desk.put("a.jpg", "same")
    twin = desk.put("cats/a.jpg", "same", desk.root)
    plan = desk.plan(way)

    receipt = apply_plan(plan, desk.journal)

    assert states(receipt) == {"a.jpg": (FileState.SKIPPED, Reason.ALREADY_THERE)}
    take_back(plan.id, desk.journal)
    assert twin.read_text() == (desk.source / "a.jpg").read_text() == "same"


def test_identical_content_is_found_under_a_number(desk: Desk) -> None:
    desk.put("a.jpg", "same")
    twin = desk.put("cats/a (7).jpg", "same", desk.root)

    receipt = apply_plan(desk.plan(Way.COPY, alike=(str(twin),)), desk.journal)

    assert receipt.reasons == {Reason.ALREADY_THERE: 1}


def test_case_only_rename_deleted_the_file(tmp_path: Path) -> None:
    """A system that ignores case shows one file under both names, as a hard link does here."""
    desk = Desk(tmp_path, tmp_path)
    source = desk.put("a.jpg", "only one")
    (desk.root / "cats").mkdir(parents=True)
    (desk.root / "cats/a.jpg").hardlink_to(source)

    receipt = apply_plan(desk.plan(Way.MOVE), desk.journal)

    assert receipt.reasons == {Reason.ALREADY_THERE: 1}
    assert source.read_text() == "only one"
    desk.journal.close()


@pytest.mark.parametrize("way", [Way.COPY, Way.MOVE])
def test_move_left_xmp_behind(desk: Desk, way: Way) -> None:
    for name in ("a.jpg", "a.xmp", "a.jpg.xmp", "b.jpg"):
        desk.put(name, name)
    before = desk.now()
    groups = {"a.jpg": 1, "a.xmp": 1, "a.jpg.xmp": 1}
    hooks = fault_at("published", "a.xmp", raising(errno.EACCES))

    receipt = apply_plan(desk.plan(way, groups), desk.journal, hooks)

    group = (FileState.FAILED, Reason.GROUP)
    assert states(receipt) == {
        "a.jpg": group,
        "a.jpg.xmp": group,
        "a.xmp": (FileState.FAILED, Reason.NO_PERMISSION),
        "b.jpg": DONE,
    }
    assert {path: what for path, what in desk.now().items() if "/a" in path.replace(str(desk.root), "")} == {
        path: what for path, what in before.items() if "/a" in path
    }


def test_a_group_that_is_renamed_keeps_its_stem(desk: Desk) -> None:
    groups = dict.fromkeys(("a.jpg", "a.xmp", "a.jpg.xmp"), 1)
    for name in groups:
        desk.put(name, f"mine {name}")
    desk.put("cats/a.xmp", "theirs", desk.root)

    apply_plan(desk.plan(Way.MOVE, groups), desk.journal)

    names = {path.name for path in (desk.root / "cats").iterdir()}
    assert names == {"a.xmp", "a (2).jpg", "a (2).xmp", "a (2).jpg.xmp"}


def test_back_did_not_undo_and_the_better_file_was_purged(desk: Desk) -> None:
    """A copy that somebody worked on since stays, and so does one whose original is gone."""
    for name in "abc":
        desk.put(f"{name}.jpg", name)
    plan = desk.plan(Way.COPY)
    apply_plan(plan, desk.journal)
    (desk.root / "cats/a.jpg").write_text("edited")
    (desk.source / "b.jpg").unlink()

    receipt = take_back(plan.id, desk.journal)

    assert states(receipt) == {
        "a.jpg": (FileState.DONE, Reason.TARGET_CHANGED),
        "b.jpg": (FileState.DONE, Reason.ONLY_COPY),
        "c.jpg": (FileState.TAKEN_BACK, None),
    }
    assert (desk.root / "cats/a.jpg").read_text() == "edited"
    assert (desk.root / "cats/b.jpg").read_text() == "b"


def test_deleting_files_of_a_renamed_folder_deleted_live_originals(desk: Desk) -> None:
    """Another file under the target's path is not ours to take back."""
    desk.put("a.jpg", "a")
    plan = desk.plan(Way.MOVE)
    apply_plan(plan, desk.journal)
    (desk.root / "cats").rename(desk.root / "felines")
    other = desk.put("cats/a.jpg", "somebody's own", desk.root)

    receipt = take_back(plan.id, desk.journal)

    assert states(receipt) == {"a.jpg": (FileState.DONE, Reason.TARGET_CHANGED)}
    assert other.read_text() == "somebody's own"
    assert (desk.root / "felines/a.jpg").read_text() == "a"


def test_what_is_new_where_the_file_was_is_not_overwritten_by_taking_back(desk: Desk) -> None:
    desk.put("a.jpg", "a")
    plan = desk.plan(Way.MOVE)
    apply_plan(plan, desk.journal)
    desk.put("a.jpg", "new")

    receipt = take_back(plan.id, desk.journal)

    assert states(receipt) == {"a.jpg": (FileState.DONE, Reason.SOURCE_TAKEN)}
    assert (desk.source / "a.jpg").read_text() == "new"


# Disks and rights ------------


@pytest.mark.parametrize("way", [Way.COPY, Way.MOVE])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EBUSY, errno.EROFS, errno.EIO])
def test_a_fault_lists_the_file_or_pauses_and_loses_nothing(desk: Desk, way: Way, number: int) -> None:
    for each in "abc":
        desk.put(f"{each}.jpg", each)
    before, plan = desk.now(), desk.plan(way)

    receipt = apply_plan(plan, desk.journal, fault_at("folder", "b.jpg", raising(number)))

    assert not list(desk.root.rglob(".fewshot-*"))
    if number == errno.ENOSPC:
        assert (receipt.state, receipt.stopped_by) == (RunState.PAUSED, Reason.DISK_FULL)
        assert FileState.FAILED not in receipt.counts
        assert resume(plan.id, desk.journal).counts == {FileState.DONE: 3}
    else:
        assert receipt.counts == {FileState.DONE: 2, FileState.FAILED: 1}
        assert resume(plan.id, desk.journal).counts == {FileState.DONE: 3}, "it is tried once more"
    take_back(plan.id, desk.journal)
    assert desk.now() == before


def test_the_target_vanishes_under_way_and_the_run_goes_on_when_it_is_there_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer_module, "BATCH_FILES", 2)
    for each in "abcdef":
        desk.put(f"{each}.jpg", each)
    plan, away = desk.plan(Way.MOVE), desk.root.with_name("away")

    receipt = apply_plan(
        plan, desk.journal, fault_at("ended", "b.jpg", lambda: str(desk.root.rename(away)) and None)
    )

    assert (receipt.state, receipt.stopped_by) == (RunState.PAUSED, Reason.TARGET_VANISHED)
    assert receipt.counts == {FileState.DONE: 2, FileState.PLANNED: 4}
    assert not desk.root.exists()  # it must not be made anew below a drive that is gone
    away.rename(desk.root)
    assert resume(plan.id, desk.journal).counts == {FileState.DONE: 6}


@pytest.mark.parametrize("way", [Way.COPY, Way.MOVE])
def test_sources_that_change_or_vanish_are_listed(desk: Desk, way: Way) -> None:
    for each in "abc":
        desk.put(f"{each}.jpg", each)
    plan = desk.plan(way)
    (desk.source / "a.jpg").unlink()
    desk.put("b.jpg", "changed since")

    receipt = apply_plan(plan, desk.journal)

    assert states(receipt) == {
        "a.jpg": (FileState.FAILED, Reason.SOURCE_VANISHED),
        "b.jpg": (FileState.FAILED, Reason.SOURCE_CHANGED),
        "c.jpg": DONE,
    }


def test_a_source_that_changes_while_it_is_carried_stays(desk: Desk) -> None:
    desk.put("a.jpg", "a")
    hooks = fault_at("verified", "a.jpg", lambda: str(desk.put("a.jpg", "new words")) and None)

    receipt = apply_plan(desk.plan(Way.MOVE), desk.journal, hooks)

    if receipt.counts == {FileState.FAILED: 1}:  # across disks; a rename takes whatever there is
        assert receipt.reasons == {Reason.SOURCE_CHANGED: 1}
        assert (desk.source / "a.jpg").read_text() == "new words"
        assert not (desk.root / "cats/a.jpg").exists()


def test_cancelling_leaves_everything_consistent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer_module, "BATCH_FILES", 2)
    for each in "abcdef":
        desk.put(f"{each}.jpg", each)
    plan, told = desk.plan(Way.COPY), []
    hooks = Hooks(
        progress=lambda done, total, _bytes: told.append((done, total)), cancelled=lambda: len(told) > 4
    )

    receipt = apply_plan(plan, desk.journal, hooks)

    assert (receipt.state, receipt.stopped_by) == (RunState.PAUSED, Reason.CANCELLED)
    assert 0 < receipt.counts[FileState.DONE] < 6
    assert not list(desk.root.rglob(".fewshot-*"))
    assert resume(plan.id, desk.journal).counts == {FileState.DONE: 6}
    assert told[0][1] == 6


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounting takes an administrator")
@pytest.mark.parametrize("way", [Way.COPY, Way.MOVE])
def test_a_disk_that_is_really_full(tmp_path: Path, way: Way) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    desk = Desk(tmp_path, mount)
    try:
        for each in "abc":
            desk.put(f"{each}.jpg", each.encode() * 600_000)
        before, plan = desk.now(), desk.plan(way)
        receipt = apply_plan(plan, desk.journal)
        assert receipt.stopped_by is Reason.DISK_FULL
        assert receipt.counts == {FileState.DONE: 1, FileState.PLANNED: 2}
        take_back(plan.id, desk.journal)
        assert desk.now() == before
        subprocess.run(["mount", "-o", "remount,ro", str(mount)], check=True)
        receipt = apply_plan(desk.plan(way), desk.journal)
        assert receipt.reasons == {Reason.READ_ONLY: 3}
        assert desk.now() == before
    finally:
        desk.journal.close()
        subprocess.run(["umount", str(mount)], check=True)


# The journal and the receipt ------------


def test_one_program_at_a_time_has_the_journal(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.sqlite"), pytest.raises(JournalInUseError):
        Journal(tmp_path / "j.sqlite")
    Journal(tmp_path / "j.sqlite").close()


def test_a_foreign_file_is_no_journal_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    path.write_text("my diary" * 1000)

    with pytest.raises(JournalError):
        Journal(path)

    assert path.read_text() == "my diary" * 1000


def test_an_unknown_run_is_told(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.sqlite") as journal, pytest.raises(JournalError):
        take_back("nothing", journal)


def test_a_plan_that_was_taken_back_is_not_silently_finished(desk: Desk) -> None:
    desk.put("a.jpg", "a")
    plan = desk.plan(Way.MOVE)
    apply_plan(plan, desk.journal)
    take_back(plan.id, desk.journal)
    with pytest.raises(JournalError, match="make a new plan"):
        apply_plan(plan, desk.journal)


def test_a_rename_that_fails_without_links_leaves_no_empty_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_text("a")

    def refuse(number: int) -> Callable[..., None]:
        def call(*_given: object, **_named: object) -> None:
            raise OSError(number, os.strerror(number))

        return call

    monkeypatch.setattr(primitives.os, "link", refuse(errno.EPERM))
    monkeypatch.setattr(primitives.os, "rename", refuse(errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        primitives.link_then_unlink(str(source), str(target))
    assert source.read_text() == "a"
    assert not target.exists()


def test_recovering_twice_finds_nothing_the_second_time(desk: Desk) -> None:
    desk.put("a.jpg", "a")
    apply_plan(desk.plan(Way.COPY), desk.journal)

    assert recover(desk.journal) == recover(desk.journal)
    assert not recover(desk.journal).settled


def test_a_receipt_as_json_and_as_a_table_in_which_nothing_is_a_formula(desk: Desk) -> None:
    desk.put("a.jpg", "a")
    plan = desk.plan(Way.COPY)
    formula = replace(plan.files[0], category="=cmd|' /C calc'!A0")

    receipt = apply_plan(replace(plan, files=(formula,)), desk.journal)

    values = json.loads(receipt.to_json())
    assert dict(zip(values["columns"], values["files"][0], strict=True))["category"] == formula.category
    assert (values["state"], values["counts"]) == ("finished", {"done": 1})
    table = receipt.to_csv()
    assert table.startswith("\ufeffid,source,target,state")
    assert f",'{formula.category}," in table


def test_without_an_exclusive_rename_a_link_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(primitives, "_exclusive_call", lambda: None)
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("one")

    primitives.rename_exclusively(str(one), str(other))

    assert other.read_text() == "one"
    one.write_text("new")
    with pytest.raises(FileExistsError):
        primitives.rename_exclusively(str(one), str(other))
    assert (one.read_text(), other.read_text()) == ("new", "one")


# Sorted again, and gone on with ---------------------------------------------------------------------------


def stop_after(files: int) -> Hooks:
    """Hooks that stop a run once so many files have been written."""
    written: list[str] = []
    return Hooks(
        cancelled=lambda: len(written) >= files,
        at=lambda point, path: written.append(path) if point == "written" else None,
    )


@pytest.mark.parametrize("system", ["vfat", "exfat", "fuse.sshfs", "ext4"])
def test_a_run_from_a_card_goes_on_after_it_was_taken_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    """Linux numbers the files of FAT anew at each mount; all that were left were said to have changed."""
    for number in range(6):
        desk.put(f"{number}.jpg", f"picture {number}")
    plan = desk.plan(Way.COPY)
    assert apply_plan(plan, desk.journal, stop_after(2)).counts[FileState.DONE] == 2
    for path in desk.source.iterdir():  # the same files under other numbers
        status = path.lstat()
        path.rename(path.with_suffix(".old"))
        shutil.copy2(path.with_suffix(".old"), path)
        assert path.lstat().st_ino != status.st_ino
    monkeypatch.setattr(destination, "file_system", lambda _path: system)
    counts = resume(plan.id, desk.journal).counts
    assert counts[FileState.DONE] == (2 if system == "ext4" else 6)


def test_comparing_files_that_are_there_already_can_be_stopped(desk: Desk) -> None:
    """A folder that is copied again is read through, twice as much as it holds, and nothing is written."""
    for number in range(200):
        desk.put(f"{number:03}.jpg", f"picture {number}")
    apply_plan(desk.plan(Way.COPY), desk.journal)
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 40

    again = desk.plan(Way.COPY)
    receipt = apply_plan(again, desk.journal, Hooks(cancelled=stop))
    assert desk.journal.run(again.id).state is RunState.PAUSED
    assert receipt.counts[FileState.PLANNED] > 100
    assert resume(again.id, desk.journal).counts == {FileState.SKIPPED: 200}


def test_a_large_file_that_is_compared_can_be_stopped_within_it(desk: Desk) -> None:
    size = 8 * primitives.CHUNK
    path = desk.put("a.tif", bytes(size))
    desk.put("cats/a.tif", bytes(size), desk.root)
    read: list[int] = []
    hooks = Hooks(progress=lambda _done, _total, count: read.append(count), cancelled=lambda: len(read) > 2)
    plan = desk.plan(Way.COPY)
    assert apply_plan(plan, desk.journal, hooks).counts == {FileState.PLANNED: 1}
    assert max(read) < size
    assert path.exists()


def test_files_that_may_be_there_already_are_read_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty covers of one size: each was read once for every other."""
    for number in range(20):
        desk.put(f"{number}/cover.bmp", f"{number:02}")
    (desk.root / "cats").mkdir(parents=True)
    there = [desk.put(f"cats/cover ({number}).bmp", f"{number + 2:02}", desk.root) for number in range(20)]
    desk.put("cats/cover.bmp", "--", desk.root)
    plan = desk.plan(Way.COPY, alike=tuple(map(str, there)))
    read: list[str] = []
    real = primitives.hash_file

    def counted(path: str, *tick: Any) -> str:
        read.append(path)
        return real(path, *tick)

    monkeypatch.setattr(settling, "hash_file", counted)
    receipt = apply_plan(plan, desk.journal)
    assert receipt.counts == {FileState.SKIPPED: 18, FileState.DONE: 2}
    assert len(read) == len(set(read)) <= 41


def test_a_run_that_goes_on_keeps_what_was_said_of_names_that_are_taken(desk: Desk) -> None:
    for number in range(4):
        desk.put(f"{number}.jpg", f"picture {number}")
    plan = desk.plan(Way.COPY)
    apply_plan(plan, desk.journal, stop_after(1), SameName.SKIP)
    taken = desk.put("cats/3.jpg", "somebody else's", desk.root)
    receipt = resume(plan.id, desk.journal)
    assert receipt.counts == {FileState.DONE: 3, FileState.SKIPPED: 1}
    assert taken.read_text() == "somebody else's"
    assert not (desk.root / "cats" / "3 (2).jpg").exists()


def test_what_is_said_anew_of_taken_names_holds(desk: Desk) -> None:
    for number in range(4):
        desk.put(f"{number}.jpg", f"picture {number}")
    plan = desk.plan(Way.COPY)
    apply_plan(plan, desk.journal, stop_after(1))
    desk.put("cats/3.jpg", "somebody else's", desk.root)
    assert apply_plan(plan, desk.journal, same_name=SameName.SKIP).counts[FileState.SKIPPED] == 1


@pytest.mark.parametrize("system", ["vfat", "ext4"])
def test_a_copy_whose_original_was_replaced_stays_on_any_disk(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    """Same size, same time, other content: the copy is the last of what it holds."""
    path = desk.put("a.jpg", "one")
    plan = desk.plan(Way.COPY)
    apply_plan(plan, desk.journal)
    status = path.lstat()
    path.rename(path.with_suffix(".old"))
    path.write_bytes(b"two")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    monkeypatch.setattr(destination, "file_system", lambda _path: system)
    take_back(plan.id, desk.journal)
    assert (desk.root / "cats" / "a.jpg").read_text() == "one"
