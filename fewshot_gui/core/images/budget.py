"""A budget that threads share: whoever would exceed it waits."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Budget:
    """So much may be spent at once, by any number of threads.

    Args:
        most: the sum; what exceeds it alone is let through when nothing else is being spent.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._spent = 0
        self._changed = threading.Condition()

    @contextmanager
    def spending(self, amount: int) -> Iterator[None]:
        """Wait until the amount fits beside what the others spend, and spend it meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: not self._spent or self._spent + amount <= self._most)
            self._spent += amount
        try:
            yield
        finally:
            with self._changed:
                self._spent -= amount
                self._changed.notify_all()
