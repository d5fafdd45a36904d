"""The bar of the piles: counts, the slider, a whole pile at once, stacks from a lane, what is remembered."""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QSlider, QToolButton

from fewshot_gui.engine.commands import LabelPictures, RemoveCategory
from fewshot_gui.engine.deciding.piles import Pile
from fewshot_gui.engine.scores import Said
from fewshot_gui.engine.state import By, Decision
from fewshot_gui.engine.worker import Worker
from fewshot_gui.gui.query import answering
from fewshot_gui.gui.query.folder_page import FolderPage
from fewshot_gui.gui.query.pile_bar import PileBar
from fewshot_gui.gui.query.stack_finder import StackFinder
from fewshot_gui.gui.query.tile import Tile, TileState, tile_of
from fewshot_gui.gui.query.tile_words import sentence, tooltip

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    from pytestqt.qtbot import QtBot

    from fewshot_gui.gui.theme import Appearance

CTRL = Qt.KeyboardModifier.ControlModifier


def words(desk: Any) -> list[str]:
    return [desk.page.piles.choice.button(key).text() for key in ("all", "sure", "ask", "none", "decided")]


# The bar ----------------------------------------------------------------------------------------------


def test_counts_are_live(desk: Any) -> None:
    assert words(desk) == ["All  12", "Sure  7", "Ask me  4", "Surely none  1", "Decided  0"]
    desk.go_to(7)
    desk.press(Qt.Key.Key_Return, Qt.Key.Key_N, Qt.Key.Key_2)
    assert words(desk) == ["All  12", "Sure  7", "Ask me  1", "Surely none  1", "Decided  3"]
    desk.session.undo()
    assert words(desk)[2] == "Ask me  2"


def test_each_pile_shows_its_pictures(desk: Any) -> None:
    for pile, rows in ((Pile.SURE, range(7)), (Pile.ASK, range(7, 11)), (Pile.NONE_OF_THESE, [11])):
        desk.page.piles.choose(pile)
        assert sorted(desk.page.model.order.tolist()) == list(rows)
    desk.page.piles.choose(None)
    assert len(desk.page.model.order) == 12


def test_slider_from_careful_to_bold_moves_pictures_between_piles(desk: Any, qtbot: QtBot) -> None:
    slider = desk.page.findChild(QSlider, "boldnessSlider")
    desk.page.piles.choose(Pile.SURE)
    with qtbot.waitSignal(desk.page.piles.settled):
        slider.setValue(slider.maximum())
    assert desk.counts()[Pile.ASK] == 0
    assert sorted(desk.page.model.order.tolist()) == list(range(11))
    with qtbot.waitSignal(desk.page.piles.settled):
        slider.setValue(0)
    assert desk.counts()[Pile.ASK] >= 4
    assert "99.5 %" in slider.toolTip()


def test_chips_narrow_a_pile(desk: Any) -> None:
    desk.page.piles.choose(Pile.SURE)
    desk.page.bar.chips.choose(desk.pen)
    assert desk.page.model.order.tolist() == [4, 5, 6]
    assert desk.page.piles.accept.text() == "Accept all 3"
    desk.page.piles.accept.click()
    assert sorted(row for row in range(12) if desk.said(row)) == [4, 5, 6]


def test_a_single_one_is_not_called_all(desk: Any) -> None:
    desk.page.piles.choose(Pile.NONE_OF_THESE)
    assert desk.page.piles.accept.text() == "Accept this one"


def test_questions_have_an_order_of_their_own(desk: Any) -> None:
    desk.page.piles.choose(Pile.ASK)
    assert not desk.page.findChild(object, "sortSelector").isEnabled()
    desk.page.piles.choose(Pile.SURE)
    assert desk.page.findChild(object, "sortSelector").isEnabled()


def test_bar_is_hidden_until_two_categories_are_taught(desk: Any) -> None:
    assert desk.page.piles.isVisible()
    desk.page.piles.choose(Pile.ASK)
    desk.session.do(RemoveCategory(desk.pen))
    assert not desk.page.piles.isVisible()
    assert desk.page.piles.pile is None
    desk.session.undo()
    assert desk.page.piles.isVisible()
    desk.world.gallery.show("/empty", 0)
    assert not desk.page.piles.isVisible()


def test_bar_fits_beside_the_other_panels_on_a_small_screen(desk: Any) -> None:
    desk.page.piles.show_counts(dict.fromkeys([None, *Pile], 99_999), 99_999)
    assert desk.page.piles.minimumSizeHint().width() <= 1366 - 300 - 304 - 4 * 8


def test_large_counts_are_short_and_exact_in_the_tooltip(qtbot: QtBot, appearance: Appearance) -> None:
    bar = PileBar()
    qtbot.addWidget(bar)
    bar.show_counts({None: 512_345}, 0)
    assert bar.choice.button("all").text() == "All  512k"
    assert bar.choice.button("all").toolTip() == "All, 512,345"
    bar.show_counts({None: 12_345}, 0)
    assert bar.choice.button("all").text() == "All  12k"
    bar.show_counts({None: 9_876}, 0)
    assert bar.choice.button("all").text() == "All  9,876"


def test_choices_are_remembered(desk: Any, qtbot: QtBot, appearance: Appearance) -> None:
    world = desk.world
    with qtbot.waitSignal(desk.page.piles.settled):
        desk.page.piles.slider.setValue(15)
    desk.page.piles.teaching.click()
    again = FolderPage(world.session, world.gallery, world.predictor, world.library, world.intake, appearance)
    qtbot.addWidget(again)
    assert again.piles.boldness == 0.75
    assert not again.piles.teaching.isChecked()
    assert not again.deciding.answers.teaching


@pytest.mark.parametrize("nonsense", ["bold", 7, None, True])
def test_nonsense_that_was_remembered_is_passed_over(
    world: SimpleNamespace, qtbot: QtBot, appearance: Appearance, nonsense: Any
) -> None:
    world.session.remember("piles.boldness", nonsense)
    page = FolderPage(world.session, world.gallery, world.predictor, world.library, world.intake, appearance)
    qtbot.addWidget(page)
    assert 0 <= page.piles.boldness <= 1


# A whole pile -----------------------------------------------------------------------------------------


def test_whole_pile_is_accepted_and_taken_back_as_one(desk: Any) -> None:
    desk.page.piles.choose(Pile.SURE)
    assert desk.page.piles.accept.text() == "Accept all 7"
    desk.page.view.setFocus()
    desk.press(Qt.Key.Key_Return, modifier=CTRL)
    assert [desk.said(row) for row in (0, 6)] == [
        Decision(desk.mug, By.ACCEPTED), Decision(desk.pen, By.ACCEPTED),
    ]  # fmt: skip
    assert desk.counts()[Pile.DECIDED] == 7
    assert desk.page.pages.currentWidget() is desk.page.pages.none_sure
    desk.session.undo()
    assert not desk.session.document.labels
    assert desk.counts()[Pile.SURE] == 7


def test_all_the_doubtful_ones_are_not_the_main_thing_to_accept(desk: Any) -> None:
    roles = {}
    for pile in (Pile.SURE, Pile.ASK, Pile.NONE_OF_THESE):
        desk.page.piles.choose(pile)
        roles[pile] = desk.page.piles.accept.property("role")
    assert roles == {Pile.SURE: "primary", Pile.ASK: "quiet", Pile.NONE_OF_THESE: "primary"}
    desk.page.piles.choose(Pile.ASK)
    desk.page.piles.accept.click()
    assert desk.counts()[Pile.ASK] == 0, "it still does what it says"


def test_none_of_these_are_accepted_as_such(desk: Any) -> None:
    desk.page.piles.choose(Pile.NONE_OF_THESE)
    desk.page.piles.accept.click()
    assert desk.said(11) == Decision(None, By.ACCEPTED)


def test_all_and_decided_are_no_piles_to_accept(desk: Any) -> None:
    assert not desk.page.piles.accept.isVisible()
    desk.page.view.setFocus()
    desk.press(Qt.Key.Key_Return, modifier=CTRL)
    desk.page.piles.choose(Pile.DECIDED)
    desk.press(Qt.Key.Key_Return, modifier=CTRL)
    assert not desk.session.document.labels


def test_human_word_stays_when_its_pile_is_accepted(desk: Any) -> None:
    desk.session.do(LabelPictures((desk.world.gallery.ids[0],), desk.pen))
    desk.page.piles.choose(Pile.SURE)
    desk.page.piles.accept.click()
    assert desk.said(0) == Decision(desk.pen, By.HUMAN)


def test_large_pile_is_accepted_in_parts_and_is_one_step(
    desk: Any, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "AT_ONCE", 2)
    steps: list[int] = []
    desk.session.changed.connect(lambda _before, after: steps.append(len(after.labels)))
    desk.page.piles.choose(Pile.SURE)
    with qtbot.waitSignal(desk.page.deciding.answers.finished):
        desk.page.piles.accept.click()
        assert steps == [2], "the window draws between the parts"
    assert steps == [2, 4, 6, 7]
    desk.session.undo()
    assert not desk.session.document.labels
    desk.session.redo()
    assert len(desk.session.document.labels) == 7


def test_undo_while_a_large_pile_is_accepted_stops_it(
    desk: Any, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "AT_ONCE", 2)
    desk.page.piles.choose(Pile.SURE)
    with qtbot.waitSignal(desk.page.deciding.answers.finished):
        desk.page.piles.accept.click()
        desk.session.undo()
    assert not desk.session.document.labels
    assert desk.session.can_redo


def test_nothing_to_ask_is_said_kindly(desk: Any) -> None:
    desk.page.piles.choose(Pile.ASK)
    for _ in range(4):
        desk.press(Qt.Key.Key_Return)
    assert desk.page.pages.currentWidget() is desk.page.pages.nothing_to_ask
    desk.session.undo()
    assert desk.page.pages.currentWidget() is desk.page.view
    desk.page.piles.accept.click()
    desk.page.findChild(QPushButton, "nothingToAskButton").click()
    assert desk.page.piles.pile is None
    assert len(desk.page.model.order) == 12


# Marks ------------------------------------------------------------------------------------------------


def test_tile_says_who_said_it(desk: Any) -> None:
    desk.page.piles.teaching.click()
    desk.go_to(0)
    desk.press(Qt.Key.Key_Return, Qt.Key.Key_N, Qt.Key.Key_2)
    desk.page.piles.teaching.click()
    desk.press(Qt.Key.Key_1)
    desk.go_to(11)
    desk.press(Qt.Key.Key_Return)
    tiles = [desk.page.model.tile(position) for position in (0, 1, 2, 3, 4, 11)]
    assert [tile.state for tile in tiles] == [
        TileState.ACCEPTED, TileState.SAID_NONE, TileState.SAID, TileState.TAUGHT, TileState.PREDICTED,
        TileState.ACCEPTED_NONE,
    ]  # fmt: skip
    assert len({bytes(_painted(desk, position)) for position in (0, 1, 2, 3, 4, 11)}) == 6
    assert [sentence(tile).rpartition(", ")[2] for tile in tiles[:4]] == [
        "accepted by you", "said by you", "said by you", "taught by you",
    ]  # fmt: skip
    assert "Marks:" in tooltip(tiles[0])


def _painted(desk: Any, position: int) -> bytes:
    view = desk.page.view
    view.clearSelection()
    index = desk.page.model.index(position)
    view.scrollTo(index)
    image = view.viewport().grab(view.visualRect(index)).toImage()
    return bytes(image.constBits())


def test_every_state_has_its_words(desk: Any) -> None:
    file = desk.world.gallery.files[0]
    assert len({sentence(Tile(0, file, state)) for state in TileState}) == len(TileState)


def test_word_of_a_person_wins_over_the_machine_on_the_tile(desk: Any) -> None:
    scores = desk.usual(taught={0: -2})
    tile = tile_of(0, desk.world.gallery.files[0], scores, {})
    assert tile.state is not TileState.PREDICTED
    assert Said(int(scores.said[0])) is not Said.MACHINE


# Look-alikes ------------------------------------------------------------------------------------------


def _alike(world: SimpleNamespace) -> None:
    """Rows 0 and 1 are the same to the eye, and so are 7, 8 and 9."""
    vectors = np.eye(12, dtype=np.float32)
    vectors[1] = vectors[0]
    vectors[8] = vectors[9] = vectors[7]
    world.gallery.vectors = vectors


def test_stacks_button_folds_look_alikes_and_unfolds_them(desk: Any) -> None:
    _alike(desk.world)
    button = desk.page.findChild(QToolButton, "stacksButton")
    button.click()
    assert desk.page.model.order.tolist() == [0, 2, 3, 4, 5, 6, 7, 10, 11]
    button.click()
    assert len(desk.page.model.order) == 12


def test_stack_in_a_pile_is_about_what_lies_in_that_pile(desk: Any) -> None:
    desk.world.gallery.vectors = np.eye(12, dtype=np.float32)
    desk.world.gallery.vectors[0] = desk.world.gallery.vectors[7]
    desk.world.gallery.vectors[8] = desk.world.gallery.vectors[7]
    desk.page.piles.stacks.click()
    desk.page.piles.choose(Pile.ASK)
    desk.go_to(next(row for row in desk.page.model.order.tolist() if row in {7, 8}))
    desk.press(Qt.Key.Key_N)
    assert [row for row in range(12) if desk.said(row)] == [7, 8]


def test_stacks_are_found_on_a_lane_with_progress(world: SimpleNamespace, qtbot: QtBot) -> None:
    posted: SimpleQueue[Callable[[], None]] = SimpleQueue()
    lane = Worker("stacks", posted.put)
    try:
        world.gallery.show("/a", 12)
        _alike(world)
        finder = StackFinder(world.gallery, lane)
        shares: list[float | None] = []
        finder.progressed.connect(shares.append)
        with qtbot.waitSignal(finder.found) as found:
            finder.turn(on=True)
            assert lane.drain(10)
            while not posted.empty():
                posted.get()()
        assert found.args[0].members(7) == [7, 8, 9]
        assert shares[0] == 0.0
        assert shares[-1] is None
        assert 0 < max(share for share in shares if share is not None) <= 1
        finder.turn(on=False)
        assert not finder.on
    finally:
        assert lane.close(10)


def test_stacks_wait_until_all_pictures_were_looked_at(world: SimpleNamespace, qtbot: QtBot) -> None:
    finder = StackFinder(world.gallery, None)
    world.gallery.show("/a", 12)
    _alike(world)
    world.gallery.embedded = 5
    with qtbot.assertNotEmitted(finder.found):
        finder.turn(on=True)
    world.gallery.embedded = 12
    with qtbot.waitSignal(finder.found):
        world.gallery.progressed.emit(12, 12)
    with qtbot.assertNotEmitted(finder.found):
        world.gallery.progressed.emit(12, 12)


def test_late_stacks_of_a_former_folder_are_dropped(world: SimpleNamespace, qtbot: QtBot) -> None:
    posted: SimpleQueue[Callable[[], None]] = SimpleQueue()
    lane = Worker("stacks", posted.put)
    try:
        world.gallery.show("/a", 12)
        _alike(world)
        finder = StackFinder(world.gallery, lane)
        finder.turn(on=True)
        assert lane.drain(10)
        world.gallery.listing = True
        world.gallery.show("/b", 3)
        with qtbot.assertNotEmitted(finder.found):
            while not posted.empty():
                posted.get()()
    finally:
        assert lane.close(10)


def test_nothing_is_told_to_a_page_that_is_gone(world: SimpleNamespace, appearance: Appearance) -> None:
    posted: SimpleQueue[Callable[[], None]] = SimpleQueue()
    lane = Worker("order", posted.put)
    try:
        page = FolderPage(
            world.session, world.gallery, world.predictor, world.library, world.intake, appearance, lane=lane
        )
        world.gallery.show("/a", 12)
        _alike(world)
        page.deciding.finder.turn(on=True)
        world.predictor.say(world.scores([[0.6, 0.4]] * 12))
        page.piles.choose(Pile.ASK)
        page.model.follow()
        assert lane.drain(10)
        shiboken6.delete(page)
        while not posted.empty():
            posted.get()()
    finally:
        assert lane.close(10)


def test_focus_and_keys_of_the_bar_do_not_answer(desk: Any) -> None:
    desk.page.piles.choose(Pile.ASK)
    button = desk.page.findChild(QToolButton, "keysTeachButton")
    button.setFocus()
    QTest.keyClicks(button, "1n")
    QApplication.processEvents()
    assert not desk.session.document.labels
