"""The program as a person uses it: real mouse, real keys, real drops, from the first category on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QPushButton, QSlider

from fewshot_gui.gui.label_export import label_table
from fewshot_gui.gui.mime import unpack
from fewshot_gui.gui.query.tile import TileState

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("photo_weights")

Key, Keys = Qt.Key, Qt.KeyboardModifier


@pytest.fixture
def taught(app: Any, support: Path, query: Path) -> Any:
    """The program with three categories of five examples and a folder of twelve pictures, all labelled."""
    app.teach_all(support)
    app.open_folder(query)
    app.settle()
    return app


def colour_of(name: str) -> str:
    return name.split(maxsplit=1)[0]


def all_right(app: Any) -> bool:
    return all(label == colour_of(name) for name, label in app.labels().items())


# Making categories -----------------------------------------------------------------------------------------


def test_two_categories_by_keys_and_files_on_their_cards(app: Any, support: Path, query: Path) -> None:
    assert app.window.support.empty.isVisible()
    app.new_category("Warm")
    app.new_category('Cold & "blue"')
    assert app.names() == ["Warm", 'Cold & "blue"']
    assert [category.shortcut for category in app.document.categories] == ["1", "2"]
    app.drop_files(app.card("Warm"), *sorted((support / "red").iterdir()))
    app.drop_files(app.card('Cold & "blue"'), *sorted((support / "blue").iterdir())[:1])
    app.wait(lambda: app.counts() == {"Warm": 5, 'Cold & "blue"': 1})
    app.open_folder(query)
    app.settle()
    labels = app.labels()
    assert len(labels) == 12
    assert {labels[f"red {n}.png"] for n in range(4)} == {"Warm"}
    tiles = app.tiles()
    assert all(tile.state in {TileState.PREDICTED, TileState.REJECTED} for tile in tiles.values())


def test_a_folder_of_class_folders_on_the_empty_panel(app: Any, support: Path) -> None:
    app.teach_all(support)
    assert app.counts() == {"blue": 5, "green": 5, "red": 5}
    assert not app.window.support.empty.isVisible()
    app.control(Key.Key_Z)
    assert app.names() == []
    assert app.window.support.empty.isVisible()


def test_every_picture_gets_its_label(taught: Any) -> None:
    assert len(taught.tiles()) == 12
    assert all_right(taught), (taught.counts(), taught.labels())
    assert all(tile.state is TileState.PREDICTED for tile in taught.tiles().values())
    table = label_table(taught.window.workspace)
    assert np.allclose(table.probabilities.sum(axis=1), 1, atol=1e-5)
    assert taught.window.status.pictures.text() == "12 pictures"
    taught.click_tile("green 2.png")
    bars = taught.window.inspector.bars
    taught.wait(lambda: bars.rows and bars.isVisible())
    assert max(bars.rows, key=lambda row: row.share).name == "green"
    assert "green" in bars.accessibleDescription()
    assert taught.window.inspector.answer.text().startswith("green")


def test_a_drop_is_answered_while_the_folder_is_still_read(app: Any, support: Path, query: Path) -> None:
    app.open_folder(query)
    app.drop_files(app.window.support, support)
    app.wait(lambda: len(app.names()) == 3)
    app.settle()
    assert all_right(app)


# Correcting ------------------------------------------------------------------------------------------------


def test_two_corrections_by_digit_and_both_taken_back(taught: Any) -> None:
    before = taught.labels()
    key = {category.name: category.shortcut for category in taught.document.categories}
    taught.click_tile("red 0.png")
    QTest.keyClicks(taught.view, key["blue"])
    taught.click_tile("red 1.png")
    QTest.keyClicks(taught.view, key["green"])
    tiles = taught.tiles()
    assert (tiles["red 0.png"].category, tiles["red 0.png"].state) == ("blue", TileState.TAUGHT)
    assert (tiles["red 1.png"].category, tiles["red 1.png"].state) == ("green", TileState.TAUGHT)
    assert taught.counts() == {"blue": 6, "green": 6, "red": 5}
    taught.control(Key.Key_Z)
    taught.control(Key.Key_Z)
    assert taught.counts() == {"blue": 5, "green": 5, "red": 5}
    taught.settle()
    assert taught.labels() == before
    assert all(tile.state is TileState.PREDICTED for tile in taught.tiles().values())
    taught.key(Key.Key_Z, Keys.ControlModifier | Keys.ShiftModifier)
    assert taught.tiles()["red 0.png"].state is TileState.TAUGHT


def test_many_pictures_at_once_are_one_step(taught: Any) -> None:
    taught.click_tile("red 0.png")
    taught.click_tile("red 3.png", Keys.ShiftModifier)
    QTest.keyClicks(taught.view, taught.category("red").shortcut)
    assert taught.counts()["red"] == 9
    taught.control(Key.Key_Z)
    assert taught.counts()["red"] == 5


def test_a_tile_carried_to_a_card_and_an_example_to_another(taught: Any) -> None:
    model = taught.window.query.folder.model
    position = next(p for p in range(model.rowCount()) if model.tile(p).name == "red 2.png")
    taught.drop(taught.card("green"), model.mimeData([model.index(position)]))
    assert taught.tiles()["red 2.png"].category == "green"
    grid = taught.card("green").grid
    taught.click(grid, grid.shape.cell(5).center())
    assert len(unpack(grid.dragged()).pictures) == 1
    taught.drop(taught.card("red"), grid.dragged())
    assert taught.counts() == {"blue": 5, "green": 5, "red": 6}
    assert taught.tiles()["red 2.png"].category == "red"


# Categories ------------------------------------------------------------------------------------------------


def test_rename_shows_everywhere_and_a_taken_name_is_refused(taught: Any) -> None:
    taught.card("red").setFocus()
    taught.key(Key.Key_F2)
    taught.type("Tomatoes")
    taught.key(Key.Key_Return)
    assert taught.names() == ["blue", "green", "Tomatoes"]
    assert taught.labels()["red 0.png"] == "Tomatoes"
    taught.key(Key.Key_F2)
    taught.type("GREEN")
    taught.key(Key.Key_Return)
    assert taught.card("Tomatoes").problem.isVisible()
    taught.key(Key.Key_Escape)
    assert taught.names() == ["blue", "green", "Tomatoes"]


def open_menu(app: Any, name: str) -> QMenu:
    """Open the menu of a card by its key."""
    card = app.card(name)
    card.setFocus()
    event = QContextMenuEvent(
        QContextMenuEvent.Reason.Keyboard, card.rect().center(), card.mapToGlobal(QPoint())
    )
    QApplication.sendEvent(card, event)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def test_merge_by_the_menu(taught: Any) -> None:
    menu = open_menu(taught, "red")
    targets = menu.findChild(QMenu, "mergeMenu")
    next(action for action in targets.actions() if action.text() == "blue").trigger()
    menu.close()
    assert taught.counts() == {"blue": 10, "green": 5}
    taught.settle()
    assert taught.labels()["red 0.png"] == "blue"
    taught.control(Key.Key_Z)
    taught.settle()
    assert all_right(taught), (taught.counts(), taught.labels())


def test_remove_a_category_and_take_it_back(taught: Any) -> None:
    taught.card("red").setFocus()
    taught.key(Key.Key_Delete)
    assert taught.names() == ["blue", "green"]
    assert "red" not in set(taught.labels().values())
    taught.settle()
    assert taught.scores.probabilities.shape == (12, 2)
    taught.control(Key.Key_Z)
    assert taught.names() == ["blue", "green", "red"]
    taught.settle()
    assert all_right(taught), (taught.counts(), taught.labels())


def test_a_category_emptied_while_it_predicts(taught: Any) -> None:
    grid = taught.card("red").grid
    grid.setFocus()
    taught.control(Key.Key_A)
    taught.key(Key.Key_Delete)
    assert taught.counts() == {"blue": 5, "green": 5, "red": 0}
    taught.settle()
    red = [category.name for category in taught.document.categories].index("red")
    assert not taught.scores.probabilities[:, red].any()
    assert np.isinf(taught.scores.distances[:, red]).all()
    assert "red" not in set(taught.labels().values())


def test_the_last_category_goes_while_it_predicts(app: Any, support: Path, query: Path) -> None:
    app.open_folder(query)
    app.drop_files(app.window.support, support / "red")
    app.wait(lambda: app.counts() == {"red": 5})
    app.card("red").setFocus()
    app.key(Key.Key_Delete)
    assert app.names() == []
    app.wait(lambda: not app.window.workspace.predictor.status.busy)
    assert set(app.labels().values()) == {""}


def test_a_category_goes_under_an_open_menu(taught: Any) -> None:
    menu = open_menu(taught, "red")
    taught.session.undo()  # by another hand, while the menu is open: all three categories go
    assert taught.names() == []
    remove = menu.actions()[-1]
    remove.trigger()
    menu.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert taught.names() == []


def test_a_category_goes_during_a_drag(taught: Any) -> None:
    model = taught.window.query.folder.model
    data = model.mimeData([model.index(0)])
    card, name = taught.card("red"), model.tile(0).name
    place = card.mapTo(taught.window, card.rect().center())
    taught.card("red").setFocus()
    taught.key(Key.Key_Delete)
    target = taught.window.childAt(place)
    taught.drop(taught.window.support, data, taught.window.support.mapFrom(taught.window, place))
    assert target is not None
    assert len(taught.names()) == 3  # it went to a new category: there was no card under the mouse any more
    assert taught.tiles()[name].state is TileState.TAUGHT


def test_a_category_goes_while_its_card_is_carried(app: Any) -> None:
    for name in ("first", "second"):
        app.new_category(name)
    grip = app.card("second").header.grip
    QTest.mousePress(grip, Qt.MouseButton.LeftButton, Keys.NoModifier, grip.rect().center())
    QTest.mouseMove(grip, grip.rect().center() - QPoint(0, 40))
    QTest.mouseMove(grip, grip.rect().center() - QPoint(0, 90))
    for _step in range(4):
        app.control(Key.Key_Z)
        QTest.mouseMove(app.window, QPoint(150, 200))
    QTest.mouseRelease(app.window, Qt.MouseButton.LeftButton, Keys.NoModifier, QPoint(150, 200))
    assert app.names() == []


def test_a_card_is_carried_above_another(app: Any) -> None:
    for name in ("first", "second"):
        app.new_category(name)
    grip = app.card("second").header.grip
    height = app.card("first").height()
    QTest.mousePress(grip, Qt.MouseButton.LeftButton, Keys.NoModifier, grip.rect().center())
    QTest.mouseMove(grip, grip.rect().center() - QPoint(0, 30))
    QTest.mouseMove(grip, grip.rect().center() - QPoint(0, height + 20))
    QTest.mouseRelease(grip, Qt.MouseButton.LeftButton, Keys.NoModifier, grip.rect().center())
    assert app.names() == ["second", "first"]


def test_a_category_goes_while_files_are_read_into_it(app: Any, support: Path) -> None:
    app.new_category("short-lived")
    app.drop_files(app.card("short-lived"), support / "red")
    app.card("short-lived").setFocus()
    app.key(Key.Key_Delete)
    app.wait(lambda: len(app.window.workspace.problems))
    assert app.names() == []
    app.control(Key.Key_P)
    table = app.find_dialog("problemsTable")
    assert table.item(0, 1).text() == "Its category was removed while it was being read."


# Choices ---------------------------------------------------------------------------------------------------


def test_the_slider_from_careful_to_bold(taught: Any) -> None:
    slider = taught.find(QSlider, "thresholdSlider")
    slider.setFocus()
    taught.key(Key.Key_End)
    assert not taught.scores.rejected.any()
    taught.key(Key.Key_Home)
    assert taught.document.settings.threshold == 0
    careful = int(taught.scores.rejected.sum())
    taught.click(taught.find(QPushButton, "thresholdAutomatic"))
    assert taught.document.settings.threshold is None
    assert careful >= int(taught.scores.rejected.sum())


def test_another_learner_and_back(taught: Any) -> None:
    before = taught.scores
    selector = taught.window.header.selectors.learner
    selector.setFocus()
    taught.key(Key.Key_P)
    assert taught.document.settings.learner == "prototypical"
    taught.settle()
    assert all_right(taught), (taught.counts(), taught.labels())
    assert not np.allclose(taught.scores.probabilities, before.probabilities, atol=1e-6)
    taught.key(Key.Key_Home)
    taught.settle()
    assert np.allclose(taught.scores.probabilities, before.probabilities, atol=1e-5)
    assert np.allclose(taught.scores.distances, before.distances, atol=1e-4)


# Files that are broken, moved or gone ----------------------------------------------------------------------


def test_broken_files_are_listed_and_the_rest_goes_on(app: Any, support: Path, query: Path) -> None:
    (query / "empty.jpg").write_bytes(b"")
    (query / "cut.png").write_bytes((query / "red 0.png").read_bytes()[:900])
    (query / "letter.jpg").write_text("Dear reader, this is no picture.")
    (support / "red" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    app.drop_files(app.window.support, support)
    app.wait(lambda: app.counts() == {"blue": 5, "green": 5, "red": 5})
    app.open_folder(query)
    problems = app.window.workspace.problems
    app.wait(lambda: len(problems) == 4)
    app.wait(lambda: app.scores.known.sum() == 12 and not app.window.workspace.predictor.status.busy)
    readable = {name: label for name, label in app.labels().items() if name.startswith(("red", "gr", "bl"))}
    assert {name: colour_of(name) for name in readable} == readable
    button = app.find(QPushButton, "problemsButton")
    assert button.text() == "4 problems"
    app.click(button)
    table = app.find_dialog("problemsTable")
    reasons = {table.item(row, 0).text().rpartition("/")[2]: table.item(row, 1).text() for row in range(4)}
    assert set(reasons) == {"empty.jpg", "cut.png", "letter.jpg", "broken.png"}
    assert "empty" in reasons["empty.jpg"]
    assert "cut short" in reasons["cut.png"]
    assert "not a picture" in reasons["letter.jpg"]


def test_moved_examples_keep_their_thumbnails_and_their_answers(
    stage: Any, tmp_path: Path, support: Path, query: Path
) -> None:
    path = tmp_path / "moved.fewshot"
    app = stage.start(path)
    app.teach_all(support)
    app.open_folder(query)
    app.settle()
    before = label_table(app.window.workspace)
    stage.close(app)
    support.rename(tmp_path / "elsewhere")
    app = stage.start(path)
    app.settle()
    after = label_table(app.window.workspace)
    assert after.paths == before.paths
    assert np.allclose(after.probabilities, before.probabilities, atol=1e-5)
    for picture in app.document.pictures():
        assert app.session.picture(picture).thumbnail.startswith(b"\xff\xd8")
    grid = app.card("red").grid
    assert grid._pixmap(0) is not None
    app.open_folder(tmp_path / "elsewhere")
    first = app.category("red").examples[0].picture
    app.wait(lambda: "elsewhere" in app.session.picture(first).path)


def test_moved_examples_without_the_cache_still_tell_the_colours(
    stage: Any, tmp_path: Path, support: Path, query: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "moved.fewshot"
    app = stage.start(path)
    app.teach_all(support)
    stage.close(app)
    support.rename(tmp_path / "elsewhere")
    monkeypatch.setenv("FEWSHOT_CACHE", str(tmp_path / "another cache"))
    app = stage.start(path)
    app.open_folder(query)
    app.settle()
    assert all_right(app)


# Sources without pictures ----------------------------------------------------------------------------------


def test_without_a_camera_the_page_says_so(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.window.workspace.camera, "_listed", list)
    app.control(Key.Key_2)
    page = app.window.query.camera
    app.wait(lambda: page.empty.title.text() == "No camera found")
    assert page.isVisible()
    app.control(Key.Key_1)
    assert app.window.query.folder.isVisible()


def stroke(canvas: Any, points: list[tuple[float, float]]) -> None:
    """Draw a line with the mouse through these places, in shares of the paper."""
    paper = canvas.paper()
    places = [
        QPoint(round(paper.left() + x * paper.width()), round(paper.top() + y * paper.height()))
        for x, y in points
    ]
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, Keys.NoModifier, places[0])
    for place in places[1:]:
        QTest.mouseMove(canvas, place)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, Keys.NoModifier, places[-1])


def circle(shift: float) -> list[list[tuple[float, float]]]:
    turn = np.linspace(0, 2 * np.pi, 40)
    return [[(0.5 + shift + 0.3 * np.cos(t), 0.5 + 0.3 * np.sin(t)) for t in turn]]


def cross(shift: float) -> list[list[tuple[float, float]]]:
    steps = np.linspace(0.2, 0.8, 20)
    return [[(t + shift, t) for t in steps], [(1 - t + shift, t) for t in steps]]


def bars(shift: float) -> list[list[tuple[float, float]]]:
    steps = np.linspace(0.2, 0.8, 20)
    return [[(x + shift, t) for t in steps] for x in (0.2, 0.4, 0.6, 0.8)]


SYMBOLS = {"circle": circle, "cross": cross, "bars": bars}


@pytest.mark.usefixtures("drawing_weights")
def test_three_symbols_drawn_taught_and_known_again(app: Any) -> None:
    for name in SYMBOLS:
        app.new_category(name)
    app.control(Key.Key_4)
    page = app.window.query.draw
    app.wait(page.canvas.isVisible)
    assert page.banner.isVisible()
    app.click(page.banner.button)
    assert app.document.settings.backbone == "omniglot-conv4"
    assert not page.banner.isVisible()
    for name, symbol in SYMBOLS.items():
        for line in symbol(0.0):
            stroke(page.canvas, line)
        app.click(next(each for each in page.teach.buttons() if each.objectName() == f"teachButton:{name}"))
        app.wait(lambda name=name: app.counts()[name] == 1)
        assert page.canvas.sketch.is_empty
    predictor = app.window.workspace.predictor
    app.wait(lambda: not predictor.status.busy)
    for name, symbol in SYMBOLS.items():
        for line in symbol(0.03):
            stroke(page.canvas, line)
        app.wait(lambda: page._prediction is not None and page._prediction.version == app.scores.version > 0)
        best = app.document.categories[page._prediction.best].name
        assert best == name, page._prediction
        page.canvas.setFocus()
        app.key(Key.Key_Escape)
        assert page.canvas.sketch.is_empty


def test_undo_on_the_paper_leaves_the_categories_alone(app: Any) -> None:
    app.new_category("kept")
    app.control(Key.Key_4)
    canvas = app.window.query.draw.canvas
    app.wait(canvas.isVisible)
    for line in cross(0.0):
        stroke(canvas, line)
    app.control(Key.Key_Z)
    app.control(Key.Key_Z)
    assert canvas.sketch.is_empty
    assert app.names() == ["kept"]


def test_a_picture_is_pasted(app: Any, support: Path) -> None:
    app.new_category("pasted")
    data = QMimeData()
    data.setUrls([f"file://{support / 'red' / 'red 0.png'}"])
    QApplication.clipboard().setMimeData(data)
    app.card("pasted").setFocus()
    app.control(Key.Key_V)
    app.wait(lambda: app.counts() == {"pasted": 1})
    QApplication.clipboard().clear()
