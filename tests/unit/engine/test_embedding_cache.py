"""The embedding cache: found again by content, never wrong, and never in the way."""

from __future__ import annotations

import errno
import multiprocessing
import os
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine.cache import HEADER, EmbeddingCache

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

KEY = "0123456789abcdef-1"


def ids(*numbers: int) -> list[PictureId]:
    return [PictureId(f"{number:032x}") for number in numbers]


def vectors(*numbers: int, dimension: int = 5) -> NDArray[np.float32]:
    """Return an embedding for each number that tells which it is of."""
    return np.array(numbers, np.float32)[:, None] + np.arange(dimension, dtype=np.float32) / 8


class Reports(list[tuple[str, str, str]]):
    def __call__(self, path: str, kind: str, detail: str) -> None:
        self.append((path, kind, detail))

    @property
    def kinds(self) -> list[str]:
        return [kind for _path, kind, _detail in self]


@pytest.fixture
def reports() -> Reports:
    return Reports()


def opened(folder: Path, reports: Reports | None = None, **options: int) -> EmbeddingCache:
    return EmbeddingCache(folder, reports if reports is not None else pytest.fail, **options)


def stored(folder: Path, *numbers: int, key: str = KEY) -> None:
    cache = opened(folder)
    cache.add(key, ids(*numbers), vectors(*numbers))
    cache.close()


def assert_finds(cache: EmbeddingCache, wanted: Sequence[int], there: Sequence[int], key: str = KEY) -> None:
    positions, embeddings = cache.find(key, ids(*wanted))
    assert [wanted[at] for at in positions] == list(there)
    if there:
        np.testing.assert_array_equal(embeddings, vectors(*there))
        assert embeddings.dtype == np.float32


def test_embeddings_are_found_before_and_after_they_are_written(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    cache.add(KEY, ids(3, 1), vectors(3, 1))
    assert_finds(cache, [1, 2, 3], [1, 3])
    cache.flush()
    assert_finds(cache, [1, 2, 3], [1, 3])
    cache.add(KEY, ids(2), vectors(2))
    assert_finds(cache, [1, 2, 3, 4], [1, 2, 3])
    cache.close()
    cache = opened(tmp_path)
    assert_finds(cache, [4, 3, 2, 1], [3, 2, 1])
    cache.close()


def test_embeddings_come_back_bit_for_bit(tmp_path: Path) -> None:
    exact = np.random.default_rng(0).normal(size=(40, 64)).astype(np.float32)
    cache = opened(tmp_path)
    cache.add(KEY, ids(*range(40)), exact)
    cache.close()
    cache = opened(tmp_path)
    assert cache.find(KEY, ids(*range(40)))[1].tobytes() == exact.tobytes()
    cache.close()


def test_backbones_do_not_mix(tmp_path: Path) -> None:
    stored(tmp_path, 1, 2)
    cache = opened(tmp_path)
    assert_finds(cache, [1, 2], [], key="0123456789abcdef-2")
    assert cache.find("another", [])[1].shape == (0, 0)
    cache.close()


def test_same_picture_is_stored_once(tmp_path: Path) -> None:
    for _ in range(3):
        stored(tmp_path, 1, 2)
    assert (tmp_path / f"{KEY}.f32").stat().st_size == HEADER + 2 * 5 * 4


def test_many_rows_are_written_without_being_asked(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    cache.add(KEY, ids(*range(600)), vectors(*range(600)))
    assert (tmp_path / f"{KEY}.f32").stat().st_size == HEADER + 600 * 5 * 4
    cache.close()


def test_result_is_a_copy_and_no_map_of_the_file(tmp_path: Path) -> None:
    stored(tmp_path, 1)
    cache = opened(tmp_path)
    embeddings = cache.find(KEY, ids(1))[1]
    assert type(embeddings) is np.ndarray
    embeddings[:] = 0
    assert_finds(cache, [1], [1])
    cache.close()


def test_unchanged_file_is_known_without_reading_it(tmp_path: Path) -> None:
    same, changed = PictureFile("/a/ü.jpg", 10, 1), PictureFile("/a/ü.jpg", 10, 2)
    cache = opened(tmp_path)
    cache.remember_id(same, ids(7)[0])
    assert cache.known_ids([same, changed]) == [ids(7)[0], None]
    cache.close()
    cache = opened(tmp_path)
    assert cache.known_ids([changed, same, PictureFile("/b", 10, 1)]) == [None, ids(7)[0], None]
    cache.remember_id(changed, ids(8)[0])
    cache.flush()
    assert cache.known_ids([same, changed]) == [None, ids(8)[0]]
    cache.close()


def test_path_that_is_no_unicode_can_be_remembered(tmp_path: Path) -> None:
    file = PictureFile(os.fsdecode(b"/a/\xff\xfe.jpg"), 10, 1)
    cache = opened(tmp_path)
    cache.remember_id(file, ids(1)[0])
    cache.flush()
    assert cache.known_ids([file]) == ids(1)
    cache.close()


def test_crash_before_the_index_was_written_costs_only_the_last_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reports: Reports
) -> None:
    stored(tmp_path, 1, 2)
    cache = opened(tmp_path, reports)
    cache.add(KEY, ids(3), vectors(3))
    with monkeypatch.context() as patch:
        patch.setattr("fewshot_gui.engine.cache_index.CacheIndex.put_rows", _crash)
        with pytest.raises(KeyboardInterrupt):
            cache.flush()
    assert cache._index is not None
    cache._index.close()
    # The file is longer than the index knows; the next rows are laid over what the crash left.
    assert (tmp_path / f"{KEY}.f32").stat().st_size == HEADER + 3 * 5 * 4
    stored(tmp_path, 4)
    cache = opened(tmp_path)
    assert_finds(cache, [1, 2, 3, 4], [1, 2, 4])
    cache.close()


def _crash(*_values: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("damage", ["truncated", "emptied", "foreign", "removed"])
def test_damaged_embeddings_are_computed_again(tmp_path: Path, damage: str) -> None:
    stored(tmp_path, 1, 2, 3)
    path = tmp_path / f"{KEY}.f32"
    match damage:
        case "truncated":
            path.write_bytes(path.read_bytes()[:-4])
        case "emptied":
            path.write_bytes(b"")
        case "foreign":
            path.write_bytes(b"somebody else's file, which is long enough" * 10)
        case _:
            path.unlink()
    cache = opened(tmp_path)
    assert_finds(cache, [1, 2, 3], [])
    cache.add(KEY, ids(2), vectors(2))
    cache.close()
    cache = opened(tmp_path)
    assert_finds(cache, [1, 2, 3], [2])
    cache.close()


@pytest.mark.parametrize(
    "content", [b"this is no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_damaged_index_is_set_aside_and_built_anew(tmp_path: Path, reports: Reports, content: bytes) -> None:
    stored(tmp_path, 1)
    (tmp_path / "index.sqlite").write_bytes(content)
    cache = opened(tmp_path, reports)
    assert reports.kinds == ["cache-rebuilt"]
    assert (tmp_path / "index.damaged").read_bytes() == content
    assert_finds(cache, [1], [])
    cache.add(KEY, ids(1), vectors(1))
    cache.close()
    cache = opened(tmp_path)
    assert_finds(cache, [1], [1])
    cache.close()


def test_database_of_another_program_is_set_aside(tmp_path: Path, reports: Reports) -> None:
    with sqlite3.connect(tmp_path / "index.sqlite") as database:
        database.execute("CREATE TABLE theirs (value)")
    database.close()
    cache = opened(tmp_path, reports)
    assert reports.kinds == ["cache-rebuilt"]
    assert cache.on
    cache.close()
    theirs = sqlite3.connect(tmp_path / "index.damaged")
    assert theirs.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    theirs.close()


def test_folder_that_cannot_be_made_turns_the_cache_off(tmp_path: Path, reports: Reports) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = opened(tmp_path / "file", reports)
    assert not cache.on
    assert reports.kinds == ["cache-off"]
    cache.add(KEY, ids(1), vectors(1))
    cache.remember_id(PictureFile("/a", 1, 1), ids(1)[0])
    cache.flush()
    assert_finds(cache, [1], [])
    assert cache.known_ids([PictureFile("/a", 1, 1)]) == [None]
    cache.close()
    assert len(reports) == 1


def test_read_only_database_is_read_and_turned_off_at_the_first_write(
    tmp_path: Path, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(tmp_path, 1)
    connect = sqlite3.connect

    def read_only(path: Path, **options: object) -> sqlite3.Connection:
        return connect(f"{path.as_uri()}?mode=ro", uri=True, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(sqlite3, "connect", read_only)
    cache = opened(tmp_path, reports)
    assert_finds(cache, [1, 2], [1])
    cache.add(KEY, ids(2), vectors(2))
    cache.flush()
    assert not cache.on
    assert reports.kinds == ["cache-off"]
    assert not (tmp_path / "index.damaged").exists()


def test_full_disk_turns_the_cache_off_once_and_keeps_what_was_there(
    tmp_path: Path, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(tmp_path, 1)
    cache = opened(tmp_path, reports)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        for number in range(3):
            cache.add(KEY, ids(number), vectors(number))
            cache.flush()
    assert not cache.on
    assert reports.kinds == ["cache-off"]
    cache.close()
    cache = opened(tmp_path)
    assert_finds(cache, [0, 1, 2], [1])
    cache.close()


def test_index_found_damaged_later_is_built_anew_at_the_next_start(
    tmp_path: Path, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(tmp_path, 1)
    cache = opened(tmp_path, reports)

    def malformed(*_values: object) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    with monkeypatch.context() as patch:
        patch.setattr("fewshot_gui.engine.cache_index.CacheIndex.rows_of", malformed)
        assert_finds(cache, [1], [])
    assert reports.kinds == ["cache-off"]
    cache = opened(tmp_path)
    assert cache.on
    assert_finds(cache, [1], [])
    cache.close()


def test_index_that_cannot_be_read_knows_no_file(
    tmp_path: Path, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = opened(tmp_path, reports)

    def locked(*_values: object) -> None:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr("fewshot_gui.engine.cache_index.CacheIndex.known_ids", locked)
    assert cache.known_ids([PictureFile("/a", 1, 1)]) == [None]
    assert reports.kinds == ["cache-off"]
    assert (tmp_path / "index.sqlite").exists()


def test_store_that_another_process_has_open_is_cleared_away_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(tmp_path, 1)
    (tmp_path / "left.f32").write_bytes(b"by a crash")

    def in_use(*_values: object, **_options: object) -> None:
        raise PermissionError(errno.EACCES, "in use")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.unlink", in_use)
        stored(tmp_path, 2)
    assert (tmp_path / "left.f32").exists()
    stored(tmp_path, 3)
    assert not (tmp_path / "left.f32").exists()


def test_backbone_unused_for_longest_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1, 1000))
    monkeypatch.setattr(time, "time", lambda: next(clock))
    size = HEADER + 10 * 5 * 4
    for key in ("old", "older", "new"):
        stored(tmp_path, *range(10), key=key)
    cache = opened(tmp_path, limit_bytes=3 * size)
    assert_finds(cache, [1], [1], key="old")  # being looked up is a use
    cache.close()
    cache = opened(tmp_path, limit_bytes=3 * size)
    cache.add("newest", ids(*range(10)), vectors(*range(10)))
    cache.close()
    assert {path.stem for path in tmp_path.glob("*.f32")} == {"old", "new", "newest"}
    cache = opened(tmp_path)
    assert_finds(cache, [1], [], key="older")
    assert_finds(cache, [1], [1], key="new")
    cache.close()


def test_one_backbone_alone_stays_within_the_limit(tmp_path: Path) -> None:
    limit = HEADER + 10 * 5 * 4
    cache = opened(tmp_path, limit_bytes=limit)
    for start in range(0, 40, 10):
        cache.add(KEY, ids(*range(start, start + 10)), vectors(*range(start, start + 10)))
        cache.flush()
    assert (tmp_path / f"{KEY}.f32").stat().st_size <= limit
    assert_finds(cache, [1, 11], [1])
    cache.close()


def test_files_that_the_index_does_not_know_are_cleared_away(tmp_path: Path) -> None:
    stored(tmp_path, 1)
    (tmp_path / "left.f32").write_bytes(b"by a crash")
    stored(tmp_path, 2)
    assert [path.name for path in tmp_path.glob("*.f32")] == [f"{KEY}.f32"]


def test_backbone_of_another_dimension_starts_a_new_file(tmp_path: Path) -> None:
    stored(tmp_path, 1)
    cache = opened(tmp_path)
    cache.add(KEY, ids(2), vectors(2, dimension=9))
    cache.flush()
    positions, embeddings = cache.find(KEY, ids(1, 2))
    assert positions.tolist() == [1]
    assert embeddings.shape == (1, 9)
    cache.close()


def _write_from_another_process(folder: Path, first: int) -> None:
    cache = EmbeddingCache(folder, lambda *problem: pytest.fail(str(problem)))
    for number in range(first, first + 40):
        cache.add(KEY, ids(number), vectors(number))
        cache.flush()
    cache.close()


def test_two_processes_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    # They overlap: twenty pictures are embedded by both.
    others = [
        context.Process(target=_write_from_another_process, args=(tmp_path, first)) for first in (0, 20)
    ]
    for process in others:
        process.start()
    for process in others:
        process.join(60)
        assert process.exitcode == 0
    cache = opened(tmp_path)
    assert_finds(cache, range(60), range(60))
    cache.close()


def test_threads_may_share_a_cache(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    wrong: list[int] = []

    def write(first: int) -> None:
        for number in range(first, first + 100):
            cache.add(KEY, ids(number), vectors(number))
            positions, embeddings = cache.find(KEY, ids(number, first))
            if len(positions) != 2 or not np.array_equal(embeddings, vectors(number, first)):
                wrong.append(number)
            if number % 10 == 0:
                cache.flush()

    threads = [threading.Thread(target=write, args=(first,)) for first in (0, 1000, 2000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    cache.close()


def test_hundred_thousand_pictures_are_looked_up_within_a_second(tmp_path: Path) -> None:
    count = 100_000
    names = ids(*range(1, count + 1))
    files = [
        PictureFile(f"/pictures/{number // 1000}/{number}.jpg", number, number) for number in range(count)
    ]
    cache = opened(tmp_path)
    cache.add(KEY, names, np.ones((count, 16), np.float32))
    for file, name in zip(files, names, strict=True):
        cache.remember_id(file, name)
    cache.close()
    cache = opened(tmp_path)
    start = time.process_time()  # what others do on this machine does not count
    assert cache.known_ids(files) == names
    positions, _embeddings = cache.find(KEY, names)
    seconds = time.process_time() - start
    assert len(positions) == count
    assert seconds < 3  # the bar is one, on a faster processor than some
    cache.close()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.just("add"), st.sampled_from("ab"), st.lists(st.integers(0, 12), min_size=1, max_size=6)
            ),
            st.tuples(st.sampled_from(["flush", "reopen"])),
        ),
        max_size=12,
    )
)
def test_what_was_added_is_found_whatever_happens_between(
    tmp_path_factory: pytest.TempPathFactory, operations: list[tuple[object, ...]]
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    cache, model = opened(folder), {"a": set[int](), "b": set[int]()}
    for operation in operations:
        match operation:
            case ("add", str(key), list(numbers)):
                cache.add(key, ids(*numbers), vectors(*numbers))
                model[key].update(numbers)
            case ("flush",):
                cache.flush()
            case _:
                cache.close()
                cache = opened(folder)
        for key, numbers in model.items():
            assert_finds(cache, range(13), sorted(numbers), key=key)
    cache.close()


@pytest.mark.parametrize("path", ["/p/\udcff.jpg", "C:/p/\ud800.jpg"])  # as Linux and Windows say no Unicode
def test_a_name_that_is_no_unicode_is_remembered(tmp_path: Path, path: str) -> None:
    cache = EmbeddingCache(tmp_path, lambda *_: None)
    odd = PictureFile(path, 1, 1)
    cache.remember_id(odd, PictureId("0" * 32))
    cache.flush()
    assert cache.on
    assert cache.known_ids([odd]) == [PictureId("0" * 32)]
    cache.close()
