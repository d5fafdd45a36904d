from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QThread, QTimer

from fewshot_gui.engine.worker import Worker
from fewshot_gui.gui.main_thread import MainThread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot


@pytest.fixture
def bridge(qapp: QCoreApplication) -> Iterator[MainThread]:
    result = MainThread()
    yield result
    result.close()
    result.deleteLater()


def test_calls_run_in_order_on_the_gui_thread(bridge: MainThread, qtbot: QtBot) -> None:
    got: list[tuple[int, bool]] = []
    gui = QThread.currentThread()

    def post_all() -> None:
        for number in range(500):
            bridge.post(lambda number=number: got.append((number, QThread.currentThread() is gui)))

    thread = threading.Thread(target=post_all)
    thread.start()
    thread.join()
    assert got == [], "nothing runs on the thread that posts"
    qtbot.waitUntil(lambda: len(got) == 500)
    assert got == [(number, True) for number in range(500)]


def test_calls_of_many_threads_all_arrive(bridge: MainThread, qtbot: QtBot) -> None:
    got: list[tuple[int, int]] = []

    def post_all(name: int) -> None:
        for number in range(300):
            bridge.post(lambda number=number: got.append((name, number)))

    threads = [threading.Thread(target=post_all, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    qtbot.waitUntil(lambda: len(got) == 1200)
    for thread in threads:
        thread.join()
    for name in range(4):
        assert [number for who, number in got if who == name] == list(range(300))


class Wakes(QObject):
    """Counts the events that an object gets."""

    count = 0

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        self.count += event.type() >= QEvent.Type.User
        return False


def test_a_burst_wakes_the_gui_once(bridge: MainThread) -> None:
    wakes = Wakes()
    bridge.installEventFilter(wakes)
    for _ in range(1000):
        bridge.post(lambda: None)
    assert bridge.pending == 1000
    QCoreApplication.processEvents()
    assert wakes.count == 1


def test_a_long_queue_lets_others_have_their_turn(qtbot: QtBot) -> None:
    bridge = MainThread(turn_seconds=0.0)  # one call a turn
    got: list[str] = []
    for number in range(50):
        bridge.post(lambda number=number: got.append(str(number)))
    QTimer.singleShot(0, lambda: got.append("other"))
    qtbot.waitUntil(lambda: len(got) == 51)
    assert got.index("other") < 10, "a timer that was due came between the calls"
    bridge.close()


def test_a_call_that_posts_itself_for_ever_does_not_stop_the_window(qtbot: QtBot) -> None:
    bridge = MainThread(turn_seconds=0.001)
    got: list[int] = []

    def again() -> None:
        got.append(1)
        bridge.post(again)

    bridge.post(again)
    fired: list[bool] = []
    QTimer.singleShot(0, lambda: fired.append(True))
    qtbot.waitUntil(lambda: bool(fired))
    bridge.close()
    before = len(got)
    QCoreApplication.processEvents()
    assert len(got) == before


def test_an_exception_reaches_the_hook_and_the_rest_goes_on(
    bridge: MainThread, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    got: list[str] = []

    def fail() -> None:
        raise ValueError("lost?")

    with qtbot.captureExceptions() as caught:
        bridge.post(fail)
        bridge.post(lambda: got.append("after"))
        bridge.post(fail)
        bridge.post(lambda: got.append("end"))
        qtbot.waitUntil(lambda: got == ["after", "end"])
    assert [str(error) for _, error, _ in caught] == ["lost?", "lost?"]
    assert bridge.pending == 0


def test_closed_it_drops_what_waits_and_what_comes(bridge: MainThread) -> None:
    got: list[int] = []
    bridge.post(lambda: got.append(1))
    bridge.close()
    bridge.post(lambda: got.append(2))
    QCoreApplication.processEvents()
    assert got == []
    assert bridge.pending == 0


def test_a_call_may_close_it(bridge: MainThread) -> None:
    got: list[int] = []
    bridge.post(bridge.close)
    bridge.post(lambda: got.append(1))
    QCoreApplication.processEvents()
    QCoreApplication.processEvents()
    assert got == []


def test_a_worker_hands_its_results_over(bridge: MainThread, qtbot: QtBot) -> None:
    worker, got = Worker("test", bridge.post), []
    worker.submit(
        lambda _token: QThread.currentThread(),
        then=lambda thread: got.append(thread is QThread.currentThread()),
    )
    qtbot.waitUntil(lambda: bool(got))
    assert got == [False], "the work ran on another thread than the callback"
    assert worker.close(20)
