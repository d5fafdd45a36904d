"""The desk of backbones over a whole window: opened two ways, late news reach the window that is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from fewshot_gui.core.backbones.bundle_info import BundleError, BundleProblem, describe_bundle
from fewshot_gui.engine import embedder
from fewshot_gui.engine.workspace import Lanes
from fewshot_gui.gui import selectors, shell
from fewshot_gui.gui.backbones import dialog as dialog_module
from fewshot_gui.gui.backbones.dialog import BackbonesDialog
from fewshot_gui.gui.main_thread import MainThread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from fewshot_gui.gui.theme import Appearance


def no_backbone(name: str) -> Any:
    raise BundleError(BundleProblem.MISSING, name, "there is none here")


@pytest.fixture
def program(
    appearance: Appearance, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[shell.Shell]:
    for name in ("DATA", "CACHE", "MODELS"):
        monkeypatch.setenv(f"FEWSHOT_{name}", str(tmp_path / name.lower()))
    monkeypatch.setattr(embedder, "_load_bundle", no_backbone)
    monkeypatch.setattr(shell.Shell, "_warm_up", lambda *_: None)
    bridge = MainThread()
    lanes = Lanes.start(bridge.post)
    result = shell.Shell(lanes, bridge.post, appearance)
    result.start(None)
    yield result
    result.close()
    assert lanes.close()
    bridge.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_the_menu_and_the_end_of_the_selector_open_one_dialog(program: shell.Shell) -> None:
    window = program.window
    assert window is not None
    assert program.backbones._fetcher is None, "nothing of it at the start"
    choice = window.header.selectors.backbone
    index = choice.count() - 1
    assert choice.itemText(index) == "More backbones…"
    choice.setCurrentIndex(index)
    choice.activated.emit(index)
    dialog = window.findChild(BackbonesDialog)
    assert dialog is not None
    assert dialog.isVisible()
    assert choice.currentData() == "photo", "the door is no backbone"
    window.named_actions["backbonesAction"].trigger()
    assert window.findChildren(BackbonesDialog) == [dialog]
    assert program.backbones.fetcher._lanes == {}, "no thread before a download"


def test_the_dialog_lists_what_is_here_once_each_time_it_is_opened(
    program: shell.Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[str] = []
    real = dialog_module.entries
    monkeypatch.setattr(
        dialog_module, "entries", lambda in_use, **how: listed.append(in_use) or real(in_use, **how)
    )
    for times in (1, 2):
        assert program.backbones.show() is not None
        assert len(listed) == times


def test_what_lands_while_the_dialog_is_closed_is_offered_in_a_line(
    program: shell.Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = program.window
    assert window is not None
    new = replace(describe_bundle("photo"), name="omniglot-conv4", title="A strong one")
    monkeypatch.setattr(selectors, "installed_sound", lambda: [new])
    program.backbones.fetcher.landed.emit(new)
    assert window.header.selectors.backbone.findText("A strong one") >= 0
    assert window.toast.text == "A strong one is here."
    window.toast._button.click()
    assert window.workspace.session.document.settings.backbone == "omniglot-conv4"


def test_an_open_dialog_needs_no_line(program: shell.Shell) -> None:
    window = program.window
    assert window is not None
    assert program.backbones.show() is not None
    program.backbones.fetcher.landed.emit(describe_bundle("photo"))
    assert window.toast.text == ""
    program.backbones.fetcher.removed.emit("gone")


def test_without_a_window_there_is_no_dialog(program: shell.Shell) -> None:
    window, program.backbones.window = program.backbones.window, None
    assert program.backbones.show() is None
    program.backbones.fetcher.landed.emit(describe_bundle("photo"))
    program.backbones.window = window
