"""Who or what decided, when, and with which weights: from the decision to receipt and sidecar, for ever."""

from __future__ import annotations

import csv
import io
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.engine.sorting.apply import apply_plan
from fewshot_gui.engine.sorting.journal import Journal, JournalError
from fewshot_gui.engine.sorting.journal_schema import MIGRATIONS, VERSION
from fewshot_gui.engine.sorting.plan import Decided, Machine, Plan, Way
from fewshot_gui.engine.sorting.planning import make_plan
from fewshot_gui.engine.sorting.receipt import receipt_of
from fewshot_gui.engine.sorting.states import FileState
from fewshot_gui.engine.sorting.survey import survey
from fewshot_gui.engine.sorting.undo import take_back

if TYPE_CHECKING:
    from pathlib import Path

AT = "2026-01-02T03:04:05+00:00"
MACHINE = Machine("ridge", "photo", "0123456789abcdef")
NEW_COLUMNS = ("decided_at", "learner", "backbone", "weights")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a picture and what belongs to it."""
    monkeypatch.setenv("FEWSHOT_DATA", str(tmp_path / "data"))
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a.jpg", "a.json"):
        (folder / name).write_bytes(name.encode())
    return folder


def plan_of(place: Path, way: Way, at: str = AT) -> Plan:
    decided = [Decided(str(place / "a.jpg"), "Cats", "machine", 0.5, at=at, machine=MACHINE)]
    found = survey(decided, str(place.parent / "sorted"))
    return make_plan(decided, found, way=way, identity=os.urandom(16).hex())


def test_the_receipt_tells_it_of_picture_and_companion_after_a_restart(place: Path, tmp_path: Path) -> None:
    plan = Plan.from_json(plan_of(place, Way.MOVE).to_json())
    assert {(file.at, file.machine) for file in plan.files} == {(AT, MACHINE)}
    path = tmp_path / "data" / "sorting.sqlite"
    with Journal(path) as journal:
        apply_plan(plan, journal)
    with Journal(path) as journal:
        receipt = receipt_of(plan.id, journal)
        assert {record.machine for record in journal.files(plan.id)} == {MACHINE}
    assert [line.state for line in receipt.lines] == [FileState.DONE] * 2
    told = {(line.by, line.at, line.learner, line.backbone, line.weights) for line in receipt.lines}
    assert told == {("machine", AT, "ridge", "photo", "0123456789abcdef")}
    rows = list(csv.DictReader(io.StringIO(receipt.to_csv())))
    assert {(row["at"], row["weights"]) for row in rows} == {(AT, "0123456789abcdef")}


def test_the_sidecar_tells_it_and_a_second_run_changes_nothing(place: Path) -> None:
    with Journal() as journal:
        apply_plan(plan_of(place, Way.SIDECAR), journal)
        written = (place / "a.jpg.xmp").read_bytes()
        for told in (b'weights="photo 0123456789abcdef"', b'learner="ridge"', AT.encode()):
            assert told in written
        apply_plan(plan_of(place, Way.SIDECAR, "2027-01-01T00:00:00+00:00"), journal)
    assert (place / "a.jpg.xmp").read_bytes() == written


def make_old(path: Path) -> None:
    """Make of a journal one of the first version."""
    with closing(sqlite3.connect(path)) as database:
        for column in NEW_COLUMNS:
            database.execute(f"ALTER TABLE files DROP COLUMN {column}")
        database.execute("ALTER TABLE runs DROP COLUMN same_name")
        database.execute("PRAGMA user_version = 1")
        database.commit()


def test_a_journal_of_the_first_version_opens_and_takes_back(place: Path) -> None:
    plan, former = plan_of(place, Way.MOVE), {path.name: path.read_bytes() for path in place.iterdir()}
    with Journal() as journal:
        apply_plan(plan, journal)
        path = journal.path
    make_old(path)
    with Journal() as journal:
        receipt = receipt_of(plan.id, journal)
        assert {(line.state, line.at, line.weights) for line in receipt.lines} == {(FileState.DONE, "", "")}
        take_back(plan.id, journal)
        again = plan_of(place, Way.COPY)
        assert {line.at for line in apply_plan(again, journal).lines} == {AT}
    assert {path.name: path.read_bytes() for path in place.iterdir()} == former
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_migration_that_fails_leaves_the_journal_as_it_was(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal() as journal:
        path = journal.path
    make_old(path)
    with monkeypatch.context() as patch:
        patch.setitem(MIGRATIONS, 1, MIGRATIONS[1] + "ALTER TABLE nothing ADD COLUMN x;")
        with pytest.raises(JournalError):
            Journal(path)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,)
        assert len(database.execute("PRAGMA table_info(files)").fetchall()) == 22
    Journal(path).close()


@pytest.mark.parametrize("version", [0, VERSION + 1])
def test_a_journal_of_another_version_is_refused(tmp_path: Path, version: int) -> None:
    path = tmp_path / "j.sqlite"
    Journal(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(JournalError):
        Journal(path)
