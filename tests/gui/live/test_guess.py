from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from fewshot_gui.engine.commands import AddCategory, RenameCategory
from fewshot_gui.engine.state import CategoryId
from fewshot_gui.gui.live.guess import Bar, BarStyle, LabelInk, guess_of, paint_bars, paint_label, percent
from fewshot_gui.gui.theme import DARK, LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QApplication

    from fewshot_gui.engine.predictor import SinglePrediction
    from fewshot_gui.engine.session import Session

    Predict = Callable[..., SinglePrediction]


def test_the_best_category_with_its_colour_and_the_bars_in_order(session: Session, predict: Predict) -> None:
    guess = guess_of(predict(0.2, 0.8), session.document, LIGHT)
    assert guess is not None
    assert (guess.label, guess.colour) == ("dog", LIGHT.category(session.document.categories[1].colour))
    assert guess.probability == pytest.approx(0.8)
    assert [bar.name for bar in guess.bars] == ["dog", "cat"]


def test_none_of_these_has_no_colour_and_no_number(session: Session, predict: Predict) -> None:
    guess = guess_of(predict(0.2, 0.8, rejected=True), session.document, DARK)
    assert guess is not None
    assert (guess.label, guess.colour, guess.probability) == ("None of these", None, None)
    assert len(guess.bars) == 2


def test_a_prediction_of_other_categories_says_nothing(session: Session, predict: Predict) -> None:
    prediction = predict(0.2, 0.8)
    session.do(AddCategory(CategoryId("owl"), "owl"))
    assert guess_of(prediction, session.document, LIGHT) is None


def test_a_new_name_is_shown_at_once(session: Session, predict: Predict) -> None:
    prediction = predict(0.2, 0.8)
    session.do(RenameCategory(CategoryId("dog"), "wolf"))
    guess = guess_of(prediction, session.document, LIGHT)
    assert guess is not None
    assert guess.label == "wolf"


def test_nothing_taught_says_nothing(session: Session, predict: Predict) -> None:
    session.undo()
    prediction = predict(0.0, 0.0)
    object.__setattr__(prediction, "best", -1)
    assert guess_of(prediction, session.document, LIGHT) is None


def test_at_most_so_many_bars(session: Session, predict: Predict) -> None:
    session.do(AddCategory(CategoryId("owl"), "owl"))
    guess = guess_of(predict(0.2, 0.5, 0.3), session.document, LIGHT, most=2)
    assert guess is not None
    assert [bar.name for bar in guess.bars] == ["dog", "owl"]


def test_percentages_are_whole() -> None:
    assert [percent(value) for value in (0, 0.004, 0.5, 0.996, 1)] == ["0 %", "0 %", "50 %", "100 %", "100 %"]


def painted(paint: Callable[[QPainter], None]) -> QImage:
    image = QImage(300, 60, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    paint(painter)
    painter.end()
    return image


def count(image: QImage, colour: QColor) -> int:
    return sum(image.pixelColor(x, y) == colour for x in range(image.width()) for y in range(image.height()))


def test_a_bar_is_as_long_as_its_probability(qapp: QApplication) -> None:
    red, style = QColor("#ff0000"), BarStyle(QColor("#000000"), QColor("#0000ff"), LIGHT.font("body"))

    def length(probability: float) -> int:
        bars = (Bar("cat", red, probability),)
        return count(painted(lambda painter: paint_bars(painter, QRectF(0, 0, 300, 60), bars, style)), red)

    assert length(0) == 0
    assert 0.4 < length(0.5) / length(1.0) < 0.6


def test_a_long_name_is_set_smaller_and_stays_inside(
    qapp: QApplication, session: Session, predict: Predict
) -> None:
    session.do(RenameCategory(CategoryId("dog"), "a very long name of a category that does not fit"))
    guess = guess_of(predict(0.1, 0.9), session.document, LIGHT)
    assert guess is not None
    font, black = LIGHT.font("title"), QColor("#000000")
    area = QRectF(0, 0, 150, 60)
    image = painted(lambda painter: paint_label(painter, area, guess, font, LabelInk(black, black)))
    beyond = [image.pixelColor(x, y) for x in range(165, 300) for y in range(60)]
    assert all(colour == QColor("white") for colour in beyond)
