"""Warnings on the cards: the mark, its words, the one line for a drop, and the way to the pictures."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.commands import AddCategory, AddExamples, RenameCategory
from fewshot_gui.engine.deciding.warnings import DropWarning, WarningKind
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.pictures import StoredPicture
from fewshot_gui.engine.state import CategoryId, Example
from fewshot_gui.gui.support.panel import SupportPanel
from fewshot_gui.gui.support.warning_marks import Teller, WarningMarks, found_words, warning_words

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from fewshot_gui.engine.session import Session
    from fewshot_gui.gui.support.thumbnail_grid import ThumbnailGrid
    from fewshot_gui.gui.theme import Appearance

MUG, PEN = CategoryId("mug"), CategoryId("pen")
ONE, TWO, THREE = (PictureId(f"{number:032x}") for number in (1, 2, 3))
BLURRED = DropWarning(WarningKind.BLURRED, TWO, measure=0.01)
ANOTHER = DropWarning(WarningKind.LOOKS_LIKE_ANOTHER, TWO, PEN, measure=0.93)
NEAR = DropWarning(WarningKind.NEAR_DUPLICATE, THREE, MUG, ONE)


class Watch:
    """Keeps what a test says."""

    def __init__(self) -> None:
        self.changed: Event[[]] = Event()
        self.found: Event[[tuple[DropWarning, ...]]] = Event()
        self.kept: dict[PictureId, tuple[DropWarning, ...]] = {}

    @property
    def pictures(self) -> tuple[PictureId, ...]:
        return tuple(self.kept)

    def of(self, picture: PictureId) -> tuple[DropWarning, ...]:
        return self.kept.get(picture, ())

    def say(self, *warnings: DropWarning) -> None:
        """Keep these warnings and no others."""
        self.kept = {}
        for each in warnings:
            self.kept[each.picture] = (*self.kept.get(each.picture, ()), each)
        self.changed.emit()


class Intake:
    """Never says anything."""

    def __init__(self) -> None:
        self.pictured: Event[[PictureId]] = Event()
        self.reading: Event[[int, int]] = Event()

    def add_files(self, _paths: list[str], _category: CategoryId | None = None) -> None:
        """What a drop of files comes to."""


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def panel(qtbot: QtBot, session: Session, watch: Watch, appearance: Appearance) -> SupportPanel:
    """Mug with the pictures one and two, Pen with three."""
    for category, name, pictures in ((MUG, "Mug", (ONE, TWO)), (PEN, "Pen", (THREE,))):
        session.do(AddCategory(category, name))
        session.do(AddExamples(category, tuple(Example(each, "camera") for each in pictures)))
        for picture in pictures:
            data = io.BytesIO()
            Image.new("RGB", (60, 60), (90, 90, 160)).save(data, "JPEG")
            session.keep_picture(StoredPicture(picture, data.getvalue()))
    intake: Any = Intake()
    given: Any = watch
    result = SupportPanel(session, intake, appearance, watch=given)
    qtbot.addWidget(result)
    result.resize(300, 600)
    result.show()
    return result


def grid(panel: SupportPanel, category: CategoryId) -> ThumbnailGrid:
    card = panel.cards.card(category)
    assert card is not None
    return card.grid


def drop(panel: SupportPanel) -> None:
    """Paste a file, which is one of the ways to drop."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/p/a.jpg")])
    QGuiApplication.clipboard().setMimeData(data)
    panel.paste()
    QGuiApplication.clipboard().clear()  # else it frees the data only after Python has ended, and crashes


def test_a_mark_lies_on_the_picture_and_goes_when_it_is_solved(panel: SupportPanel, watch: Watch) -> None:
    tiles = grid(panel, MUG)
    place = tiles.shape.warning(1).center()
    before = tiles.grab().toImage().pixelColor(place)
    watch.say(BLURRED)
    assert tiles.grab().toImage().pixelColor(place) != before
    assert tiles.grab().toImage().pixelColor(tiles.shape.warning(0).center()) == before
    watch.say()
    assert tiles.grab().toImage().pixelColor(place) == before


def test_its_words_are_in_the_tooltip_and_for_a_screen_reader(panel: SupportPanel, watch: Watch) -> None:
    watch.say(BLURRED, ANOTHER)
    tiles = grid(panel, MUG)
    words = "It is blurred. The other examples take it for “Pen” (93 %)."
    assert tiles.tip(tiles.shape.cell(1).center()) == f"{words}\nFrom the camera"
    assert tiles.tip(tiles.shape.cell(0).center()) == "From the camera"
    tiles.stand_on(1)
    assert tiles.accessibleDescription() == f"Example 2 of 2, From the camera. {words}"


def test_each_card_has_its_own(panel: SupportPanel, watch: Watch) -> None:
    watch.say(NEAR)
    assert grid(panel, MUG).warning(THREE) == ""
    assert grid(panel, PEN).warning(THREE).startswith("It looks like another example of “Mug”")


def test_a_card_that_is_made_later_has_them_too(panel: SupportPanel, session: Session, watch: Watch) -> None:
    watch.say(NEAR)
    session.undo()
    session.undo()
    session.redo()
    session.redo()
    assert grid(panel, PEN).warning(THREE)


def test_a_drop_is_told_in_one_line_that_leads_to_the_pictures(panel: SupportPanel, watch: Watch) -> None:
    drop(panel)
    watch.found.emit((BLURRED,))
    assert panel.toast.text == "One picture is blurred."
    watch.found.emit((NEAR,))  # the others were asked in the meantime
    assert panel.toast.text == "2 of these pictures are worth a look."
    button = panel.toast.findChild(QPushButton)
    assert button is not None
    assert button.text() == "Show them"
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert grid(panel, MUG).chosen == [TWO]
    assert grid(panel, PEN).chosen == [THREE]
    assert not panel.toast.isVisible()


def test_what_was_taught_elsewhere_is_marked_and_not_announced(panel: SupportPanel, watch: Watch) -> None:
    watch.say(BLURRED)
    watch.found.emit((BLURRED,))
    assert not panel.toast.isVisible()
    assert grid(panel, MUG).warning(TWO)


def test_a_teller_forgets_the_drop_before() -> None:
    teller = Teller()
    assert teller.gather((BLURRED,)) == ()
    teller.expect()
    assert teller.gather((BLURRED,)) == (BLURRED,)
    teller.expect()
    assert teller.gather((NEAR,)) == (NEAR,)
    assert teller.gather((BLURRED,)) == (NEAR, BLURRED)
    assert teller.gather((BLURRED,)) == ()


def test_nobody_watching_says_nothing(session: Session, panel: SupportPanel) -> None:
    marks = WarningMarks(None, session)
    assert marks.of(session.document.category(MUG)) == {}
    assert panel.isVisible()


@pytest.mark.parametrize(
    ("kind", "one", "two"),
    [
        (WarningKind.DUPLICATE, "One picture was there already.", "2 pictures were there already."),
        (
            WarningKind.NEAR_DUPLICATE,
            "One picture is nearly the same as another.",
            "2 pictures are nearly the same as others.",
        ),
        (WarningKind.BLURRED, "One picture is blurred.", "2 pictures are blurred."),
        (
            WarningKind.LOOKS_LIKE_ANOTHER,
            "One picture looks like another category.",
            "2 pictures look like another category.",
        ),
    ],
)
def test_one_kind_is_named(kind: WarningKind, one: str, two: str) -> None:
    assert found_words([DropWarning(kind, ONE)]) == one
    assert found_words([DropWarning(kind, ONE), DropWarning(kind, TWO)]) == two


def test_one_picture_that_is_odd_in_two_ways_is_one() -> None:
    assert found_words([BLURRED, ANOTHER]) == "One of these pictures is worth a look."


def test_words_follow_the_name_of_the_category(panel: SupportPanel, session: Session) -> None:
    moved = DropWarning(WarningKind.DUPLICATE, ONE, PEN, ONE)
    session.do(RenameCategory(PEN, "Pencil"))
    assert warning_words(moved, session.document) == "It was an example of “Pencil” until now."
    assert panel.cards.card(PEN) is not None


def test_the_mark_lies_inside_its_tile(panel: SupportPanel) -> None:
    shape = grid(panel, MUG).shape
    assert shape.cell(1).contains(shape.warning(1))
    assert not shape.warning(1).intersects(shape.badge(1))
    assert shape.position_at(shape.warning(1).center()) == 1
