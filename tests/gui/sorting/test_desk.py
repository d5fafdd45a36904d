"""Around sorting: after a crash, labels out and in, and a watched folder."""

from __future__ import annotations

import os
import shutil
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QItemSelectionModel
from PySide6.QtWidgets import QFileDialog, QLabel

from fewshot_gui.engine import session as session_module
from fewshot_gui.engine.commands import AcceptLabels, AddCategory, new_category_id
from fewshot_gui.engine.deciding.piles import Pile
from fewshot_gui.engine.exports.csv_table import read_csv
from fewshot_gui.engine.exports.folders import Copied
from fewshot_gui.engine.exports.labelled import Labelled, SaidBy
from fewshot_gui.engine.label_table import LabelTable
from fewshot_gui.engine.sorting.journal import Journal
from fewshot_gui.engine.sorting.plan import Plan, PlannedFile, Way
from fewshot_gui.engine.sorting.transfer import Hooks
from fewshot_gui.engine.sorting.watch import FolderWatch
from fewshot_gui.engine.state import By
from fewshot_gui.engine.worker import CancelToken
from fewshot_gui.gui.sorting import export_dialog, watching
from fewshot_gui.gui.sorting.dialog import SortDialog
from fewshot_gui.gui.sorting.export_dialog import ExportDialog
from fewshot_gui.gui.sorting.export_words import formats
from fewshot_gui.gui.sorting.history import HistoryDialog
from fewshot_gui.gui.sorting.import_dialog import ImportDialog
from fewshot_gui.gui.sorting.watching import Grace, Watching

if TYPE_CHECKING:
    from collections.abc import Callable


class Killed(BaseException):
    """The power goes."""


# After a crash ---------------------------------------------------------------------------------------------


def crash(folder: Path, root: Path, point: str) -> Plan:
    """Let a run of one file be cut off at a point."""
    from fewshot_gui.engine.sorting.apply import apply_plan

    found = (folder / "0.png").stat()
    file = PlannedFile(
        str(folder / "0.png"), str(root / "Cats" / "0.png"), found.st_size, found.st_mtime_ns, found.st_ino,
        found.st_dev, "Cats", 0, Way.MOVE,
    )  # fmt: skip
    plan = Plan(uuid4().hex, str(root), Way.MOVE, (file,))

    def kill(reached: str, _path: str) -> None:
        if reached == point:
            raise Killed

    with Journal() as journal, pytest.raises(Killed):
        apply_plan(plan, journal, Hooks(at=kill))
    return plan


@pytest.mark.parametrize(("point", "said"), [("published", "1 file finished"), ("begun", "1 file put back")])
def test_a_run_that_was_cut_off_is_put_right_and_told(
    start: Callable[[], Any], tmp_path: Path, point: str, said: str
) -> None:
    plan = crash(tmp_path / "pictures", tmp_path / "out", point)
    evening = start()
    evening.wait(lambda: said in evening.window.toast.text)
    there = [(tmp_path / "pictures" / "0.png").exists(), (tmp_path / "out" / "Cats" / "0.png").exists()]
    assert there == ([False, True] if point == "published" else [True, False])
    evening.window.toast._button.click()
    history = evening.dialog(HistoryDialog)
    evening.wait(lambda: history.receipt.receipt is not None)
    assert history.receipt.receipt.run == plan.id


def test_a_quiet_start_says_nothing(start: Callable[[], Any], tmp_path: Path) -> None:
    with Journal(tmp_path / "data" / "sorting.sqlite"):
        pass
    evening = start()
    evening.wait(lambda: not evening.shell.desk.sorter.lane.pending and not evening.bridge.pending)
    assert evening.window.toast.text == ""


def test_a_damaged_journal_is_told(start: Callable[[], Any], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sorting.sqlite").write_bytes(
        b"no database at all, but long enough for a header" * 9
    )
    evening = start()
    evening.wait(lambda: "journal of sorting cannot be written" in evening.window.toast.text)


def test_the_session_follows_a_moved_example(evening: Any, tmp_path: Path) -> None:
    session, gallery = evening.window.workspace.session, evening.window.workspace.gallery
    category = session.document.categories[0].id
    evening.window.workspace.intake.teach_all([(gallery.files[0], gallery.ids[0])], category)
    evening.wait(lambda: session.picture(gallery.ids[0]) is not None)
    evening.ask("sortAction")
    dialog = evening.dialog(SortDialog)
    dialog.choices.way.setCurrentIndex(dialog.choices.way.findData("move"))
    evening.wait(lambda: dialog.plan.planned is not None and dialog.plan.planned.plan.way is Way.MOVE)
    evening.press("sortNowButton")
    target = tmp_path / "pictures sorted" / "Cats" / "0.png"
    evening.wait(lambda: session.picture(gallery.ids[0]).path == str(target))
    evening.wait(lambda: dialog.pages.currentWidget() is dialog.receipt)
    evening.press("takeBackAll")
    evening.wait(lambda: session.picture(gallery.ids[0]).path == str(evening.folder / "0.png"))


# Out and in ------------------------------------------------------------------------------------------------


def export(evening: Any, key: str, place: Path) -> Any:
    evening.ask("exportAction")
    dialog = evening.dialog(ExportDialog)
    dialog.scope.setCurrentIndex(0)
    dialog.write(next(form for form in formats() if form.key == key), place)
    evening.wait(dialog.note.text)
    return dialog


def test_a_table_out_and_in_again_says_the_same(start: Callable[[], Any], tmp_path: Path) -> None:
    evening = start()
    evening.open()
    evening.decide(Cats=[0, 1], Dogs=[2, 3], none=[4])
    before = evening.window.workspace.session.document
    place = tmp_path / "labels.csv"
    assert "5 pictures exported" in export(evening, "csv", place).note.text()
    rows = read_csv(place)
    assert [(row.path.rpartition(os.sep)[2], row.category) for row in rows] == [
        ("0.png", "Cats"), ("1.png", "Cats"), ("2.png", "Dogs"), ("3.png", "Dogs"), ("4.png", "")
    ]  # fmt: skip
    assert {row.said_by for row in rows} == {SaidBy.HUMAN}
    assert all(row.at and row.learner and row.backbone for row in rows)
    with place.open("a") as file:
        file.write("gone.png,Cats,human,,,,,\n")
    evening.shell.new_session()
    evening.open()
    evening.ask("importAction")
    dialog = evening.dialog(ImportDialog)
    dialog.read(place)
    evening.wait(lambda: "5 pictures taken over" in dialog.note.text())
    assert "1 line has no picture" in dialog.note.text()
    assert "gone.png" in dialog.unmatched.toPlainText()
    after = evening.window.workspace.session.document

    def said(document: Any) -> dict[Any, Any]:
        names = {each.id: each.name for each in document.categories} | {None: ""}
        return {picture: names[decision.category] for picture, decision in document.labels.items()}

    assert said(after) == said(before)
    assert {decision.by for decision in after.labels.values()} == {By.HUMAN}
    evening.window.workspace.session.undo()
    assert not evening.window.workspace.session.document.categories


def test_the_moments_come_out_and_in_again_over_a_restart(
    start: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [datetime(2026, 1, 1, 10, 0, tzinfo=UTC)]

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return clock[0].astimezone(tz)

    monkeypatch.setattr(session_module, "datetime", Clock)
    evening = start()
    evening.open()
    evening.decide(Cats=[0, 1])
    clock[0] += timedelta(hours=1)
    evening.decide(Dogs=[2, 3])
    session, ids = evening.window.workspace.session, evening.window.workspace.gallery.ids
    session.do(AcceptLabels((ids[4],), session.document.categories[0].id))
    clock[0] += timedelta(hours=1)
    session.do(AcceptLabels((ids[5],), None))
    session.undo()
    evening.close()
    evening = start()
    evening.open()
    evening.window.workspace.session.redo()
    export(evening, "csv", tmp_path / "labels.csv")
    rows = read_csv(tmp_path / "labels.csv")
    ten, eleven, twelve = (f"2026-01-01T{hour}:00:00+00:00" for hour in (10, 11, 12))
    assert [row.at for row in rows] == [ten, ten, eleven, eleven, eleven, twelve]
    clock[0] += timedelta(days=365)
    evening.shell.new_session()
    evening.open()
    evening.ask("importAction")
    evening.dialog(ImportDialog).read(tmp_path / "labels.csv")
    evening.wait(lambda: evening.window.workspace.session.document.labels)
    export(evening, "csv", tmp_path / "again.csv")
    assert read_csv(tmp_path / "again.csv") == rows


def test_an_export_that_ends_late_is_told_nobody(evening: Any, tmp_path: Path) -> None:
    gate = threading.Event()
    lane = evening.shell.desk.sorter.lane
    lane.submit(lambda _token: gate.wait(20))
    evening.ask("exportAction")
    dialog = evening.dialog(ExportDialog)
    dialog.write(next(form for form in formats() if form.key == "csv"), tmp_path / "labels.csv")
    evening.shell.new_session()
    gate.set()
    evening.wait(lambda: not lane.pending and not evening.bridge.pending)


def test_twelve_categories_that_are_brought_in_have_a_key_each(
    start: Callable[[], Any], tmp_path: Path
) -> None:
    table = tmp_path / "labels.csv"
    evening = start()
    for number in range(12):
        shade = np.full((8, 8, 3), 20 * number, np.uint8)
        Image.fromarray(shade).save(evening.folder / f"more {number}.png")
    table.write_text(
        "path,category\n"
        + "".join(f"{evening.folder / f'more {number}.png'},Kind {number}\n" for number in range(12))
    )
    evening.open()
    evening.ask("importAction")
    evening.dialog(ImportDialog).read(table)
    session = evening.window.workspace.session
    evening.wait(lambda: len(session.document.categories) == 12)
    assert "".join(each.shortcut for each in session.document.categories) == "1234567890ki"


def test_class_folders_out_and_in_again_as_examples(start: Callable[[], Any], tmp_path: Path) -> None:
    evening = start()
    evening.open()
    evening.decide(Cats=[0, 1], Dogs=[2, 3])
    place = tmp_path / "classes"
    assert "4 pictures exported" in export(evening, "image-folder", place).note.text()
    assert sorted(p.relative_to(place).as_posix() for p in place.rglob("*.png")) == [
        "Cats/0.png", "Cats/1.png", "Dogs/2.png", "Dogs/3.png",
    ]  # fmt: skip
    evening.shell.new_session()
    evening.ask("importAction")
    dialog = evening.dialog(ImportDialog)
    dialog.examples.setChecked(True)
    dialog.read(place)
    session = evening.window.workspace.session
    evening.wait(lambda: [len(each.examples) for each in session.document.categories] == [2, 2])
    assert [each.name for each in session.document.categories] == ["Cats", "Dogs"]


@pytest.mark.parametrize("key", ["coco", "label-studio", "hugging-face", "yolo-cls"])
def test_every_other_way_out(evening: Any, tmp_path: Path, key: str) -> None:
    place = tmp_path / "out"
    assert "exported" in export(evening, key, place).note.text()
    assert place.exists()


def test_nothing_is_overwritten_by_an_export(evening: Any, tmp_path: Path) -> None:
    place = tmp_path / "labels.csv"
    place.write_text("mine")
    assert "there already" in export(evening, "csv", place).note.text()
    assert place.read_text() == "mine"


def test_a_folder_that_holds_something_is_refused(evening: Any) -> None:
    assert "is not empty" in export(evening, "yolo-cls", evening.folder).note.text()


def test_a_table_of_probabilities_is_the_one_of_classify(
    evening: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = np.ones((1, 1), np.float32)
    table = LabelTable(["a.png"], ["Cats"], one, one, np.array([False]), np.array([-1], np.int32))
    monkeypatch.setattr(export_dialog, "label_table", lambda _space, _only: table)
    assert "1 picture exported" in export(evening, "classify", tmp_path / "x.csv").note.text()
    assert (
        (tmp_path / "x.csv")
        .read_text(encoding="utf-8-sig")
        .startswith("path,predicted,probability,probability:Cats")
    )
    dialog = evening.dialog(ExportDialog)
    dialog.note.clear()
    dialog.write(dialog.format, tmp_path / "x.csv")
    evening.wait(dialog.note.text)
    assert "there already" in dialog.note.text()


def test_the_selected_pictures_can_be_exported_alone(start: Callable[[], Any], tmp_path: Path) -> None:
    evening = start()
    evening.open()
    evening.decide(Cats=[0, 1], Dogs=[2, 3])
    view = evening.window.query.folder.view
    for row in (1, 2):
        view.selectionModel().select(view.model().index(row, 0), QItemSelectionModel.SelectionFlag.Select)
    evening.ask("exportAction")
    dialog = evening.dialog(ExportDialog)
    assert dialog.alone.text() == "Only the 2 selected pictures"
    assert not dialog.alone.isChecked()
    dialog.alone.setChecked(True)
    dialog.write(next(form for form in formats() if form.key == "csv"), tmp_path / "some.csv")
    evening.wait(dialog.note.text)
    rows = read_csv(tmp_path / "some.csv")
    assert [(Path(each.path).name, each.category) for each in rows] == [("1.png", "Cats"), ("2.png", "Dogs")]


def test_with_nothing_selected_there_is_nothing_to_choose(evening: Any) -> None:
    evening.ask("exportAction")
    assert not evening.dialog(ExportDialog).alone.isVisible()


def test_a_table_of_probabilities_asks_for_no_choice_of_labels(evening: Any) -> None:
    evening.ask("exportAction")
    dialog = evening.dialog(ExportDialog)
    for place, form in enumerate(formats()):
        dialog.choice.button(place).setChecked(True)
        assert dialog.scope.isEnabled() == (form.key != "classify")


def test_one_picture_that_could_not_be_copied_is_told_in_the_singular(evening: Any, tmp_path: Path) -> None:
    evening.ask("exportAction")
    dialog = evening.dialog(ExportDialog)
    dialog._done(tmp_path, Copied(3, (("/a/1.png", "gone"),)))
    assert dialog.note.text().endswith("1 picture could not be copied: /a/1.png (gone).")
    dialog._done(tmp_path, Copied(3, (("/a/1.png", "gone"), ("/a/2.png", "gone"))))
    assert dialog.note.text().endswith("2 pictures could not be copied, the first: /a/1.png (gone).")


def test_categories_without_a_picture_for_validation_are_told(evening: Any, tmp_path: Path) -> None:
    evening.ask("exportAction")
    dialog = evening.dialog(ExportDialog)
    dialog._done(tmp_path, Copied(3, (), ("Cats",)))
    assert dialog.note.text().endswith(". Cats has one picture and none for validation.")
    dialog._done(tmp_path, Copied(3, (("/a/1.png", "gone"),), ("Cats", "Dogs")))
    assert dialog.note.text().endswith(
        "(gone). 2 categories have one picture each and none for validation, the first: Cats."
    )


def test_closing_the_dialog_stops_every_export_that_takes_long(
    evening: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, COCO read the heads of all pictures to the end."""
    stopped: list[bool] = []

    def note(*_what: object, cancelled: Callable[[], bool], **_how: object) -> Copied:
        stopped.append(cancelled())
        return Copied(0, ())

    token, rows = CancelToken(), [Labelled("/a/1.png", "Cats", SaidBy.HUMAN)]
    token.cancel()
    evening.ask("exportAction")
    dialog = evening.dialog(ExportDialog)
    for name, key in (("write_coco", "coco"), ("write_folders", "yolo-cls")):
        monkeypatch.setattr(export_dialog, name, note)
        dialog._write(next(form for form in formats() if form.key == key), tmp_path / key, rows, token)
    assert stopped == [True, True]


def test_a_table_of_probabilities_needs_a_classifier(evening: Any, tmp_path: Path) -> None:
    assert "no labels yet" in export(evening, "classify", tmp_path / "x.csv").note.text()


def test_the_dialog_asks_for_a_file(evening: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "chosen.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **_options: (str(place), ""))
    evening.ask("exportAction")
    evening.press("exportButton")
    evening.wait(place.exists)


def test_without_pictures_nothing_is_exported_and_the_menu_says_why(start: Callable[[], Any]) -> None:
    evening = start()
    action = evening.window.named_actions["exportAction"]
    assert not action.isEnabled()
    assert "Open a folder of pictures first" in action.toolTip()
    evening.open()
    assert action.isEnabled()
    assert "Open a folder" not in action.toolTip()
    evening.shell.new_session()
    assert not evening.window.named_actions["exportAction"].isEnabled()


def test_a_table_of_other_pictures_says_what_to_open(evening: Any, tmp_path: Path) -> None:
    place = tmp_path / "labels.csv"
    place.write_text("path,category\nelsewhere.png,Cats\n", encoding="utf-8")
    evening.ask("importAction")
    dialog = evening.dialog(ImportDialog)
    dialog.read(place)
    evening.wait(dialog.unmatched.isVisible)
    assert dialog.note.text() == "No picture was found. Open the folder that holds them, then try again."
    assert "elsewhere.png" in dialog.unmatched.toPlainText()


def test_a_table_without_the_columns_is_told(evening: Any, tmp_path: Path) -> None:
    place = tmp_path / "other.csv"
    place.write_text("a,b\n1,2\n")
    evening.ask("importAction")
    dialog = evening.dialog(ImportDialog)
    dialog.read(place)
    evening.wait(lambda: "needs the columns path and category" in dialog.note.text())


# Watching --------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def watch(evening: Any) -> Any:
    """Watch the folder, with a clock that we turn."""
    evening.clock = Clock()
    evening.watching = evening.shell.desk.watching
    evening.watching._clock = evening.clock
    evening.ask("watchAction")
    assert evening.watching.on
    evening.watching._timer.stop()
    evening.wait(lambda: evening.watching._watch is not None)
    return evening


@pytest.fixture
def watched(evening: Any) -> Any:
    return watch(evening)


def look(evening: Any, later: float = 0) -> None:
    """Let so many seconds go by, and what was reported be looked at."""
    evening.wait(lambda: not evening.watching._looking)
    evening.clock.now += later
    evening.watching.tick()
    evening.wait(lambda: not evening.watching._looking)


def arrive(evening: Any, name: str) -> Path:
    """Write a picture, and have it seen for the first time."""
    path = evening.folder / name
    write(evening, path, (evening.folder / "0.png").read_bytes() + name.encode())
    return path


def write(evening: Any, path: Path, content: bytes) -> None:
    """Write a file, and have it seen for the first time."""
    path.write_bytes(content)
    seen(evening, path)


def seen(evening: Any, path: Path | str) -> None:
    """Have what was reported of a file looked at."""
    evening.wait(lambda: str(path) in evening.watching._arrivals._touched)
    look(evening)


def test_what_arrives_is_shown_and_moves_nowhere(watched: Any) -> None:
    gallery = watched.window.workspace.gallery
    path = arrive(watched, "new.png")
    assert not watched.watching.new  # it may still grow
    look(watched, 3)
    watched.wait(lambda: gallery.row_of(str(path)) is not None)
    strip = watched.shell.desk.strip
    assert strip.isVisible()
    assert strip.words.text() == "1 new picture"
    watched.press("arrivalLook")
    assert not strip.isVisible()
    rows = watched.window.query.folder.selected_rows().tolist()
    assert [gallery.files[row].path for row in rows] == [str(path)]
    assert path.is_file()


def test_what_arrived_is_looked_at_under_a_filter_and_forgotten_with_the_folder(
    watched: Any, tmp_path: Path
) -> None:
    window, strip = watched.window, watched.shell.desk.strip
    path = arrive(watched, "new.png")
    look(watched, 3)
    watched.wait(lambda: window.workspace.gallery.row_of(str(path)) is not None)
    category = new_category_id()
    window.workspace.session.do(AddCategory(category, "Empty"))
    window.query.folder.bar.chips.choose(category)
    watched.press("arrivalLook")
    rows = window.query.folder.selected_rows().tolist()
    assert [window.workspace.gallery.files[row].path for row in rows] == [str(path)]
    arrive(watched, "later.png")
    look(watched, 3)
    assert strip.isVisible()
    (tmp_path / "another").mkdir()
    window.workspace.gallery.open(str(tmp_path / "another"))
    watched.watching.tick()
    assert not strip.isVisible()


def test_a_raw_file_and_its_late_jpeg_are_one_arrival(watched: Any) -> None:
    raw = arrive(watched, "late.NEF")
    look(watched, 7)
    assert list(watched.watching.new) == [str(raw)]
    jpeg = arrive(watched, "late.jpg")
    look(watched, 3)
    assert list(watched.watching.new) == [str(jpeg)]


def test_a_picture_that_lay_there_before_and_one_that_left_again_are_no_arrivals(watched: Any) -> None:
    """Before, tags set on a picture of years ago made it new, and "Sort by itself" moved it."""
    gallery = watched.window.workspace.gallery
    old = watched.folder / "0.png"
    old.write_bytes(old.read_bytes())
    path = arrive(watched, "new.png")
    look(watched, 3)
    assert list(watched.watching.new) == [str(path)]
    watched.wait(lambda: gallery.row_of(str(path)) is not None)
    path.unlink()
    seen(watched, path)
    assert not watched.watching.new
    arrive(watched, "new.png")
    look(watched, 3)
    assert list(watched.watching.new) == [str(path)]


def test_an_arrival_that_a_listing_finds_before_its_report_is_one(watched: Any) -> None:
    """While a card is copied in, one picture's arrival lists the folder as the next ones are written."""
    watching, gallery = watched.watching, watched.window.workspace.gallery
    watching._watch.close()  # the reports are late
    path = str(shutil.copy(watched.folder / "0.png", watched.folder / "early.png"))
    gallery.rescan()
    watched.wait(lambda: gallery.row_of(path) is not None)
    watching._arrivals.touched(path)
    seen(watched, path)
    look(watched, 3)
    assert list(watching.new) == [path]
    watching.forget()
    Path(path).write_bytes(Path(path).read_bytes())  # tags are set on it, say
    watching._arrivals.touched(path)
    seen(watched, path)
    look(watched, 3)
    assert not watching.new


def test_another_picture_under_the_name_of_one_sorted_away_is_an_arrival(watched: Any) -> None:
    """A camera begins again at IMG_0001 once its card is emptied."""
    path = watched.folder / "0.png"
    content = path.read_bytes()
    watched.watching._watch.close()
    watched.shell.desk.sorter.touching.emit([str(path)])
    path.unlink()
    watched.watching._arrivals.touched(str(path))
    look(watched, 60)
    path.write_bytes(content + b"another")
    watched.watching._arrivals.touched(str(path))
    seen(watched, path)
    look(watched, 3)
    assert list(watched.watching.new) == [str(path)]


def test_what_was_sorted_and_taken_back_is_no_arrival_when_it_is_written_later(watched: Any) -> None:
    path = watched.folder / "0.png"
    watched.shell.desk.sorter.touching.emit([str(path)])
    content = path.read_bytes()
    path.unlink()
    seen(watched, path)
    write(watched, path, content)
    look(watched, 60)
    write(watched, path, content)
    assert watched.watching._arrivals.waiting == 1
    look(watched, 3)
    assert watched.watching._arrivals.waiting == 0
    assert not watched.watching.new


def test_our_own_moves_are_no_arrivals(watched: Any) -> None:
    watched.shell.desk.sorter.touching.emit([str(watched.folder / "ours.png")])
    arrive(watched, "ours.png")
    path = arrive(watched, "theirs.png")
    look(watched, 3)
    assert list(watched.watching.new) == [str(path)]


def test_nothing_is_sorted_by_itself_unless_that_was_asked_for(watched: Any) -> None:
    due: list[Any] = []
    watched.watching.due.connect(due.append)
    path = arrive(watched, "new.png")
    look(watched, 3)
    watched.watching.sure = watched.watching.new.copy
    look(watched, 3600)
    assert not due
    Grace(on=True, minutes=10).keep(watched.window.workspace.session)
    watched.watching.due.disconnect(watched.shell.desk._sort_due)
    watched.watching.tick()
    assert due == [[str(path)]]
    assert not watched.watching.new


def test_what_is_due_goes_as_was_chosen_and_nothing_else(evening: Any, tmp_path: Path) -> None:
    desk, gallery = evening.shell.desk, evening.window.workspace.gallery
    desk._sort_due([gallery.files[2].path])
    evening.wait(lambda: "1 file sorted by itself" in evening.window.toast.text)
    there = [path for path in (tmp_path / "pictures sorted").rglob("*") if path.is_file()]
    assert [path.name for path in there] == ["2.png"]
    evening.window.toast._button.click()
    assert evening.dialog(HistoryDialog).isVisible()


def test_what_is_due_while_files_are_on_their_way_is_due_once_more(evening: Any) -> None:
    desk, gallery = evening.shell.desk, evening.window.workspace.gallery
    desk.sorter._stop = CancelToken()
    desk._sort_due([gallery.files[2].path])
    evening.wait(lambda: not desk.sorter.lane.pending and not evening.bridge.pending)
    desk.sorter._stop = None
    Grace(on=True, minutes=10).keep(evening.window.workspace.session)
    due: list[Any] = []
    desk.watching.due.disconnect(desk._sort_due)
    desk.watching.due.connect(due.append)
    desk.watching.sure = lambda: list(desk.watching.new)
    desk.watching.tick()
    assert due == [[gallery.files[2].path]]


def test_what_is_due_and_what_is_planned_in_the_dialog_do_not_drop_each_other(evening: Any) -> None:
    desk, gallery, gate = evening.shell.desk, evening.window.workspace.gallery, threading.Event()
    desk.sorter.lane.submit(lambda _token: gate.wait(20))
    evening.ask("sortAction")
    dialog = evening.dialog(SortDialog)
    desk._sort_due([gallery.files[2].path])
    gate.set()
    evening.wait(lambda: dialog.plan.planned is not None)
    evening.wait(lambda: "1 file sorted by itself" in evening.window.toast.text)


def test_the_strip_counts_in_words(evening: Any) -> None:
    strip = evening.shell.desk.strip
    strip.show_arrived(1200, 900)
    assert strip.words.text() == "1,200 new pictures: 900 sure"
    strip.show_arrived(1, 1)
    assert strip.words.text() == "1 new picture, the program is sure of it"
    strip.show_arrived(0, 0)
    assert not strip.isVisible()


def test_the_grace_dialog_keeps_the_choice(watched: Any) -> None:
    from fewshot_gui.gui.sorting.arrival_strip import GraceDialog

    session = watched.window.workspace.session
    assert Grace.of(session) == Grace(on=False, minutes=10)
    watched.shell.desk.ask_grace()
    dialog = watched.dialog(GraceDialog)
    assert any("pictures sorted" in label.text() for label in dialog.findChildren(QLabel))
    assert dialog.minutes.lineEdit().width() > 40, "the number is to be seen"
    dialog.on.setChecked(True)
    dialog.minutes.setValue(25)
    dialog.accept()
    assert Grace.of(session) == Grace(on=True, minutes=25)


def test_the_grace_dialog_can_be_left_as_it_was(watched: Any) -> None:
    from fewshot_gui.gui.sorting.arrival_strip import GraceDialog

    watched.shell.desk.ask_grace()
    watched.dialog(GraceDialog).on.setChecked(True)
    watched.press("graceCancel")
    assert not Grace.of(watched.window.workspace.session).on


def test_watching_ends_and_a_missing_folder_is_told(watched: Any) -> None:
    watched.ask("watchAction")
    assert not watched.watching.on
    shutil.rmtree(watched.folder)
    watched.ask("watchAction")
    watched.wait(lambda: not watched.watching.on)
    assert "is not there" in watched.window.toast.text
    assert not watched.window.named_actions["watchAction"].isChecked()


def test_without_a_folder_there_is_nothing_to_watch(
    start: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    evening = start()
    evening.ask("watchAction")
    asked: list[bool] = []
    evening.window.named_actions["openFolderAction"].triggered.connect(lambda: asked.append(True))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    assert "Open a folder" in evening.window.toast.text
    assert evening.window.toast._timer.isActive(), "it goes by itself"
    evening.window.toast._button.click()
    assert asked, "the button leads on"
    assert not evening.window.named_actions["watchAction"].isChecked()


def test_sure_ones_are_counted_from_the_piles(evening: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    space = evening.window.workspace
    watch = Watching(space, evening.shell.desk.sorter, evening.bridge.post)
    watch.new = {space.gallery.files[5].path: 0.0, space.gallery.files[0].path: 0.0}

    class Piles:
        of = [Pile.DECIDED] * 5 + [Pile.SURE]

    monkeypatch.setattr(watching, "scores_and_piles", lambda _space: (None, Piles))
    assert watch.sure() == [space.gallery.files[5].path]
    watch.release()
    watch.deleteLater()


def test_a_watched_folder_that_was_away_is_watched_again(watched: Any, tmp_path: Path) -> None:
    """The system forgets the watch of a card that was pulled; the tick in the menu stayed."""
    arrived = arrive(watched, "new.png")
    look(watched, 3)
    watched.wait(lambda: watched.watching._looked <= watched.clock.now)  # one look at a time
    away = watched.folder.rename(tmp_path / "away")
    look(watched, 6)
    watched.wait(lambda: watched.watching._away)
    shutil.copy(away / "0.png", away / "meanwhile.png")
    away.rename(watched.folder)
    look(watched, 6)
    watched.wait(lambda: not watched.watching._away)
    watched.wait(lambda: not watched.window.workspace.gallery.listing)
    watched.watching.tick()
    assert watched.watching.on
    path = arrive(watched, "later.png")
    look(watched, 3)
    assert list(watched.watching.new) == [str(arrived), str(path)], "what came meanwhile is known"


def test_what_was_sorted_away_before_is_no_picture_that_lies_there(evening: Any) -> None:
    """The rows of files that are gone stay: a card that began again at IMG_0001 brought nothing new."""
    gallery = evening.window.workspace.gallery
    path = evening.folder / "0.png"
    content = path.read_bytes()
    path.unlink()
    gallery.rescan()
    evening.wait(lambda: bool(gallery.missing.any()))
    watching = watch(evening).watching
    write(evening, path, content + b"another")
    look(evening, 3)
    assert list(watching.new) == [str(path)]


def begin_slowly(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, list[FolderWatch]]:
    """Have the system take its time to watch; return what lets it go on, and the watches that were closed."""
    gate, closed = threading.Event(), list[FolderWatch]()

    class Slow(FolderWatch):
        def __init__(self, *arguments: Any) -> None:
            gate.wait(20)
            super().__init__(*arguments)

        def close(self) -> None:
            super().close()
            closed.append(self)

    monkeypatch.setattr(watching, "FolderWatch", Slow)
    return gate, closed


def test_a_folder_that_takes_long_to_be_watched_holds_nothing_and_loses_nothing(
    evening: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share with thousands of folders below it: the window stood still until all of them were watched."""
    gate, _closed = begin_slowly(monkeypatch)
    gallery = evening.window.workspace.gallery
    evening.watching = evening.shell.desk.watching
    evening.watching._clock = evening.clock = Clock()
    evening.ask("watchAction")
    assert evening.watching.on
    path = shutil.copy(evening.folder / "0.png", evening.folder / "meanwhile.png")
    evening.clock.now += 60
    gate.set()
    evening.wait(lambda: gallery.row_of(str(path)) is not None)
    look(evening)
    assert not evening.watching.new, "it lies there, as what was there before"


def test_a_folder_that_is_watched_too_late_is_watched_no_more(
    evening: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, closed = begin_slowly(monkeypatch)
    evening.ask("watchAction")
    evening.ask("watchAction")
    assert not evening.shell.desk.watching.on
    gate.set()
    evening.wait(lambda: closed)
    assert evening.shell.desk.watching._watch is None
