"""The engine without a window: calls run in order on the thread that owns the loop, and lanes end with it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fewshot_gui.engine import embedder
from fewshot_gui.engine.headless import MainLoop, open_library

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.library import EmbeddedBatch

    Paint = Callable[..., list[PictureFile]]


@pytest.fixture(autouse=True)
def _fake_backbone(backbone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedder, "_load_bundle", lambda _name: backbone)
    monkeypatch.setattr(embedder, "_describe_bundle", lambda _name: backbone)
    monkeypatch.setattr(embedder, "choose_device", lambda _wanted: "cpu")


def lanes() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(("decode-", "model-"))]


def test_calls_run_in_order_until_what_was_waited_for() -> None:
    loop, run = MainLoop(), []
    for number in range(5):
        loop.post(lambda number=number: run.append(number))  # type: ignore[misc]
    loop.run_until(lambda: len(run) == 3)
    assert run == [0, 1, 2]
    loop.run_until(lambda: len(run) == 5)
    assert run == [0, 1, 2, 3, 4]


def test_what_holds_already_is_not_waited_for() -> None:
    MainLoop().run_until(lambda: True)


def test_a_call_may_post_another() -> None:
    loop, run = MainLoop(), []
    loop.post(lambda: loop.post(lambda: run.append(threading.current_thread())))
    loop.run_until(lambda: bool(run))
    assert run == [threading.current_thread()]


def test_an_error_in_a_call_reaches_the_owner() -> None:
    loop = MainLoop()

    def fail() -> None:
        raise ValueError("here")

    loop.post(fail)
    with pytest.raises(ValueError, match="here"):
        loop.run_until(lambda: False)


def embed(cache: Path, files: list[PictureFile]) -> dict[int, np.ndarray]:
    """Return the embedding of each file that can be read."""
    loop = MainLoop()
    found: dict[int, np.ndarray] = {}
    done: list[Any] = []

    def take(batch: EmbeddedBatch) -> None:
        assert threading.current_thread() is threading.main_thread()
        found.update(zip(batch.positions, batch.embeddings, strict=True))

    with open_library(loop, cache) as (library, problems):
        library.embed_files(files, "fake", "cpu", take, done.append)
        loop.run_until(lambda: bool(done))
        assert len(problems) == len(done[0])
    return found


def test_pictures_are_embedded_and_the_lanes_end(
    tmp_path: Path, paint: Paint, colours: Callable[[int], tuple[int, int, int]]
) -> None:
    files = paint(12)
    found = embed(tmp_path / "cache", files)
    assert sorted(found) == list(range(12))
    np.testing.assert_allclose(found[7], colours(7), atol=0.5)
    assert lanes() == []


def test_the_next_run_finds_all_in_the_cache(tmp_path: Path, paint: Paint, backbone: Any) -> None:
    files = paint(12)
    first = embed(tmp_path / "cache", files)
    backbone.batches.clear()
    second = embed(tmp_path / "cache", files)
    assert backbone.batches == []
    assert all(first[row].tobytes() == second[row].tobytes() for row in range(12))


def test_the_lanes_end_after_an_error_too(tmp_path: Path) -> None:
    def fail() -> None:
        with open_library(MainLoop(), tmp_path / "cache"):
            raise KeyError("in between")

    with pytest.raises(KeyError, match="in between"):
        fail()
    assert lanes() == []


def test_the_cache_is_the_users_own_unless_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEWSHOT_CACHE", str(tmp_path / "own"))
    with open_library(MainLoop()):
        assert (tmp_path / "own" / "index.sqlite").exists()
    with open_library(MainLoop(), tmp_path / "named"):
        assert (tmp_path / "named" / "index.sqlite").exists()
