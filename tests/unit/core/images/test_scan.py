"""The pictures in a folder."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.images.problems import ImageProblem, ProblemKind
from fewshot_gui.core.images.scan import PICTURE_SUFFIXES, class_folders, is_picture, natural_key, scan_folder

if TYPE_CHECKING:
    from collections.abc import Callable

links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Return what makes files of three bytes, by their paths below one folder, and returns the folder."""

    def make_files(*names: str) -> Path:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"abc")
        return tmp_path

    return make_files


def names(root: Path, **options: Any) -> list[str]:
    """Return the paths of the scan, relative to `root`."""
    return [Path(file.path).relative_to(root).as_posix() for file in scan_folder(root, **options)]


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    problems: list[ImageProblem] = []
    assert names(tmp_path, on_problem=problems.append) == []
    assert class_folders(tmp_path) == {}
    assert not problems


def test_files_come_in_natural_order_and_before_folders(make: Callable[..., Path]) -> None:
    root = make(
        "img10.jpg", "img2.jpg", "IMG1.JPG", "b/x.png", "b/deep/y.png", "a10/1.png", "a9/1.png", "z.gif"
    )
    assert names(root) == [
        *("IMG1.JPG", "img2.jpg", "img10.jpg", "z.gif"),
        *("a9/1.png", "a10/1.png", "b/x.png", "b/deep/y.png"),
    ]


def test_folders_are_left_out_where_not_wanted(make: Callable[..., Path]) -> None:
    assert names(make("a.jpg", "b/c.jpg"), recursive=False) == ["a.jpg"]


def test_size_and_time_are_those_of_the_file(make: Callable[..., Path]) -> None:
    root = make("a.jpg")
    os.utime(root / "a.jpg", ns=(1, 1_600_000_000_123_456_700))
    (file,) = scan_folder(str(root))
    assert (file.path, file.size, file.mtime_ns) == (str(root / "a.jpg"), 3, 1_600_000_000_123_456_700)


@pytest.mark.parametrize("suffix", sorted(PICTURE_SUFFIXES))
def test_every_suffix_counts_in_either_case(suffix: str, make: Callable[..., Path]) -> None:
    root = make(f"a{suffix}", f"B{suffix.upper()}", f"c{suffix.title()}")
    assert names(root) == [f"a{suffix}", f"B{suffix.upper()}", f"c{suffix.title()}"]


@pytest.mark.parametrize("name", ["a.txt", "jpg", "a.jpg.part", "a.jpgx", "Thumbs.db", "a.mp4", "a.jpg~", ""])
def test_other_names_are_no_pictures(name: str) -> None:
    assert not is_picture(name)
    assert not is_picture(Path(name))


def test_hidden_files_and_folders_are_skipped(make: Callable[..., Path]) -> None:
    assert names(make(".hidden.jpg", "._a.jpg", ".trash/b.jpg", "a.jpg", "b/.git/c.jpg")) == ["a.jpg"]


def test_a_hidden_folder_is_scanned_where_it_is_asked_for(make: Callable[..., Path]) -> None:
    assert names(make(".mine/a.jpg") / ".mine") == ["a.jpg"]


def test_a_folder_named_like_a_picture_is_a_folder(make: Callable[..., Path]) -> None:
    assert names(make("album.jpg/a.png")) == ["album.jpg/a.png"]


@pytest.mark.parametrize(
    "name", ["Žluťoučký kůň/写真.jpg", "🐈/🐕‍🦺.png", 'a b/c\'d "e"/%20#.jpg', "a\u0301/é.jpg"]
)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows takes no quotation marks")
def test_any_name_is_found(name: str, make: Callable[..., Path]) -> None:
    assert names(make(name)) == [name]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes names that are no Unicode")
def test_a_name_that_is_no_unicode_is_found(make: Callable[..., Path]) -> None:
    root = make("a.jpg")
    Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9.jpg")).touch()
    assert len(names(root)) == 2


def test_fifty_folders_deep_is_found(make: Callable[..., Path]) -> None:
    deep = "/".join(["d"] * 50) + "/a.jpg"
    assert names(make(deep)) == [deep]


@links
def test_loops_of_links_are_cut(make: Callable[..., Path]) -> None:
    root = make("a.jpg", "b/c.jpg", "d/e.jpg")
    (root / "b" / "up").symlink_to(root, target_is_directory=True)
    (root / "b" / "self").symlink_to(root / "b", target_is_directory=True)
    (root / "d" / "other").symlink_to(root / "b", target_is_directory=True)
    (root / "loop").symlink_to(root / "loop")
    (root / "loop.jpg").symlink_to(root / "loop.jpg")
    problems: list[ImageProblem] = []
    assert names(root, on_problem=problems.append) == ["a.jpg", "b/c.jpg", "d/e.jpg"]
    assert [problem.path for problem in problems] == [str(root / "loop.jpg")]


@links
def test_a_folder_behind_two_links_is_listed_once(make: Callable[..., Path], tmp_path: Path) -> None:
    make("far/a.jpg")
    root = tmp_path / "root"
    root.mkdir()
    for name in ("one", "two"):
        (root / name).symlink_to(tmp_path / "far", target_is_directory=True)
    assert names(root) == ["one/a.jpg"]


@links
def test_a_link_to_a_picture_is_a_picture_and_a_broken_one_a_problem(make: Callable[..., Path]) -> None:
    root = make("a.jpg")
    (root / "b.jpg").symlink_to(root / "a.jpg")
    (root / "c.jpg").symlink_to(root / "gone.jpg")
    problems: list[ImageProblem] = []
    assert names(root, on_problem=problems.append) == ["a.jpg", "b.jpg"]
    assert [(problem.kind, problem.path) for problem in problems] == [
        (ProblemKind.MISSING, str(root / "c.jpg"))
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes in folders")
def test_a_pipe_is_no_picture(make: Callable[..., Path]) -> None:
    root = make("a.jpg")
    os.mkfifo(root / "pipe.jpg")
    assert names(root) == ["a.jpg"]


def test_an_unreadable_folder_is_reported_and_the_rest_goes_on(
    make: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make("a/1.jpg", "locked/2.jpg", "z/3.jpg")
    scandir = os.scandir

    def refuse(folder: str) -> Any:
        if folder.endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    problems: list[ImageProblem] = []
    assert names(root, on_problem=problems.append) == ["a/1.jpg", "z/3.jpg"]
    assert [(problem.kind, problem.path) for problem in problems] == [
        (ProblemKind.NO_PERMISSION, str(root / "locked"))
    ]
    assert "Permission denied" in str(problems[0])
    assert names(root) == ["a/1.jpg", "z/3.jpg"]


def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    problems: list[ImageProblem] = []
    assert names(tmp_path / "gone", on_problem=problems.append) == []
    assert problems[0].kind is ProblemKind.MISSING


def test_a_file_is_no_folder(make: Callable[..., Path]) -> None:
    problems: list[ImageProblem] = []
    assert names(make("a.jpg") / "a.jpg", on_problem=problems.append) == []
    assert problems[0].path.endswith("a.jpg")


def test_a_cancelled_scan_ends_before_the_next_file(make: Callable[..., Path]) -> None:
    root = make(*(f"{folder}/{number}.jpg" for folder in "abc" for number in range(5)))
    found: list[str] = []
    found.extend(file.path for file in scan_folder(root, cancelled=lambda: len(found) == 7))
    assert len(found) == 7


def test_a_cancelled_scan_ends_in_folders_without_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, it went through all of them: it only asked before a picture."""
    for name in "abc":
        (tmp_path / name / "deep").mkdir(parents=True)
    scandir, listed = os.scandir, list[str]()

    def note(folder: str) -> Any:
        listed.append(folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", note)
    assert list(scan_folder(tmp_path, cancelled=lambda: len(listed) == 2)) == []
    assert listed == [str(tmp_path), str(tmp_path / "a")]


@links
def test_folders_that_a_drive_does_not_number_are_told_apart_by_their_path(
    make: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, all but the first counted as listed already."""
    root = make("a.jpg", "b/c.jpg", "d/e.jpg")
    (root / "d" / "up").symlink_to(root, target_is_directory=True)
    stat = os.stat

    def unnumbered(path: str) -> os.stat_result:
        values = list(stat(path))
        values[1] = 0  # st_ino
        return os.stat_result(values)

    with monkeypatch.context() as patch:
        patch.setattr("fewshot_gui.core.images.scan.os.stat", unnumbered)
        found = names(root)
    assert found == ["a.jpg", "b/c.jpg", "d/e.jpg"]


def test_a_scan_begins_with_its_first_file(
    make: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make("a.jpg", "b/c.jpg")
    scan = scan_folder(root)
    assert next(scan).path == str(root / "a.jpg")
    monkeypatch.setattr(os, "scandir", None)  # the folder below is not listed before it is its turn
    with pytest.raises(TypeError):
        next(scan)


def test_classes_are_the_folders_that_directly_hold_pictures(make: Callable[..., Path]) -> None:
    root = make(
        "loose.jpg", "cats/1.jpg", "cats/kittens/1.jpg", "dogs/deep/2.jpg", "dogs/deep/10.jpg", "texts/a.txt"
    )
    classes = class_folders(root)
    assert list(classes) == ["cats", "cats/kittens", "dogs/deep"]
    assert [Path(file.path).name for file in classes["dogs/deep"]] == ["2.jpg", "10.jpg"]


@pytest.mark.parametrize("form", [str, Path, lambda root: f"{root}/", lambda root: f"{root}/./"])
def test_the_name_of_a_class_does_not_depend_on_how_the_root_is_written(
    form: Callable[[Path], str | Path], make: Callable[..., Path]
) -> None:
    assert list(class_folders(form(make("a/b/1.jpg", "c/1.jpg")))) == ["a/b", "c"]


def test_classes_below_the_present_folder(make: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(make("a/1.jpg", "loose.jpg"))
    assert list(class_folders(".")) == ["a"]


def test_class_folders_hand_on_problems_and_cancelling(make: Callable[..., Path]) -> None:
    root = make("a/1.jpg")
    problems: list[ImageProblem] = []
    class_folders(root / "gone", on_problem=problems.append)
    assert len(problems) == 1
    assert class_folders(root, cancelled=lambda: True) == {}


def test_a_clock_that_says_2300_is_taken_for_the_last_moment_that_a_database_holds(
    make: Callable[..., Path],
) -> None:
    root = make("1.jpg")
    os.utime(root / "1.jpg", ns=(10**19, 10**19))
    if (root / "1.jpg").stat().st_mtime_ns < 2**63:
        pytest.skip("this file system has no such moment")
    assert [file.mtime_ns for file in scan_folder(root)] == [2**63 - 1]


@given(st.lists(st.text(max_size=12)))
def test_any_names_can_be_put_in_natural_order(some: list[str]) -> None:
    ordered = sorted(some, key=natural_key)
    assert sorted(ordered[-3:] + ordered[:-3], key=natural_key) == ordered


@given(st.lists(st.integers(0, 10**20), unique=True))
def test_numbers_in_names_count_as_numbers(numbers: list[int]) -> None:
    ordered = sorted((f"Picture {number} (copy).jpg" for number in numbers), key=natural_key)
    assert ordered == [f"Picture {number} (copy).jpg" for number in sorted(numbers)]


@given(st.lists(st.text(alphabet="aAb. -_é0123456789", max_size=8)))
def test_the_order_is_that_of_words_and_numbers_in_turn(names: list[str]) -> None:
    def parts(name: str) -> tuple[list[str | int], str]:
        cut = re.split(r"([0-9]+)", name.casefold())
        return [int(part) if index % 2 else part for index, part in enumerate(cut)], name

    assert sorted(names, key=natural_key) == sorted(names, key=parts)


@given(st.text(alphabet="aAbB01.", max_size=8), st.sampled_from(sorted(PICTURE_SUFFIXES)))
def test_a_suffix_alone_decides(stem: str, suffix: str) -> None:
    assert is_picture(stem + suffix)
    assert is_picture((stem + suffix).upper())
    assert not is_picture(stem + suffix + "_")
