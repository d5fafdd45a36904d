"""What a right click on pictures offers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QMenu, QWidget

from fewshot_gui.gui.icons import icon
from fewshot_gui.gui.query.answer_keys import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QColor

    from fewshot_gui.engine.state import Category, CategoryId
    from fewshot_gui.gui.theme import Theme


def tile_menu(
    paths: Sequence[str],
    categories: Sequence[Category],
    theme: Theme,
    *,
    teach: Callable[[CategoryId], None],
    begin: Callable[[], None],
    answer: Callable[[Answer], None],
    enlarge: Callable[[], None],
    parent: QWidget,
) -> QMenu:
    """Return the menu for the chosen pictures, at least one; `begin` makes a new category of them."""
    tr = QCoreApplication.translate
    menu = QMenu(parent)
    menu.setObjectName("tileMenu")
    if len(paths) == 1:
        menu.addAction(tr("TileMenu", "Show large\tSpace"), enlarge)
        title = tr("TileMenu", "Teach as")
    else:
        title = tr("TileMenu", "Teach {count} pictures as").format(count=f"{len(paths):,}")
    lessons = menu.addMenu(title)
    for category in categories:
        _add_lesson(lessons, category, theme, teach)
    lessons.addSeparator()
    new = lessons.addAction(icon("add", theme.text), tr("TileMenu", "A new category"))
    new.triggered.connect(begin)
    for words, meant in (
        (tr("TileMenu", "Accept what is suggested\tEnter"), Answer.ACCEPT),
        (tr("TileMenu", "None of these\tN"), Answer.NONE_OF_THESE),
        (tr("TileMenu", "Take back what was said\tBackspace"), Answer.WITHDRAW),
    ):
        menu.addAction(words).triggered.connect(partial(_tell, answer, meant))
    menu.addSeparator()
    show = menu.addAction(tr("TileMenu", "Show in its folder"))
    show.triggered.connect(lambda: show_in_file_manager(paths[0]))
    copy = menu.addAction(tr("TileMenu", "Copy path") if len(paths) == 1 else tr("TileMenu", "Copy paths"))
    copy.triggered.connect(lambda: QGuiApplication.clipboard().setText("\n".join(paths)))
    return menu


def _tell(answer: Callable[[Answer], None], meant: Answer, *_checked: bool) -> None:
    answer(meant)


def _add_lesson(menu: QMenu, category: Category, theme: Theme, teach: Callable[[CategoryId], None]) -> None:
    # "&" would underline a letter of the name and vanish.
    words = category.name.replace("&", "&&") + (f"\t{category.shortcut.upper()}" if category.shortcut else "")
    action = menu.addAction(dot_icon(theme.category(category.colour)), words)
    action.triggered.connect(lambda: teach(category.id))


def dot_icon(colour: QColor) -> QIcon:
    """Return a dot of this colour, the sign of a category in a menu."""
    dot = QIcon()
    for ratio in (1, 2, 3):
        pixmap = QPixmap(16 * ratio, 16 * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(3, 3, 10, 10)
        painter.end()
        dot.addPixmap(pixmap)
    return dot


def show_in_file_manager(path: str) -> None:
    """Open the folder of the file in the file manager of the system."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(path).parent)))
