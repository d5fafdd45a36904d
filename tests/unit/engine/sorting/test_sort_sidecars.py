"""Sidecars are merged, never replaced: what was there is kept, and comes back to the byte."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from fewshot_gui.engine.sorting import sidecars
from fewshot_gui.engine.sorting.apply import apply_plan
from fewshot_gui.engine.sorting.journal import Journal
from fewshot_gui.engine.sorting.plan import Decided, Plan, Way
from fewshot_gui.engine.sorting.planning import make_plan
from fewshot_gui.engine.sorting.recovery import recover
from fewshot_gui.engine.sorting.sidecar import Keyword, keywords, merged
from fewshot_gui.engine.sorting.states import FileState, Reason, RunState
from fewshot_gui.engine.sorting.survey import survey
from fewshot_gui.engine.sorting.transfer import Hooks
from fewshot_gui.engine.sorting.undo import take_back

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHERS = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmp:Rating="4">
<dc:subject><rdf:Bag><rdf:li>holiday</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>
<!-- of another program -->
"""


class Killed(BaseException):
    """The power goes."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of three pictures: the second one has a sidecar of another program."""
    monkeypatch.setenv("FEWSHOT_DATA", str(tmp_path / "data"))
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (folder / name).write_bytes(name.encode())
    (folder / "b.jpg.xmp").write_bytes(OTHERS)
    os.utime(folder / "b.jpg.xmp", ns=(10**18, 10**18))
    return folder


@pytest.fixture
def journal(place: Path) -> Iterator[Journal]:
    with Journal(place.parent / "data" / "sorting.sqlite") as result:
        yield result


def plan_of(place: Path, *names: str, category: str = "Cats") -> Plan:
    decided = [Decided(str(place / name), category, "human", 0.5) for name in names]
    found = survey(decided, str(place))
    return make_plan(decided, found, way=Way.SIDECAR, identity=os.urandom(16).hex())


def tree(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(place.iterdir())}


def test_a_sidecar_is_written_and_goes_again(place: Path, journal: Journal) -> None:
    before = tree(place)
    plan = plan_of(place, "a.jpg")
    receipt = apply_plan(plan, journal)
    assert [line.state for line in receipt.lines] == [FileState.DONE]
    assert keywords((place / "a.jpg.xmp").read_bytes()) == ["Cats"]
    take_back(plan.id, journal)
    assert tree(place) == before


def test_what_others_wrote_stays_in_it_and_comes_back_to_the_byte(place: Path, journal: Journal) -> None:
    before, when = tree(place), (place / "b.jpg.xmp").stat().st_mtime_ns
    plan = plan_of(place, "b.jpg")
    apply_plan(plan, journal)
    data = (place / "b.jpg.xmp").read_bytes()
    assert keywords(data) == ["holiday", "Cats"]
    assert b'xmp:Rating="4"' in data
    assert b"of another program" in data
    take_back(plan.id, journal)
    assert tree(place) == before
    assert (place / "b.jpg.xmp").stat().st_mtime_ns == when
    assert not list((place.parent / "data" / "quarantine").rglob("*.xmp"))


@pytest.mark.usefixtures("removes_no_read_only")
def test_a_read_only_sidecar_is_replaced_and_comes_back(place: Path, journal: Journal) -> None:
    (place / "b.jpg.xmp").chmod(0o400)
    before, plan = tree(place), plan_of(place, "b.jpg")
    assert apply_plan(plan, journal).counts == {FileState.DONE: 1}
    assert take_back(plan.id, journal).counts == {FileState.TAKEN_BACK: 1}
    assert tree(place) == before
    assert (place / "b.jpg.xmp").stat().st_mode & 0o777 == 0o400


def test_a_broken_sidecar_is_left_as_it_is_and_the_rest_goes_on(place: Path, journal: Journal) -> None:
    (place / "c.jpg.xmp").write_bytes(b"<notes>mine")
    receipt = apply_plan(plan_of(place, "a.jpg", "c.jpg"), journal)
    told = {line.source.rpartition(os.sep)[2]: (line.state, line.reason) for line in receipt.lines}
    assert told == {"a.jpg": (FileState.DONE, None), "c.jpg": (FileState.FAILED, Reason.SIDECAR)}
    assert (place / "c.jpg.xmp").read_bytes() == b"<notes>mine"


def test_the_same_category_twice_changes_nothing(place: Path, journal: Journal) -> None:
    apply_plan(plan_of(place, "a.jpg"), journal)
    once = tree(place)
    receipt = apply_plan(plan_of(place, "a.jpg"), journal)
    assert [(line.state, line.reason) for line in receipt.lines] == [
        (FileState.SKIPPED, Reason.ALREADY_THERE)
    ]
    assert tree(place) == once


def test_one_that_was_edited_since_is_not_taken_back(place: Path, journal: Journal) -> None:
    plan = plan_of(place, "b.jpg")
    apply_plan(plan, journal)
    edited = (place / "b.jpg.xmp").read_bytes().replace(b"Cats", b"Lions")
    (place / "b.jpg.xmp").write_bytes(edited)
    receipt = take_back(plan.id, journal)
    assert [(line.state, line.reason) for line in receipt.lines] == [(FileState.DONE, Reason.TARGET_CHANGED)]
    assert (place / "b.jpg.xmp").read_bytes() == edited


def test_one_whose_former_is_no_longer_kept_is_not_taken_back(place: Path, journal: Journal) -> None:
    """Without it nothing would be left of what others wrote; one that had no former goes all the same."""
    plan = plan_of(place, "a.jpg", "b.jpg")
    apply_plan(plan, journal)
    written = (place / "b.jpg.xmp").read_bytes()
    shutil.rmtree(place.parent / "data" / "quarantine")
    receipt = take_back(plan.id, journal)
    assert [(line.state, line.reason) for line in receipt.lines] == [
        (FileState.TAKEN_BACK, None),
        (FileState.DONE, Reason.ONLY_COPY),
    ]
    assert (place / "b.jpg.xmp").read_bytes() == written
    assert not (place / "a.jpg.xmp").exists()


def test_a_new_one_that_another_program_wrote_meanwhile_costs_neither(
    place: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(place, "b.jpg")
    apply_plan(plan, journal)
    ours, real = (place / "b.jpg.xmp").read_bytes(), sidecars.copy_to_new

    def copy(*given: Any) -> object:
        (place / "b.jpg.xmp").write_bytes(b"new")  # while ours is set aside, its name is free
        return real(*given)

    monkeypatch.setattr(sidecars, "copy_to_new", copy)
    take_back(plan.id, journal)
    assert recover(journal).left == 1
    assert (place / "b.jpg.xmp").read_bytes() == b"new"
    (place / "b.jpg.xmp").unlink()
    assert recover(journal).put_back == 1
    assert (place / "b.jpg.xmp").read_bytes() == ours
    monkeypatch.undo()
    monkeypatch.setenv("FEWSHOT_DATA", str(place.parent / "data"))
    take_back(plan.id, journal)
    assert (place / "b.jpg.xmp").read_bytes() == OTHERS


def test_one_behind_a_link_to_nowhere_is_listed(place: Path, journal: Journal) -> None:
    (place / "a.jpg.xmp").symlink_to(place / "nowhere")
    receipt = apply_plan(plan_of(place, "a.jpg"), journal)
    assert [(line.state, line.reason) for line in receipt.lines] == [(FileState.FAILED, Reason.TARGET_TAKEN)]
    assert receipt.state is RunState.FINISHED


def test_one_that_is_edited_under_way_is_left_alone(place: Path, journal: Journal) -> None:
    def edit(point: str, path: str) -> None:
        if point == "copied" and path.endswith("b.jpg"):
            (place / "b.jpg.xmp").write_bytes(OTHERS + b"<!-- newer -->")

    receipt = apply_plan(plan_of(place, "b.jpg"), journal, Hooks(at=edit))
    assert [line.reason for line in receipt.lines] == [Reason.SOURCE_CHANGED]
    assert (place / "b.jpg.xmp").read_bytes() == OTHERS + b"<!-- newer -->"
    assert sorted(tree(place)) == ["a.jpg", "b.jpg", "b.jpg.xmp", "c.jpg"]


POINTS = ("begun", "folder", "written", "copied", "published", "ended")


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("point", POINTS)
def test_a_crash_at_any_point_loses_nothing(place: Path, journal: Journal, point: str, back: bool) -> None:
    before = tree(place)
    plan = plan_of(place, "a.jpg", "b.jpg")

    def kill(reached: str, path: str) -> None:
        if reached == point and path.endswith("b.jpg"):
            raise Killed

    if back:
        apply_plan(plan, journal)
        if point in {"written", "copied"}:
            return  # nothing is written on the way back
    hooks = Hooks(at=kill)
    with pytest.raises(Killed):
        take_back(plan.id, journal, hooks=hooks) if back else apply_plan(plan, journal, hooks)
    recover(journal)
    assert not journal.in_doubt(plan.id)
    there = tree(place)
    assert there["b.jpg.xmp"] in {OTHERS, merged(OTHERS, Keyword("Cats", "human", 0.5))}
    assert not [name for name in there if name.startswith(".")]
    take_back(plan.id, journal)
    assert tree(place) == before


@pytest.mark.parametrize("step", range(6))
@pytest.mark.parametrize("back", [False, True])
def test_a_crash_between_two_renames_loses_nothing(
    place: Path, journal: Journal, step: int, back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fewshot_gui.engine.sorting import sidecars

    before = tree(place)
    plan = plan_of(place, "b.jpg")
    if back:
        apply_plan(plan, journal)
    calls = 0

    def dying(name: str) -> None:
        real = getattr(sidecars, name)

        def call(*arguments: object) -> object:
            nonlocal calls
            calls += 1
            if calls == step:
                raise Killed
            return real(*arguments)

        monkeypatch.setattr(sidecars, name, call)

    for name in ("rename_exclusively", "drop_kept", "copy_to_new", "hash_file"):
        dying(name)
    try:
        (take_back(plan.id, journal) if back else apply_plan(plan, journal))
    except Killed:
        monkeypatch.undo()
        monkeypatch.setenv("FEWSHOT_DATA", str(place.parent / "data"))
        recover(journal)
    assert not journal.in_doubt(plan.id)
    take_back(plan.id, journal)
    assert tree(place) == before
