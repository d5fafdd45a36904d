"""What stands in place of an empty pile leads on: to the questions, and at the end to sorting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QPushButton

from fewshot_gui.engine.deciding.piles import Pile
from fewshot_gui.engine.scores import Special

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def accept(desk: Any, pile: Pile) -> None:
    desk.page.piles.choose(pile)
    desk.page.piles.accept.click()


def press(desk: Any, name: str) -> None:
    button = desk.page.findChild(QPushButton, name)
    assert button.isVisible()
    button.click()


def test_after_the_sure_ones_come_the_questions(desk: Any) -> None:
    accept(desk, Pile.SURE)
    assert desk.page.pages.currentWidget() is desk.page.pages.none_sure
    press(desk, "askNextButton")
    assert desk.page.piles.pile is Pile.ASK
    assert desk.page.pages.currentWidget() is desk.page.view


def test_what_only_may_be_none_of_these_is_among_the_questions(desk: Any) -> None:
    accept(desk, Pile.NONE_OF_THESE)
    assert desk.page.pages.currentWidget() is desk.page.pages.none_foreign
    press(desk, "askForeignButton")
    assert desk.page.piles.pile is Pile.ASK


def test_without_questions_an_empty_pile_does_not_lead_to_them(desk: Any) -> None:
    accept(desk, Pile.ASK)
    accept(desk, Pile.SURE)
    assert desk.page.pages.currentWidget() is desk.page.pages.nothing_left


def test_a_filter_that_leaves_nothing_of_a_pile_says_so(desk: Any) -> None:
    desk.page.piles.choose(Pile.SURE)
    desk.page.bar.chips.chip(Special.NONE_OF_THESE).click()
    assert desk.page.pages.currentWidget() is desk.page.pages.nothing_left


def test_once_everything_is_decided_it_leads_to_sorting(desk: Any, qtbot: QtBot) -> None:
    for pile in (Pile.SURE, Pile.NONE_OF_THESE, Pile.ASK):
        accept(desk, pile)
    assert desk.page.pages.currentWidget() is desk.page.pages.all_decided
    with qtbot.waitSignal(desk.page.sortRequested):
        press(desk, "sortDecidedButton")


def test_each_pile_says_beside_the_pointer_what_lies_in_it(desk: Any) -> None:
    tips = {key: desk.page.piles.choice.button(key).toolTip() for key in ("sure", "ask", "none", "decided")}
    assert all(len(tip.splitlines()) == 2 for tip in tips.values())
    assert tips["none"].startswith("Surely none, 1\n")
    assert "Ask me" in tips["none"]
