"""Garbage: Qt objects in cycles are destroyed on the GUI thread, whoever allocates."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject

from fewshot_gui.engine.worker import Worker
from fewshot_gui.gui.garbage import MainThreadGarbage, collect_due, settle
from fewshot_gui.gui.main_thread import MainThread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.enable()
    yield
    (gc.enable if enabled else gc.disable)()


class Cyclic(QObject):
    """A Qt object that only the garbage collector can free, and that notes on which thread."""

    freed_on: list[str] = []  # noqa: RUF012 - shared on purpose

    def __init__(self) -> None:
        super().__init__()
        self.me = self

    def __del__(self) -> None:
        self.freed_on.append(threading.current_thread().name)


def allocate(_token: object) -> None:
    """Make far more objects than it takes for Python to collect by itself."""
    kept = [[number] for number in range(50_000)]
    assert kept


def test_a_worker_that_allocates_destroys_no_qt_object(qtbot: QtBot) -> None:
    Cyclic.freed_on.clear()
    bridge = MainThread()
    lane = Worker("lane", bridge.post)
    done: list[None] = []
    try:
        for _ in range(20):
            Cyclic()
        lane.submit(allocate, then=done.append)
        qtbot.waitUntil(lambda: bool(done))
        assert "lane-0" not in Cyclic.freed_on
        gc.collect()
        assert len(Cyclic.freed_on) == 20
        assert set(Cyclic.freed_on) == {threading.current_thread().name}
    finally:
        assert lane.close(5)
        bridge.close()


def test_what_is_due_is_collected_while_the_window_rests(qtbot: QtBot) -> None:
    garbage = MainThreadGarbage()
    Cyclic.freed_on.clear()
    Cyclic()
    kept = [[number] for number in range(5_000)]
    assert not gc.isenabled()
    qtbot.waitUntil(lambda: bool(Cyclic.freed_on))
    assert kept
    garbage.stop()


def test_stopping_leaves_it_to_python_again_as_it_was_before(qtbot: QtBot) -> None:
    first = MainThreadGarbage()
    second = MainThreadGarbage()
    second.stop()
    assert not gc.isenabled()
    first.stop()
    assert gc.isenabled()


def test_what_is_frozen_thaws_when_the_program_ends(qtbot: QtBot) -> None:
    garbage = MainThreadGarbage()
    settle()
    frozen = gc.get_freeze_count()
    settle()
    assert gc.get_freeze_count() == frozen > 0
    garbage.stop()
    assert gc.get_freeze_count() == 0


def test_nothing_due_is_no_work() -> None:
    gc.collect()
    gc.disable()
    assert collect_due() == 0
