"""The support panel on a real session: what is shown follows the document, what is done becomes a command."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QGuiApplication,
    QHelpEvent,
    QImage,
    QKeyEvent,
)
from PySide6.QtWidgets import QApplication, QMenu, QPushButton, QToolButton, QWidget

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.commands import AddCategory, AddExamples, RemoveCategory, RenameCategory, Together
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.pictures import StoredPicture
from fewshot_gui.engine.state import CategoryId, Example
from fewshot_gui.gui.mime import DraggedPicture, pack
from fewshot_gui.gui.support.card import CategoryCard
from fewshot_gui.gui.support.colour_picker import ColourPicker
from fewshot_gui.gui.support.panel import SupportPanel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from pytestqt.qtbot import QtBot

    from fewshot_gui.engine.session import Session
    from fewshot_gui.gui.support.thumbnail_grid import ThumbnailGrid
    from fewshot_gui.gui.theme import Appearance

LEFT = Qt.MouseButton.LeftButton


class Intake:
    """Writes down what it is asked for."""

    def __init__(self) -> None:
        self.pictured: Event[[PictureId]] = Event()
        self.reading: Event[[int, int]] = Event()
        self.busy = False
        self.asked: list[tuple[Any, ...]] = []

    def add_files(self, paths: list[str], category: CategoryId | None = None) -> None:
        self.asked.append(("files", paths, category))

    def stop_reading(self) -> None:
        self.asked.append(("stop",))
        self.busy = False
        self.reading.emit(0, 0)

    def add_pixels(
        self, pixels: np.ndarray, category: CategoryId | None, origin: str, *, name: Callable[[], str] = str
    ) -> None:
        self.asked.append(("pixels", pixels.shape, category or name(), origin))

    def teach_all(self, pictures: list[tuple[Any, Any]], category: CategoryId) -> None:
        self.asked.append(("teach", [(file.path, known) for file, known in pictures], category))


def _id(number: int) -> PictureId:
    return PictureId(f"{number:032x}")


def _category(session: Session, name: str, *numbers: int) -> CategoryId:
    """Add a category with examples whose thumbnails the session keeps."""
    new = CategoryId(name.casefold())
    session.do(AddCategory(new, name))
    for number in numbers:
        data = io.BytesIO()
        Image.new("RGB", (40, 30), (number * 20 % 256, 90, 160)).save(data, "JPEG")
        session.keep_picture(StoredPicture(_id(number), data.getvalue(), path=f"/p/{number}.jpg"))
    if numbers:
        session.do(AddExamples(new, tuple(Example(_id(each), f"/p/{each}.jpg") for each in numbers)))
    return new


@pytest.fixture
def intake() -> Intake:
    return Intake()


@pytest.fixture
def panel(qtbot: QtBot, session: Session, intake: Intake, appearance: Appearance) -> SupportPanel:
    result = SupportPanel(session, intake, appearance)  # type: ignore[arg-type]
    qtbot.addWidget(result)
    result.resize(300, 640)
    with qtbot.waitActive(result):
        result.show()
        result.activateWindow()
    return result


def _card(panel: SupportPanel, name: str) -> CategoryCard:
    card = panel.findChild(CategoryCard, f"categoryCard:{name}")
    assert card is not None
    return card


def _names(panel: SupportPanel) -> list[str]:
    return [card.category.name for card in panel.cards.cards]


# What is shown ------------------------------------------------------------------------------------------


def test_an_empty_session_says_what_to_do(qtbot: QtBot, panel: SupportPanel) -> None:
    assert panel.objectName() == "supportPanel"
    assert panel.empty.isVisible()
    assert "Drop a few pictures of one kind here" in panel.empty.title.text()
    sample = panel.findChild(QPushButton, "trySampleButton")
    with qtbot.waitSignal(panel.sampleRequested):
        qtbot.mouseClick(sample, LEFT)


def test_categories_that_exist_are_shown(qtbot: QtBot, session: Session, panel: SupportPanel) -> None:
    _category(session, "Mug", 1, 2)
    _category(session, "Pen", 3)
    assert _names(panel) == ["Mug", "Pen"]
    assert not panel.empty.isVisible()
    assert panel.header.note.text() == "2"
    mug, pen = _card(panel, "Mug"), _card(panel, "Pen")
    assert mug.header.count.text() == "2 examples"
    assert mug.hint.isHidden()
    assert pen.hint.text() == "Add one more for a better guess"
    assert mug.accessibleName() == "Mug, 2 examples, key 1"
    assert mug.header.key.text() == "1"


def test_a_change_touches_its_card_only(session: Session, panel: SupportPanel) -> None:
    mug = _category(session, "Mug", 1)
    _category(session, "Pen", 3)
    before = panel.cards.cards
    pen_shown = _card(panel, "Pen").category
    session.do(RenameCategory(mug, "Cup"))
    assert panel.cards.cards == before
    assert panel.findChild(CategoryCard, "categoryCard:Mug") is None
    assert _card(panel, "Cup") is before[0]
    assert _card(panel, "Pen").category is pen_shown


def test_undo_and_redo_are_shown(session: Session, panel: SupportPanel) -> None:
    _category(session, "Mug", 1)
    session.undo()
    assert _card(panel, "Mug").header.count.text() == "No examples yet"
    session.undo()
    assert panel.empty.isVisible()
    session.redo()
    session.redo()
    assert _card(panel, "Mug").header.count.text() == "1 example"


def test_many_categories_are_built_in_slices(qtbot: QtBot, session: Session, panel: SupportPanel) -> None:
    ids = [CategoryId(f"c{number}") for number in range(60)]
    session.do(Together(tuple(AddCategory(each, f"Category {each}") for each in ids)))
    assert 0 < len(panel.cards.cards) < 60
    session.do(RenameCategory(ids[59], "The last one"))
    qtbot.waitUntil(lambda: len(panel.cards.cards) == 60)
    assert [card.id for card in panel.cards.cards] == ids
    assert _names(panel)[-1] == "The last one"


def test_a_card_that_is_asked_for_is_made_at_once(session: Session, panel: SupportPanel) -> None:
    ids = [CategoryId(f"c{number}") for number in range(40)]
    session.do(Together(tuple(AddCategory(each, f"Category {each}") for each in ids)))
    assert panel.cards.card(ids[39]) is not None
    assert panel.cards.card(CategoryId("unknown")) is None


def test_a_thumbnail_that_comes_later_is_painted(
    session: Session, intake: Intake, panel: SupportPanel
) -> None:
    mug = _category(session, "Mug")
    session.do(AddExamples(mug, (Example(_id(7), "/p/7.jpg"),)))
    grid = _card(panel, "Mug").grid
    before = grid.grab().toImage()
    data = io.BytesIO()
    Image.new("RGB", (60, 60), (200, 30, 30)).save(data, "JPEG")
    session.keep_picture(StoredPicture(_id(7), data.getvalue()))
    intake.pictured.emit(_id(7))
    after = grid.grab().toImage()
    assert after != before
    assert after.pixelColor(20, 20).red() > 150
    intake.pictured.emit(_id(99))


def test_reading_is_shown_until_it_is_done(session: Session, intake: Intake, panel: SupportPanel) -> None:
    _category(session, "Mug")
    intake.reading.emit(3, 20)
    assert "3 of 20" in panel.header.note.text()
    intake.reading.emit(20, 20)
    assert panel.header.note.text() == "1"


def test_a_wrong_drop_can_be_stopped(session: Session, intake: Intake, panel: SupportPanel) -> None:
    """Before, all pictures of a disk became categories, and the only way out was to quit."""
    _category(session, "Mug")
    assert panel.stop.isHidden()
    intake.busy = True
    intake.reading.emit(0, 0)
    assert panel.header.note.text() == "Looking for pictures…"
    assert not panel.stop.isHidden(), "a disk takes a while to be listed"
    intake.reading.emit(3, 20_000)
    intake.reading.emit(5, 5)
    assert not panel.stop.isHidden(), "another drop is still being read"
    panel.stop.click()
    assert intake.asked[-1] == ("stop",)
    assert panel.stop.isHidden()
    assert panel.header.note.text() == "1"


def test_a_closed_panel_listens_no_more(
    qtbot: QtBot, session: Session, intake: Intake, appearance: Appearance
) -> None:
    panel = SupportPanel(session, intake, appearance)  # type: ignore[arg-type]
    panel.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    _category(session, "Mug")
    intake.reading.emit(1, 2)


def test_everything_has_a_name_for_screen_readers(session: Session, panel: SupportPanel) -> None:
    _category(session, "Mug", 1)
    panel.set_capture_enabled(True)
    for button in panel.findChildren(QToolButton) + panel.findChildren(QPushButton):
        if button.isVisible():
            assert button.accessibleName(), button.objectName()
            assert button.toolTip(), button.objectName()


@pytest.mark.parametrize("choice", ["light", "dark"])
def test_the_look_follows_the_theme(
    session: Session, panel: SupportPanel, appearance: Appearance, choice: str
) -> None:
    _category(session, "Mug", 1)
    appearance.choose(choice)  # type: ignore[arg-type]
    image = panel.grab().toImage()
    assert image.pixelColor(150, image.height() - 30) == appearance.theme.surface


# Categories ---------------------------------------------------------------------------------------------


def test_the_button_adds_a_category_and_opens_its_name(
    qtbot: QtBot, session: Session, panel: SupportPanel
) -> None:
    qtbot.mouseClick(panel.findChild(QToolButton, "addCategoryButton"), LEFT)
    card = _card(panel, "Category 1")
    assert card.header.name.field is not None
    qtbot.keyClicks(card.header.name.field, "Mug")
    qtbot.keyClick(card.header.name.field, Qt.Key.Key_Return)
    assert [each.name for each in session.document.categories] == ["Mug"]
    assert card.hasFocus()
    panel.add_category()
    panel.add_category()
    assert _names(panel) == ["Mug", "Category 1", "Category 2"]


def test_a_taken_name_is_refused_in_place(qtbot: QtBot, session: Session, panel: SupportPanel) -> None:
    _category(session, "Mug")
    _category(session, "Pen")
    card = _card(panel, "Pen")
    card.setFocus()
    qtbot.keyClick(card, Qt.Key.Key_F2)
    field = card.header.name.field
    assert field is not None
    field.setText("mug")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert card.problem.isVisible()
    assert "exists already" in card.problem.text()
    field.setText("  ")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert "needs a name" in card.problem.text()
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert not card.problem.isVisible()
    assert _names(panel) == ["Mug", "Pen"]


def test_digits_in_a_name_are_letters(qtbot: QtBot, session: Session, panel: SupportPanel) -> None:
    _category(session, "Mug")
    card = _card(panel, "Mug")
    card.edit_name()
    assert card.header.name.field is not None
    qtbot.keyClicks(card.header.name.field, "2001")
    qtbot.keyClick(card.header.name.field, Qt.Key.Key_Return)
    assert _names(panel) == ["2001"]


def test_a_colour_is_chosen_from_the_chip(qtbot: QtBot, session: Session, panel: SupportPanel) -> None:
    mug = _category(session, "Mug")
    card = _card(panel, "Mug")
    qtbot.mouseClick(card.header.chip, LEFT)
    picker = card.findChild(ColourPicker)
    assert picker is not None
    qtbot.mouseClick(picker.chips[8], LEFT)
    assert not picker.isVisible()
    assert session.document.category(mug).colour == card.header.chip.colour == 8


def test_keys_reorder_walk_and_remove(qtbot: QtBot, session: Session, panel: SupportPanel) -> None:
    for name in ("A", "B", "C"):
        _category(session, name)
    _card(panel, "A").setFocus()
    qtbot.keyClick(_card(panel, "A"), Qt.Key.Key_Down)
    assert _card(panel, "B").hasFocus()
    qtbot.keyClick(_card(panel, "B"), Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert _names(panel) == ["A", "C", "B"]
    assert _card(panel, "B").hasFocus()
    assert panel.focused_category == "b"
    qtbot.keyClick(_card(panel, "B"), Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    qtbot.keyClick(_card(panel, "B"), Qt.Key.Key_Delete)
    assert _names(panel) == ["A", "C"]
    assert _card(panel, "C").hasFocus()


def test_delete_that_is_held_removes_one_category(session: Session, panel: SupportPanel) -> None:
    """Before, the next one had the focus by then and went too, and undo offered the last alone."""
    for name in ("A", "B", "C"):
        _category(session, name)
    _card(panel, "A").setFocus()
    for repeated in (False, True, True):
        none = Qt.KeyboardModifier.NoModifier
        event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Delete, none, "", repeated, 1)
        QApplication.sendEvent(panel.focusWidget(), event)
    assert _names(panel) == ["B", "C"]


def test_a_card_that_is_moved_by_keys_stays_in_view(
    qtbot: QtBot, session: Session, panel: SupportPanel
) -> None:
    for name in "ABCDEFGHIJKL":
        _category(session, name)
    qtbot.waitUntil(lambda: len(panel.cards.cards) == 12)
    card = _card(panel, "A")
    card.setFocus()
    for _ in range(9):
        qtbot.keyClick(card, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert _names(panel)[9] == "A"
    assert card.hasFocus()
    view = panel.cards.viewport()
    assert view.rect().contains(card.mapTo(view, card.rect().center()))


def test_a_name_that_is_opened_and_left_is_no_new_name(
    qtbot: QtBot, session: Session, panel: SupportPanel
) -> None:
    """Before, an undo was done again by it, and a long name was cut."""
    long = "x" * 134
    for name in ("Dog", long):
        _category(session, name)
    session.do(RenameCategory(CategoryId("dog"), "Cat"))
    card = _card(panel, "Cat")
    card.setFocus()
    qtbot.keyClick(card, Qt.Key.Key_F2)
    session.undo()
    assert card.header.name.field is not None
    assert card.header.name.field.text() == "Dog"
    last = _card(panel, long)
    last.setFocus()
    qtbot.keyClick(last, Qt.Key.Key_F2)
    card.setFocus()
    assert [each.name for each in session.document.categories] == ["Dog", long]
    assert session.can_redo


def test_examples_whose_files_were_moved_are_shown_where_they_are(
    session: Session, panel: SupportPanel
) -> None:
    _category(session, "Mug", 1)
    session.relocate(_id(1), "/sorted/1.jpg")
    grid = _card(panel, "Mug").grid
    grid.select(grid._selection.only(0))
    assert [each.path for each in grid.chosen_pictures()] == ["/sorted/1.jpg"]


def test_a_removed_category_comes_back_by_the_toast(
    qtbot: QtBot, session: Session, panel: SupportPanel
) -> None:
    _category(session, "Mug", 1, 2)
    panel.teaching.remove_category(CategoryId("mug"))
    assert "Mug" in panel.toast.text
    assert "2 examples" in panel.toast.text
    qtbot.mouseClick(panel.toast.findChild(QPushButton), LEFT)
    assert _names(panel) == ["Mug"]
    panel.teaching.remove_category(CategoryId("mug"))
    _category(session, "Pen")
    # The last step is another one now: the offer to undo the removal is gone.
    assert not panel.toast.isVisible()


def _carry(qtbot: QtBot, panel: SupportPanel, name: str, below: str) -> tuple[QWidget, QPoint]:
    """Take a card and carry it below another one; return its grip, and where the pointer is on it."""
    QApplication.processEvents()
    grip, target = _card(panel, name).header.grip, _card(panel, below)
    qtbot.mousePress(grip, LEFT, pos=grip.rect().center())
    there = grip.mapFromGlobal(target.mapToGlobal(QPoint(20, target.height() - 4)))
    qtbot.mouseMove(grip, there)
    return grip, there


def test_a_card_is_carried_by_its_grip(qtbot: QtBot, session: Session, panel: SupportPanel) -> None:
    for name in ("A", "B", "C"):
        _category(session, name)
    grip, below = _carry(qtbot, panel, "A", below="C")
    assert panel.cards._line.isVisible()
    qtbot.mouseRelease(grip, LEFT, pos=below)
    assert not panel.cards._line.isVisible()
    assert _names(panel) == ["B", "C", "A"]


def test_another_button_does_not_take_a_card_out_of_the_hand(
    qtbot: QtBot, session: Session, panel: SupportPanel
) -> None:
    """Before, the line stayed, and the card was never put down."""
    for name in ("A", "B", "C"):
        _category(session, name)
    grip, below = _carry(qtbot, panel, "A", below="C")
    right, middle = Qt.MouseButton.RightButton, grip.rect().center()
    qtbot.mousePress(grip, right, pos=below)
    menu = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, middle, grip.mapToGlobal(middle))
    QApplication.sendEvent(grip, menu)
    assert _card(panel, "A").findChild(QMenu) is None
    qtbot.mouseRelease(grip, right, pos=below)
    assert panel.cards._line.isVisible()
    qtbot.mouseRelease(grip, LEFT, pos=below)
    assert not panel.cards._line.isVisible()
    assert _names(panel) == ["B", "C", "A"]


def test_a_card_whose_category_goes_while_it_is_carried_leaves_nothing(
    qtbot: QtBot, session: Session, panel: SupportPanel
) -> None:
    gone = _category(session, "A")
    _category(session, "B")
    _carry(qtbot, panel, "A", below="B")
    panel.cards.scroller.follow(panel.cards.viewport().mapToGlobal(QPoint(5, 1)))
    session.do(RemoveCategory(gone))
    qtbot.mouseRelease(panel, LEFT)
    assert not panel.cards._line.isVisible()
    assert not panel.cards.scroller._timer.isActive()
    panel.cards.let_go(gone)
    assert _names(panel) == ["B"]


def test_a_card_put_back_where_it_was_is_no_step(qtbot: QtBot, session: Session, panel: SupportPanel) -> None:
    _category(session, "A")
    _category(session, "B")
    QApplication.processEvents()
    before = session.undo_command
    grip = _card(panel, "A").header.grip
    qtbot.mousePress(grip, LEFT, pos=QPoint(5, 5))
    qtbot.mouseMove(grip, QPoint(5, 9))
    qtbot.mouseRelease(grip, LEFT, pos=QPoint(5, 9))
    assert session.undo_command == before


def test_undo_while_a_name_is_written_takes_the_card_away(
    qtbot: QtBot, session: Session, panel: SupportPanel
) -> None:
    panel.add_category()
    field = _card(panel, "Category 1").header.name.field
    assert field is not None
    qtbot.keyClicks(field, "Half a na")
    session.undo()
    assert _names(panel) == []
    assert panel.findChild(CategoryCard) is None


# The menu -----------------------------------------------------------------------------------------------


@pytest.fixture
def menu(qtbot: QtBot, session: Session, panel: SupportPanel) -> Iterator[QMenu]:
    """The menu of the card Mug, beside Pen with key 2."""
    _category(session, "Mug", 1)
    _category(session, "Pen & ink", 2)
    card = _card(panel, "Mug")
    card.open_menu(QPoint(5, 5))
    result = card.findChild(QMenu, "cardMenu")
    assert result is not None
    yield result
    if QApplication.activePopupWidget() is not None:
        result.close()


def _trigger(menu: QMenu, text: str) -> None:
    action = next(each for each in menu.actions() if text in each.text())
    action.trigger()


def test_the_menu_offers_everything(menu: QMenu) -> None:
    words = " ".join(action.text() for action in menu.actions())
    for word in ("Rename", "Colour", "Key", "Add files", "Move up", "Move down", "Merge into", "Remove"):
        assert word in words
    up = next(action for action in menu.actions() if "Move up" in action.text())
    assert not up.isEnabled()


def test_a_taken_key_is_swapped_in_one_step(menu: QMenu, session: Session) -> None:
    keys = menu.findChild(QMenu, "keyMenu")
    assert keys is not None
    _trigger(keys, "2  (swap with Pen && ink)")
    assert [each.shortcut for each in session.document.categories] == ["2", "1"]
    session.undo()
    assert [each.shortcut for each in session.document.categories] == ["1", "2"]


def test_a_letter_is_given_and_stays_in_the_menu(menu: QMenu, session: Session, panel: SupportPanel) -> None:
    keys = menu.findChild(QMenu, "keyMenu")
    assert keys is not None
    _trigger(keys, "M")
    assert session.document.categories[0].shortcut == "m"
    card = _card(panel, "Mug")
    assert card.header.key.text() == "M"
    menu.close()
    card.open_menu(QPoint(5, 5))
    again = card.findChildren(QMenu, "keyMenu")[-1]
    assert [action.text() for action in again.actions() if action.isChecked()] == ["M"]
    card.findChildren(QMenu, "cardMenu")[-1].close()


def test_a_key_is_taken_away(menu: QMenu, session: Session, panel: SupportPanel) -> None:
    keys = menu.findChild(QMenu, "keyMenu")
    assert keys is not None
    _trigger(keys, "No key")
    assert session.document.categories[0].shortcut == ""
    assert _card(panel, "Mug").header.key.isHidden()


def test_a_category_is_merged_into_another(menu: QMenu, session: Session, panel: SupportPanel) -> None:
    targets = menu.findChild(QMenu, "mergeMenu")
    assert targets is not None
    _trigger(targets, "Pen && ink")
    assert _names(panel) == ["Pen & ink"]
    assert session.document.pictures() == (_id(2), _id(1))


def test_the_menu_moves_renames_and_removes(menu: QMenu, panel: SupportPanel) -> None:
    _trigger(menu, "Move down")
    assert _names(panel) == ["Pen & ink", "Mug"]
    _trigger(menu, "Rename")
    assert _card(panel, "Mug").header.name.editing
    _trigger(menu, "Remove")
    assert _names(panel) == ["Pen & ink"]


def test_the_menu_key_opens_the_menu(qtbot: QtBot, session: Session, panel: SupportPanel) -> None:
    _category(session, "Mug")
    card = _card(panel, "Mug")
    qtbot.mouseClick(card.header.more, LEFT)
    menu = card.findChild(QMenu, "cardMenu")
    assert menu is not None
    menu.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert card.findChild(QMenu, "cardMenu") is None


# The menu of examples ------------------------------------------------------------------------------------


@pytest.fixture
def mixed(session: Session, panel: SupportPanel) -> Iterator[CategoryCard]:
    """The card Mug with the examples 1, 2 and 3, beside Pen & ink with 4."""
    _category(session, "Mug", 1, 2, 3)
    _category(session, "Pen & ink", 4)
    yield _card(panel, "Mug")
    if (popup := QApplication.activePopupWidget()) is not None:
        popup.close()


def _ask_at(grid: ThumbnailGrid, at: int, reason: QContextMenuEvent.Reason) -> None:
    point = grid.shape.cell(at).center()
    QApplication.sendEvent(grid, QContextMenuEvent(reason, point, grid.mapToGlobal(point)))


def _example_menu(card: CategoryCard) -> QMenu:
    menu = card.findChild(QMenu, "exampleMenu")
    assert menu is not None
    return menu


def test_examples_are_split_off_as_a_new_category(
    mixed: CategoryCard, session: Session, panel: SupportPanel
) -> None:
    mixed.grid.select_pictures({_id(2), _id(3)})
    _ask_at(mixed.grid, 1, QContextMenuEvent.Reason.Mouse)
    targets = _example_menu(mixed).findChild(QMenu, "moveExamplesMenu")
    assert targets is not None
    assert targets.title() == "Move 2 examples to"
    _trigger(targets, "A new category")
    assert [[e.picture for e in each.examples] for each in session.document.categories] == [
        [_id(1)], [_id(4)], [_id(2), _id(3)],
    ]  # fmt: skip
    assert _card(panel, session.document.categories[2].name).header.name.editing
    session.undo()
    assert _names(panel) == ["Mug", "Pen & ink"], "the split is one step"
    assert [len(each.examples) for each in session.document.categories] == [3, 1]


def test_the_example_under_the_mouse_is_moved(mixed: CategoryCard, session: Session) -> None:
    mixed.grid.select_pictures({_id(2)})
    _ask_at(mixed.grid, 0, QContextMenuEvent.Reason.Mouse)
    targets = _example_menu(mixed).findChild(QMenu, "moveExamplesMenu")
    assert targets is not None
    assert targets.title() == "Move to"
    _trigger(targets, "Pen && ink")
    assert session.document.owner(_id(1)) == session.document.categories[1].id


def test_the_menu_key_is_about_the_chosen_examples(mixed: CategoryCard, session: Session) -> None:
    mixed.grid.stand_on(2)
    _ask_at(mixed.grid, 0, QContextMenuEvent.Reason.Keyboard)
    _trigger(_example_menu(mixed), "Remove")
    assert session.document.pictures() == (_id(1), _id(2), _id(4))


def test_beside_the_examples_the_menu_of_the_card_opens(mixed: CategoryCard) -> None:
    _ask_at(mixed.grid, 3, QContextMenuEvent.Reason.Mouse)  # the tile with the plus
    assert mixed.findChild(QMenu, "exampleMenu") is None
    assert mixed.findChild(QMenu, "cardMenu") is not None


def test_a_category_that_went_meanwhile_takes_no_example(mixed: CategoryCard, session: Session) -> None:
    _ask_at(mixed.grid, 0, QContextMenuEvent.Reason.Mouse)
    targets = _example_menu(mixed).findChild(QMenu, "moveExamplesMenu")
    assert targets is not None
    session.do(RemoveCategory(session.document.categories[1].id))
    _trigger(targets, "Pen && ink")
    assert session.document.owner(_id(1)) == session.document.categories[0].id


# Examples -----------------------------------------------------------------------------------------------


def test_examples_are_chosen_and_removed_by_keys(qtbot: QtBot, session: Session, panel: SupportPanel) -> None:
    _category(session, "Mug", 1, 2, 3, 4)
    card = _card(panel, "Mug")
    card.setFocus()
    qtbot.keyClick(card, Qt.Key.Key_Right)
    grid = card.grid
    assert grid.hasFocus()
    qtbot.keyClick(grid, Qt.Key.Key_Right)
    qtbot.keyClick(grid, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert grid.chosen == [_id(2), _id(3)]
    assert "Example 3 of 4" in grid.accessibleDescription()
    qtbot.keyClick(grid, Qt.Key.Key_Delete)
    assert session.document.pictures() == (_id(1), _id(4))
    assert grid.hasFocus()
    qtbot.keyClick(grid, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert grid.chosen == [_id(1), _id(4)]
    qtbot.keyClick(grid, Qt.Key.Key_Escape)
    assert grid.chosen == []
    qtbot.keyClick(grid, Qt.Key.Key_Delete)
    assert _names(panel) == ["Mug"]


def test_arrows_lead_out_of_the_grid(qtbot: QtBot, session: Session, panel: SupportPanel) -> None:
    _category(session, "Mug", 1)
    _category(session, "Pen", 2)
    grid = _card(panel, "Mug").grid
    grid.setFocus()
    grid.stand_on(0)
    qtbot.keyClick(grid, Qt.Key.Key_Down)
    assert _card(panel, "Pen").hasFocus()
    grid.setFocus()
    qtbot.keyClick(grid, Qt.Key.Key_Up)
    assert _card(panel, "Mug").hasFocus()


def test_the_x_removes_one_example(qtbot: QtBot, session: Session, panel: SupportPanel) -> None:
    _category(session, "Mug", 1, 2, 3)
    grid = _card(panel, "Mug").grid
    qtbot.mouseMove(grid, grid.shape.cell(1).center())
    qtbot.mouseClick(grid, LEFT, pos=grid.shape.badge(1).center())
    assert session.document.pictures() == (_id(1), _id(3))


def test_clicks_choose(qtbot: QtBot, session: Session, panel: SupportPanel) -> None:
    _category(session, "Mug", 1, 2, 3)
    grid = _card(panel, "Mug").grid
    places = [grid.shape.cell(at).center() + QPoint(-12, 12) for at in range(3)]
    qtbot.mouseClick(grid, LEFT, pos=places[0])
    assert grid.chosen == [_id(1)]
    qtbot.mouseClick(grid, LEFT, Qt.KeyboardModifier.ControlModifier, places[2])
    assert grid.chosen == [_id(1), _id(3)]
    qtbot.mouseClick(grid, LEFT, Qt.KeyboardModifier.ShiftModifier, places[1])
    assert grid.chosen == [_id(2), _id(3)]


def test_the_plus_tile_asks_for_files(
    qtbot: QtBot, session: Session, intake: Intake, panel: SupportPanel
) -> None:
    mug = _category(session, "Mug", 1)
    panel.choose_files = lambda: ["/p/a.jpg", "/p/b.jpg"]
    grid = _card(panel, "Mug").grid
    qtbot.mouseClick(grid, LEFT, pos=grid.shape.cell(1).center())
    assert intake.asked == [("files", ["/p/a.jpg", "/p/b.jpg"], mug)]
    panel.choose_files = list
    grid.setFocus()
    grid.stand_on(1)
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    assert len(intake.asked) == 1
    grid.stand_on(0)
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    assert _card(panel, "Mug").header.name.field is None, "Enter was for the example"


def test_tooltips_say_what_is_under_the_mouse(session: Session, panel: SupportPanel) -> None:
    mug = _category(session, "Mug", 1)
    session.do(AddExamples(mug, (Example(_id(2), "camera"),)))
    grid = _card(panel, "Mug").grid
    assert grid.tip(grid.shape.cell(0).center()) == "1.jpg"
    assert grid.tip(grid.shape.cell(1).center()) == "From the camera"
    assert "Add" in grid.tip(grid.shape.cell(2).center())
    assert "Remove" in grid.tip(grid.shape.badge(0).center())
    assert grid.tip(QPoint(-5, -5)) == ""
    event = QHelpEvent(QEvent.Type.ToolTip, QPoint(900, 900), grid.mapToGlobal(QPoint(0, 0)))
    assert QApplication.sendEvent(grid, event)


def test_what_is_dragged_is_what_is_chosen(session: Session, panel: SupportPanel) -> None:
    mug = _category(session, "Mug", 1, 2)
    session.do(AddExamples(mug, (Example(_id(3), "camera"),)))
    grid = _card(panel, "Mug").grid
    grid.select(grid.selection.everything(3))
    data = grid.dragged()
    assert [url.toLocalFile() for url in data.urls()] == ["/p/1.jpg", "/p/2.jpg"]
    panel.teaching.receive(_unpacked(data), _category(session, "Pen"), "web")
    assert _card(panel, "Mug").grid.chosen == []
    assert _card(panel, "Pen").header.count.text() == "3 examples"


def _unpacked(data: QMimeData) -> Any:
    from fewshot_gui.gui.mime import unpack

    return unpack(data)


# Drops and paste ----------------------------------------------------------------------------------------


def _drag(panel: SupportPanel, data: QMimeData, place: QPoint) -> bool:
    """Enter and move; return whether the panel takes what is dragged."""
    enter = QDragEnterEvent(place, Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    enter.ignore()
    QApplication.sendEvent(panel, enter)
    if enter.isAccepted():
        move = QDragMoveEvent(place, Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(panel, move)
    return enter.isAccepted()


def _drop(panel: SupportPanel, data: QMimeData, place: QPoint) -> None:
    assert _drag(panel, data, place)
    drop = QDropEvent(QPointF(place), Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(panel, drop)


def _on(panel: SupportPanel, widget: QWidget) -> QPoint:
    QApplication.processEvents()
    return widget.mapTo(panel, widget.rect().center())


def _files(*paths: str) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path) for path in paths])
    return data


def test_files_dropped_on_a_card_teach_it(session: Session, intake: Intake, panel: SupportPanel) -> None:
    _category(session, "Mug")
    pen = _category(session, "Pen")
    _drop(panel, _files("/p/a.jpg", "/p/folder"), _on(panel, _card(panel, "Pen")))
    assert intake.asked == [("files", ["/p/a.jpg", "/p/folder"], pen)]


def test_files_dropped_beside_the_cards_make_categories(
    session: Session, intake: Intake, panel: SupportPanel
) -> None:
    _drop(panel, _files("/p/folder"), QPoint(100, 300))
    _category(session, "Mug")
    _drop(panel, _files("/p/a.jpg"), QPoint(100, 600))
    assert intake.asked == [("files", ["/p/folder"], None), ("files", ["/p/a.jpg"], None)]


def test_the_place_of_a_drop_is_marked_and_cleared(session: Session, panel: SupportPanel) -> None:
    _category(session, "Mug")
    card, data = _card(panel, "Mug"), _files("/p/a.jpg")
    before = card.grab().toImage()
    _drag(panel, data, _on(panel, card))
    assert card.grab().toImage() != before
    assert panel.strip.isVisible()
    assert not panel.strip.targeted
    _drag(panel, data, QPoint(100, 620))
    assert panel.strip.targeted
    assert card.grab().toImage() == before
    QApplication.sendEvent(panel, QDragLeaveEvent())
    assert not panel.strip.isVisible()


def test_an_example_moves_between_cards(session: Session, intake: Intake, panel: SupportPanel) -> None:
    mug, pen = _category(session, "Mug", 1, 2), _category(session, "Pen")
    _drop(panel, pack([DraggedPicture("/p/1.jpg", _id(1))]), _on(panel, _card(panel, "Pen")))
    assert session.document.owner(_id(1)) == pen
    assert session.document.category(mug).pictures == {_id(2)}
    assert intake.asked == []


def test_gallery_rows_are_taught(session: Session, intake: Intake, panel: SupportPanel) -> None:
    mug = _category(session, "Mug", 1)
    rows = [DraggedPicture("/g/5.jpg", _id(5), 5), DraggedPicture("/g/6.jpg", None, 6)]
    _drop(panel, pack(rows), _on(panel, _card(panel, "Mug")))
    assert intake.asked == [("teach", [("/g/5.jpg", _id(5)), ("/g/6.jpg", None)], mug)]


def test_gallery_rows_beside_the_cards_make_a_category(
    session: Session, intake: Intake, panel: SupportPanel
) -> None:
    _drop(panel, pack([DraggedPicture("/g/5.jpg", _id(5), 5)]), QPoint(100, 300))
    (new,) = session.document.categories
    assert intake.asked == [("teach", [("/g/5.jpg", _id(5))], new.id)]


def test_a_picture_from_a_browser_is_taught(session: Session, intake: Intake, panel: SupportPanel) -> None:
    mug = _category(session, "Mug")
    data = QMimeData()
    data.setImageData(QImage(7, 5, QImage.Format.Format_RGB32))
    _drop(panel, data, _on(panel, _card(panel, "Mug")))
    assert intake.asked == [("pixels", (5, 7, 3), mug, "web")]


def test_an_address_alone_is_explained(session: Session, intake: Intake, panel: SupportPanel) -> None:
    _category(session, "Mug")
    data = QMimeData()
    data.setUrls([QUrl("https://example.org/a.jpg")])
    _drop(panel, data, _on(panel, _card(panel, "Mug")))
    assert intake.asked == []
    assert "address" in panel.toast.text


def test_text_is_not_taken(panel: SupportPanel) -> None:
    data = QMimeData()
    data.setText("words")
    assert not _drag(panel, data, QPoint(100, 100))


def test_a_picture_is_pasted_into_the_card_with_the_focus(
    session: Session, intake: Intake, panel: SupportPanel
) -> None:
    mug = _category(session, "Mug")
    QGuiApplication.clipboard().setImage(QImage(4, 3, QImage.Format.Format_RGB32))
    _card(panel, "Mug").setFocus()
    panel.paste()
    assert intake.asked == [("pixels", (3, 4, 3), mug, "clipboard")]


def test_a_picture_is_pasted_into_a_new_category(
    session: Session, intake: Intake, panel: SupportPanel
) -> None:
    QGuiApplication.clipboard().setImage(QImage(4, 3, QImage.Format.Format_RGB32))
    panel.setFocus()
    panel.paste()
    assert intake.asked == [("pixels", (3, 4, 3), "Category 1", "clipboard")]
    assert not session.document.categories, "it is made with its picture, in one step of undo"


def test_pasting_nothing_says_so(session: Session, panel: SupportPanel) -> None:
    QGuiApplication.clipboard().setText("words")
    panel.paste()
    assert "no picture" in panel.toast.text
    assert session.document.categories == ()


# The camera ---------------------------------------------------------------------------------------------


def test_the_camera_button_is_held(qtbot: QtBot, session: Session, panel: SupportPanel) -> None:
    mug = _category(session, "Mug")
    button = panel.findChild(QToolButton, "captureButton:Mug")
    assert not button.isVisible()
    panel.set_capture_enabled(True)
    assert button.isVisible()
    heard: list[tuple[str, bool]] = []
    panel.captureHeld.connect(lambda category, held: heard.append((category, held)))
    qtbot.mousePress(button, LEFT)
    qtbot.mouseRelease(button, LEFT)
    assert heard == [(mug, True), (mug, False)]
    card = _card(panel, "Mug")
    card.setFocus()
    qtbot.keyPress(card, Qt.Key.Key_Space)
    qtbot.keyRelease(card, Qt.Key.Key_Space)
    assert heard[2:] == [(mug, True), (mug, False)]
    _category(session, "Pen")
    assert panel.findChild(QToolButton, "captureButton:Pen").isVisible()


def test_a_camera_button_that_disappears_is_let_go(
    qtbot: QtBot, session: Session, panel: SupportPanel
) -> None:
    mug = _category(session, "Mug")
    panel.set_capture_enabled(True)
    heard: list[bool] = []
    panel.captureHeld.connect(lambda _category, held: heard.append(held))
    qtbot.mousePress(panel.findChild(QToolButton, "captureButton:Mug"), LEFT)
    panel.teaching.remove_category(mug)
    assert heard == [True, False]


def test_space_is_let_go_when_the_focus_leaves(qtbot: QtBot, session: Session, panel: SupportPanel) -> None:
    _category(session, "Mug")
    _category(session, "Pen")
    panel.set_capture_enabled(True)
    heard: list[bool] = []
    panel.captureHeld.connect(lambda _category, held: heard.append(held))
    _card(panel, "Mug").setFocus()
    qtbot.keyPress(_card(panel, "Mug"), Qt.Key.Key_Space)
    _card(panel, "Pen").setFocus()
    assert heard == [True, False]


def test_an_example_on_which_the_keyboard_stands_is_seen(
    qtbot: QtBot, session: Session, panel: SupportPanel
) -> None:
    """Before, Delete removed an example far below what was shown."""
    _category(session, "Mug", *range(200))
    panel.resize(300, 500)
    QApplication.processEvents()
    grid = _card(panel, "Mug").grid
    grid.stand_on(0)
    for position in (120, 199, 3):
        grid.stand_on(position)
        cell = grid.shape.cell(position)
        seen = grid.visibleRegion().boundingRect()
        assert seen.contains(cell), position
    for number in (150, 0, 199):
        panel.show_examples({_id(number)})
        QApplication.processEvents()
        assert grid.visibleRegion().boundingRect().contains(grid.shape.cell(number)), number
    panel.cards.verticalScrollBar().setValue(0)
    _card(panel, "Mug").setFocus()
    qtbot.keyClick(_card(panel, "Mug"), Qt.Key.Key_Tab)
    assert grid.hasFocus()
    assert grid.visibleRegion().boundingRect().contains(grid.shape.cell(199)), "on which it stood"


def test_a_card_is_put_where_the_list_has_scrolled_to(
    qtbot: QtBot, session: Session, panel: SupportPanel
) -> None:
    for number in range(20):
        _category(session, f"C{number:02}")
    panel.resize(300, 500)
    QApplication.processEvents()
    cards = panel.cards
    below = cards.viewport().mapToGlobal(QPoint(20, cards.viewport().height() - 2))
    cards.carry(below)
    for _ in range(2_000):
        cards.scroller.tick()
    assert cards.verticalScrollBar().value() == cards.verticalScrollBar().maximum()
    assert cards._line.isVisible()
    assert not cards._line.visibleRegion().isEmpty(), "the line goes with the list"
    cards.let_go(CategoryId("c00"))
    assert _names(panel)[-1] == "C00"
