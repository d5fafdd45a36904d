"""The table of what is taken for what: its numbers, its cells by key and click, the pictures behind them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.commands import AddCategory, AddExamples, RemoveCategory, RenameCategory
from fewshot_gui.engine.deciding.enough import LooReport, report_of
from fewshot_gui.engine.deciding.shots import ShotsCurve
from fewshot_gui.engine.pictures import StoredPicture
from fewshot_gui.engine.state import CategoryId, Example
from fewshot_gui.gui.inspector.confusion_table import (
    MANY,
    ConfusionTable,
    NamesHeader,
    ReportModel,
    cell_words,
)
from fewshot_gui.gui.inspector.example_viewer import ExampleViewer
from fewshot_gui.gui.inspector.shots_view import shots_words
from fewshot_gui.gui.inspector.table_dialog import TableDialog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import SimpleNamespace

    from pytestqt.qtbot import QtBot

    from fewshot_gui.gui.theme import Appearance


def gradient(shade: int) -> np.ndarray:
    """A picture (60, 60, 3) whose look is its own."""
    rows = np.random.default_rng(shade).integers(0, 255, (6, 6, 3), np.uint8)
    return np.repeat(np.repeat(rows, 10, 0), 10, 1)


def teach(world: SimpleNamespace, category: CategoryId, count: int) -> list[PictureId]:
    pictures = []
    for number in range(count):
        data = io.BytesIO()
        shade = number + (100 if category == world.ids[1] else 0)
        Image.fromarray(gradient(shade)).save(data, "JPEG", quality=95)
        pictures.append(PictureId(f"{shade:032x}"))
        world.session.keep_picture(StoredPicture(pictures[-1], data.getvalue(), path=f"/p/{shade}.jpg"))
    world.session.do(AddExamples(category, tuple(Example(each, "x") for each in pictures)))
    return pictures


@pytest.fixture
def report(world: SimpleNamespace) -> LooReport:
    """Four mugs, all right; of four pens two are taken for mugs."""
    mug, pen = world.ids
    mugs, pens = teach(world, mug, 4), teach(world, pen, 4)
    return report_of(
        {(mug, mug): tuple(mugs), (pen, pen): tuple(pens[:2]), (pen, mug): tuple(pens[2:])}, (mug, pen), 1
    )


@pytest.fixture
def dialog(
    qtbot: QtBot, world: SimpleNamespace, report: LooReport, appearance: Appearance
) -> Iterator[TableDialog]:
    world.predictor.examine(report)
    result = TableDialog(world.session, world.predictor, world.library, appearance)
    qtbot.addWidget(result)
    result.show()
    yield result
    result.close()


def numbers(table: ConfusionTable) -> list[list[str]]:
    return [
        [cell(table, row, column).data() for column in range(table.model().columnCount())]
        for row in range(table.model().rowCount())
    ]


def closely(dialog: TableDialog) -> ExampleViewer:
    viewer = dialog.findChild(ExampleViewer)
    assert viewer is not None
    return viewer


def cell(table: ConfusionTable, row: int, column: int) -> QModelIndex:
    return table.model().index(row, column)


def test_it_says_how_it_stands_and_what_the_table_is(dialog: TableDialog) -> None:
    assert dialog.verdict.text() == "Not yet: 2 of 4 examples of “Pen” are taken for “Mug”."
    intro = dialog.findChild(QLabel, "tableIntro")
    assert intro is not None
    assert intro.text().startswith("Each example is classified by all the others.")


def test_it_shows_what_more_examples_bring(dialog: TableDialog, world: SimpleNamespace) -> None:
    assert dialog.shots.isHidden()
    [arrived] = world.predictor.shots_wanted
    arrived(ShotsCurve((0.5, 0.7, 0.8), 1))
    assert dialog.shots.isVisible()
    assert dialog.shots.words.text() == (
        "With 1 example of each category 50 % are right, with 3 examples 80 %. "
        "It still rises: more examples will help."
    )
    assert dialog.shots.curve.losses == (0.5, 0.7, 0.8)
    assert (dialog.shots.first.text(), dialog.shots.last.text()) == ("1 example: 50 %", "3 examples: 80 %")
    heights = [point.y() for point in dialog.shots.curve.points().values()]
    assert heights == sorted(heights, reverse=True)
    assert heights[-1] > dialog.shots.curve.rect().top() + 8, "the upper edge is 100 %"
    arrived(ShotsCurve((), 1))
    assert dialog.shots.isHidden()


def test_few_examples_that_have_helped_are_not_said_to_be_all_that_does() -> None:
    assert "It still rises" in shots_words(ShotsCurve((0.58, 0.68, 0.81, 0.82), 1))


@pytest.mark.parametrize(
    ("accuracies", "advice"),
    [
        ((0.8, 0.95, 0.95), "these examples do"),
        ((0.5, 0.51, 0.51), "more of the same will hardly help"),
        ((0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6), "more of the same will hardly help"),
    ],
)
def test_a_curve_that_has_levelled_off_says_so(accuracies: tuple[float, ...], advice: str) -> None:
    assert advice in shots_words(ShotsCurve(accuracies, 1))


def test_a_curve_is_asked_for_once_a_report_and_comes_too_late_for_nobody(
    dialog: TableDialog, world: SimpleNamespace, report: LooReport
) -> None:
    dialog.refresh()
    assert len(world.predictor.shots_wanted) == 1
    world.predictor.examine(report_of(report.cells, report.classes, 2))
    assert len(world.predictor.shots_wanted) == 2


def test_rows_are_taught_and_columns_taken_for(dialog: TableDialog) -> None:
    assert numbers(dialog.table) == [["4", ""], ["2", "2"]]
    assert (
        cell(dialog.table, 1, 0).data(Qt.ItemDataRole.ToolTipRole)
        == "2 examples of “Pen” are taken for “Mug”"
    )
    header = dialog.table.verticalHeader()
    assert isinstance(header, NamesHeader)
    assert header._notes == ("4 / 4", "2 / 4")


def test_the_worst_mistake_is_shown_first(dialog: TableDialog, world: SimpleNamespace) -> None:
    assert dialog.table.chosen == (world.ids[1], world.ids[0])
    assert dialog.caption.text() == "2 examples of “Pen” are taken for “Mug”"
    assert dialog.pictures.count() == 2
    assert not dialog.pictures.item(0).icon().isNull()
    assert dialog.pictures.item(0).toolTip() == "102.jpg"


def test_arrows_lead_to_the_pictures_of_every_cell(dialog: TableDialog) -> None:
    QTest.keyClick(dialog.table, Qt.Key.Key_Up)
    assert dialog.pictures.count() == 4
    assert dialog.caption.text() == "4 examples of “Mug” are recognised"
    QTest.keyClick(dialog.table, Qt.Key.Key_Right)
    assert dialog.pictures.count() == 0
    assert dialog.caption.text() == "No examples of “Mug” are taken for “Pen”"


def test_a_click_chooses_a_cell(dialog: TableDialog) -> None:
    box = dialog.table.visualRect(cell(dialog.table, 1, 1))
    QTest.mouseClick(dialog.table.viewport(), Qt.MouseButton.LeftButton, pos=box.center())
    assert dialog.caption.text() == "2 examples of “Pen” are recognised"


def test_it_follows_names_and_reports_and_keeps_the_cell(
    dialog: TableDialog, world: SimpleNamespace, report: LooReport
) -> None:
    dialog.table.set_current_cell(1, 1)
    world.session.do(RenameCategory(world.ids[1], "Pencil"))
    assert dialog.caption.text() == "2 examples of “Pencil” are recognised"
    mug, pen = world.ids
    every = {(mug, mug): report.cells[mug, mug], (pen, pen): report.cells[pen, pen]}
    world.predictor.examine(report_of(every, (mug, pen), 2))
    assert numbers(dialog.table) == [["4", ""], ["", "2"]]
    assert dialog.table.chosen == (pen, pen)


def test_what_changes_nothing_here_makes_nothing_anew(dialog: TableDialog, world: SimpleNamespace) -> None:
    """Before, each picture that was taught filled the table, and decoded its pictures, once more."""
    dialog.table.set_current_cell(1, 0)
    picture, resets = dialog.pictures.item(0), []
    picture.setToolTip("as it was")
    dialog.table.model().modelReset.connect(lambda: resets.append(1))
    world.session.do(AddExamples(world.ids[0], (Example(PictureId("e" * 32), "x"),)))
    assert not resets
    world.session.do(RenameCategory(world.ids[1], "Pencil"))
    assert resets == [1]
    words = cell(dialog.table, 1, 1).data(Qt.ItemDataRole.ToolTipRole)
    assert words == "2 examples of “Pencil” are recognised"
    assert dialog.caption.text() == "2 examples of “Pencil” are taken for “Mug”"
    assert dialog.pictures.item(0).toolTip() == "as it was", "the pictures are the same"


def test_the_scores_are_those_of_the_report(
    dialog: TableDialog, world: SimpleNamespace, report: LooReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [report.right_of(each) for each in world.ids]
    # All categories are counted in one go: each by itself looks at every cell of the report.
    monkeypatch.delattr(LooReport, "right_of")
    dialog.table.show_report(report_of(report.cells, report.classes, 2), world.session.document.categories)
    model = dialog.table.model()
    assert isinstance(model, ReportModel)
    assert [model.score(row) for row in range(2)] == expected


def test_while_a_new_report_is_made_the_former_stays(dialog: TableDialog, world: SimpleNamespace) -> None:
    world.predictor.report = None
    world.session.do(RenameCategory(world.ids[1], "Pencil"))
    assert numbers(dialog.table) == [["4", ""], ["2", "2"]]


def test_a_removed_category_is_in_the_table_no_more(dialog: TableDialog, world: SimpleNamespace) -> None:
    world.session.do(RemoveCategory(world.ids[0]))
    assert numbers(dialog.table) == [["2"]]


def test_without_a_report_it_says_so(qtbot: QtBot, world: SimpleNamespace, appearance: Appearance) -> None:
    empty = TableDialog(world.session, world.predictor, world.library, appearance)
    qtbot.addWidget(empty)
    empty.show()
    assert empty.table.model().rowCount() == 0
    assert not empty.table.isVisible()
    assert empty.waiting.title.text() == "No table yet"


def test_while_it_is_computed_it_says_so_and_then_shows_it(
    qtbot: QtBot, world: SimpleNamespace, report: LooReport, appearance: Appearance
) -> None:
    world.predictor.examining = True
    dialog = TableDialog(world.session, world.predictor, world.library, appearance)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.waiting.title.text() == "Being computed…"
    world.predictor.examine(report)
    assert not dialog.waiting.isVisible()
    assert dialog.table.isVisible()
    assert dialog.pictures.isVisible()


def test_a_learner_too_slow_for_it_is_named(
    qtbot: QtBot, world: SimpleNamespace, report: LooReport, appearance: Appearance
) -> None:
    dialog = TableDialog(world.session, world.predictor, world.library, appearance)
    qtbot.addWidget(dialog)
    assert dialog.waiting.title.text() == "No table for this learner"


def test_a_picture_is_looked_at_closely(dialog: TableDialog, world: SimpleNamespace) -> None:
    QTest.mouseClick(
        dialog.pictures.viewport(),
        Qt.MouseButton.LeftButton,
        pos=dialog.pictures.visualItemRect(dialog.pictures.item(1)).center(),
    )
    viewer = closely(dialog)
    dialog.pictures.itemActivated.emit(dialog.pictures.item(1))  # as by one click, on some desktops
    assert dialog.findChildren(ExampleViewer) == [viewer]
    assert viewer.number == 1
    assert viewer.canvas.has_picture  # what the session keeps, at once
    assert world.library.large[-1][0] == "/p/103.jpg"
    before = viewer.canvas.grab().toImage()
    world.library.large[-1][1](gradient(103).repeat(4, 0).repeat(4, 1))
    assert viewer.canvas.grab().toImage() != before
    QTest.keyClick(viewer, Qt.Key.Key_Escape)
    assert not viewer.isVisible()


def test_a_file_that_was_written_anew_is_not_shown_as_the_example(
    dialog: TableDialog, world: SimpleNamespace
) -> None:
    dialog._enlarge(dialog.pictures.item(0))
    viewer = closely(dialog)
    before = viewer.canvas.grab().toImage()
    world.library.large[-1][1](gradient(7).repeat(4, 0).repeat(4, 1))
    assert viewer.canvas.grab().toImage() == before
    viewer.close()


def test_a_late_file_of_another_example_is_dropped(dialog: TableDialog, world: SimpleNamespace) -> None:
    dialog._enlarge(dialog.pictures.item(0))
    viewer = closely(dialog)
    late = world.library.large[-1][1]
    QTest.keyClick(viewer, Qt.Key.Key_Right)
    QTest.keyClick(viewer, Qt.Key.Key_Right)
    assert viewer.number == 1
    before = viewer.canvas.grab().toImage()
    late(gradient(102))
    assert viewer.canvas.grab().toImage() == before
    QTest.keyClick(viewer, Qt.Key.Key_Plus)
    assert not viewer.canvas.is_fitted
    viewer.close()


def test_a_lost_picture_says_so(qtbot: QtBot, dialog: TableDialog, world: SimpleNamespace) -> None:
    viewer = ExampleViewer(world.session, world.library, [PictureId("f" * 32)], 0, "x", dialog)
    qtbot.addWidget(viewer)
    assert not viewer.canvas.has_picture


def test_thirty_categories_fit_a_small_screen(
    qtbot: QtBot, world: SimpleNamespace, appearance: Appearance
) -> None:
    for number in range(28):
        world.session.do(AddCategory(CategoryId(f"{number:032x}"), f"Character of an alphabet {number}"))
    categories = world.session.document.categories
    ids = tuple(each.id for each in categories)
    cells = {(each, each): (PictureId(f"{n:032x}"),) for n, each in enumerate(ids)}
    table = ConfusionTable(appearance)
    qtbot.addWidget(table)
    table.show_report(report_of(cells, ids, 1), categories)
    assert len(ids) == 30 > MANY
    assert table.sizeHint().width() < 1366 * 0.95 - 48
    table.resize(600, 400)
    table.show()
    table.set_current_cell(29, 29)
    QApplication.processEvents()
    assert table.visualRect(cell(table, 29, 29)).top() < table.viewport().height()


def test_only_the_cells_that_are_seen_are_made(
    qtbot: QtBot, world: SimpleNamespace, appearance: Appearance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 categories have 40,000: each picture that was taught held the window for half a second."""
    for number in range(198):
        world.session.do(AddCategory(CategoryId(f"{number:032x}"), f"Character {number}"))
    categories = world.session.document.categories
    ids = tuple(each.id for each in categories)
    asked: set[tuple[int, int]] = set()
    given = ReportModel.data

    def listen(model: ReportModel, index: QModelIndex, role: int = 0) -> object:
        asked.add((index.row(), index.column()))
        return given(model, index, role)

    monkeypatch.setattr(ReportModel, "data", listen)
    table = ConfusionTable(appearance)
    qtbot.addWidget(table)
    table.resize(600, 400)
    table.show()
    wrong = {(ids[150], ids[120]): (PictureId("a" * 32), PictureId("b" * 32))}
    table.show_report(report_of(wrong, ids, 1), categories)
    table.grab()
    assert table.chosen == (ids[150], ids[120]), "the mistake that is made most often"
    assert 0 < len(asked) < 1000


def test_cells_are_painted_in_both_looks(dialog: TableDialog, appearance: Appearance) -> None:
    place = dialog.table.visualRect(cell(dialog.table, 0, 0)).topLeft() + QPoint(6, 6)
    light = dialog.table.viewport().grab().toImage().pixelColor(place)
    appearance.choose("dark")
    dark = dialog.table.viewport().grab().toImage().pixelColor(place)
    assert light.green() > light.red()
    assert dark.lightness() < light.lightness()


@pytest.mark.parametrize(
    ("count", "own", "taken", "words"),
    [
        (1, "Mug", "Mug", "1 example of “Mug” is recognised"),
        (1, "Mug", "Pen", "1 example of “Mug” is taken for “Pen”"),
        (0, "Mug", "Pen", "no examples of “Mug” are taken for “Pen”"),
    ],
)
def test_cells_speak(count: int, own: str, taken: str, words: str) -> None:
    assert cell_words(count, own, taken) == words
