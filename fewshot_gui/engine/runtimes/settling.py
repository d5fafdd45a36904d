"""Which runtime a backbone is faster on, found out while nothing else is to be done."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from fewshot_gui.engine.runtimes.child import make_trial
from fewshot_gui.engine.worker import Priority, Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.engine.runtimes.child import Trial
    from fewshot_gui.engine.runtimes.record import Record
    from fewshot_gui.engine.worker import CancelToken, Job, Post, Steps

QUIET_SECONDS = 5.0
"""For so long no lane may have had anything to do before a trial is started; once started, it ends."""
_LOOK_SECONDS = 0.1
_CLOSE_SECONDS = 1.0


class Settling:
    """Takes what is known of a backbone into use, or has it tried. Belongs to the main thread.

    A trial costs a process of its own some ten seconds, so it waits until nobody waits for anything.

    Args:
        post: hands a call to the main thread.
        model: the lane that embeds.
        busy: says whether any lane has something to do.
        settle: to be called on the model lane with the name of a backbone that is loaded; returns the trial
            to be made, or None.
    """

    def __init__(
        self, post: Post, model: Worker, busy: Callable[[], bool], settle: Callable[[str], Trial | None]
    ) -> None:
        self._post = post
        self._model = model
        self._busy = busy
        self._settle = settle
        self._lane: Worker | None = None
        self._tried: set[str] = set()
        self._jobs: list[Job] = []
        self._closed = False

    def begin(self, name: str) -> None:
        """Take what is known of a backbone into use as soon as the model lane has nothing else to do."""
        if not self._closed:
            self._jobs.append(
                self._model.submit(
                    lambda _token: self._settle(name), then=partial(self._try, name), priority=Priority.IDLE
                )
            )

    def close(self) -> None:
        """End the trial that runs; what it would have found is found another time."""
        self._closed = True
        for job in self._jobs:
            job.cancel()
        if self._lane is not None:
            self._lane.close(_CLOSE_SECONDS)

    def _try(self, name: str, trial: Trial | None) -> None:
        # Once for each: where nothing could be recorded, every trial would lead to another one.
        if trial is None or name in self._tried or self._closed:
            return
        self._tried.add(name)
        if self._lane is None:
            # A lane of its own: on another one, what a person waits for would wait for the trial.
            self._lane = Worker("runtimes", self._post)
        self._jobs.append(self._lane.submit(partial(self._trial, trial), then=partial(self._found, name)))

    def _trial(self, trial: Trial, _token: CancelToken) -> Steps[Record | None]:
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < QUIET_SECONDS:
            time.sleep(_LOOK_SECONDS)
            if self._busy():
                quiet_since = time.monotonic()
            yield
        return (yield from make_trial(trial))

    def _found(self, name: str, record: Record | None) -> None:
        if record is not None and record.onnx_wins:
            self.begin(name)
