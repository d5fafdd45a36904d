"""The status line: what the engine says, in words that a person can act on."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from fewshot_gui.core.learners.reason import Choice, Reason, Why
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.predictor_status import PredictorStatus
from fewshot_gui.engine.problems import ProblemLog
from fewshot_gui.gui.status_line import StatusLine

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class Engine:
    """What the line follows: a test says what happens."""

    def __init__(self) -> None:
        self.problems = ProblemLog()
        self.predictor: Any = SimpleNamespace(status=PredictorStatus(), status_changed=Event())
        self.gallery: Any = SimpleNamespace(count=0, embedded=0, progressed=Event(), listed=Event())

    def say(self, **changes: Any) -> None:
        self.predictor.status = replace(self.predictor.status, **changes)
        self.predictor.status_changed.emit(self.predictor.status)

    def show(self, embedded: int, count: int) -> None:
        self.gallery.embedded, self.gallery.count = embedded, count
        self.gallery.progressed.emit(embedded, count)


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def line(qtbot: QtBot, engine: Engine, appearance: Any) -> StatusLine:
    result = StatusLine(engine.predictor, engine.gallery, engine.problems)
    qtbot.addWidget(result)
    result.show()
    return result


def test_at_the_start_it_is_getting_ready(line: StatusLine) -> None:
    assert line.device.text() == "Getting ready…"
    assert line.pictures.text() == "No pictures open"
    assert not line.time.isVisible()
    assert not line.problems.isVisible()
    assert line.trouble.text() == ""


def test_it_tells_the_device_and_the_time_of_the_last_answer(line: StatusLine, engine: Engine) -> None:
    engine.say(device="cpu", busy=True)
    assert (line.device.text(), line.time.text()) == ("CPU", "Learning…")
    engine.say(busy=False, milliseconds=41.7)
    assert line.time.text() == "Learned in 42 ms"
    engine.say(milliseconds=0.4)
    assert line.time.text() == "Learned in < 1 ms"
    engine.say(milliseconds=5932)
    assert line.time.text() == "Learned in 5.9 s"


def test_each_part_says_beside_the_pointer_what_it_is(line: StatusLine) -> None:
    parts = (line.device, line.pictures, line.time, line.problems)
    assert all(part.toolTip() for part in parts)


def test_the_first_problem_moves_nothing_above(line: StatusLine, engine: Engine) -> None:
    before = line.sizeHint().height()
    engine.problems.add("/a/b.jpg", "empty")
    assert line.problems.isVisible()
    assert line.sizeHint().height() == before


def test_it_counts_pictures_as_they_are_seen(line: StatusLine, engine: Engine) -> None:
    engine.show(1200, 100_000)
    assert line.pictures.text() == "1,200 of 100,000 pictures seen"
    engine.show(0, 1)
    assert line.pictures.text() == "0 of 1 picture seen"
    engine.show(1, 1)
    assert line.pictures.text() == "1 picture"


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("missing", "The backbone is missing; choose another at the top right."),
        ("out-of-memory", "Not enough memory; choose the processor as the device, or close other programs."),
        ("unexpected", "Something went wrong: the disk is on fire"),
    ],
)
def test_what_stands_in_the_way_is_told_and_taken_back(
    line: StatusLine, engine: Engine, problem: str, words: str
) -> None:
    engine.say(problem=problem, detail="the disk is on fire")
    assert line.trouble.text() == words
    assert line.trouble.isVisible()
    engine.say(problem=None, detail="")
    assert line.trouble.text() == ""


def test_a_folder_that_cannot_be_read_shows_as_a_problem_to_press(
    line: StatusLine, engine: Engine, qtbot: QtBot
) -> None:
    engine.problems.add("/media/stick", "missing", "No such file or directory")
    assert line.problems.text() == line.problems.accessibleName() == "1 problem"
    with qtbot.waitSignal(line.problemsRequested):
        line.problems.click()
    engine.problems.add("/media/stick/closed", "no-permission", "Permission denied")
    assert line.problems.text() == "2 problems"
    engine.problems.clear()
    assert not line.problems.isVisible()


def test_released_it_follows_nothing(line: StatusLine, engine: Engine) -> None:
    line.release()
    engine.say(device="cuda")
    engine.show(1, 1)
    assert line.device.text() == "Getting ready…"
    assert line.pictures.text() == "No pictures open"


def test_it_says_which_learner_was_chosen_and_why(line: StatusLine, engine: Engine) -> None:
    assert line.choice.text() == ""
    engine.say(choice=Choice("ridge", Reason(Why.RULE, 3, 5, "ridge")))
    assert line.choice.text().startswith(
        "Automatic: Ridge regression, because you gave about 5 examples each"
    )
    engine.say(choice=None)
    assert line.choice.text() == ""


def test_the_details_are_offered_where_the_window_is_too_narrow(line: StatusLine) -> None:
    asked: list[bool] = []
    line.detailsRequested.connect(asked.append)
    assert not line.details.isVisible()
    line.offer_details(True)
    assert line.details.isVisible()
    line.details.click()
    assert asked == [True]
    line.offer_details(False)
    assert asked == [True, False], "in a wide window both are there"
    assert not line.details.isVisible()
