"""What happens once in a hundred thousand files: odd disks, odd clocks, names taken at the wrong moment."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from fewshot_gui.engine.sorting import steps
from fewshot_gui.engine.sorting import transfer as transfer_module
from fewshot_gui.engine.sorting.apply import apply_plan
from fewshot_gui.engine.sorting.files import remove
from fewshot_gui.engine.sorting.journal import Journal
from fewshot_gui.engine.sorting.plan import Decided, Plan, Way
from fewshot_gui.engine.sorting.planning import make_plan
from fewshot_gui.engine.sorting.receipt import Receipt, receipt_of
from fewshot_gui.engine.sorting.recovery import recover
from fewshot_gui.engine.sorting.states import FileState, Reason, RunState
from fewshot_gui.engine.sorting.survey import survey
from fewshot_gui.engine.sorting.transfer import Hooks
from fewshot_gui.engine.sorting.undo import take_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DONE, TAKEN_BACK = (FileState.DONE, None), (FileState.TAKEN_BACK, None)


class Bench:
    """Pictures in `source` that go to `sorted`, on this disk or on another one."""

    def __init__(self, base: Path, target: Path) -> None:
        self.source, self.root = base / "source", target / "sorted"
        self.cats = self.root / "cats"
        self.source.mkdir()
        self.journal = Journal(base / "sorting.sqlite")

    def plan(self, way: Way, category: str = "cats") -> Plan:
        decided = [Decided(str(path), category, "human") for path in sorted(self.source.glob("*.jpg"))]
        return make_plan(decided, survey(decided, str(self.root)), way=way, identity=uuid4().hex)

    def now(self) -> dict[str, bytes]:
        paths = [*self.source.rglob("*"), *self.root.rglob("*")]
        return {str(path): path.read_bytes() for path in paths if path.is_file()}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("FEWSHOT_DATA", str(tmp_path / "data"))
    bench = Bench(tmp_path, tmp_path)
    for name in "ab":
        (bench.source / f"{name}.jpg").write_text(name)
    yield bench
    bench.journal.close()


@pytest.fixture
def two_disks(tmp_path: Path) -> Iterator[Bench]:
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is one disk only")
    base = memory / f"rare-{uuid4().hex}"
    base.mkdir()
    bench = Bench(base, tmp_path)
    (bench.source / "a.jpg").write_text("a")
    yield bench
    bench.journal.close()
    shutil.rmtree(base)


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege")
def test_what_came_from_a_drive_that_is_unplugged_is_not_put_under_its_empty_mount_point(
    two_disks: Bench, tmp_path: Path
) -> None:
    """Before, it came to lie on the inner disk, hidden as soon as the drive was mounted again."""
    drive, mount = two_disks.source.parent, tmp_path / "mount"
    mount.symlink_to(drive)
    two_disks.source = mount / two_disks.source.name
    plan = two_disks.plan(Way.MOVE)
    apply_plan(plan, two_disks.journal)
    moved = two_disks.now()
    mount.unlink()
    mount.mkdir()

    receipt = take_back(plan.id, two_disks.journal)

    assert receipt.stopped_by == Reason.TARGET_VANISHED
    assert receipt.counts == {FileState.DONE: 1}
    assert list(mount.iterdir()) == []
    assert two_disks.now() == moved
    mount.rmdir()
    mount.symlink_to(drive)
    assert take_back(plan.id, two_disks.journal).counts == {FileState.TAKEN_BACK: 1}
    assert (two_disks.source / "a.jpg").read_text() == "a"


def states(receipt: Receipt) -> dict[str, tuple[FileState, Reason | None]]:
    return {Path(line.source).name: (line.state, line.reason) for line in receipt.lines}


def refusing(real: Callable[..., None], suffix: str) -> Callable[..., None]:
    """Return the call, which is not permitted for paths that end so."""

    def call(path: str, *given: object) -> None:
        if str(path).endswith(suffix):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        real(path, *given)

    return call


# Taking back ------------


def test_a_copy_that_cannot_be_removed_keeps_its_name(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a read-only one on Windows, which may be renamed."""
    plan = bench.plan(Way.COPY)
    apply_plan(plan, bench.journal)
    before = bench.now()
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refusing(os.unlink, ".part"))
        receipt = take_back(plan.id, bench.journal)
    assert states(receipt) == dict.fromkeys(("a.jpg", "b.jpg"), (FileState.DONE, Reason.NO_PERMISSION))
    assert bench.now() == before
    assert states(take_back(plan.id, bench.journal)) == dict.fromkeys(("a.jpg", "b.jpg"), TAKEN_BACK)


def test_a_last_copy_whose_name_is_taken_while_it_is_looked_at_is_not_forgotten(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, target, look = bench.plan(Way.COPY), bench.cats / "a.jpg", steps.may_drop
    apply_plan(plan, bench.journal)
    (bench.source / "a.jpg").unlink()

    def looking(*given: object) -> object:
        if not target.exists():
            target.write_text("a program that syncs put it here")
        return look(*given)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(steps, "may_drop", looking)
        take_back(plan.id, bench.journal)
    assert recover(bench.journal).left == 1
    target.unlink()
    assert recover(bench.journal).put_back == 1
    assert target.read_text() == "a"


def test_an_original_stays_whatever_comes_after_its_copy_was_removed(bench: Bench) -> None:
    plan, before = bench.plan(Way.COPY), bench.now()
    apply_plan(plan, bench.journal)

    def fail(point: str, _path: str) -> None:
        if point == "published":
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    take_back(plan.id, bench.journal, hooks=Hooks(at=fail))
    assert bench.now() == before


def test_a_clock_that_was_moved_an_hour_changes_no_file(two_disks: Bench) -> None:
    """A stick with FAT keeps local time: in winter all its files are an hour off."""
    plan = two_disks.plan(Way.MOVE)
    apply_plan(plan, two_disks.journal)
    moved = (two_disks.cats / "a.jpg").stat()
    os.utime(two_disks.cats / "a.jpg", ns=(moved.st_atime_ns, moved.st_mtime_ns + 3600 * 10**9))
    assert states(take_back(plan.id, two_disks.journal)) == {"a.jpg": TAKEN_BACK}


@pytest.mark.usefixtures("removes_no_read_only")
@pytest.mark.parametrize("way", [Way.COPY, Way.MOVE, Way.HARD_LINK])
def test_a_read_only_file_goes_and_comes_back_read_only(bench: Bench, way: Way) -> None:
    (bench.source / "a.jpg").chmod(0o400)
    before, plan = bench.now(), bench.plan(way)
    assert apply_plan(plan, bench.journal).counts == {FileState.DONE: 2}
    assert take_back(plan.id, bench.journal).counts == {FileState.TAKEN_BACK: 2}
    assert bench.now() == before
    assert (bench.source / "a.jpg").stat().st_mode & 0o777 == 0o400


@pytest.mark.usefixtures("removes_no_read_only")
def test_a_read_only_file_moves_to_another_disk_and_back(two_disks: Bench) -> None:
    (two_disks.source / "a.jpg").chmod(0o400)
    before, plan = two_disks.now(), two_disks.plan(Way.MOVE)
    assert states(apply_plan(plan, two_disks.journal)) == {"a.jpg": DONE}
    assert not (two_disks.source / "a.jpg").exists()
    assert take_back(plan.id, two_disks.journal).counts == {FileState.TAKEN_BACK: 1}
    assert two_disks.now() == before
    assert (two_disks.source / "a.jpg").stat().st_mode & 0o777 == 0o400


@pytest.mark.usefixtures("removes_no_read_only")
def test_a_file_that_somebody_has_open_stays_read_only(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bench.source / "a.jpg"
    path.chmod(0o400)
    monkeypatch.setattr(os, "unlink", refusing(os.unlink, ".jpg"))
    with pytest.raises(PermissionError):
        remove(str(path))
    assert path.stat().st_mode & 0o777 == 0o400


# Applying ------------


def test_two_names_of_one_file_move_to_another_disk(two_disks: Bench) -> None:
    (two_disks.source / "b.jpg").hardlink_to(two_disks.source / "a.jpg")
    receipt = apply_plan(two_disks.plan(Way.MOVE), two_disks.journal)
    assert states(receipt) == {"a.jpg": DONE, "b.jpg": DONE}
    assert not list(two_disks.source.iterdir())


def test_between_two_mounts_of_one_disk_a_file_is_carried(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One device, and yet no rename leads from the one to the other."""
    (bench.source / "a.xmp").write_text("belongs to a")
    plan, before, real = bench.plan(Way.MOVE), bench.now(), steps.rename_exclusively

    def rename(source: str, target: str) -> None:
        if Path(source).parent != Path(target).parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source, None, target)
        real(source, target)

    monkeypatch.setattr(steps, "rename_exclusively", rename)
    receipt = apply_plan(plan, bench.journal)
    assert receipt.counts == {FileState.DONE: 3}
    assert not list(bench.source.iterdir())
    assert take_back(plan.id, bench.journal).counts == {FileState.TAKEN_BACK: 3}
    assert bench.now() == before


def test_the_names_of_new_folders_are_on_the_disk_before_an_original_goes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = transfer_module.sync_folders
    monkeypatch.setattr(transfer_module, "sync_folders", lambda paths: synced.extend(paths) or real(paths))
    apply_plan(bench.plan(Way.MOVE), bench.journal)
    assert {str(bench.cats), str(bench.root), str(bench.root.parent)} <= set(synced)


def test_a_file_that_was_changed_in_2300_goes_as_any_other(bench: Bench) -> None:
    os.utime(bench.source / "a.jpg", ns=(10**19, 10**19))
    plan = bench.plan(Way.MOVE)
    assert states(apply_plan(plan, bench.journal)) == {"a.jpg": DONE, "b.jpg": DONE}
    assert take_back(plan.id, bench.journal).counts == {FileState.TAKEN_BACK: 2}


def test_a_category_that_is_no_unicode_is_kept_as_it_is(bench: Bench) -> None:
    category = os.fsdecode(b"caf\xe9")
    plan = bench.plan(Way.COPY, category)
    assert apply_plan(plan, bench.journal).counts == {FileState.DONE: 2}
    assert {line.category for line in receipt_of(plan.id, bench.journal).lines} == {category}


def test_a_name_that_is_taken_again_and_again_is_listed_at_last(bench: Bench) -> None:
    told: list[tuple[int, int]] = []

    def take(point: str, path: str) -> None:
        if point == "begun" and path.endswith("a.jpg"):
            for name in ("a.jpg", "a (2).jpg", "a (3).jpg"):
                if not (bench.cats / name).exists():
                    bench.cats.mkdir(parents=True, exist_ok=True)
                    (bench.cats / name).write_text("theirs")
                    return

    hooks = Hooks(at=take, progress=lambda done, total, _bytes: told.append((done, total)))
    receipt = apply_plan(bench.plan(Way.COPY), bench.journal, hooks)
    assert states(receipt) == {"a.jpg": (FileState.FAILED, Reason.TARGET_TAKEN), "b.jpg": DONE}
    assert receipt.state is RunState.FINISHED
    assert all(done <= total for done, total in told)


@pytest.mark.parametrize(
    ("source", "theirs", "ours"),
    [
        ("a.jpg", ["a.jpg", "a (2).jpg"], "a (3).jpg"),
        ("a (2).jpg", ["a (2).jpg"], "a (2) (2).jpg"),
        ("a (2).b.jpg", ["a (2).b.jpg", "a (2).b (2).jpg"], "a (2).b (3).jpg"),
    ],
)
def test_a_number_of_ours_that_was_taken_is_counted_on(
    bench: Bench, source: str, theirs: list[str], ours: str
) -> None:
    (bench.source / source).write_text("mine")
    bench.cats.mkdir(parents=True)
    for name in theirs[:-1]:
        (bench.cats / name).write_text("theirs")
    plan = bench.plan(Way.COPY)
    (bench.cats / theirs[-1]).write_text("theirs")
    apply_plan(plan, bench.journal)
    assert (bench.cats / ours).read_text() == "mine"


@pytest.mark.usefixtures("times_at_closing")
def test_a_copy_has_the_time_of_its_original(bench: Bench) -> None:
    os.utime(bench.source / "a.jpg", ns=(10**18, 10**18))
    plan = bench.plan(Way.COPY)
    assert apply_plan(plan, bench.journal).counts == {FileState.DONE: 2}
    assert (bench.cats / "a.jpg").stat().st_mtime_ns == 10**18


def test_rights_are_copied_where_an_attribute_cannot_be(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: object, **_named: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (bench.source / "a.jpg").chmod(0o640)
    monkeypatch.setattr(shutil, "copystat", refuse)
    apply_plan(bench.plan(Way.COPY), bench.journal)
    assert (bench.cats / "a.jpg").stat().st_mode & 0o777 == 0o640


# After a crash ------------


def test_a_move_is_not_over_while_the_drive_of_its_original_is_away(two_disks: Bench) -> None:
    class Crash(BaseException):
        pass

    def crash(point: str, _path: str) -> None:
        if point == "verified":
            raise Crash

    plan, away = two_disks.plan(Way.MOVE), two_disks.source.with_name("away")
    with pytest.raises(Crash):
        apply_plan(plan, two_disks.journal, Hooks(at=crash))
    two_disks.source.rename(away)
    assert recover(two_disks.journal).left == 1
    away.rename(two_disks.source)
    assert recover(two_disks.journal).finished == 1
    assert two_disks.now() == {str(two_disks.cats / "a.jpg"): b"a"}
