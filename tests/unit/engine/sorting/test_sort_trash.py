"""What is thrown away can be had back, wherever it went and whenever the program ended."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from fewshot_gui.engine.sorting import trash
from fewshot_gui.engine.sorting.apply import apply_plan, resume
from fewshot_gui.engine.sorting.journal import Journal
from fewshot_gui.engine.sorting.plan import ConflictKind, Decided, Plan, Way
from fewshot_gui.engine.sorting.planning import make_plan
from fewshot_gui.engine.sorting.recovery import recover
from fewshot_gui.engine.sorting.states import FileState, Reason, RunState
from fewshot_gui.engine.sorting.survey import survey
from fewshot_gui.engine.sorting.transfer import Hooks
from fewshot_gui.engine.sorting.undo import take_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fewshot_gui.engine.sorting.receipt import Receipt

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the trash of freedesktop.org stands in for all"
)

NAMES = ("a.jpg", "a.xmp", "b.jpg", "c.jpg", "d.jpg")
CATEGORIES = {"a.jpg": "bad", "b.jpg": "bad", "c.jpg": "good", "d.jpg": "good"}


class Crash(BaseException):
    """The end of the program: nothing more is done."""


@dataclass
class Desk:
    """Four pictures, two of them bad, and the trash of a system that keeps a note of each file."""

    base: Path
    source: Path
    takes: bool = True
    asked: list[str] = field(default_factory=list)

    @property
    def bin(self) -> Path:
        return self.base / "share" / "Trash" / "files"

    def system(self, path: str) -> str | None:
        self.asked.append(path)
        if not self.takes:
            return None
        for folder in (self.bin, self.bin.with_name("info")):
            folder.mkdir(parents=True, exist_ok=True)
        name = f"{Path(path).stem} {uuid4().hex[:4]}{Path(path).suffix}"  # as taken names get another one
        (self.bin.with_name("info") / f"{name}.trashinfo").write_text(path)
        return str(Path(path).rename(self.bin / name))

    def plan(self, way: Way = Way.MOVE, bad: tuple[str, ...] = ("bad",)) -> Plan:
        decided = [Decided(str(self.source / name), category) for name, category in CATEGORIES.items()]
        found = survey(decided, str(self.base / "sorted"))
        return make_plan(decided, found, way=way, identity=uuid4().hex, trash=bad)

    def apply(self, plan: Plan, **hooks: object) -> Receipt:
        with Journal() as journal:
            return apply_plan(plan, journal, Hooks(trash=self.system, **hooks))  # type: ignore[arg-type]

    def back(self, plan: Plan, files: list[int] | None = None) -> Receipt:
        with Journal() as journal:
            return take_back(plan.id, journal, files)

    def now(self) -> dict[str, tuple[bytes, int]]:
        """Everything there is, by its path, but for the journal."""
        roots = [self.source, self.base / "sorted", self.base / "share", self.base / "data" / "quarantine"]
        paths = [path for root in roots for path in root.rglob("*") if path.is_file()]
        return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


@pytest.fixture(params=["one disk", "two disks"])
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    memory = Path("/dev/shm")
    two = memory.is_dir() and memory.stat().st_dev != tmp_path.stat().st_dev
    if request.param == "two disks" and not two:
        pytest.skip("there is one disk only")
    source = memory / uuid4().hex if request.param == "two disks" else tmp_path / "in"
    source.mkdir()
    for number, name in enumerate(NAMES):
        (source / name).write_text(f"content of {name}")
        os.utime(source / name, ns=(1, 1_600_000_000_000_000_000 + number))
    monkeypatch.setenv("FEWSHOT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    yield Desk(tmp_path, source)
    shutil.rmtree(source)


def one_disk(desk: Desk) -> bool:
    return desk.source.parent == desk.base


def kill(point: str, name: str) -> Callable[[str, str], None]:
    def at(reached: str, path: str) -> None:
        if reached == point and Path(path).name == name:
            raise Crash

    return at


def test_bad_ones_go_to_the_trash_with_what_belongs_to_them_and_come_home(desk: Desk) -> None:
    """On another disk than the person's own the system is not asked: there its trash may delete."""
    before, plan = desk.now(), desk.plan()

    receipt = desk.apply(plan)

    assert receipt.counts == {FileState.DONE: 5}
    assert receipt.trashed == 3
    places = {Path(line.source).name: Path(line.target) for line in receipt.lines}
    home = desk.bin if one_disk(desk) else desk.base / "data" / "quarantine"
    for name in ("a.jpg", "a.xmp", "b.jpg"):
        assert places[name].is_relative_to(home)
        assert places[name].read_text() == f"content of {name}"
        assert not (desk.source / name).exists()
    assert (desk.base / "sorted" / "good" / "c.jpg").exists()
    assert len(desk.asked) == (3 if one_disk(desk) else 0)

    back = desk.back(plan)

    assert back.counts == {FileState.TAKEN_BACK: 5}
    assert back.state is RunState.TAKEN_BACK
    assert desk.now() == before, "no file is doubled, and no note of the system's trash is left"


def test_trash_deleted_permanently_on_network_or_partitioned_drives(desk: Desk) -> None:
    """A system that says it has taken a file and names no place, or one where nothing is, is not believed."""
    plan, before = desk.plan(), desk.now()

    def lies(path: str) -> str:
        return path + ".nowhere"

    with Journal() as journal:
        receipt = apply_plan(plan, journal, Hooks(trash=lies))
    assert receipt.trashed == 3
    assert all(Path(line.target).is_file() for line in receipt.lines)
    desk.back(plan)
    assert desk.now() == before


def test_a_trash_that_hides_where_it_put_a_file_is_looked_through(desk: Desk) -> None:
    plan, before = desk.plan(), desk.now()

    def silent(path: str) -> None:
        desk.system(path)

    with Journal() as journal:
        receipt = apply_plan(plan, journal, Hooks(trash=silent))
    assert receipt.counts == {FileState.DONE: 5}
    desk.back(plan)
    assert desk.now() == before


def test_what_the_system_does_not_take_goes_to_quarantine(desk: Desk) -> None:
    before, plan, desk.takes = desk.now(), desk.plan(), False
    receipt = desk.apply(plan)
    quarantine = Path(trash.quarantine())
    assert all(Path(line.target).is_relative_to(quarantine) for line in receipt.lines if line.is_trashed)
    desk.back(plan)
    assert desk.now() == before
    assert not quarantine.exists()


def test_a_run_of_trash_alone_needs_no_folder_of_its_own(desk: Desk) -> None:
    before, plan = desk.now(), desk.plan(Way.COPY, ("bad", "good"))
    assert desk.apply(plan).trashed == 5
    assert not (desk.base / "sorted").exists()
    assert desk.back(plan, [1]).counts == {FileState.DONE: 4, FileState.TAKEN_BACK: 1}
    assert desk.back(plan).counts == {FileState.TAKEN_BACK: 5}
    assert desk.now() == before


def test_an_emptied_trash_is_told_and_the_others_come_home(desk: Desk) -> None:
    plan = desk.plan()
    receipt = desk.apply(plan)
    gone = next(line for line in receipt.lines if line.source.endswith("b.jpg"))
    Path(gone.target).unlink()
    back = desk.back(plan)
    (line,) = [line for line in back.lines if line.state is not FileState.TAKEN_BACK]
    assert (line.id, line.reason) == (gone.id, Reason.TRASH_EMPTIED)
    assert (desk.source / "a.jpg").exists()


def test_nothing_is_overwritten_on_the_way_home(desk: Desk) -> None:
    plan = desk.plan()
    desk.apply(plan)
    (desk.source / "b.jpg").write_text("new")
    back = desk.back(plan)
    (line,) = [line for line in back.lines if line.state is not FileState.TAKEN_BACK]
    assert line.reason is Reason.SOURCE_TAKEN
    assert (desk.source / "b.jpg").read_text() == "new"
    assert Path(line.target).read_text() == "content of b.jpg"


def test_a_locked_file_stays_with_its_group_and_the_rest_goes(desk: Desk) -> None:
    plan, before = desk.plan(), desk.now()

    def at(point: str, path: str) -> None:
        if point == "published" and path.endswith("a.xmp"):
            raise OSError(errno.EBUSY, "in use")

    receipt = desk.apply(plan, at=at)
    reasons = {Path(line.source).name: line.reason for line in receipt.lines if line.reason}
    assert reasons == {"a.jpg": Reason.GROUP, "a.xmp": Reason.LOCKED}
    assert (desk.source / "a.jpg").exists()
    assert (desk.source / "a.xmp").exists()
    desk.back(plan)
    assert desk.now() == before


@pytest.mark.parametrize("takes", [True, False])
@pytest.mark.parametrize("name", ["a.jpg", "b.jpg"])
@pytest.mark.parametrize("point", ["begun", "written", "synced", "copied", "published", "removed", "ended"])
def test_after_a_crash_each_file_is_there_once_and_the_run_goes_on(
    desk: Desk, point: str, name: str, takes: bool
) -> None:
    if one_disk(desk) and point not in {"begun", "published", "ended"}:
        pytest.skip("a rename has no such point")
    before, plan, desk.takes = desk.now(), desk.plan(), takes
    with pytest.raises(Crash):
        desk.apply(plan, at=kill(point, name))

    with Journal() as journal:
        report = recover(journal)
        assert report.settled
        assert not report.left
        assert not recover(journal).settled
    contents = [data for path, (data, _) in desk.now().items() if not path.endswith(".trashinfo")]
    assert sorted(contents) == sorted(data for data, _ in before.values()), "lost or doubled"

    with Journal() as journal:
        assert resume(plan.id, journal, Hooks(trash=desk.system)).counts == {FileState.DONE: 5}
    desk.back(plan)
    assert desk.now() == before


@pytest.mark.parametrize("point", ["begun", "copied", "published", "ended"])
def test_after_a_crash_on_the_way_home(desk: Desk, point: str) -> None:
    if one_disk(desk) and point == "copied":
        pytest.skip("a rename has no such point")
    before, plan = desk.now(), desk.plan()
    desk.apply(plan)
    with Journal() as journal, pytest.raises(Crash):
        take_back(plan.id, journal, hooks=Hooks(at=kill(point, "b.jpg")))
    with Journal() as journal:
        assert recover(journal).settled
    desk.back(plan)
    assert desk.now() == before


def test_a_file_of_a_drive_that_is_away_stays_in_doubt(desk: Desk) -> None:
    if not one_disk(desk):
        pytest.skip("one is enough")
    before, plan, away = desk.now(), desk.plan(), desk.base / "away"
    with pytest.raises(Crash):
        desk.apply(plan, at=kill("begun", "a.jpg"))
    desk.source.rename(away)
    with Journal() as journal:
        assert recover(journal).left
    away.rename(desk.source)
    with Journal() as journal:
        assert not recover(journal).left
    desk.back(plan)
    assert desk.now() == before


def test_a_folder_that_lets_nothing_go_is_told_in_the_plan(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: access(path, mode) and path != str(desk.source))
    plan = desk.plan(Way.COPY)
    assert {conflict.kind for conflict in plan.conflicts} == {ConflictKind.SOURCE_FIXED}
    assert {file.category for file in plan.files} == {"good"}


def test_sidecars_throw_nothing_away(desk: Desk) -> None:
    assert {file.way for file in desk.plan(Way.SIDECAR).files} == {Way.SIDECAR}


def test_a_plan_with_trash_survives_its_file(desk: Desk) -> None:
    plan = desk.plan()
    assert Plan.from_json(plan.to_json()) == plan
    assert [file.way for file in plan.files].count(Way.TRASH) == 3
