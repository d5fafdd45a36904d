from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QFocusEvent, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from fewshot_gui.engine.event import Event
from fewshot_gui.engine.sources.frames import SourceProblem, SourceTrouble
from fewshot_gui.engine.sources.video_file import VideoInfo
from fewshot_gui.engine.state import CategoryId
from fewshot_gui.gui.live.video_page import VideoPage, clock_time

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from pytestqt.qtbot import QtBot

    from fewshot_gui.engine.session import Session
    from fewshot_gui.gui.theme import Appearance

    Frame = Callable[..., np.ndarray]


class FakeVideo:
    """A video source that does as the real one says, without a file."""

    def __init__(self) -> None:
        self.frame: Event[[Any, float]] = Event()
        self.failed: Event[[Any]] = Event()
        self.moved: Event[[float]] = Event()
        self.changed: Event[[]] = Event()
        self.loop = False
        self.path: str | None = None
        self.info: VideoInfo | None = None
        self.position = 0.0
        self.playing = False
        self.sought: list[float] = []

    def start(self, path: str) -> None:
        self.path, self.info = path, VideoInfo(path, 90.0, 25.0)
        self.play()

    def play(self) -> None:
        self.playing = self.path is not None
        self.changed.emit()

    def pause(self) -> None:
        self.playing = False
        self.changed.emit()

    def seek(self, seconds: float) -> None:
        self.sought.append(seconds)

    def fail(self, problem: Exception) -> None:
        self.path, self.info, self.playing = None, None, False
        self.changed.emit()
        self.failed.emit(problem)


@pytest.fixture
def video() -> FakeVideo:
    return FakeVideo()


@pytest.fixture
def page(
    qtbot: QtBot, session: Session, video: FakeVideo, loop: Any, intake: Any, appearance: Appearance
) -> VideoPage:
    result = VideoPage(session, video, loop, intake, appearance, choose=lambda: "/films/chosen.mp4")  # type: ignore[arg-type]
    qtbot.addWidget(result)
    result.resize(760, 600)
    result.show()
    return result


def test_times_are_read_as_people_write_them() -> None:
    assert [clock_time(s) for s in (0, 9.9, 61, 3599, 3600, 36061)] == [
        "0:00", "0:09", "1:01", "59:59", "1:00:00", "10:01:01",
    ]  # fmt: skip


def test_empty_it_tells_what_to_do(page: VideoPage) -> None:
    assert page.stack.currentWidget() is page.empty
    assert not page.transport.isVisible()


def test_a_chosen_file_plays(page: VideoPage, video: FakeVideo, loop: Any, frame: Frame) -> None:
    page.choose()
    assert video.path == "/films/chosen.mp4"
    assert page.name.text() == "chosen.mp4"
    assert page.transport.isVisible()
    video.frame.emit(frame(), 1.0)
    assert page.stack.currentWidget() is page.view
    assert len(loop.offered) == 1
    assert not page.view.mirrored


def test_nothing_chosen_nothing_opened(page: VideoPage, video: FakeVideo) -> None:
    page._ask = str
    page.choose()
    assert video.path is None


def test_the_slider_follows_and_the_time_is_told(page: VideoPage, video: FakeVideo) -> None:
    page.open("/films/a.mp4")
    video.moved.emit(31.0)
    assert page.slider.value() == 3100
    assert page.time.text() == "0:31 / 1:30"
    assert video.sought == [], "following is not seeking"


def test_dragging_the_slider_shows_each_place_and_plays_on(page: VideoPage, video: FakeVideo) -> None:
    page.open("/films/a.mp4")
    page.slider.setSliderDown(True)
    assert not video.playing
    page.slider.setValue(4500)
    video.moved.emit(12.0)
    assert page.slider.value() == 4500, "the hand has the slider"
    page.slider.setSliderDown(False)
    assert video.sought == [45.0]
    assert video.playing


def test_a_video_that_stood_stands_after_dragging(page: VideoPage, video: FakeVideo) -> None:
    page.open("/films/a.mp4")
    video.pause()
    page.slider.setSliderDown(True)
    page.slider.setSliderDown(False)
    assert not video.playing


def test_space_and_the_button_play_and_pause(page: VideoPage, video: FakeVideo, qtbot: QtBot) -> None:
    page.open("/films/a.mp4")
    assert page.play.accessibleName() == "Pause"
    qtbot.keyClick(page, Qt.Key.Key_Space)
    assert not video.playing
    assert page.play.accessibleName() == "Play"
    qtbot.mouseClick(page.play, Qt.MouseButton.LeftButton)
    assert video.playing


def test_the_box_sets_the_loop(page: VideoPage, video: FakeVideo) -> None:
    page.loop.setChecked(True)
    assert video.loop


def test_hidden_it_stands_and_shown_it_plays_on(page: VideoPage, video: FakeVideo) -> None:
    page.open("/films/a.mp4")
    page.hide()
    assert not video.playing
    page.show()
    assert video.playing
    video.pause()
    page.hide()
    page.show()
    assert not video.playing


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        (SourceTrouble.MISSING, "a.mp4 is not there"),
        (SourceTrouble.NO_PERMISSION, "a.mp4 may not be read"),
        (SourceTrouble.UNREADABLE, "a.mp4 cannot be played"),
    ],
)
def test_a_broken_file_is_explained(
    page: VideoPage, video: FakeVideo, kind: SourceTrouble, title: str
) -> None:
    page.open("/films/a.mp4")
    video.fail(SourceProblem(kind, "/films/a.mp4", "moov atom not found"))
    assert page.stack.currentWidget() is page.empty
    assert page.empty.title.text() == title
    assert not page.transport.isVisible()
    assert page.name.text() == ""


def drop_of(page: VideoPage, *paths: str) -> tuple[QDragEnterEvent, QDropEvent]:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path) for path in paths])
    page._held = data  # Qt's events do not keep it
    none, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    copy = Qt.DropAction.CopyAction
    return QDragEnterEvent(QPoint(9, 9), copy, data, left, none), QDropEvent(
        QPointF(9, 9), copy, data, left, none
    )


def test_a_dropped_video_plays(page: VideoPage, video: FakeVideo) -> None:
    enter, drop = drop_of(page, "/films/notes.txt", "/films/B.MOV")
    page.dragEnterEvent(enter)
    assert enter.isAccepted()
    page.dropEvent(drop)
    assert video.path is not None
    assert Path(video.path).name == "B.MOV"


def test_other_files_are_not_taken(page: VideoPage, video: FakeVideo) -> None:
    enter, drop = drop_of(page, "/films/notes.txt")
    enter.ignore()
    page.dragEnterEvent(enter)
    assert not enter.isAccepted()
    page.dropEvent(drop)
    assert video.path is None


def test_a_key_that_comes_up_elsewhere_or_with_shift_ends_the_capture(
    page: VideoPage, video: FakeVideo, intake: Any, frame: Frame
) -> None:
    page.open("/films/a.mp4")
    video.frame.emit(frame(), 1.0)
    page.setFocus()
    for end in ("shift", "elsewhere"):
        QTest.keyPress(page, Qt.Key.Key_1)
        assert page._captures.isActive(), end
        if end == "shift":
            QTest.keyRelease(page, Qt.Key.Key_1, Qt.KeyboardModifier.ShiftModifier)
        else:
            QApplication.sendEvent(page, QFocusEvent(QEvent.Type.FocusOut))
        assert not page._captures.isActive(), end


@pytest.mark.parametrize("away", ["hidden", "window"])
def test_what_a_card_holds_ends_with_the_page(
    page: VideoPage, video: FakeVideo, frame: Frame, away: str
) -> None:
    """Before, frames were taught for as long as the video played, with nothing held."""
    page.open("/films/a.mp4")
    video.frame.emit(frame(), 1.0)
    page.capture(CategoryId("cat"), held=True)
    assert page._captures.isActive()
    if away == "hidden":
        page.hide()
    else:
        QApplication.sendEvent(page, QEvent(QEvent.Type.WindowDeactivate))
    assert not page._captures.isActive()


def test_a_key_ends_its_hold_even_where_shift_came_up_first(
    page: VideoPage, video: FakeVideo, frame: Frame
) -> None:
    """A French keyboard types 1 with Shift, and & without."""
    page.open("/films/a.mp4")
    video.frame.emit(frame(), 1.0)
    page.setFocus()
    shift, none = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier
    scan = 10
    for kind, key, held, text, active in (
        (QEvent.Type.KeyPress, Qt.Key.Key_1, shift, "1", True),
        (QEvent.Type.KeyRelease, Qt.Key.Key_Shift, none, "", True),
        (QEvent.Type.KeyRelease, Qt.Key.Key_Ampersand, none, "&", False),
    ):
        code = 50 if key == Qt.Key.Key_Shift else scan
        QApplication.sendEvent(page, QKeyEvent(kind, key, held, code, 0, 0, text))
        assert page._captures.isActive() == active, key


def test_a_standing_frame_can_be_taught_again(
    page: VideoPage, video: FakeVideo, intake: Any, frame: Frame
) -> None:
    """Before, nothing happened after a wrong category was undone on a paused video."""
    page.open("/films/a.mp4")
    video.frame.emit(frame(), 1.0)
    for category in ("cat", "dog"):
        page.capture(CategoryId(category), held=True)
        page._take()  # the timer, while nothing moves
        page.capture(CategoryId(category), held=False)
    assert [category for _, category, _ in intake.taught] == ["cat", "dog"]


def test_holding_a_category_captures_from_the_video(
    page: VideoPage, video: FakeVideo, intake: Any, frame: Frame
) -> None:
    page.open("/films/a.mp4")
    video.frame.emit(frame(), 1.0)
    page.capture(CategoryId("cat"), held=True)
    page.capture(CategoryId("cat"), held=False)
    assert [(category, origin) for _, category, origin in intake.taught] == [("cat", "video")]


def test_a_frame_on_its_way_is_not_told_on_another_page(
    page: VideoPage, video: FakeVideo, loop: Any, frame: Callable[..., np.ndarray]
) -> None:
    page.open("/films/a.mp4")
    page.show_frame(frame(), 0.0)
    before = loop.resets
    page.hide()
    assert loop.resets == before + 1
    late = len(loop.offered)
    video.frame.emit(frame(), 0.2)
    assert len(loop.offered) == late, "a place that was sought comes after one has left"
    video.pause()
    asked = len(loop.offered)
    page.show()
    assert len(loop.offered) == asked + 1, "what is seen again is judged by what was taught meanwhile"


def test_of_a_video_that_stands_each_place_is_judged_alone(
    page: VideoPage, video: FakeVideo, loop: Any, frame: Callable[..., np.ndarray]
) -> None:
    page.open("/films/a.mp4")
    video.frame.emit(frame(), 0.0)
    assert not loop.alone
    video.pause()
    assert loop.alone, "the frame on which it stops, too"
    assert len(loop.offered) == 2
    video.frame.emit(frame(), 0.1)
    assert loop.alone
