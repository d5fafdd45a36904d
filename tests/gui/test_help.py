"""The dialog of the keys says of each what it does, in every mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLabel, QWidget

from fewshot_gui.gui.dialogs.help import key_rows, keys_dialog

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def test_the_key_of_a_category_is_told_with_and_without_teaching(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    dialog = keys_dialog(window)
    shown = [label.text() for label in dialog.findChildren(QLabel)]
    assert "1 to 9, 0, or a letter" in shown
    off = shown.index("The same, “Keys teach” off")
    assert "learns nothing" in shown[off + 1]


def test_every_key_is_listed_once_with_its_words() -> None:
    rows = key_rows()
    assert len({key for key, _words in rows}) == len(rows)
    assert all(key and words for key, words in rows)
