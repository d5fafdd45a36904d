"""The lanes that slow work runs on, and the only threads: submit, replace, cancel, errors as values."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import IntEnum
from itertools import count
from types import GeneratorType
from typing import Any, TypeAlias, TypeVar, overload

from fewshot_gui.engine.event import Event

T = TypeVar("T")
Post: TypeAlias = Callable[[Callable[[], None]], None]
Steps: TypeAlias = Generator[None, None, T]

_FIRST = -1
"""More urgent than any priority."""


class Cancelled(Exception):  # noqa: N818 - being cancelled is no error
    """Work stopped because nobody wants its result any more; never shown as an error."""


class CancelToken:
    """Whether the result of a job is still wanted; any thread may ask or cancel."""

    __slots__ = ("_cancelled",)

    def __init__(self) -> None:
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        """True once the result is not wanted any more."""
        return self._cancelled

    def cancel(self) -> None:
        """Make the result unwanted, for good."""
        self._cancelled = True

    def check(self) -> None:
        """Return at once while the result is wanted.

        Raises:
            Cancelled: it is not.
        """
        if self._cancelled:
            raise Cancelled


class Priority(IntEnum):
    """What runs first; the smaller the sooner."""

    LIVE = 0
    VISIBLE = 1
    ADAPT = 2
    FOLDER = 3
    IDLE = 4


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A job that was handed to a worker, to be cancelled by whoever asked for it."""

    token: CancelToken

    def cancel(self) -> None:
        """Drop the job: it stops at its next check, and its result never arrives."""
        self.token.cancel()


@dataclass(slots=True, eq=False)
class _Task:
    """A job as the worker sees it; `steps` is its generator once it has begun."""

    work: Callable[[CancelToken], Any]
    then: Callable[[Any], None] | None
    failed: Callable[[Exception], None] | None
    token: CancelToken
    order: tuple[int, int]
    newest: str | None
    steps: Steps[Any] | None = None

    def step(self) -> tuple[bool, Any]:
        """Return (True, result) when the work is done, (False, None) at a point where others may go first."""
        if self.token.cancelled and self.steps is not None:
            self.steps.close()
        self.token.check()
        if self.steps is None:
            result = self.work(self.token)
            if not isinstance(result, GeneratorType):
                return True, result
            self.steps = result
        try:
            next(self.steps)
        except StopIteration as end:
            return True, end.value
        return False, None


class _LaneThread(threading.Thread):
    """A thread of a lane, to be told from those of others."""


def lanes_at_work() -> bool:
    """Return whether a thread of any lane runs: one that loads torch, or a driver's, outlives its lane."""
    return any(isinstance(thread, _LaneThread) for thread in threading.enumerate())


class Worker:
    """A lane of one or more threads that run jobs by priority, oldest first among equals.

    The callbacks of `submit` run on the main thread, through `post`. A job whose token was cancelled
    delivers nothing, not even if its result was already on the way.

    Args:
        name: of the threads, for people who debug.
        post: hands a call to the main thread; may be called from any thread.
        threads: how many jobs may run at once.
    """

    def __init__(self, name: str, post: Post, *, threads: int = 1) -> None:
        self.on_error: Event[[Exception]] = Event()
        self._post = post
        self._changed = threading.Condition()
        self._numbers = count()
        self._queue: list[tuple[tuple[int, int], _Task]] = []
        self._unfinished: set[_Task] = set()
        self._current: dict[str, CancelToken] = {}
        self._begun: dict[str, _Task] = {}
        self._waiting: dict[str, _Task] = {}
        self._closed = False
        self._threads = [
            _LaneThread(target=self._run, name=f"{name}-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def threads(self) -> int:
        """How many jobs may run at once."""
        return len(self._threads)

    @property
    def pending(self) -> int:
        """How many jobs are wanted and not done yet."""
        with self._changed:
            return sum(not task.token.cancelled for task in self._unfinished)

    @overload
    def submit(
        self,
        work: Callable[[CancelToken], Steps[T]],
        *,
        then: Callable[[T], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        priority: Priority = Priority.FOLDER,
        replaces: str | None = None,
        newest: str | None = None,
        token: CancelToken | None = None,
    ) -> Job: ...

    @overload
    def submit(
        self,
        work: Callable[[CancelToken], T],
        *,
        then: Callable[[T], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        priority: Priority = Priority.FOLDER,
        replaces: str | None = None,
        newest: str | None = None,
        token: CancelToken | None = None,
    ) -> Job: ...

    def submit(
        self,
        work: Callable[[CancelToken], Any],
        *,
        then: Callable[[Any], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        priority: Priority = Priority.FOLDER,
        replaces: str | None = None,
        newest: str | None = None,
        token: CancelToken | None = None,
    ) -> Job:
        """Return the job that will run `work`, at once where a thread is free.

        Args:
            work: a plain function of the token, or a generator function that yields wherever a more urgent
                job may run first; what it returns is the result. Worker threads run it: it takes values
                and returns values.
            then: gets the result, on the main thread.
            failed: gets the error, on the main thread; without it `on_error` does.
            priority: the smaller the sooner.
            replaces: an older job of this key is cancelled (the policy for edits).
            newest: of the jobs of this key one is in flight and the newest waits; one that waited before it
                is cancelled (the policy for frames). Between two that are LIVE another job takes one step.
            token: shared with the other parts of a bigger job; a new one by default.
        """
        token = token or CancelToken()
        with self._changed:
            task = _Task(work, then, failed, token, (int(priority), next(self._numbers)), newest)
            if self._closed:
                token.cancel()
                return Job(token)
            if replaces is not None:
                self._supersede(replaces, token)
            self._unfinished.add(task)
            if newest is None or self._may_queue(newest, task):
                self._enqueue(task)
        return Job(token)

    def tell(self, token: CancelToken, call: Callable[[], None]) -> None:
        """Run `call` on the main thread unless `token` is cancelled by then: how a job reports progress."""

        def deliver() -> None:
            if not token.cancelled:
                call()

        if not token.cancelled:
            self._post(deliver)

    def drain(self, timeout: float, least: Priority = Priority.IDLE) -> bool:
        """Return True once every job submitted so far is done and posted; False after `timeout` seconds.

        Args:
            timeout: seconds.
            least: jobs less urgent than this are not waited for.
        """
        with self._changed:
            so_far = {task for task in self._unfinished if task.order[0] <= least}
            return self._changed.wait_for(lambda: so_far.isdisjoint(self._unfinished), timeout)

    def close(self, timeout: float) -> bool:
        """Cancel every job, end the threads, and return True if all ended within `timeout` seconds."""
        with self._changed:
            self._closed = True
            for task in self._unfinished:
                task.token.cancel()
            self._changed.notify_all()
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _supersede(self, key: str, token: CancelToken) -> None:
        older = self._current.get(key)
        if older is not None and older is not token:
            older.cancel()
        self._current[key] = token

    def _may_queue(self, key: str, task: _Task) -> bool:
        """Return True if `task` may be queued now, False if it must wait for the one in flight."""
        older = self._waiting.get(key)
        if older is not None:
            older.token.cancel()
            # One that was set aside is in no queue that a thread would clear; a queued one is skipped there.
            if key in self._begun:
                self._unfinished.discard(older)
        self._waiting[key] = task
        return key not in self._begun

    def _enqueue(self, task: _Task) -> None:
        heapq.heappush(self._queue, (task.order, task))
        self._changed.notify_all()

    def _run(self) -> None:
        # A turn is a call of its own, so that a resting thread holds on to no job and no result.
        while self._turn():
            pass

    def _turn(self) -> bool:
        """Take the most urgent job one step further; return False when the lane is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            if not self._queue:
                return False
            task = heapq.heappop(self._queue)[1]
            self._begin(task)
        done = self._advance(task)
        with self._changed:
            if done:
                self._finish(task)
            else:
                self._enqueue(task)
        return True

    def _begin(self, task: _Task) -> None:
        key = task.newest
        if key is None:
            return
        if self._waiting.get(key) is task:
            del self._waiting[key]
        if not task.token.cancelled:
            self._begun[key] = task

    def _finish(self, task: _Task) -> None:
        self._unfinished.discard(task)
        key = task.newest
        if key is not None and self._begun.get(key) is task:
            del self._begun[key]
            if key in self._waiting:
                if task.order[0] == Priority.LIVE:
                    self._let_one_step()
                self._enqueue(self._waiting[key])
        self._changed.notify_all()

    def _let_one_step(self) -> None:
        """Put the most urgent queued job before all others, for its next step.

        Where a frame takes longer than the camera's next one, that one always waits: a fit would never go on.
        """
        if self._queue:
            (_priority, number), task = heapq.heappop(self._queue)
            heapq.heappush(self._queue, ((_FIRST, number), task))

    def _advance(self, task: _Task) -> bool:
        """Return True if the job is done, whether with a result, an error or because it was cancelled."""
        try:
            done, result = task.step()
        except Cancelled:
            return True
        except Exception as error:  # noqa: BLE001 - a job may raise anything; the lane goes on and reports it
            self._deliver(task, task.failed or self.on_error.emit, error)
            return True
        if done and task.then is not None:
            self._deliver(task, task.then, result)
        return done

    def _deliver(self, task: _Task, callback: Callable[[Any], None], value: object) -> None:
        self.tell(task.token, lambda: callback(value))
