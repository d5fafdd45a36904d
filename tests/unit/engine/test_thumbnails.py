"""Thumbnails: decoded once for all who ask, within a bound of bytes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fewshot_gui.core.images.problems import ImageProblem, ProblemKind
from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine.thumbnails import Thumbnails

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fewshot_gui.engine.worker import CancelToken, Worker
    from tests.unit.engine.conftest import MainThread

SIDE = 10
BYTES = SIDE * SIDE * 3


def file(name: str, mtime: int = 1) -> PictureFile:
    return PictureFile(name, 100, mtime)


class Decoder:
    """Decodes names to squares of one value, and counts."""

    def __init__(self) -> None:
        self.decoded: list[str] = []

    def __call__(self, file: PictureFile, side: int) -> NDArray[np.uint8]:
        path = file.path
        self.decoded.append(path)
        if path == "broken":
            raise ImageProblem(ProblemKind.TRUNCATED, path, "too short")
        return np.full((side, side, 3), ord(path[0]), np.uint8)


class Stage:
    """A lane, a decoder and thumbnails, with a gate that can hold the lane."""

    def __init__(self, main: MainThread, lane: Worker) -> None:
        self.main, self.lane, self.decoder = main, lane, Decoder()
        self.thumbnails = Thumbnails(lane, self.decoder, limit_bytes=3 * BYTES)
        self.gate = threading.Event()
        self.got: list[str] = []

    def hold(self) -> None:
        def wait(_token: CancelToken) -> None:
            assert self.gate.wait(20)

        self.lane.submit(wait, priority=0)

    def go_on(self) -> list[str]:
        self.gate.set()
        self.main.finish(self.lane)
        return self.got

    def ask(self, name: str, note: str = "", mtime: int = 1) -> Callable[[], None]:
        job = self.thumbnails.request(
            file(name, mtime),
            SIDE,
            lambda pixels: self.got.append(f"{note}{chr(pixels[0, 0, 0])}"),
            lambda error: self.got.append(f"{note}{error}"),
        )
        return job.cancel


@pytest.fixture
def stage(main: MainThread, lane: Callable[..., Worker]) -> Stage:
    return Stage(main, lane())


def test_thumbnail_arrives_later_and_is_kept(stage: Stage) -> None:
    stage.ask("a")
    assert stage.got == []
    assert stage.thumbnails.peek(file("a"), SIDE) is None
    assert stage.go_on() == ["a"]
    kept = stage.thumbnails.peek(file("a"), SIDE)
    assert kept is not None
    assert kept.shape == (SIDE, SIDE, 3)
    stage.ask("a")
    assert stage.got == ["a"]
    assert stage.go_on() == ["a", "a"]
    assert stage.decoder.decoded == ["a"]


def test_thumbnail_is_shared_and_therefore_read_only(stage: Stage) -> None:
    stage.ask("a")
    stage.go_on()
    kept = stage.thumbnails.peek(file("a"), SIDE)
    assert kept is not None
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 0


def test_those_who_ask_at_once_share_one_decode(stage: Stage) -> None:
    stage.hold()
    for note in "123":
        stage.ask("a", note)
    assert stage.go_on() == ["1a", "2a", "3a"]
    assert stage.decoder.decoded == ["a"]


def test_one_who_leaves_does_not_take_it_from_the_others(stage: Stage) -> None:
    stage.hold()
    leave = stage.ask("a", "1")
    stage.ask("a", "2")
    leave()
    assert stage.go_on() == ["2a"]


def test_nothing_is_decoded_when_all_have_left(stage: Stage) -> None:
    stage.hold()
    for name in "ab":
        stage.ask(name)()
    assert stage.go_on() == []
    assert stage.decoder.decoded == []
    stage.ask("a")
    assert stage.go_on() == ["a"]


def test_who_left_while_it_was_decoded_gets_nothing(stage: Stage) -> None:
    leave = stage.ask("a")
    assert stage.lane.drain(20)
    leave()
    assert stage.go_on() == []
    assert stage.thumbnails.peek(file("a"), SIDE) is not None


def test_who_left_before_a_kept_one_was_delivered_gets_nothing(stage: Stage) -> None:
    stage.ask("a")
    stage.go_on()
    stage.ask("a", "late ")()
    assert stage.go_on() == ["a"]


def test_broken_picture_is_told_to_all_and_tried_again_when_asked_again(stage: Stage) -> None:
    stage.hold()
    stage.ask("broken", "1 ")
    stage.thumbnails.request(file("broken"), SIDE, lambda _pixels: pytest.fail("no picture"))
    assert stage.go_on() == ["1 broken: too short"]
    stage.ask("broken", "2 ")
    assert len(stage.go_on()) == 2
    assert stage.decoder.decoded == ["broken", "broken"]


def test_changed_file_is_decoded_again(stage: Stage) -> None:
    stage.ask("a", mtime=1)
    stage.go_on()
    stage.ask("a", mtime=2)
    stage.go_on()
    assert stage.decoder.decoded == ["a", "a"]


def test_least_recently_used_goes_when_the_bytes_are_full(stage: Stage) -> None:
    for name in "abc":
        stage.ask(name)
        stage.go_on()
    assert stage.thumbnails.bytes_kept == 3 * BYTES
    stage.thumbnails.peek(file("a"), SIDE)
    stage.ask("d")
    stage.go_on()
    there = [name for name in "abcd" if stage.thumbnails.peek(file(name), SIDE) is not None]
    assert there == ["a", "c", "d"]
    assert stage.thumbnails.bytes_kept == 3 * BYTES


def test_clear_forgets_all(stage: Stage) -> None:
    stage.ask("a")
    stage.go_on()
    stage.thumbnails.clear()
    assert stage.thumbnails.bytes_kept == 0
    assert stage.thumbnails.peek(file("a"), SIDE) is None
