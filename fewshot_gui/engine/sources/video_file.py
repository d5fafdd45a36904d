"""A video file as pictures with their times."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import av
import numpy as np

from fewshot_gui.engine.sources.frames import Frame, SourceProblem, SourceTrouble

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

MOST_SIDE = 1280
"""Larger pictures are scaled down while they are converted: a 4K frame would cost 25 MB and 20 ms a time."""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a video file says of itself.

    Attributes:
        path: of the file.
        duration: seconds; 0 where the file does not say.
        fps: frames a second; 0 where the file does not say.
    """

    path: str
    duration: float
    fps: float


@dataclass(frozen=True, slots=True, eq=False)
class VideoPicture:
    """A decoded picture that is converted only when it is shown.

    Attributes:
        at: seconds from the beginning of the video.
    """

    at: float
    _decoded: Any

    def frame(self) -> Frame:
        """Return uint8 (H, W, 3) RGB, upright, at most MOST_SIDE long."""
        decoded = self._decoded
        scale = min(1.0, MOST_SIDE / max(decoded.width, decoded.height))
        pixels = decoded.to_ndarray(
            format="rgb24",
            width=max(1, round(decoded.width * scale)),
            height=max(1, round(decoded.height * scale)),
        )
        # FFmpeg gives the turn that makes the picture upright, counter-clockwise, as rot90 takes it.
        return np.ascontiguousarray(np.rot90(pixels, round(decoded.rotation / 90) % 4))


class VideoFile:
    """An open video file; a context manager that closes it.

    Raises:
        SourceProblem: MISSING, NO_PERMISSION, or UNREADABLE with FFmpeg's reason.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._container = av.open(path, metadata_errors="replace")
        except (av.error.FFmpegError, OSError) as error:
            raise _problem(path, error) from error
        if not self._container.streams.video:
            self._container.close()
            raise SourceProblem(SourceTrouble.UNREADABLE, path, "no video in it")
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self._unit = self._stream.time_base or Fraction(1, av.time_base)
        self._begin = float((self._stream.start_time or 0) * self._unit)
        self.info = VideoInfo(path, self._duration(), float(self._stream.average_rate or 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._container.close()

    def pictures(self, at: float = 0.0) -> Iterator[VideoPicture]:
        """Yield the pictures from `at` seconds on; at least the last one.

        Broken stretches are skipped.

        Raises:
            SourceProblem: UNREADABLE, where not one picture can be decoded.
        """
        self._seek(at)
        half = 0.5 / self.info.fps if self.info.fps else 0.0
        before: VideoPicture | None = None
        begun = False
        for decoded in self._decoded():
            picture = VideoPicture(max(0.0, (decoded.time or 0.0) - self._begin), decoded)
            begun = begun or picture.at >= at - half
            if begun:
                yield picture
            before = picture
        if before is None:
            raise SourceProblem(SourceTrouble.UNREADABLE, self._path, "no picture can be decoded")
        if not begun:
            yield before

    def _seek(self, at: float) -> None:
        """Go to the last key frame before `at` seconds; a file that cannot is read from where it stands."""
        try:
            offset = int((at + self._begin) / self._unit) if at > 0 else self._stream.start_time or 0
            self._container.seek(offset, stream=self._stream)
        except av.error.FFmpegError:
            return

    def _decoded(self) -> Iterator[Any]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
                pictures = packet.decode() if packet is not None else ()
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                # A broken packet is left out. One that cannot even be read ends the demuxer's
                # generator, so the next round finds its end.
                continue
            if packet is None:
                return
            yield from pictures

    def _duration(self) -> float:
        if self._stream.duration:
            return float(self._stream.duration * self._unit)
        return float((self._container.duration or 0) / av.time_base)


def _problem(path: str, error: Exception) -> SourceProblem:
    """Return what is wrong with a file that does not open."""
    number = getattr(error, "errno", None)
    detail = getattr(error, "strerror", None) or str(error)
    if number == errno.ENOENT or not Path(path).exists():
        return SourceProblem(SourceTrouble.MISSING, path, detail)
    if number in {errno.EACCES, errno.EPERM}:
        return SourceProblem(SourceTrouble.NO_PERMISSION, path, detail)
    return SourceProblem(SourceTrouble.UNREADABLE, path, detail)
