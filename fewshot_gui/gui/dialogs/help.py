"""Help: the keys, and what this program is."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QVBoxLayout, QWidget

from fewshot_gui.core.backbones.bundle import BundleError
from fewshot_gui.core.backbones.catalogue import shipped_sound
from fewshot_gui.gui.actions import action_rows
from fewshot_gui.gui.widgets import PushButton

if TYPE_CHECKING:
    from collections.abc import Sequence

translate = QCoreApplication.translate


def key_rows() -> list[tuple[str, str]]:
    """Return (key, what it does) of everything that has a key."""
    native = QKeySequence.SequenceFormat.NativeText
    table = [
        (QKeySequence(row.key).toString(native), row.text.rstrip("…")) for row in action_rows() if row.key
    ]
    return [
        (
            translate("Keys", "1 to 9, 0, or a letter"),
            translate("Keys", "The key on a category's card: teach it the selected pictures"),
        ),
        (
            translate("Keys", "The same, “Keys teach” off"),
            translate("Keys", "Only say that they belong there; the program learns nothing from it"),
        ),
        (
            translate("Keys", "Arrows, Space"),
            translate("Keys", "Move in the gallery; open a stack, or look at a picture large"),
        ),
        (translate("Keys", "Enter"), translate("Keys", "Accept what is suggested and go on")),
        (translate("Keys", "R"), translate("Keys", "Accept the line of pictures")),
        (translate("Keys", "Ctrl+Return"), translate("Keys", "Accept the whole pile")),
        (translate("Keys", "N, 0"), translate("Keys", "None of these")),
        (translate("Keys", "Backspace, Delete"), translate("Keys", "Take back what was said of a picture")),
        (
            translate("Keys", "+, -, Ctrl+0, Ctrl+1"),
            translate("Keys", "Large picture: zoom, fit, every pixel"),
        ),
        (translate("Keys", "F2, Delete"), translate("Keys", "Rename a category, remove what is selected")),
        (translate("Keys", "Alt+Up, Alt+Down"), translate("Keys", "Move a category")),
        *table,
    ]


def keys_dialog(parent: QWidget) -> QDialog:
    """Return the dialog that lists the keys."""
    dialog = QDialog(parent)
    dialog.setObjectName("keysDialog")
    dialog.setWindowTitle(translate("Keys", "Keyboard"))
    grid = QGridLayout()
    grid.setHorizontalSpacing(32)
    grid.setVerticalSpacing(8)
    for row, (key, words) in enumerate(key_rows()):
        cap = QLabel(key, dialog)
        cap.setProperty("role", "heading")
        grid.addWidget(cap, row, 0)
        grid.addWidget(QLabel(words, dialog), row, 1)
    return _with_close(dialog, [grid])


def about_dialog(parent: QWidget) -> QDialog:
    """Return the dialog that says what this program is and what it computes with."""
    dialog = QDialog(parent)
    dialog.setObjectName("aboutDialog")
    dialog.setWindowTitle(translate("About", "About Few-shot Labeler"))
    dialog.setMinimumWidth(480)
    title = QLabel("Few-shot Labeler", dialog)
    title.setProperty("role", "title")
    text = QLabel(_about_text(), dialog)
    text.setWordWrap(True)
    text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return _with_close(dialog, [title, text])


def _about_text() -> str:
    try:
        lines = [f"{info.title} ({info.name}), {info.parameters / 1e6:.1f} M" for info in shipped_sound()]
    except BundleError as error:
        lines = [error.detail]
    return "\n\n".join(
        [
            translate("About", "Version {0}").format(version("fewshot-gui")),
            translate("About", "A handful of examples sorts a folder and follows a camera."),
            translate(
                "About", "Everything is computed on this computer. The program makes no network connections."
            ),
            translate("About", "Backbones:") + "\n" + "\n".join(lines),
        ]
    )


def _with_close(dialog: QDialog, parts: Sequence[QGridLayout | QLabel]) -> QDialog:
    column = QVBoxLayout(dialog)
    column.setContentsMargins(24, 24, 24, 24)
    column.setSpacing(16)
    for part in parts:
        if isinstance(part, QLabel):
            column.addWidget(part)
        else:
            column.addLayout(part)
    close = PushButton(translate("About", "Close"), dialog, role="primary")
    close.clicked.connect(dialog.accept)
    close.setDefault(True)
    column.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
    return dialog
