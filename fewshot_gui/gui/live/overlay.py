"""What is painted over a live picture: the caption with its bars, the read-out, and a note."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QLinearGradient, QPainter

from fewshot_gui.gui.live.guess import BarStyle, Guess, LabelInk, bar_height, paint_bars, paint_label
from fewshot_gui.gui.theme import GRID, RADIUS

if TYPE_CHECKING:
    from fewshot_gui.gui.theme import Theme

_INK = QColor("#ffffff")
_FAINT_INK = QColor(255, 255, 255, 200)
_TRACK = QColor(255, 255, 255, 56)
_VEIL = QColor(8, 9, 12, 170)
_NARROW = 460
"""Below this width, in pixels, the bars lie under the label instead of beside it."""


def _scaled(font: QFont, pixels: float) -> QFont:
    font.setPixelSize(round(pixels))
    return font


def paint_caption(painter: QPainter, view: QRectF, guess: Guess, theme: Theme) -> None:
    """Paint the label, large enough to be read across a room, and the bars, at the lower edge of `view`."""
    size = min(44.0, max(20.0, view.width() * 0.05))
    title = _scaled(theme.font("title"), size)
    style = BarStyle(
        _INK, _TRACK, _scaled(theme.font("number"), min(17, max(12, size * 0.4))), faint=guess.colour is None
    )
    bars = len(guess.bars) * bar_height(style.font)
    head = QFontMetricsF(title).height() + size * 0.5
    narrow = view.width() < _NARROW
    height = (head + bars if narrow else max(head, bars)) + 4 * GRID
    if height > view.height() * 0.7:
        guess = Guess(guess.label, guess.colour, guess.probability, ())
        height, narrow = head + 2 * GRID, True
    band = QRectF(view.left(), view.bottom() - height, view.width(), height)
    _paint_veil(painter, band)
    inner = band.adjusted(2 * GRID, 2 * GRID, -2 * GRID, -2 * GRID)
    left = QRectF(inner)
    if narrow:
        left.setHeight(head)
        right = inner.adjusted(0, head, 0, 0)
    else:
        left.setWidth(inner.width() * 0.58)
        right = inner.adjusted(left.width() + 3 * GRID, 0, 0, 0)
        right.adjust(0, (right.height() - bars) / 2, 0, 0)
    paint_label(painter, left, guess, title, LabelInk(_INK, _FAINT_INK))
    paint_bars(painter, right, guess.bars, style)


def _paint_veil(painter: QPainter, band: QRectF) -> None:
    """Darken the picture towards the lower edge, so that white text on it can be read on any picture."""
    veil = QLinearGradient(0, band.top() - 3 * GRID, 0, band.bottom())
    veil.setColorAt(0, QColor(8, 9, 12, 0))
    veil.setColorAt(0.3, QColor(8, 9, 12, 165))
    veil.setColorAt(1, QColor(8, 9, 12, 215))
    painter.fillRect(band.adjusted(0, -3 * GRID, 0, 0), veil)


def paint_readout(painter: QPainter, view: QRectF, fps: float, latency_ms: float, theme: Theme) -> None:
    """Paint frames a second and delay in a small pill at the upper right."""
    text = QCoreApplication.translate("LiveView", "{0} fps  ·  {1} ms").format(round(fps), round(latency_ms))
    _paint_pill(painter, view, text, PillStyle(theme.font("number"), Qt.Corner.TopRightCorner))


def paint_note(painter: QPainter, view: QRectF, text: str, theme: Theme) -> None:
    """Paint one sentence in a pill at the lower edge."""
    _paint_pill(painter, view, text, PillStyle(theme.font("body"), None))


@dataclass(frozen=True, slots=True)
class Badge:
    """What was captured, in the category's colour."""

    text: str
    back: QColor
    ink: QColor


def paint_badge(painter: QPainter, view: QRectF, badge: Badge, theme: Theme) -> None:
    """Paint what was captured in a pill at the upper left."""
    style = PillStyle(theme.font("heading"), Qt.Corner.TopLeftCorner, badge.back, badge.ink)
    _paint_pill(painter, view, badge.text, style)


@dataclass(frozen=True, slots=True)
class PillStyle:
    """Where a pill lies and how it looks; without a corner it lies at the lower edge."""

    font: QFont
    corner: Qt.Corner | None
    back: QColor = field(default_factory=lambda: QColor(_VEIL))
    ink: QColor = field(default_factory=lambda: QColor(_INK))


def _paint_pill(painter: QPainter, view: QRectF, text: str, style: PillStyle) -> None:
    metrics = QFontMetricsF(style.font)
    inner = view.adjusted(1.5 * GRID, 1.5 * GRID, -1.5 * GRID, -1.5 * GRID)
    flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
    words = metrics.boundingRect(inner.adjusted(1.5 * GRID, 0, -1.5 * GRID, 0), flags, text)
    pill = QRectF(0, 0, words.width() + 3 * GRID, words.height() + 1.25 * GRID)
    if style.corner is Qt.Corner.TopRightCorner:
        pill.moveTopRight(inner.topRight())
    elif style.corner is Qt.Corner.TopLeftCorner:
        pill.moveTopLeft(inner.topLeft())
    else:
        pill.moveBottom(inner.bottom())
        pill.moveLeft(inner.center().x() - pill.width() / 2)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(style.back)
    painter.drawRoundedRect(pill, RADIUS, RADIUS)
    painter.setFont(style.font)
    painter.setPen(style.ink)
    painter.drawText(pill, flags, text)
