"""Comparing learners in the window: what is chosen, what is told, where they disagree, and what follows."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMainWindow

from fewshot_gui.core.backbones.fits import Misfit
from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine.commands import (
    AddCategory,
    AddExamples,
    ChooseBackbone,
    ChooseLearner,
    RemoveCategory,
    RenameCategory,
    new_category_id,
)
from fewshot_gui.engine.comparing import Answer, Comparison, Contender, disagreement
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.predictor_status import SUPPORT
from fewshot_gui.engine.state import Example
from fewshot_gui.gui.compare import dialog as dialog_module
from fewshot_gui.gui.compare.dialog import CompareDialog, compare_learners
from fewshot_gui.gui.compare.disputed_list import shared_room
from fewshot_gui.gui.compare.disputes import contender_title, disputes
from fewshot_gui.gui.learner_offers import Offer, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytestqt.qtbot import QtBot

    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import CategoryId
    from fewshot_gui.gui.theme import Appearance

ROWS = 5


def offers(task: Task) -> list[Offer]:
    many = Misfit.TOO_MANY_WAYS if task.ways > 2 else None
    return [
        Offer("prototypical", "prototype"),
        Offer("nearest", "baseline"),
        Offer("ridge", "baseline"),
        Offer("snail", "learned", Misfit.NEEDS_OWN_BUNDLE, bundle="omniglot-snail"),
        Offer("mann", "learned", many, 2),
        Offer("feat", "learned", Misfit.NEEDS_OWN_BUNDLE),
    ]


class Job:
    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeComparer:
    """Keeps what it is asked, and answers when a test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[Contender, ...]] = []
        self.calls: list[tuple[Callable[..., None], Callable[..., None], Callable[..., None]]] = []
        self.jobs: list[Job] = []

    def start(self, contenders: Sequence[Contender], then: Any, *, progress: Any, failed: Any) -> Job:
        self.asked.append(tuple(contenders))
        self.calls.append((then, progress, failed))
        self.jobs.append(Job())
        return self.jobs[-1]


class Shelf:
    """A library that gives a thumbnail at once."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def thumbnail(self, file: PictureFile, side: int, then: Any, _failed: Any) -> Job:
        self.asked.append(file.path)
        then(np.full((side, side, 3), 90, np.uint8))
        return Job()


class Folder:
    def __init__(self) -> None:
        self.listed: Event[[]] = Event()
        self.cleared: Event[[]] = Event()
        self.folder = "/a"
        self.files = [PictureFile(f"/a/{row}.jpg", 1, row) for row in range(ROWS)]

    @property
    def count(self) -> int:
        return len(self.files)

    def row_of(self, path: str) -> int | None:
        return next((row for row, file in enumerate(self.files) if file.path == path), None)


def teach(session: Session, name: str) -> CategoryId:
    category = new_category_id()
    session.do(AddCategory(category, name))
    picture = f"{len(session.document.categories):032x}"
    session.do(AddExamples(category, (Example(picture, "x"),)))  # type: ignore[arg-type]
    return category


@pytest.fixture
def space(session: Session, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    monkeypatch.setattr(dialog_module, "offers_for", offers)
    ids = [teach(session, "Mug"), teach(session, "Pen")]
    return SimpleNamespace(
        session=session, library=Shelf(), gallery=Folder(), comparer=FakeComparer(), ids=ids
    )


@pytest.fixture
def dialog(qtbot: QtBot, space: SimpleNamespace, appearance: Appearance) -> CompareDialog:
    result = CompareDialog(space, appearance)  # type: ignore[arg-type]
    qtbot.addWidget(result)
    result.show()
    return result


def answer(name: str, best: Sequence[int], accuracy: float | None = 0.5, **more: Any) -> Answer:
    table = np.full((len(best), 2), 0.2, np.float32)
    table[np.arange(len(best)), list(best)] = 0.8
    examined = 0 if accuracy is None else 10
    bundle = more.pop("bundle", "photo")
    contender = Contender(name, bundle if bundle != "photo" else "")
    took = more.pop("milliseconds", 3.0)
    return Answer(contender, bundle, accuracy, examined, took, np.array(best, np.int32), table, **more)


def compared(space: SimpleNamespace, *answers: Answer) -> Comparison:
    counted = [each for each in answers if each.problem is None]
    apart = disagreement(
        np.stack([each.best for each in counted]), np.stack([each.probabilities for each in counted])
    )
    return Comparison(tuple(space.ids), answers, np.arange(len(apart)), apart)


def run(dialog: CompareDialog, space: SimpleNamespace, *answers: Answer) -> None:
    dialog.run.click()
    space.comparer.calls[-1][0](compared(space, *answers))


THREE = (
    answer("prototypical", [0, 0, 1, 0, 1], 0.9),
    answer("nearest", [0, 1, 1, 0, 0], 0.8, milliseconds=0.2),
    answer("ridge", [0, 0, 1, 0, 0], None, milliseconds=2340.0),
)


# Choosing ---------------------------------------------------------------------------------------------------


def test_the_usual_ones_and_the_one_in_use_are_ticked(
    qtbot: QtBot, space: SimpleNamespace, appearance: Appearance
) -> None:
    space.session.do(ChooseLearner("nearest"))
    dialog = CompareDialog(space, appearance)  # type: ignore[arg-type]
    qtbot.addWidget(dialog)
    assert [each.learner for each in dialog.choices.chosen()] == ["prototypical", "nearest", "ridge"]


def test_what_needs_its_own_weights_runs_on_them_and_what_cannot_be_had_is_grey(
    dialog: CompareDialog, space: SimpleNamespace
) -> None:
    boxes = dialog.choices.boxes
    assert not boxes["feat"].isEnabled()
    assert boxes["feat"].toolTip() == "Needs its own weights, and none are installed"
    boxes["snail"].setChecked(True)
    dialog.run.click()
    assert Contender("snail", "omniglot-snail") in space.comparer.asked[-1]


def test_what_stops_fitting_is_left_out(dialog: CompareDialog, space: SimpleNamespace) -> None:
    dialog.choices.boxes["mann"].setChecked(True)
    assert Contender("mann") in dialog.choices.chosen()
    teach(space.session, "Cup")
    assert Contender("mann") not in dialog.choices.chosen()
    space.session.undo()
    assert Contender("mann") in dialog.choices.chosen(), "what was ticked stays ticked"


def test_nothing_can_be_run_without_learners_or_examples(
    dialog: CompareDialog, space: SimpleNamespace
) -> None:
    for box in dialog.choices.boxes.values():
        box.setChecked(False)
    assert not dialog.run.isEnabled()
    assert dialog.note.text() == "Tick at least one learner."
    dialog.choices.boxes["ridge"].setChecked(True)
    assert dialog.run.isEnabled()
    space.session.do(RemoveCategory(space.ids[0]))
    assert not dialog.run.isEnabled()
    assert "at least two categories" in dialog.note.text()


# Running ----------------------------------------------------------------------------------------------------


def test_progress_and_cancel(dialog: CompareDialog, space: SimpleNamespace) -> None:
    assert not dialog.isModal()
    dialog.run.click()
    assert dialog.running
    assert (dialog.run.isHidden(), dialog.cancel.isHidden(), dialog.progress.isHidden()) == (
        True, False, False,
    )  # fmt: skip
    space.comparer.calls[-1][1](0.5)
    assert dialog.progress.value() == 500
    dialog.cancel.click()
    assert space.comparer.jobs[-1].cancelled
    assert dialog.progress.isHidden()
    assert dialog.table.isHidden()


def test_closing_stops_it_and_an_error_is_told(dialog: CompareDialog, space: SimpleNamespace) -> None:
    dialog.run.click()
    space.comparer.calls[-1][2](RuntimeError("the disk is gone"))
    assert dialog.note.text() == "It could not be compared: the disk is gone"
    assert not dialog.running
    dialog.run.click()
    dialog.reject()
    assert space.comparer.jobs[-1].cancelled


def test_a_window_that_is_gone_leaves_no_job_and_no_listener(
    qtbot: QtBot, space: SimpleNamespace, appearance: Appearance
) -> None:
    gone = CompareDialog(space, appearance)  # type: ignore[arg-type]
    gone.run.click()
    shiboken6.delete(gone)
    assert space.comparer.jobs[-1].cancelled
    assert not space.gallery.listed._listeners
    teach(space.session, "Cup")


def test_what_will_stand_there_is_said_before_and_while_it_is_computed(
    dialog: CompareDialog, space: SimpleNamespace
) -> None:
    assert dialog.waiting.isVisible()
    assert dialog.waiting.title.text() == "Not compared yet"
    assert "on which pictures they disagree" in dialog.waiting.text.text()
    dialog.run.click()
    assert dialog.waiting.title.text() == "Comparing…"
    space.comparer.calls[-1][0](compared(space, *THREE))
    assert not dialog.waiting.isVisible()
    assert dialog.table.isVisible()


def test_a_button_closes_it_and_enter_does_not(dialog: CompareDialog, space: SimpleNamespace) -> None:
    assert not dialog.leave.autoDefault()
    dialog.run.click()
    dialog.leave.click()
    assert not dialog.isVisible()
    assert space.comparer.jobs[-1].cancelled


# The table --------------------------------------------------------------------------------------------------


def texts(dialog: CompareDialog) -> list[list[str]]:
    table = dialog.table
    return [
        [item.text() for column in range(3) if (item := table.item(row, column)) is not None]
        for row in range(table.rowCount())
    ]


def test_the_table_says_how_often_and_how_fast(dialog: CompareDialog, space: SimpleNamespace) -> None:
    run(dialog, space, *THREE)
    assert texts(dialog) == [
        ["Prototypes", "9 of 10 (90 %)", "3 ms"],
        ["Nearest example", "8 of 10 (80 %)", "< 1 ms"],
        ["Ridge regression", "Needs two examples in a category", "2.3 s"],
    ]
    best = dialog.table.item(0, 1)
    assert best is not None
    assert best.font().bold()


def test_the_best_comes_first_and_each_row_keeps_its_button(
    dialog: CompareDialog, space: SimpleNamespace
) -> None:
    """Before, they stood as they had run, and the best could lie below the edge."""
    space.session.do(ChooseLearner("prototypical"))
    run(dialog, space, *reversed(THREE), answer("mann", [0, 0, 1, 0, 0], 0.8))
    assert [row[0] for row in texts(dialog)] == [
        "Prototypes", "Nearest example", "Memory network", "Ridge regression",
    ]  # fmt: skip
    dialog.table.button(1).click()
    assert space.session.document.settings.learner == "nearest"
    assert [each.file.path for each in dialog.disputed.disputed.disputes] == ["/a/1.jpg", "/a/4.jpg"]


def test_few_examples_are_no_better_than_many(dialog: CompareDialog, space: SimpleNamespace) -> None:
    """Who takes long is asked about fewer: 10 of 10 say less than 185 of 200."""
    many = replace(answer("ridge", [0, 1]), accuracy=185 / 200, examined=200)
    run(dialog, space, answer("maml", [0, 1], 1.0), many)
    assert texts(dialog)[0][:2] == ["Ridge regression", "185 of 200 (92 %)"]
    best = dialog.table.item(0, 1)
    assert best is not None
    assert best.font().bold()


def test_where_all_are_alike_none_is_the_best(dialog: CompareDialog, space: SimpleNamespace) -> None:
    run(dialog, space, answer("ridge", [0, 1]), answer("nearest", [0, 1]))
    cells = [dialog.table.item(row, 1) for row in range(2)]
    assert [cell.font().bold() for cell in cells if cell is not None] == [False, False]


def test_who_could_not_answer_says_why_and_cannot_be_used(
    dialog: CompareDialog, space: SimpleNamespace
) -> None:
    run(dialog, space, *THREE, answer("mann", [0] * ROWS, None, problem=SUPPORT, detail="at most 5"))
    assert texts(dialog)[-1] == ["Memory network", "Cannot learn from these examples", "–"]
    cell = dialog.table.item(3, 1)
    assert cell is not None
    assert cell.toolTip() == "at most 5"
    assert not dialog.table.button(3).isEnabled()
    broken = answer("snail", [0] * ROWS, None, problem="damaged", bundle="omniglot-snail")
    run(dialog, space, THREE[0], broken)
    assert texts(dialog)[-1][:2] == ["SNAIL · omniglot-snail", "Its weights cannot be used"]


def test_a_learner_can_be_used_from_the_table_in_one_step(
    dialog: CompareDialog, space: SimpleNamespace
) -> None:
    space.session.do(ChooseLearner("prototypical"))
    run(dialog, space, *THREE, answer("snail", [0] * ROWS, bundle="omniglot-snail"))
    assert [dialog.table.button(row).text() for row in range(4)] == ["In use"] + 3 * ["Use this learner"]
    assert not dialog.table.button(0).isEnabled()
    dialog.table.button(2).click()
    settings = space.session.document.settings
    assert (settings.learner, settings.backbone) == ("snail", "omniglot-snail")
    assert dialog.table.button(2).text() == "In use"
    dialog.table.button(1).click()
    settings = space.session.document.settings
    assert (settings.learner, settings.backbone) == ("nearest", "photo"), "as it was compared"
    space.session.undo()
    space.session.undo()
    assert space.session.document.settings.learner == "prototypical"


def test_its_buttons_have_room_for_their_words(
    qtbot: QtBot, dialog: CompareDialog, space: SimpleNamespace
) -> None:
    run(dialog, space, *THREE)
    button = dialog.table.button(1)
    qtbot.waitUntil(lambda: button.width() >= button.sizeHint().width())


# Where they disagree ----------------------------------------------------------------------------------------


def test_disputed_pictures_come_first_with_the_answers_gathered(
    dialog: CompareDialog, space: SimpleNamespace
) -> None:
    run(dialog, space, *THREE)
    model = dialog.disputed.disputed
    assert [each.file.path for each in model.disputes] == ["/a/1.jpg", "/a/4.jpg"]
    assert model.data(model.index(0, 0), Qt.ItemDataRole.AccessibleTextRole) == (
        "1.jpg – Mug: Prototypes, Ridge regression; Pen: Nearest example"
    )
    assert dialog.apart.note.text() == "2 of 5 pictures, the most disputed first"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_they_are_painted_at_any_width(
    qtbot: QtBot, dialog: CompareDialog, space: SimpleNamespace, appearance: Appearance, theme: Any
) -> None:
    run(dialog, space, *THREE)
    space.session.do(RenameCategory(space.ids[0], "A name that is far too long for any chip of any list"))
    appearance.choose(theme)
    for width in (120, 900):
        dialog.disputed.resize(width, 200)
        assert not dialog.disputed.grab().isNull()
    file = dialog.disputed.disputed.disputes[0].file
    qtbot.waitUntil(lambda: dialog.disputed.thumbnails.pixmap(file) is not None)
    assert set(space.library.asked) == {"/a/1.jpg", "/a/4.jpg"}
    assert not dialog.disputed.grab().isNull()


def test_a_click_and_enter_choose_the_picture(dialog: CompareDialog, space: SimpleNamespace) -> None:
    run(dialog, space, *THREE)
    chosen: list[str] = []
    dialog.pictureChosen.connect(chosen.append)
    view = dialog.disputed
    place = view.visualRect(view.model().index(1, 0)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place))
    assert chosen == ["/a/4.jpg"]
    view.setCurrentIndex(view.model().index(0, 0))
    view.activated.emit(view.model().index(0, 0))
    assert chosen[-1] == "/a/1.jpg"
    jobs = len(space.comparer.jobs)
    dialog.show()
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert len(space.comparer.jobs) == jobs, "nor does it begin another comparison"


def test_agreement_and_an_empty_folder_are_said_in_words(
    dialog: CompareDialog, space: SimpleNamespace
) -> None:
    run(dialog, space, answer("ridge", [0, 1]), answer("nearest", [0, 1]))
    assert dialog.apart.note.text() == "Nowhere: the same answer for all 2 pictures"
    run(dialog, space, answer("ridge", [0]), answer("nearest", [0]))
    assert dialog.apart.note.text() == "Nowhere: the same answer for the one picture"
    run(dialog, space, answer("ridge", [0]), answer("nearest", [1]))
    assert dialog.apart.note.text() == "The only picture"
    run(dialog, space, answer("ridge", []), answer("nearest", []))
    assert dialog.apart.note.text() == "No pictures are open to compare on"


def test_pictures_are_those_of_when_it_began(dialog: CompareDialog, space: SimpleNamespace) -> None:
    dialog.run.click()
    space.gallery.files.insert(0, PictureFile("/a/new.jpg", 1, 9))
    space.gallery.listed.emit()
    space.comparer.calls[-1][0](compared(space, *THREE))
    assert [each.file.path for each in dialog.disputed.disputed.disputes] == ["/a/1.jpg", "/a/4.jpg"]


# Following --------------------------------------------------------------------------------------------------


def test_changed_examples_ask_for_another_run(dialog: CompareDialog, space: SimpleNamespace) -> None:
    run(dialog, space, *THREE)
    assert dialog.note.text().startswith("All learned from the same examples.")
    space.session.do(RenameCategory(space.ids[1], "Pencil"))
    assert dialog.note.text().startswith("All learned from the same examples."), "a name teaches nothing"
    model = dialog.disputed.disputed
    assert "Pencil: Nearest example" in str(model.data(model.index(0, 0)))
    teach(space.session, "Cup")
    assert "changed: run again" in dialog.note.text()
    space.session.undo()
    space.session.undo()
    assert dialog.note.text().startswith("All learned from the same examples.")


def test_another_backbone_is_named_on_the_buttons_that_would_bring_it(
    dialog: CompareDialog, space: SimpleNamespace
) -> None:
    """Before, a click on "Use this learner" brought the former backbone back without a word."""
    run(dialog, space, *THREE)
    assert dialog.table.button(1).text() == "Use this learner"
    space.session.do(ChooseBackbone("omniglot-conv4"))
    assert "changed: run again" in dialog.note.text()
    assert {dialog.table.button(row).text() for row in range(3)} == {"Use it on photo"}
    button = dialog.table.button(1)
    assert button.width() >= button.sizeHint().width()


def test_closed_it_rests_and_has_followed_when_it_is_opened_again(
    dialog: CompareDialog, space: SimpleNamespace
) -> None:
    run(dialog, space, *THREE)
    dialog.accept()
    before = dialog.note.text()
    teach(space.session, "Cup")
    space.gallery.folder, space.gallery.files = "/b", []
    space.gallery.listed.emit()
    assert dialog.note.text() == before
    assert dialog.disputed.disputed.rowCount() == 2
    dialog.show()
    assert "changed: run again" in dialog.note.text()
    assert dialog.disputed.disputed.rowCount() == 0


def test_pictures_of_another_folder_are_not_offered(dialog: CompareDialog, space: SimpleNamespace) -> None:
    run(dialog, space, *THREE)
    assert dialog.disputed.disputed.rowCount() == 2
    space.gallery.folder, space.gallery.files = "/b", []
    space.gallery.listed.emit()
    assert dialog.disputed.disputed.rowCount() == 0
    assert "changed: run again" in dialog.note.text()


def test_a_category_that_is_gone_is_a_dash(dialog: CompareDialog, space: SimpleNamespace) -> None:
    run(dialog, space, *THREE)
    space.session.do(RemoveCategory(space.ids[1]))
    model = dialog.disputed.disputed
    assert "–: Nearest example" in str(model.data(model.index(0, 0)))
    assert not dialog.disputed.grab().isNull()


# Values -----------------------------------------------------------------------------------------------------


def test_answers_that_failed_have_no_say(space: SimpleNamespace) -> None:
    comparison = compared(space, *THREE, answer("mann", [1] * ROWS, None, problem=SUPPORT))
    found = disputes(comparison, space.gallery.files)
    assert all("Memory network" not in say.learners for each in found for say in each.says)
    assert [len(each.says) for each in found] == [2, 2]
    assert contender_title(Contender("ridge")) == "Ridge regression"


@pytest.mark.parametrize(
    ("wanted", "room", "given"),
    [
        ([10, 20], 100, [10, 20]),
        ([100, 100], 100, [50, 50]),
        ([10, 100, 100], 110, [10, 50, 50]),
        ([90, 20, 90], 100, [40, 20, 40]),
        ([], 10, []),
    ],
)
def test_room_is_shared_so_that_the_small_keep_their_words(
    wanted: list[float], room: float, given: list[float]
) -> None:
    assert shared_room(wanted, room) == pytest.approx(given)


# Beside the window ------------------------------------------------------------------------------------------


class Window(QMainWindow):
    """The parts of the main window that the dialog talks to, written down."""

    def __init__(self, space: SimpleNamespace, appearance: Appearance, shown: Sequence[int]) -> None:
        super().__init__()
        self.workspace = space
        self.said: list[Any] = []
        self.inspector = SimpleNamespace(appearance=appearance)
        model = SimpleNamespace(
            position_of=lambda row: shown.index(row) if row in shown else None,
            index=lambda position, _column: position,
        )
        view = SimpleNamespace(
            setCurrentIndex=lambda index: self.said.append(("cursor", index)),
            scrollTo=lambda index: self.said.append(("scroll", index)),
        )
        self.query = SimpleNamespace(folder=SimpleNamespace(model=model, view=view))

    def show_source(self, source: str) -> None:
        self.said.append(source)


@pytest.fixture
def window(qtbot: QtBot, space: SimpleNamespace, appearance: Appearance) -> Iterator[Window]:
    result = Window(space, appearance, shown=[3, 1])
    qtbot.addWidget(result)
    yield result
    result.close()


@pytest.mark.qt_log_ignore("^This plugin does not support", extend=True)
def test_there_is_one_dialog_and_a_picture_is_chosen_in_the_gallery(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "fewshot_gui.gui.compare.dialog.reveal_row", lambda _page, row: window.said.append(("reveal", row))
    )
    dialog = compare_learners(window)  # type: ignore[arg-type]
    assert compare_learners(window) is dialog  # type: ignore[arg-type]
    dialog.pictureChosen.emit("/a/1.jpg")
    assert window.said == ["folder", ("cursor", 1), ("scroll", 1)]
    window.said.clear()
    dialog.pictureChosen.emit("/a/0.jpg")
    assert window.said == ["folder", ("reveal", 0)], "a key would answer for another one else"
    window.said.clear()
    dialog.pictureChosen.emit("/elsewhere.jpg")
    assert window.said == []
