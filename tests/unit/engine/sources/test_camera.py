from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fewshot_gui.engine.sources.camera import (
    LOST_SECONDS,
    SILENCE_SECONDS,
    CameraSource,
    open_capture,
    read_frames,
)
from fewshot_gui.engine.sources.devices import RELEASE_SECONDS, CameraDevice
from fewshot_gui.engine.sources.frames import SourceProblem, SourceTrouble
from fewshot_gui.engine.worker import CancelToken

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fewshot_gui.engine.sources.frames import Frame
    from fewshot_gui.engine.worker import Worker

BLUE_IN_BGR = np.full((4, 6, 3), (255, 0, 0), np.uint8)
CAMERA = CameraDevice(0, "Webcam")


@dataclass
class Clock:
    """A clock that moves only when somebody waits."""

    now: float = 100.0
    on_tick: Callable[[], None] = lambda: None

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds
        self.on_tick()


@dataclass
class FakeCapture:
    """Gives the frames of `script`, then fails; cancels the token at its end where it is given one."""

    script: list[Any] = field(default_factory=list)
    token: CancelToken | None = None
    released: bool = False
    wanted: dict[int, float] = field(default_factory=dict)

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return True

    def read(self) -> tuple[bool, Any]:
        if self.script:
            frame = self.script.pop(0)
            return frame is not None, frame
        if self.token is not None:
            self.token.cancel()
        return False, None

    def set(self, propId: int, value: float) -> bool:  # noqa: N803 - OpenCV's name
        self.wanted[propId] = value
        return True

    def release(self) -> None:
        self.released = True


def test_frames_are_rgb_and_stamped() -> None:
    clock, token = Clock(), CancelToken()
    got: list[tuple[Frame, float]] = []
    capture = FakeCapture([BLUE_IN_BGR, None, BLUE_IN_BGR], token)
    read_frames(capture, "Webcam", lambda frame, at: got.append((frame, at)), token, clock, clock.pause)
    assert [at for _, at in got] == pytest.approx([100.0, 100.02])
    assert got[0][0].tolist() == np.full((4, 6, 3), (0, 0, 255)).tolist()
    assert got[0][0].flags["C_CONTIGUOUS"]


def test_a_camera_that_never_gives_a_frame_times_out() -> None:
    clock = Clock()
    with pytest.raises(SourceProblem) as caught:
        read_frames(FakeCapture(), "Webcam", lambda _f, _a: None, CancelToken(), clock, clock.pause)
    assert caught.value.kind is SourceTrouble.TIMED_OUT
    assert clock.now == pytest.approx(100 + SILENCE_SECONDS, abs=0.1)


def test_a_camera_that_stops_giving_frames_is_lost() -> None:
    clock = Clock()
    with pytest.raises(SourceProblem) as caught:
        read_frames(
            FakeCapture([BLUE_IN_BGR]), "Webcam", lambda _f, _a: None, CancelToken(), clock, clock.pause
        )
    assert caught.value.kind is SourceTrouble.LOST
    assert clock.now == pytest.approx(100 + LOST_SECONDS, abs=0.1)


def test_a_device_that_is_gone_is_no_camera(tmp_path: Path) -> None:
    with pytest.raises(SourceProblem) as caught:
        open_capture(CameraDevice(7, "Webcam", str(tmp_path / "video7")))
    assert caught.value.kind is SourceTrouble.NO_CAMERA


def test_a_device_that_may_not_be_opened_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "video7"
    device.touch()
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    with pytest.raises(SourceProblem) as caught:
        open_capture(CameraDevice(7, "Webcam", str(device)))
    assert caught.value.kind is SourceTrouble.NO_PERMISSION


def test_a_device_that_does_not_open_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = FakeCapture()
    monkeypatch.setattr(closed, "isOpened", lambda: False)
    monkeypatch.setattr("cv2.VideoCapture", lambda _index, _backend: closed)
    with pytest.raises(SourceProblem) as caught:
        open_capture(CAMERA)
    assert caught.value.kind is SourceTrouble.BUSY
    assert closed.released


def test_an_opened_camera_is_asked_for_a_short_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = FakeCapture()
    monkeypatch.setattr("cv2.VideoCapture", lambda _index, _backend: capture)
    assert open_capture(CAMERA) is capture
    assert sorted(capture.wanted.values()) == [1, 480, 640]


class EndlessCapture(FakeCapture):
    """Gives the same frame for ever."""

    def read(self) -> tuple[bool, Any]:
        return True, BLUE_IN_BGR


def source_of(
    worker: Worker, main: Any, capture: FakeCapture, clock: Clock | None = None, **more: Any
) -> CameraSource:
    clock = clock or Clock()
    return CameraSource(worker, main, opened=lambda _device: capture, clock=clock, pause=clock.pause, **more)


def test_frames_arrive_until_it_is_stopped(lane: Callable[..., Worker], main: Any) -> None:
    capture, worker = EndlessCapture(), lane("camera")
    source = source_of(worker, main, capture)
    got: list[Frame] = []
    source.frame.connect(lambda frame, _at: got.append(frame))
    source.start(CAMERA)
    assert source.device == CAMERA
    main.run_until(lambda: len(got) >= 3)
    source.stop()
    before = len(got)
    main.finish(worker)
    assert len(got) == before, "a frame on its way is dropped"
    assert capture.released
    assert source.device is None


def test_a_window_that_is_slow_gets_one_frame_and_not_a_queue(lane: Callable[..., Worker], main: Any) -> None:
    worker = lane("camera")
    capture = FakeCapture([BLUE_IN_BGR] * 50)
    source = source_of(worker, main, capture)
    got: list[Frame] = []
    source.frame.connect(lambda frame, _at: got.append(frame))
    source.start(CAMERA)
    assert worker.drain(20)
    assert main.calls.qsize() == 2, "one frame, and that the camera is lost"


def test_another_camera_takes_the_place_of_the_first(lane: Callable[..., Worker], main: Any) -> None:
    captures = {0: EndlessCapture(), 1: EndlessCapture()}
    worker = lane("camera")
    source = CameraSource(worker, main, opened=lambda device: captures[device.index])
    got: list[Frame] = []
    source.frame.connect(lambda frame, _at: got.append(frame))
    source.start(CAMERA)
    main.run_until(lambda: got)
    source.start(CameraDevice(1, "Other"))
    got.clear()
    main.run_until(lambda: got)
    assert captures[0].released, "with one thread the first is closed before the second opens"
    source.stop()


def test_what_goes_wrong_is_told_and_it_can_be_started_again(lane: Callable[..., Worker], main: Any) -> None:
    worker, tries = lane("camera"), [SourceProblem(SourceTrouble.BUSY, "Webcam")]

    def opened(_device: CameraDevice) -> FakeCapture:
        if tries:
            raise tries.pop()
        return EndlessCapture()

    source = CameraSource(worker, main, opened=opened)
    problems: list[SourceProblem] = []
    got: list[Frame] = []
    source.failed.connect(problems.append)
    source.frame.connect(lambda frame, _at: got.append(frame))
    source.start(CAMERA)
    main.run_until(lambda: problems)
    assert problems[0].kind is SourceTrouble.BUSY
    assert source.device is None
    source.start(CAMERA)
    main.run_until(lambda: got)
    source.stop()


def test_whatever_opencv_raises_is_an_unreadable_camera(lane: Callable[..., Worker], main: Any) -> None:
    def opened(_device: CameraDevice) -> FakeCapture:
        raise RuntimeError("driver")

    source = CameraSource(lane("camera"), main, opened=opened)
    problems: list[SourceProblem] = []
    source.failed.connect(problems.append)
    source.start(CAMERA)
    main.run_until(lambda: problems)
    assert (problems[0].kind, problems[0].source) == (SourceTrouble.UNREADABLE, "Webcam")
    assert problems[0].detail == "driver"


def test_a_driver_that_hangs_is_reported_from_outside(lane: Callable[..., Worker], main: Any) -> None:
    clock = Clock()
    source = source_of(lane("camera"), main, EndlessCapture(), clock)
    problems: list[SourceProblem] = []
    source.failed.connect(problems.append)
    source.check()
    source.start(CAMERA)
    source.check()
    assert problems == []
    clock.now += SILENCE_SECONDS + 1
    source.check()
    source.check()
    assert [problem.kind for problem in problems] == [SourceTrouble.TIMED_OUT]


def test_it_tells_which_cameras_there_are(lane: Callable[..., Worker], main: Any) -> None:
    source = source_of(lane("camera"), main, EndlessCapture(), listed=lambda: [CAMERA])
    found: list[tuple[CameraDevice, ...]] = []
    source.found.connect(found.append)
    source.look()
    main.run_until(lambda: found)
    assert found == [(CAMERA,)]


def test_it_tells_when_a_lost_camera_is_there_again(lane: Callable[..., Worker], main: Any) -> None:
    worker, answers = lane("camera"), [CameraDevice(3, "Webcam"), None]
    source = source_of(worker, main, EndlessCapture(), sought=lambda _lost: answers.pop())
    returned: list[CameraDevice] = []
    source.returned.connect(returned.append)
    source.seek(CAMERA)
    main.finish(worker)
    assert returned == []
    source.seek(CAMERA)
    main.finish(worker)
    assert returned == [CameraDevice(3, "Webcam")]


def test_who_has_started_a_camera_meanwhile_keeps_it(lane: Callable[..., Worker], main: Any) -> None:
    source = source_of(lane("camera"), main, EndlessCapture(), sought=lambda lost: lost)
    returned: list[CameraDevice] = []
    frames: list[Frame] = []
    source.returned.connect(returned.append)
    source.frame.connect(lambda frame, _at: frames.append(frame))
    source.seek(CAMERA)
    source.start(CameraDevice(1, "Other"))
    main.run_until(lambda: frames)
    assert returned == []
    source.stop()


class HeldCapture(EndlessCapture):
    """Is not closed before it may be."""

    def __init__(self) -> None:
        super().__init__()
        self.may_close, self.closed = threading.Event(), threading.Event()

    def release(self) -> None:
        assert self.may_close.wait(20)
        super().release()
        self.closed.set()


class Again:
    """A camera that is chosen again while its driver still closes it, on a lane with two threads."""

    def __init__(self, worker: Worker, main: Any, on_tick: Callable[[], None] = lambda: None) -> None:
        self.worker, self.main = worker, main
        self.clock = Clock(on_tick=on_tick)
        self.first = HeldCapture()
        self.captures: list[FakeCapture] = [EndlessCapture(), self.first]
        self.closed_before: list[bool] = []
        self.frames: list[Frame] = []
        self.problems: list[SourceProblem] = []
        self.source = CameraSource(worker, main, opened=self.open, clock=self.clock, pause=self.clock.pause)
        self.source.frame.connect(lambda frame, _at: self.frames.append(frame))
        self.source.failed.connect(self.problems.append)

    def open(self, _device: CameraDevice) -> FakeCapture:
        self.closed_before.append(self.first.closed.is_set())
        return self.captures.pop()

    def start(self) -> None:
        self.source.start(CAMERA)
        self.main.run_until(lambda: self.frames)
        self.frames.clear()


def test_a_camera_that_is_chosen_again_is_closed_before_it_is_opened(
    lane: Callable[..., Worker], main: Any
) -> None:
    """Before, it was found in use: by ourselves."""

    def let_it_close() -> None:
        again.first.may_close.set()
        assert again.first.closed.wait(20)

    again = Again(lane("camera", threads=2), main, let_it_close)
    again.start()
    again.start()
    assert again.closed_before == [False, True]
    assert again.problems == []
    again.source.stop()


def test_a_camera_whose_driver_hangs_is_tried_all_the_same(lane: Callable[..., Worker], main: Any) -> None:
    again = Again(lane("camera", threads=2), main)
    again.start()
    before = again.clock.now
    again.start()
    assert again.closed_before == [False, False]
    assert again.clock.now == pytest.approx(before + RELEASE_SECONDS, abs=0.1)
    again.source.stop()
    again.first.may_close.set()


def test_who_gives_up_waiting_for_a_camera_opens_none(lane: Callable[..., Worker], main: Any) -> None:
    waits, stopped = threading.Event(), threading.Event()

    def wait() -> None:
        waits.set()
        assert stopped.wait(20)

    again = Again(lane("camera", threads=2), main, wait)
    again.start()
    again.source.start(CAMERA)
    assert waits.wait(20)
    again.source.stop()
    stopped.set()
    again.first.may_close.set()
    main.finish(again.worker)
    assert again.closed_before == [False]
    assert again.problems == []
