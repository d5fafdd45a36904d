"""Exporting a model from the window: what is told before, meanwhile and after."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QTemporaryDir

from fewshot_gui.engine.commands import AddCategory, AddExamples, ChooseLearner, new_category_id
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.exports.model_task import ModelReply
from fewshot_gui.engine.predictor_status import PredictorStatus
from fewshot_gui.engine.recipe import Recipe, recipe_of
from fewshot_gui.engine.state import Example
from fewshot_gui.gui.dialogs import model_export
from fewshot_gui.gui.dialogs.model_export import ModelDialog
from fewshot_gui.gui.dialogs.model_words import reply_words

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from fewshot_gui.engine.session import Session

ANSWERS = 'print(\'{"trouble": null, "detail": "", "compared": 4, "same": 3}\')'
SLEEPS = "import time; time.sleep(60)"
FAILS = "import sys; sys.exit('ImportError: no onnx here')"


class Task:
    """A task whose process needs none."""

    of = classmethod(lambda cls, *_: cls())
    full = False

    def write(self, path: Path) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        path.write_bytes(b"")


class Predictor:
    """Has learned what the document asks for, unless a test says otherwise."""

    def __init__(self, session: Session, changed: Event[[PredictorStatus]]) -> None:
        self._session = session
        self.status, self.status_changed = PredictorStatus(), changed
        self.former: Recipe | None = None
        self.failed = False

    @property
    def fitted(self) -> Any:
        recipe = self.former or recipe_of(self._session.document)
        return None if self.failed else SimpleNamespace(recipe=recipe)


@pytest.fixture
def space(session: Session) -> Any:
    status: Event[[PredictorStatus]] = Event()
    predictor = Predictor(session, status)
    return SimpleNamespace(session=session, predictor=predictor)


@pytest.fixture
def dialog(space: Any, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> ModelDialog:
    monkeypatch.setattr(model_export, "ModelTask", Task)
    result = ModelDialog(space)
    qtbot.addWidget(result)
    result.show()
    return result


def teach(session: Session, *names: str) -> None:
    for name in names:
        category = new_category_id()
        session.do(AddCategory(category, name))
        session.do(AddExamples(category, (Example(name.encode().hex().rjust(64, "0"), "drop"),)))


def runs(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(model_export, "command", lambda _task: [sys.executable, "-c", program])


def refresh(space: Any) -> None:
    space.predictor.status_changed.emit(space.predictor.status)


def test_it_says_what_is_exported_and_what_keeps_it_from_being_so(space: Any, dialog: ModelDialog) -> None:
    assert not dialog.go.isEnabled()
    assert "two categories" in dialog.note.text()
    teach(space.session, "Hats", "Shoes")
    refresh(space)
    assert dialog.go.isEnabled()
    assert dialog.facts["categories"].text() == "Hats, Shoes"
    assert dialog.facts["examples"].text() == "2"
    space.session.do(ChooseLearner("maml"))
    refresh(space)
    assert not dialog.go.isEnabled()
    assert "adapts the network" in dialog.note.text()
    space.session.do(ChooseLearner("ridge"))
    space.predictor.status = PredictorStatus(busy=True)
    refresh(space)
    assert not dialog.go.isEnabled()
    assert "Wait" in dialog.note.text()
    space.predictor.status, space.predictor.failed = PredictorStatus(problem="support"), True
    refresh(space)
    assert not dialog.go.isEnabled()
    assert "says why" in dialog.note.text()


def test_a_classifier_of_former_examples_is_not_exported(
    space: Any, dialog: ModelDialog, tmp_path: Path
) -> None:
    """Learning was cancelled while a file was chosen: what was learned before still answers."""
    teach(space.session, "Hats", "Shoes")
    refresh(space)
    assert dialog.go.isEnabled()
    space.predictor.former = recipe_of(space.session.document)
    space.session.do(ChooseLearner("ridge"))
    dialog.write(tmp_path / "a.onnx")
    assert not dialog.running
    assert not dialog.go.isEnabled()
    assert "says why" in dialog.note.text()


def test_a_model_is_written_and_told(
    space: Any, dialog: ModelDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    teach(space.session, "Hats", "Shoes")
    runs(monkeypatch, ANSWERS)
    with qtbot.waitSignal(dialog.process.finished, timeout=20_000):
        dialog.write(tmp_path / "my hats")
        assert dialog.running
        assert dialog.bar.isVisible()
        assert not dialog.go.isEnabled()
        assert dialog.leave.text() == "Cancel"
    words = dialog.note.text()
    assert "my hats.onnx and my hats.py" in words
    assert 'python "my hats.py" "my hats.onnx"' in words
    assert "3 of 4" in words
    assert dialog.shown.isVisible()
    assert dialog.go.isEnabled()
    assert not dialog.bar.isVisible()
    refresh(space)
    assert dialog.note.text() == words
    assert dialog.shown.isVisible()


def test_cancelling_ends_the_process_and_a_second_click_closes(
    space: Any, dialog: ModelDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    teach(space.session, "Hats", "Shoes")
    runs(monkeypatch, SLEEPS)
    dialog.write(tmp_path / "a.onnx")
    qtbot.waitUntil(lambda: dialog.process.processId() > 0, timeout=20_000)
    with qtbot.waitSignal(dialog.process.finished, timeout=20_000):
        dialog.leave.click()
    assert not dialog.running
    assert dialog.note.text() == "Cancelled."
    assert dialog.isVisible()
    dialog.leave.click()
    assert not dialog.isVisible()


def test_closing_the_dialog_ends_the_process(
    space: Any, dialog: ModelDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    teach(space.session, "Hats", "Shoes")
    runs(monkeypatch, SLEEPS)
    dialog.write(tmp_path / "a.onnx")
    qtbot.waitUntil(lambda: dialog.process.processId() > 0, timeout=20_000)
    dialog.reject()
    assert not dialog.running


def test_a_process_that_fails_says_why_in_its_own_last_words(
    space: Any, dialog: ModelDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    teach(space.session, "Hats", "Shoes")
    runs(monkeypatch, FAILS)
    with qtbot.waitSignal(dialog.process.finished, timeout=20_000):
        dialog.write(tmp_path / "a.onnx")
    assert "no onnx here" in dialog.note.text()
    assert not dialog.shown.isVisible()


@pytest.mark.skipif(sys.platform == "win32", reason="another way to end a process")
def test_a_process_that_the_system_ends_was_not_cancelled(
    space: Any, dialog: ModelDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    teach(space.session, "Hats", "Shoes")
    runs(monkeypatch, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with qtbot.waitSignal(dialog.process.finished, timeout=20_000):
        dialog.write(tmp_path / "a.onnx")
    assert "ended from outside" in dialog.note.text()
    assert dialog.go.isEnabled()


@pytest.mark.parametrize("program", ["", "no-python"])
def test_a_program_that_is_not_there_is_told(
    space: Any,
    dialog: ModelDialog,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    program: str,
) -> None:
    teach(space.session, "Hats", "Shoes")
    monkeypatch.setattr(
        model_export, "command", lambda _task: [program and str(tmp_path / program), "-c", ""]
    )
    with qtbot.waitSignal(dialog.process.errorOccurred, timeout=20_000):
        dialog.write(tmp_path / "a.onnx")
    assert "The export failed" in dialog.note.text()
    assert dialog.go.isEnabled()


def test_no_room_for_the_task_is_told(
    space: Any, dialog: ModelDialog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    teach(space.session, "Hats", "Shoes")
    monkeypatch.setattr(Task, "full", True)
    dialog.write(tmp_path / "a.onnx")
    assert "No space left" in dialog.note.text()
    assert not dialog.running


def test_without_a_temporary_folder_nothing_is_written_elsewhere(
    space: Any, dialog: ModelDialog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    teach(space.session, "Hats", "Shoes")
    monkeypatch.setattr(model_export, "QTemporaryDir", lambda: QTemporaryDir(str(tmp_path / "no" / "folder")))
    monkeypatch.chdir(tmp_path)
    dialog.write(tmp_path / "a.onnx")
    assert "could not be written" in dialog.note.text()
    assert not dialog.running
    assert not list(tmp_path.glob("*.npz"))


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (ModelReply("taken", "/a/b.py"), "/a/b.py is there already"),
        (ModelReply("learner"), "cannot be written as a model. Choose another one first"),
        (ModelReply("backbone", "it is gone"), "it is gone"),
        (ModelReply("system", "No space left on device"), "No space left on device. Choose another place"),
        (ModelReply(), "Written: b.onnx and b.py."),
    ],
)
def test_each_trouble_says_what_to_do(reply: ModelReply, words: str) -> None:
    assert words in reply_words(reply, Path("/a/b.onnx"))
