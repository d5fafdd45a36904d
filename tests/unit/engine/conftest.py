"""A main thread, lanes and a backbone for the tests of the engine: no Qt, no torch, no clock."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from queue import Empty, Queue
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

PATIENCE = 20.0


class MainThread:
    """A `post` whose calls run when a test says so, on the test's own thread."""

    def __init__(self) -> None:
        self.calls: Queue[Callable[[], None]] = Queue()

    def __call__(self, call: Callable[[], None]) -> None:
        self.calls.put(call)

    def run_all(self) -> int:
        """Run what has been posted so far, and return how much it was."""
        count = 0
        while True:
            try:
                call = self.calls.get_nowait()
            except Empty:
                return count
            call()
            count += 1

    def run_until(self, condition: Callable[[], object], timeout: float = PATIENCE) -> None:
        """Run posted calls as they come until `condition` holds."""
        deadline = time.monotonic() + timeout
        while not condition():
            try:
                call = self.calls.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                pytest.fail("what was waited for did not happen")
            call()

    def finish(self, *lanes: Worker) -> None:
        """Run posted calls until no lane has a job left and nothing is posted."""
        while True:
            for lane in lanes:
                assert lane.drain(PATIENCE)
            if not self.run_all() and not any(lane.pending for lane in lanes) and self.calls.empty():
                return


@pytest.fixture
def main() -> MainThread:
    return MainThread()


@pytest.fixture
def lane(main: MainThread) -> Iterator[Callable[..., Worker]]:
    """Make lanes that must end with the test, and whose unexpected errors fail it."""
    lanes: list[Worker] = []
    errors: list[Exception] = []

    def make(name: str = "lane", *, threads: int = 1) -> Worker:
        worker = Worker(name, main, threads=threads)
        worker.on_error.connect(errors.append)
        lanes.append(worker)
        return worker

    yield make
    for worker in lanes:
        assert worker.close(PATIENCE)
    main.run_all()
    assert not errors


@dataclass(frozen=True)
class FakePreprocessing:
    """Cuts nothing: the picture, shrunk to a square."""

    side: int = 8
    version: int = 1

    @property
    def least_side(self) -> int:
        return self.side

    def prepare(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return cv2.resize(pixels, (self.side, self.side), interpolation=cv2.INTER_AREA)


@dataclass
class FakeBackbone:
    """A backbone whose right answer is known: the mean red, green and blue of a picture, times `scale`."""

    hash: str = "0123456789abcdef"
    preprocessing: FakePreprocessing = field(default_factory=FakePreprocessing)
    dimension: int = 3
    scale: float = 1.0
    batches: list[int] = field(default_factory=list)

    def embed(self, batch: NDArray[np.uint8], device: str = "cpu") -> NDArray[np.float32]:  # noqa: ARG002 - a backbone's own signature
        self.batches.append(len(batch))
        return batch.mean(axis=(1, 2), dtype=np.float32) * np.float32(self.scale)


@pytest.fixture
def backbone() -> FakeBackbone:
    return FakeBackbone()


def write_picture(path: Path, colour: tuple[int, int, int], *, side: int = 16) -> PictureFile:
    """Write a picture of one RGB colour as PNG, and return its entry."""
    pixels = np.full((side, side, 3), colour, np.uint8)
    done, data = cv2.imencode(".png", pixels[:, :, ::-1])
    assert done
    path.write_bytes(data.tobytes())
    return entry(path)


def entry(path: Path) -> PictureFile:
    """Return what a scan would say of a file."""
    stat = path.stat()
    return PictureFile(str(path), stat.st_size, stat.st_mtime_ns)


@pytest.fixture
def paint(tmp_path: Path) -> Callable[..., list[PictureFile]]:
    """Make pictures of one colour each, all different, in tmp_path / folder."""

    def make(count: int, folder: str = "pictures", first: int = 0) -> list[PictureFile]:
        (tmp_path / folder).mkdir(exist_ok=True)
        return [
            write_picture(tmp_path / folder / f"{number:05}.png", colour_of(number))
            for number in range(first, first + count)
        ]

    return make


def colour_of(number: int) -> tuple[int, int, int]:
    """Return the colour of the picture of that number."""
    red, green, blue = hashlib.sha256(str(number).encode()).digest()[:3]
    return red, green, blue


@pytest.fixture
def colours() -> Callable[[int], tuple[int, int, int]]:
    return colour_of
