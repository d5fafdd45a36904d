"""One table of what the person can ask for: its words, its key, its icon and its menu."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QAction, QActionGroup, QGuiApplication, QKeySequence, QPalette
from PySide6.QtWidgets import QMenu

from fewshot_gui.gui.icons import IconName, icon

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtWidgets import QMenuBar, QWidget

translate = QCoreApplication.translate


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One row of the table: `menu` is the key of its menu, and `ends_group` draws a line after it."""

    name: str
    menu: str
    text: str
    key: str = ""
    icon: IconName | None = None
    ends_group: bool = False
    checkable: bool = False


def action_rows() -> tuple[ActionRow, ...]:
    """Return the table, in the order of the menus."""
    return (
        ActionRow("newSessionAction", "file", translate("Actions", "&New session"), "Ctrl+Shift+N", "add"),
        ActionRow("openSessionAction", "file", translate("Actions", "&Open session…"), "Ctrl+Shift+O"),
        ActionRow("copySessionAction", "file", translate("Actions", "Save a &copy of the session…"), "Ctrl+Shift+S", ends_group=True),
        ActionRow("openFolderAction", "file", translate("Actions", "Open a &folder of pictures…"), "Ctrl+O", "folder"),
        ActionRow("watchAction", "file", translate("Actions", "&Watch this folder"), checkable=True, ends_group=True),
        ActionRow("sortAction", "file", translate("Actions", "&Sort the files…"), "Ctrl+M", "sort"),
        ActionRow("takeBackAction", "file", translate("Actions", "Sorted &before, take back…"), "Ctrl+Shift+M", ends_group=True),
        ActionRow("exportAction", "file", translate("Actions", "&Export the labels…"), "Ctrl+E"),
        ActionRow("modelAction", "file", translate("Actions", "Export a &model…"), "Ctrl+Shift+E"),
        ActionRow("importAction", "file", translate("Actions", "Bring labels &in…"), "Ctrl+I", ends_group=True),
        ActionRow("quitAction", "file", translate("Actions", "&Quit"), "Ctrl+Q"),
        ActionRow("undoAction", "edit", translate("Actions", "&Undo"), "Ctrl+Z", "undo"),
        ActionRow("redoAction", "edit", translate("Actions", "&Redo"), "Ctrl+Shift+Z", "redo", ends_group=True),
        ActionRow("pasteAction", "edit", translate("Actions", "&Paste pictures as examples"), "Ctrl+V"),
        ActionRow("addCategoryAction", "edit", translate("Actions", "&Add a category"), "Ctrl+N", "add"),
        ActionRow("folderAction", "view", translate("Actions", "&Folder"), "Ctrl+1", "folder"),
        ActionRow("cameraAction", "view", translate("Actions", "&Camera"), "Ctrl+2", "camera"),
        ActionRow("videoAction", "view", translate("Actions", "&Video file"), "Ctrl+3", "video"),
        ActionRow("drawAction", "view", translate("Actions", "&Draw"), "Ctrl+4", "draw", ends_group=True),
        ActionRow("tableAction", "view", translate("Actions", "Is this &enough?…"), "Ctrl+T"),
        ActionRow("compareAction", "view", translate("Actions", "Compare &learners…"), "Ctrl+K"),
        ActionRow("mapAction", "view", translate("Actions", "&Map of the pictures…"), "Ctrl+G"),
        ActionRow("backbonesAction", "view", translate("Actions", "&Backbones…"), "Ctrl+B", "chip"),
        ActionRow("problemsAction", "view", translate("Actions", "&Problems…"), "Ctrl+P", "warning", ends_group=True),
        ActionRow("systemThemeAction", "view", translate("Actions", "Colours of the &system"), checkable=True),
        ActionRow("lightThemeAction", "view", translate("Actions", "Li&ght colours"), checkable=True),
        ActionRow("darkThemeAction", "view", translate("Actions", "Dar&k colours"), checkable=True),
        ActionRow("keysAction", "help", translate("Actions", "&First steps and keys…"), "F1", "help"),
        ActionRow("sampleAction", "help", translate("Actions", "&Try the sample"), icon="sample", ends_group=True),
        ActionRow("aboutAction", "help", translate("Actions", "&About Few-shot Labeler…")),
    )  # fmt: skip


def menu_titles() -> dict[str, str]:
    """Return the menus in order: key to title."""
    return {
        "file": translate("Actions", "&File"),
        "edit": translate("Actions", "&Edit"),
        "view": translate("Actions", "&View"),
        "help": translate("Actions", "&Help"),
    }


def build_actions(
    window: QWidget, menu_bar: QMenuBar, slots: Mapping[str, Callable[..., object]]
) -> dict[str, QAction]:
    """Return the actions by name, put into the menus of `menu_bar` and connected to `slots`."""
    menus = {key: menu_bar.addMenu(title) for key, title in menu_titles().items()}
    for menu in menus.values():
        menu.setToolTipsVisible(True)  # where an action cannot be done, it says why
    actions = {}
    # Ticks in place of icons: a menu shows one or the other, and one wants to see which is chosen.
    looks = QActionGroup(window)
    for row in action_rows():
        action = QAction(row.text, window)
        action.setObjectName(row.name)
        if row.key:
            action.setShortcut(QKeySequence(row.key))
        action.setCheckable(row.checkable)
        if row.name.endswith("ThemeAction"):
            looks.addAction(action)
        action.triggered.connect(slots[row.name])
        menus[row.menu].addAction(action)
        if row.ends_group:
            menus[row.menu].addSeparator()
        actions[row.name] = action
    tint_actions(actions)
    return actions


def add_menu(actions: Mapping[str, QAction], before: str, submenu: QMenu) -> None:
    """Put a submenu into the menu of the action of that name, before it."""
    for holder in actions[before].associatedObjects():
        if isinstance(holder, QMenu):
            holder.insertMenu(actions[before], submenu)


def plain(text: str) -> str:
    """Return the words of an action without the sign of its letter: "&Undo" is "Undo", "R&&D" is "R&D"."""
    return re.sub("&(.)", r"\1", text)


def tint_actions(actions: Mapping[str, QAction]) -> None:
    """Give every action that has an icon the icon in the colour of the present palette."""
    ink = QGuiApplication.palette().color(QPalette.ColorRole.ButtonText)
    for row in action_rows():
        if row.icon:
            actions[row.name].setIcon(icon(row.icon, ink))
