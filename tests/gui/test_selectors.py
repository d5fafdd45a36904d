"""The choices in the header: what is listed, what a choice does, and the line where one does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem, QWidget

from fewshot_gui.core.backbones.bundle_info import BundleError, BundleProblem
from fewshot_gui.core.backbones.fits import Misfit
from fewshot_gui.engine.commands import AddCategory, AddExamples, ChooseLearner, new_category_id
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.predictor_status import LEARNER, SUPPORT, PredictorStatus
from fewshot_gui.engine.state import Example
from fewshot_gui.gui import selectors
from fewshot_gui.gui.header import Header
from fewshot_gui.gui.learner_offers import Offer, Task
from fewshot_gui.gui.row_list import Choice, Row
from fewshot_gui.gui.selectors import Selectors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from fewshot_gui.engine.session import Session
    from fewshot_gui.gui.theme import Appearance

Key = Qt.Key
FIVE = 5
"""What the memory network of these tests knows at most."""


def offers(task: Task) -> list[Offer]:
    """A shelf with one bundle for SNAIL, and a memory network in use that knows five categories."""
    many = Misfit.TOO_MANY_WAYS if task.ways > FIVE else None
    pixels = Misfit.TOO_MANY_PICTURES if task.pictures > 1000 else None
    other = task.backbone != "omniglot-snail"
    return [
        Offer("prototypical", "prototype"),
        Offer("ridge", "baseline"),
        Offer("mann", "learned", many, FIVE if many else None),
        Offer(
            "snail",
            "learned",
            Misfit.NEEDS_OWN_BUNDLE if other else None,
            bundle="omniglot-snail" if other else "",
        ),
        Offer("feat", "learned", Misfit.NEEDS_OWN_BUNDLE),
        Offer("maml", "gradient", pixels),
    ]


class Teller:
    """A predictor and a gallery that say what a test says."""

    def __init__(self) -> None:
        self.status = PredictorStatus()
        self.status_changed: Event[[PredictorStatus]] = Event()
        self.listed: Event[[]] = Event()
        self.cleared: Event[[]] = Event()
        self.count = 0

    def say(self, problem: str | None, detail: str = "") -> None:
        self.status_changed.emit(PredictorStatus(problem=problem, detail=detail))


@pytest.fixture
def listed(qtbot: QtBot, session: Session, appearance: Appearance, monkeypatch: Any) -> Iterator[Selectors]:
    monkeypatch.setattr(selectors, "offers_for", offers)
    session.do(ChooseLearner("prototypical"))
    host = QWidget()
    qtbot.addWidget(host)
    result = Selectors(session, host)
    result.learner.resize(200, 32)
    host.show()
    yield result
    result.release()


def teach(session: Session, categories: int) -> None:
    for _ in range(categories):
        category, name = new_category_id(), f"{len(session.document.categories):032x}"
        session.do(AddCategory(category, f"c{name}"))
        session.do(AddExamples(category, (Example(name, "x"),)))  # type: ignore[arg-type]


def pick(choice: Choice, value: str) -> None:
    index = choice.findData(value)
    assert choice.is_enabled(index)
    choice.setCurrentIndex(index)
    choice.activated.emit(index)


# The list ---------------------------------------------------------------------------------------------------


def test_learners_stand_under_the_headings_of_their_families(listed: Selectors) -> None:
    choice = listed.learner
    rows = [(choice.itemText(index), choice.is_heading(index)) for index in range(choice.count())]
    assert [text for text, heading in rows if heading] == [
        "Prototypes", "Classic", "Learned heads", "Adapting networks",
    ]  # fmt: skip
    assert rows[1] == ("Prototypes", False)
    assert not any(choice.is_enabled(index) for index in range(choice.count()) if choice.is_heading(index))


def test_each_learner_has_its_line_and_what_does_not_fit_its_reason(listed: Selectors) -> None:
    choice = listed.learner
    lines = {value: choice.line(choice.findData(value)) for value in ("ridge", "snail", "feat")}
    assert lines["ridge"].startswith("Learns what sets the categories apart.")
    assert lines["snail"] == "Needs its own weights: choose omniglot-snail"
    assert lines["feat"] == "Needs its own weights, and none are installed"
    assert choice.is_faded(choice.findData("snail"))
    assert choice.is_enabled(choice.findData("snail"))
    assert not choice.is_enabled(choice.findData("feat"))
    assert not choice.is_faded(choice.findData("ridge"))
    spoken = choice.itemData(choice.findData("snail"), Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "SNAIL. Needs its own weights: choose omniglot-snail"


def test_keys_pass_over_headings_and_what_cannot_be_had(listed: Selectors, session: Session) -> None:
    listed.learner.setFocus()
    QTest.keyClick(listed.learner, Key.Key_Down)
    assert session.document.settings.learner == "ridge"
    QTest.keyClick(listed.learner, Key.Key_End)
    assert session.document.settings.learner == "maml"
    QTest.keyClick(listed.learner, Key.Key_Home)
    assert session.document.settings.learner == "prototypical"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_row_is_painted(listed: Selectors, appearance: Appearance, theme: Any) -> None:
    appearance.choose(theme)
    choice = listed.learner
    choice.showPopup()
    heights = [choice.view().sizeHintForIndex(choice.model().index(row, 0)).height() for row in (0, 1)]
    assert heights[0] < heights[1]
    assert not choice.view().grab().isNull()
    option = QStyleOptionViewItem()
    option.state = QStyle.StateFlag.State_Selected
    assert choice.itemDelegate().sizeHint(option, choice.model().index(1, 0)).height() == heights[1]
    choice.hidePopup()


def test_a_narrow_box_cuts_its_words_and_never_more_than_that(qtbot: QtBot, appearance: Appearance) -> None:
    choice = Choice("x", "X")
    qtbot.addWidget(choice)
    choice.offer([Row("a", "A very long title that nobody has room for"), Row("b", "B")], "a")
    wide = choice.sizeHint().width()
    assert choice.minimumSizeHint().width() < wide
    choice.resize(choice.minimumSizeHint())
    narrow = choice.grab()
    assert not narrow.isNull()
    choice.show_value("b")
    assert choice.sizeHint().width() == wide, "the header would move"


def test_a_list_with_more_rows_than_are_in_view_has_a_scroll_bar(
    qtbot: QtBot, appearance: Appearance
) -> None:
    choice = Choice("x", "X")
    qtbot.addWidget(choice)
    choice.offer([Row(str(number), f"Row {number}", "and what it is") for number in range(30)], "0")
    choice.show()
    choice.showPopup()
    bar = choice.view().verticalScrollBar()
    assert bar.maximum() > 0
    qtbot.waitUntil(bar.isVisible)
    choice.hidePopup()


def test_what_is_not_in_the_list_is_shown_as_it_is_called(qtbot: QtBot) -> None:
    choice = Choice("x", "X")
    qtbot.addWidget(choice)
    choice.offer([Row("a", "A")], "/home/ada/own.safetensors")
    assert choice.currentText() == "own.safetensors"
    picked: list[str] = []
    choice.picked.connect(picked.append)
    choice.show_value("a")
    assert not picked


# Choosing ---------------------------------------------------------------------------------------------------


def test_another_backbone_is_offered_first_and_comes_with_the_learner_as_one_step(
    listed: Selectors, session: Session
) -> None:
    pick(listed.learner, "snail")
    assert session.document.settings.learner == "prototypical"
    assert listed.learner.currentText() == "Prototypes"
    assert not listed.notice.isHidden()
    assert listed.notice.button.text() == "Use SNAIL with omniglot-snail"
    listed.notice.button.click()
    settings = session.document.settings
    assert (settings.learner, settings.backbone) == ("snail", "omniglot-snail")
    assert listed.notice.isHidden()
    session.undo()
    settings = session.document.settings
    assert (settings.learner, settings.backbone) == ("prototypical", "photo")


def test_an_offer_can_be_left_and_goes_when_something_else_is_chosen(
    listed: Selectors, session: Session
) -> None:
    pick(listed.learner, "snail")
    listed.notice.dismiss.click()
    assert listed.notice.isHidden()
    pick(listed.learner, "snail")
    pick(listed.learner, "ridge")
    assert listed.notice.isHidden()
    pick(listed.learner, "snail")
    pick(listed.learner, "ridge")
    assert listed.notice.isHidden()
    assert session.document.settings.learner == "ridge"


def test_a_sixth_category_is_told_in_one_line_with_a_way_out(listed: Selectors, session: Session) -> None:
    teach(session, FIVE)
    pick(listed.learner, "mann")
    assert listed.notice.isHidden()
    teach(session, 1)
    assert session.document.settings.learner == "mann"
    assert listed.notice.words.text() == (
        "Memory network knows at most 5 categories, and more have examples now."
    )
    assert listed.notice.dismiss.isHidden()
    listed.notice.button.click()
    assert session.document.settings.learner == "prototypical"
    assert listed.notice.isHidden()


def test_undoing_the_sixth_category_takes_the_line_away(listed: Selectors, session: Session) -> None:
    teach(session, FIVE)
    session.do(ChooseLearner("mann"))
    teach(session, 1)
    assert not listed.notice.isHidden()
    session.undo()
    assert listed.notice.isHidden()


def test_a_large_folder_is_too_much_for_an_adapting_network(listed: Selectors, session: Session) -> None:
    teller = Teller()
    listed.follow(teller, teller)  # type: ignore[arg-type]
    session.do(ChooseLearner("maml"))
    assert listed.notice.isHidden()
    teller.count = 2000
    teller.listed.emit()
    assert "too many pictures for MAML" in listed.notice.words.text()
    teller.count = 0
    teller.cleared.emit()
    assert listed.notice.isHidden()


@pytest.mark.parametrize("problem", [SUPPORT, LEARNER])
def test_what_nobody_foresaw_is_told_too(listed: Selectors, session: Session, problem: str) -> None:
    teller = Teller()
    listed.follow(teller, teller)  # type: ignore[arg-type]
    session.do(ChooseLearner("ridge"))
    teller.say(problem, "the facts")
    assert listed.notice.words.text() == "Ridge regression cannot learn from these examples."
    assert listed.notice.words.toolTip() == "the facts"
    assert listed.notice.button.text() == "Use Prototypes"
    teller.say("missing")
    assert listed.notice.isHidden(), "a backbone that is gone is told elsewhere"


def test_no_other_learner_is_offered_in_the_place_of_the_simplest(listed: Selectors) -> None:
    teller = Teller()
    listed.follow(teller, teller)  # type: ignore[arg-type]
    teller.say(SUPPORT)
    assert not listed.notice.isHidden()
    assert listed.notice.button.isHidden()


def test_after_release_nothing_follows(listed: Selectors, session: Session) -> None:
    listed.release()
    session.do(ChooseLearner("ridge"))
    assert listed.learner.currentText() == "Prototypes"


def test_a_backbone_that_is_broken_is_refused_with_its_reason(
    listed: Selectors, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str) -> None:
        raise BundleError(BundleProblem.NOT_A_BUNDLE, name, "torn")

    monkeypatch.setattr(selectors, "describe_bundle", broken)
    said: list[str] = []
    listed.refused.connect(said.append)
    pick(listed.backbone, "omniglot-conv4")
    assert said == ["This backbone cannot be used: torn"]
    assert session.document.settings.backbone == "photo"


def test_the_last_row_of_the_backbones_leads_to_more(listed: Selectors, session: Session) -> None:
    asked: list[bool] = []
    listed.moreWanted.connect(lambda: asked.append(True))
    choice = listed.backbone
    assert choice.itemText(choice.count() - 1) == "More backbones…"
    pick(choice, choice.itemData(choice.count() - 1))
    assert asked == [True]
    assert (choice.currentData(), session.document.settings.backbone) == ("photo", "photo")


# The header -------------------------------------------------------------------------------------------------


@pytest.fixture
def make_header(
    qtbot: QtBot, session: Session, appearance: Appearance, monkeypatch: Any
) -> Callable[..., Header]:
    monkeypatch.setattr(selectors, "offers_for", offers)

    def make(*names: str) -> Header:
        actions = {name: QAction(name) for name in ("undoAction", "redoAction", *names)}
        header = Header(session, actions)
        header.actions_of_the_test = actions  # type: ignore[attr-defined]
        qtbot.addWidget(header)
        header.show()
        return header

    return make


def test_everything_fits_a_small_screen_with_its_words(make_header: Callable[..., Header]) -> None:
    header = make_header("sortAction")
    header.resize(1366, header.sizeHint().height())
    assert header.minimumSizeHint().width() <= 1024
    assert header.sizeHint().width() <= 1366


def test_sorting_has_a_button_only_where_there_is_such_an_action(make_header: Callable[..., Header]) -> None:
    assert make_header().findChild(QWidget, "sortButton") is None
    header = make_header("sortAction")
    action, asked = header.actions_of_the_test["sortAction"], []  # type: ignore[attr-defined]
    action.triggered.connect(lambda: asked.append(True))
    button: Any = header.findChild(QWidget, "sortButton")
    assert button.text() == "Sort…"
    button.click()
    assert asked == [True]
    action.setEnabled(False)
    assert not button.isEnabled()


def test_the_line_stands_below_the_choices_and_takes_no_room_while_all_is_well(
    make_header: Callable[..., Header], appearance: Appearance
) -> None:
    header, teller = make_header(), Teller()
    header.follow(teller, teller, appearance)  # type: ignore[arg-type]
    low = header.sizeHint().height()
    header.notice.ask(Offer("snail", "learned", Misfit.NEEDS_OWN_BUNDLE, None, "omniglot-snail"))
    assert header.sizeHint().height() > low
    appearance.choose("dark")
    assert not header.notice.icon.pixmap().isNull()
    header.selectors.release()


def test_a_header_that_is_gone_does_not_follow_the_theme(
    make_header: Callable[..., Header], appearance: Appearance
) -> None:
    header, teller = make_header(), Teller()
    header.follow(teller, teller, appearance)  # type: ignore[arg-type]
    header.selectors.release()
    shiboken6.delete(header)
    appearance.choose("dark")
    assert not teller.status_changed._listeners


@pytest.mark.parametrize(("width", "told"), [(320, True), (104, False)])
def test_a_box_names_what_is_chosen_in_it_where_there_is_room(
    qtbot: QtBot, appearance: Appearance, width: int, told: bool
) -> None:
    pictures = []
    for named in (False, True):
        choice = Choice("some", "Backbone", named=named)
        qtbot.addWidget(choice)
        choice.offer([Row("photo", "Photos")], "photo")
        choice.resize(width, choice.sizeHint().height())
        pictures.append(choice.grab().toImage())
    assert (pictures[0] != pictures[1]) is told
