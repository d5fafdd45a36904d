from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QRectF
from PySide6.QtGui import QColor, QImage

from fewshot_gui.engine.commands import AddCategory, ChooseBackbone, RemoveCategory
from fewshot_gui.engine.state import CategoryId
from fewshot_gui.gui.live.live_view import STALE_SECONDS, LiveView
from fewshot_gui.gui.live.overlay import Badge
from fewshot_gui.gui.widgets import qimage

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from pytestqt.qtbot import QtBot

    from fewshot_gui.engine.live import LivePrediction
    from fewshot_gui.engine.session import Session
    from fewshot_gui.gui.theme import Appearance

    Frame = Callable[..., np.ndarray]
    Live = Callable[..., LivePrediction]


@pytest.fixture
def view(qtbot: QtBot, session: Session, appearance: Appearance) -> LiveView:
    result = LiveView(session, appearance)
    qtbot.addWidget(result)
    result.resize(640, 480)
    return result


def shot(view: LiveView) -> QImage:
    return view.grab().toImage()


def test_the_picture_is_fitted_and_centred(view: LiveView, frame: Frame) -> None:
    view.show_frame(frame(), 1.0)
    assert view.picture_area() == QRectF(0, 0, 640, 480)
    view.resize(1000, 480)
    assert view.picture_area() == QRectF(180, 0, 640, 480)
    view.resize(320, 480)
    assert view.picture_area() == QRectF(0, 120, 320, 240)


def test_mirrored_left_is_right_on_the_screen_alone(view: LiveView, frame: Frame) -> None:
    view.show_frame(frame(), 1.0)
    red = QColor("#ff0000")
    assert shot(view).pixelColor(40, 240) == red
    view.set_mirrored(mirrored=True)
    assert view.mirrored
    assert shot(view).pixelColor(600, 240) == red
    assert shot(view).pixelColor(40, 240) != red
    assert view.image == qimage(frame()), "what is kept is not mirrored"


def test_the_middle_square_is_marked_while_the_network_sees_no_more(
    view: LiveView, frame: Frame, session: Session
) -> None:
    view.show_frame(frame(), 1.0)
    at_the_corner = 81, 10  # a square of 480 in 640: its left edge lies at 80
    session.do(ChooseBackbone("photo-mini"))
    marked = shot(view).pixelColor(*at_the_corner)
    session.do(ChooseBackbone("photo"))
    assert shot(view).pixelColor(*at_the_corner) != marked
    session.do(ChooseBackbone("no-such-backbone"))
    assert shot(view).pixelColor(*at_the_corner) != marked
    session.do(ChooseBackbone("photo-mini"))
    assert shot(view).pixelColor(*at_the_corner) == marked


def test_before_the_first_frame_it_is_dark_and_says_nothing(view: LiveView, live: Live) -> None:
    view.show_prediction(live(0.3, 0.7))
    assert view.guess() is None
    assert shot(view).pixelColor(320, 240).lightness() < 30


def test_the_prediction_is_painted_over_the_picture(view: LiveView, frame: Frame, live: Live) -> None:
    view.show_frame(frame(), 1.0)
    plain = shot(view)
    view.show_prediction(live(0.3, 0.7))
    guess = view.guess()
    assert guess is not None
    assert guess.label == "dog"
    assert view.accessibleDescription() == "dog"
    assert shot(view) != plain


def test_after_a_change_of_the_categories_no_old_prediction_is_painted(
    view: LiveView, session: Session, frame: Frame, live: Live
) -> None:
    view.show_frame(frame(), 1.0)
    plain = shot(view)
    view.show_prediction(live(0.3, 0.7))
    session.do(RemoveCategory(CategoryId("dog")))
    assert view.guess() is None
    assert shot(view) == plain
    session.undo()
    session.do(AddCategory(CategoryId("owl"), "owl"))
    assert view.guess() is None


def test_a_prediction_that_fell_behind_is_not_painted(view: LiveView, frame: Frame, live: Live) -> None:
    view.show_prediction(live(0.3, 0.7, at=1.0))
    view.show_frame(frame(), 1.0 + STALE_SECONDS)
    assert view.guess() is not None
    view.show_frame(frame(), 1.1 + STALE_SECONDS)
    assert view.guess() is None


def test_none_of_these_is_said(view: LiveView, frame: Frame, live: Live) -> None:
    view.show_frame(frame(), 1.0)
    view.show_prediction(live(0.5, 0.5, rejected=True))
    guess = view.guess()
    assert guess is not None
    assert guess.colour is None
    assert view.accessibleDescription() == "None of these"


@pytest.mark.parametrize("size", [(160, 120), (200, 600), (459, 200), (640, 480), (3000, 400), (2000, 1600)])
def test_it_paints_at_any_size(view: LiveView, frame: Frame, live: Live, size: tuple[int, int]) -> None:
    view.resize(*size)
    view.show_frame(frame(), 1.0)
    view.show_prediction(live(0.3, 0.7))
    assert shot(view).size().width() == size[0]


def test_a_note_is_shown_while_nothing_is_predicted(view: LiveView, frame: Frame) -> None:
    view.show_frame(frame(), 1.0)
    plain = shot(view)
    view.show_note("Show something.")
    assert shot(view) != plain
    view.show_note("")
    assert shot(view) == plain


def test_a_flash_ends_by_itself(view: LiveView, frame: Frame, qtbot: QtBot) -> None:
    view.show_frame(frame(), 1.0)
    plain = shot(view)
    view.flash(Badge("dog  +1", QColor("#00ff00"), QColor("#000000")))
    assert shot(view).pixelColor(320, 3) == QColor("#00ff00")
    assert shot(view).pixelColor(20, 20) == QColor("#00ff00")
    qtbot.waitUntil(lambda: shot(view) == plain)


def test_cleared_it_forgets_everything(view: LiveView, frame: Frame, live: Live) -> None:
    view.show_frame(frame(), 1.0)
    view.show_prediction(live(0.3, 0.7))
    view.clear()
    assert view.image is None
    view.show_frame(frame(), 5.0)
    assert view.guess() is None


def test_a_deleted_view_hears_no_more(session: Session, appearance: Appearance) -> None:
    before = len(session.changed._listeners)
    view = LiveView(session, appearance)
    assert len(session.changed._listeners) == before + 1
    view.deleteLater()
    QCoreApplication.sendPostedEvents(view, QEvent.Type.DeferredDelete)
    assert len(session.changed._listeners) == before
    session.do(AddCategory(CategoryId("owl"), "owl"))
