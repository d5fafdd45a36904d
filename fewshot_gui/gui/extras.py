"""Dialogs that the menus offer, imported only when somebody asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

if TYPE_CHECKING:
    from PySide6.QtWidgets import QDialog

    from fewshot_gui.gui.main_window import MainWindow


def compare(window: MainWindow) -> None:
    """Show the learners side by side."""
    from fewshot_gui.gui.compare.dialog import compare_learners  # noqa: PLC0415 - only when asked for

    compare_learners(window)


def enough(window: MainWindow) -> None:
    """Show whether the examples are enough."""
    from fewshot_gui.gui.inspector.table_dialog import show_table  # noqa: PLC0415 - only when asked for

    show_table(window)


def picture_map(window: MainWindow) -> None:
    """Show the pictures between the categories."""
    from fewshot_gui.gui.map.dialog import show_map  # noqa: PLC0415 - only when asked for

    show_map(window)


def model(window: MainWindow) -> None:
    """Offer to write what was taught as a model."""
    from fewshot_gui.gui.dialogs.model_export import export_model  # noqa: PLC0415 - only when asked for

    export_model(window)


def problems(window: MainWindow) -> None:
    """Show the problems list beside the window, which goes on working."""
    from fewshot_gui.gui.dialogs.problems import show_problems  # noqa: PLC0415 - only when asked for

    show_problems(window)


def keys(window: MainWindow) -> None:
    """Show how to begin, and what the keys do."""
    from fewshot_gui.gui.dialogs.help import keys_dialog  # noqa: PLC0415 - only when asked for

    _open(keys_dialog(window))


def about(window: MainWindow) -> None:
    """Show what this program is."""
    from fewshot_gui.gui.dialogs.help import about_dialog  # noqa: PLC0415 - only when asked for

    _open(about_dialog(window))


def _open(dialog: QDialog) -> None:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
