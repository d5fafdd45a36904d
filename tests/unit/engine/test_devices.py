"""Devices: which is taken, and what happens when its memory is full."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.engine import devices
from fewshot_gui.engine.devices import Device, available_devices, choose_device, run_with_memory_fallback

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


class FakeTorch:
    """A torch that has the accelerators it is told to, and counts how often it gave memory back."""

    def __init__(self, *present: str) -> None:
        self.released: list[str] = []
        self.backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: "mps" in present))
        self.cuda, self.mps, self.xpu = (
            self._module(name, name in present) for name in ("cuda", "mps", "xpu")
        )

    def _module(self, name: str, present: bool) -> SimpleNamespace:
        return SimpleNamespace(
            is_available=lambda: present,
            get_device_name=lambda index: f"{name} {index}",
            empty_cache=lambda: self.released.append(name),
        )


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeTorch]:
    """Make this a machine with some accelerators."""

    def make(*present: str) -> FakeTorch:
        torch = FakeTorch(*present)
        monkeypatch.setitem(sys.modules, "torch", torch)
        return torch

    return make


@pytest.mark.parametrize(
    ("present", "wanted", "chosen"),
    [
        ((), "auto", "cpu"),
        (("cuda",), "auto", "cuda"),
        (("mps",), "auto", "mps"),
        (("xpu",), "auto", "xpu"),
        (("cuda", "xpu"), "auto", "cuda"),
        (("cuda", "xpu"), "xpu", "xpu"),
        (("cuda",), "cpu", "cpu"),
        ((), "cuda", "cpu"),
        (("cuda",), "abacus", "cpu"),
    ],
)
def test_device_is_the_wanted_one_or_the_best_there_is(
    machine: Callable[..., FakeTorch], present: tuple[str, ...], wanted: str, chosen: str
) -> None:
    machine(*present)
    assert choose_device(wanted) == chosen


def test_cpu_is_chosen_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert choose_device("cpu") == "cpu"


def test_torch_without_xpu_has_none(machine: Callable[..., FakeTorch]) -> None:
    del machine().xpu
    assert choose_device("xpu") == "cpu"


def test_available_devices_are_named_and_end_with_the_cpu(machine: Callable[..., FakeTorch]) -> None:
    machine("cuda", "mps")
    assert available_devices() == [Device("cuda", "cuda 0"), Device("mps", "Apple Metal"), Device("cpu", "")]


def means(batch: NDArray[np.uint8]) -> NDArray[np.float32]:
    return batch.reshape(len(batch), -1).mean(axis=1, keepdims=True).astype(np.float32)


def pictures(count: int) -> NDArray[np.uint8]:
    return np.arange(count, dtype=np.uint8)[:, None].repeat(4, axis=1)


FULL = [
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
]


class Memory:
    """A device that holds `room` pictures at once; the CPU holds `on_cpu`."""

    def __init__(self, room: int, on_cpu: int = 10_000, error: Exception | None = None) -> None:
        self.room, self.on_cpu = room, on_cpu
        self.error = error or RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        self.calls: list[tuple[int, str]] = []

    def __call__(self, batch: NDArray[np.uint8], device: str) -> NDArray[np.float32]:
        self.calls.append((len(batch), device))
        if len(batch) > (self.on_cpu if device == "cpu" else self.room):
            raise self.error
        return means(batch)


def test_batch_that_fits_is_run_once() -> None:
    memory, told = Memory(8), []
    result = run_with_memory_fallback(memory, pictures(8), "cuda", told.append)
    np.testing.assert_array_equal(result, means(pictures(8)))
    assert memory.calls == [(8, "cuda")]
    assert not told


def test_batch_is_halved_until_it_fits(machine: Callable[..., FakeTorch]) -> None:
    torch, memory, told = machine("cuda"), Memory(3), []
    result = run_with_memory_fallback(memory, pictures(8), "cuda", told.append)
    np.testing.assert_array_equal(result, means(pictures(8)))
    assert [size for size, _device in memory.calls] == [8, 4, 2, 2, 2, 2]
    assert torch.released == ["cuda", "cuda"]
    assert not told


@pytest.mark.parametrize("error", [None, MemoryError(), RuntimeError("MPS backend out of memory"), *FULL])
def test_cpu_takes_over_when_not_one_picture_fits_and_says_so_once(error: Exception | None) -> None:
    memory, told = Memory(0, error=error), []
    result = run_with_memory_fallback(memory, pictures(5), "mps", told.append)
    np.testing.assert_array_equal(result, means(pictures(5)))
    assert memory.calls == [(5, "mps"), (2, "mps"), (1, "mps"), (5, "cpu")]
    assert told == ["cpu"]


def test_cpu_halves_too(machine: Callable[..., FakeTorch]) -> None:
    machine()
    memory, told = Memory(0, on_cpu=2), []
    result = run_with_memory_fallback(memory, pictures(3), "cuda", told.append)
    np.testing.assert_array_equal(result, means(pictures(3)))
    assert told == ["cpu"]


def test_one_picture_too_much_for_the_cpu_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="out of memory"):
        run_with_memory_fallback(Memory(0, on_cpu=0), pictures(4), "cpu", pytest.fail)


def test_other_errors_are_not_about_memory() -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        run_with_memory_fallback(
            Memory(0, error=RuntimeError("shapes differ")), pictures(4), "cuda", pytest.fail
        )


def test_memory_is_given_back_only_by_a_torch_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    devices._release("cuda")
    assert "torch" not in sys.modules


@given(st.integers(1, 70), st.integers(0, 70), st.integers(1, 70))
def test_result_does_not_depend_on_how_much_memory_there_is(count: int, room: int, on_cpu: int) -> None:
    memory, told = Memory(room, on_cpu), []
    result = run_with_memory_fallback(memory, pictures(count), "cpu" if room % 2 else "nowhere", told.append)
    np.testing.assert_array_equal(result, means(pictures(count)))
    assert len(told) <= 1
