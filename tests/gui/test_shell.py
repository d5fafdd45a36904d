"""The shell: what belongs to a window that is gone reaches the present one, or nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QFileDialog

from fewshot_gui.core.backbones.bundle import BundleError, BundleProblem
from fewshot_gui.engine import embedder
from fewshot_gui.engine.devices import Device
from fewshot_gui.engine.workspace import Lanes
from fewshot_gui.gui import report, shell
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
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (target, ""))
    scene.shell.start(None)
    scene.shell.ask_copy()
    scene.switch()
    scene.qtbot.waitUntil(lambda: target in scene.window.toast.text, timeout=20_000)
    assert Path(target).is_file()


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
