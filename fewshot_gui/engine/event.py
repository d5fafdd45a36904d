"""Events: a list of listeners that are called in order when something has happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, ParamSpec

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")


class Event(Generic[P]):
    """A thing that happens, and the listeners who want to know.

    Listeners run on the thread that emits, in the order in which they connected. One that
    disconnects while the event is being emitted is not called again.
    """

    def __init__(self) -> None:
        self._listeners: list[Callable[P, object]] = []

    def connect(self, listener: Callable[P, object]) -> Callable[[], None]:
        """Return a call that disconnects `listener`, which from now on hears this event."""
        self._listeners.append(listener)

        def disconnect() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return disconnect

    def emit(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call every listener with the given values."""
        for listener in tuple(self._listeners):
            if listener in self._listeners:
                listener(*args, **kwargs)
