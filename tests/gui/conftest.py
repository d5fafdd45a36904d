"""What every test of a widget shares: no screen needed, the look, a session, nothing left behind."""

from __future__ import annotations

import gc
import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from fewshot_gui.engine.session import Session
from fewshot_gui.engine.worker import Worker
from fewshot_gui.gui.theme import Appearance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def appearance(qapp: QApplication) -> Iterator[Appearance]:
    """The light theme, on the application; taken off again afterwards."""
    result = Appearance()
    result.choose("light")
    result.install(qapp)
    yield result
    qapp.setStyleSheet("")
    result.deleteLater()


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A real, empty session; what its disk lane posts is only run when it is closed."""
    posted: SimpleQueue[Callable[[], None]] = SimpleQueue()
    disk = Worker("disk", posted.put)
    result = Session.create(tmp_path / "test.fewshot", disk)
    yield result
    result.close(discard=True)
    assert disk.close(10)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the offscreen platform say what it does not support: that is no fault of a widget."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore("^This plugin does not support", extend=True))


def _left_behind() -> list[QWidget]:
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return [each for each in QApplication.topLevelWidgets() if each.parent() is None]


def _let_go_of_modifiers() -> None:
    """Let no Ctrl or Shift of a test's last key count in the next: Qt knows of it from key events alone."""
    if QApplication.keyboardModifiers() != Qt.KeyboardModifier.NoModifier:
        widget = QWidget()
        QTest.keyRelease(widget, Qt.Key.Key_Shift)
        widget.deleteLater()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Fail a test that leaves a top-level widget, after its fixtures and pytest-qt have cleaned up."""
    result = yield
    if QApplication.instance() is None:
        return result
    _let_go_of_modifiers()
    left = _left_behind()
    if left:
        # A widget that only waits for Python's garbage collector was not left by the test.
        left.clear()
        gc.collect()
        left = _left_behind()
    names = [f"{type(each).__name__} {each.objectName()!r}" for each in left]
    for widget in left:
        widget.close()
        widget.deleteLater()
    if names:
        pytest.fail(f"{item.name} left behind: {', '.join(names)}")
    return result
