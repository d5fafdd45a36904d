"""The visible inner loop: growing while a learner adapts, cancelled at once, looked at by step."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from fewshot_gui.engine.event import Event
from fewshot_gui.engine.inner_loop import InnerLoop
from fewshot_gui.engine.predictor_status import UNEXPECTED, PredictorStatus
from fewshot_gui.gui.inspector.inner_loop import InnerLoopView
from fewshot_gui.gui.inspector.inner_loop_curve import LossCurve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from fewshot_gui.gui.theme import Appearance

LOSSES = (1.6, 0.9, 0.5, 0.31, 0.2, 0.004)
K = len(LOSSES) - 1


class Adapting:
    """A predictor that adapts when a test says so."""

    def __init__(self) -> None:
        self.adapting: Event[[int, int, float]] = Event()
        self.status_changed: Event[[PredictorStatus]] = Event()
        self.updated: Event[[Any]] = Event()
        self.status = PredictorStatus()
        self.inner_loop: InnerLoop | None = None
        self.asked: list[int] = []
        self.refreshed = 0

    def begin(self) -> None:
        self._set(busy=True, cancelled=False)

    def step(self, step: int) -> None:
        self.adapting.emit(step, K, LOSSES[step])

    def end(self, losses: tuple[float, ...] | None = LOSSES) -> None:
        """Be done, as the real one is: the status first, then the scores."""
        self._set(busy=False)
        self.inner_loop = None if losses is None else InnerLoop(losses, len(losses) - 1, len(losses) - 1)
        self.updated.emit(None)

    def cancel_fit(self) -> None:
        self._set(busy=False, cancelled=True)
        self.updated.emit(None)

    def refresh(self) -> None:
        self.refreshed += 1

    def show_step(self, step: int) -> None:
        assert self.inner_loop is not None
        assert not self.status.busy
        assert 0 <= step <= self.inner_loop.steps
        self.asked.append(step)

    def answer(self) -> None:
        """Show the step that was asked for last."""
        assert self.inner_loop is not None
        self.inner_loop = replace(self.inner_loop, shown_step=self.asked[-1])
        self.updated.emit(None)

    def fail(self) -> None:
        self._set(problem=UNEXPECTED, detail="no")

    def _set(self, **changes: Any) -> None:
        self.status = replace(self.status, **changes)
        self.status_changed.emit(self.status)


@pytest.fixture
def predictor() -> Adapting:
    return Adapting()


@pytest.fixture
def view(qtbot: QtBot, predictor: Adapting, appearance: Appearance) -> Iterator[InnerLoopView]:
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(272, 240)
    host.show()
    result = InnerLoopView(predictor, appearance, host)  # type: ignore[arg-type]
    result.resize(272, 200)
    yield result
    host.close()


def shown(view: InnerLoopView) -> set[str]:
    widgets = (view.curve, view.slider, view.cancel, view.again)
    return {each.objectName() for each in widgets if not each.isHidden()}


# While it adapts --------------------------------------------------------------------------------------------


def test_a_learner_without_steps_shows_nothing(view: InnerLoopView, predictor: Adapting) -> None:
    assert view.isHidden()
    predictor.begin()
    assert view.isHidden()
    predictor.end(None)
    assert view.isHidden()


def test_the_curve_grows_with_every_step(view: InnerLoopView, predictor: Adapting) -> None:
    predictor.begin()
    predictor.step(1)
    assert not view.isHidden()
    assert shown(view) == {"innerLoopCurve", "innerLoopCancel"}
    first = view.curve.points()[1]
    predictor.step(2)
    predictor.step(3)
    assert view.header.note.text() == "Step 3 of 5"
    points = view.curve.points()
    assert list(points) == [1, 2, 3]
    assert points[1] == first, "what was drawn does not move while it grows"
    assert points[1].x() < points[2].x() < points[3].x()
    assert points[1].y() < points[2].y() < points[3].y(), "less error is lower"
    assert "less wrong" in view.sentence.text()


def test_cancel_asks_at_once_and_what_was_there_before_stays(
    view: InnerLoopView, predictor: Adapting
) -> None:
    predictor.begin()
    predictor.step(1)
    view.cancel.click()
    assert predictor.status.cancelled
    assert shown(view) == {"innerLoopAgain"}
    assert view.sentence.text().startswith("Stopped.")
    predictor.step(2)
    assert shown(view) == {"innerLoopAgain"}, "a step that was told late is of nobody"
    view.again.click()
    assert predictor.refreshed == 1


def test_the_second_time_cancel_is_there_before_the_first_step(
    view: InnerLoopView, predictor: Adapting
) -> None:
    predictor.begin()
    predictor.end()
    predictor.begin()
    assert shown(view) == {"innerLoopCurve", "innerLoopCancel"}
    assert view.curve.points() == {}
    assert view.header.note.text() == ""


def test_a_cancelled_second_adaptation_leaves_the_first_to_be_looked_at(
    view: InnerLoopView, predictor: Adapting
) -> None:
    predictor.begin()
    predictor.end()
    predictor.begin()
    predictor.step(1)
    view.cancel.click()
    assert shown(view) == {"innerLoopCurve", "innerLoopSlider", "innerLoopAgain"}
    assert view.curve.losses == LOSSES
    assert view.sentence.text().startswith("Stopped; this is from before.")


def test_another_learner_takes_it_away(view: InnerLoopView, predictor: Adapting) -> None:
    predictor.begin()
    predictor.end()
    assert not view.isHidden()
    predictor.begin()
    predictor.end(None)
    assert view.isHidden()


# Afterwards -------------------------------------------------------------------------------------------------


@pytest.fixture
def adapted(view: InnerLoopView, predictor: Adapting) -> InnerLoopView:
    predictor.begin()
    for step in range(1, K + 1):
        predictor.step(step)
    predictor.end()
    return view


def test_at_the_end_the_last_step_is_shown(adapted: InnerLoopView, predictor: Adapting) -> None:
    assert shown(adapted) == {"innerLoopCurve", "innerLoopSlider"}
    assert (adapted.slider.minimum(), adapted.slider.maximum(), adapted.slider.value()) == (0, K, K)
    assert adapted.curve.losses == LOSSES
    assert adapted.header.note.text() == "Step 5 of 5"
    assert adapted.sentence.text() == (
        "After the last step: adapted to your examples. Error on them below 0.01."
    )
    assert predictor.asked == []


def test_keys_lead_through_the_steps(adapted: InnerLoopView, predictor: Adapting) -> None:
    slider = adapted.slider
    assert slider.focusPolicy() & Qt.FocusPolicy.TabFocus
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Left)
    QTest.keyClick(slider, Qt.Key.Key_Home)
    assert predictor.asked == [4, 0]
    predictor.answer()
    assert adapted.curve.shown == 0
    assert adapted.header.note.text() == "Step 0 of 5"
    assert adapted.sentence.text().endswith("Error 1.60.")
    assert "Step 0 of 5" in slider.accessibleDescription()
    assert all(each.accessibleName() for each in (slider, adapted.cancel, adapted.curve, adapted.again))


def test_scores_of_the_former_step_do_not_move_the_handle_back(
    adapted: InnerLoopView, predictor: Adapting
) -> None:
    adapted.slider.setValue(2)
    predictor.updated.emit(None)  # as when more rows came, under the classifier of the last step
    assert adapted.slider.value() == 2
    predictor.answer()
    assert adapted.slider.value() == 2
    predictor.inner_loop = InnerLoop(LOSSES, K, 4)
    predictor.updated.emit(None)
    assert adapted.slider.value() == 4, "somebody else chose a step"


def test_a_step_that_failed_gives_the_handle_back(adapted: InnerLoopView, predictor: Adapting) -> None:
    adapted.slider.setValue(2)
    predictor.fail()
    assert adapted.slider.value() == K


def test_a_new_adaptation_forgets_the_step_that_was_wanted(
    adapted: InnerLoopView, predictor: Adapting
) -> None:
    adapted.slider.setValue(1)
    predictor.begin()
    assert "innerLoopSlider" not in shown(adapted)
    predictor.end((0.7, 0.6))
    assert (adapted.slider.value(), adapted.slider.maximum()) == (1, 1)
    predictor.begin()
    predictor.end((0.7, 0.6, 0.5, 0.4))
    assert adapted.slider.value() == 3


def test_where_no_step_was_taken_it_says_why(view: InnerLoopView, predictor: Adapting) -> None:
    predictor.begin()
    predictor.end((0.2,))
    assert not view.isHidden()
    assert shown(view) == set()
    assert view.header.note.text() == ""
    assert view.sentence.text().startswith("No step was taken")


def test_it_says_where_it_stands_when_it_is_made_late(
    qtbot: QtBot, predictor: Adapting, appearance: Appearance
) -> None:
    predictor.inner_loop = InnerLoop(LOSSES, K, 2)
    late = InnerLoopView(predictor, appearance)  # type: ignore[arg-type]
    qtbot.addWidget(late)
    assert late.slider.value() == 2
    late.deleteLater()
    qtbot.waitUntil(lambda: not predictor.updated._listeners)


def test_it_never_widens_the_inspector(adapted: InnerLoopView, predictor: Adapting) -> None:
    predictor.begin()
    predictor.step(3)
    assert adapted.minimumSizeHint().width() <= 272


# The curve --------------------------------------------------------------------------------------------------


@pytest.fixture
def curve(qtbot: QtBot, appearance: Appearance) -> LossCurve:
    result = LossCurve(appearance)
    qtbot.addWidget(result)
    result.resize(216, 72)
    return result


@pytest.mark.parametrize(
    "losses",
    [(), (0.0,), (0.0, 0.0), (1.0,), (math.nan, 0.5), (1.0, math.inf, 0.5), (math.nan,), (2.0, -0.1)],
)
def test_any_losses_are_painted_inside(curve: LossCurve, losses: tuple[float, ...]) -> None:
    curve.show_losses(losses, 5, 0)
    assert not curve.grab().isNull()
    assert all(curve.rect().contains(point.toPoint()) for point in curve.points().values())
    assert set(curve.points()) == {step for step, loss in enumerate(losses) if math.isfinite(loss)}


def test_the_ends_of_the_curve_are_those_of_the_slider(curve: LossCurve) -> None:
    curve.show_losses(LOSSES, K)
    points = curve.points()
    assert (points[0].x(), points[K].x()) == (8, 208)
    assert points[0].y() == 8


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_marked_step_is_seen(curve: LossCurve, appearance: Appearance, theme: Any) -> None:
    appearance.choose(theme)
    curve.show_losses(LOSSES, K)
    before = curve.grab().toImage()
    curve.show_losses(LOSSES, K, 2)
    assert curve.grab().toImage() != before
    many = np.linspace(1, 0.1, 200).tolist()
    curve.show_losses(many, 199, 100)
    assert not curve.grab().isNull()
