"""The program ends at any point: the next start finishes each file or puts it back, and says which."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from fewshot_gui.engine.sorting import files as primitives
from fewshot_gui.engine.sorting import steps
from fewshot_gui.engine.sorting.apply import apply_plan, resume
from fewshot_gui.engine.sorting.journal import Journal
from fewshot_gui.engine.sorting.plan import Plan, PlannedFile, Way
from fewshot_gui.engine.sorting.recovery import RecoveryReport, recover
from fewshot_gui.engine.sorting.states import FileState, Reason, RunState
from fewshot_gui.engine.sorting.transfer import Hooks
from fewshot_gui.engine.sorting.undo import take_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAMES = ("a.jpg", "a.xmp", "b.jpg", "c.jpg")
POINTS = (
    "begun",
    "folder",
    "chunk",
    "written",
    "synced",
    "copied",
    "published",
    "verified",
    "removed",
    "ended",
)


class Crash(BaseException):
    """The end of the program, as the rest of it sees it: nothing more is done."""


class Bench:
    """Four files, two of which are a group, on one disk or to another one."""

    def __init__(self, base: Path, target: Path) -> None:
        self.source, self.root, self.path = base / "source", target / "sorted", base / "journal.sqlite"
        self.source.mkdir(parents=True)
        for number, name in enumerate(NAMES):
            (self.source / name).write_text(f"content of {name}")
            os.utime(self.source / name, ns=(1, 1_600_000_000_000_000_000 + number))
        self.before = self.now()

    def plan(self, way: Way) -> Plan:
        files = []
        for name in NAMES:
            status = (self.source / name).lstat()
            files.append(
                PlannedFile(
                    str(self.source / name), str(self.root / "cats" / name), status.st_size,
                    status.st_mtime_ns, status.st_ino, status.st_dev, "cats", ord(name[0]), way,
                )
            )  # fmt: skip
        return Plan(uuid4().hex, str(self.root), way, tuple(files))

    def now(self) -> dict[str, object]:
        paths = [*self.source.rglob("*"), *self.root.rglob("*")]
        return {str(p): (p.read_text(), p.stat().st_mtime_ns) if p.is_file() else "folder" for p in paths}

    def crash(self, work: Callable[[Journal], object]) -> None:
        with Journal(self.path) as journal, pytest.raises(Crash):
            work(journal)

    def recover(self) -> RecoveryReport:
        with Journal(self.path) as journal:
            report = recover(journal)
            assert not recover(journal).settled
        assert not list(self.root.rglob(".fewshot-*"))
        assert not list(self.source.rglob(".fewshot-*"))
        return report

    def take_back(self, run: str) -> None:
        with Journal(self.path) as journal:
            take_back(run, journal)


@pytest.fixture(params=["one disk", "two disks"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    memory = Path("/dev/shm")  # quick to sync, so the base where there is one
    two = memory.is_dir() and memory.stat().st_dev != tmp_path.stat().st_dev
    if request.param == "two disks" and not two:
        pytest.skip("there is one disk only")
    base = memory / f"recovery-{uuid4().hex}" if two else tmp_path
    yield Bench(base, tmp_path if request.param == "two disks" else base)
    if two:
        shutil.rmtree(base)


def crash_at(point: str, name: str) -> Hooks:
    def at(reached: str, path: str) -> None:
        if reached == point and Path(path).name == name:
            raise Crash

    return Hooks(at=at)


def reaches(bench: Bench, way: Way, point: str) -> bool:
    """Return whether a run of that kind passes the point at all."""
    if way is Way.COPY:
        return point not in {"verified", "removed"}
    across = bench.source.stat().st_dev != bench.root.parent.stat().st_dev
    return across or point in {"begun", "folder", "published", "ended"}


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("way", [Way.COPY, Way.MOVE])
def test_after_a_crash_at_any_point_of_applying(bench: Bench, way: Way, point: str) -> None:
    if not reaches(bench, way, point):
        pytest.skip("such a run has no such point")
    plan = bench.plan(way)
    bench.crash(lambda journal: apply_plan(plan, journal, crash_at(point, "a.xmp")))

    report = bench.recover()

    assert report.settled
    assert report.finished + report.put_back == len(report.settled)
    with Journal(bench.path) as journal:
        receipt = resume(plan.id, journal)
        assert receipt.counts == {FileState.DONE: 4}
        assert receipt.state is RunState.FINISHED
    bench.take_back(plan.id)
    assert bench.now() == bench.before


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("way", [Way.COPY, Way.MOVE])
def test_after_a_crash_at_any_point_of_taking_back(bench: Bench, way: Way, point: str) -> None:
    if way is Way.COPY and point not in {"begun", "folder", "published", "ended"}:
        pytest.skip("a copy is only removed")
    if not reaches(bench, way, point):
        pytest.skip("such a run has no such point")
    plan = bench.plan(way)
    with Journal(bench.path) as journal:
        apply_plan(plan, journal)
    bench.crash(lambda journal: take_back(plan.id, journal, hooks=crash_at(point, "b.jpg")))

    assert bench.recover().settled

    bench.take_back(plan.id)
    assert bench.now() == bench.before


def test_after_a_crash_a_group_is_there_as_a_whole_or_not_at_all(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = bench.plan(Way.MOVE)
    bench.crash(lambda journal: apply_plan(plan, journal, crash_at("published", "a.jpg")))

    report = bench.recover()

    there = [(bench.root / "cats" / name).exists() for name in ("a.jpg", "a.xmp")]
    assert there[0] == there[1]
    assert report.resumable == (plan.id,)


def test_a_crash_while_our_copy_is_set_aside(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = bench.plan(Way.COPY)
    with Journal(bench.path) as journal:
        apply_plan(plan, journal)
    with monkeypatch.context() as patch:
        patch.setattr(steps, "may_drop", raise_crash)
        bench.crash(lambda journal: take_back(plan.id, journal))

    bench.recover()

    bench.take_back(plan.id)
    assert bench.now() == bench.before


@pytest.mark.parametrize("way", [Way.COPY, Way.MOVE])
def test_a_crash_between_link_and_unlink(bench: Bench, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no exclusive rename, a file has two names for a moment."""
    plan = bench.plan(way)
    with monkeypatch.context() as patch:
        patch.setattr(primitives, "_exclusive_call", lambda: None)
        patch.setattr(primitives, "link_then_unlink", only_link)
        bench.crash(lambda journal: apply_plan(plan, journal))

    bench.recover()

    with Journal(bench.path) as journal:
        assert resume(plan.id, journal).counts == {FileState.DONE: 4}
    bench.take_back(plan.id)
    assert bench.now() == bench.before


def only_link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)
    raise Crash


def raise_crash(*_arguments: object) -> None:
    raise Crash


def test_without_its_drive_a_file_in_doubt_waits(bench: Bench) -> None:
    plan, away = bench.plan(Way.MOVE), bench.root.with_name("away")
    bench.crash(lambda journal: apply_plan(plan, journal, crash_at("ended", "c.jpg")))
    bench.root.rename(away)

    with Journal(bench.path) as journal:
        assert recover(journal).left == 4
    away.rename(bench.root)

    assert bench.recover().finished == 4


def test_a_source_that_changed_between_crash_and_recovery_is_not_removed(bench: Bench) -> None:
    plan = bench.plan(Way.MOVE)
    if not reaches(bench, Way.MOVE, "verified"):
        pytest.skip("a rename has one name at a time")
    bench.crash(lambda journal: apply_plan(plan, journal, crash_at("verified", "b.jpg")))
    (bench.source / "b.jpg").write_text("worked on since")

    bench.recover()

    with Journal(bench.path) as journal:
        (record,) = [each for each in journal.files(plan.id) if each.source.endswith("b.jpg")]
    assert (record.state, record.reason) == (FileState.FAILED, Reason.SOURCE_CHANGED)
    assert (bench.source / "b.jpg").read_text() == "worked on since"
    assert not (bench.root / "cats/b.jpg").exists()
