"""Downloads on their lane: what is told, what cancelling keeps, and what is only done when asked."""

from __future__ import annotations

import threading
from dataclasses import replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest

from fewshot_gui.core.backbones.bundle_info import describe_bundle
from fewshot_gui.core.backbones.ladder import LADDER
from fewshot_gui.engine import fetching
from fewshot_gui.engine.downloads.download import part_path
from fewshot_gui.engine.downloads.error import DownloadError, DownloadProblem
from fewshot_gui.engine.downloads.fetch import unfinished_folder
from fewshot_gui.engine.fetching import Fetcher, Fetching, Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fewshot_gui.core.backbones.bundle_info import BundleInfo
    from fewshot_gui.core.backbones.ladder import Rung

RUNG, OTHER = LADDER[0], LADDER[1]
ALL = RUNG.size_bytes
PHOTO = describe_bundle("photo")


class Server:
    """Hands out what a test lets through, piece by piece."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun: SimpleQueue[str] = SimpleQueue()
        self.asked: list[str] = []
        self.here: dict[str, int] = {}
        self.error: Exception | None = None

    def fetch(
        self, rung: Rung, *, progress: Callable[[int, int | None], None], cancelled: Callable[[], bool]
    ) -> BundleInfo:
        self.asked.append(rung.name)
        self.here[rung.name] = 1000
        progress(1000, rung.size_bytes)
        self.begun.put(rung.name)
        assert self.gate.wait(20)
        if cancelled():
            raise DownloadError(DownloadProblem.CANCELLED, rung.url)
        if self.error is not None:
            raise self.error
        progress(rung.size_bytes, rung.size_bytes)
        return replace(describe_bundle("photo"), name=rung.name)

    def arrived(self, rung: Rung) -> int:
        return self.here.get(rung.name, 0)


class Desk:
    """A fetcher whose calls to the main thread run when the test says so."""

    def __init__(self, server: Server) -> None:
        self.posted: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.server, self.now = server, 0.0
        self.fetcher = Fetcher(self.posted.put, server.fetch, server.arrived, lambda: self.now)
        self.told: list[tuple[str, Phase]] = []
        self.landed: list[str] = []
        self.fetcher.changed.connect(self._tell)
        self.fetcher.landed.connect(lambda info: self.landed.append(info.name))

    def _tell(self, name: str) -> None:
        state = self.fetcher.state(name)
        if state is not None and (name, state.phase) not in self.told[-1:]:
            self.told.append((name, state.phase))

    def until(self, done: Callable[[], object]) -> None:
        while not done():
            self.posted.get(timeout=20)()

    def phase(self, name: str = RUNG.name) -> Phase | None:
        state = self.fetcher.state(name)
        return None if state is None else state.phase


@pytest.fixture
def desk() -> Iterator[Desk]:
    result = Desk(Server())
    yield result
    result.server.gate.set()
    assert result.fetcher.close(20)


def test_nothing_begins_by_itself(desk: Desk) -> None:
    desk.fetcher.recall(LADDER)
    assert desk.fetcher._lanes == {}
    assert not desk.fetcher.busy
    assert desk.server.asked == []


def test_a_download_is_told_from_its_beginning_to_its_end(desk: Desk) -> None:
    desk.server.gate.set()
    desk.fetcher.start(RUNG)
    assert desk.fetcher.busy
    desk.until(lambda: desk.landed)
    phases = [phase for _name, phase in desk.told]
    assert phases == [Phase.WAITING, Phase.DOWNLOADING, Phase.PREPARING, Phase.DONE]
    assert desk.landed == [RUNG.name]
    assert not desk.fetcher.busy


def test_bytes_are_told_some_times_a_second(desk: Desk) -> None:
    token = fetching.CancelToken()
    tell = desk.fetcher._teller(RUNG, token)
    desk.fetcher._states[RUNG.name] = Fetching(Phase.WAITING, 0, ALL)
    for number in range(100):
        desk.now = number / 1000
        tell(number, None)
    assert desk.posted.qsize() == 1
    desk.until(lambda: desk.phase() is Phase.DOWNLOADING)
    assert desk.fetcher.state(RUNG.name) == Fetching(Phase.DOWNLOADING, 0, ALL), "the size is known"


def test_one_waits_for_the_other(desk: Desk) -> None:
    desk.fetcher.start(RUNG)
    desk.fetcher.start(OTHER)
    desk.fetcher.start(OTHER)
    desk.server.begun.get(timeout=20)
    assert desk.phase(OTHER.name) is Phase.WAITING
    desk.server.gate.set()
    desk.until(lambda: len(desk.landed) == 2)
    assert desk.server.asked == [RUNG.name, OTHER.name], "no second time while it waited"


def test_cancelling_keeps_what_is_here_and_goes_on_from_there(desk: Desk) -> None:
    desk.fetcher.start(RUNG)
    desk.server.begun.get(timeout=20)
    desk.fetcher.cancel(RUNG.name)
    assert desk.phase() is Phase.PAUSED, "at once, whatever the server does"
    desk.server.gate.set()
    desk.until(lambda: (state := desk.fetcher.state(RUNG.name)) is not None and state.done == 1000)
    assert desk.phase() is Phase.PAUSED
    desk.fetcher.start(RUNG)
    assert desk.fetcher.state(RUNG.name) == Fetching(Phase.WAITING, 1000, ALL)
    desk.until(lambda: desk.landed)


def test_the_end_of_a_cancelled_try_does_not_touch_the_next(desk: Desk) -> None:
    desk.fetcher.start(RUNG)
    desk.server.begun.get(timeout=20)
    desk.fetcher.cancel(RUNG.name)
    desk.fetcher.start(RUNG)
    desk.server.gate.set()
    desk.until(lambda: desk.landed)
    assert (RUNG.name, Phase.FAILED) not in desk.told
    assert desk.told[-1] == (RUNG.name, Phase.DONE)
    desk.fetcher.cancel(RUNG.name)
    desk.fetcher.cancel("never asked for")
    assert desk.phase() is Phase.DONE


def test_late_news_of_a_download_that_is_forgotten_come_to_nothing(desk: Desk) -> None:
    desk.fetcher.start(RUNG)
    desk.server.begun.get(timeout=20)
    desk.fetcher.cancel(RUNG.name)
    desk.fetcher.forget(RUNG.name)
    desk.posted.get(timeout=20)()
    assert desk.fetcher.state(RUNG.name) is None


def test_an_error_is_a_state_and_not_news_of_a_crash(desk: Desk) -> None:
    desk.server.gate.set()
    desk.server.error = DownloadError(DownloadProblem.OFFLINE, RUNG.url)
    desk.fetcher.start(RUNG)
    desk.until(lambda: desk.phase() is Phase.FAILED)
    state = desk.fetcher.state(RUNG.name)
    assert state == Fetching(Phase.FAILED, 1000, ALL, desk.server.error)
    desk.fetcher.forget(RUNG.name)
    assert desk.fetcher.state(RUNG.name) is None


def test_what_an_earlier_run_left_can_be_gone_on_with_or_dropped(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEWSHOT_MODELS", str(tmp_path))
    part = part_path(RUNG, unfinished_folder())
    part.parent.mkdir(parents=True)
    part.write_bytes(b"12345")
    fetcher = Fetcher(desk.posted.put)
    fetcher.recall(LADDER)
    assert fetcher.state(RUNG.name) == Fetching(Phase.PAUSED, 5, ALL)
    assert fetcher.state(OTHER.name) is None
    fetcher.drop(RUNG)
    assert not part.exists()
    assert fetcher.state(RUNG.name) is None
    assert fetcher.close(1)


def test_only_the_users_own_can_be_removed(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEWSHOT_MODELS", str(tmp_path))
    removed: list[str] = []
    desk.fetcher.removed.connect(removed.append)
    photo = describe_bundle("photo")
    with pytest.raises(PermissionError):
        desk.fetcher.remove(photo)
    assert photo.path.is_file()
    own = tmp_path / "mine.safetensors"
    own.write_bytes(photo.path.read_bytes())
    own.with_suffix(".md").write_text("# Mine", encoding="utf-8")
    desk.fetcher.remove(describe_bundle(own))
    assert list(tmp_path.iterdir()) == []
    assert removed == ["mine"]


def test_a_file_is_taken_in_on_the_lane(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []
    told: list[Any] = []

    def take_in(path: Path, architecture: str) -> BundleInfo:
        threads.append(threading.current_thread().name)
        if architecture:
            raise ValueError(architecture)
        return replace(describe_bundle("photo"), name=path.stem)

    monkeypatch.setattr(fetching, "take_in", take_in)
    desk.fetcher.take_in(tmp_path / "own.pth", "", told.append, told.append)
    desk.until(lambda: told)
    assert told[0].name == "own"
    assert desk.landed == ["own"]
    desk.fetcher.take_in(tmp_path / "own.pth", "timm:x", told.append, told.append)
    desk.until(lambda: len(told) == 2)
    assert isinstance(told[1], ValueError)
    assert threads == ["backbones-0"] * 2


def test_a_file_does_not_wait_for_a_download(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(fetching, "take_in", lambda path, _network: replace(PHOTO, name=path.stem))
    desk.fetcher.start(RUNG)
    desk.server.begun.get(timeout=20)
    desk.fetcher.take_in(tmp_path / "own.pth", "", told.append, told.append)
    desk.until(lambda: told)
    assert desk.landed == ["own"]
    assert desk.phase() is Phase.DOWNLOADING
