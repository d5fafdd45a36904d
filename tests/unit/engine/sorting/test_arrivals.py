"""Arrivals: whole files, once, and not our own (FolderFresh#18 "too many changes")."""

from __future__ import annotations

import errno
import os
import queue
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from watchdog.observers import Observer

from fewshot_gui.engine.sorting.arrivals import Arrivals, look_at
from fewshot_gui.engine.sorting.watch import FolderWatch, WatchError, WatchProblem


def settled(arrivals: Arrivals, now: float) -> list[str]:
    """Look at what is unseen, and return what is whole."""
    return arrivals.settled(look_at(arrivals.unseen()), now, now)


def test_a_file_is_told_once_it_has_settled_and_only_once(tmp_path: Path) -> None:
    arrivals, path = Arrivals(settle=2), tmp_path / "a.jpg"
    path.write_bytes(b"1")
    arrivals.touched(str(path))
    assert settled(arrivals, 10) == []
    assert settled(arrivals, 11) == []
    assert arrivals.waiting == 1
    assert settled(arrivals, 12) == [str(path)]
    assert settled(arrivals, 13) == []


def test_a_file_that_grows_waits(tmp_path: Path) -> None:
    arrivals, path = Arrivals(settle=2), tmp_path / "a.jpg"
    path.write_bytes(b"1")
    arrivals.touched(str(path))
    assert settled(arrivals, 0) == []
    path.write_bytes(b"12")  # and the watcher's report is late
    assert settled(arrivals, 3) == []
    arrivals.touched(str(path))
    assert settled(arrivals, 4) == []
    assert settled(arrivals, 5) == [str(path)]


def test_an_empty_file_is_still_on_its_way(tmp_path: Path) -> None:
    arrivals, path = Arrivals(settle=2), tmp_path / "a.jpg"
    path.touch()
    arrivals.touched(str(path))
    assert settled(arrivals, 0) == []
    assert settled(arrivals, 100) == []
    assert arrivals.waiting == 1


def test_a_file_that_is_gone_is_not_told(tmp_path: Path) -> None:
    arrivals, path = Arrivals(settle=2), tmp_path / "a.jpg"
    path.write_bytes(b"1")
    arrivals.touched(str(path))
    assert settled(arrivals, 0) == []
    path.unlink()
    assert settled(arrivals, 5) == []
    assert arrivals.waiting == 0
    arrivals.touched(str(path))
    assert settled(arrivals, 6) == []
    assert arrivals.waiting == 0


def test_what_is_reported_during_a_look_is_looked_at_in_the_next(tmp_path: Path) -> None:
    arrivals, path = Arrivals(settle=2), tmp_path / "a.jpg"
    looks = look_at(arrivals.unseen())
    path.write_bytes(b"1")
    arrivals.touched(str(path))
    assert arrivals.settled(looks, 0, 0) == []
    assert arrivals.unseen() == [str(path)]


def test_a_slow_answer_is_no_sign_that_a_file_is_whole(tmp_path: Path) -> None:
    arrivals, path = Arrivals(settle=2), tmp_path / "a.jpg"
    path.write_bytes(b"1")
    arrivals.touched(str(path))
    assert settled(arrivals, 0) == []
    looks = look_at(arrivals.unseen())
    assert arrivals.settled(looks, asked=0.5, now=10) == []
    assert settled(arrivals, 10.5) == [str(path)]


def test_our_own_file_that_was_reported_during_a_slow_look_is_still_ours(tmp_path: Path) -> None:
    arrivals, path = Arrivals(settle=2), tmp_path / "a.jpg"
    arrivals.ignore([str(path)], now=0)
    looks = look_at(arrivals.unseen())
    path.write_bytes(b"1")
    arrivals.touched(str(path))
    assert arrivals.settled(looks, asked=0, now=60) == []
    assert arrivals.is_ours(str(path))
    assert settled(arrivals, 60.5) == []
    assert arrivals.waiting == 0


def test_a_raw_file_waits_for_the_jpeg_that_its_camera_writes_after_it(tmp_path: Path) -> None:
    arrivals = Arrivals(settle=2)
    alone, pair, jpeg = (tmp_path / name for name in ("a.NEF", "B.cr2", "b.JPG"))
    for path in (alone, pair):
        path.write_bytes(b"1")
        arrivals.touched(str(path))
    assert settled(arrivals, 0) == []
    assert settled(arrivals, 2) == []
    jpeg.write_bytes(b"2")
    arrivals.touched(str(jpeg))
    assert settled(arrivals, 3) == []
    assert settled(arrivals, 5) == [str(jpeg)]
    assert settled(arrivals, 6) == [str(alone)]
    assert arrivals.waiting == 0


def test_our_own_operations_are_ignored_for_a_while(tmp_path: Path) -> None:
    arrivals, path = Arrivals(settle=2), tmp_path / "a.jpg"
    arrivals.ignore([str(path)], now=0)
    path.write_bytes(b"1")
    arrivals.touched(str(path))
    assert settled(arrivals, 1) == []
    assert arrivals.waiting == 0
    assert settled(arrivals, 30) == []
    arrivals.touched(str(path))
    assert settled(arrivals, 31) == []
    assert settled(arrivals, 40) == [str(path)]


def test_a_thousand_reports_of_a_thousand_files_are_one_batch(tmp_path: Path) -> None:
    arrivals = Arrivals(settle=2)
    paths = [str(tmp_path / f"{number:04}.jpg") for number in range(1000)]
    for path in paths:
        Path(path).write_bytes(b"1")
    for _ in range(3):
        for path in paths:
            arrivals.touched(path)
    assert arrivals.unseen() == paths
    assert arrivals.settled(look_at(paths), 0, 0) == []
    assert settled(arrivals, 2) == paths


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.floats(0.1, 3)), max_size=30))
def test_every_file_that_stays_is_told_at_last(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, bool, float]]
) -> None:
    folder, arrivals, now = tmp_path_factory.mktemp("watch"), Arrivals(settle=2), 0.0
    told: set[str] = set()
    for number, write, seconds in steps:
        path = folder / f"{number}.jpg"
        if write:
            path.write_bytes(path.read_bytes() + b"x" if path.exists() else b"x")
        else:
            path.unlink(missing_ok=True)
            told.discard(str(path))
        arrivals.touched(str(path))
        now += seconds
        told |= set(settled(arrivals, now))
    now += 2.1
    told |= set(settled(arrivals, now)) | set(settled(arrivals, now + 2.1))
    assert {str(path) for path in folder.iterdir()} <= told


def next_call(calls: queue.Queue[Callable[[], None]]) -> None:
    calls.get(timeout=10)()


def test_the_system_reports_pictures_and_nothing_else(tmp_path: Path) -> None:
    calls: queue.Queue[Callable[[], None]] = queue.Queue()
    seen: list[str] = []
    watch = FolderWatch(str(tmp_path), calls.put, seen.append)
    try:
        (tmp_path / "notes.txt").write_text("x")
        (tmp_path / "a.jpg").write_bytes(b"x")
        next_call(calls)
        (tmp_path / "c.NEF").write_bytes(b"x")
        (tmp_path / "sub").mkdir()
        (tmp_path / "part.crdownload").write_bytes(b"x")
        (tmp_path / "part.crdownload").rename(tmp_path / "b.png")
        while str(tmp_path / "b.png") not in seen:
            next_call(calls)
    finally:
        watch.close()
    assert set(seen) == {str(tmp_path / "a.jpg"), str(tmp_path / "b.png"), str(tmp_path / "c.NEF")}


def test_what_is_hidden_and_what_keeps_its_bytes_is_not_reported(tmp_path: Path) -> None:
    """macOS puts ._a.jpg beside a.jpg on other disks, and sync programs tag pictures of years ago."""
    old, other = tmp_path / "old.jpg", tmp_path / "other.jpg"
    for path in (old, other):
        path.write_bytes(b"x")
    (tmp_path / ".Trash-0").mkdir()
    calls: queue.Queue[Callable[[], None]] = queue.Queue()
    seen: list[str] = []
    watch = FolderWatch(str(tmp_path), calls.put, seen.append)
    try:
        old.chmod(0o600)
        os.utime(old, (1, 1))
        (tmp_path / "._new.jpg").write_bytes(b"x")
        other.rename(tmp_path / ".Trash-0" / "other.jpg")
        (tmp_path / "last.jpg").write_bytes(b"x")
        while str(tmp_path / "last.jpg") not in seen:
            next_call(calls)
    finally:
        watch.close()
    assert set(seen) == {str(other), str(tmp_path / "last.jpg")}


def test_a_folder_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(WatchError) as told:
        FolderWatch(str(tmp_path / "gone"), queue.Queue[Callable[[], None]]().put, print)
    assert (told.value.problem, told.value.folder) == (WatchProblem.MISSING, str(tmp_path / "gone"))


def test_a_system_that_watches_no_more_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_observer: object) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    monkeypatch.setattr(Observer, "start", full)
    with pytest.raises(WatchError) as told:
        FolderWatch(str(tmp_path), queue.Queue[Callable[[], None]]().put, print)
    assert (told.value.problem, told.value.detail) == (WatchProblem.REFUSED, "inotify watch limit reached")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_folder_behind_a_link_is_watched_under_its_own_name(tmp_path: Path) -> None:
    """~/Pictures on another disk is such a link, and the link itself was watched."""
    (tmp_path / "disk").mkdir()
    link = tmp_path / "Pictures"
    link.symlink_to(tmp_path / "disk", target_is_directory=True)
    calls: queue.Queue[Callable[[], None]] = queue.Queue()
    seen: list[str] = []
    watch = FolderWatch(str(link), calls.put, seen.append)
    try:
        (tmp_path / "disk" / "a.jpg").write_bytes(b"x")
        next_call(calls)
    finally:
        watch.close()
    assert set(seen) == {str(link / "a.jpg")}
