"""The colours can be told apart and read; the theme follows the choice and reaches every widget."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QFont, QPalette, QStyleHints
from PySide6.QtWidgets import QApplication, QPushButton, QRadioButton, QWidget

from fewshot_gui.engine.state import PALETTE_SIZE
from fewshot_gui.gui.theme import DARK, LIGHT, Appearance, Theme, contrast, mixed, palette

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

BOTH = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])

# Machado, Oliveira & Fernandes 2009, severity 1, for linear RGB.
BLINDNESS = {
    "protan": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.052]],
    "deutan": [[0.3673, 0.8606, -0.228], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "none": np.eye(3).tolist(),
}  # fmt: skip


def _lab(colour: QColor, matrix: list[list[float]]) -> np.ndarray:
    """CIELAB (D65) of a colour as somebody with that colour vision sees it."""
    srgb = np.array([colour.redF(), colour.greenF(), colour.blueF()])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(matrix) @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(to_xyz @ seen / np.array([0.9505, 1.0, 1.089]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_contrast_is_that_of_wcag() -> None:
    assert contrast(QColor("black"), QColor("white")) == pytest.approx(21)
    assert contrast(QColor("#777777"), QColor("#ffffff")) == pytest.approx(4.48, abs=0.01)
    assert contrast(QColor("red"), QColor("red")) == pytest.approx(1)


@BOTH
@pytest.mark.parametrize("ground", ["window", "surface", "raised"])
@pytest.mark.parametrize("ink", ["text", "muted", "accent", "danger", "warning", "success"])
def test_words_can_be_read_on_every_ground(theme: Theme, ground: str, ink: str) -> None:
    assert contrast(getattr(theme, ink), getattr(theme, ground)) >= 4.5


@BOTH
def test_words_on_the_accent_can_be_read_and_the_focus_ring_seen(theme: Theme) -> None:
    assert contrast(theme.on_accent, theme.accent) >= 4.5
    for ground in (theme.window, theme.surface, theme.raised):
        assert contrast(theme.focus, ground) >= 3


@BOTH
@pytest.mark.parametrize("ground", ["window", "surface", "raised"])
def test_the_edge_of_a_control_is_seen_on_every_ground(theme: Theme, ground: str) -> None:
    assert contrast(theme.edge, getattr(theme, ground)) >= 3


@BOTH
def test_fields_and_scroll_bars_are_known_by_their_edge(
    theme: Theme, appearance: Appearance, qapp: QApplication
) -> None:
    appearance.choose("dark" if theme.dark else "light")
    sheet, edge = qapp.styleSheet(), theme.edge.name()
    assert f"QScrollBar::handle {{ background: {edge};" in sheet
    rule = sheet[sheet.index("\nQLineEdit, QSpinBox") :]
    assert f"border: 1px solid {edge};" in rule[: rule.index("}")]


@BOTH
@pytest.mark.parametrize("index", range(PALETTE_SIZE))
def test_a_category_colour_stands_out_and_carries_words(theme: Theme, index: int) -> None:
    colour = theme.category(index)
    assert contrast(colour, theme.surface) >= 3
    assert contrast(colour, theme.raised) >= 2.9
    assert contrast(theme.on_category(index), colour) >= 4.5
    assert contrast(theme.text, theme.tint(index)) >= 7


@BOTH
@pytest.mark.parametrize("vision", BLINDNESS)
def test_the_first_categories_differ_for_every_colour_vision(theme: Theme, vision: str) -> None:
    # 2.3 is a just noticeable difference; five categories are what a session usually has.
    seen = [_lab(theme.category(index), BLINDNESS[vision]) for index in range(5)]
    assert min(float(np.linalg.norm(one - other)) for one, other in combinations(seen, 2)) > 10


@BOTH
@pytest.mark.parametrize("vision", BLINDNESS)
def test_any_two_categories_differ_for_every_colour_vision(theme: Theme, vision: str) -> None:
    seen = [_lab(theme.category(index), BLINDNESS[vision]) for index in range(PALETTE_SIZE)]
    assert min(float(np.linalg.norm(one - other)) for one, other in combinations(seen, 2)) > 5


def test_category_colours_wrap_around() -> None:
    assert LIGHT.category(PALETTE_SIZE) == LIGHT.category(0)


def test_mixed_lies_between() -> None:
    assert mixed(QColor("white"), QColor("black"), 0.0) == QColor("black")
    assert mixed(QColor("white"), QColor("black"), 1.0) == QColor("white")
    assert mixed(QColor("white"), QColor("black"), 0.5).red() == pytest.approx(128, abs=1)


@pytest.mark.usefixtures("qapp")
def test_fonts_have_sizes_and_digits_of_one_width() -> None:
    assert LIGHT.font("body").pixelSize() == 13
    assert LIGHT.font("title").pixelSize() > LIGHT.font("body").pixelSize() > LIGHT.font("small").pixelSize()
    assert LIGHT.font("heading").weight() == QFont.Weight.DemiBold
    assert LIGHT.font("number").featureValue(QFont.Tag("tnum")) == 1


@pytest.mark.usefixtures("qapp")
@BOTH
def test_the_palette_carries_the_tokens(theme: Theme) -> None:
    made = palette(theme)
    assert made.color(QPalette.ColorRole.Window) == theme.window
    assert made.color(QPalette.ColorRole.Highlight) == theme.accent
    assert made.color(QPalette.ColorRole.PlaceholderText) == theme.muted
    disabled = made.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text)
    assert theme.text != disabled != theme.muted


def test_choosing_changes_the_application_once(appearance: Appearance, qapp: QApplication) -> None:
    heard: list[bool] = []
    appearance.changed.connect(lambda: heard.append(appearance.theme.dark))
    appearance.choose("dark")
    assert heard == [True]
    assert qapp.palette().color(QPalette.ColorRole.Window) == DARK.window
    assert DARK.surface.name() in qapp.styleSheet()
    appearance.choose("dark")
    assert heard == [True]
    appearance.choose("light")
    assert heard == [True, False]
    assert LIGHT.surface.name() in qapp.styleSheet()


def test_the_system_is_followed_until_a_choice_is_made(qapp: QApplication) -> None:
    appearance = Appearance()
    scheme = qapp.styleHints().colorScheme()
    assert appearance.choice == "system"
    assert appearance.theme.dark == (scheme == Qt.ColorScheme.Dark)
    appearance.choose("dark")
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert appearance.theme is DARK
    appearance.choose("system")
    assert appearance.theme.dark == (scheme == Qt.ColorScheme.Dark)
    appearance.deleteLater()


def test_what_the_system_draws_is_asked_to_follow_the_choice(
    appearance: Appearance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, a dark window had a light title bar, and opened light dialogs."""
    asked: list[Qt.ColorScheme] = []
    monkeypatch.setattr(QStyleHints, "setColorScheme", lambda _hints, scheme: asked.append(scheme))
    monkeypatch.setattr(QStyleHints, "unsetColorScheme", lambda _hints: asked.append(Qt.ColorScheme.Unknown))
    for choice in ("dark", "light", "system"):
        appearance.choose(choice)
    assert asked == [Qt.ColorScheme.Dark, Qt.ColorScheme.Light, Qt.ColorScheme.Unknown]


def test_the_stylesheet_leaves_no_token_unfilled(appearance: Appearance, qapp: QApplication) -> None:
    assert "$" not in qapp.styleSheet()
    button = QPushButton("Words")
    assert button.sizeHint().height() >= 28
    button.deleteLater()


@BOTH
def test_what_is_chosen_keeps_its_colour_under_the_focus(
    theme: Theme, appearance: Appearance, qtbot: QtBot
) -> None:
    appearance.choose("dark" if theme.dark else "light")
    page = QWidget()
    qtbot.addWidget(page)
    chosen, other = QRadioButton("Chosen", page), QPushButton("Another", page)
    other.move(0, 40)
    chosen.setChecked(True)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    other.setFocus()
    plain = chosen.grab().toImage()
    chosen.setFocus()
    focused = chosen.grab().toImage()
    assert focused != plain, "the focus is seen"
    # Between the rim, which the focus draws, and the sign in the middle: 3 px from the left edge.
    beside = QPoint(3, plain.height() // 2)
    assert plain.pixelColor(beside) == theme.accent
    assert _difference(focused.pixelColor(beside), theme.accent) < 5


def _difference(one: QColor, other: QColor) -> float:
    return float(np.linalg.norm(_lab(one, BLINDNESS["none"]) - _lab(other, BLINDNESS["none"])))
