"""What a person finds when the program is opened again: after closing, a crash, or damage to a file."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from fewshot_gui.engine.session import Session
from fewshot_gui.engine.session_error import SessionError
from fewshot_gui.engine.session_places import recent_sessions
from fewshot_gui.engine.worker import Worker
from fewshot_gui.gui.label_export import label_table

if TYPE_CHECKING:
    from collections.abc import Callable

Key, Keys = Qt.Key, Qt.KeyboardModifier


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What message boxes say; a question is answered with no."""
    words: list[str] = []

    def box(answer: QMessageBox.StandardButton) -> Callable[..., QMessageBox.StandardButton]:
        def show(_parent: object, _title: str, text: str, *_buttons: object) -> QMessageBox.StandardButton:
            words.append(text)
            return answer

        return show

    monkeypatch.setattr(QMessageBox, "warning", box(QMessageBox.StandardButton.Cancel))
    monkeypatch.setattr(QMessageBox, "question", box(QMessageBox.StandardButton.No))
    return words


# Closing and opening ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("photo_weights")
def test_nothing_is_lost_overnight(stage: Any, support: Path, query: Path) -> None:
    app = stage.start()
    app.teach_all(support)
    app.open_folder(query)
    app.settle()
    app.click_tile("red 0.png")
    app.key(getattr(Key, f"Key_{app.category('blue').shortcut}"))
    app.settle()
    before, table = app.document, label_table(app.window.workspace)
    stage.close(app)
    app = stage.start()
    assert app.document == before
    app.settle()
    again = label_table(app.window.workspace)
    assert again.paths == table.paths
    assert again.probabilities == pytest.approx(table.probabilities, abs=1e-5)
    assert app.tiles()["red 0.png"].category == "blue"
    app.control(Key.Key_Z)
    assert app.counts() == {"blue": 5, "green": 5, "red": 5}
    app.control(Key.Key_Z)
    assert app.names() == []


def test_a_new_session_is_begun_beside_the_old_one(stage: Any) -> None:
    app = stage.start()
    app.new_category("first")
    former = app.session.path
    app.key(Key.Key_N, Keys.ControlModifier | Keys.ShiftModifier)
    assert app.session.path != former
    assert app.names() == []
    assert app.shell.open_session(former)
    assert app.names() == ["first"]


def test_a_new_session_while_pictures_are_read_into_the_old_one(stage: Any, support: Path) -> None:
    app = stage.start()
    app.drop_files(app.window.support, support)
    app.key(Key.Key_N, Keys.ControlModifier | Keys.ShiftModifier)
    app.new_category("second")
    lanes = app.window.workspace.lanes
    app.wait(lambda: lanes.decode.pending == 0)
    assert app.names() == ["second"]
    assert not app.window.toast.isVisible()


def test_a_name_that_is_being_typed_when_the_window_closes(stage: Any, tmp_path: Path) -> None:
    path = tmp_path / "typed.fewshot"
    app = stage.start(path)
    app.control(Key.Key_N)
    app.type("half a na")
    stage.close(app)
    assert stage.start(path).names() == ["half a na"]


def test_a_folder_that_is_gone_the_next_day(stage: Any, tmp_path: Path, query: Path) -> None:
    path = tmp_path / "gone.fewshot"
    app = stage.start(path)
    app.open_folder(query)
    app.wait(lambda: app.window.workspace.gallery.count == 12)
    stage.close(app)
    shutil.rmtree(query)
    app = stage.start(path)
    gallery = app.window.workspace.gallery
    app.wait(lambda: not gallery.listing)
    assert gallery.count == 0
    app.new_category("goes on")
    assert app.names() == ["goes on"]


@pytest.mark.usefixtures("photo_weights")
def test_closing_in_the_middle_of_everything(stage: Any, tmp_path: Path, support: Path, query: Path) -> None:
    path = tmp_path / "busy.fewshot"
    app = stage.start(path)
    app.open_folder(query)
    app.drop_files(app.window.support, support)
    app.wait(lambda: len(app.names()) == 3)
    stage.close(app)
    assert stage.start(path).counts() == {"blue": 5, "green": 5, "red": 5}


def test_the_sample_shows_itself(stage: Any) -> None:
    app = stage.start()
    app.window.named_actions["sampleAction"].trigger()
    app.wait(lambda: len(app.names()) >= 2 and all(app.counts().values()))
    app.wait(lambda: app.window.workspace.gallery.count > 0)


# A crash ---------------------------------------------------------------------------------------------------

PERSON = """
import sys
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from fewshot_gui.gui.app import build_application, main
from fewshot_gui.gui.main_window import MainWindow

def act():
    window = next(each for each in QApplication.topLevelWidgets() if isinstance(each, MainWindow))
    QTest.qWaitForWindowActive(window)
    for number in range(1000):
        QTest.keyClick(window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClicks(QApplication.focusWidget(), f"kind {number}")
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
        assert window.workspace.session.flush()
        print(f"kind {number}", flush=True)

build_application("light")
QTimer.singleShot(0, act)
main(sys.argv[1:])
"""


def test_a_killed_program_has_lost_nothing_that_was_done(stage: Any, tmp_path: Path) -> None:
    path = tmp_path / "killed.fewshot"
    command = [sys.executable, "-c", PERSON, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as person:
        assert person.stdout is not None
        done = [person.stdout.readline().strip() for _ in range(7)]
        person.kill()
    assert done[0] == "kind 0"
    app = stage.start(path)
    assert app.names()[:7] == done
    for name in reversed(app.names()):
        app.control(Key.Key_Z)
        app.control(Key.Key_Z)
        assert name not in app.names()
    assert app.names() == []


# Files that are not sound ----------------------------------------------------------------------------------


def test_a_damaged_session_is_told_and_left_alone(stage: Any, tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "damaged.fewshot"
    app = stage.start(path)
    app.new_category("kept")
    stage.close(app)
    shutil.rmtree(tmp_path / "damaged.backups", ignore_errors=True)
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 8000)
    content = path.read_bytes()
    app = stage.start(path)
    assert "damaged" in said[0]
    assert str(path) in said[0]
    assert path.read_bytes() == content
    assert app.session.path != str(path)
    app.new_category("goes on")
    assert app.names() == ["goes on"]


def test_a_damaged_session_whose_backup_is_sound(
    stage: Any, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "damaged.fewshot"
    for _day in range(2):  # the copy of a day is made when the session is opened with something in it
        app = stage.start(path)
        app.new_category(f"kept {len(app.names())}")
        disk = app.window.workspace.lanes.disk
        app.wait(lambda disk=disk: not disk.pending)  # a copy under way ends with the session
        stage.close(app)
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 8000)
    yes = QMessageBox.StandardButton.Yes
    monkeypatch.setattr(QMessageBox, "question", lambda *words: said.append(words[2]) or yes)
    (backup,) = (tmp_path / "damaged.backups").iterdir()
    content, damaged = backup.read_bytes(), path.read_bytes()
    app = stage.start(path)
    assert "copy" in said[0]
    assert app.names() == ["kept 0"]
    assert app.session.path == str(tmp_path / "damaged (recovered).fewshot")
    app.new_category("goes on")
    stage.close(app)
    assert (backup.read_bytes(), path.read_bytes()) == (content, damaged)
    assert stage.start().names() == ["kept 0", "goes on"]


@pytest.mark.parametrize("content", [b"", b"this is a letter", b"\x89PNG\r\n\x1a\n"])
def test_a_foreign_file_is_told_and_left_alone(
    stage: Any, tmp_path: Path, said: list[str], content: bytes
) -> None:
    path = tmp_path / "letter.fewshot"
    path.write_bytes(content)
    app = stage.start(path)
    assert len(said) == 1
    assert path.read_bytes() == content
    assert app.session.path != str(path)


def test_a_database_of_another_program(stage: Any, tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "music.fewshot"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE songs (name)")
    connection.commit()
    connection.close()
    stage.start(path)
    assert "not made by Few-shot Labeler" in said[0]


def test_a_session_that_is_open_elsewhere(stage: Any, tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "shared.fewshot"
    disk = Worker("other disk", lambda call: call())
    other = Session.create(path, disk)
    app = stage.start(path)
    assert "open in another window" in said[0]
    assert app.session.path != str(path)
    assert other.close()
    assert disk.close(20)
    assert app.shell.open_session(str(path))


def test_a_session_that_was_used_last_but_is_gone(stage: Any, tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "gone.fewshot"
    stage.close(stage.start(path))
    assert recent_sessions()[0] == str(path)
    path.unlink()
    app = stage.start()
    assert not said
    assert app.names() == []


def test_a_folder_that_cannot_be_written_is_told(
    stage: Any, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FEWSHOT_DATA", str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    app = stage.start()
    assert str(tmp_path / "file") in said[0]
    assert "FEWSHOT_DATA" in said[0]
    assert str(tmp_path / "fewshot-labeler-") in app.session.path
    assert str(Path(app.session.path).parent) in app.window.toast.text
    app.new_category("goes on")
    app.key(Key.Key_N, Keys.ControlModifier | Keys.ShiftModifier)
    assert len(said) == 2
    assert app.names() == ["goes on"]  # it stays where it is: here nothing is lost by waiting
    app.shell.try_sample()
    assert app.names() == ["goes on"]


def test_what_cannot_be_written_is_not_thrown_away_without_asking(
    stage: Any, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = stage.start()
    app.new_category("precious")
    former = app.session
    real = former.flush
    monkeypatch.setattr(former, "flush", lambda *_: False)
    app.key(Key.Key_N, Keys.ControlModifier | Keys.ShiftModifier)
    assert "could not be written" in said[-1]
    assert app.session is former
    app.key(Key.Key_Q, Keys.ControlModifier)
    assert app.shell.window is not None
    monkeypatch.setattr(former, "flush", real)


def test_an_error_that_nobody_expected_is_told(stage: Any, capsys: pytest.CaptureFixture[str]) -> None:
    app = stage.start()

    def fail(_token: object) -> None:
        raise RuntimeError("the moon fell down")

    app.window.workspace.lanes.decode.submit(fail)
    app.wait(lambda: "the moon fell down" in app.window.toast.text)
    assert "RuntimeError" in capsys.readouterr().err
    assert [str(error) for error in stage.unexpected] == ["the moon fell down"]
    stage.unexpected.clear()


def test_a_session_error_is_an_error_not_a_crash(tmp_path: Path) -> None:
    disk = Worker("disk", lambda call: call())
    with pytest.raises(SessionError):
        Session.open(tmp_path / "nowhere.fewshot", disk)
    assert disk.close(20)
