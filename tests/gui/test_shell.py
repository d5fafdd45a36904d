"""The shell: what belongs to a window that is gone reaches the present one, or nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QLabel,
    QMessageBox,
    QPushButton,
    QScrollArea,
)

from fewshot_gui.core.backbones.bundle import BundleError, BundleProblem
from fewshot_gui.engine import embedder
from fewshot_gui.engine.commands import AddCategory, new_category_id
from fewshot_gui.engine.devices import Device
from fewshot_gui.engine.workspace import Lanes
from fewshot_gui.gui import report, shell
from fewshot_gui.gui.dialogs.problems import ProblemsDialog
from fewshot_gui.gui.inspector.table_dialog import TableDialog
from fewshot_gui.gui.kept_look import kept_colours
from fewshot_gui.gui.main_thread import MainThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from fewshot_gui.gui.main_window import MainWindow
    from fewshot_gui.gui.theme import Appearance


def no_backbone(name: str) -> Any:
    raise BundleError(BundleProblem.MISSING, name, "there is none here")


class Scene:
    """A shell with its lanes, in folders of its own."""

    def __init__(self, appearance: Appearance, qtbot: QtBot) -> None:
        self.bridge = MainThread()
        self.lanes = Lanes.start(self.bridge.post)
        self.shell = shell.Shell(self.lanes, self.bridge.post, appearance)
        self.qtbot = qtbot

    @property
    def window(self) -> MainWindow:
        assert self.shell.window is not None
        return self.shell.window

    def rest(self) -> None:
        """Wait until the lanes are idle and everything is told."""

        def rests() -> bool:
            return not self.bridge.pending and not any(lane.pending for lane in self.lanes.all())

        self.qtbot.waitUntil(rests, timeout=20_000)

    def switch(self) -> MainWindow:
        """Open a new session, and return the window of the former one, which Qt has destroyed."""
        former = self.window
        self.shell.new_session()
        QCoreApplication.sendPostedEvents(former, QEvent.Type.DeferredDelete)
        assert self.window is not former
        return former


@pytest.fixture
def scene(
    appearance: Appearance, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    monkeypatch.setenv("FEWSHOT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FEWSHOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(embedder, "_load_bundle", no_backbone)
    monkeypatch.setattr(shell, "available_devices", lambda: [Device("cpu", "")])
    # There is no backbone, and that is no news here.
    monkeypatch.setattr(shell.Shell, "_warm_up", lambda *_: None)
    scene = Scene(appearance, qtbot)
    yield scene
    scene.shell.close()
    assert scene.lanes.close()
    scene.bridge.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_the_session_that_is_open_is_opened_no_second_time(scene: Scene) -> None:
    scene.shell.start(None)
    window = scene.window
    assert scene.shell.open_session(window.workspace.session.path)
    assert scene.window is window


def test_a_name_that_another_instance_took_meanwhile_is_passed_over(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, free = tmp_path / "taken.fewshot", tmp_path / "free.fewshot"
    taken.touch()
    paths = iter([taken, free])
    monkeypatch.setattr(shell, "new_session_path", lambda: next(paths))
    scene.shell.start(None)
    assert scene.window.workspace.session.path == str(free)


def test_devices_that_are_found_late_reach_no_window_that_is_gone(scene: Scene) -> None:
    scene.shell.start(None)
    former = scene.switch()
    scene.shell._show_devices(former, [Device("cpu", "")])
    scene.shell._show_devices(scene.window, [Device("cuda", "Big One")])
    choice = scene.window.header.selectors.device
    assert choice.findData("cuda") >= 0


def test_a_copy_that_is_ready_late_is_told_in_the_next_window(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = str(tmp_path / "copy.fewshot")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **_options: (target, ""))
    scene.shell.start(None)
    scene.shell.ask_copy()
    scene.switch()
    scene.qtbot.waitUntil(lambda: target in scene.window.toast.text, timeout=20_000)
    assert Path(target).is_file()


def test_leaving_while_a_copy_takes_long_is_asked(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, the window froze for a minute and then said that the session was not saved."""
    scene.shell.start(None)

    def endless(*_places: object) -> Iterator[None]:
        while True:
            yield

    monkeypatch.setattr("fewshot_gui.engine.session_file.copy_session", endless)
    monkeypatch.setattr(shell, "COPY_SECONDS", 0.01)
    answers = [QMessageBox.StandardButton.Cancel, QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(QMessageBox, "question", lambda *_: answers.pop(0))
    window = scene.window
    window.workspace.session.copy_to(tmp_path / "copy.fewshot")
    window.query.folder.view.setFocus()
    focused = window.focusWidget()
    scene.shell.new_session()
    assert scene.window is window
    assert window.focusWidget() is focused, "the keys go on"
    answers.insert(0, QMessageBox.StandardButton.Cancel)
    window.named_actions["addCategoryAction"].trigger()
    field = window.focusWidget()
    field.hide()  # as it does when it loses the focus of a window that is looked at
    scene.shell.new_session()
    assert window.focusWidget() not in {None, field}, "near where the name was typed"
    window.workspace.session.do(AddCategory(new_category_id(), "Mug"))
    scene.switch()
    assert not answers


def test_a_new_session_says_where_the_former_is_and_leads_back(scene: Scene) -> None:
    scene.shell.start(None)
    scene.window.workspace.session.do(AddCategory(new_category_id(), "Mug"))
    former = scene.switch().workspace.session
    assert former.title in scene.window.toast.text
    assert "Open recent" in scene.window.toast.text
    scene.rest()
    button = scene.window.toast.findChild(QPushButton)
    assert isinstance(button, QPushButton)
    button.click()
    assert scene.window.workspace.session.path == former.path
    assert [each.name for each in scene.window.workspace.session.document.categories] == ["Mug"]


def test_an_empty_session_is_left_without_a_word(scene: Scene) -> None:
    scene.shell.start(None)
    scene.switch()
    assert not scene.window.toast.isVisible()


def test_the_colours_are_ticked_and_kept(scene: Scene) -> None:
    scene.shell.start(None)
    assert scene.window.named_actions["lightThemeAction"].isChecked()
    scene.window.named_actions["darkThemeAction"].trigger()
    assert kept_colours() == "dark"
    scene.switch()
    ticked = [name for name, action in scene.window.named_actions.items() if action.isChecked()]
    assert ticked == ["darkThemeAction"]


def test_colours_that_nobody_knows_are_those_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEWSHOT_DATA", str(tmp_path))
    assert kept_colours() == "system"
    (tmp_path / "window.ini").write_text("[General]\ncolours=mauve\n", encoding="utf-8")
    assert kept_colours() == "system"


def test_each_menu_has_a_letter_of_its_own_for_every_row(scene: Scene) -> None:
    scene.shell.start(None)
    for menu in (action.menu() for action in scene.window.menuBar().actions()):
        letters = [QKeySequence.mnemonic(row.text()).toString() for row in menu.actions() if row.text()]
        assert all(letters)
        assert len(set(letters)) == len(letters)


def test_a_picture_is_pasted_wherever_the_focus_is(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.shell.start(None)
    window, pasted = scene.window, []
    monkeypatch.setattr(window.support, "paste", lambda: pasted.append(True))
    window.query.folder.setFocus()
    window.named_actions["pasteAction"].trigger()
    assert pasted == [True]
    assert window.named_actions["pasteAction"].shortcut() == QKeySequence("Ctrl+V")


@pytest.mark.qt_log_ignore("^This plugin does not support", extend=True)
def test_problems_and_table_are_one_window_each(scene: Scene) -> None:
    scene.shell.start(None)
    for action, kind in (("problemsAction", ProblemsDialog), ("tableAction", TableDialog)):
        for _ in range(2):
            scene.window.named_actions[action].trigger()
        assert len(scene.window.findChildren(kind)) == 1
    table = scene.window.findChild(TableDialog)
    table.close()
    scene.window.named_actions["tableAction"].trigger()  # the closed one is on its way out
    assert sum(each.isVisible() for each in scene.window.findChildren(TableDialog)) == 1


@pytest.mark.qt_log_ignore("^This plugin does not support", extend=True)
@pytest.mark.parametrize(("action", "name"), [("keysAction", "keysDialog"), ("aboutAction", "aboutDialog")])
def test_help_that_was_closed_is_gone(scene: Scene, action: str, name: str) -> None:
    scene.shell.start(None)
    scene.window.named_actions[action].trigger()
    dialog = scene.window.findChild(QDialog, name)
    assert dialog is not None
    dialog.accept()
    scene.qtbot.waitUntil(lambda: scene.window.findChild(QDialog, name) is None)


def test_a_name_is_shown_as_it_is(scene: Scene) -> None:
    scene.shell.start(None)
    scene.window.toast.say("Removed “<b>A</b><br>x”")
    label = scene.window.toast.findChild(QLabel)
    label.ensurePolished()
    assert label.textFormat() is Qt.TextFormat.PlainText


def test_what_lies_below_the_fold_is_scrolled_by_key(scene: Scene) -> None:
    scene.shell.start(None)
    area = scene.window.inspector.findChild(QScrollArea, "inspectorPage")
    bar = area.verticalScrollBar()
    for bottom, policy in ((200, Qt.FocusPolicy.TabFocus), (0, Qt.FocusPolicy.NoFocus)):
        bar.setRange(0, bottom)
        assert area.focusPolicy() is policy


def test_a_hidden_strip_takes_no_room(scene: Scene) -> None:
    scene.shell.start(None)
    strip = QLabel("12 new pictures", scene.window)
    strip.hide()
    QApplication.processEvents()
    before = scene.window.panels.geometry()
    scene.window.add_strip(strip)
    QApplication.processEvents()
    assert scene.window.panels.geometry() == before
    strip.show()
    QApplication.processEvents()
    assert scene.window.panels.y() > before.y()


# Its place --------------------------------------------------------------------------------------------------


def test_a_picture_of_the_folder_does_not_come_back_over_another_source(scene: Scene) -> None:
    scene.shell.start(None)
    window, asked = scene.window, []  # type: ignore[var-annotated]
    window.inspector.show_rows = asked.append  # type: ignore[method-assign, assignment]
    window.show_source("draw")
    window.query.folder.selectionChanged.emit([0])  # it is sent a moment after the click
    assert asked == []
    window.query.show_source("folder")
    window.query.folder.selectionChanged.emit([0])
    assert asked == [[0]]


def test_half_a_large_screen_is_enough(scene: Scene) -> None:
    scene.shell.start(None)
    window = scene.window
    window.header.selectors.learner.show_value("first-order-maml")
    window.resize(960, 700)
    QApplication.processEvents()
    assert window.width() == 960
    for part in (window.header, window.panels, window.status):
        assert part.width() == 960
        assert part.minimumSizeHint().width() <= 960
    choices = (
        window.header.selectors.learner,
        window.header.selectors.backbone,
        window.header.selectors.device,
    )
    assert all(choice.width() >= choice.minimumSizeHint().width() for choice in choices)
    assert window.header.source.button("draw").toolTip() == "Draw"


def test_a_narrow_window_shows_categories_or_details(scene: Scene) -> None:
    scene.shell.start(None)
    window = scene.window
    window.resize(1366, 700)
    QApplication.processEvents()
    assert window.support.isVisible()
    assert window.inspector.isVisible()
    window.resize(960, 700)
    QApplication.processEvents()
    assert (window.support.isVisible(), window.inspector.isVisible()) == (True, False)
    window.status.details.click()
    assert (window.support.isVisible(), window.inspector.isVisible()) == (False, True)
    window.named_actions["addCategoryAction"].trigger()
    assert (window.support.isVisible(), window.inspector.isVisible()) == (True, False)
    assert len(window.workspace.session.document.categories) == 1
    window.resize(1366, 700)
    QApplication.processEvents()
    assert (window.support.isVisible(), window.inspector.isVisible()) == (True, True)
    assert not window.status.details.isVisible()
    assert window.panels.sizes()[::2] == [300, 304], "as they were"


@pytest.mark.parametrize("action", ["addCategoryAction", "pasteAction"])
def test_categories_come_back_where_something_becomes_of_them(scene: Scene, action: str) -> None:
    """A pasted picture made a category that nobody saw; Ctrl+N typed into a panel of no width."""
    scene.shell.start(None)
    window = scene.window
    window.resize(1366, 700)
    QApplication.processEvents()
    window.panels.set_widths(0, 304)
    QApplication.processEvents()
    assert window.panels.sizes()[0] == 0
    window.named_actions[action].trigger()
    QApplication.processEvents()
    assert window.panels.sizes()[0] >= 250
    assert window.inspector.isVisible()
    window.resize(960, 700)
    QApplication.processEvents()
    window.status.details.click()
    assert not window.support.isVisible()
    window.named_actions[action].trigger()
    assert window.support.isVisible()


def restarted(scene: Scene) -> MainWindow:
    """The window of the next start."""
    scene.shell.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    scene.shell.start(None)
    QApplication.processEvents()
    return scene.window


def test_the_next_start_has_the_window_as_it_was(scene: Scene) -> None:
    scene.shell.start(None)
    window = scene.window
    window.setGeometry(20, 30, 780, 600)
    window.panels.set_widths(340, 0)
    size = window.size()
    again = restarted(scene)
    assert again is not window
    assert again.size() == size
    assert abs(again.y() - 30) <= 4, "the frame of the screen may count"
    assert again.panels.widths == (340, 0)
    assert not again.isMaximized()


def test_a_maximised_window_comes_back_maximised(scene: Scene) -> None:
    scene.shell.start(None)
    scene.window.setWindowState(Qt.WindowState.WindowMaximized)
    assert scene.switch() is not scene.window
    assert scene.window.isMaximized(), "in another session, too"
    assert restarted(scene).isMaximized()


def test_a_window_of_a_screen_that_is_gone_comes_back_in_sight(scene: Scene) -> None:
    scene.shell.start(None)
    scene.window.setGeometry(9000, 7000, 2600, 1900)
    again = restarted(scene)
    room = again.screen().availableGeometry()
    assert room.intersects(again.frameGeometry())
    assert again.x() < room.right()
    assert again.height() <= room.height()


@pytest.mark.parametrize("kept", ["place=7\npanels=wide, -3\n", "place=@ByteArray(xy)\npanels=1\n", "\0\1"])
def test_a_place_that_is_not_legible_is_passed_over(scene: Scene, tmp_path: Path, kept: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "window.ini").write_text(f"[General]\n{kept}", encoding="utf-8")
    scene.shell.start(None)
    assert scene.window.size().width() == 1280
    assert scene.window.panels.widths == (300, 304)


def test_a_session_that_is_opened_next_keeps_the_widths(scene: Scene) -> None:
    scene.shell.start(None)
    scene.window.panels.set_widths(360, 260)
    size = scene.window.size()
    scene.switch()
    assert scene.window.panels.widths == (360, 260)
    assert scene.window.size() == size


def tab_stops(window: MainWindow) -> list[str]:
    """The names of the widgets that the Tab key leads to, from the header on."""
    start = window.header.source.button("folder")
    stops, widget = [start.objectName()], start.nextInFocusChain()
    while widget is not start:
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isEnabled():
            stops.append(widget.objectName())
        widget = widget.nextInFocusChain()
    return stops


def test_tab_leads_from_left_to_right_and_down(scene: Scene) -> None:
    scene.shell.start(None)
    for name in ("Mug", "Pen"):
        scene.window.workspace.session.do(AddCategory(new_category_id(), name))
    stops = tab_stops(scene.window)
    wanted = (
        "segment:folder", "segment:draw", "sortButton", "learnerSelector", "deviceSelector",
        "addCategoryButton", "categoryCard:Mug", "examples:Mug", "categoryCard:Pen", "examples:Pen",
        "openFolder", "thresholdSlider",
    )  # fmt: skip
    assert [stop for stop in stops if stop in wanted] == list(wanted)


def test_an_interrupt_from_the_terminal_closes_the_window(scene: Scene) -> None:
    scene.shell.start(None)
    scene.shell.report_unexpected(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert scene.shell.window is None


RESTING = """
import sys
from fewshot_gui.gui.shell import Shell
from fewshot_gui.__main__ import main

start = Shell.start
Shell._warm_up = lambda *_: None
Shell.start = lambda self, *arguments, **how: [start(self, *arguments, **how), print("open", flush=True)]
sys.argv = ["fewshot-gui"]
sys.exit(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there a signal cannot be sent to one program alone")
def test_a_resting_window_hears_ctrl_c_in_the_terminal(tmp_path: Path) -> None:
    own = {"QT_QPA_PLATFORM": "offscreen", "FEWSHOT_DATA": str(tmp_path), "FEWSHOT_CACHE": str(tmp_path)}
    command = [sys.executable, "-c", RESTING]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, **own}, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "open\n"
        program.send_signal(signal.SIGINT)
        assert program.wait(30) == 0


def test_closing_is_refused_only_where_the_person_stays(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.shell.start(None)
    window = scene.window
    leave: Callable[..., bool] = scene.shell._leave
    monkeypatch.setattr(scene.shell, "_leave", lambda _window: False)
    assert not window.close()
    assert window.isVisible()
    monkeypatch.setattr(scene.shell, "_leave", leave)
    assert window.close()
    assert scene.shell.window is None


@pytest.mark.parametrize("content", [None, b"a letter"])
def test_without_a_display_a_bad_session_ends_the_report_at_once(
    qapp: QApplication, appearance: Appearance, tmp_path: Path, content: bytes | None, capsys: Any
) -> None:
    qapp.setProperty("appearance", appearance)
    path = tmp_path / "s.fewshot"
    if content is not None:
        path.write_bytes(content)
    assert report.run_report(qapp, tmp_path / "shot.png", os.fspath(path)) == 1
    assert str(path) in capsys.readouterr().err


def test_a_report_never_replaces_a_picture_of_another(
    qapp: QApplication, appearance: Appearance, tmp_path: Path, capsys: Any
) -> None:
    qapp.setProperty("appearance", appearance)
    holiday = tmp_path / "holiday.png"
    holiday.write_bytes(b"\x89PNG of a holiday")
    assert report.run_report(qapp, holiday, None) == 1
    assert f"{holiday} is there already" in capsys.readouterr().err
    assert holiday.read_bytes() == b"\x89PNG of a holiday"


def test_without_a_backbone_the_report_says_so_at_once(
    qapp: QApplication, appearance: Appearance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("FEWSHOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FEWSHOT_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(embedder, "_load_bundle", no_backbone)
    monkeypatch.setattr(embedder, "_describe_bundle", no_backbone)
    monkeypatch.setattr(shell.Shell, "_warm_up", lambda *_: None)
    qapp.setProperty("appearance", appearance)
    assert report.run_report(qapp, tmp_path / "shot.png", None) == 1
    assert "there is none here" in capsys.readouterr().err
