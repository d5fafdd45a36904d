"""Python's garbage, collected on the GUI thread alone."""

from __future__ import annotations

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS: Final = 500


def collect_due() -> int:
    """Return how much was found in the oldest generation whose turn it is, by Python's own thresholds."""
    due = [count > limit > 0 for count, limit in zip(gc.get_count(), gc.get_threshold(), strict=True)]
    oldest = max((generation for generation, is_due in enumerate(due) if is_due), default=None)
    return 0 if oldest is None else gc.collect(oldest)


def settle() -> None:
    """Leave what is there now out of every later collection, once: torch's objects live to the end."""
    if not gc.get_freeze_count():
        gc.freeze()


class MainThreadGarbage(QObject):
    """Keeps Python from collecting garbage on whichever thread happens to allocate.

    A closed window is a cycle of Python objects. Were it collected on the model thread, Qt's destructors
    would run there, holding Qt's locks and waiting for the interpreter's, which the GUI thread holds while it
    waits for Qt's: a deadlock, met once in some twenty runs of the end-to-end tests.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._was_enabled = gc.isenabled()
        gc.disable()
        self._timer = QTimer(self, interval=INTERVAL_MS)
        self._timer.timeout.connect(collect_due)
        self._timer.start()

    def stop(self) -> None:
        """Leave collecting to Python again, as it was before: no other thread is left that could meet Qt."""
        self._timer.stop()
        gc.unfreeze()  # else what libraries bind counts as leaked when the program ends, and they say so
        if self._was_enabled:
            gc.enable()
