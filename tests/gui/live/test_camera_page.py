from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

from fewshot_gui.engine.commands import AddCategory, ChooseBackbone, RemoveCategory
from fewshot_gui.engine.sources.devices import CameraDevice
from fewshot_gui.engine.sources.frames import SourceProblem, SourceTrouble
from fewshot_gui.engine.state import CategoryId
from fewshot_gui.gui.live.camera_page import CameraPage

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from pytestqt.qtbot import QtBot

    from fewshot_gui.engine.live import LivePrediction
    from fewshot_gui.engine.session import Session
    from fewshot_gui.gui.theme import Appearance

    Frame = Callable[..., np.ndarray]
    Live = Callable[..., LivePrediction]

FIRST, SECOND = CameraDevice(0, "Webcam"), CameraDevice(2, "Microscope")
CAT, DOG = CategoryId("cat"), CategoryId("dog")


@pytest.fixture
def page(
    qtbot: QtBot, session: Session, camera: Any, loop: Any, intake: Any, appearance: Appearance
) -> CameraPage:
    result = CameraPage(session, camera, loop, intake, appearance)
    qtbot.addWidget(result)
    result.resize(760, 600)
    result.show()
    return result


@pytest.fixture
def running(page: CameraPage, camera: Any, frame: Frame) -> CameraPage:
    """The page with one camera that has given its first frame."""
    camera.found.emit((FIRST, SECOND))
    camera.frame.emit(frame(), 1.0)
    return page


def test_shown_it_looks_for_cameras_and_starts_the_first(page: CameraPage, camera: Any) -> None:
    assert camera.looks == 1
    assert page.empty.title.text() == "Looking for cameras"
    camera.found.emit((FIRST, SECOND))
    assert camera.device == FIRST
    assert page.empty.title.text() == "Opening Webcam"
    assert [page.devices.itemText(row) for row in range(2)] == ["Webcam", "Microscope"]
    assert page.switch.text() == "Stop"


def test_without_a_camera_it_tells_what_to_do(
    page: CameraPage, camera: Any, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "linux")
        camera.found.emit(())
    assert page.empty.title.text() == "No camera found"
    assert page.empty.text.text() == "Plug one in, then press Look again."
    assert page.act.text() == "Look again"
    assert not page.switch.isEnabled()
    qtbot.mouseClick(page.act, Qt.MouseButton.LeftButton)
    assert camera.looks == 2
    camera.found.emit((FIRST,))
    assert camera.device == FIRST


@pytest.mark.parametrize(
    ("system", "place"),
    [
        ("win32", "in the system's privacy settings"),
        ("darwin", "in System Settings > Privacy & Security > Camera"),
    ],
)
def test_where_a_camera_in_use_looks_like_none_it_says_so(
    page: CameraPage, camera: Any, monkeypatch: pytest.MonkeyPatch, system: str, place: str
) -> None:
    """Before, who had plugged one in was told to plug one in."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", system)
        camera.found.emit(())
    words = page.empty.text.text()
    assert words.startswith("Plug one in, then press Look again. If one is connected, close other programs")
    assert place in words


def test_a_frame_is_shown_and_offered_as_the_camera_sees(
    running: CameraPage, loop: Any, frame: Frame
) -> None:
    assert running.stack.currentWidget() is running.view
    assert running.view.mirrored, "as in a mirror, at first"
    offered, captured_at = loop.offered[-1]
    assert captured_at == 1.0
    assert (offered == frame()).all()


def test_the_prediction_of_a_frame_is_shown(running: CameraPage, loop: Any, live: Live) -> None:
    loop.predicted.emit(live(0.1, 0.9))
    guess = running.view.guess()
    assert guess is not None
    assert guess.label == "dog"


def test_without_a_frame_a_prediction_is_not_shown(page: CameraPage, loop: Any, live: Live) -> None:
    loop.predicted.emit(live(0.1, 0.9))
    assert page.view.guess() is None


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        (SourceTrouble.BUSY, "Webcam is in use"),
        (SourceTrouble.NO_PERMISSION, "Webcam may not be used"),
        (SourceTrouble.LOST, "Webcam was disconnected"),
        (SourceTrouble.TIMED_OUT, "Webcam gives no picture"),
        (SourceTrouble.UNREADABLE, "Webcam cannot be read"),
    ],
)
def test_each_trouble_is_one_calm_sentence_and_a_button(
    running: CameraPage, camera: Any, loop: Any, qtbot: QtBot, kind: SourceTrouble, title: str
) -> None:
    camera.fail(SourceProblem(kind, "Webcam"))
    assert running.stack.currentWidget() is running.empty
    assert running.empty.title.text() == title
    assert running.empty.text.text()
    assert running.act.text() == "Try again"
    assert running.view.image is None
    assert loop.resets > 0
    qtbot.mouseClick(running.act, Qt.MouseButton.LeftButton)
    assert camera.device == FIRST


def test_a_camera_that_is_gone_is_looked_for(running: CameraPage, camera: Any, qtbot: QtBot) -> None:
    camera.fail(SourceProblem(SourceTrouble.NO_CAMERA, "Webcam"))
    assert running.empty.title.text() == "No camera found"
    qtbot.mouseClick(running.act, Qt.MouseButton.LeftButton)
    assert camera.looks == 2


def test_stopped_it_stays_off_until_started(running: CameraPage, camera: Any, qtbot: QtBot) -> None:
    qtbot.mouseClick(running.switch, Qt.MouseButton.LeftButton)
    assert camera.device is None
    assert running.empty.title.text() == "The camera is off"
    running.hide()
    running.show()
    camera.found.emit((FIRST, SECOND))
    assert camera.device is None, "who stopped it wants it off"
    qtbot.mouseClick(running.switch, Qt.MouseButton.LeftButton)
    assert camera.device == FIRST


def test_hidden_it_lets_the_camera_go_and_takes_it_up_again(running: CameraPage, camera: Any) -> None:
    running.hide()
    assert camera.device is None
    running.show()
    camera.found.emit((FIRST, SECOND))
    assert camera.device == FIRST


def test_the_chosen_camera_is_remembered(
    running: CameraPage, camera: Any, session: Session, qtbot: QtBot
) -> None:
    running.devices.setCurrentIndex(1)
    running.devices.activated.emit(1)
    assert camera.device == SECOND
    running.hide()
    running.show()
    camera.found.emit((FIRST, SECOND))
    assert camera.device == SECOND
    assert session.recall("camera.device") == [2, "Microscope"]


def test_the_camera_that_runs_is_not_opened_once_more(
    running: CameraPage, camera: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, it was opened while it was still being closed, and so found in use."""
    started: list[CameraDevice] = []
    monkeypatch.setattr(camera, "start", started.append)
    running.devices.activated.emit(0)
    assert started == []
    camera.fail(SourceProblem(SourceTrouble.BUSY, "Webcam"))
    running.devices.activated.emit(0)
    assert started == [FIRST]


def test_two_cameras_of_one_name_are_told_apart(page: CameraPage, camera: Any) -> None:
    camera.found.emit((CameraDevice(0, "HD"), CameraDevice(2, "HD"), CameraDevice(4)))
    assert [page.devices.itemText(row) for row in range(3)] == ["HD (0)", "HD (2)", "Camera 5"]


def test_the_mirror_is_remembered_and_changes_no_prediction(
    running: CameraPage, session: Session, camera: Any, loop: Any, frame: Frame, qtbot: QtBot
) -> None:
    qtbot.mouseClick(running.mirror, Qt.MouseButton.LeftButton)
    assert not running.view.mirrored
    assert session.recall("camera.mirrored") is False
    camera.frame.emit(frame(), 2.0)
    assert (loop.offered[0][0] == loop.offered[1][0]).all()


def test_holding_a_category_captures_until_it_is_let_go(
    running: CameraPage, camera: Any, intake: Any, frame: Frame, qtbot: QtBot
) -> None:
    running.capture(CAT, held=True)
    assert [(category, origin) for _, category, origin in intake.taught] == [(CAT, "camera")]
    camera.frame.emit(frame(120), 2.0)
    qtbot.waitUntil(lambda: len(intake.taught) == 2)
    running.capture(CAT, held=False)
    camera.frame.emit(frame(130), 3.0)
    assert not running._captures.isActive()
    assert [int(pixels[0, 40, 0]) for pixels, _, _ in intake.taught] == [100, 120]
    assert intake.captures == 1


def test_each_hold_is_a_capture_of_its_own(
    running: CameraPage, camera: Any, intake: Any, frame: Frame
) -> None:
    for at in (2.0, 3.0):
        camera.frame.emit(frame(), at)
        running.capture(CAT, held=True)
        running.capture(CAT, held=False)
    assert intake.captures == len(intake.taught) == 2


def test_the_same_frame_is_not_captured_twice(running: CameraPage, intake: Any) -> None:
    running.capture(CAT, held=True)
    running._captures.timeout.emit()
    assert len(intake.taught) == 1
    running.capture(CAT, held=False)


def test_without_a_picture_nothing_is_captured(page: CameraPage, intake: Any) -> None:
    page.capture(CAT, held=True)
    page.capture(CAT, held=False)
    assert intake.taught == []


def test_the_buttons_can_be_pressed_while_there_is_a_picture(
    page: CameraPage, camera: Any, frame: Frame, session: Session, qtbot: QtBot
) -> None:
    assert not any(button.isEnabled() for button in page.teach.buttons())
    camera.found.emit((FIRST,))
    camera.frame.emit(frame(), 1.0)
    assert all(button.isEnabled() for button in page.teach.buttons())
    qtbot.mouseClick(page.switch, Qt.MouseButton.LeftButton)
    session.do(AddCategory(CategoryId("bird"), "Bird"))
    assert len(page.teach.buttons()) == 3
    assert not any(button.isEnabled() for button in page.teach.buttons())


def test_a_category_that_is_removed_while_held_gets_no_more(
    running: CameraPage, session: Session, intake: Any, camera: Any, frame: Frame
) -> None:
    running.capture(CAT, held=True)
    session.do(RemoveCategory(CAT))
    camera.frame.emit(frame(), 2.0)
    running._captures.timeout.emit()
    assert len(intake.taught) == 1
    running.hide()


def test_hiding_the_page_ends_the_capture(running: CameraPage, intake: Any) -> None:
    running.capture(CAT, held=True)
    running.hide()
    assert not running._captures.isActive()


def test_a_button_is_held_with_the_mouse(running: CameraPage, intake: Any, qtbot: QtBot) -> None:
    button = running.teach.buttons()[1]
    qtbot.mousePress(button, Qt.MouseButton.LeftButton)
    assert [category for _, category, _ in intake.taught] == [DOG]
    assert running._captures.isActive()
    qtbot.mouseRelease(button, Qt.MouseButton.LeftButton)
    assert not running._captures.isActive()


def test_a_key_is_held_and_its_repeats_are_not_counted(
    running: CameraPage, intake: Any, qtbot: QtBot
) -> None:
    qtbot.keyPress(running, Qt.Key.Key_2)
    repeat = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_2, Qt.KeyboardModifier.NoModifier, "2", autorep=True)
    QApplication.sendEvent(running, repeat)
    assert [category for _, category, _ in intake.taught] == [DOG]
    assert running._captures.isActive()
    qtbot.keyRelease(running, Qt.Key.Key_2)
    assert not running._captures.isActive()


def test_while_a_picture_is_shown_the_keys_are_ours(running: CameraPage) -> None:
    def override(key: Qt.Key, text: str) -> bool:
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier, text)
        event.ignore()
        QApplication.sendEvent(running, event)
        return event.isAccepted()

    assert override(Qt.Key.Key_1, "1")
    assert not override(Qt.Key.Key_9, "9")
    running.forget()
    assert not override(Qt.Key.Key_1, "1")


def test_it_looks_after_a_camera_that_hangs(page: CameraPage, camera: Any, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: camera.checks > 0)


def test_the_buttons_follow_the_document(running: CameraPage, session: Session) -> None:
    session.do(AddCategory(CategoryId("owl"), "an owl with a name that is long & odd"))
    texts = [button.text() for button in running.teach.buttons()]
    assert texts == ["cat   1", "dog   2", "an owl with a nam…   3"]
    session.undo()
    assert len(running.teach.buttons()) == 2


def test_with_the_network_for_symbols_it_offers_the_one_for_photos(
    running: CameraPage, session: Session, qtbot: QtBot
) -> None:
    assert not running.banner.isVisible()
    session.do(ChooseBackbone("omniglot-conv4"))
    assert running.banner.isVisible()
    qtbot.mouseClick(running.banner.button, Qt.MouseButton.LeftButton)
    assert session.document.settings.backbone == "photo"
    assert not running.banner.isVisible()


def lose(page: CameraPage, camera: Any, kind: SourceTrouble = SourceTrouble.LOST) -> None:
    """Unplug the camera, and let two seconds pass."""
    camera.fail(SourceProblem(kind, "Webcam"))
    for _ in range(4):
        page.check()


def test_a_camera_that_is_plugged_in_again_goes_on_by_itself(
    running: CameraPage, camera: Any, frame: Frame
) -> None:
    lose(running, camera)
    assert camera.sought == [FIRST]
    again = CameraDevice(4, "Webcam")
    camera.returned.emit(again)
    assert camera.device == again
    assert running.devices.currentText() == "Webcam"
    camera.frame.emit(frame(), 2.0)
    assert running.stack.currentWidget() is running.view
    for _ in range(8):
        running.check()
    assert camera.sought == [FIRST], "nothing is sought while a camera runs"


def test_a_camera_that_is_gone_when_it_is_started_is_awaited_too(running: CameraPage, camera: Any) -> None:
    lose(running, camera, SourceTrouble.NO_CAMERA)
    camera.returned.emit(FIRST)
    assert camera.device == FIRST


def test_a_camera_in_use_elsewhere_is_not_taken_as_soon_as_it_is_free(
    running: CameraPage, camera: Any
) -> None:
    lose(running, camera, SourceTrouble.BUSY)
    assert camera.sought == []


def test_who_left_the_page_or_chose_another_camera_is_left_alone(running: CameraPage, camera: Any) -> None:
    lose(running, camera)
    running.devices.activated.emit(1)
    camera.stop()
    camera.returned.emit(FIRST)
    assert camera.device is None
    running.start(FIRST)
    lose(running, camera)
    running.hide()
    camera.returned.emit(FIRST)
    assert camera.device is None


def test_a_button_that_is_made_anew_while_it_is_held_is_let_go(
    running: CameraPage, session: Session, intake: Any, qtbot: QtBot
) -> None:
    """Qt tells of no release of a button that is gone: five examples a second went on."""
    qtbot.mousePress(running.teach.buttons()[0], Qt.MouseButton.LeftButton)
    assert running._captures.isActive()
    session.do(AddCategory(CategoryId("new"), "New"))
    assert not running._captures.isActive()
