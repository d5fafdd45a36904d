"""The library: embeddings of many files, from the cache or computed, whatever is among them."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fewshot_gui.core.backbones.bundle import BundleError
from fewshot_gui.core.images.identity import PictureId, file_id
from fewshot_gui.core.images.problems import ImageProblem, ProblemKind
from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine import indexing
from fewshot_gui.engine.library import EmbeddedBatch, Library, decode_threads
from fewshot_gui.engine.problems import ProblemLog
from fewshot_gui.engine.worker import Job, Priority, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from fewshot_gui.engine.worker import CancelToken
    from tests.unit.engine.conftest import FakeBackbone, MainThread

Colour = tuple[int, int, int]


class Desk:
    """A library on two lanes, and what it has delivered."""

    def __init__(
        self, main: MainThread, lane: Callable[..., Worker], folder: Path, backbone: FakeBackbone
    ) -> None:
        self.main, self.backbone = main, backbone
        self.decode, self.model = lane("decode", threads=2), lane("model")
        self.problems = ProblemLog()
        self.loaded: list[str] = []
        self.version = ""
        self.replace_while_embedding = False
        self.library = Library(
            main,
            self.decode,
            self.model,
            folder,
            self.problems,
            load=self.load,
            describe=lambda name: replace(backbone, hash=f"hash-of-{name}{self.version}"),
        )
        self.batches: list[EmbeddedBatch] = []
        self.unreadable: list[int] | None = None

    def load(self, name: str) -> FakeBackbone:
        self.loaded.append(f"{name} in {threading.current_thread().name}")
        if self.replace_while_embedding:
            self.version = ", another one"
        return self.backbone

    def start(self, files: Sequence[PictureFile], backbone: str = "fake") -> Job:
        self.batches, self.unreadable = [], None
        return self.library.embed_files(files, backbone, "cpu", self.batches.append, self.done)

    def done(self, unreadable: list[int]) -> None:
        assert self.unreadable is None, "told twice"
        self.unreadable = unreadable

    def embed(self, files: Sequence[PictureFile], backbone: str = "fake") -> dict[int, NDArray[np.float32]]:
        """Return the embedding of each position, once all have arrived."""
        self.start(files, backbone)
        self.main.run_until(lambda: self.unreadable is not None)
        return self.embedded()

    def embedded(self) -> dict[int, NDArray[np.float32]]:
        found: dict[int, NDArray[np.float32]] = {}
        for batch in self.batches:
            assert len(batch.positions) == len(batch.ids) == len(batch.embeddings)
            for position, embedding in zip(batch.positions, batch.embeddings, strict=True):
                assert position not in found
                found[position] = embedding
        return found

    def finish(self) -> None:
        self.main.finish(self.decode, self.model)


@pytest.fixture
def desk(
    main: MainThread, lane: Callable[..., Worker], tmp_path: Path, backbone: FakeBackbone
) -> Iterator[Desk]:
    desk = Desk(main, lane, tmp_path / "cache", backbone)
    yield desk
    desk.library.close()


@pytest.fixture
def reopened(
    main: MainThread, lane: Callable[..., Worker], tmp_path: Path, backbone: FakeBackbone
) -> Iterator[Callable[[Desk], Desk]]:
    """Close a library and open another on the same cache, as a restart would."""
    later: list[Desk] = []

    def reopen(desk: Desk) -> Desk:
        desk.finish()
        desk.library.close()
        backbone.batches.clear()
        later.append(Desk(main, lane, tmp_path / "cache", backbone))
        return later[-1]

    yield reopen
    for desk in later:
        desk.library.close()


def assert_colours(found: dict[int, NDArray[np.float32]], expected: dict[int, Colour]) -> None:
    assert sorted(found) == sorted(expected)
    for position, colour in expected.items():
        np.testing.assert_allclose(found[position], colour, atol=0.5)


def test_each_file_gets_the_embedding_of_its_own_content(
    desk: Desk, paint: Callable[..., list[PictureFile]], colours: Callable[[int], Colour]
) -> None:
    files = paint(100)
    assert_colours(desk.embed(files), {number: colours(number) for number in range(100)})
    assert desk.unreadable == []
    assert sum(desk.backbone.batches) == 100
    assert max(desk.backbone.batches) <= 32
    ids = {at: name for batch in desk.batches for at, name in zip(batch.positions, batch.ids, strict=True)}
    assert ids[42] == file_id(files[42].path)


def test_no_files_are_done_at_once(desk: Desk) -> None:
    assert desk.embed([]) == {}
    assert desk.unreadable == []
    assert desk.loaded == []


def test_broken_files_are_listed_and_the_rest_goes_on(
    desk: Desk, paint: Callable[..., list[PictureFile]], tmp_path: Path, colours: Callable[[int], Colour]
) -> None:
    files = paint(20)
    Path(files[3].path).write_bytes(b"")
    Path(files[7].path).write_bytes(Path(files[7].path).read_bytes()[:60])
    Path(files[11].path).unlink()
    found = desk.embed(files)
    assert_colours(found, {number: colours(number) for number in range(20) if number not in {3, 7, 11}})
    assert desk.unreadable == [3, 7, 11]
    kinds = {Path(entry.path).name: entry.kind for entry in desk.problems.entries}
    assert kinds == {"00003.png": "empty", "00007.png": "truncated", "00011.png": "missing"}


def test_all_files_broken_loads_no_backbone(desk: Desk, tmp_path: Path) -> None:
    files = [PictureFile(str(tmp_path / f"{number}.png"), 1, 1) for number in range(10)]
    assert desk.embed(files) == {}
    assert desk.unreadable == list(range(10))
    assert desk.loaded == []


def test_backbone_is_loaded_once_and_on_the_model_lane(
    desk: Desk, paint: Callable[..., list[PictureFile]]
) -> None:
    desk.embed(paint(5))
    desk.embed(paint(5, first=5))
    assert desk.loaded == ["fake in model-0"]


def test_second_time_nothing_is_decoded_or_embedded(
    desk: Desk,
    reopened: Callable[[Desk], Desk],
    paint: Callable[..., list[PictureFile]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = paint(50)
    first = desk.embed(files)
    later = reopened(desk)
    monkeypatch.setattr(indexing, "read_bytes", lambda path: pytest.fail(f"{path} was read"))
    second = later.embed(files)
    assert later.loaded == []
    assert later.backbone.batches == []
    for position in range(50):
        assert first[position].tobytes() == second[position].tobytes()


def keep(desk: Desk, picture: PictureId, vector: NDArray[np.float32]) -> None:
    """Embed a picture of which the backbone makes that vector, and keep it."""
    pixels = np.ones((8, 8, 3), np.uint8) * vector.astype(np.uint8)
    found = desk.library.embed_pixels(pixels, "fake", "cpu", keep_as=picture)
    np.testing.assert_array_equal(found, vector)
    desk.loaded.clear()


def test_what_a_backbone_made_is_not_kept_under_the_name_of_its_successor(desk: Desk) -> None:
    picture, pixels = PictureId("a" * 32), np.ones((8, 8, 3), np.uint8)
    told: list[str] = []
    desk.library.backbone_replaced.connect(told.append)
    desk.replace_while_embedding = True
    desk.library.embed_pixels(pixels, "fake", "cpu", keep_as=picture)
    assert desk.library.known_embeddings([picture], "fake") == {}
    desk.main.run_all()
    assert told == ["fake"]


def test_an_embedding_is_found_again_by_content_and_backbone(
    desk: Desk, reopened: Callable[[Desk], Desk], paint: Callable[..., list[PictureFile]]
) -> None:
    (file,) = paint(1)
    picture, other = file_id(file.path), PictureId("f" * 32)
    vector = np.array([1, 2, 3], np.float32)
    keep(desk, picture, vector)
    later = reopened(desk)
    found = later.library.known_embeddings([other, picture], "fake")
    assert list(found) == [picture]
    assert found[picture].tobytes() == vector.tobytes()
    assert later.library.known_embeddings([picture], "another") == {}
    assert later.library.known_embeddings([], "fake") == {}
    # Examples and gallery share them: a folder that holds the example does not embed it again.
    assert_colours(later.embed([file]), {0: (1, 2, 3)})
    assert later.loaded == []


def test_moved_file_is_known_by_its_content(
    desk: Desk, reopened: Callable[[Desk], Desk], paint: Callable[..., list[PictureFile]], tmp_path: Path
) -> None:
    files = paint(3)
    before = desk.embed(files)
    (tmp_path / "elsewhere").mkdir()
    moved = [Path(file.path).rename(tmp_path / "elsewhere" / Path(file.path).name) for file in files]
    later = reopened(desk)
    after = later.embed([replace(file, path=str(path)) for file, path in zip(files, moved, strict=True)])
    assert later.backbone.batches == []
    for position in range(3):
        np.testing.assert_array_equal(before[position], after[position])


def test_another_backbone_embeds_anew(desk: Desk, paint: Callable[..., list[PictureFile]]) -> None:
    files = paint(4)
    desk.embed(files, "one")
    desk.embed(files, "two")
    assert sum(desk.backbone.batches) == 8


def test_look_up_tells_what_is_known_and_computes_nothing(
    desk: Desk, paint: Callable[..., list[PictureFile]], colours: Callable[[int], Colour]
) -> None:
    files = paint(6)
    desk.embed(files[2:4])
    desk.batches, desk.unreadable = [], None
    desk.library.look_up(files, "fake", desk.batches.append, desk.done)
    desk.main.run_until(lambda: desk.unreadable is not None)
    assert_colours(desk.embedded(), {2: colours(2), 3: colours(3)})
    assert desk.unreadable == [0, 1, 4, 5]
    assert sum(desk.backbone.batches) == 2


def test_decoding_does_not_run_far_ahead_of_the_model(
    desk: Desk, paint: Callable[..., list[PictureFile]], monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, read = threading.Event(), []
    embed, read_bytes = desk.backbone.embed, indexing.read_bytes

    def slow(batch: NDArray[np.uint8], device: str) -> NDArray[np.float32]:
        assert go_on.wait(20)
        return embed(batch, device)

    def counted(path: str) -> bytes:
        read.append(path)
        return read_bytes(path)

    monkeypatch.setattr(desk.backbone, "embed", slow, raising=False)
    monkeypatch.setattr(indexing, "read_bytes", counted)
    desk.start(paint(300))
    assert desk.decode.drain(20)
    while desk.decode.pending:
        assert desk.decode.drain(20)
    assert len(read) <= indexing.AHEAD + indexing.GROUP
    go_on.set()
    desk.main.run_until(lambda: desk.unreadable is not None)
    assert len(desk.embedded()) == 300


def test_cancel_stops_at_any_moment(desk: Desk, paint: Callable[..., list[PictureFile]]) -> None:
    job = desk.start(paint(200))
    desk.main.run_until(lambda: desk.batches)
    job.cancel()
    arrived = len(desk.batches)
    desk.finish()
    assert len(desk.batches) == arrived
    assert desk.unreadable is None
    assert sum(desk.backbone.batches) < 200


def test_backbone_that_is_missing_ends_the_job_with_one_error(
    desk: Desk, paint: Callable[..., list[PictureFile]], monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[Exception] = []

    def damaged(_name: str) -> FakeBackbone:
        raise LookupError("no such backbone")

    for attribute in ("_load", "_describe"):
        with monkeypatch.context() as patch:
            patch.setattr(desk.library._embedder, attribute, damaged)
            desk.library.embed_files(
                paint(40),
                attribute,
                "cpu",
                desk.batches.append,
                lambda _rows: pytest.fail("done"),
                failed=errors.append,
            )
            desk.finish()
    assert [str(error) for error in errors] == ["no such backbone"] * 2
    assert desk.batches == []


def test_error_nobody_asked_for_goes_to_the_lane(
    main: MainThread, tmp_path: Path, backbone: FakeBackbone, paint: Callable[..., list[PictureFile]]
) -> None:
    decode, model, errors = Worker("decode", main), Worker("model", main), []
    model.on_error.connect(errors.append)
    backbone.embed = lambda *_values: 1 // 0  # type: ignore[method-assign]
    library = Library(
        main,
        decode,
        model,
        tmp_path / "c",
        ProblemLog(),
        load=lambda _n: backbone,
        describe=lambda _n: backbone,
    )
    library.embed_files(paint(20), "fake", "cpu", lambda _batch: pytest.fail("a batch"))
    main.finish(decode, model)
    assert [type(error) for error in errors] == [ZeroDivisionError]
    assert decode.close(20)
    assert model.close(20)
    library.close()


def test_full_device_is_left_for_the_cpu_and_said_once(
    desk: Desk, paint: Callable[..., list[PictureFile]], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    embed, used = desk.backbone.embed, []

    def full(batch: NDArray[np.uint8], device: str) -> NDArray[np.float32]:
        used.append(device)
        if device == "cuda":
            raise RuntimeError("CUDA error: out of memory")
        return embed(batch, device)

    monkeypatch.setattr(desk.backbone, "embed", full, raising=False)
    monkeypatch.setattr("fewshot_gui.engine.embedder.choose_device", lambda wanted: wanted)
    monkeypatch.setattr("fewshot_gui.engine.devices._is_available", lambda _name: False)
    desk.library.device_changed.connect(told.append)
    done: list[list[int]] = []
    desk.library.embed_files(paint(150), "fake", "cuda", desk.batches.append, done.append)
    desk.main.run_until(lambda: done)
    assert len(desk.embedded()) == 150
    assert told == ["cuda", "cpu"]
    assert desk.library.device == "cpu"
    assert "cuda" not in used[used.index("cpu") :]


def test_one_picture_is_embedded_as_its_file_would_be(
    desk: Desk, paint: Callable[..., list[PictureFile]], colours: Callable[[int], Colour]
) -> None:
    got: list[NDArray[np.float32]] = []
    pixels = np.full((30, 20, 3), colours(0), np.uint8)
    desk.model.submit(
        lambda _token: desk.library.embed_pixels(pixels, "fake", "cpu"),
        then=got.append,
        priority=Priority.LIVE,
    )
    desk.main.run_until(lambda: got)
    assert got[0].shape == (3,)
    np.testing.assert_array_equal(got[0], desk.embed(paint(1))[0])


def test_warm_up_loads_before_the_first_picture(desk: Desk) -> None:
    devices: list[str] = []
    desk.library.warm_up("fake", "cpu", then=devices.append)
    desk.main.run_until(lambda: devices)
    assert devices == ["cpu"]
    assert desk.loaded == ["fake in model-0"]


def test_what_a_former_bundle_of_the_name_has_made_is_not_kept_for_the_new_one(
    desk: Desk, paint: Callable[..., list[PictureFile]], monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes, real = ["old"], desk.backbone.embed

    def replaced_meanwhile(batch: NDArray[np.uint8], device: str) -> NDArray[np.float32]:
        hashes[0] = "new"
        return real(batch, device)

    monkeypatch.setattr(
        desk.library._embedder, "_describe", lambda _name: replace(desk.backbone, hash=hashes[0])
    )
    monkeypatch.setattr(desk.backbone, "embed", replaced_meanwhile)
    assert len(desk.embed(paint(3))) == 3
    ids = [name for batch in desk.batches for name in batch.ids]
    for each in ("old", "new"):
        hashes[0] = each
        assert desk.library.known_embeddings(ids, "fake") == {}


def test_thumbnail_is_small_upright_and_kept(
    desk: Desk, paint: Callable[..., list[PictureFile]], colours: Callable[[int], Colour]
) -> None:
    (file,), got = paint(1), []
    desk.library.thumbnail(file, 12, got.append)
    desk.main.run_until(lambda: got)
    assert got[0].shape == (12, 12, 3)
    assert tuple(got[0][6, 6]) == colours(0)
    desk.library.thumbnail(file, 12, got.append)
    desk.main.run_until(lambda: len(got) == 2)
    assert got[1] is got[0]


def test_thumbnail_of_a_broken_file_fails_with_the_reason(desk: Desk, tmp_path: Path) -> None:
    errors: list[Exception] = []
    desk.library.thumbnail(PictureFile(str(tmp_path / "gone.png"), 1, 1), 12, pytest.fail, errors.append)
    desk.main.run_until(lambda: errors)
    assert isinstance(errors[0], ImageProblem)
    assert errors[0].kind is ProblemKind.MISSING


def test_pixels_of_the_last_picture_asked_for_arrive(
    desk: Desk, paint: Callable[..., list[PictureFile]], colours: Callable[[int], Colour]
) -> None:
    files, got = paint(3), []
    gate = threading.Event()
    for _ in range(2):
        desk.decode.submit(lambda _token: gate.wait(20), priority=Priority.LIVE)
    for file in files:
        desk.library.pixels(file.path, got.append, replaces="viewer")
    gate.set()
    desk.finish()
    assert [tuple(pixels[0, 0]) for pixels in got] == [colours(2)]


def test_pixels_of_a_broken_file_become_a_problem(desk: Desk, tmp_path: Path) -> None:
    desk.library.pixels(str(tmp_path / "gone.png"), pytest.fail)
    desk.main.run_until(lambda: desk.problems.entries)
    assert desk.problems.entries[0].kind == "missing"


def test_visible_thumbnail_does_not_wait_for_the_folder(
    desk: Desk, paint: Callable[..., list[PictureFile]], monkeypatch: pytest.MonkeyPatch
) -> None:
    files, order = paint(30), []
    read_bytes = indexing.read_bytes
    both_read, go_on = threading.Barrier(3), threading.Event()

    def slow(path: str) -> bytes:
        if not go_on.is_set():
            both_read.wait(20)
            assert go_on.wait(20)
        order.append("folder")
        return read_bytes(path)

    monkeypatch.setattr(indexing, "read_bytes", slow)
    desk.start(files)
    both_read.wait(20)
    thumbnails = desk.library._thumbnails
    decode = thumbnails._decode
    monkeypatch.setattr(
        thumbnails, "_decode", lambda path, side: (order.append("tile"), decode(path, side))[1]
    )
    desk.library.thumbnail(files[0], 8, lambda _pixels: None)
    go_on.set()
    desk.finish()
    # Each of the two threads ends the one file it was reading.
    assert order.index("tile") <= 2


def test_real_backbones_are_described_by_default(
    main: MainThread, lane: Callable[..., Worker], tmp_path: Path
) -> None:
    library = Library(main, lane("decode"), lane("model"), tmp_path / "cache", ProblemLog())
    with pytest.raises(BundleError, match="no such bundle"):
        library.info(str(tmp_path / "nowhere"))
    assert library.device == ""
    library.close()


def test_decode_threads_follow_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, threads in [(None, 2), (1, 2), (4, 4), (64, 8)]:
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        assert decode_threads() == threads


def test_unusable_cache_folder_is_one_problem_and_the_work_goes_on(
    main: MainThread,
    lane: Callable[..., Worker],
    tmp_path: Path,
    backbone: FakeBackbone,
    paint: Callable[..., list[PictureFile]],
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    desk = Desk(main, lane, tmp_path / "cache", backbone)
    assert len(desk.embed(paint(70))) == 70
    desk.library.save()
    desk.finish()
    assert [entry.kind for entry in desk.problems.entries] == ["cache-off"]


def test_importing_the_engine_does_not_import_torch() -> None:
    names = ("worker", "problems", "devices", "cache", "embedder", "indexing", "library", "gallery", "rows")
    imports = "; ".join(f"import fewshot_gui.engine.{name}" for name in names)
    code = f"import sys; {imports}; sys.exit('torch' in sys.modules or 'PySide6' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(known=st.sets(st.integers(0, 39)), broken=st.sets(st.integers(0, 39)), start=st.integers(0, 20))
def test_every_file_is_embedded_or_unreadable_and_never_both(
    desk: Desk,
    paint: Callable[..., list[PictureFile]],
    colours: Callable[[int], Colour],
    known: set[int],
    broken: set[int],
    start: int,
) -> None:
    files = paint(40)
    desk.embed([file for number, file in enumerate(files) if number in known])
    for number in broken:
        Path(files[number].path).write_bytes(b"not a picture")
    stats = [Path(file.path).stat() for file in files]
    now = [PictureFile(f.path, s.st_size, s.st_mtime_ns) for f, s in zip(files, stats, strict=True)][start:]
    found = desk.embed(now)
    whole = {number - start: colours(number) for number in range(start, 40) if number not in broken}
    assert_colours(found, whole)
    assert desk.unreadable == sorted(number - start for number in broken if number >= start)


def test_cancel_token_of_a_failed_run_is_cancelled(
    desk: Desk, paint: Callable[..., list[PictureFile]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def bad(_batch: NDArray[np.uint8], _device: str) -> NDArray[np.float32]:
        raise ValueError("shapes")

    monkeypatch.setattr(desk.backbone, "embed", bad, raising=False)
    errors: list[Exception] = []
    job = desk.library.embed_files(paint(40), "fake", "cpu", pytest.fail, failed=errors.append)
    desk.finish()
    token: CancelToken = job.token
    assert token.cancelled
    assert len(errors) == 1


def test_what_is_known_by_content_is_found_without_its_file(desk: Desk, paint: Callable[..., Any]) -> None:
    files = paint(3)
    embedded = desk.embed(files)
    names = [file_id(file.path) for file in files]
    for file in files:
        Path(file.path).unlink()
    known = desk.library.known_embeddings([*names, PictureId("f" * 32)], "fake")
    assert set(known) == set(names)
    for position, name in enumerate(names):
        assert np.array_equal(known[name], embedded[position])
    assert desk.library.known_embeddings(names, "other weights") == {}


def test_an_embedding_that_was_handed_in_is_found_again(desk: Desk) -> None:
    name, vector = PictureId("a" * 32), np.arange(3, dtype=np.float32)
    keep(desk, name, vector)
    assert np.array_equal(desk.library.known_embeddings([name], "fake")[name], vector)
