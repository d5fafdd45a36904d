"""The dialog of the keys says of each what it does, in every mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLabel, QPushButton, QScrollArea, QWidget

from fewshot_gui.gui.actions import action_rows
from fewshot_gui.gui.dialogs.help import about_dialog, key_rows, keys_dialog

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from pytestqt.qtbot import QtBot

    from fewshot_gui.gui.theme import Appearance


def test_the_key_of_a_category_is_told_with_and_without_teaching(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    dialog = keys_dialog(window)
    shown = [label.text() for label in dialog.findChildren(QLabel)]
    assert "1 to 9, 0, or a letter" in shown
    off = shown.index("The same, “Keys teach” off")
    assert "learns nothing" in shown[off + 1]


def test_help_begins_with_the_first_steps(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    shown = [label.text() for label in keys_dialog(window).findChildren(QLabel)]
    assert shown[0] == "First steps"
    assert "Ctrl+N" in shown[shown.index("1") + 1]
    assert "Ctrl+O" in shown[shown.index("2") + 1]


def test_f1_is_help_and_the_sample_has_no_key() -> None:
    keys = {row.name: row.key for row in action_rows()}
    assert keys["keysAction"] == "F1"
    assert keys["sampleAction"] == ""
    assert ("F1", "First steps and keys") in key_rows()


def test_the_keys_fit_a_small_screen_and_can_be_closed(qtbot: QtBot, appearance: Appearance) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    dialog = keys_dialog(window)
    dialog.show()
    assert dialog.height() <= 768 - 100, "bars and frame of the screen take some"
    close = next(button for button in dialog.findChildren(QPushButton) if button.text() == "Close")
    assert dialog.rect().contains(close.geometry())
    area = dialog.findChild(QScrollArea)
    assert isinstance(area, QScrollArea)
    assert area.verticalScrollBar().maximum() > 0
    assert area.widget().width() <= area.viewport().width()


def test_about_tells_the_truth_and_is_not_cut(
    qtbot: QtBot, appearance: Appearance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEWSHOT_DATA", str(tmp_path))
    window = QWidget()
    qtbot.addWidget(window)
    dialog = about_dialog(window)
    dialog.show()
    labels = dialog.findChildren(QLabel)
    words = " ".join(label.text() for label in labels)
    assert "no network connections" not in words, "backbones are downloaded"
    assert "no picture leaves it" in words
    assert str(tmp_path) in words
    assert all(label.height() >= label.heightForWidth(label.width()) for label in labels)


def test_every_key_is_listed_once_with_its_words() -> None:
    rows = key_rows()
    assert len({key for key, _words in rows}) == len(rows)
    assert all(key and words for key, words in rows)
