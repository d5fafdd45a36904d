"""A camera as a source of frames, read on its worker."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np

from fewshot_gui.engine.event import Event
from fewshot_gui.engine.sources.devices import IN_USE, RELEASE_SECONDS, CameraDevice, find_again, list_cameras
from fewshot_gui.engine.sources.frames import Frame, Newest, SourceProblem, SourceTrouble
from fewshot_gui.engine.worker import Priority

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from fewshot_gui.engine.worker import CancelToken, Job, Post, Worker

WIDTH, HEIGHT = 640, 480
"""What a camera is asked for: networks here take 28 to 224 pixels, and webcams give this at 30 frames/s."""
SILENCE_SECONDS = 5.0
"""How long a camera may give nothing at first, before that is a problem."""
LOST_SECONDS = 1.0
"""How long a running camera may fail before it counts as unplugged."""
_RETRY_SECONDS = 0.02


class Capture(Protocol):
    """The part of cv2.VideoCapture that is used here."""

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Return whether the device is open."""

    def read(self) -> tuple[bool, Any]:
        """Return success and the next frame, uint8 (H, W, 3) BGR."""

    def set(self, _property: int, _value: float, /) -> bool:
        """Return whether the property was set."""

    def release(self) -> None:
        """Close the device."""


def open_capture(device: CameraDevice) -> Capture:
    """Return the opened camera; takes up to seconds.

    Raises:
        SourceProblem: NO_CAMERA, NO_PERMISSION or BUSY.
    """
    if device.path and not Path(device.path).exists():
        raise SourceProblem(SourceTrouble.NO_CAMERA, device.name)
    if device.path and not os.access(device.path, os.R_OK | os.W_OK):
        raise SourceProblem(SourceTrouble.NO_PERMISSION, device.name, device.path)
    for backend in _backends():
        capture = cv2.VideoCapture(device.index, backend)
        if capture.isOpened():
            _set_up(capture)
            return capture
        capture.release()
    raise SourceProblem(SourceTrouble.BUSY, device.name)


def _backends() -> tuple[int, ...]:
    """Return the interfaces of this system to try, the better first."""
    by_system = {
        "linux": (cv2.CAP_V4L2,),
        "win32": (cv2.CAP_MSMF, cv2.CAP_DSHOW),
        "darwin": (cv2.CAP_AVFOUNDATION,),
    }
    return by_system.get(sys.platform, (cv2.CAP_ANY,))


def _set_up(capture: Capture) -> None:
    """Ask for a size and for a short queue; a camera that cannot do it goes on as it is."""
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, WIDTH)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # else what is shown is some frames old


def read_frames(
    capture: Capture,
    name: str,
    offer: Callable[[Frame, float], None],
    token: CancelToken,
    clock: Callable[[], float],
    pause: Callable[[float], None],
) -> None:
    """Offer every frame with the time of its capture, until the token is cancelled.

    Raises:
        SourceProblem: TIMED_OUT where no frame ever comes, LOST where they end.
    """
    last, patience, trouble = clock(), SILENCE_SECONDS, SourceTrouble.TIMED_OUT
    while not token.cancelled:
        ok, bgr = capture.read()
        now = clock()
        if ok and bgr is not None and bgr.size:
            offer(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8), now)
            last, patience, trouble = now, LOST_SECONDS, SourceTrouble.LOST
        elif now - last > patience:
            raise SourceProblem(trouble, name)
        else:
            pause(_RETRY_SECONDS)


class CameraSource:
    """The frames of one camera at a time, in RGB and as the camera sees (not mirrored).

    Everything here is called on the main thread, and the events are emitted there.

    Args:
        worker: its own, with two threads: one reads, and one looks for cameras, or opens another while a
            driver hangs in the first for minutes.
        post: hands a call to the main thread.
        opened: opens a device, on the worker.
        listed: returns the devices, on the worker.
        sought: returns a device that was lost where it is there again, on the worker.
        clock: seconds; stamps the frames, and must be the clock of the live loop.
        pause: waits for the given seconds, on the worker.
    """

    def __init__(
        self,
        worker: Worker,
        post: Post,
        *,
        opened: Callable[[CameraDevice], Capture] = open_capture,
        listed: Callable[[], list[CameraDevice]] = list_cameras,
        sought: Callable[[CameraDevice], CameraDevice | None] = find_again,
        clock: Callable[[], float] = time.perf_counter,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.frame: Event[[Frame, float]] = Event()
        self.failed: Event[[SourceProblem]] = Event()
        self.found: Event[[tuple[CameraDevice, ...]]] = Event()
        self.returned: Event[[CameraDevice]] = Event()
        self._worker = worker
        self._post = post
        self._opened = opened
        self._listed = listed
        self._sought = sought
        self._clock = clock
        self._pause = pause
        self._device: CameraDevice | None = None
        self._job: Job | None = None
        self._newest: Newest[tuple[Frame, float]] | None = None
        self._heard_at = 0.0

    @property
    def device(self) -> CameraDevice | None:
        """The camera that runs or is being opened; None when stopped."""
        return self._device

    def look(self) -> None:
        """Look for cameras; `found` tells which there are."""
        self._worker.submit(
            lambda _token: tuple(self._listed()),
            then=self.found.emit,
            failed=self._fail,
            priority=Priority.VISIBLE,
            replaces="look",
        )

    def seek(self, lost: CameraDevice) -> None:
        """Look whether a camera that was unplugged is there again; `returned` tells, else nothing does."""
        self._worker.submit(
            lambda _token: self._sought(lost),
            then=self._seen_again,
            failed=self._fail,
            priority=Priority.VISIBLE,
            replaces="seek",
        )

    def _seen_again(self, device: CameraDevice | None) -> None:
        if device is not None and self._device is None:
            self.returned.emit(device)

    def start(self, device: CameraDevice) -> None:
        """Open `device` in place of the camera that ran before; its frames follow as they come."""
        self.stop()
        newest: Newest[tuple[Frame, float]] = Newest(self._post, self._deliver)
        self._device, self._newest, self._heard_at = device, newest, self._clock()
        in_use = IN_USE[device.index]

        def offer(frame: Frame, at: float) -> None:
            newest.offer((frame, at))

        def run(token: CancelToken) -> None:
            with self._alone(in_use, token):
                capture = self._opened(device)
                try:
                    read_frames(capture, device.name, offer, token, self._clock, self._pause)
                finally:
                    capture.release()

        self._job = self._worker.submit(run, failed=self._fail, priority=Priority.LIVE)

    @contextmanager
    def _alone(self, in_use: threading.Lock, token: CancelToken) -> Iterator[None]:
        """Hold a camera alone: wait for who has it still, but not for ever, as its driver may hang.

        Raises:
            Cancelled: the token was, while it waited.
        """
        give_up = self._clock() + RELEASE_SECONDS
        while not (held := in_use.acquire(blocking=False)) and self._clock() < give_up:
            token.check()
            self._pause(_RETRY_SECONDS)
        try:
            token.check()
            yield
        finally:
            if held:
                in_use.release()

    def stop(self) -> None:
        """Give no more frames, and close the camera as soon as it lets go."""
        if self._job is not None and self._newest is not None:
            self._job.cancel()
            self._newest.close()
        self._device = self._job = self._newest = None

    def check(self) -> None:
        """Report TIMED_OUT where the driver hangs, in opening or in reading; to be called now and then."""
        if self._device is not None and self._clock() - self._heard_at > SILENCE_SECONDS:
            self._fail(SourceProblem(SourceTrouble.TIMED_OUT, self._device.name))

    def _deliver(self, stamped: tuple[Frame, float]) -> None:
        self._heard_at = self._clock()
        self.frame.emit(*stamped)

    def _fail(self, error: Exception) -> None:
        name = self._device.name if self._device is not None else ""
        self.stop()
        self.failed.emit(_as_problem(error, name))


def _as_problem(error: Exception, name: str) -> SourceProblem:
    """Return the error by kind; whatever OpenCV raises itself is an unreadable camera."""
    if isinstance(error, SourceProblem):
        return error
    return SourceProblem(SourceTrouble.UNREADABLE, name, str(error))
