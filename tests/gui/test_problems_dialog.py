"""The problems list offers only what can be done with what it shows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMainWindow

from fewshot_gui.engine.problems import ProblemLog
from fewshot_gui.gui.dialogs.problems import ProblemsDialog, show_problems

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.fixture
def problems() -> ProblemLog:
    return ProblemLog()


@pytest.fixture
def dialog(qtbot: QtBot, problems: ProblemLog) -> ProblemsDialog:
    result = ProblemsDialog(problems)
    qtbot.addWidget(result)
    result.show()
    return result


def enabled(dialog: ProblemsDialog) -> list[bool]:
    return [button.isEnabled() for button in (dialog.place, dialog.copy, dialog.clear)]


def wait_for(qtbot: QtBot, dialog: ProblemsDialog, lines: int) -> None:
    qtbot.waitUntil(lambda: dialog.table.rowCount() == lines)


def test_without_problems_nothing_can_be_pressed(
    qtbot: QtBot, dialog: ProblemsDialog, problems: ProblemLog
) -> None:
    assert enabled(dialog) == [False, False, False]
    problems.add("/home/ada/a.jpg", "empty")
    wait_for(qtbot, dialog, 1)
    assert enabled(dialog) == [False, True, True], "no line is chosen yet"
    dialog.clear.click()
    assert enabled(dialog) == [False, False, False]


def test_the_folder_of_the_chosen_file_is_shown(
    qtbot: QtBot, dialog: ProblemsDialog, problems: ProblemLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    problems.add("/home/ada/a.jpg", "empty")
    problems.add("/home/bob/b.jpg", "truncated")
    wait_for(qtbot, dialog, 2)
    dialog.table.selectRow(1)
    dialog.place.click()
    assert opened == ["/home/bob"]


def test_a_problem_of_no_file_has_no_folder(
    qtbot: QtBot, dialog: ProblemsDialog, problems: ProblemLog
) -> None:
    problems.add("", "cache-rebuilt")
    wait_for(qtbot, dialog, 1)
    dialog.table.selectRow(0)
    assert enabled(dialog) == [False, True, True]


def test_many_problems_are_listed_at_once_and_what_stands_there_is_left_alone(
    qtbot: QtBot, dialog: ProblemsDialog, problems: ProblemLog
) -> None:
    """Before, each of thousands filled the whole table anew."""
    problems.add("/home/ada/a.jpg", "empty")
    wait_for(qtbot, dialog, 1)
    first = dialog.table.item(0, 0)
    assert first is not None
    first.setToolTip("as it was")
    dialog.table.selectRow(0)
    for number in range(20):
        problems.add(f"/home/bob/{number}.jpg", "truncated")
    assert dialog.table.rowCount() == 1, "it waits for more"
    wait_for(qtbot, dialog, 21)
    assert dialog.table.item(0, 0).toolTip() == "as it was"
    assert dialog.place.isEnabled(), "the line is still chosen"


def test_another_list_is_shown_from_its_first_line(
    qtbot: QtBot, dialog: ProblemsDialog, problems: ProblemLog
) -> None:
    problems.add("/home/ada/a.jpg", "empty")
    wait_for(qtbot, dialog, 1)
    problems.clear()
    for name in "bc":
        problems.add(f"/home/ada/{name}.jpg", "empty")
    wait_for(qtbot, dialog, 2)
    assert [dialog.table.item(row, 0).text() for row in range(2)] == ["/home/ada/b.jpg", "/home/ada/c.jpg"]


@pytest.mark.qt_log_ignore("^This plugin does not support", extend=True)
def test_opened_again_it_follows_the_list(qtbot: QtBot, problems: ProblemLog) -> None:
    """Before, a dialog that had been closed was shown again as it had been, and said nothing new."""
    window = QMainWindow()
    window.workspace = SimpleNamespace(problems=problems)
    qtbot.addWidget(window)
    window.show()
    problems.add("/home/ada/a.jpg", "empty")
    first = show_problems(window)
    assert show_problems(window) is first
    first.accept()
    problems.add("/home/bob/b.jpg", "truncated")
    second = show_problems(window)
    assert second.table.rowCount() == 2
    problems.clear()
    wait_for(qtbot, second, 0)
    second.close()


def test_tab_leads_out_of_the_table(dialog: ProblemsDialog) -> None:
    assert not dialog.table.tabKeyNavigation()
