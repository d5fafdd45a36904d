"""Is this enough: the sentence for each verdict, and the example that would help most."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.commands import AddExamples
from fewshot_gui.engine.deciding.enough import LooReport, NextBest, Verdict, VerdictKind, report_of
from fewshot_gui.engine.state import Example
from fewshot_gui.gui.inspector.answer_words import answer_words
from fewshot_gui.gui.inspector.enough_view import EnoughView
from fewshot_gui.gui.inspector.enough_words import next_words, verdict_words
from fewshot_gui.gui.inspector.reading import reading_of_row
from fewshot_gui.gui.inspector.reveal import reveal_row

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

ROWS = [[0.9, 0.1], [0.52, 0.48], [0.2, 0.8]]


def teach(world: SimpleNamespace, mugs: int, pens: int) -> None:
    for category, count, letter in zip(world.ids, (mugs, pens), "ab", strict=True):
        pictures = (PictureId(letter * 30 + f"{number:02}") for number in range(count))
        world.session.do(AddExamples(category, tuple(Example(each, "x") for each in pictures)))


def report(world: SimpleNamespace, right: int, wrong: int) -> LooReport:
    mug, pen = world.ids
    pictures = [PictureId(f"{number:032x}") for number in range(2 * right + wrong)]
    cells = {
        (mug, mug): tuple(pictures[:right]),
        (pen, pen): tuple(pictures[right : 2 * right]),
        (pen, mug): tuple(pictures[2 * right :]),
    }
    return report_of({cell: found for cell, found in cells.items() if found}, (mug, pen), 1)


@pytest.fixture
def view(qtbot: QtBot, world: SimpleNamespace) -> EnoughView:
    world.gallery.show("/a", 3)
    world.predictor.say(world.scores(ROWS))
    result = EnoughView(world.session, world.predictor, world.gallery, world.library)
    qtbot.addWidget(result)
    result.show()
    return result


def test_nothing_taught_says_what_to_do(view: EnoughView) -> None:
    assert view.sentence.text() == "Not yet: give two categories a few examples each."
    assert not view.question.isVisible()
    assert not view.picture.isVisible()
    assert not view.table.isEnabled()


def test_it_follows_what_is_taught(qtbot: QtBot, view: EnoughView, world: SimpleNamespace) -> None:
    teach(world, 4, 1)
    qtbot.waitUntil(view.question.isVisible)
    assert view.sentence.text() == "Not yet: “Pen” has only one example; give it 3 or more."
    assert view.question.text() == "Is this “Pen”? Your answer to it would help most."
    assert [file.path for file in world.library.open_wishes] == ["/a/img1.jpg"]


def test_it_follows_the_report(qtbot: QtBot, view: EnoughView, world: SimpleNamespace) -> None:
    teach(world, 6, 6)
    world.predictor.examining = True
    view.refresh()
    assert view.sentence.text() == "Checking each example against the others…"
    world.predictor.examine(report(world, 10, 0))
    qtbot.waitUntil(lambda: view.sentence.text().startswith("Yes"))
    assert view.sentence.text() == "Yes: 20 of 20 examples are recognised by the others."
    assert not view.question.isVisible()


def test_the_picture_leads_to_its_tile(qtbot: QtBot, view: EnoughView, world: SimpleNamespace) -> None:
    teach(world, 4, 1)
    view.refresh()
    world.library.answer()
    assert not view.picture.icon().isNull()
    with qtbot.waitSignal(view.rowWanted) as asked:
        QTest.mouseClick(view.picture, Qt.MouseButton.LeftButton)
    assert asked.args == [1]


def test_a_late_picture_of_another_suggestion_is_dropped(view: EnoughView, world: SimpleNamespace) -> None:
    teach(world, 4, 1)
    view.refresh()
    late = world.library.wishes[0]
    world.gallery.show("/b", 3)
    view.refresh()
    late[2](np.zeros((20, 20, 3), np.uint8))
    assert view.picture.icon().isNull()


def test_a_picture_that_cannot_be_read_is_a_blank_one(view: EnoughView, world: SimpleNamespace) -> None:
    teach(world, 4, 1)
    view.refresh()
    world.library.refuse(RuntimeError("cut"))
    assert not view.picture.icon().isNull()


def test_the_table_is_asked_for(qtbot: QtBot, view: EnoughView, world: SimpleNamespace) -> None:
    teach(world, 4, 1)
    view.refresh()
    with qtbot.waitSignal(view.tableWanted):
        QTest.mouseClick(view.table, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize(
    ("kind", "numbers", "words"),
    [
        (VerdictKind.ONE_CATEGORY, {}, "Not yet: there is nothing to tell “Mug” from."),
        (VerdictKind.TOO_FEW, {"of": 3}, "Not yet: “Mug” has no examples."),
        (
            VerdictKind.TOO_FEW,
            {"count": 2, "of": 3},
            "Not yet: “Mug” has only 2 examples; give it 3 or more.",
        ),
        (
            VerdictKind.MIXED_UP,
            {"count": 3, "of": 5},
            "Not yet: 3 of 5 examples of “Mug” are taken for “Pen”.",
        ),
        (
            VerdictKind.SHAKY,
            {"count": 3, "of": 5, "correct": 8, "examined": 10},
            "Nearly: 8 of 10 are right, but only 3 of 5 of “Mug”.",
        ),
        (
            VerdictKind.SHAKY,
            {"count": 4, "of": 4, "correct": 8, "examined": 8},
            "Nearly: 8 of 8 are right, which is too few to be sure.",
        ),
    ],
)
def test_each_verdict_is_one_sentence(
    world: SimpleNamespace, kind: VerdictKind, numbers: dict[str, int], words: str
) -> None:
    mug, pen = world.ids
    verdict = Verdict(kind, mug, pen, **numbers)
    assert verdict_words(verdict, world.session.document) == words


def test_a_learner_that_is_not_examined_says_so(world: SimpleNamespace) -> None:
    verdict = Verdict(VerdictKind.EXAMINING)
    assert "too long" in verdict_words(verdict, world.session.document, examining=False)


def test_without_a_picture_in_sight_the_category_is_named(world: SimpleNamespace) -> None:
    best = NextBest(world.ids[1], None)
    assert next_words(best, world.session.document) == "Next: a first example of “Pen”."
    world.session.do(AddExamples(world.ids[1], (Example(PictureId("a" * 32), "x"),)))
    assert next_words(best, world.session.document) == "Next: another example of “Pen”."


@pytest.mark.parametrize(
    ("taught", "said", "words"),
    [
        (1, 1, "Pen, taught by you"),
        (1, 2, "Pen, said by you"),
        (1, 3, "Pen, accepted by you"),
        (-2, 3, "None of these, accepted by you"),
        (-2, 4, "You said: none of these"),
        (-1, 0, "Mug, 90 %"),
    ],
)
def test_the_answer_says_whose_it_is(world: SimpleNamespace, taught: int, said: int, words: str) -> None:
    scores = world.scores(ROWS)
    for name, value in (("taught", taught), ("said", said)):
        array = getattr(scores, name).copy()
        array[0] = value
        object.__setattr__(scores, name, array)
    categories = {each.id: each for each in world.session.document.categories}
    assert answer_words(reading_of_row(scores, 0), categories) == words


def test_none_of_these_is_read_out_before_the_machine_has_looked(world: SimpleNamespace) -> None:
    scores = world.scores(ROWS, unseen=[0], taught={0: -2})
    reading = reading_of_row(scores, 0)
    assert reading is not None
    assert reading.taught is None


class Part:
    """Writes down what is asked of it."""

    def __init__(self, log: list[tuple[Any, ...]]) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return lambda *given: self._log.append((name, *given))


@pytest.mark.parametrize("hidden", [True, False])
def test_revealing_takes_a_filter_off_and_chooses_the_row(hidden: bool) -> None:
    log: list[tuple[Any, ...]] = []
    places = [None, 2] if hidden else [2, 2]
    model: Any = Part(log)
    model.position_of = lambda _row: places.pop(0)
    bar = SimpleNamespace(chips=Part(log))
    folder: Any = SimpleNamespace(model=model, view=Part(log), bar=bar)
    reveal_row(folder, 7)
    names = [name for name, *_ in log]
    rest = ["index", "setCurrentIndex", "select_rows", "scrollTo", "setFocus"]
    assert names == [*(["choose"] if hidden else []), *rest]
    assert next(given for name, given, *_ in log if name == "select_rows").tolist() == [7]
