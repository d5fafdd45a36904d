from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from fewshot_gui.engine.sources.frames import SourceProblem, SourceTrouble
from fewshot_gui.engine.sources.video import Pace, VideoSource
from fewshot_gui.engine.worker import Cancelled, CancelToken

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fewshot_gui.engine.worker import Worker


class Clock:
    """A clock that moves only when somebody waits."""

    def __init__(self) -> None:
        self.now = 50.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)


def test_a_picture_waits_until_it_is_due() -> None:
    clock = Clock()
    pace = Pace(clock, clock.pause)
    assert pace.wait(3.0, CancelToken()), "the first is due at once, wherever the video begins"
    assert clock.now == 50.0
    assert pace.wait(3.5, CancelToken())
    assert clock.now == pytest.approx(50.5)
    assert max(clock.pauses) <= 0.02, "a cancelled job notices soon"


def test_a_late_picture_is_left_out_and_a_very_late_one_sets_the_pace_anew() -> None:
    clock = Clock()
    pace = Pace(clock, clock.pause)
    pace.wait(0.0, CancelToken())
    clock.now += 0.5
    assert not pace.wait(0.1, CancelToken())
    assert pace.wait(0.45, CancelToken()), "50 ms late can still be shown"
    clock.now += 60
    assert pace.wait(0.5, CancelToken()), "the computer slept"
    assert pace.wait(0.6, CancelToken())


def test_waiting_ends_when_nobody_wants_the_picture() -> None:
    clock, token = Clock(), CancelToken()
    pace = Pace(clock, clock.pause)
    pace.wait(0.0, token)
    token.cancel()
    with pytest.raises(Cancelled):
        pace.wait(5.0, token)


class Player:
    """A source with its worker, and all that it told."""

    def __init__(self, worker: Worker, main: Any) -> None:
        self.worker, self.main = worker, main
        clock = Clock()
        self.source = VideoSource(worker, main, clock=clock, pause=clock.pause)
        self.positions: list[float] = []
        self.frames: list[Any] = []
        self.problems: list[SourceProblem] = []
        self.changes = 0
        self.source.moved.connect(self.positions.append)
        self.source.frame.connect(lambda frame, at: self.frames.append((frame, at)))
        self.source.failed.connect(self.problems.append)
        self.source.changed.connect(self._changed)

    def _changed(self) -> None:
        self.changes += 1

    def until_it_stands(self) -> None:
        self.main.run_until(lambda: not self.source.playing)


@pytest.fixture
def player(lane: Callable[..., Worker], main: Any) -> Player:
    return Player(lane("video"), main)


def test_it_plays_to_the_end_and_stands_there(player: Player, make_video: Callable[..., Path]) -> None:
    path = str(make_video(12))
    player.source.start(path)
    assert player.source.playing
    player.until_it_stands()
    assert player.positions[-1] == pytest.approx(1.1)
    assert player.positions == sorted(player.positions)
    assert player.source.info is not None
    assert player.source.info.duration == pytest.approx(1.2)
    assert player.source.path == path
    assert len(player.frames) == len(player.positions)


def test_played_again_at_the_end_it_begins_anew(player: Player, make_video: Callable[..., Path]) -> None:
    player.source.start(str(make_video(12)))
    player.until_it_stands()
    player.positions.clear()
    player.source.play()
    player.until_it_stands()
    assert player.positions[-1] == pytest.approx(1.1)


def test_it_can_be_set_to_a_place_while_it_stands(
    player: Player, make_video: Callable[..., Path], read_number: Callable[..., int]
) -> None:
    player.source.start(str(make_video(12)))
    player.until_it_stands()
    player.frames.clear()
    player.source.seek(0.4)
    player.main.run_until(lambda: player.frames)
    assert player.source.position == pytest.approx(0.4)
    assert read_number(player.frames[-1][0]) == 4
    assert not player.source.playing


def test_let_go_at_once_the_handle_plays_on_from_there(
    player: Player, make_video: Callable[..., Path]
) -> None:
    """Before, it played on from the last picture that had been shown, and the handle jumped back."""
    player.source.loop = True
    player.source.start(str(make_video(12)))
    player.main.run_until(lambda: player.frames)
    player.source.pause()
    player.source.loop = False
    for tenth in (3, 6, 9):
        player.source.seek(tenth / 10)
    player.positions.clear()
    player.source.play()
    player.until_it_stands()
    assert player.positions[0] >= 0.9 - 0.01


def test_a_dragged_slider_ends_at_the_newest_place(player: Player, make_video: Callable[..., Path]) -> None:
    player.source.start(str(make_video(12)))
    player.until_it_stands()
    player.positions.clear()
    for tenth in range(12):
        player.source.seek(tenth / 10)
    player.main.finish(player.worker)
    assert player.positions[-1] == pytest.approx(1.1)
    assert len(player.positions) <= 12


def test_a_place_outside_is_held_at_the_ends(player: Player, make_video: Callable[..., Path]) -> None:
    player.source.start(str(make_video(12)))
    player.until_it_stands()
    player.source.seek(99)
    player.main.finish(player.worker)
    assert player.source.position == pytest.approx(1.1)
    player.source.seek(-5)
    player.main.finish(player.worker)
    assert player.source.position == 0


def test_paused_it_gives_no_more_frames(player: Player, make_video: Callable[..., Path]) -> None:
    player.source.loop = True
    player.source.start(str(make_video(12)))
    player.main.run_until(lambda: len(player.frames) >= 2)
    player.source.pause()
    before = len(player.frames)
    player.main.finish(player.worker)
    assert len(player.frames) == before
    assert not player.source.playing
    player.source.play()
    player.main.run_until(lambda: len(player.frames) > before)
    player.source.stop()


def test_in_a_loop_it_begins_again(player: Player, make_video: Callable[..., Path]) -> None:
    player.source.loop = True
    player.source.start(str(make_video(3)))
    player.main.run_until(lambda: player.positions != sorted(player.positions))
    assert player.source.playing
    player.source.loop = False
    player.until_it_stands()


@pytest.mark.parametrize(("frames", "stay"), [(1, 1 / 30), (3, 1 / 10)])
def test_in_a_loop_the_last_picture_stays_as_long_as_the_others(
    player: Player, make_video: Callable[..., Path], frames: int, stay: float
) -> None:
    """Before, the first took its place at once; a film of one picture took all of a processor."""
    player.source.loop = True
    player.source.start(str(make_video(frames)))
    player.main.run_until(lambda: len(player.frames) >= 8)
    player.source.stop()
    shown = [(position, at) for position, (_, at) in zip(player.positions, player.frames, strict=True)]
    rounds = [(one, other) for one, other in itertools.pairwise(shown) if other[0] <= one[0]]
    assert rounds
    for (position, at), (next_position, next_at) in rounds:
        assert next_at - at >= (frames - 1) / 10 - position + stay + next_position - 0.001


def test_seeking_while_it_plays_plays_on_from_there(player: Player, make_video: Callable[..., Path]) -> None:
    player.source.loop = True
    player.source.start(str(make_video(12)))
    player.main.run_until(lambda: player.frames)
    player.source.loop = False
    player.source.seek(0.9)
    player.positions.clear()
    assert player.source.playing
    player.until_it_stands()
    assert player.positions[0] >= 0.9 - 0.01


def test_another_file_takes_its_place(player: Player, make_video: Callable[..., Path]) -> None:
    player.source.loop = True
    player.source.start(str(make_video(3)))
    player.main.run_until(lambda: player.frames)
    player.source.loop = False
    player.source.start(str(make_video(5, "other.mp4")))
    assert player.source.info is None
    player.until_it_stands()
    assert player.source.info is not None
    assert player.source.info.path.endswith("other.mp4")


def test_a_broken_file_is_told_with_its_reason(player: Player, tmp_path: Path) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"no video")
    player.source.start(str(path))
    player.main.run_until(lambda: player.problems)
    assert player.problems[0].kind is SourceTrouble.UNREADABLE
    assert player.source.path is None
    assert not player.source.playing


def test_without_a_file_nothing_happens(player: Player) -> None:
    player.source.play()
    player.source.seek(1)
    player.source.pause()
    assert player.worker.pending == 0
    assert player.changes == 0
