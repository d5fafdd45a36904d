"""Sorting from the window: the plan, the way there, the receipt and the way back, on real files."""

from __future__ import annotations

import errno
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QEvent, QItemSelectionModel, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from fewshot_gui.engine import sorter
from fewshot_gui.engine.sorting import transfer
from fewshot_gui.engine.sorting.plan import RUN_WAYS, Way
from fewshot_gui.engine.sorting.states import FileState
from fewshot_gui.engine.worker import CancelToken
from fewshot_gui.gui.sorting.dialog import SortDialog
from fewshot_gui.gui.sorting.history import HistoryDialog

if TYPE_CHECKING:
    from collections.abc import Callable


def planned(evening: Any) -> Any:
    """Open the dialog and wait for the plan."""
    evening.ask("sortAction")
    dialog = evening.dialog(SortDialog)
    evening.wait(lambda: dialog.plan.planned is not None)
    return dialog


def again(evening: Any, dialog: Any, act: Callable[[], object]) -> None:
    """Do something that makes another plan, and wait for it."""
    former = dialog.plan.planned
    act()
    evening.wait(lambda: dialog.plan.planned is not None and dialog.plan.planned is not former)


def choose(evening: Any, dialog: Any, combo: Any, value: str) -> None:
    again(evening, dialog, lambda: combo.setCurrentIndex(combo.findData(value)))


def sort(evening: Any, dialog: Any) -> Any:
    evening.press("sortNowButton")
    evening.wait(lambda: dialog.pages.currentWidget() is dialog.receipt)
    return dialog.receipt.receipt


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_without_a_folder_it_says_so(start: Callable[[], Any]) -> None:
    evening = start()
    evening.ask("sortAction")
    assert "Open a folder" in evening.window.toast.text
    assert evening.window.toast._button.text() == "Open folder…"


def test_the_plan_is_shown_and_nothing_is_written(evening: Any, tmp_path: Path) -> None:
    before = files(evening.folder)
    dialog = planned(evening)
    assert dialog.plan.headline.text().startswith("4 pictures in 2 folders")
    assert (
        dialog.plan.note.text() == "Left, as nothing is decided: 1 picture. Left as none of these: 1 picture."
    )
    assert dialog.plan.go.text() == "Sort 4 pictures"
    assert [line.category for line in dialog.plan.folders.lines] == ["Cats", "Dogs"]
    assert dialog.plan.plan.cell(dialog.plan.plan.lines[0], 2) == f"Cats{os.sep}"
    assert files(evening.folder) == before
    assert not (tmp_path / "pictures sorted").exists()
    assert not (tmp_path / "data" / "sorting.sqlite").exists()


def select(evening: Any, *rows: int) -> None:
    view = evening.window.query.folder.view
    for row in rows:
        view.selectionModel().select(view.model().index(row, 0), QItemSelectionModel.SelectionFlag.Select)


def test_the_selected_pictures_can_be_sorted_alone(evening: Any, tmp_path: Path) -> None:
    select(evening, 1, 4)
    before = files(evening.folder)
    dialog = planned(evening)
    assert dialog.choices.alone.text() == "Only the 2 selected pictures"
    assert dialog.plan.go.text() == "Sort 4 pictures", "which is not what a selection means by itself"
    again(evening, dialog, lambda: dialog.choices.alone.setChecked(True))
    assert dialog.plan.go.text() == "Sort 1 picture"
    left = dialog.plan.note.text()
    assert left.count("1 picture") == 1, left
    sort(evening, dialog)
    assert [path.name for path in (tmp_path / "pictures sorted").rglob("*.png")] == ["1.png"]
    assert files(evening.folder) == before


def test_with_nothing_selected_all_are_sorted(evening: Any) -> None:
    assert planned(evening).choices.alone.isHidden()


def test_every_way_is_explained_in_words(evening: Any) -> None:
    dialog = planned(evening)
    told = set()
    for way in RUN_WAYS:
        dialog.choices.way.setCurrentIndex(dialog.choices.way.findData(way.value))
        told.add(dialog.choices.way_note.text())
        assert dialog.choices.destination.isEnabled() == (way is not Way.SIDECAR)
    assert len(told) == len(RUN_WAYS)


def test_copying_leaves_the_originals_and_taking_back_leaves_no_trace(evening: Any, tmp_path: Path) -> None:
    before = files(tmp_path / "pictures")
    dialog = planned(evening)
    receipt = sort(evening, dialog)
    assert dialog.receipt.title.text() == "4 files sorted"
    target = files(tmp_path / "pictures sorted")
    assert sorted(target) == [
        f"Cats{os.sep}0.png",
        f"Cats{os.sep}1.png",
        f"Dogs{os.sep}2.png",
        f"Dogs{os.sep}3.png",
    ]
    assert files(evening.folder) == before
    evening.press("takeBackAll")
    evening.wait(lambda: dialog.receipt.receipt is not receipt)
    evening.wait(lambda: dialog.pages.currentWidget() is dialog.receipt)
    assert dialog.receipt.title.text() == "4 files taken back"
    assert files(evening.folder) == before
    assert not (tmp_path / "pictures sorted").exists()


def test_what_was_moved_is_found_by_the_session_and_leaves_the_gallery(evening: Any, tmp_path: Path) -> None:
    dialog = planned(evening)
    choose(evening, dialog, dialog.choices.way, "move")
    sort(evening, dialog)
    assert sorted(files(evening.folder)) == ["4.png", "5.png"]
    evening.press("receiptClose")
    gallery = evening.window.workspace.gallery
    evening.wait(lambda: gallery.missing.sum() == 4)
    once_more = planned(evening)
    assert once_more.plan.headline.text() == "Nothing to sort"
    assert not once_more.plan.go.isEnabled()


def test_none_of_these_get_a_folder_of_their_own_where_that_is_wanted(evening: Any) -> None:
    dialog = planned(evening)
    again(evening, dialog, lambda: dialog.choices.none.setChecked(True))
    assert dialog.plan.planned.plan.counts == {"Cats": 2, "Dogs": 2, "None of these": 1}


def test_conflicts_come_first_with_their_reason(evening: Any, tmp_path: Path) -> None:
    there = tmp_path / "pictures sorted" / "Dogs" / "3.png"
    there.parent.mkdir(parents=True)
    there.write_bytes(b"another picture")
    dialog = planned(evening)
    first = dialog.plan.plan.lines[0]
    assert dialog.plan.plan.cell(first, 0) == "3.png"
    assert dialog.plan.plan.cell(first, 2) == f"Dogs{os.sep}3 (2).png"
    assert "goes as 3 (2).png" in dialog.plan.plan.cell(first, 3)
    choose(evening, dialog, dialog.choices.same_name, "skip")
    first = dialog.plan.plan.lines[0]
    assert [dialog.plan.plan.cell(first, column) for column in (1, 2)] == ["Dogs", "stays"]
    assert dialog.plan.plan.ink(first, 1) == evening.shell.desk._appearance.theme.muted
    assert "there is 3.png already" in dialog.plan.plan.cell(first, 3)
    assert "; left where they are: 1 file" in dialog.plan.headline.text()
    sort(evening, dialog)
    assert "Left, as the plan said: 3 files." in dialog.receipt.note.text()
    assert there.read_bytes() == b"another picture"
    evening.press("takeBackAll")
    evening.wait(lambda: "taken back" in dialog.receipt.title.text())
    assert "Left" not in dialog.receipt.note.text()


def test_a_line_about_a_category_does_not_say_that_it_stays(evening: Any) -> None:
    evening.decide(**{"What?": [5]})
    dialog = planned(evening)
    first = dialog.plan.plan.lines[0]
    assert [dialog.plan.plan.cell(first, column) for column in (0, 1, 2)] == ["What?", "–", "–"]


def test_a_file_in_doubt_says_why_and_stands_first(evening: Any) -> None:
    dialog = planned(evening)
    receipt = sort(evening, dialog)
    *others, last = receipt.lines
    lines = (*others, replace(last, state=FileState.COPIED))
    dialog.receipt.show_receipt(replace(receipt, lines=lines))
    assert dialog.receipt.title.text() == "3 files sorted, 1 file in doubt"
    table = dialog.receipt.table
    assert [table.cell(table.lines[0], column) for column in (0, 1)] == ["3.png", "In doubt"]
    assert "Cut off on its way" in table.cell(table.lines[0], 3)
    assert table.ink(table.lines[0], 3) == evening.shell.desk._appearance.theme.warning


def test_a_read_only_destination_is_told_before_anything(
    evening: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixed, access = tmp_path / "fixed", os.access
    fixed.mkdir()
    # Who runs the tests may be root, whom no mode of a folder holds off.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != fixed and access(path, mode))
    told_destination(evening, fixed)


def test_a_destination_that_is_a_file_is_told_before_anything(evening: Any, tmp_path: Path) -> None:
    place = tmp_path / "a file"
    place.write_bytes(b"mine")
    told_destination(evening, place)
    assert place.read_bytes() == b"mine"


def told_destination(evening: Any, place: Path) -> None:
    dialog = planned(evening)
    dialog.choices.destination.setText(str(place))
    dialog.choices.changed.emit()
    evening.wait(lambda: "cannot be used" in dialog.plan.headline.text())
    assert not dialog.plan.go.isEnabled()


def test_a_full_disk_pauses_and_the_rest_goes_later(
    evening: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, full = transfer.copy_to_new, [True]

    def copy(source: str, target: str, tick: Any) -> Any:
        if full[0] and source.rpartition(os.sep)[2] == "2.png":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(source, target, tick)

    monkeypatch.setattr(transfer, "copy_to_new", copy)
    dialog = planned(evening)
    sort(evening, dialog)
    assert "The disk is full" in dialog.receipt.note.text()
    assert "not yet" in dialog.receipt.title.text()
    full[0] = False
    evening.press("resumeButton")
    evening.wait(lambda: dialog.receipt.title.text() == "4 files sorted")
    assert len(files(tmp_path / "pictures sorted")) == 4


def test_stopping_midway_says_what_is_done_and_what_is_not(
    evening: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_at(evening, monkeypatch, "2.png")
    dialog = planned(evening)
    sort(evening, dialog)
    assert "You stopped it" in dialog.receipt.note.text()
    receipt = dialog.receipt.receipt
    assert receipt.counts["planned"] > 0
    there = files(tmp_path / "pictures sorted") if (tmp_path / "pictures sorted").exists() else {}
    assert len(there) == receipt.counts["done"]
    assert not [name for name in there if name.endswith(".part")]


def stop_at(evening: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    real = transfer.copy_to_new

    def copy(source: str, target: str, tick: Any) -> Any:
        if source.rpartition(os.sep)[2] == name:
            evening.shell.desk.sorter.stop()
        return real(source, target, tick)

    monkeypatch.setattr(transfer, "copy_to_new", copy)


def test_closing_the_window_while_sorting_asks_and_stops(
    evening: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = planned(evening)
    asked = []

    def answer(*words: Any) -> QMessageBox.StandardButton:
        asked.append(words[2])
        return QMessageBox.StandardButton.Cancel if len(asked) == 1 else QMessageBox.StandardButton.Yes

    monkeypatch.setattr(QMessageBox, "question", answer)
    dialog.apply()
    assert evening.shell.desk.sorter.busy
    evening.shell.close()
    assert evening.shell.window is not None  # the person let it go on
    evening.shell.close()
    assert evening.shell.window is None
    assert len(asked) == 2
    names = list(files(tmp_path / "pictures sorted")) if (tmp_path / "pictures sorted").exists() else []
    assert not [name for name in names if name.endswith(".part")]


def test_taken_back_days_later_after_a_restart(start: Callable[[], Any], tmp_path: Path) -> None:
    evening = start()
    evening.open()
    evening.decide(Cats=[0, 1], Dogs=[2, 3])
    before = files(evening.folder)
    dialog = planned(evening)
    choose(evening, dialog, dialog.choices.way, "move")
    sort(evening, dialog)
    evening.press("receiptClose")
    evening.close()
    changed = tmp_path / "pictures sorted" / "Dogs" / "3.png"
    changed.write_bytes(b"painted over")
    later = start()
    later.ask("takeBackAction")
    history = later.dialog(HistoryDialog)
    later.wait(lambda: history.receipt.receipt is not None)
    assert [history.runs.cell(history.runs.lines[0], column) for column in (1, 2, 3)] == ["Move", "4", "0"]
    row = next(at for at, line in enumerate(history.receipt.table.lines) if line.source.endswith("0.png"))
    history.receipt.view.selectRow(row)
    later.press("takeBackChosen")
    later.wait(lambda: "1 file taken back" in history.receipt.title.text())
    assert (evening.folder / "0.png").is_file()
    later.wait(lambda: history.view.isEnabled() and history.receipt.isVisible())
    later.press("takeBackAll")
    later.wait(lambda: "could not be taken back" in history.receipt.title.text())
    assert "changed after it was sorted" in history.receipt.table.cell(history.receipt.table.lines[0], 3)
    assert changed.read_bytes() == b"painted over"
    assert files(evening.folder) == {name: data for name, data in before.items() if name != "3.png"}


def test_enter_takes_nothing_back(evening: Any, start: Callable[[], Any]) -> None:
    """The first button was the one that takes everything back, and Enter pressed it, unasked."""
    dialog = planned(evening)
    choose(evening, dialog, dialog.choices.way, "move")
    sort(evening, dialog)
    sorted_now = files(evening.folder)
    QTest.keyClick(dialog.receipt.view, Qt.Key.Key_Return)
    evening.wait(lambda: not evening.shell.desk.sorter.busy)
    assert files(evening.folder) == sorted_now
    evening.close()
    later = start()
    for widget in ("view", "receipt"):
        later.ask("takeBackAction")
        history = later.dialog(HistoryDialog)
        later.wait(lambda history=history: history.receipt.receipt is not None)
        target = history.view if widget == "view" else history.receipt.view
        QTest.keyClick(target, Qt.Key.Key_Return)
        assert not later.shell.desk.sorter.busy
        assert not history.isVisible(), "Enter leaves"
    assert files(evening.folder) == sorted_now


def test_while_other_files_are_on_their_way_taking_back_says_so(evening: Any) -> None:
    dialog = planned(evening)
    sort(evening, dialog)
    evening.shell.desk.sorter._stop = CancelToken()
    dialog.receipt.takeBackRequested.emit(None)
    assert "on their way" in dialog.receipt.note.text()
    evening.shell.desk.sorter._stop = None


def test_nothing_sorted_yet_is_said(start: Callable[[], Any]) -> None:
    evening = start()
    evening.ask("takeBackAction")
    history = evening.dialog(HistoryDialog)
    evening.wait(lambda: "Nothing was sorted yet" in history.note.text())
    evening.press("historyClose")
    assert not history.isVisible()


def test_the_receipt_is_saved_as_a_table_and_overwrites_nothing(
    evening: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = planned(evening)
    sort(evening, dialog)
    place = tmp_path / "receipt.csv"
    typed = str(place.with_suffix(""))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **_options: (typed, ""))
    evening.press("receiptCsv")
    evening.wait(lambda: "Saved as" in dialog.receipt.note.text())
    assert place.read_text("utf-8-sig").count("\n") == 5
    evening.press("receiptCsv")
    evening.wait(lambda: "could not be saved" in dialog.receipt.note.text())


def test_a_receipt_that_is_saved_late_is_told_nobody(evening: Any, tmp_path: Path) -> None:
    dialog = planned(evening)
    sort(evening, dialog)
    gate, lane = threading.Event(), evening.shell.desk.sorter.lane
    lane.submit(lambda _token: gate.wait(20))
    dialog.receipt.save_csv(str(tmp_path / "receipt.csv"))
    dialog.accept()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gate.set()
    evening.wait(lambda: not lane.pending and not evening.bridge.pending)
    assert (tmp_path / "receipt.csv").exists()


def test_a_plan_is_not_done_once_another_folder_was_typed(evening: Any, tmp_path: Path) -> None:
    """Enter, or a click at once, met the plan of before for a quarter of a second."""
    dialog = planned(evening)
    line = dialog.choices.destination
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, str(tmp_path / "elsewhere"))
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert not dialog.plan.go.isEnabled()
    dialog.apply()
    assert dialog.pages.currentWidget() is dialog.plan
    evening.wait(lambda: dialog.plan.planned is not None)
    assert sort(evening, dialog).root == str(tmp_path / "elsewhere")
    assert not (tmp_path / "pictures sorted").exists()


def test_while_arrivals_are_sorted_it_says_so_and_can_be_closed(
    evening: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog, stop = planned(evening), CancelToken()
    with monkeypatch.context() as busy:
        busy.setattr(evening.shell.desk.sorter, "_stop", stop)
        evening.press("sortNowButton")
        assert "New pictures are being sorted" in dialog.plan.note.text()
        assert dialog.pages.currentWidget() is dialog.plan
        dialog.reject()
    assert not dialog.isVisible()
    assert not stop.cancelled


def test_the_choices_are_kept_for_the_next_time(evening: Any, tmp_path: Path) -> None:
    dialog = planned(evening)
    dialog.choices.destination.setText(str(tmp_path / "elsewhere"))
    choose(evening, dialog, dialog.choices.way, "hard-link")
    sort(evening, dialog)
    evening.press("receiptClose")
    once_more = planned(evening)
    assert once_more.choices.chosen_way is Way.HARD_LINK
    assert once_more.choices.target == str(tmp_path / "elsewhere")
    assert once_more.plan.headline.text() == "Nothing to sort"
    assert "there already" in once_more.plan.plan.cell(once_more.plan.plan.lines[0], 3)


def test_a_table_of_a_hundred_thousand_lines_asks_only_for_what_is_in_view(
    evening: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = planned(evening)
    table, calls = dialog.plan.plan, []
    line = table.lines[0]
    cell = type(table).cell
    monkeypatch.setattr(
        type(table), "cell", lambda self, each, column: calls.append(1) or cell(self, each, column)
    )
    table.show([line] * 100_000)
    dialog.plan.plan_view.grab()
    assert table.rowCount() == 100_000
    assert len(calls) < 1_000
    assert dialog.plan.plan_view.model().headerData(0, Qt.Orientation.Horizontal) == "File"


def test_another_program_that_sorts_is_told(evening: Any) -> None:
    from fewshot_gui.engine.sorting.journal import Journal

    dialog = planned(evening)
    with Journal():
        evening.press("sortNowButton")
        evening.wait(lambda: "Another window" in dialog.plan.note.text())
    assert dialog.pages.currentWidget() is dialog.plan


def test_what_belongs_to_a_picture_goes_with_it(evening: Any, tmp_path: Path) -> None:
    (evening.folder / "0.xmp").write_text("a note")
    dialog = planned(evening)
    assert "Going with them: 1 file." in dialog.plan.note.text()
    cats = dialog.plan.folders.lines[0]
    assert dialog.plan.folders.cell(cats, 1) == "2 + 1"
    assert dialog.plan.folders.tip(cats, 1) == "Going with them: 1 file."
    sort(evening, dialog)
    assert (tmp_path / "pictures sorted" / "Cats" / "0.xmp").read_text() == "a note"


def test_sidecars_are_written_beside_the_pictures_and_go_again(evening: Any) -> None:
    before = files(evening.folder)
    dialog = planned(evening)
    choose(evening, dialog, dialog.choices.way, "sidecar")
    assert dialog.plan.folders.cell(dialog.plan.folders.lines[0], 3) == "beside each picture"
    sort(evening, dialog)
    assert b"Cats" in (evening.folder / "0.png.xmp").read_bytes()
    evening.press("takeBackAll")
    evening.wait(lambda: dialog.receipt.title.text() == "4 files taken back")
    assert files(evening.folder) == before


# A destination that refuses ---------------------------------------------------------------------------


def refusing(monkeypatch: pytest.MonkeyPatch, folder: str, number: int, words: str) -> None:
    """Let the disk refuse every new file in the folders of that name: root may write everywhere."""
    real = transfer.copy_to_new

    def copy(source: str, target: str, tick: Any) -> Any:
        if f"{os.sep}{folder}{os.sep}" in target:
            raise OSError(number, words, target)
        return real(source, target, tick)

    monkeypatch.setattr(transfer, "copy_to_new", copy)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EROFS, "The disk is read-only. Choose another folder."),
        (errno.EACCES, "You may not write there. Change the permissions, or choose another folder."),
    ],
)
def test_what_a_destination_refuses_is_listed_with_its_reason_and_the_rest_goes(
    evening: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    before = files(evening.folder)
    refusing(monkeypatch, "Cats", number, os.strerror(number))
    dialog = planned(evening)
    receipt = sort(evening, dialog)
    assert dialog.receipt.title.text() == "2 files sorted, 2 files did not go"
    table = dialog.receipt.table
    shown = [[table.cell(line, column) for column in (0, 1, 3)] for line in table.lines]
    assert sorted(shown[:2]) == [["0.png", "Did not go", said], ["1.png", "Did not go", said]]
    assert [line[1] for line in shown[2:]] == ["Done", "Done"]
    assert os.strerror(number) in table.tip(table.lines[0], 3)
    assert sorted(files(tmp_path / "pictures sorted")) == [f"Dogs{os.sep}2.png", f"Dogs{os.sep}3.png"]
    assert files(evening.folder) == before
    assert receipt.stopped_by is None
    evening.press("takeBackAll")
    evening.wait(lambda: "2 files taken back" in dialog.receipt.title.text())
    assert not files(tmp_path / "pictures sorted")


# The trash --------------------------------------------------------------------------------------------


@pytest.fixture
def trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's trash, in a place of the test's own."""
    (tmp_path / "share").mkdir()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    return tmp_path / "share" / "Trash" / "files"


def throw(evening: Any, dialog: Any, *names: str) -> None:
    for name in names:
        (item,) = dialog.choices.trash.findItems(name, Qt.MatchFlag.MatchExactly)
        again(evening, dialog, lambda item=item: item.setCheckState(Qt.CheckState.Checked))  # type: ignore[misc]


def test_to_the_trash_and_home_again(evening: Any, tmp_path: Path, trash: Path) -> None:
    before = files(evening.folder)
    dialog = planned(evening)
    throw(evening, dialog, "Cats", "None of these")
    assert dialog.plan.headline.text().startswith("2 pictures in 1 folder, 3 pictures to the trash")
    assert {line.category: dialog.plan.folders.cell(line, 3) for line in dialog.plan.folders.lines}[
        "Cats"
    ] == ("the trash")
    rows = {dialog.plan.plan.cell(line, 0): dialog.plan.plan.cell(line, 2) for line in dialog.plan.plan.lines}
    assert rows["0.png"] == rows["1.png"] == rows["4.png"] == "the trash"
    tip = dialog.plan.plan.tip(dialog.plan.plan.lines[0], 2)
    assert str(tmp_path / "data" / "quarantine") in tip
    assert not dialog.choices.none.isEnabled()
    assert files(evening.folder) == before

    sort(evening, dialog)
    assert dialog.receipt.title.text() == "2 files sorted, 3 files to the trash"
    states = [dialog.receipt.table.cell(line, 1) for line in dialog.receipt.table.lines]
    assert states.count("In the trash") == 3
    assert sorted(files(evening.folder)) == ["2.png", "3.png", "5.png"]  # the dogs were copied
    assert sorted(path.name for path in trash.iterdir()) == ["0.png", "1.png", "4.png"]

    evening.press("takeBackAll")
    evening.wait(lambda: dialog.receipt.title.text() == "5 files taken back")
    assert files(evening.folder) == before
    assert not files(trash.parent)


def test_without_a_trash_of_the_system_our_quarantine_takes_them(
    evening: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(evening.folder)
    evening.shell.desk.sorter._trash = lambda _path: None
    dialog = planned(evening)
    throw(evening, dialog, "Dogs")
    sort(evening, dialog)
    assert len(files(tmp_path / "data" / "quarantine")) == 2
    evening.press("takeBackAll")
    evening.wait(lambda: dialog.receipt.title.text() == "4 files taken back")
    assert files(evening.folder) == before
    assert not (tmp_path / "data" / "quarantine").exists()


def test_none_of_these_never_take_a_category_of_that_name_with_them(evening: Any, trash: Path) -> None:
    dialog = planned(evening)
    dialog.choices.none_name.setText("Cats")
    throw(evening, dialog, "None of these")
    assert dialog.plan.planned.plan.counts == {"Cats": 2, "Cats (2)": 1, "Dogs": 2}
    assert dialog.choices.chosen_trash == {"Cats (2)"}


def test_what_goes_to_the_trash_is_kept_for_the_next_time_and_not_for_sidecars(
    evening: Any, trash: Path
) -> None:
    dialog = planned(evening)
    throw(evening, dialog, "Dogs")
    sort(evening, dialog)
    evening.press("receiptClose")
    once_more = planned(evening)
    assert once_more.choices.trash.names == ["Dogs"]
    choose(evening, once_more, once_more.choices.way, "sidecar")
    assert once_more.choices.chosen_trash == frozenset()
    assert not once_more.choices.trash.isEnabled()


# A large folder -----------------------------------------------------------------------------------------


def test_closing_the_dialog_ends_planning_within_a_step(
    evening: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One step of a hundred thousand files takes a second; it is not waited for."""
    asked, looked = threading.Event(), []

    def endless(decided: Any, _destination: str, check: Any) -> None:
        while True:
            check()
            looked.append(1)
            asked.set()

    monkeypatch.setattr(sorter, "survey", endless)
    evening.ask("sortAction")
    dialog = evening.dialog(SortDialog)
    evening.wait(asked.is_set)
    dialog.reject()
    assert evening.shell.desk.sorter.lane.drain(10), "the lane is free for what comes next"
    assert dialog.plan.planned is None
