"""Everything the sorting engine can say has words that a person can act on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt

from fewshot_gui.engine.exports.folders import FolderTakenError
from fewshot_gui.engine.sorter import Recovered
from fewshot_gui.engine.sorting.doubts import Settled, Verdict
from fewshot_gui.engine.sorting.journal import JournalError, JournalInUseError
from fewshot_gui.engine.sorting.plan import Conflict, ConflictKind, Way
from fewshot_gui.engine.sorting.recovery import RecoveryReport
from fewshot_gui.engine.sorting.states import IN_DOUBT, FileState, Reason, RunState
from fewshot_gui.engine.sorting.table import CategoryCount
from fewshot_gui.engine.sorting.watch import WatchError, WatchProblem
from fewshot_gui.gui.sorting import words
from fewshot_gui.gui.sorting.desk import recovery_words
from fewshot_gui.gui.sorting.export_words import export_words, formats
from fewshot_gui.gui.sorting.pace import Pace
from fewshot_gui.gui.sorting.plan_tables import FolderTable
from fewshot_gui.gui.sorting.progress_page import ProgressPage

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from fewshot_gui.gui.theme import Appearance


@pytest.mark.parametrize("kind", ConflictKind)
def test_every_conflict_has_a_sentence(kind: ConflictKind) -> None:
    said = words.conflict_words(Conflict("/a/b.jpg", kind, f"{os.sep}there{os.sep}other.jpg"))
    assert said[0].isupper()
    assert said.endswith(".")
    assert "{" not in said
    assert kind.value not in said or kind is ConflictKind.LINK


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence(reason: Reason) -> None:
    said = words.reason_words(reason, "Input/output error.")
    assert said.endswith(".")
    assert "{" not in said


def test_no_two_reasons_say_the_same() -> None:
    assert len({words.reason_words(reason) for reason in Reason}) == len(Reason)
    assert len({words.conflict_words(Conflict("", kind)) for kind in ConflictKind}) == len(ConflictKind)


def test_every_state_and_way_has_words() -> None:
    assert set(words.way_words()) == set(Way)
    told = {words.state_words(state) for state in FileState if state not in IN_DOUBT}
    assert len(told) == len(FileState) - len(IN_DOUBT)
    assert {words.state_words(state) for state in IN_DOUBT} == {"In doubt"}
    assert words.doubt_words().endswith(".")
    assert words.run_words(RunState.FINISHED, None) == "Done"
    assert words.run_words(RunState.TAKEN_BACK, None) == "Taken back"
    assert words.run_words(RunState.PAUSED, Reason.CANCELLED) == "Stopped"
    assert "disk is full" in words.run_words(RunState.PAUSED, Reason.DISK_FULL)


def test_errors_of_the_journal_say_what_to_do() -> None:
    assert "Another window" in words.journal_words(JournalInUseError("x"))
    assert "no disk" in words.journal_words(JournalError("no disk"))
    assert words.journal_words(ValueError("odd")) == "odd"


def test_a_folder_that_cannot_be_watched_is_told_with_what_to_do() -> None:
    gone = words.watch_words(WatchError(WatchProblem.MISSING, "/a"))
    refused = words.watch_words(WatchError(WatchProblem.REFUSED, "/a", "inotify limit reached"))
    assert "/a is not there" in gone
    assert "inotify limit reached" in refused
    assert all(said.endswith(".") for said in (gone, refused))


def test_numbers_as_a_person_reads_them() -> None:
    assert [words.pictures_words(1), words.pictures_words(1200)] == ["1 picture", "1,200 pictures"]
    assert [words.files_words(1), words.files_words(2)] == ["1 file", "2 files"]
    assert [words.duration_words(s) for s in (0.2, 59, 600, 5400)] == [
        "1 s left", "59 s left", "10 min left", "1.5 h left"
    ]  # fmt: skip
    assert words.size_words(1_500_000) == "1.5 MB"
    assert words.time_words("no moment") == "no moment"
    assert "26" in words.time_words("2026-11-21T11:37:00+00:00")


def test_errors_of_an_export_say_what_to_do() -> None:
    place = Path("labels.csv")
    told = [export_words(error, place) for error in (FileExistsError(), FolderTakenError(), OSError("full"))]
    assert "another name" in told[0]
    assert "new folder" in told[1]
    assert "full" in told[2]
    assert words.error_words(OSError(28, "No space left", "/x")) == "No space left"
    assert len({form.key for form in formats()}) == 7


def test_a_recovery_is_one_sentence() -> None:
    none = Settled(None, Verdict.FINISHED)  # type: ignore[arg-type]
    left = Settled(None, Verdict.LEFT)  # type: ignore[arg-type]
    said = recovery_words(Recovered(RecoveryReport((none, none, left), ("/a",), ("run",)), ("run",)))
    assert "2 files finished, 1 file put back, 1 file in doubt (is a drive missing?)" in said
    assert "The rest can be sorted" in said
    assert "no file was half done" in recovery_words(Recovered(RecoveryReport(), ("run",)))
    assert not Recovered(RecoveryReport(), ()).anything


def test_the_pace_tells_nothing_before_it_knows() -> None:
    pace = Pace()
    assert pace.rate(10, 0.0) is None
    assert pace.rate(30, 0.5) is None
    assert pace.rate(50, 2.0) == 20
    assert pace.left(50, 250, 2.0) == 10
    assert Pace().left(0, 10, 0.0) is None


def test_a_run_of_one_file_counts_it_in_the_singular(qtbot: QtBot) -> None:
    page = ProgressPage()
    qtbot.addWidget(page)
    page.begin("Sorting", 1)
    assert page.words.text() == "0 of 1 file"
    page.begin("Sorting", 1200)
    assert page.words.text() == "0 of 1,200 files"


@pytest.mark.usefixtures("qapp")
def test_numbers_stand_at_the_right_under_their_title(appearance: Appearance) -> None:
    table = FolderTable(appearance)
    table.show([CategoryCount("Cats", "/a/Cats", 12, 1, 2000)])
    role, across = Qt.ItemDataRole.TextAlignmentRole, Qt.Orientation.Horizontal
    left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    edges = [table.data(table.index(0, column), role) for column in range(4)]
    assert edges == [left, right, right, left]
    titles = [table.headerData(column, across, role) for column in range(4)]
    assert titles == edges
    assert table.headerData(0, Qt.Orientation.Vertical) is None
    assert table.tip(table.lines[0], 1) == "Going with them: 1 file."
