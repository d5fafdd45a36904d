"""Everything larger: chosen in a menu, kept for the next start, and none of other programs' business."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from fewshot_gui.gui.size_menu import SIZES, SizeMenu, keep_size, kept_size, sized

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QAction
    from pytestqt.qtbot import QtBot


class Needy(QWidget):
    """A window that gets no smaller than `share` of its screen's width."""

    share = 0.6

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(round(self.screen().availableSize().width() * self.share), 1)


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Needy:
    monkeypatch.setenv("FEWSHOT_DATA", str(tmp_path))
    window = Needy()
    qtbot.addWidget(window)
    return window


def row(menu: SizeMenu, percent: int) -> QAction:
    menu.find_fitting()
    return next(action for action in menu.actions() if action.data() == percent)


def test_the_chosen_size_is_ticked_and_kept(qtbot: QtBot, window: Needy) -> None:
    menu = SizeMenu(window, 100)
    assert [action.data() for action in menu.actions() if action.isChecked()] == [100]
    with qtbot.waitSignal(menu.chosen) as chosen:
        row(menu, 125).trigger()
    assert chosen.args == [125]
    assert kept_size() == 125
    assert [action.data() for action in SizeMenu(window, 100).actions() if action.isChecked()] == [125]


def test_a_size_that_does_not_fit_cannot_be_picked(window: Needy) -> None:
    menu = SizeMenu(window, 100)
    assert [percent for percent in SIZES if row(menu, percent).isEnabled()] == [100, 125, 150]
    assert row(menu, 200).toolTip() == "Too large for this screen."
    assert row(menu, 150).toolTip() != row(menu, 200).toolTip()
    large = SizeMenu(window, 150)  # the screen has fewer units of the size that is shown
    assert [percent for percent in SIZES if row(large, percent).isEnabled()] == list(SIZES)


def test_the_way_back_is_always_open(window: Needy) -> None:
    window.share = 3.0
    keep_size(200)
    menu = SizeMenu(window, 200)
    assert row(menu, 100).isEnabled()
    assert row(menu, 200).isEnabled(), "what is chosen is no error"


def test_a_size_that_nobody_knows_is_the_systems(window: Needy, tmp_path: Path) -> None:
    (tmp_path / "window.ini").write_text("[General]\nsize=1000\n", encoding="utf-8")
    assert kept_size() == 100


@pytest.mark.parametrize(
    ("given", "percent", "within"),
    [(None, 150, "1.5"), ("2", 150, "3.0"), ("2", 100, "2"), (None, 100, None), ("large", 125, "1.25")],
)
def test_other_programs_get_what_was_given(
    monkeypatch: pytest.MonkeyPatch, given: str | None, percent: int, within: str | None
) -> None:
    monkeypatch.delenv("QT_SCALE_FACTOR", raising=False)
    if given is not None:
        monkeypatch.setenv("QT_SCALE_FACTOR", given)
    with sized(percent):
        assert os.environ.get("QT_SCALE_FACTOR") == within
    assert os.environ.get("QT_SCALE_FACTOR") == given


def test_the_program_begins_at_the_size_that_was_kept(window: Needy) -> None:
    keep_size(150)
    program = (
        "import os\n"
        "from fewshot_gui.gui import app\n"
        "told = lambda app, _parsed: print(app.devicePixelRatio(), 'QT_SCALE_FACTOR' in os.environ)\n"
        "app._run_window = told\n"
        "app.main([])\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "QT_SCALE_FACTOR"}
    environment["QT_QPA_PLATFORM"] = "offscreen"
    ran = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["1.5", "False"]
