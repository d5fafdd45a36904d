"""Deciding from the keyboard: real keys on the folder page, and what the session then says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu

from fewshot_gui.engine.commands import LabelPictures, RemoveCategory, SetShortcut
from fewshot_gui.engine.deciding.keys import PROGRAM_LETTERS
from fewshot_gui.engine.deciding.piles import Pile
from fewshot_gui.engine.deciding.stacks import Stacks
from fewshot_gui.engine.state import By, Decision
from fewshot_gui.gui.inspector.reveal import reveal_row, reveal_rows
from fewshot_gui.gui.query import answer_keys

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def test_the_letters_of_the_program_are_those_that_no_category_gets() -> None:
    assert {key for key in answer_keys._BY_LETTER if key.isalpha()} == PROGRAM_LETTERS


def test_a_letter_names_its_category_whatever_the_case(desk: Any) -> None:
    desk.session.do(SetShortcut(desk.pen, "q"))
    desk.page.piles.teaching.setChecked(False)
    for row, text in ((9, "q"), (10, "Q")):
        desk.page.view.go_to(desk.page.model.order.tolist().index(row))
        QTest.keyClicks(desk.page.view, text)
        assert desk.said(row) == Decision(desk.pen, By.HUMAN)


# Each key ---------------------------------------------------------------------------------------------


def test_enter_accepts_what_is_suggested_and_goes_on(desk: Any) -> None:
    desk.page.piles.choose(Pile.ASK)
    asked = desk.page.model.order.tolist()
    assert sorted(asked) == [7, 8, 9, 10]
    assert desk.cursor == asked[0]
    desk.press(Qt.Key.Key_Return)
    suggested = desk.mug if asked[0] in {7, 9} else desk.pen
    assert desk.said(asked[0]) == Decision(suggested, By.ACCEPTED)
    assert desk.cursor == asked[1]
    desk.press(Qt.Key.Key_Enter)
    assert desk.said(asked[1]) is not None
    assert desk.cursor == asked[2]


def test_category_key_teaches_and_goes_on(desk: Any) -> None:
    desk.go_to(7)
    desk.press(Qt.Key.Key_2)
    assert desk.taught(7) == desk.pen
    assert desk.cursor == 8


def test_category_key_only_labels_where_that_is_wanted(desk: Any) -> None:
    desk.page.piles.teaching.click()
    desk.go_to(7)
    desk.press(Qt.Key.Key_2)
    assert desk.taught(7) is None
    assert desk.said(7) == Decision(desk.pen, By.HUMAN)
    assert desk.cursor == 8


@pytest.mark.parametrize("key", [Qt.Key.Key_0, Qt.Key.Key_N])
def test_none_of_these(desk: Any, key: Qt.Key) -> None:
    desk.go_to(7)
    desk.press(key)
    assert desk.said(7) == Decision(None, By.HUMAN)
    assert desk.cursor == 8


@pytest.mark.parametrize("key", [Qt.Key.Key_Backspace, Qt.Key.Key_Delete])
def test_withdrawing_takes_back_labels_and_lessons(desk: Any, key: Qt.Key) -> None:
    desk.go_to(7)
    desk.press(Qt.Key.Key_2, Qt.Key.Key_N)
    for row in (7, 8):
        desk.go_to(row)
        desk.press(key)
        assert desk.said(row) is None
        assert desk.taught(row) is None
        assert desk.cursor == row


def test_r_accepts_the_line_of_tiles(desk: Any) -> None:
    columns = desk.page.view.grid().columns
    desk.go_to(columns + 1)
    desk.press(Qt.Key.Key_R)
    line = range(columns, min(2 * columns, desk.rows))
    assert [row for row in range(desk.rows) if desk.said(row)] == list(line)
    desk.session.undo()
    assert not desk.session.document.labels


def test_chosen_pictures_are_answered_together(desk: Any) -> None:
    desk.page.view.select_rows(np.array([7, 8, 9]))
    desk.press(Qt.Key.Key_N)
    assert [desk.said(row) for row in (7, 8, 9)] == [Decision(None, By.HUMAN)] * 3
    assert desk.page.view.selected_rows().tolist() == [10]
    desk.session.undo()
    assert not desk.session.document.labels


def test_arrows_move(desk: Any) -> None:
    desk.go_to(0)
    desk.press(Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left)
    assert desk.cursor == 1
    assert not desk.session.document.labels


def test_key_of_a_category_comes_before_that_of_the_program(desk: Any) -> None:
    desk.page.piles.teaching.click()
    desk.session.do(SetShortcut(desk.pen, "n"))
    desk.go_to(7)
    desk.press(Qt.Key.Key_N, Qt.Key.Key_0)
    assert desk.said(7) == Decision(desk.pen, By.HUMAN)
    assert desk.said(8) == Decision(None, By.HUMAN)


def test_other_keys_and_keys_with_modifiers_say_nothing(desk: Any) -> None:
    desk.go_to(7)
    before = desk.session.document
    desk.press(Qt.Key.Key_9, Qt.Key.Key_X)
    desk.press(Qt.Key.Key_1, Qt.Key.Key_N, modifier=CTRL)
    desk.press(Qt.Key.Key_N, modifier=SHIFT)
    assert desk.session.document is before


@pytest.mark.parametrize(("text", "says"), [("2", True), ("é", False)])
def test_digits_that_are_typed_with_shift_are_digits(desk: Any, text: str, says: bool) -> None:
    """French keyboards have é on the key of 2; before, only the number pad did anything there."""
    desk.go_to(7)
    QApplication.sendEvent(desk.page.view, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_2, SHIFT, text))
    assert desk.taught(7) == (desk.pen if says else None)


def test_key_that_is_held_down_answers_once(desk: Any) -> None:
    desk.go_to(7)
    for repeated in (False, True, True):
        event = QKeyEvent(
            QEvent.Type.KeyPress, Qt.Key.Key_N, Qt.KeyboardModifier.NoModifier, "n", repeated, 1
        )
        QApplication.sendEvent(desk.page.view, event)
    assert [row for row in range(desk.rows) if desk.said(row)] == [7]


def test_keys_typed_into_a_field_answer_nothing(desk: Any) -> None:
    field = QLineEdit(desk.page)
    field.show()
    desk.go_to(7)
    before = desk.session.document
    field.setFocus()
    QTest.keyClicks(field, "1nr0")
    QTest.keyClick(field, Qt.Key.Key_Backspace)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.text() == "1nr"
    assert desk.session.document is before


# No wrong picture -------------------------------------------------------------------------------------


def test_paging_fast_before_pictures_are_decoded_labels_the_one_at_the_cursor(desk: Any) -> None:
    """X-AnyLabeling#310: with a slow decoder, labels went to the picture that was shown before."""
    desk.page.piles.teaching.click()
    desk.go_to(0)
    for step in range(desk.rows - 1):  # nothing is ever decoded: the library keeps every wish
        assert desk.cursor == step
        desk.press(Qt.Key.Key_1 if step % 2 else Qt.Key.Key_2)
    wanted = [desk.mug if row % 2 else desk.pen for row in range(desk.rows - 1)]
    assert [desk.said(row).category for row in range(desk.rows - 1)] == wanted
    desk.world.library.answer()  # all of them come late
    assert [desk.said(row).category for row in range(desk.rows - 1)] == wanted


def test_enter_accepts_the_suggestion_that_was_drawn(desk: Any) -> None:
    desk.go_to(7)
    turned = [*desk.sure, [0.1, 0.9], *desk.doubt[1:], [0.5, 0.5]]
    desk.say(desk.world.scores(turned, rejected=[11], version=2))  # not painted yet
    desk.press(Qt.Key.Key_Return)
    assert desk.said(7) == Decision(desk.mug, By.ACCEPTED)
    desk.go_to(7)
    desk.press(Qt.Key.Key_Return)
    assert desk.said(7) == Decision(desk.pen, By.ACCEPTED)


def test_picture_that_was_written_anew_is_not_labelled_unseen(desk: Any) -> None:
    desk.go_to(7)
    ids = desk.world.gallery.ids
    seen, ids[7] = ids[7], "f" * 32
    desk.press(Qt.Key.Key_N)
    labels = desk.session.document.labels
    assert seen in labels
    assert "f" * 32 not in labels


def test_key_after_another_folder_was_opened_answers_nothing(desk: Any) -> None:
    desk.go_to(7)
    before = desk.session.document
    desk.world.gallery.show("/others", desk.rows)
    desk.press(Qt.Key.Key_N, Qt.Key.Key_1, Qt.Key.Key_Return)
    assert desk.session.document is before


def test_suggestion_of_a_category_that_is_gone_is_not_accepted(desk: Any) -> None:
    desk.go_to(4)
    desk.session.do(RemoveCategory(desk.pen))
    desk.press(Qt.Key.Key_Return)
    assert desk.said(4) is None


def test_word_of_a_person_stays_when_a_suggestion_is_accepted(desk: Any) -> None:
    desk.session.do(LabelPictures((desk.world.gallery.ids[0],), desk.pen))
    desk.go_to(0)
    desk.press(Qt.Key.Key_Return)
    assert desk.said(0) == Decision(desk.pen, By.HUMAN)


def test_keys_in_the_large_view_answer_the_picture_that_is_shown_there(desk: Any) -> None:
    desk.page.piles.teaching.click()
    viewer = desk.page.enlarge(desk.page.model.index(7))
    for key in (Qt.Key.Key_2, Qt.Key.Key_N, Qt.Key.Key_Return):
        QTest.keyClick(viewer, key)
    assert [desk.said(row) for row in (7, 8, 9)] == [
        Decision(desk.pen, By.HUMAN), Decision(None, By.HUMAN), Decision(desk.mug, By.ACCEPTED),
    ]  # fmt: skip
    assert desk.cursor == 10
    desk.page.piles.teaching.click()
    QTest.keyClick(viewer, Qt.Key.Key_1)
    assert desk.taught(10) == desk.mug
    viewer.close()


def test_menu_of_a_tile_answers(desk: Any) -> None:
    desk.go_to(7)
    desk.page.view.customContextMenuRequested.emit(desk.page.view.rect().center())
    menu = desk.page.findChild(QMenu, "tileMenu")
    next(action for action in menu.actions() if action.text().startswith("None of these")).trigger()
    assert desk.said(7) == Decision(None, By.HUMAN)
    menu.close()


# The cursor stays -------------------------------------------------------------------------------------


def test_picture_at_the_cursor_stays_when_the_order_to_ask_changes(desk: Any) -> None:
    desk.page.piles.choose(Pile.ASK)
    desk.press(Qt.Key.Key_Right)
    before, cursor = desk.page.model.order.tolist(), desk.cursor
    # All are sure now but two others: what lies ahead changes, what is at the cursor or before it does not.
    rows = [[0.5, 0.5], [0.52, 0.48], *desk.sure[2:], *[[0.999, 0.001]] * 4, [0.5, 0.5]]
    desk.say(desk.world.scores(rows, rejected=[11], version=2))
    assert desk.page.model.order.tolist() == before, "it waits a moment"
    desk.page.model.follow()
    assert desk.cursor == cursor
    assert desk.page.model.order.tolist()[:2] == before[:2]
    assert sorted(desk.page.model.order.tolist()[2:]) == [0, 1]
    assert desk.page.view.selected_rows().tolist() == [cursor]


def test_answered_ones_stay_listed_behind_the_cursor(desk: Any) -> None:
    desk.page.piles.choose(Pile.ASK)
    asked = desk.page.model.order.tolist()
    desk.press(Qt.Key.Key_N, Qt.Key.Key_N)
    desk.page.model.follow()
    assert desk.page.model.order.tolist()[:3] == asked[:3]
    assert desk.cursor == asked[2]
    desk.press(Qt.Key.Key_Left, Qt.Key.Key_Backspace)
    assert desk.said(asked[1]) is None


def test_order_to_ask_follows_by_itself(desk: Any, qtbot: QtBot) -> None:
    desk.page.piles.choose(Pile.ASK)
    rows = [[0.5, 0.5], *desk.sure[1:], *desk.doubt, [0.5, 0.5]]
    with qtbot.waitSignal(desk.page.model.advanced):
        desk.say(desk.world.scores(rows, rejected=[11], version=2))
    assert 0 in desk.page.model.order.tolist()


# Brought to light by others ---------------------------------------------------------------------------


@pytest.mark.parametrize("pile", [Pile.SURE, Pile.NONE_OF_THESE, Pile.DECIDED])
def test_what_is_asked_for_is_chosen_whatever_hides_it(desk: Any, pile: Pile) -> None:
    """Before, a pile stayed: nothing was chosen, and a key taught what had been chosen before."""
    desk.go_to(0)
    desk.page.piles.choose(pile)
    assert reveal_rows(desk.page, np.array([7, 8])) == 2
    assert desk.page.piles.pile is None
    assert desk.page.selected_rows().tolist() == [7, 8]
    desk.press(Qt.Key.Key_2)
    assert [desk.taught(row) for row in (0, 7, 8)] == [None, desk.pen, desk.pen]


def test_a_filter_goes_only_where_it_hides_something(desk: Any) -> None:
    desk.page.bar.chips.choose(desk.mug)
    reveal_row(desk.page, 1)
    assert desk.page.model.arrangement.only == desk.mug
    reveal_row(desk.page, 5)
    assert desk.page.model.arrangement.only is None
    assert desk.page.selected_rows().tolist() == [5]


def test_of_rows_that_are_not_listed_none_is_chosen(desk: Any) -> None:
    desk.go_to(0)
    assert reveal_rows(desk.page, np.array([99])) == 0
    assert desk.page.selected_rows().tolist() == []


# A filter, and back -------------------------------------------------------------------------------------


def test_what_a_filter_takes_away_is_chosen_no_more_and_that_is_told(desk: Any, qtbot: QtBot) -> None:
    """Before, the right side went on explaining a picture that was not shown any more."""
    desk.go_to(5)
    told: list[list[int]] = []
    desk.page.selectionChanged.connect(lambda rows: told.append(rows.tolist()))
    desk.page.bar.chips.choose(desk.mug)
    qtbot.waitUntil(lambda: told == [[]], timeout=5000)
    desk.page.bar.chips.choose(None)
    assert desk.cursor == 5, "the keys go on from there"


def test_the_page_hands_its_keys_to_what_it_shows(desk: Any) -> None:
    """Before, no key worked after a folder was opened until a picture was clicked."""
    desk.page.setFocus()
    assert desk.page.focusWidget() is desk.page.view
    assert desk.page.view.currentIndex().isValid()
    desk.page.bar.chips.choose(desk.mug)
    desk.page.piles.choose(Pile.DECIDED)
    desk.page.setFocus()
    assert desk.page.focusWidget().objectName() == "showAllButton"


# Stacks -----------------------------------------------------------------------------------------------


def with_stack(desk: Any, *members: int) -> None:
    of = np.arange(desk.rows, dtype=np.int32)
    of[list(members)] = members[0]
    desk.page.model.set_stacks(Stacks(of))


def test_stack_is_one_tile_with_its_number(desk: Any) -> None:
    with_stack(desk, 7, 8, 9)
    assert desk.page.model.order.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 10, 11]
    position = desk.page.model.position_of(7)
    assert position is not None
    assert desk.page.model.tile(position).stack == 3
    assert "3 look-alikes" in desk.page.model.sentence(position)


def test_a_picture_within_a_stack_can_be_brought_to_light(desk: Any) -> None:
    with_stack(desk, 7, 8, 9)
    assert reveal_rows(desk.page, np.array([8, 10])) == 2
    assert sorted(desk.page.selected_rows().tolist()) == [8, 10]
    desk.press(Qt.Key.Key_2)
    assert [desk.taught(row) for row in (7, 8, 9, 10)] == [None, desk.pen, None, desk.pen]


def test_stack_is_labelled_as_one(desk: Any) -> None:
    with_stack(desk, 7, 8, 9)
    desk.go_to(7)
    desk.press(Qt.Key.Key_N)
    assert [desk.said(row) for row in (7, 8, 9)] == [Decision(None, By.HUMAN)] * 3
    assert desk.cursor == 10
    desk.session.undo()
    assert not desk.session.document.labels


def test_one_of_a_stack_is_taught_and_the_others_labelled(desk: Any) -> None:
    with_stack(desk, 7, 8, 9)
    desk.go_to(7)
    desk.press(Qt.Key.Key_2)
    assert desk.taught(7) == desk.pen
    assert [desk.taught(row) for row in (8, 9)] == [None, None]
    assert [desk.said(row) for row in (8, 9)] == [Decision(desk.pen, By.HUMAN)] * 2
    desk.session.undo()
    assert desk.taught(7) is None
    assert not desk.session.document.labels


def test_accepting_a_stack_accepts_what_its_tile_shows(desk: Any) -> None:
    with_stack(desk, 7, 8, 9)
    desk.go_to(7)
    desk.press(Qt.Key.Key_Return)
    assert [desk.said(row) for row in (7, 8, 9)] == [Decision(desk.mug, By.ACCEPTED)] * 3


def test_word_of_a_person_within_a_stack_stays(desk: Any) -> None:
    desk.session.do(LabelPictures((desk.world.gallery.ids[8],), desk.pen))
    with_stack(desk, 7, 8, 9)
    desk.go_to(7)
    desk.press(Qt.Key.Key_N)
    assert desk.said(8) == Decision(desk.pen, By.HUMAN)
    assert desk.said(9) == Decision(None, By.HUMAN)


def test_space_opens_a_stack_and_a_click_on_the_number_closes_it(desk: Any) -> None:
    with_stack(desk, 7, 9, 11)
    desk.go_to(7)
    desk.press(Qt.Key.Key_Space)
    assert desk.page.model.order.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 8, 10]
    assert desk.cursor == 7
    desk.press(Qt.Key.Key_N)
    assert [row for row in range(desk.rows) if desk.said(row)] == [7]
    position = desk.page.model.position_of(9)
    assert position is not None
    rect = desk.page.view.visualRect(desk.page.model.index(position))
    corner = rect.topRight()
    QTest.mouseClick(
        desk.page.view.viewport(),
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
        corner - type(corner)(16, -18),
    )
    assert 9 not in desk.page.model.order.tolist()


def test_a_pointer_that_moves_on_from_the_number_chooses_nothing(desk: Any) -> None:
    """Before, all from the last press on were chosen."""
    with_stack(desk, 7, 9, 11)
    desk.go_to(0)
    view, model = desk.page.view, desk.page.model
    position = model.position_of(7)
    assert position is not None
    number = view.visualRect(model.index(position)).topRight() - QPoint(16, -18)
    elsewhere = view.visualRect(model.index(2)).center()
    _left_button(view, QEvent.Type.MouseButtonPress, number)
    for _ in range(2):
        _left_button(view, QEvent.Type.MouseMove, elsewhere)
    _left_button(view, QEvent.Type.MouseButtonRelease, elsewhere)
    assert 9 in model.order.tolist()[8:10], "the stack is open"
    assert view.selected_rows().tolist() == [0]
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=elsewhere)
    assert view.selected_rows().tolist() == [2]


def _left_button(view: Any, kind: QEvent.Type, point: QPoint) -> None:
    left, where = Qt.MouseButton.LeftButton, point.toPointF()
    held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else left
    whole = view.viewport().mapToGlobal(where)
    event = QMouseEvent(kind, where, whole, left, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(view.viewport(), event)


def test_a_key_at_a_cursor_that_has_chosen_nothing_goes_on_from_there(desk: Any) -> None:
    """Whoever came by Tab taught a picture of a filter, and was thrown to its end or to nowhere."""
    desk.page.bar.chips.choose(desk.mug)
    view = desk.page.view
    view.clearSelection()
    view.selectionModel().setCurrentIndex(
        desk.page.model.index(0), QItemSelectionModel.SelectionFlag.NoUpdate
    )
    view.setFocus()
    view.grab()
    row = desk.cursor
    desk.press(Qt.Key.Key_2)
    assert desk.taught(row) == desk.pen
    assert 0 <= view.currentIndex().row() <= 1
    desk.press(Qt.Key.Key_2)
    assert len([each for each in range(12) if desk.taught(each) == desk.pen]) == 2


def test_the_large_view_of_a_cursor_that_has_chosen_nothing_stays(desk: Any) -> None:
    desk.page.bar.chips.choose(desk.mug)
    desk.page.view.clearSelection()
    viewer = desk.page.enlarge(desk.page.model.index(1))
    QTest.keyClick(viewer, Qt.Key.Key_2)
    assert viewer.isVisible()
    viewer.close()
