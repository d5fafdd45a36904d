from __future__ import annotations

from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from fewshot_gui.engine.sources import video_file
from fewshot_gui.engine.sources.frames import SourceProblem, SourceTrouble
from fewshot_gui.engine.sources.video_file import VideoFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_pictures_come_in_order_with_their_times(
    make_video: Callable[..., Path], read_number: Callable[..., int]
) -> None:
    with VideoFile(str(make_video(12))) as video:
        pictures = list(video.pictures())
        assert [picture.at for picture in pictures] == pytest.approx([n / 10 for n in range(12)])
        assert [read_number(picture.frame()) for picture in pictures] == list(range(12))
        assert video.info.duration == pytest.approx(1.2)
        assert video.info.fps == pytest.approx(10)


def test_a_frame_is_rgb(make_video: Callable[..., Path]) -> None:
    with VideoFile(str(make_video(1))) as video:
        frame = next(iter(video.pictures())).frame()
    assert frame.shape == (48, 64, 3)
    assert frame.dtype == np.uint8
    assert frame.flags["C_CONTIGUOUS"]
    red, green, blue = frame[:, :24].mean(axis=(0, 1))
    assert red > 180
    assert green < 60
    assert blue < 60


@pytest.mark.parametrize("at", [0.0, 0.3, 1.1, 0.62])
def test_it_begins_where_asked(
    make_video: Callable[..., Path], read_number: Callable[..., int], at: float
) -> None:
    with VideoFile(str(make_video(12))) as video:
        first = next(iter(video.pictures(at)))
        assert first.at == pytest.approx(at, abs=0.051)
        assert read_number(first.frame()) == round(first.at * 10)


def test_beyond_the_end_the_last_picture_is_shown(make_video: Callable[..., Path]) -> None:
    with VideoFile(str(make_video(12))) as video:
        assert [picture.at for picture in video.pictures(60.0)] == pytest.approx([1.1])


def test_it_can_be_read_again_from_the_beginning(make_video: Callable[..., Path]) -> None:
    with VideoFile(str(make_video(4))) as video:
        assert len(list(video.pictures())) == len(list(video.pictures())) == 4


def test_a_turned_video_is_upright(turned_video: Callable[[], Path]) -> None:
    with VideoFile(str(turned_video())) as video:
        frame = next(iter(video.pictures())).frame()
    assert frame.shape == (64, 48, 3)
    # Turned clockwise, what was left is on top.
    assert frame[:24, :, 0].mean() > 180
    assert frame[40:, :, 0].mean() < 60


def test_a_large_video_is_shown_smaller(
    make_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_file, "MOST_SIDE", 32)
    with VideoFile(str(make_video(1))) as video:
        assert next(iter(video.pictures())).frame().shape == (24, 32, 3)


def problem_of(path: Path) -> SourceProblem:
    with pytest.raises(SourceProblem) as caught, VideoFile(str(path)) as video:
        list(video.pictures())
    assert caught.value.source == str(path)
    return caught.value


def test_a_file_that_is_not_there_is_missing(tmp_path: Path) -> None:
    assert problem_of(tmp_path / "no.mp4").kind is SourceTrouble.MISSING


@pytest.mark.parametrize("content", [b"", b"not a video at all" * 100])
def test_what_is_no_video_is_unreadable(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "text.mp4"
    path.write_bytes(content)
    problem = problem_of(path)
    assert problem.kind is SourceTrouble.UNREADABLE
    assert problem.detail


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        silence.sample_rate = 8000
        container.mux(stream.encode(silence))
        container.mux(stream.encode())
    assert problem_of(path).kind is SourceTrouble.UNREADABLE


def test_a_video_cut_off_is_played_as_far_as_it_goes(make_video: Callable[..., Path]) -> None:
    path = make_video(30, "cut.avi")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 4 // 5])
    with VideoFile(str(path)) as video:
        pictures = list(video.pictures())
    assert 5 < len(pictures) < 30


def test_a_broken_stretch_is_left_out(make_video: Callable[..., Path]) -> None:
    path = make_video(30, "broken.avi")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(400)
    path.write_bytes(data)
    with VideoFile(str(path)) as video:
        assert len(list(video.pictures())) > 5


def test_a_video_that_may_not_be_read_says_so(
    make_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(1)

    def refuse(*_args: Any, **_more: Any) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(av, "open", refuse)
    assert problem_of(path).kind is SourceTrouble.NO_PERMISSION
