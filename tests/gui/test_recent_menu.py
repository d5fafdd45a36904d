"""Former sessions are found again: in the menu, in the dialogs, and right after a new one has begun."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QFileDialog

from fewshot_gui.engine.session_places import SUFFIX, note_session
from fewshot_gui.gui import session_dialogs
from fewshot_gui.gui.recent_menu import RecentMenu

if TYPE_CHECKING:
    from types import SimpleNamespace

    from pytestqt.qtbot import QtBot


@pytest.fixture
def sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three files in the register, the newest last."""
    monkeypatch.setenv("FEWSHOT_DATA", str(tmp_path))
    paths = [str(tmp_path / f"{name}{SUFFIX}") for name in ("Untitled", "R&D", "Holiday")]
    for path in paths:
        Path(path).touch()
        note_session(path)
    return paths


def shown(menu: RecentMenu) -> list[str]:
    menu.fill()
    return [action.text().partition("\t")[0] for action in menu.actions()]


def test_the_newest_comes_first_with_its_time_and_its_place(qtbot: QtBot, sessions: list[str]) -> None:
    menu = RecentMenu(sessions[2])
    qtbot.addWidget(menu)
    assert shown(menu) == ["Holiday", "R&&D", "Untitled"], "an ampersand is no letter to press"
    assert all("\t" in action.text() for action in menu.actions())
    assert [action.toolTip() for action in menu.actions()] == sessions[::-1]


def test_the_present_one_is_ticked_and_another_is_chosen(qtbot: QtBot, sessions: list[str]) -> None:
    menu = RecentMenu(sessions[1])
    qtbot.addWidget(menu)
    menu.fill()
    assert [action.isChecked() for action in menu.actions()] == [False, True, False]
    with qtbot.waitSignal(menu.chosen) as chosen:
        menu.actions()[2].trigger()
    assert chosen.args == [sessions[0]]


def test_what_is_gone_is_not_offered(qtbot: QtBot, sessions: list[str]) -> None:
    menu = RecentMenu(sessions[0])
    qtbot.addWidget(menu)
    for path in sessions:
        Path(path).unlink()
    assert shown(menu) == ["No other session yet"]
    assert not menu.actions()[0].isEnabled()


def test_the_dialogs_begin_where_the_sessions_lie(
    session: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Window:
        class workspace:  # noqa: N801 - stands for an attribute
            pass

    Window.workspace.session = session  # type: ignore[attr-defined]
    asked: list[str] = []

    def answer(
        _window: object, _title: str, folder: str, _pattern: str,
        options: QFileDialog.Option = QFileDialog.Option.DontConfirmOverwrite,
    ) -> tuple[str, str]:  # fmt: skip
        asked.append(folder)
        assert options == QFileDialog.Option.DontConfirmOverwrite, "a Yes would be refused"
        return "/elsewhere/mine", ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", answer)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    window = Window()
    assert session_dialogs.ask_session_path(window) == "/elsewhere/mine"  # type: ignore[arg-type]
    assert session_dialogs.ask_copy_path(window) == "/elsewhere/mine.fewshot"  # type: ignore[arg-type]
    assert asked == [str(Path(session.path).parent)] * 2
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **_options: ("", ""))
    assert session_dialogs.ask_copy_path(window) == ""  # type: ignore[arg-type]
