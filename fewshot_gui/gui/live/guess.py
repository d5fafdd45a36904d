"""What a prediction says in words, colours and bars, and how bars are painted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

if TYPE_CHECKING:
    from fewshot_gui.engine.predictor import SinglePrediction
    from fewshot_gui.engine.state import Document
    from fewshot_gui.gui.theme import Theme

_NAME_SHARE = 0.42  # of the width of a row; the bar and the number have the rest


@dataclass(frozen=True, slots=True)
class Bar:
    """One category and its probability, 0 to 1."""

    name: str
    colour: QColor
    probability: float


@dataclass(frozen=True, slots=True)
class Guess:
    """What to show of one prediction.

    Attributes:
        label: the name of the category, or "None of these".
        colour: of the category; None where nothing fits.
        probability: of the category, 0 to 1; None where nothing fits.
        bars: the most probable categories, the best first.
    """

    label: str
    colour: QColor | None
    probability: float | None
    bars: tuple[Bar, ...]


def guess_of(prediction: SinglePrediction, document: Document, theme: Theme, most: int = 3) -> Guess | None:
    """Return what to show, or None where the prediction is of other categories than there are now."""
    classes = tuple(category.id for category in document.categories)
    if prediction.classes != classes or not 0 <= prediction.best < len(classes):
        return None
    order = sorted(range(len(classes)), key=lambda index: -float(prediction.probabilities[index]))
    bars = tuple(
        Bar(
            document.categories[index].name,
            theme.category(document.categories[index].colour),
            float(prediction.probabilities[index]),
        )
        for index in order[:most]
    )
    if prediction.rejected:
        return Guess(QCoreApplication.translate("Guess", "None of these"), None, None, bars)
    best = document.categories[prediction.best]
    sure = float(prediction.probabilities[prediction.best])
    return Guess(best.name, theme.category(best.colour), sure, bars)


def percent(probability: float) -> str:
    """Return a probability as a whole percentage; 100 only where it rounds to it."""
    return QCoreApplication.translate("Guess", "{0} %").format(round(100 * probability))


@dataclass(frozen=True, slots=True)
class BarStyle:
    """How bars look: their text, the empty part of a bar, the font, and whether they step back."""

    ink: QColor
    track: QColor
    font: QFont
    faint: bool = False


def bar_height(font: QFont) -> float:
    """Return the height of one row of bars, in pixels."""
    return QFontMetricsF(font).height() * 1.4


def paint_bars(painter: QPainter, area: QRectF, bars: tuple[Bar, ...], style: BarStyle) -> None:
    """Paint one row for each bar from the top of `area`: name, bar, percentage."""
    metrics = QFontMetricsF(style.font)
    row = bar_height(style.font)
    number = metrics.horizontalAdvance(percent(1.0)) + metrics.averageCharWidth()
    longest = max((metrics.horizontalAdvance(bar.name) for bar in bars), default=0.0) + 1
    name = min(longest, _NAME_SHARE * area.width())
    gap = metrics.averageCharWidth() * 1.5
    track = QRectF(area.left() + name + gap, 0, max(8.0, area.width() - name - gap - number), row * 0.36)
    painter.setFont(style.font)
    for index, bar in enumerate(bars):
        line = QRectF(area.left(), area.top() + index * row, area.width(), row)
        painter.setPen(style.ink)
        shown = metrics.elidedText(bar.name, Qt.TextElideMode.ElideRight, name)
        painter.drawText(line, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), shown)
        painter.drawText(
            line,
            int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight),
            percent(bar.probability),
        )
        track.moveTop(line.center().y() - track.height() / 2)
        _paint_bar(painter, track, bar, style)


def _paint_bar(painter: QPainter, track: QRectF, bar: Bar, style: BarStyle) -> None:
    radius = track.height() / 2
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(style.track)
    painter.drawRoundedRect(track, radius, radius)
    if bar.probability <= 0:
        return
    filled = QRectF(track)
    filled.setWidth(max(track.height(), track.width() * min(1.0, bar.probability)))
    colour = QColor(bar.colour)
    colour.setAlphaF(0.45 if style.faint else 1.0)
    painter.setBrush(colour)
    painter.drawRoundedRect(filled, radius, radius)


@dataclass(frozen=True, slots=True)
class LabelInk:
    """The colours of a label: of a name, and of what steps back beside it."""

    ink: QColor
    faint: QColor


def paint_label(painter: QPainter, area: QRectF, guess: Guess, font: QFont, inks: LabelInk) -> None:
    """Paint a disc in the category's colour, the name, and its percentage in a lighter weight.

    A long name is set smaller, and elided only where that does not help.
    """
    number = percent(guess.probability) if guess.probability is not None else ""
    font = _fitted(font, f"{guess.label}mm{number}", area.width())
    light = QFont(font)
    light.setWeight(QFont.Weight.Normal)
    metrics = QFontMetricsF(font)
    radius, gap = metrics.capHeight() * 0.44, metrics.averageCharWidth() * 0.9
    none = guess.colour is None
    painter.setPen(
        QPen(inks.faint, max(1.5, radius * 0.25), Qt.PenStyle.DotLine) if none else Qt.PenStyle.NoPen
    )
    painter.setBrush(Qt.BrushStyle.NoBrush if guess.colour is None else guess.colour)
    painter.drawEllipse(QPointF(area.left() + radius + 1, area.center().y()), radius, radius)
    reserved = QFontMetricsF(light).horizontalAdvance(number) + gap if number else 0.0
    text = area.adjusted(2 * radius + gap, 0, 0, 0)
    name = metrics.elidedText(guess.label, Qt.TextElideMode.ElideRight, text.width() - reserved)
    flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    painter.setFont(font)
    painter.setPen(inks.faint if none else inks.ink)
    painter.drawText(text, flags, name)
    painter.setFont(light)
    painter.setPen(inks.faint)
    painter.drawText(text.adjusted(metrics.horizontalAdvance(name) + gap, 0, gap, 0), flags, number)


def _fitted(font: QFont, text: str, width: float) -> QFont:
    """Return the font, down to 60 % of its size where `text` would not fit into `width` pixels."""
    needed = QFontMetricsF(font).horizontalAdvance(text)
    fitted = QFont(font)
    fitted.setPixelSize(round(font.pixelSize() * min(1.0, max(0.6, width / needed))))
    return fitted
