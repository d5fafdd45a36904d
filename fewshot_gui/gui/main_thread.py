"""The one bridge from another thread into Qt: calls posted anywhere run on the GUI thread."""

from __future__ import annotations

from collections import deque
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer

from fewshot_gui.gui.garbage import MainThreadGarbage

if TYPE_CHECKING:
    from collections.abc import Callable

# Half a frame at 60 Hz: input and painting keep their turn however many results arrive at once.
TURN_SECONDS = 0.008
_WAKE = QEvent.Type(QEvent.registerEventType())


class MainThread(QObject):
    """A queue of calls that the GUI thread works off in order, a few milliseconds a turn.

    At most one wake-up is on its way, however many calls are waiting: a thousand results posted
    in a burst are one event. It is an event and not a signal because an event carries no Python
    value through Qt.
    """

    def __init__(self, parent: QObject | None = None, *, turn_seconds: float = TURN_SECONDS) -> None:
        super().__init__(parent)
        self._turn_seconds = turn_seconds
        self._calls: deque[Callable[[], None]] = deque()
        self._lock = Lock()
        self._awake = False
        self._closed = False
        # A posted event would be delivered within the same turn, before any input: Qt empties its
        # queue of posted events to the end. A timer of zero waits until the others had their turn.
        self._next_turn = QTimer(self, interval=0, singleShot=True)
        self._next_turn.timeout.connect(self._work)
        # Where there is a bridge there are other threads, and none of them may destroy a Qt object.
        self._garbage = MainThreadGarbage(self)

    @property
    def pending(self) -> int:
        """The number of calls that wait for the GUI thread."""
        return len(self._calls)

    def post(self, call: Callable[[], None]) -> None:
        """Have `call` run on the GUI thread, after all that were posted before; from any thread."""
        with self._lock:
            if self._closed:
                return
            self._calls.append(call)
            if self._awake:
                return
            self._awake = True
            # Inside the lock: close() may come from another thread, and this object may die after it.
            QCoreApplication.postEvent(self, QEvent(_WAKE))

    def close(self) -> None:
        """Drop what waits and whatever is posted from now on."""
        with self._lock:
            self._closed = True
            self._calls.clear()
        self._next_turn.stop()
        self._garbage.stop()

    def customEvent(self, event: QEvent) -> None:
        """Work off the queue for one turn."""
        if event.type() == _WAKE:
            self._work()

    def _work(self) -> None:
        """Run waiting calls until the turn is over, then ask for another turn if some are left.

        A call that raises ends the turn: its exception goes on to Qt, and from there to
        sys.excepthook, while the calls behind it run in the next turn.
        """
        deadline = perf_counter() + self._turn_seconds
        try:
            while (call := self._take()) is not None:
                call()
                if perf_counter() >= deadline:
                    break
        finally:
            self._rest_or_go_on()

    def _take(self) -> Callable[[], None] | None:
        with self._lock:
            return self._calls.popleft() if self._calls else None

    def _rest_or_go_on(self) -> None:
        with self._lock:
            self._awake = bool(self._calls)
        if self._awake:
            self._next_turn.start()
