"""The one stylesheet of the program, made from the theme's tokens.

Widgets choose their look by a dynamic property `role`, set before they are shown:
    QLabel       title, heading, muted, small (muted and small), danger, key (a key cap)
    QPushButton  primary (filled accent), quiet (no frame), danger
    QToolButton  quiet by nature; framed; segment (one of a Segmented)
    QFrame       surface (a column), card (a raised surface with a line), line (a 1 px separator)
"""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

from fewshot_gui.core.data_files import assets_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

# A name, a path or a message in a label is shown as it is, never read as HTML.
# The focus ring is a border of 2 px in place of 1 px: paddings shrink by that pixel, so nothing moves.
_TEMPLATE = Template("""
QToolTip { color: $text; background: $raised; border: 1px solid $line; padding: 4px 8px; }
QLabel { background: transparent; qproperty-textFormat: PlainText; }
QLabel[role="title"] { font-size: 17px; font-weight: 600; }
QLabel[role="heading"] { font-size: 13px; font-weight: 600; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="small"] { color: $muted; font-size: 11px; }
QLabel[role="danger"] { color: $danger; font-size: 11px; }
QLabel[role="key"] { color: $muted; background: $surface; border: 1px solid $line; border-bottom-width: 2px;
    border-radius: 4px; font-size: 11px; padding: 0 5px; }

QFrame[role="surface"] { background: $surface; border: 1px solid $line; border-radius: 8px; }
QFrame[role="card"] { background: $raised; border: 1px solid $line; border-radius: 8px; }
QFrame[role="popover"] { background: $surface; border: 1px solid $line; }
QFrame[role="line"] { background: $line; border: none; max-height: 1px; min-height: 1px; }

QPushButton { background: $raised; color: $text; border: 1px solid $line; border-radius: 6px;
    padding: 6px 13px; min-height: 18px; }
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $pressed; }
QPushButton:focus { border: 2px solid $focus; padding: 5px 12px; }
QPushButton:disabled { color: $faded; }
QPushButton[role="primary"] { background: $accent; color: $on_accent; border-color: $accent;
    font-weight: 600; }
QPushButton[role="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[role="primary"]:focus { border-color: $text; }
QPushButton[role="primary"]:disabled { background: $raised; color: $faded; border-color: $line; }
QPushButton[role="quiet"] { background: transparent; border-color: transparent; }
QPushButton[role="quiet"]:hover { background: $hover; }
QPushButton[role="quiet"]:focus { border-color: $focus; }
QPushButton#problemsButton { padding: 0 7px; min-height: 16px; }
QPushButton#problemsButton:focus { padding: 0 6px; min-height: 14px; }
QPushButton[role="danger"] { color: $danger; }

QToolButton { background: transparent; color: $text; border: 1px solid transparent; border-radius: 6px;
    padding: 4px; }
QToolButton:hover { background: $hover; }
QToolButton:pressed { background: $pressed; }
QToolButton:checked { background: $accent_soft; border-color: $accent; }
QToolButton:focus { border: 2px solid $focus; padding: 3px; }
QToolButton:disabled { color: $faded; }
QToolButton::menu-indicator { image: none; }
QToolButton[role="framed"] { background: $raised; border-color: $line; }
QToolButton[role="framed"]:hover { background: $hover; }
QToolButton[role="framed"]:checked { background: $accent_soft; border-color: $accent; }
QToolButton[role="framed"]:focus { border-color: $focus; }
QToolButton:checked:focus, QToolButton[role="framed"]:checked:focus { border-color: $text; }
QToolButton#detailsButton { padding: 0 7px; min-height: 16px; }
QToolButton#detailsButton:focus { padding: 0 6px; min-height: 14px; }
QToolButton[role="segment"] { color: $muted; padding: 4px 6px 4px 10px; }
QToolButton[role="segment"]:checked { background: $chosen; color: $text; border-color: $line; }
QToolButton[role="segment"]:focus { border: 2px solid $focus; padding: 3px 5px 3px 9px; }
QFrame[role="segmented"] { background: $raised; border: 1px solid $line; border-radius: 8px; }

QLineEdit, QSpinBox, QDoubleSpinBox, QPlainTextEdit, QTextEdit { background: $surface; color: $text;
    border: 1px solid $edge; border-radius: 6px; padding: 5px 8px; selection-background-color: $accent;
    selection-color: $on_accent; }
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QPlainTextEdit:focus, QTextEdit:focus {
    border: 2px solid $focus; padding: 4px 7px; }
QAbstractSpinBox QLineEdit, QAbstractSpinBox QLineEdit:focus { border: none; padding: 0 8px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: none; }
QLineEdit#nameEdit, QLineEdit#nameEdit:focus { padding: 1px 5px; }
QLineEdit[wrong="true"] { border-color: $danger; }

QComboBox { background: $raised; color: $text; border: 1px solid $line; border-radius: 6px;
    padding: 5px 26px 5px 9px; min-height: 18px; }
QComboBox:hover { background: $hover; }
QComboBox:focus { border: 2px solid $focus; padding: 4px 25px 4px 8px; }
QComboBox:disabled { color: $faded; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox::down-arrow { image: url("$icons/arrow-$shade.svg"); width: 16px; height: 16px; }
QComboBox QAbstractItemView { background: $surface; color: $text; border: 1px solid $line; padding: 4px;
    selection-background-color: $accent_soft; selection-color: $text; outline: none; }

QCheckBox, QRadioButton { spacing: 8px; background: transparent; }
QCheckBox::indicator, QListView::indicator { width: 14px; height: 14px; border: 1px solid $muted;
    border-radius: 4px; background: $surface; }
QCheckBox::indicator:checked, QListView::indicator:checked { background: $accent; border-color: $accent;
    image: url("$icons/tick-$shade.svg"); }
QRadioButton::indicator { width: 14px; height: 14px; border: 1px solid $muted; border-radius: 8px;
    background: $surface; }
QRadioButton::indicator:checked { width: 6px; height: 6px; border: 5px solid $accent; }
QCheckBox::indicator:focus, QRadioButton::indicator:focus { width: 12px; height: 12px;
    border: 2px solid $focus; }
QCheckBox::indicator:checked:focus { border: 2px solid $text; }
QRadioButton::indicator:checked:focus { border: 2px solid $text; background: qradialgradient(cx: 0.5, cy: 0.5,
    radius: 0.5, fx: 0.5, fy: 0.5, stop: 0.46 $surface, stop: 0.54 $accent); width: 12px; height: 12px; }

QSlider { background: transparent; min-height: 22px; }
QSlider::groove:horizontal { height: 4px; background: $line; border-radius: 2px; }
QSlider::sub-page:horizontal { height: 4px; background: $accent; border-radius: 2px; }
QSlider::handle:horizontal { width: 14px; height: 14px; margin: -6px 0; border-radius: 8px;
    background: $surface; border: 1px solid $muted; }
QSlider::handle:horizontal:hover { border-color: $accent; }
QSlider::handle:horizontal:focus { border: 2px solid $focus; width: 12px; height: 12px; }

QProgressBar { background: $line; border: none; border-radius: 2px; max-height: 4px; min-height: 4px;
    color: transparent; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }

QScrollArea { background: transparent; border: none; }
QScrollArea#inspectorPage { border: 2px solid transparent; border-radius: 8px; }
QScrollArea#inspectorPage:focus { border-color: $focus; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: $edge; border-radius: 4px; margin: 1px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QMenuBar { background: $window; padding: 2px 6px; }
QMenuBar::item { padding: 4px 8px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: $hover; }
QMenu { background: $surface; color: $text; border: 1px solid $line; padding: 4px; }
QMenu::item { padding: 6px 20px 6px 12px; border-radius: 4px; }
QMenu::item:selected { background: $accent_soft; color: $text; }
QMenu::item:disabled { color: $faded; }
QMenu::icon { padding-left: 8px; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }

QListView, QTreeView, QTableView { background: $surface; border: none; outline: none;
    selection-background-color: $accent_soft; selection-color: $text; }
QTableView { border: 1px solid $line; border-radius: 8px; }
QTableView::item { padding: 0 8px; }
QListView#sortTrash { border: 1px solid $line; border-radius: 6px; padding: 4px 6px; }
QListView#sortTrash::item { padding: 2px; }
QHeaderView { background: transparent; }
QHeaderView::section { background: $surface; color: $muted; border: none; border-bottom: 1px solid $line;
    padding: 6px 11px; }
QSplitter::handle { background: transparent; }
QStatusBar { background: $window; color: $muted; border-top: 1px solid $line; }
QStatusBar::item { border: none; }
QFrame[role="toast"] { background: $text; border: none; border-radius: 8px; }
QFrame[role="toast"] QLabel { color: $surface; }
QFrame[role="toast"] QPushButton { background: transparent; color: $surface; border: 1px solid $muted;
    padding: 4px 10px; }
QFrame[role="toast"] QPushButton:focus { border: 2px solid $surface; padding: 3px 9px; }
""")


def stylesheet(tokens: Mapping[str, str]) -> str:
    """Return the stylesheet of the application for `tokens` (name to #rrggbb, and shade: light or dark)."""
    return _TEMPLATE.substitute(tokens, icons=(assets_folder() / "icons").as_posix())
