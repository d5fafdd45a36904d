"""Is this enough: the sentence for each verdict, and the example that would help most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.commands import AddExamples
from fewshot_gui.engine.deciding.enough import LooReport, NextBest, Verdict, VerdictKind, is_enough, report_of
from fewshot_gui.engine.state import Category, CategoryId, Document, Example
from fewshot_gui.gui.inspector.answer_words import answer_words
from fewshot_gui.gui.inspector.enough_view import EnoughView
from fewshot_gui.gui.inspector.enough_words import next_words, verdict_words
from fewshot_gui.gui.inspector.reading import reading_of_row

if TYPE_CHECKING:
    from types import SimpleNamespace

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
        (
            VerdictKind.MIXED_UP,
            {"count": 3, "of": 5},
            "Not yet: 3 of 5 examples of “Mug” are taken for “Pen”.",
        ),
        (
            VerdictKind.ALIKE,
            {"count": 11},
            "Not yet: the 11 examples of “Mug” look the same; show it from other sides too.",
        ),
        (
            VerdictKind.SHAKY,
            {"count": 3, "of": 5, "correct": 8, "examined": 10},
            "Nearly: 8 of 10 right, but only 3 of 5 of “Mug”.",
        ),
        (
            VerdictKind.SHAKY,
            {"count": 4, "of": 4, "correct": 8, "examined": 8},
            "Nearly: 8 of 8 right, which is too few to be sure.",
        ),
    ],
)
def test_each_verdict_is_one_sentence(
    world: SimpleNamespace, kind: VerdictKind, numbers: dict[str, int], words: str
) -> None:
    mug, pen = world.ids
    verdict = Verdict(kind, mug, pen, **numbers)
    assert verdict_words(verdict, world.session.document) == words


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([4, 4, 0], "Not yet: “Hats 2” has no examples."),
        ([4, 1, 4], "Not yet: “Hats 1” has only one example; give it 3 or more."),
        ([2, 4, 4], "Not yet: “Hats 0” has only 2 examples; give it 3 or more."),
        ([2, 1, 4], "Not yet: give “Hats 1” and “Hats 0” 3 examples or more each."),
        ([2, 1, 2, 4], "Not yet: give “Hats 1” and 2 others 3 examples or more each."),
        ([1, 1], "Not yet: give each category 3 examples or more."),
    ],
)
def test_too_few_examples_are_told_of_all_that_have_too_few(counts: list[int], words: str) -> None:
    document = Document(
        categories=tuple(
            Category(
                CategoryId(f"{place:032x}"), f"Hats {place}", place, "",
                tuple(Example(PictureId(f"{place}{each:031x}"), "x") for each in range(count)),
            )
            for place, count in enumerate(counts)
        )
    )  # fmt: skip
    assert verdict_words(is_enough(document, None), document) == words


def test_a_long_name_does_not_fill_the_panel() -> None:
    name = "Holidays at the sea with the whole family, sorted by hand"
    document = Document(categories=(Category(CategoryId("a" * 32), name, 0, ""),))
    best = NextBest(CategoryId("a" * 32), None)
    assert next_words(best, document) == "Next: a first example of “Holidays at the sea with the wh…”."


def shaky(counts: list[tuple[int, int]]) -> str:
    """Return the sentence on Hats 0, Hats 1 …, each with so many right of so many, the weakest first."""
    ids = [CategoryId(f"{place:032x}") for place in range(len(counts))]
    cells: dict[tuple[CategoryId, CategoryId], tuple[PictureId, ...]] = {}
    for place, (right, of) in enumerate(counts):
        own, taken = ids[place], ids[place - 1]
        cells[own, own] = tuple(PictureId(f"{place}{each:031x}") for each in range(right))
        cells[own, taken] = tuple(PictureId(f"{place}{each:031x}") for each in range(right, of))
    found = report_of({cell: some for cell, some in cells.items() if some}, tuple(ids), 1)
    categories = tuple(Category(each, f"Hats {place}", place, "") for place, each in enumerate(ids))
    count, of = counts[0]
    verdict = Verdict(VerdictKind.SHAKY, ids[0], None, count, of, found.correct, found.examined)
    return verdict_words(verdict, Document(categories=categories), found)


@pytest.mark.parametrize(
    ("counts", "end"),
    [
        ([(4, 5), (5, 5), (5, 5)], "14 of 15 right, but only 4 of 5 of “Hats 0”."),
        ([(4, 5), (5, 5), (4, 5)], "13 of 15 right, but only 4 of 5 each of “Hats 0” and “Hats 2”."),
        ([(4, 5)] * 3, "12 of 15 right, but only 4 of 5 in each category."),
        (
            [(4, 5)] * 3 + [(5, 5)],
            "17 of 20 right, but only 4 of 5 of “Hats 0” and of each of 2 others.",
        ),
    ],
)
def test_no_category_is_blamed_alone_where_others_do_no_better(
    counts: list[tuple[int, int]], end: str
) -> None:
    assert shaky(counts) == f"Nearly: {end}"


def test_few_right_answers_are_not_nearly_enough() -> None:
    assert shaky([(1, 3), (2, 3), (2, 3)]) == "Not yet: 5 of 9 right, but only 1 of 3 of “Hats 0”."


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
