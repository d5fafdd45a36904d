"""Help: the keys, and what this program is."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from fewshot_gui.core.backbones.bundle import BundleError
from fewshot_gui.core.backbones.catalogue import shipped_sound
from fewshot_gui.engine.folders import data_folder
from fewshot_gui.gui.actions import action_rows, menu_titles, plain
from fewshot_gui.gui.widgets import PushButton, open_as

if TYPE_CHECKING:
    from collections.abc import Sequence

translate = QCoreApplication.translate
_ABOUT_WIDTH: Final = 520
_KEYS_HEIGHT: Final = 600  # what a screen of 768 pixels has room for, with its bars


def first_steps() -> list[tuple[str, str]]:
    """Return (number, what to do) from an empty window to a sorted folder."""
    words = (
        translate("Keys", "Add two or three categories (Ctrl+N), and drop a few pictures on each"),
        translate("Keys", "Open the folder to sort (Ctrl+O): every picture gets one of them"),
        translate("Keys", "Correct a wrong one: choose it, and press the key of its category"),
        translate("Keys", "Go through the piles: accept what is sure, then answer “Ask me”"),
        translate("Keys", "Sort the files (Ctrl+M): you see the plan before anything moves"),
    )
    return [(str(number), step) for number, step in enumerate(words, 1)]


def key_rows() -> list[tuple[str, str]]:
    """Return (key, what it does) of everything that has a key."""
    return [row for _title, rows in key_groups() for row in rows]


def key_groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the keys as (heading, rows), those of the pictures first, then menu by menu."""
    native = QKeySequence.SequenceFormat.NativeText
    menus = [
        (
            plain(title),
            [
                (QKeySequence(row.key).toString(native), plain(row.text).rstrip("…"))
                for row in action_rows()
                if row.key and row.menu == menu
            ],
        )
        for menu, title in menu_titles().items()
    ]
    return [
        (translate("Keys", "Pictures"), _picture_keys()),
        (translate("Keys", "Categories"), _category_keys()),
        *menus,
    ]


def _picture_keys() -> list[tuple[str, str]]:
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
        (translate("Keys", "R"), translate("Keys", "Accept the row of pictures")),
        (translate("Keys", "Ctrl+Enter"), translate("Keys", "Accept the whole pile")),
        (translate("Keys", "N, 0"), translate("Keys", "None of these")),
        (translate("Keys", "Backspace, Delete"), translate("Keys", "Take back what was said of a picture")),
        (
            translate("Keys", "F5"),
            translate("Keys", "Look into the folder again; sort by the newest predictions"),
        ),
        (
            translate("Keys", "+, -, Ctrl+0, Ctrl+1"),
            translate("Keys", "Large picture: zoom, fit, every pixel"),
        ),
    ]


def _category_keys() -> list[tuple[str, str]]:
    return [
        (translate("Keys", "F2, Delete"), translate("Keys", "Rename a category, remove what is selected")),
        (translate("Keys", "Alt+Up, Alt+Down"), translate("Keys", "Move a category")),
        (
            translate("Keys", "Space, held"),
            translate("Keys", "With camera or video: teach the chosen category what is seen"),
        ),
    ]


def keys_dialog(parent: QWidget) -> QDialog:
    """Return the dialog that says how to begin and lists the keys; it scrolls, being longer than a screen."""
    dialog = QDialog(parent)
    dialog.setObjectName("keysDialog")
    dialog.setWindowTitle(translate("Keys", "First steps and keys"))
    page = QWidget(dialog)
    grid = QGridLayout(page)
    grid.setContentsMargins(0, 0, 16, 0)
    grid.setHorizontalSpacing(32)
    grid.setVerticalSpacing(8)
    grid.setColumnStretch(1, 1)
    for title, rows in [(translate("Keys", "First steps"), first_steps()), *key_groups()]:
        _add_group(grid, title, rows)
    area = QScrollArea(dialog)
    area.setAccessibleName(dialog.windowTitle())
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(page)
    area.setMinimumWidth(page.sizeHint().width() + area.verticalScrollBar().sizeHint().width())
    area.viewport().setAutoFillBackground(False)
    page.setAutoFillBackground(False)
    _finish(dialog, [area])
    open_as(dialog, dialog.minimumSizeHint().width(), _KEYS_HEIGHT)
    return dialog


def _add_group(grid: QGridLayout, title: str, rows: Sequence[tuple[str, str]]) -> None:
    first = grid.rowCount()
    heading = QLabel(title)
    heading.setProperty("role", "muted")
    grid.addWidget(heading, first, 0, 1, 2)
    if first > 1:
        heading.setContentsMargins(0, 12, 0, 0)
    for number, (key, words) in enumerate(rows, first + 1):
        cap = QLabel(key)
        cap.setProperty("role", "heading")
        grid.addWidget(cap, number, 0)
        grid.addWidget(QLabel(words), number, 1)


def about_dialog(parent: QWidget) -> QDialog:
    """Return the dialog that says what this program is, what it does online, and where it keeps things."""
    dialog = QDialog(parent)
    dialog.setObjectName("aboutDialog")
    dialog.setWindowTitle(translate("About", "About Few-shot Labeler"))
    title = QLabel("Few-shot Labeler", dialog)
    title.setProperty("role", "title")
    paragraphs = [QLabel(words, dialog) for words in _about_texts()]
    for paragraph in paragraphs:
        paragraph.setWordWrap(True)
        paragraph.setTextFormat(Qt.TextFormat.PlainText)
        paragraph.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    column = _finish(dialog, [title, *paragraphs])
    # Qt takes the height of words that wrap at another width than the one they get, and cuts the last lines.
    dialog.setFixedSize(_ABOUT_WIDTH, column.totalHeightForWidth(_ABOUT_WIDTH))
    return dialog


def _about_texts() -> list[str]:
    try:
        shipped = len(shipped_sound())
    except BundleError:
        shipped = 0
    return [
        translate("About", "Version {0}").format(version("fewshot-gui")),
        translate(
            "About", "A handful of examples sorts a folder, and follows a camera, a video or a drawing."
        ),
        translate(
            "About",
            "Everything is computed on this computer, and no picture leaves it. The program goes online "
            "only where you press Download, under View, Backbones. {0} backbones came with it.",
        ).format(shipped),
        translate("About", "Your sessions are kept in {0}").format(data_folder() / "sessions"),
    ]


def _finish(dialog: QDialog, parts: Sequence[QWidget]) -> QVBoxLayout:
    """Lay the parts out above the button that closes the dialog; return the layout."""
    column = QVBoxLayout(dialog)
    column.setContentsMargins(24, 24, 24, 24)
    column.setSpacing(16)
    for part in parts:
        column.addWidget(part)
    close = PushButton(translate("About", "Close"), dialog, role="primary")
    close.clicked.connect(dialog.accept)
    close.setDefault(True)
    close.setFocus()
    column.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
    return column
