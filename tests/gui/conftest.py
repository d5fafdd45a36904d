"""What every test of a widget shares: no screen needed, nothing left behind."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from typing import TYPE_CHECKING  # noqa: E402 - Qt reads its platform when it is imported

import pytest  # noqa: E402
from PySide6.QtCore import QEvent  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from fewshot_gui.gui.theme import Appearance  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator


def _left_behind() -> list[str]:
    """Describe the top-level widgets that are still shown."""
    return [f"{type(each).__name__} {each.objectName()!r}" for each in QApplication.topLevelWidgets() if each.isVisible()]


@pytest.fixture
def appearance(qapp: QApplication) -> Iterator[Appearance]:
    """The light theme, on the application; taken off again afterwards."""
    result = Appearance()
    result.choose("light")
    result.install(qapp)
    yield result
    qapp.setStyleSheet("")
    result.deleteLater()


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Fail a test that leaves a window open after all its fixtures, pytest-qt's among them, have cleaned up."""
    result = yield
    if QApplication.instance() is not None:
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        left = _left_behind()
        for widget in QApplication.topLevelWidgets():
            widget.close()
        if left:
            pytest.fail(f"{item.name} left behind: {', '.join(left)}")
    return result
