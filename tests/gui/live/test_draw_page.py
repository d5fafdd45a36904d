from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QBoxLayout

from fewshot_gui.engine.commands import AddCategory, RemoveCategory, SetShortcut, new_category_id
from fewshot_gui.engine.sources.drawing import render
from fewshot_gui.engine.state import CategoryId
from fewshot_gui.gui.live.draw_page import DrawPage

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from fewshot_gui.engine.predictor import SinglePrediction
    from fewshot_gui.engine.session import Session
    from fewshot_gui.gui.theme import Appearance

    Predict = Callable[..., SinglePrediction]

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def page(qtbot: QtBot, session: Session, predictor: Any, intake: Any, appearance: Appearance) -> DrawPage:
    result = DrawPage(session, predictor, intake, appearance)
    qtbot.addWidget(result)
    result.resize(760, 600)
    result.show()
    return result


def draw(qtbot: QtBot, page: DrawPage, shift: int = 0) -> None:
    """Draw one line with the mouse."""
    qtbot.mousePress(page.canvas, LEFT, pos=QPoint(80, 80 + shift))
    qtbot.mouseMove(page.canvas, QPoint(180, 200))
    qtbot.mouseRelease(page.canvas, LEFT, pos=QPoint(180, 200))


def test_each_stroke_is_predicted(page: DrawPage, predictor: Any, predict: Predict, qtbot: QtBot) -> None:
    assert predictor.asked == []
    draw(qtbot, page)
    pixels, then = predictor.asked[-1]
    assert (pixels == render(page.canvas.sketch.strokes)).all()
    then(predict(0.1, 0.9))
    assert page.guess.guess is not None
    assert page.guess.guess.label == "dog"
    assert page.guess.accessibleDescription() == "dog"
    draw(qtbot, page, 30)
    assert len(predictor.asked) == 2
    assert page.guess.guess is None, "the old answer is not shown for the new drawing"


def test_an_answer_for_an_older_drawing_is_dropped(
    page: DrawPage, predictor: Any, predict: Predict, qtbot: QtBot
) -> None:
    draw(qtbot, page)
    _, late = predictor.asked[-1]
    draw(qtbot, page, 30)
    late(predict(0.1, 0.9))
    assert page.guess.guess is None


def test_a_button_teaches_the_drawing_and_takes_new_paper(page: DrawPage, intake: Any, qtbot: QtBot) -> None:
    draw(qtbot, page)
    expected = render(page.canvas.sketch.strokes)
    qtbot.mouseClick(page.teach.buttons()[1], LEFT)
    ((pixels, category, origin),) = intake.taught
    assert (pixels == expected).all()
    assert (category, origin) == ("dog", "canvas")
    assert page.canvas.sketch.is_empty
    assert not page.canvas.sketch.can_undo


def test_blank_paper_teaches_nothing(page: DrawPage, intake: Any, qtbot: QtBot) -> None:
    qtbot.mouseClick(page.teach.buttons()[0], LEFT)
    assert intake.taught == []


def test_a_digit_teaches_the_drawing(page: DrawPage, intake: Any, qtbot: QtBot) -> None:
    qtbot.keyClick(page.canvas, Qt.Key.Key_1)
    assert intake.taught == []
    for key, category in ((Qt.Key.Key_1, "cat"), (Qt.Key.Key_2, "dog"), (Qt.Key.Key_1, "cat")):
        draw(qtbot, page)
        qtbot.keyClick(page.canvas, key)
        assert intake.taught[-1][1] == category


def test_a_letter_teaches_the_drawing_with_caps_lock_too(
    page: DrawPage, session: Session, intake: Any, qtbot: QtBot
) -> None:
    session.do(SetShortcut(CategoryId("dog"), "q"))
    for text in "qQ":
        draw(qtbot, page)
        qtbot.keyClicks(page.canvas, text)
    assert [category for _pixels, category, _origin in intake.taught] == ["dog", "dog"]


def test_a_category_that_is_gone_is_not_taught(
    page: DrawPage, session: Session, intake: Any, qtbot: QtBot
) -> None:
    draw(qtbot, page)
    session.do(RemoveCategory(CategoryId("dog")))
    page.teach_drawing(CategoryId("dog"))
    assert intake.taught == []
    assert not page.canvas.sketch.is_empty


def test_after_a_change_of_the_categories_no_old_prediction_is_shown(
    page: DrawPage, session: Session, predictor: Any, predict: Predict, qtbot: QtBot
) -> None:
    draw(qtbot, page)
    predictor.asked[-1][1](predict(0.1, 0.9))
    session.do(AddCategory(CategoryId("owl"), "owl"))
    assert page.guess.guess is None
    assert len(page.teach.buttons()) == 3


def test_another_classifier_is_asked_again_once(page: DrawPage, predictor: Any, qtbot: QtBot) -> None:
    draw(qtbot, page)
    predictor.updated.emit(SimpleNamespace(judges_as=5))
    predictor.updated.emit(SimpleNamespace(judges_as=5))
    assert len(predictor.asked) == 2


def test_the_buttons_undo_and_clear(page: DrawPage, qtbot: QtBot) -> None:
    assert not page.undo.isEnabled()
    assert not page.clear.isEnabled()
    draw(qtbot, page)
    draw(qtbot, page, 30)
    qtbot.mouseClick(page.undo, LEFT)
    assert len(page.canvas.sketch.strokes) == 1
    qtbot.mouseClick(page.clear, LEFT)
    assert page.canvas.sketch.is_empty
    assert not page.clear.isEnabled()
    assert page.undo.isEnabled()


def test_it_says_what_to_do(page: DrawPage, session: Session) -> None:
    assert page.guess.accessibleDescription() == "Draw something to see what it looks like."
    session.undo()
    session.undo()
    session.undo()
    assert page.guess.accessibleDescription().startswith("Nothing is taught yet")
    session.undo()
    assert page.guess.accessibleDescription() == "Add a category for each symbol first."


def test_it_offers_the_network_for_symbols(page: DrawPage, session: Session, qtbot: QtBot) -> None:
    assert page.banner.isVisible()
    qtbot.mouseClick(page.banner.button, LEFT)
    assert session.document.settings.backbone == "omniglot-conv4"
    assert not page.banner.isVisible()
    session.undo()
    assert page.banner.isVisible()


def test_a_narrow_page_puts_the_guess_under_the_paper(page: DrawPage) -> None:
    assert page._middle.direction() is QBoxLayout.Direction.LeftToRight
    page.resize(440, 700)
    assert page._middle.direction() is QBoxLayout.Direction.TopToBottom


def test_forty_categories_leave_room_for_the_paper(page: DrawPage, session: Session) -> None:
    page.resize(700, 640)
    few = page.teach.sizeHint().height()
    for number in range(40):
        session.do(AddCategory(new_category_id(), f"Category {number + 1}"))
    assert len(page.teach.buttons()) == 42
    assert few < page.teach.sizeHint().height() <= 220
    assert page.teach.minimumSizeHint().height() <= few, "a small screen shows one line of them"


def test_hidden_it_asks_nothing(page: DrawPage, predictor: Any, qtbot: QtBot) -> None:
    draw(qtbot, page)
    page.hide()
    predictor.updated.emit(SimpleNamespace(judges_as=9))
    assert len(predictor.asked) == 1
    page.show()
    assert len(predictor.asked) == 2


def test_the_guess_is_painted(page: DrawPage, predictor: Any, predict: Predict, qtbot: QtBot) -> None:
    empty = page.guess.grab().toImage()
    draw(qtbot, page)
    predictor.asked[-1][1](predict(0.5, 0.5, rejected=True))
    assert page.guess.grab().toImage() != empty
    assert page.guess.accessibleDescription() == "None of these"


def test_what_is_taught_is_the_picture_for_the_network(page: DrawPage, intake: Any, qtbot: QtBot) -> None:
    draw(qtbot, page)
    page.teach_drawing(CategoryId("cat"))
    pixels = intake.taught[0][0]
    assert pixels.shape == (105, 105, 3)
    assert pixels.dtype == np.uint8


def test_another_threshold_or_category_is_asked_about(page: DrawPage, predictor: Any, qtbot: QtBot) -> None:
    """Before, "None of these" stood there however bold one wanted to be."""
    draw(qtbot, page)
    for judges_as in ((9, (), 1.0), (9, (), 2.0), (9, ("cat",), 2.0), (9, ("cat",), 2.0)):
        predictor.updated.emit(SimpleNamespace(judges_as=judges_as))
    assert len(predictor.asked) == 4


def test_buttons_that_nobody_sees_are_made_when_they_are_seen(
    page: DrawPage, session: Session, qtbot: QtBot
) -> None:
    """Three hidden pages made two hundred buttons each at every change of a name."""
    page.hide()
    before = page.teach.buttons()
    category = new_category_id()
    session.do(AddCategory(category, "Bird"))
    assert page.teach.buttons() == before
    pressed: list[str] = []
    page.teach.pressed.connect(pressed.append)
    page.show()
    names = [button.objectName() for button in page.teach.buttons()]
    assert names == [f"teachButton:{each.name}" for each in session.document.categories]
    page.teach.buttons()[-1].pressed.emit()
    assert pressed == [category]
