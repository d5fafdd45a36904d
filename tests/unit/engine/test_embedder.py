"""The embedder: backbones loaded once, a device that has room, batches that a live frame can wait for."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from fewshot_gui.core.backbones.bundle_info import BundleError, BundleProblem
from fewshot_gui.core.learners.context import LearnerContext
from fewshot_gui.engine.embedder import Embedder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.unit.engine.conftest import FakeBackbone


class Shelf:
    """Backbones by name, counting what was loaded."""

    def __init__(self, backbone: FakeBackbone) -> None:
        self.backbone = backbone
        self.loaded: list[str] = []
        self.hashes: dict[str, str] = {}
        self.gone = False
        self.devices: list[str] = []
        self.embedder = Embedder(self.load, self.describe, self.devices.append)

    def load(self, name: str) -> FakeBackbone:
        self.loaded.append(name)
        return self.backbone

    def describe(self, name: str) -> FakeBackbone:
        if self.gone:
            raise BundleError(BundleProblem.MISSING, name, "it was removed")
        return replace(self.backbone, hash=self.hashes.get(name, name))


@pytest.fixture
def shelf(backbone: FakeBackbone, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setattr("fewshot_gui.engine.embedder.choose_device", lambda wanted: wanted)
    return Shelf(backbone)


def batch(count: int) -> NDArray[np.uint8]:
    return np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), np.uint8)


def test_backbone_is_loaded_once(shelf: Shelf) -> None:
    for _ in range(2):
        assert shelf.embedder.info("a").hash == "a"
        shelf.embedder.embed(batch(2), "a", "cpu")
    shelf.embedder.warm_up("a", "cpu")
    assert shelf.loaded == ["a"]


@pytest.mark.parametrize("name", ["a", "a#pixels"])
def test_another_backbone_under_the_same_name_is_loaded(shelf: Shelf, name: str) -> None:
    class Runtimes:
        def __init__(self) -> None:
            self.holds = True

        def embed(self, _name: str, part: NDArray[np.uint8]) -> NDArray[np.float32] | None:
            return np.full((len(part), 3), -1, np.float32) if self.holds else None

        def forget(self, _name: str) -> None:
            self.holds = False

        def settle(self, *_given: object) -> str:
            return "a trial"

    embedder = Embedder(shelf.load, shelf.describe, shelf.devices.append, runtimes=cast("Any", Runtimes()))
    assert embedder.embed(batch(2), name, "cpu")[0, 0] == -1
    assert embedder.settle(name) == "a trial"
    shelf.hashes["a"] = "another"
    assert embedder.embed(batch(2), name, "cpu")[0, 0] == 0, "the runtimes held the former one"
    assert embedder.settle(name) == "a trial"
    assert embedder.info("a").hash == "another"
    embedder.warm_up(name, "cpu")
    assert shelf.loaded == [name, name]


def test_a_backbone_that_is_gone_goes_on_working(shelf: Shelf) -> None:
    before = shelf.embedder.embed(batch(2), "a", "cpu")
    shelf.gone = True
    np.testing.assert_array_equal(shelf.embedder.embed(batch(2), "a", "cpu"), before)
    with pytest.raises(BundleError):
        shelf.embedder.info("b")


def test_describing_loads_nothing(shelf: Shelf) -> None:
    assert shelf.embedder.info("a").dimension == 3
    assert shelf.loaded == []
    assert shelf.embedder.device == ""


def test_embedding_is_the_backbones(shelf: Shelf) -> None:
    found = shelf.embedder.embed(batch(5), "a", "cpu")
    np.testing.assert_array_equal(found[:, 0], np.arange(5))
    assert found.dtype == np.float32


def test_device_is_told_when_it_changes(shelf: Shelf) -> None:
    for device in ("cpu", "cpu", "cuda", "cpu"):
        shelf.embedder.embed(batch(1), "a", device)
    assert shelf.devices == ["cpu", "cuda", "cpu"]
    assert shelf.embedder.device == "cpu"


def test_warm_up_says_where_it_will_run(shelf: Shelf) -> None:
    assert shelf.embedder.warm_up("a", "cuda") == "cuda"
    assert shelf.devices == ["cuda"]


def test_device_too_full_for_one_picture_is_not_tried_again(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fewshot_gui.engine.devices._is_available", lambda _name: False)
    embed, used = shelf.backbone.embed, []

    def full(part: NDArray[np.uint8], device: str) -> NDArray[np.float32]:
        used.append(device)
        if device == "cuda":
            raise RuntimeError("out of memory")
        return embed(part, device)

    monkeypatch.setattr(shelf.backbone, "embed", full, raising=False)
    for _ in range(2):
        shelf.embedder.embed(batch(1), "a", "cuda")
    assert used == ["cuda", "cpu", "cpu"]
    assert shelf.devices == ["cuda", "cpu"]


def test_a_network_that_does_not_fit_on_the_card_adapts_on_the_processor(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def context(device: str = "cpu") -> LearnerContext:
        asked.append(device)
        if device == "cuda":
            raise RuntimeError("CUDA out of memory")
        return LearnerContext(device=device)

    monkeypatch.setattr(shelf.backbone, "context", context, raising=False)
    for _ in range(2):
        assert shelf.embedder.context("a", "cuda").device == "cpu"
    assert asked == ["cuda", "cpu", "cpu"], "a full card is not tried again"
    assert shelf.devices == ["cuda", "cpu"]


@pytest.mark.parametrize(
    ("device", "milliseconds", "limit"),
    [("cpu", 0.01, 32), ("cpu", 2.5, 20), ("cpu", 100, 8), ("cuda", 0.01, 64), ("cuda", 1.25, 40)],
)
def test_batches_are_as_long_as_a_live_frame_can_wait(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, device: str, milliseconds: float, limit: int
) -> None:
    assert shelf.embedder.batch_limit == 8
    clock = iter([0.0, 16 * milliseconds / 1000])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    shelf.embedder.embed(batch(16), "a", device)
    assert shelf.embedder.batch_limit == limit


def test_single_frames_say_nothing_about_batches(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    shelf.embedder.embed(batch(1), "a", "cpu")
    monkeypatch.undo()
    shelf.embedder.embed(batch(32), "a", "cpu")
    assert shelf.embedder.batch_limit > 8


def test_backbone_that_cannot_be_loaded_is_tried_again_next_time(shelf: Shelf) -> None:
    def missing(_name: str) -> FakeBackbone:
        raise LookupError

    embedder = Embedder(missing, missing, shelf.devices.append)
    for _ in range(2):
        with pytest.raises(LookupError):
            embedder.info("a")
        with pytest.raises(LookupError):
            embedder.embed(batch(1), "a", "cpu")
    assert shelf.devices == []


@pytest.mark.parametrize("name", ["a", "a#pixels"])
def test_that_a_name_means_another_backbone_is_told_once(shelf: Shelf, name: str) -> None:
    told: list[str] = []
    embedder = Embedder(shelf.load, shelf.describe, shelf.devices.append, on_replaced=told.append)
    embedder.embed(batch(2), name, "cpu")
    embedder.info(name)
    assert told == []
    shelf.hashes = {"a": "another", "a#pixels": "another"}
    embedder.info(name)
    embedder.info(name)
    assert told == [name]


def test_only_the_backbones_used_last_stay_loaded(shelf: Shelf) -> None:
    """Else each that was ever tried would hold its memory until the program ends."""
    for name in ("a", "b", "c", "a", "d", "a", "c", "b"):
        shelf.embedder.embed(batch(1), name, "cpu")
    assert shelf.loaded == ["a", "b", "c", "d", "b"]
