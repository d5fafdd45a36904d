"""The live feed: the newest prediction, not every one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from fewshot_gui.engine.event import Event
from fewshot_gui.gui.inspector.live_feed import LiveFeed

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

FRAME = np.zeros((4, 4, 3), np.uint8)


class Inspector:
    """Writes down what it is asked to show."""

    def __init__(self) -> None:
        self.shown: list[Any] = []

    def show_single(self, prediction: Any, _pixels: Any) -> None:
        self.shown.append(prediction)

    def clear(self) -> None:
        self.shown.append(None)


def live(number: int, best: int = 0) -> Any:
    return SimpleNamespace(prediction=SimpleNamespace(number=number, best=best), frame=FRAME)


def test_only_the_newest_of_a_burst_is_shown(qtbot: QtBot) -> None:
    inspector, loop = Inspector(), Event()
    feed = LiveFeed(inspector, [loop])  # type: ignore[arg-type]
    for number in range(50):
        loop.emit(live(number))
    qtbot.waitUntil(lambda: bool(inspector.shown))
    assert [prediction.number for prediction in inspector.shown] == [49]
    feed.release()


def test_what_is_on_its_way_is_forgotten_when_the_source_changes(qtbot: QtBot) -> None:
    inspector, loop = Inspector(), Event()
    feed = LiveFeed(inspector, [loop])  # type: ignore[arg-type]
    loop.emit(live(1))
    feed.forget()
    loop.emit(live(2))
    qtbot.waitUntil(lambda: len(inspector.shown) == 2)
    assert inspector.shown[0] is None
    assert inspector.shown[1].number == 2
    feed.release()


def test_nothing_taught_shows_nothing_and_a_released_feed_hears_nothing(qtbot: QtBot) -> None:
    inspector, loop = Inspector(), Event()
    feed = LiveFeed(inspector, [loop])  # type: ignore[arg-type]
    loop.emit(live(1, best=-1))
    feed.release()
    loop.emit(live(2))
    assert not feed._timer.isActive()
    assert inspector.shown == []
