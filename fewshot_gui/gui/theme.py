"""The look: colour tokens, fonts and the grid that every widget takes its measures from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette

from fewshot_gui.gui.stylesheet import stylesheet

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

GRID = 8
RADIUS = 8

ColourChoice = Literal["system", "light", "dark"]
FontRole = Literal["title", "heading", "body", "small", "number"]

# Okabe & Ito's eight colours for all kinds of colour vision, then four from Paul Tol's sets; each moved
# in lightness until it stands out 3:1 (WCAG 1.4.11) from the surface of its theme, and until any two
# differ by more than 5 in CIELAB for normal, red-blind and green-blind eyes (2.3 is just noticeable).
_CATEGORIES_LIGHT = (
    "#cb8000", "#2b8fd0", "#00785a", "#b83c00", "#0a5aa0", "#a8407e",
    "#7a6800", "#4d525e", "#5b4bc4", "#882255", "#22979a", "#7a5a2e",
)  # fmt: skip
_CATEGORIES_DARK = (
    "#e69f00", "#56b4e9", "#00a87b", "#e4692a", "#2f86d6", "#d98bb8",
    "#f0e442", "#d6dae3", "#8f7ff0", "#c2417f", "#2f9f98", "#b58d5a",
)  # fmt: skip

_FAMILIES = ("Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "DejaVu Sans")
_FONTS: dict[FontRole, tuple[int, QFont.Weight]] = {
    "title": (17, QFont.Weight.DemiBold),
    "heading": (13, QFont.Weight.DemiBold),
    "body": (13, QFont.Weight.Normal),
    "small": (11, QFont.Weight.Normal),
    "number": (13, QFont.Weight.Normal),
}


@cache
def _families() -> tuple[str, ...]:
    """Return the families that are installed; asking Qt for one that is missing costs 50 ms on macOS."""
    return tuple(name for name in _FAMILIES if QFontDatabase.hasFamily(name))


def contrast(one: QColor, other: QColor) -> float:
    """Return the WCAG contrast ratio of two opaque colours, 1 (same) to 21 (black on white)."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: QColor) -> float:
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (colour.redF(), colour.greenF(), colour.blueF())
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def mixed(front: QColor, back: QColor, share: float) -> QColor:
    """Return `share` (0 to 1) of `front` laid on `back`, as an opaque colour."""
    rest = 1 - share
    return QColor.fromRgbF(
        front.redF() * share + back.redF() * rest,
        front.greenF() * share + back.greenF() * rest,
        front.blueF() * share + back.blueF() * rest,
    )


@dataclass(frozen=True)
class Theme:
    """The colours of one appearance; text on window, surface and raised meets WCAG AA.

    A line parts things that are told apart without it; an edge is what a control is known by, and stands out
    3:1 (WCAG 1.4.11).
    """

    dark: bool
    window: QColor
    surface: QColor
    raised: QColor
    line: QColor
    edge: QColor
    text: QColor
    muted: QColor
    accent: QColor
    on_accent: QColor
    danger: QColor
    warning: QColor
    success: QColor
    focus: QColor
    _categories: tuple[str, ...] = field(repr=False)

    def category(self, index: int) -> QColor:
        """Return the colour of palette entry `index` (0 to 11; larger ones wrap around)."""
        return QColor(self._categories[index % len(self._categories)])

    def on_category(self, index: int) -> QColor:
        """Return black or white, whichever reads better on category colour `index`."""
        back = self.category(index)
        return max(QColor("#ffffff"), QColor("#14151a"), key=lambda ink: contrast(ink, back))

    def tint(self, index: int, share: float = 0.16) -> QColor:
        """Return the surface with a `share` (0 to 1) of category colour `index`: a quiet background."""
        return mixed(self.category(index), self.surface, share)

    def font(self, role: FontRole) -> QFont:
        """Return the font of `role`; every role has digits of one width, so that numbers do not jump."""
        pixels, weight = _FONTS[role]
        font = QFont()
        font.setFamilies(list(_families()) or [font.family()])
        font.setPixelSize(pixels)
        font.setWeight(weight)
        font.setFeature(QFont.Tag("tnum"), 1)
        return font


LIGHT = Theme(
    dark=False,
    window=QColor("#f1f2f5"),
    surface=QColor("#ffffff"),
    raised=QColor("#f6f7f9"),
    line=QColor("#dcdfe6"),
    edge=QColor("#848997"),
    text=QColor("#1b1d24"),
    muted=QColor("#5d6372"),
    accent=QColor("#4350dc"),
    on_accent=QColor("#ffffff"),
    danger=QColor("#c02b3c"),
    warning=QColor("#8a5a00"),
    success=QColor("#14713f"),
    focus=QColor("#4350dc"),
    _categories=_CATEGORIES_LIGHT,
)
DARK = Theme(
    dark=True,
    window=QColor("#111216"),
    surface=QColor("#1a1b21"),
    raised=QColor("#24262e"),
    line=QColor("#33363f"),
    edge=QColor("#6f7483"),
    text=QColor("#eceef3"),
    muted=QColor("#a2a7b5"),
    accent=QColor("#8f99ff"),
    on_accent=QColor("#0d0f22"),
    danger=QColor("#ff8a8f"),
    warning=QColor("#f3bf5a"),
    success=QColor("#66d19a"),
    focus=QColor("#a6aeff"),
    _categories=_CATEGORIES_DARK,
)


def palette(theme: Theme) -> QPalette:
    """Return the Qt palette of `theme`; widgets that know no theme find their colours in it.

    PlaceholderText is the muted text, Mid the line, Button the raised surface, Accent the accent,
    BrightText the danger.
    """
    role = QPalette.ColorRole
    result = QPalette()
    for key, colour in {
        role.Window: theme.window, role.WindowText: theme.text, role.Base: theme.surface,
        role.Text: theme.text,
        role.AlternateBase: theme.raised, role.Button: theme.raised, role.ButtonText: theme.text,
        role.PlaceholderText: theme.muted, role.BrightText: theme.danger, role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text, role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Accent: theme.accent, role.Link: theme.accent, role.LinkVisited: theme.accent,
        role.Mid: theme.line,
        role.Midlight: theme.line, role.Light: theme.raised, role.Dark: theme.line, role.Shadow: theme.line,
    }.items():  # fmt: skip
        result.setColor(key, colour)
    faded = mixed(theme.muted, theme.surface, 0.6)
    for key in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, key, faded)
    return result


class Appearance(QObject):
    """The theme in use: the person's choice, or what the system says.

    `changed` is emitted after the palette and the stylesheet of the application have changed.

    Attributes:
        choice: which colours the person wants.
        size: how large everything is shown since the start, in percent of what the system says.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.choice: ColourChoice = "system"
        self.size = 100
        self._app: QApplication | None = None
        self.theme = self._wanted()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow)

    def install(self, app: QApplication) -> None:
        """Give `app` the Fusion style and this look, and keep it so when the theme changes."""
        self._app = app
        app.setStyle("Fusion")
        app.setFont(self.theme.font("body"))
        self._dress(app)

    def choose(self, choice: ColourChoice) -> None:
        """Use the light or the dark theme, or follow the system from now on."""
        self.choice = choice
        self._tell_system()
        self._follow()

    def _tell_system(self) -> None:
        """Let title bars and the dialogs of the system be as light or dark as the rest.

        Where that changes the scheme of the system's theme, `colorSchemeChanged` comes back: `_follow` then
        finds the theme that the choice asks for, and does nothing a second time.
        """
        hints = QGuiApplication.styleHints()
        if self.choice == "system":
            hints.unsetColorScheme()
        else:
            hints.setColorScheme(Qt.ColorScheme.Dark if self.choice == "dark" else Qt.ColorScheme.Light)

    def _wanted(self) -> Theme:
        if self.choice != "system":
            return DARK if self.choice == "dark" else LIGHT
        return DARK if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else LIGHT

    def _follow(self) -> None:
        theme = self._wanted()
        if theme is self.theme:
            return
        self.theme = theme
        if self._app is not None:
            self._dress(self._app)
        self.changed.emit()

    def _dress(self, app: QApplication) -> None:
        app.setPalette(palette(self.theme))
        app.setStyleSheet(stylesheet(self._tokens()))

    def _tokens(self) -> dict[str, str]:
        theme = self.theme
        names = (
            "window", "surface", "raised", "line", "edge", "text", "muted", "accent", "on_accent", "danger",
            "focus",
        )  # fmt: skip
        tokens = {name: getattr(theme, name).name() for name in names}
        return tokens | {
            "shade": "dark" if theme.dark else "light",
            "hover": mixed(theme.text, theme.raised, 0.06).name(),
            "chosen": mixed(theme.text, theme.raised, 0.12).name() if theme.dark else theme.surface.name(),
            "pressed": mixed(theme.text, theme.raised, 0.12).name(),
            "accent_hover": mixed(theme.text, theme.accent, 0.14).name(),
            "accent_soft": mixed(theme.accent, theme.surface, 0.16).name(),
            "faded": mixed(theme.muted, theme.surface, 0.6).name(),
        }
