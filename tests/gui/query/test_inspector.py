"""The inspector: the answer in words, the reasons in the order of the document, and the slider."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.commands import AddExamples, RecolourCategory, RenameCategory
from fewshot_gui.engine.scores import Counts, Said
from fewshot_gui.engine.state import Category, CategoryId, Example
from fewshot_gui.gui.inspector.answer_words import answer_words
from fewshot_gui.gui.inspector.bars import BarRow, Bars, Kind
from fewshot_gui.gui.inspector.panel import _PREVIEW_PIXELS, InspectorPanel, percent_words

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from fewshot_gui.gui.theme import Appearance

TAUGHT = [PictureId("a" * 32), PictureId("b" * 32)]
THREE = [[0.6, 0.4], [0.1, 0.9], [0.8, 0.2]]


@pytest.fixture
def panel(qtbot: QtBot, world: SimpleNamespace, appearance: Appearance) -> InspectorPanel:
    for category, picture in zip(world.ids, TAUGHT, strict=True):
        world.session.do(AddExamples(category, (Example(picture, "x"),)))
    result = InspectorPanel(world.session, world.predictor, world.gallery, world.library, appearance)
    qtbot.addWidget(result)
    result.resize(300, 800)
    result.show()
    world.gallery.show("/a", 3)
    world.predictor.say(world.scores(THREE, support=TAUGHT, rejected=[2]))
    return result


def test_nothing_chosen_says_what_to_do(panel: InspectorPanel) -> None:
    assert panel.is_empty
    panel.show_rows([0])
    assert not panel.is_empty
    panel.show_rows(np.empty(0, np.int64))
    assert panel.is_empty


def test_answer_and_bars_of_a_row(panel: InspectorPanel) -> None:
    panel.show_rows(np.array([1, 0]))
    assert panel.answer.text() == "Pen, 90 %"
    assert panel.note.text() == "img1.jpg"
    assert [(row.name, row.number, row.strong) for row in panel.bars.rows] == [
        ("Mug", "10 %", False),
        ("Pen", "90 %", True),
    ]


def test_distances_are_a_ruler_where_smaller_is_nearer(panel: InspectorPanel) -> None:
    panel.show_rows([1])
    assert [(row.number, row.strong) for row in panel.distances.rows] == [("0.90", False), ("0.10", True)]
    assert panel.distances.rows[0].share == 1
    assert panel.distances.rows[1].share == pytest.approx(1 / 9, abs=1e-3)


def test_nearest_examples_carry_category_and_distance(panel: InspectorPanel) -> None:
    panel.show_rows([0])
    assert [(each.category, each.distance) for each in panel.neighbours.shown] == [
        ("Mug", 0.25),
        ("Pen", 0.5),
    ]
    assert not panel.grab().isNull()


def test_rejected_is_none_of_these(panel: InspectorPanel) -> None:
    panel.show_rows([2])
    assert panel.answer.text() == "None of these"


def test_the_bars_of_a_rejected_picture_do_not_contradict_it(panel: InspectorPanel) -> None:
    notes = [label.text() for label in panel.findChildren(QLabel)]
    assert "if it were one of them" not in notes
    panel.show_rows([2])
    assert "if it were one of them" in [label.text() for label in panel.findChildren(QLabel)]
    panel.show_rows([0])
    assert "if it were one of them" not in [label.text() for label in panel.findChildren(QLabel)]


@pytest.mark.parametrize(
    ("source", "begins"), [("folder", "Select"), ("camera", "Start"), ("video", "Play"), ("draw", "Draw")]
)
def test_empty_it_says_what_to_do_on_this_page(panel: InspectorPanel, source: str, begins: str) -> None:
    panel.show_source(source)
    labels = [label for label in panel.findChildren(QLabel) if label.isVisible()]
    shown = [label.text().replace("\N{NO-BREAK SPACE}", " ") for label in labels]
    assert any(text.startswith(begins) and text.endswith("to see why") for text in shown)


def test_without_pictures_it_counts_none(panel: InspectorPanel) -> None:
    panel.threshold.show_counts(None)
    assert panel.threshold.counts.text() == ""
    panel.threshold.show_counts(Counts((0, 0), 0, 0))
    assert panel.threshold.counts.text() == ""


def test_a_narrow_panel_cuts_the_notes_and_not_the_numbers(panel: InspectorPanel) -> None:
    panel.show_rows([2])
    panel.resize(panel.minimumSizeHint().width(), 800)
    assert panel.width() <= 264
    page = panel.bars.parentWidget().parentWidget()
    assert page.width() <= page.parentWidget().width()


def test_taught_picture_says_who_said_so(panel: InspectorPanel, world: SimpleNamespace) -> None:
    world.predictor.say(world.scores(THREE, taught={0: 1}))
    panel.show_rows([0])
    assert panel.answer.text() == "Pen, taught by you"


def test_a_name_from_the_right_keeps_its_percent_behind_it() -> None:
    category = Category(CategoryId("a" * 32), "صور", 0, "")
    reading = SimpleNamespace(
        taught=None, said=Said.MACHINE, best=0, rejected=False, classes=[category.id], probabilities=[0.9]
    )
    said = answer_words(reading, {category.id: category})  # type: ignore[arg-type]
    assert said == "\N{FIRST STRONG ISOLATE}صور\N{POP DIRECTIONAL ISOLATE}, 90 %"


def test_unscored_picture_gives_no_reasons(panel: InspectorPanel, world: SimpleNamespace) -> None:
    world.predictor.say(world.scores(THREE, unseen=[0]))
    panel.show_rows([0])
    assert panel.answer.text() == "Not seen yet"
    assert not panel.bars.isVisible()


def test_it_follows_scores_and_names(panel: InspectorPanel, world: SimpleNamespace) -> None:
    panel.show_rows([0])
    world.predictor.say(world.scores([[0.2, 0.8], *THREE[1:]], version=2))
    assert panel.answer.text() == "Pen, 80 %"
    world.session.do(RenameCategory(world.ids[1], "Pencil"))
    assert panel.answer.text() == "Pencil, 80 %"
    world.session.do(RecolourCategory(world.ids[1], 7))
    assert panel.bars.rows[1].colour == 7


def test_another_folder_empties_it(panel: InspectorPanel, world: SimpleNamespace) -> None:
    panel.show_rows([0])
    world.gallery.show("/b", 3)
    assert panel.is_empty


def test_late_preview_of_another_picture_is_dropped(panel: InspectorPanel, world: SimpleNamespace) -> None:
    panel.show_rows([0])
    panel.show_rows([1])
    wanted = [world.gallery.files[row] for row in (0, 1)]
    first, second = [
        next(wish for wish in world.library.wishes if wish[0] == file and wish[1] == _PREVIEW_PIXELS)
        for file in wanted
    ]
    before = panel.preview.grab().toImage()
    first[2](np.full((40, 40, 3), 80, np.uint8))
    assert panel.preview.grab().toImage() == before
    second[2](np.full((40, 40, 3), 80, np.uint8))
    assert panel.preview.grab().toImage() != before


def test_a_preview_that_nobody_looks_at_any_more_is_not_decoded(
    panel: InspectorPanel, world: SimpleNamespace
) -> None:
    """Before, an arrow key that was held down left a picture to decode for each that it passed."""

    def waiting() -> list[str]:
        wishes = world.library.wishes
        return [file.path for file, side, *_, job in wishes if side == _PREVIEW_PIXELS and not job.cancelled]

    for row in range(3):
        panel.show_rows([row])
    assert waiting() == ["/a/img2.jpg"]
    panel.show_rows([2])
    assert waiting() == ["/a/img2.jpg"], "it is still the same picture"
    panel.clear()
    assert waiting() == []


def test_broken_preview_says_why(panel: InspectorPanel, world: SimpleNamespace) -> None:
    panel.show_rows([0])
    before = panel.preview.grab().toImage()
    world.library.refuse(RuntimeError("cut"))
    assert panel.preview.grab().toImage() != before


def test_single_prediction_is_shown(panel: InspectorPanel, world: SimpleNamespace) -> None:
    single = SimpleNamespace(
        classes=tuple(world.ids),
        probabilities=np.array([0.25, 0.75], np.float32),
        distances=np.array([1, np.inf], np.float32),
        best=1,
        rejected=False,
        nearest=((TAUGHT[0], 0.5),),
    )
    panel.show_single(single, np.zeros((30, 40, 3), np.uint8))  # type: ignore[arg-type]
    assert panel.answer.text() == "Pen, 75 %"
    assert panel.distances.rows[1].number == "–"
    assert panel.distances.rows[1].share is None


def test_slider_sends_and_automatic_takes_back(panel: InspectorPanel, world: SimpleNamespace) -> None:
    slider, automatic = panel.threshold.slider, panel.threshold.automatic
    assert slider.objectName() == "thresholdSlider"
    assert automatic.isHidden()
    slider.setValue(100)
    assert world.session.document.settings.threshold == 1.0
    assert "Every picture" in panel.threshold.sentence.text()
    QTest.mouseClick(automatic, Qt.MouseButton.LeftButton)
    assert world.session.document.settings.threshold is None
    assert slider.value() == 50


def test_undo_moves_the_slider_back(panel: InspectorPanel, world: SimpleNamespace) -> None:
    panel.threshold.slider.setValue(20)
    world.session.undo()
    assert world.session.document.settings.threshold is None
    assert panel.threshold.slider.value() == 50


def test_counts_are_live(panel: InspectorPanel, world: SimpleNamespace) -> None:
    assert panel.threshold.counts.text() == "2 with a category · 1 none of these"
    world.predictor.say(world.scores(THREE, version=2))
    assert panel.threshold.counts.text() == "3 with a category · 0 none of these"


def test_many_bars_scroll_to_the_answer(qtbot: QtBot, appearance: Appearance) -> None:
    bars = Bars(Kind.BAR, appearance)
    qtbot.addWidget(bars)
    bars.resize(240, 200)
    bars.show()
    bars.show_rows([BarRow(f"Category {n}", n % 12, 0.1, "10 %", n == 150) for n in range(200)])
    assert bars.height() < 220
    assert bars.verticalScrollBar().value() > 0
    bars.show_rows([BarRow("Mug", 0, 1.0, "100 %", strong=True)])
    assert bars.focusPolicy() == Qt.FocusPolicy.NoFocus


@pytest.mark.parametrize(
    ("probability", "words"), [(0, "0 %"), (0.001, "< 1 %"), (0.006, "1 %"), (0.934, "93 %"), (1, "100 %")]
)
def test_percent_is_never_a_false_nought(probability: float, words: str) -> None:
    assert percent_words(probability) == words


def test_panel_hears_nothing_when_it_is_gone(world: SimpleNamespace, appearance: Appearance) -> None:
    panel = InspectorPanel(world.session, world.predictor, world.gallery, world.library, appearance)
    shiboken6.delete(panel)
    world.gallery.show("/b", 3)
    world.predictor.say(world.scores(THREE))
    world.session.do(RenameCategory(world.ids[0], "Cup"))


def test_a_picture_that_is_written_anew_is_shown_anew(panel: InspectorPanel, world: SimpleNamespace) -> None:
    panel.show_rows([1])
    world.gallery.files[1] = replace(world.gallery.files[1], mtime_ns=99)
    world.gallery.listed.emit()
    assert panel._file == world.gallery.files[1]
    assert not panel.is_empty
