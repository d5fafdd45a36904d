"""A video file as a source of frames that plays at its own pace."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fewshot_gui.engine.event import Event
from fewshot_gui.engine.sources.frames import Frame, Newest, SourceProblem, SourceTrouble
from fewshot_gui.engine.worker import CancelToken, Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fewshot_gui.engine.sources.video_file import VideoFile, VideoInfo, VideoPicture
    from fewshot_gui.engine.worker import Job, Post, Worker

_NAP_SECONDS = 0.02  # the longest wait at a time: a cancelled job notices within it
_LATE_SECONDS = 0.1  # a picture later than this is not converted; the next one may be in time
_LEAST_SECONDS = 1 / 30  # how long the last picture of a loop stays at least: a GIF may have a single one
_LOST_SECONDS = 1.0  # later than this, the pace starts anew: the computer slept, or is too slow


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """A picture on its way to the main thread, and what the file says of itself."""

    frame: Frame
    captured_at: float
    position: float
    info: VideoInfo


class Pace:
    """Tells when a picture is due, from the times in the file and a clock.

    Args:
        clock: seconds.
        pause: waits for the given seconds.
    """

    def __init__(self, clock: Callable[[], float], pause: Callable[[float], None]) -> None:
        self._clock = clock
        self._pause = pause
        self._start: float | None = None

    def restart(self) -> None:
        """Let the next picture be due at once, whatever its time."""
        self._start = None

    def wait(self, at: float, token: CancelToken) -> bool:
        """Return True when the picture of `at` seconds is due, False where it is too late to show.

        Raises:
            Cancelled: the token was, while it waited.
        """
        if self._start is None or self._clock() - self._start - at > _LOST_SECONDS:
            self._start = self._clock() - at
        while (left := self._start + at - self._clock()) > 0:
            token.check()
            self._pause(min(left, _NAP_SECONDS))
        return left > -_LATE_SECONDS


class VideoSource:
    """Plays one video file: frames in RGB and upright, at the pace of the file.

    Everything here is called on the main thread, and the events are emitted there. Playing, and
    showing one place of a video that stands still, are jobs: there is nothing to wake or to pause.

    Args:
        worker: its own, with one thread.
        post: hands a call to the main thread.
        clock: seconds; stamps the frames, and must be the clock of the live loop.
        pause: waits for the given seconds, on the worker.
    """

    def __init__(
        self,
        worker: Worker,
        post: Post,
        *,
        clock: Callable[[], float] = time.perf_counter,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.frame: Event[[Frame, float]] = Event()
        self.failed: Event[[SourceProblem]] = Event()
        self.moved: Event[[float]] = Event()
        self.changed: Event[[]] = Event()
        self.loop = False
        self._worker = worker
        self._post = post
        self._clock = clock
        self._pause = pause
        self._path: str | None = None
        self._info: VideoInfo | None = None
        self._position = self._at = 0.0  # of the picture that is shown, and where playing goes on
        self._playing = False
        self._ended = False
        self._job: Job | None = None
        self._newest: Newest[_Shown] = Newest(post, self._deliver)

    @property
    def path(self) -> str | None:
        """The file that is open; None when there is none."""
        return self._path

    @property
    def info(self) -> VideoInfo | None:
        """What the file says of itself; None until its first picture is there."""
        return self._info

    @property
    def position(self) -> float:
        """Seconds from the beginning, of the picture that is shown."""
        return self._position

    @property
    def playing(self) -> bool:
        """True while it plays."""
        return self._playing

    def start(self, path: str) -> None:
        """Play the file from its beginning, in place of the one before."""
        self.stop()
        self._path = path
        self.play()

    def play(self) -> None:
        """Go on from where it stands; from the beginning where it stands at the end."""
        if self._path is None or self._playing:
            return
        self._run(0.0 if self._ended else self._at, playing=True)

    def pause(self) -> None:
        """Stand still; the last picture stays."""
        if self._playing:
            self._cancel()
            self._set_playing(playing=False)

    def seek(self, seconds: float) -> None:
        """Show the picture at `seconds`, and play on from there if it plays."""
        if self._path is None:
            return
        limit = self._info.duration if self._info else 0.0
        self._at = min(max(0.0, seconds), limit) if limit else max(0.0, seconds)
        self._run(self._at, playing=self._playing)

    def stop(self) -> None:
        """Give no more frames, and close the file."""
        self._cancel()
        self._path = self._info = None
        self._position, self._at, self._ended = 0.0, 0.0, False
        self._set_playing(playing=False)

    def _run(self, at: float, *, playing: bool) -> None:
        """Have the worker play from `at` seconds, or show that one picture."""
        path = self._path
        if path is None:
            return
        # While a slider is dragged, each picture that was begun is shown, and the newest place waits:
        # replacing would show none until the hand rests.
        scrubs = not playing and not self._playing
        if not scrubs:
            self._cancel()
        newest, self._ended = self._newest, False

        def run(token: CancelToken) -> bool:
            from fewshot_gui.engine.sources.video_file import VideoFile  # noqa: PLC0415 - PyAV only for a video

            with VideoFile(path) as video:
                return self._show(video, at, newest, token, once=not playing)

        self._job = self._worker.submit(
            run,
            then=self._finish,
            failed=self._fail,
            priority=Priority.LIVE,
            newest="scrub" if scrubs else None,
        )
        self._set_playing(playing=playing)

    def _show(
        self, video: VideoFile, at: float, newest: Newest[_Shown], token: CancelToken, *, once: bool
    ) -> bool:
        """Offer the pictures as they fall due; return True at the end of the video, on the worker."""
        pace = Pace(self._clock, self._pause)
        for picture in self._endless(video, at, pace, token):
            token.check()
            if pace.wait(picture.at, token):
                newest.offer(_Shown(picture.frame(), self._clock(), picture.at, video.info))
            if once:
                return False
        return True

    def _endless(self, video: VideoFile, at: float, pace: Pace, token: CancelToken) -> Iterator[VideoPicture]:
        """Yield the pictures from `at` on, and again from the beginning for as long as `loop` is set."""
        while True:
            gap, last = 0.0, at
            for picture in video.pictures(at):
                gap, last = picture.at - last, picture.at
                yield picture
            if not self.loop:
                return
            # The last one stays as long as those before it did; the first one is due at once.
            gap = 1 / video.info.fps if video.info.fps else gap
            pace.wait(last + max(gap, _LEAST_SECONDS), token)
            pace.restart()
            at = 0.0

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self._newest.close()
        self._newest = Newest(self._post, self._deliver)

    def _set_playing(self, *, playing: bool) -> None:
        self._playing = playing
        self.changed.emit()

    def _deliver(self, shown: _Shown) -> None:
        news = shown.info != self._info
        self._info, self._position = shown.info, shown.position
        if self._playing:  # else it may be a place that was passed while the handle was dragged
            self._at = shown.position
        if news:
            self.changed.emit()
        self.frame.emit(shown.frame, shown.captured_at)
        self.moved.emit(shown.position)

    def _finish(self, ended: bool) -> None:
        if ended:
            self._ended = True
            self._set_playing(playing=False)

    def _fail(self, error: Exception) -> None:
        path = self._path or ""
        self.stop()
        self.failed.emit(
            error
            if isinstance(error, SourceProblem)
            else SourceProblem(SourceTrouble.UNREADABLE, path, str(error))
        )
