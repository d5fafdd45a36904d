"""Lanes: what runs first, what is dropped, and what never arrives."""

from __future__ import annotations

import gc
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fewshot_gui.engine.worker import Cancelled, CancelToken, Job, Priority, Steps, Worker

if TYPE_CHECKING:
    from tests.unit.engine.conftest import MainThread

LONG = 20.0
MakeLane = Callable[..., Worker]


class Gate:
    """A job that says when it has begun and goes on when it may: tests order events by it, not by time."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.open = threading.Event()

    def __call__(self, _token: CancelToken) -> None:
        self.begun.set()
        assert self.open.wait(LONG)


def hold(worker: Worker, priority: Priority = Priority.LIVE) -> Gate:
    """Return the gate that a thread of `worker` now stands at."""
    gate = Gate()
    worker.submit(gate, priority=priority)
    assert gate.begun.wait(LONG)
    return gate


def test_result_arrives_on_the_thread_that_runs_the_posted_calls(main: MainThread, lane: MakeLane) -> None:
    names: list[str] = []

    def work(_token: CancelToken) -> str:
        return threading.current_thread().name

    lane("eyes").submit(work, then=lambda name: names.extend([name, threading.current_thread().name]))
    main.run_until(lambda: names)
    assert names == ["eyes-0", threading.current_thread().name]


def test_error_goes_to_failed_on_the_main_thread(main: MainThread, lane: MakeLane) -> None:
    errors: list[Exception] = []
    lane().submit(lambda _token: 1 // 0, then=lambda _value: pytest.fail("no result"), failed=errors.append)
    main.run_until(lambda: errors)
    assert isinstance(errors[0], ZeroDivisionError)


def test_error_without_failed_goes_to_on_error_and_the_lane_goes_on(main: MainThread) -> None:
    worker, errors, results = Worker("lane", main), [], []
    worker.on_error.connect(errors.append)
    worker.submit(lambda _token: 1 // 0)
    worker.submit(lambda _token: "next", then=results.append)
    main.run_until(lambda: results)
    assert len(errors) == 1
    assert worker.close(LONG)


def test_cancelled_is_not_an_error(main: MainThread, lane: MakeLane) -> None:
    worker = lane()

    def work(token: CancelToken) -> None:
        token.cancel()
        token.check()

    def gives_up(_token: CancelToken) -> None:
        raise Cancelled

    for job in (work, gives_up):
        worker.submit(
            job, then=lambda _value: pytest.fail("a result"), failed=lambda _e: pytest.fail("an error")
        )
    main.finish(worker)


def test_error_after_cancel_is_not_reported(main: MainThread, lane: MakeLane) -> None:
    def work(token: CancelToken) -> None:
        token.cancel()
        raise ValueError

    worker = lane()
    worker.submit(work, failed=lambda _error: pytest.fail("an error"))
    main.finish(worker)


def test_result_that_was_posted_already_is_dropped_when_cancelled(main: MainThread, lane: MakeLane) -> None:
    worker = lane()
    job = worker.submit(lambda _token: 1, then=lambda _value: pytest.fail("late"))
    assert worker.drain(LONG)
    assert main.calls.qsize() == 1
    job.cancel()
    assert main.run_all() == 1


def test_job_cancelled_before_it_begins_never_begins(main: MainThread, lane: MakeLane) -> None:
    worker = lane()
    gate = hold(worker)
    job = worker.submit(lambda _token: pytest.fail("it ran"))
    assert worker.pending == 2
    job.cancel()
    assert worker.pending == 1
    gate.open.set()
    main.finish(worker)


def test_urgent_jobs_run_first_and_equals_in_order(main: MainThread, lane: MakeLane) -> None:
    worker, order = lane(), []
    gate = hold(worker)
    for number, priority in enumerate([Priority.FOLDER, Priority.LIVE, Priority.FOLDER, Priority.VISIBLE]):
        worker.submit(lambda _token, n=number: n, then=order.append, priority=priority)
    gate.open.set()
    main.finish(worker)
    assert order == [1, 3, 0, 2]


def test_live_frame_does_not_wait_for_a_long_job_that_yields(main: MainThread, lane: MakeLane) -> None:
    worker, order = lane(), []
    begun, may_go_on = threading.Event(), threading.Event()

    def adaptation(_token: CancelToken) -> Steps[str]:
        begun.set()
        assert may_go_on.wait(LONG)
        for _step in range(3):
            order.append("step")
            yield
        return "adapted"

    worker.submit(adaptation, then=order.append, priority=Priority.ADAPT)
    assert begun.wait(LONG)
    worker.submit(lambda _token: order.append("frame"), priority=Priority.LIVE)
    may_go_on.set()
    main.finish(worker)
    assert order == ["step", "frame", "step", "step", "adapted"]


def test_job_that_yields_is_not_overtaken_by_an_equal(main: MainThread, lane: MakeLane) -> None:
    worker, order = lane(), []
    gate = hold(worker)

    def long(_token: CancelToken) -> Steps[None]:
        for step in range(3):
            order.append(step)
            yield

    worker.submit(long)
    worker.submit(lambda _token: order.append("other"))
    gate.open.set()
    main.finish(worker)
    assert order == [0, 1, 2, "other"]


def test_cancelled_job_stops_at_its_yield_and_cleans_up(main: MainThread, lane: MakeLane) -> None:
    worker, seen = lane(), []
    jobs: list[Job] = []
    first = threading.Event()

    def work(_token: CancelToken) -> Steps[None]:
        try:
            while True:
                assert first.wait(LONG)
                yield
                jobs[0].cancel()
        finally:
            seen.append("cleaned up")

    jobs.append(worker.submit(work))
    first.set()
    main.finish(worker)
    assert seen == ["cleaned up"]


def test_error_in_a_later_step_is_reported(main: MainThread, lane: MakeLane) -> None:
    errors: list[Exception] = []

    def work(_token: CancelToken) -> Steps[None]:
        yield
        raise OSError("disk")

    lane().submit(work, failed=errors.append)
    main.run_until(lambda: errors)
    assert str(errors[0]) == "disk"


def test_threads_run_jobs_at_once(main: MainThread, lane: MakeLane) -> None:
    worker = lane(threads=3)
    meeting = threading.Barrier(3)
    for _ in range(3):
        worker.submit(lambda _token: meeting.wait(LONG))
    main.finish(worker)
    assert worker.threads == 3


def test_newer_job_of_a_replace_key_cancels_the_running_one(main: MainThread, lane: MakeLane) -> None:
    worker, results = lane(), []
    running = threading.Event()

    def old(token: CancelToken) -> str:
        running.set()
        while not token.cancelled:
            pass
        return "old"

    worker.submit(old, then=results.append, replaces="fit")
    assert running.wait(LONG)
    worker.submit(lambda _token: "other", then=results.append, replaces="other key")
    worker.submit(lambda _token: "new", then=results.append, replaces="fit")
    main.finish(worker)
    assert results == ["other", "new"]


def test_of_frames_one_is_in_flight_and_the_newest_waits(main: MainThread, lane: MakeLane) -> None:
    worker, results = lane(), []
    gate = Gate()
    worker.submit(gate, then=lambda _nothing: results.append("first"), newest="camera")
    assert gate.begun.wait(LONG)
    jobs = [worker.submit(lambda _token, n=n: n, then=results.append, newest="camera") for n in range(5)]
    assert [job.token.cancelled for job in jobs] == [True, True, True, True, False]
    assert worker.pending == 2
    gate.open.set()
    main.finish(worker)
    assert results == ["first", 4]


def test_frame_that_has_not_begun_gives_way_to_a_newer_one(main: MainThread, lane: MakeLane) -> None:
    worker, results = lane(), []
    gate = hold(worker)
    for number in range(3):
        worker.submit(lambda _token, n=number: n, then=results.append, newest="camera")
    gate.open.set()
    main.finish(worker)
    assert results == [2]


def test_a_fit_goes_on_though_a_frame_always_waits(main: MainThread, lane: MakeLane) -> None:
    """Before, it never got a step where a frame took longer than the camera's next one."""
    worker, order = lane(), []
    gate = hold(worker)

    def frame(_token: CancelToken) -> None:
        order.append("frame")
        if order.count("step") < 3 and len(order) < 20:
            worker.submit(frame, priority=Priority.LIVE, newest="camera")

    def fit(_token: CancelToken) -> Steps[None]:
        for _step in range(3):
            order.append("step")
            yield

    worker.submit(lambda _token: order.append("folder"), priority=Priority.FOLDER)
    worker.submit(fit, priority=Priority.ADAPT)
    worker.submit(frame, priority=Priority.LIVE, newest="camera")
    gate.open.set()
    main.finish(worker)
    assert order == ["frame", "step"] * 3 + ["frame", "folder"]


def test_what_waits_and_is_no_frame_is_not_overtaken(main: MainThread, lane: MakeLane) -> None:
    """The commit of a session must not come behind what closes its file."""
    worker, order = lane(), []
    gate = Gate()
    worker.submit(gate, priority=Priority.VISIBLE, newest="commit")
    assert gate.begun.wait(LONG)
    worker.submit(lambda _token: order.append("commit"), priority=Priority.VISIBLE, newest="commit")
    worker.submit(lambda _token: order.append("close"), priority=Priority.FOLDER)
    gate.open.set()
    main.finish(worker)
    assert order == ["commit", "close"]


def test_cancelling_the_frame_in_flight_lets_the_next_one_run(main: MainThread, lane: MakeLane) -> None:
    worker, results = lane(), []
    gate = Gate()
    job = worker.submit(gate, newest="camera")
    assert gate.begun.wait(LONG)
    worker.submit(lambda _token: "next", then=results.append, newest="camera")
    job.cancel()
    gate.open.set()
    main.finish(worker)
    assert results == ["next"]


def test_parts_of_a_bigger_job_share_its_token(main: MainThread, lane: MakeLane) -> None:
    worker = lane()
    gate = hold(worker)
    job = worker.submit(lambda _token: pytest.fail("it ran"))
    worker.submit(lambda _token: pytest.fail("its part ran"), token=job.token)
    job.cancel()
    gate.open.set()
    main.finish(worker)


def test_progress_is_told_on_the_main_thread_until_cancelled(main: MainThread, lane: MakeLane) -> None:
    worker, told = lane(), []

    def work(token: CancelToken) -> None:
        worker.tell(token, lambda: told.append(1))
        worker.tell(token, lambda: told.append(2))

    job = worker.submit(work)
    assert worker.drain(LONG)
    main.calls.get()()
    job.cancel()
    main.run_all()
    assert told == [1]
    worker.tell(job.token, lambda: told.append(3))
    assert main.calls.empty()


def test_drain_gives_up_after_its_timeout(lane: MakeLane) -> None:
    worker = lane()
    gate = hold(worker)
    assert not worker.drain(0.01)
    gate.open.set()
    assert worker.drain(LONG)


def test_drain_does_not_wait_for_later_jobs(lane: MakeLane) -> None:
    worker = lane(threads=2)
    worker.submit(lambda _token: None)
    assert worker.drain(LONG)
    gate = hold(worker)
    assert not worker.drain(0)
    gate.open.set()


def test_drain_passes_over_what_is_less_urgent(lane: MakeLane) -> None:
    worker = lane()
    gate = hold(worker, Priority.FOLDER)
    assert not worker.drain(0.01)
    assert worker.drain(0.01, Priority.VISIBLE)
    gate.open.set()
    assert worker.drain(LONG)


def test_close_cancels_all_and_ends_the_threads(main: MainThread) -> None:
    worker = Worker("lane", main, threads=2)
    gate = hold(worker)
    waiting = worker.submit(gate, newest="camera")
    aside = worker.submit(lambda _token: pytest.fail("it ran"), newest="camera")
    gate.open.set()
    assert worker.close(LONG)
    assert waiting.token.cancelled
    assert aside.token.cancelled
    assert worker.submit(lambda _token: pytest.fail("it ran")).token.cancelled
    assert worker.drain(0)
    assert worker.close(0)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("lane-")]


def test_close_says_when_a_job_does_not_end(main: MainThread) -> None:
    worker = Worker("lane", main)
    gate = hold(worker)
    assert not worker.close(0.01)
    gate.open.set()
    assert worker.close(LONG)


def test_resting_lane_holds_on_to_no_result(main: MainThread, lane: MakeLane) -> None:
    class Big:
        """Something whose end can be seen."""

    worker, gone = lane(), []

    def work(_token: CancelToken) -> Big:
        big = Big()
        weakref.finalize(big, gone.append, "gone")
        return big

    worker.submit(work, then=lambda _big: None, newest="camera", replaces="camera")
    main.finish(worker)
    gc.collect()
    assert gone == ["gone"]


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["newest", "replaces"]), st.sampled_from("ab"), st.booleans()),
        st.tuples(st.just("cancel"), st.integers(0, 30)),
        st.tuples(st.sampled_from(["pump", "hold", "release"])),
    ),
    max_size=30,
)


class Play:
    """Plays a list of operations on a lane, and watches what runs and what arrives."""

    def __init__(self, threads: int) -> None:
        self.posted: list[Callable[[], None]] = []
        self.worker = Worker("play", self.posted.append, threads=threads)
        self.lock = threading.Lock()
        self.gate = threading.Event()
        self.gate.set()
        self.running: dict[tuple[str, str], int] = defaultdict(int)
        self.most: dict[tuple[str, str], int] = defaultdict(int)
        self.jobs: list[tuple[tuple[str, str], Job]] = []
        self.cancelled_by_hand: set[int] = set()
        self.delivered: list[int] = []

    def submit(self, policy: str, key: str, in_steps: bool) -> None:
        number, slot = len(self.jobs), (policy, key)

        def enter() -> None:
            with self.lock:
                self.running[slot] += 1
                self.most[slot] = max(self.most[slot], self.running[slot])
            assert self.gate.wait(LONG)

        def leave() -> None:
            with self.lock:
                self.running[slot] -= 1

        def plain(_token: CancelToken) -> int:
            enter()
            leave()
            return number

        def steps(_token: CancelToken) -> Steps[int]:
            enter()
            try:
                yield
                yield
            finally:
                leave()
            return number

        work = steps if in_steps else plain
        self.jobs.append((slot, self.worker.submit(work, then=self.arrive, **{policy: key})))

    def arrive(self, number: int) -> None:
        assert not self.jobs[number][1].token.cancelled
        self.delivered.append(number)

    def play(self, operation: tuple[object, ...]) -> None:
        match operation:
            case ("newest" | "replaces" as policy, str(key), bool(in_steps)):
                self.submit(policy, key, in_steps)
            case ("cancel", int(number)) if number < len(self.jobs):
                self.jobs[number][1].cancel()
                self.cancelled_by_hand.add(number)
            case ("hold",):
                self.gate.clear()
            case ("release",):
                self.gate.set()
            case _:
                self.pump()

    def pump(self) -> None:
        while self.posted:
            self.posted.pop(0)()

    def end(self) -> None:
        self.gate.set()
        assert self.worker.drain(LONG)
        self.pump()

    def last_jobs(self) -> set[int]:
        last = {slot: number for number, (slot, _job) in enumerate(self.jobs)}
        return set(last.values()) - self.cancelled_by_hand


@settings(max_examples=150, deadline=None)
@given(OPERATIONS, st.integers(1, 3))
def test_any_order_of_operations_keeps_the_policies(
    operations: list[tuple[object, ...]], threads: int
) -> None:
    play = Play(threads)
    try:
        for operation in operations:
            play.play(operation)
        play.end()
        # One in flight a newest key, however many threads there are.
        assert all(most <= 1 for (policy, _key), most in play.most.items() if policy == "newest")
        # The last job of every key arrives, unless somebody cancelled it; nothing arrives twice.
        assert play.last_jobs() <= set(play.delivered)
        assert len(play.delivered) == len(set(play.delivered))
        assert not play.worker.pending
        assert not any(play.running.values())
    finally:
        play.gate.set()
        assert play.worker.close(LONG)


@settings(max_examples=60, deadline=None)
@given(OPERATIONS, st.integers(1, 3), st.integers(0, 30))
def test_nothing_arrives_after_close(
    operations: list[tuple[object, ...]], threads: int, closing: int
) -> None:
    play = Play(threads)
    for operation in operations[:closing]:
        play.play(operation)
    play.gate.set()
    assert play.worker.close(LONG)
    delivered = list(play.delivered)
    # What was done when the lane closed may still be on its way; what was cancelled may not arrive.
    unwanted = {number for number, (_slot, job) in enumerate(play.jobs) if job.token.cancelled}
    play.pump()
    assert unwanted.isdisjoint(play.delivered[len(delivered) :])
    assert not play.worker.pending


@given(st.lists(st.sampled_from(Priority), max_size=12))
def test_queued_jobs_run_by_priority_then_age(priorities: list[Priority]) -> None:
    posted: list[Callable[[], None]] = []
    worker, order = Worker("lane", posted.append), []
    gate = hold(worker)
    for number, priority in enumerate(priorities):
        worker.submit(lambda _token, n=number: n, then=order.append, priority=priority)
    gate.open.set()
    assert worker.drain(LONG)
    for call in posted:
        call()
    assert worker.close(LONG)
    assert order == sorted(range(len(priorities)), key=lambda number: (priorities[number], number))
