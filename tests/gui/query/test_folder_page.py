"""The folder page: empty states, filters with counts, teaching, the frozen order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QMenu

from fewshot_gui.engine.commands import (
    AddCategory,
    AddExamples,
    RemoveCategory,
    RenameCategory,
    new_category_id,
)
from fewshot_gui.engine.problems import ProblemLog
from fewshot_gui.engine.scores import Special
from fewshot_gui.engine.state import Example
from fewshot_gui.gui.mime import DraggedPicture, pack
from fewshot_gui.gui.query.chip import HEIGHT
from fewshot_gui.gui.query.folder_page import FolderPage
from fewshot_gui.gui.query.picture_viewer import PictureViewer

if TYPE_CHECKING:
    from pathlib import Path
    from types import SimpleNamespace

    from pytestqt.qtbot import QtBot

    from fewshot_gui.gui.theme import Appearance

THREE = [[0.6, 0.4], [0.1, 0.9], [0.8, 0.2]]


@pytest.fixture
def page(qtbot: QtBot, world: SimpleNamespace, appearance: Appearance) -> FolderPage:
    result = FolderPage(
        world.session, world.gallery, world.predictor, world.library, world.intake, appearance
    )
    qtbot.addWidget(result)
    result.resize(800, 600)
    result.show()
    return result


def opened(page: FolderPage, world: SimpleNamespace) -> None:
    world.gallery.show("/pictures/Holiday", 3)
    world.predictor.say(world.scores(THREE))


def choose(page: FolderPage, *rows: int) -> None:
    page.view.select_rows(np.array(rows))


def test_without_a_folder_it_asks_for_one(page: FolderPage, qtbot: QtBot) -> None:
    assert page.pages.currentWidget() is page.pages.no_folder
    assert not page.bar.isVisible()
    button = page.findChild(object, "openFolder")
    with qtbot.waitSignal(page.openFolderRequested):
        button.click()  # type: ignore[attr-defined]


def test_empty_folder_and_listing_say_so(page: FolderPage, world: SimpleNamespace) -> None:
    world.gallery.listing = True
    world.gallery.show("/empty", 0)
    assert page.pages.currentWidget() is page.pages.listing
    world.gallery.listing = False
    world.gallery.progressed.emit(0, 0)
    assert page.pages.currentWidget() is page.pages.no_pictures


def test_bar_names_folder_count_and_progress(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    texts = {name: page.findChild(object, name).text() for name in ("folderName", "folderNote")}  # type: ignore[attr-defined]
    assert texts == {"folderName": "Holiday", "folderNote": "3 pictures"}
    world.gallery.embedded = 1
    world.gallery.progressed.emit(1, 3)
    assert page.findChild(object, "folderNote").text() == "1 of 3 seen"  # type: ignore[attr-defined]
    assert page.findChild(object, "folderProgress").isVisible()  # type: ignore[attr-defined]


def test_a_first_picture_is_told_in_the_singular(page: FolderPage) -> None:
    page.bar.show_folder("/a", 1, 0, listing=True)
    assert page.findChild(object, "folderNote").text() == "1 picture so far"  # type: ignore[attr-defined]


def test_chips_count_and_filter(page: FolderPage, world: SimpleNamespace) -> None:
    world.gallery.show("/pictures", 4)
    world.predictor.say(world.scores([*THREE, [0.5, 0.5]], rejected=[2], unseen=[3]))
    keys = [None, *world.ids, Special.NONE_OF_THESE, Special.UNKNOWN]
    assert [page.bar.chips.chip(key).count for key in keys] == [4, 1, 1, 1, 1]
    page.bar.chips.chip(world.ids[1]).click()
    assert page.model.order.tolist() == [1]
    page.bar.chips.chip(Special.UNKNOWN).click()
    assert page.model.order.tolist() == [3]


def test_f5_looks_into_the_folder_too(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    page.view.setFocus()
    QTest.keyClick(page.view, Qt.Key.Key_F5)
    assert world.gallery.rescans == 1


@pytest.mark.parametrize(("key", "begins"), [("folder", "From the first"), ("confidence", "Largest first")])
def test_the_direction_is_told_in_the_words_of_the_order(page: FolderPage, key: Any, begins: str) -> None:
    page.bar.choose(key, descending=key == "confidence")
    assert page.bar._direction.toolTip().startswith(begins)


def test_filtered_away_offers_everything(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    page.bar.chips.chip(Special.NONE_OF_THESE).click()
    assert page.pages.currentWidget() is page.pages.nothing_left
    page.findChild(object, "showAllButton").click()  # type: ignore[attr-defined]
    assert page.pages.currentWidget() is page.view
    assert page.model.order.tolist() == [0, 1, 2]


def test_removed_category_takes_its_filter_along(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    page.bar.chips.chip(world.ids[1]).click()
    world.session.do(RemoveCategory(world.ids[1]))
    assert page.bar.chips.current is None
    assert page.model.order.tolist() == [0, 1, 2]


def test_renamed_category_renames_its_chip(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    world.session.do(RenameCategory(world.ids[0], "Cup"))
    assert page.bar.chips.chip(world.ids[0]).text() == "Cup"


def test_sorting_begins_with_the_surest(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    box = page.findChild(QComboBox, "sortSelector")
    assert box is not None
    box.setCurrentIndex(box.findData("confidence"))
    box.activated.emit(box.currentIndex())
    assert page.model.order.tolist() == [1, 2, 0]
    page.findChild(object, "sortDirection").click()  # type: ignore[attr-defined]
    assert page.model.order.tolist() == [0, 2, 1]


def test_labels_that_the_program_would_give_otherwise_can_come_first(
    page: FolderPage, world: SimpleNamespace
) -> None:
    opened(page, world)
    box = page.findChild(QComboBox, "sortSelector")
    assert box is not None
    box.setCurrentIndex(box.findData("doubt"))
    box.activated.emit(box.currentIndex())
    assert page.bar.arrangement.key == "doubt"
    assert page.bar.arrangement.descending
    assert "otherwise" in box.itemData(box.currentIndex(), Qt.ItemDataRole.ToolTipRole)


def test_hint_leads_to_the_first_example(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    assert page.hint.isVisible()
    world.session.do(AddExamples(world.ids[0], (Example("0" * 32, "x"),)))
    assert page.hint.isVisible(), "with one category, nearly everything is called so"
    assert page.hint.words == "Nearly everything is “Mug” until a second category has an example, too."
    world.session.do(AddExamples(world.ids[1], (Example("1" * 32, "x"),)))
    assert not page.hint.isVisible()


def test_hint_asks_for_a_second_category(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    world.session.do(RemoveCategory(world.ids[1]))
    world.session.do(AddExamples(world.ids[0], (Example("0" * 32, "x"),)))
    assert "second category" in page.hint.words
    assert "Ctrl+N" in page.hint.words


@pytest.mark.parametrize(("kind", "says"), [("missing", "not there"), ("no-permission", "cannot be read")])
def test_a_folder_that_cannot_be_listed_is_not_called_empty(
    qtbot: QtBot, world: SimpleNamespace, appearance: Appearance, kind: str, says: str
) -> None:
    problems = ProblemLog()
    page = FolderPage(
        world.session, world.gallery, world.predictor, world.library, world.intake, appearance,
        problems=problems,
    )  # fmt: skip
    qtbot.addWidget(page)
    problems.add("/stick/Holiday/torn", "missing")
    world.gallery.show("/stick/Holiday", 0)
    assert page.pages.currentWidget() is page.pages.no_pictures, "that is another folder"
    problems.add("/stick/Holiday", kind)
    world.gallery.progressed.emit(0, 0)
    assert page.pages.currentWidget() is page.pages.unreadable
    assert says in page.pages.unreadable.title.text()
    page.findChild(object, "lookAgainButton").click()  # type: ignore[attr-defined]
    assert world.gallery.opened == ["/stick/Holiday"]


def test_tab_stops_at_the_chosen_filter(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    page.bar.chips.choose(world.ids[1])
    world.session.do(AddCategory(new_category_id(), "Third"))
    chips = [page.bar.chips.chip(key) for key in (None, *world.ids, Special.NONE_OF_THESE)]
    assert [chip.text() for chip in chips if chip.focusPolicy() is Qt.FocusPolicy.TabFocus] == ["Pen"]


def test_category_key_teaches_all_chosen(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    choose(page, 0, 2)
    QTest.keyClick(page.view, Qt.Key.Key_2)
    assert world.intake.taught == [
        (["/pictures/Holiday/img0.jpg", "/pictures/Holiday/img2.jpg"], world.ids[1])
    ]


def test_new_category_brings_its_key(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    third = new_category_id()
    world.session.do(AddCategory(third, "Key"))
    choose(page, 1)
    QTest.keyClick(page.view, Qt.Key.Key_3)
    assert world.intake.taught[0][1] == third


def test_chosen_rows_are_told_current_first(page: FolderPage, world: SimpleNamespace, qtbot: QtBot) -> None:
    opened(page, world)
    with qtbot.waitSignal(page.selectionChanged) as told:
        choose(page, 0, 1, 2)
        page.view.selectionModel().setCurrentIndex(
            page.model.index(1), page.view.selectionModel().SelectionFlag.NoUpdate
        )
    assert told.args[0].tolist() == [1, 0, 2]


def test_order_is_frozen_while_something_is_chosen(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    page.bar.choose("confidence", descending=True)
    choose(page, 0)
    world.predictor.say(world.scores([[0.99, 0.01], [0.1, 0.9], [0.8, 0.2]], version=2))
    assert page.model.order.tolist() == [1, 2, 0]
    assert page.pill.isVisible()
    page.pill.click()
    assert page.model.order.tolist() == [0, 1, 2]
    assert page.view.selected_rows().tolist() == [0]
    assert not page.pill.isVisible()


def test_after_the_order_was_refreshed_the_keys_answer_again(
    page: FolderPage, world: SimpleNamespace
) -> None:
    """Before, they were lost with the button, which had the focus and was gone."""
    opened(page, world)
    page.bar.choose("confidence", descending=True)
    choose(page, 0)
    world.predictor.say(world.scores([[0.99, 0.01], [0.1, 0.9], [0.8, 0.2]], version=2))
    assert page.pill.focusPolicy() is Qt.FocusPolicy.TabFocus
    page.pill.setFocus()
    page.pill.click()
    assert page.focusWidget() is page.view


def test_the_keys_wait_on_the_page_until_its_pictures_are_listed(
    page: FolderPage, world: SimpleNamespace, qtbot: QtBot
) -> None:
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    world.gallery.listing = True
    world.gallery.show("/pictures", 0)
    page.setFocus()
    assert page.hasFocus()
    world.gallery.show("/pictures", 3)
    assert page.focusWidget() is page.view


def test_order_follows_while_nobody_touches_it(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    page.bar.choose("confidence", descending=True)
    QApplication.sendEvent(page.view.viewport(), QEvent(QEvent.Type.Leave))
    world.predictor.say(world.scores([[0.99, 0.01], [0.1, 0.9], [0.8, 0.2]], version=2))
    assert page.model.order.tolist() == [0, 1, 2]
    assert not page.pill.isVisible()


def test_rows_in_view_are_embedded_first(page: FolderPage, world: SimpleNamespace, qtbot: QtBot) -> None:
    opened(page, world)
    world.gallery.embedded = 0
    page.view.updateGeometries()
    qtbot.waitUntil(lambda: world.gallery.preferred == [0, 1, 2])


def test_context_menu_begins_a_category(page: FolderPage, world: SimpleNamespace, qtbot: QtBot) -> None:
    opened(page, world)
    choose(page, 1)
    page.view.customContextMenuRequested.emit(QPoint(20, 20))
    menu = page.findChild(QMenu, "tileMenu")
    assert menu is not None
    lessons = next(action.menu() for action in menu.actions() if action.menu())
    assert isinstance(lessons, QMenu)
    new = next(action for action in lessons.actions() if action.text() == "A new category")
    with qtbot.waitSignal(page.newCategoryRequested) as asked:
        new.trigger()
    assert asked.args is not None
    file, picture = world.gallery.files[1], world.gallery.ids[1]
    assert asked.args[0] == [DraggedPicture(file.path, picture, 1)]
    menu.close()


def test_context_menu_teaches_and_copies(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    choose(page, 1)
    page.view.customContextMenuRequested.emit(QPoint(20, 20))
    menu = page.findChild(QMenu, "tileMenu")
    assert menu is not None
    lessons = next(action.menu() for action in menu.actions() if action.menu())
    assert isinstance(lessons, QMenu)
    lessons.actions()[0].trigger()
    assert world.intake.taught == [(["/pictures/Holiday/img1.jpg"], world.ids[0])]
    menu.actions()[-1].trigger()
    assert QApplication.clipboard().text() == "/pictures/Holiday/img1.jpg"
    menu.close()


def test_viewer_walks_and_takes_the_cursor_along(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    viewer = page.enlarge(page.model.index(0))
    assert isinstance(viewer, PictureViewer)
    QTest.keyClick(viewer, Qt.Key.Key_Right)
    assert viewer.file == world.gallery.files[1]
    assert page.view.selected_rows().tolist() == [1], "the cursor of the gallery goes along"
    QTest.keyClick(viewer, Qt.Key.Key_Space)
    assert not viewer.isVisible()


def drop(page: FolderPage, data: QMimeData) -> bool:
    """Drag the data over the page and drop it there; return whether the page took it."""
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(50, 50), copy, data, left, none)
    enter.ignore()
    page.dragEnterEvent(enter)
    if enter.isAccepted():
        page.dropEvent(QDropEvent(QPointF(50, 50), copy, data, left, none))
    return enter.isAccepted()


def test_dropped_folder_is_opened(page: FolderPage, world: SimpleNamespace, tmp_path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    assert drop(page, data)
    assert world.gallery.opened == [str(tmp_path)]


def test_own_tiles_and_plain_files_are_not_taken(page: FolderPage, tmp_path: Path) -> None:
    picture = tmp_path / "a.jpg"
    picture.write_bytes(b"x")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(picture))])
    assert not drop(page, data)
    assert not drop(page, pack([DraggedPicture(str(tmp_path))]))


def test_an_address_is_no_folder(page: FolderPage) -> None:
    """Before, it was taken for the folder in which the program was started."""
    data = QMimeData()
    data.setUrls([QUrl("https://example.org/holiday")])
    assert not drop(page, data)


def test_two_hundred_categories_stay_two_lines_high(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    for number in range(200):
        world.session.do(AddCategory(new_category_id(), f"Category {number}"))
    assert page.bar.chips.height() < 90


def in_sight(page: FolderPage, key: Special) -> bool:
    chip = page.bar.chips.chip(key)
    place = chip.geometry().translated(chip.parentWidget().mapTo(page.bar.chips, QPoint()))
    return chip.isVisible() and page.bar.chips.rect().contains(place)


def test_what_is_no_category_stays_in_sight_beside_many(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    for count in (0, 3, 40):
        for number in range(count):
            world.session.do(AddCategory(new_category_id(), f"Category {count} {number}"))
        for width in (520, 900, 1600):
            page.resize(width, 600)
            QApplication.processEvents()
            assert in_sight(page, Special.NONE_OF_THESE), (count, width)
            assert in_sight(page, Special.UNKNOWN), (count, width)
    page.bar.chips.chip(Special.NONE_OF_THESE).click()
    assert page.bar.chips.current is Special.NONE_OF_THESE


def test_what_is_no_category_stays_together_at_every_width(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    chips = page.bar.chips
    ends = [chips.chip(key) for key in Special]
    for count in (0, 2, 4):
        for number in range(count):
            world.session.do(AddCategory(new_category_id(), f"Category {count} {number}"))
        for width in range(280, 1200, 20):
            chips.resize(width, chips.height())
            level = len({chip.y() for chip in ends}) == 1
            beside = chips._area.height() > HEIGHT  # a column: categories are beside both
            assert level or beside, (count, width)
            assert level or len({chip.x() for chip in ends}) == 1


def test_few_filters_stand_in_one_line(page: FolderPage, world: SimpleNamespace) -> None:
    opened(page, world)
    page.resize(900, 600)
    QApplication.processEvents()
    chips = [page.bar.chips.chip(key) for key in (None, *world.ids, *Special)]
    places = [chip.mapTo(page.bar, QPoint()) for chip in chips]
    assert len({place.y() for place in places}) == 1
    gaps = {
        right.x() - left.x() - chip.width()
        for chip, left, right in zip(chips, places, places[1:], strict=False)
    }
    assert gaps == {8}


def test_page_hears_nothing_when_it_is_gone(world: SimpleNamespace, appearance: Appearance) -> None:
    page = FolderPage(world.session, world.gallery, world.predictor, world.library, world.intake, appearance)
    opened(page, world)
    shiboken6.delete(page)
    world.gallery.show("/b", 5)
    world.predictor.say(world.scores(THREE))
    world.session.do(RenameCategory(world.ids[0], "Cup"))
