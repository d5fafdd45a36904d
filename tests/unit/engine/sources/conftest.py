"""Small videos that tests make for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FPS = 10
WIDTH, HEIGHT = 64, 48


def picture(number: int) -> np.ndarray:
    """Return a picture whose left half is red, and whose right half tells its number by its grey."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[:, : WIDTH // 2, 0] = 220
    pixels[:, WIDTH // 2 :] = min(10 * number, 250)
    return pixels


@pytest.fixture
def make_video(tmp_path: Path) -> Callable[..., Path]:
    """Write a video of `frames` pictures at 10 frames a second, and return its path."""

    def make(frames: int = 20, name: str = "clip.mp4") -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg4", rate=FPS)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            stream.bit_rate = 2_000_000
            stream.codec_context.thread_count = 1  # else the file depends on the number of processors
            for number in range(frames):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), format="rgb24")))
            container.mux(stream.encode())
        return path

    return make


@pytest.fixture
def turned_video(make_video: Callable[..., Path]) -> Callable[[], Path]:
    """Write a video whose header tells players to turn it by a quarter, clockwise."""

    def make() -> Path:
        path = make_video(5, "turned.mp4")
        data = bytearray(path.read_bytes())
        # The matrix of the track header, version 0, lies 40 bytes behind its name: 16.16 numbers.
        at = data.index(b"tkhd") + 4 + 40
        one = 1 << 16
        matrix = (0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
        data[at : at + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in matrix)
        path.write_bytes(data)
        return path

    return make


def number_of(frame: np.ndarray) -> int:
    """Return the number that the right half of a picture tells."""
    return round(float(frame[8:-8, WIDTH // 2 + 8 : -8].mean()) / 10)


@pytest.fixture
def read_number() -> Callable[[np.ndarray], int]:
    return number_of
