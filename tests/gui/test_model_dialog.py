"""Exporting a model from the window: what is told before, meanwhile and after."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from fewshot_gui.engine.commands import AddCategory, AddExamples, ChooseLearner, new_category_id
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.exports.model_task import ModelReply
from fewshot_gui.engine.predictor_status import PredictorStatus
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


@pytest.fixture
def space(session: Session) -> Any:
    status: Event[[PredictorStatus]] = Event()
    predictor = SimpleNamespace(fitted=object(), status=PredictorStatus(), status_changed=status)
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
    assert "Nothing was written" in dialog.note.text()
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


def test_a_program_that_is_not_there_is_told(
    space: Any, dialog: ModelDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    teach(space.session, "Hats", "Shoes")
    monkeypatch.setattr(model_export, "command", lambda _task: [str(tmp_path / "no-python"), "-c", ""])
    with qtbot.waitSignal(dialog.process.errorOccurred, timeout=20_000):
        dialog.write(tmp_path / "a.onnx")
    assert "could not be written" in dialog.note.text()
    assert dialog.go.isEnabled()


def test_no_room_for_the_task_is_told(
    space: Any, dialog: ModelDialog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    teach(space.session, "Hats", "Shoes")
    monkeypatch.setattr(Task, "full", True)
    dialog.write(tmp_path / "a.onnx")
    assert "No space left" in dialog.note.text()
    assert not dialog.running


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (ModelReply("taken", "/a/b.py"), "/a/b.py is there already"),
        (ModelReply("learner", "x"), "cannot be written as a model. Choose another one first"),
        (ModelReply("backbone", "it is gone"), "it is gone"),
        (ModelReply("system", "No space left on device"), "No space left on device. Choose another place"),
        (ModelReply(), "Written: b.onnx and b.py."),
    ],
)
def test_each_trouble_says_what_to_do(reply: ModelReply, words: str) -> None:
    assert words in reply_words(reply, Path("/a/b.onnx"))
