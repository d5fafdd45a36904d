"""The survey on a real disk: what it finds, and that it leaves no trace."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.engine.sorting import destination as module
from fewshot_gui.engine.sorting.destination import file_system, ignores_case, survey_destination
from fewshot_gui.engine.sorting.plan import ConflictKind, Decided, Way
from fewshot_gui.engine.sorting.planning import make_plan
from fewshot_gui.engine.sorting.survey import survey

if TYPE_CHECKING:
    from collections.abc import Iterator

K = ConflictKind


def write(path: Path, content: bytes = b"picture") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def snapshot(root: Path) -> dict[str, tuple[int, ...]]:
    """All that a tree has, times of last change and of last reading of a folder's entries included."""
    return {
        str(path): (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        for path in (root, *root.rglob("*"))
        for status in [path.lstat()]
    }


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Pictures and companions, a half-sorted destination, and all kinds of trouble."""
    write(tmp_path / "in" / "a.jpg")
    write(tmp_path / "in" / "a.xmp", b"<x/>")
    write(tmp_path / "in" / "deep" / "a.jpg", b"another")
    write(tmp_path / "to" / "cats" / "a.jpg", b"before")
    write(tmp_path / "to" / "dogs", b"a file in the way")
    (tmp_path / "in" / "link.jpg").symlink_to("a.jpg")
    (tmp_path / "in" / "folder.jpg").mkdir()
    return tmp_path


def decided_of(tree: Path) -> list[Decided]:
    names = ["a.jpg", "deep/a.jpg", "link.jpg", "folder.jpg", "gone.jpg", "nowhere/b.jpg"]
    return [Decided(str(tree / "in" / name), "dogs" if "deep" in name else "cats") for name in names]


def test_each_trouble_is_told(tree: Path) -> None:
    decided = decided_of(tree)
    plan = make_plan(decided, survey(decided, str(tree / "to")), identity="0" * 32)
    assert {file.source: file.target for file in plan.files} == {
        str(tree / "in" / "a.jpg"): str(tree / "to" / "cats" / "a (2).jpg"),
        str(tree / "in" / "a.xmp"): str(tree / "to" / "cats" / "a (2).xmp"),
        str(tree / "in" / "deep" / "a.jpg"): str(tree / "to" / "dogs (2)" / "a.jpg"),
    }
    kinds = {conflict.path: conflict.kind for conflict in plan.conflicts}
    assert kinds[str(tree / "in" / "link.jpg")] is K.LINK
    assert kinds[str(tree / "in" / "folder.jpg")] is K.NOT_A_FILE
    assert kinds[str(tree / "in" / "gone.jpg")] is K.SOURCE_MISSING
    assert kinds[str(tree / "in" / "nowhere" / "b.jpg")] is K.SOURCE_MISSING
    assert kinds["dogs"] is K.SAFE_FOLDER


@pytest.fixture
def sealed(tree: Path) -> Iterator[Path]:
    """The tree, of which nothing may be written (which root may all the same)."""
    paths = [path for path in (tree, *tree.rglob("*")) if not path.is_symlink()]
    modes = {path: path.stat().st_mode for path in paths}
    for path in reversed(paths):
        path.chmod(modes[path] & ~0o222)
    yield tree
    for path in paths:
        path.chmod(modes[path])


@pytest.mark.parametrize("way", Way)
def test_a_dry_run_writes_nothing(sealed: Path, way: Way) -> None:
    """MediaDash#10: a dry run moved files anyway."""
    before = snapshot(sealed)
    decided = decided_of(sealed)
    for to in ("to", "new/deeper", "in", "in/deep", "in/a.jpg"):
        make_plan(decided, survey(decided, str(sealed / to)), way=way, identity="0" * 32)
    assert snapshot(sealed) == before


def test_a_dry_run_opens_nothing_for_writing(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_more: object) -> None:
        pytest.fail("the survey touched a file")

    for name in (
        "open",
        "mkdir",
        "makedirs",
        "rename",
        "replace",
        "unlink",
        "rmdir",
        "link",
        "symlink",
        "utime",
    ):
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr(module, "file_system", lambda _path: "")  # it reads the list of mounts
    decided = decided_of(tree)
    assert make_plan(decided, survey(decided, str(tree / "to")), identity="0" * 32).files


def test_a_relative_path_becomes_absolute(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree / "in")
    found = survey([Decided("a.jpg", "cats")], "../to")
    plan = make_plan([Decided("a.jpg", "cats")], found, identity="0" * 32)
    assert plan.root == str(tree / "to")
    assert {file.source for file in plan.files} == {str(tree / "in" / "a.jpg"), str(tree / "in" / "a.xmp")}


def test_a_destination_that_is_not_there_yet_is_judged_by_the_folder_above(tmp_path: Path) -> None:
    found = survey_destination(str(tmp_path / "new" / "deeper"), ["cats"])
    assert found.problem == ""
    assert found.device == tmp_path.stat().st_dev
    # Other programs write to the disk meanwhile.
    assert found.free == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.2)
    assert found.folders == {}


def test_a_destination_that_is_a_file_or_may_not_be_written_is_a_problem(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "is not a folder" in survey_destination(str(tree / "in" / "a.jpg" / "x")).problem
    # Root may write anywhere, so the system's answer is given here.
    monkeypatch.setattr(os, "access", lambda *_arguments: False)
    assert "cannot be written" in survey_destination(str(tree / "to")).problem


def test_unreadable_files_and_fixed_folders_are_told(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {str(tree / "in" / "a.jpg"): False, str(tree / "in" / "deep"): False}
    monkeypatch.setattr(os, "access", lambda path, _mode: answers.get(str(path), True))
    decided = decided_of(tree)
    plan = make_plan(decided, survey(decided, str(tree / "to")), way=Way.MOVE, identity="0" * 32)
    kinds = {conflict.path: conflict.kind for conflict in plan.conflicts}
    assert kinds[str(tree / "in" / "a.jpg")] is K.SOURCE_UNREADABLE
    assert kinds[str(tree / "in" / "a.xmp")] is K.GROUP_STAYS
    assert kinds[str(tree / "in" / "deep" / "a.jpg")] is K.SOURCE_FIXED


def test_only_folders_that_a_category_may_go_to_are_looked_into(tree: Path) -> None:
    for name in ("cats (2)", "CATS", "birds", "catsup"):
        (tree / "to" / name).mkdir(exist_ok=True)
    found = survey_destination(str(tree / "to"), ["Cats"])
    assert {"cats", "cats (2)", "CATS"} <= set(found.folders)
    assert "birds" not in found.folders
    assert found.names == {"dogs"}


def test_what_is_a_link_to_the_source_is_already_there(tree: Path) -> None:
    (tree / "to" / "cats" / "b.jpg").symlink_to(write(tree / "in" / "b.jpg"))
    os.link(write(tree / "in" / "c.jpg"), tree / "to" / "cats" / "c.jpg")
    (tree / "to" / "cats" / "nowhere.jpg").symlink_to("gone")
    write(tree / "in" / "nowhere.jpg")
    decided = [Decided(str(tree / "in" / f"{name}.jpg"), "cats") for name in ("b", "c", "nowhere")]
    plan = make_plan(decided, survey(decided, str(tree / "to")), identity="0" * 32)
    assert [file.target for file in plan.files] == [str(tree / "to" / "cats" / "nowhere (2).jpg")]
    assert [conflict.kind for conflict in plan.conflicts] == [K.ALREADY_THERE, K.ALREADY_THERE, K.RENAMED]


def test_a_destination_behind_a_link_is_recognised(tree: Path) -> None:
    (tree / "door").symlink_to("to")
    decided = [Decided(str(tree / "to" / "cats" / "a.jpg"), "cats")]
    plan = make_plan(decided, survey(decided, str(tree / "door")), identity="0" * 32)
    assert [conflict.kind for conflict in plan.conflicts] == [K.ALREADY_THERE]


def test_case_is_probed_by_looking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "Aa.txt")
    here = (tmp_path / "aA.TXT").exists()
    assert ignores_case(tmp_path) is here
    monkeypatch.setattr(Path, "samefile", lambda _self, _other: True)
    assert ignores_case(tmp_path) is True


def test_the_file_system_has_a_name_on_linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = "disk / ext4 rw 0 0\nstick /media/my\\040stick vfat rw 0 0\nx /media tmpfs rw 0 0\n"
    monkeypatch.setattr(Path, "read_text", lambda *_arguments, **_more: mounts)
    assert file_system("/media/my stick/pictures") == "vfat"
    assert file_system("/media/other") == "tmpfs"
    assert file_system("/mediathek") == "ext4"


def test_a_stick_is_strict_with_names_and_knows_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "file_system", lambda _path: "vfat")
    found = survey_destination(str(tmp_path))
    assert found.strict_names
    assert not found.links
