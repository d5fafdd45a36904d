"""Devices: which this machine has, which to take, and what to do when one's memory is full."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# In order of preference for "auto".
ACCELERATORS = ("cuda", "mps", "xpu")
_MEMORY_IS_FULL = (
    "out of memory",  # CUDA, MPS, XPU
    "can't allocate memory",  # the processor
    "not enough memory",  # the processor, on Windows
    "alloc_failed",  # cuBLAS and cuDNN
)


@dataclass(frozen=True, slots=True)
class Device:
    """A device that can run a backbone.

    Attributes:
        name: what torch calls it: "cpu", "cuda", "mps" or "xpu".
        title: what its maker calls it; empty where the system does not say.
    """

    name: str
    title: str


def available_devices() -> list[Device]:
    """Return the devices of this machine, the best first, the CPU last. Imports torch."""
    found = [Device(name, _title(name)) for name in ACCELERATORS if _is_available(name)]
    return [*found, Device("cpu", "")]


def choose_device(wanted: str) -> str:
    """Return the device to use: the best for "auto", else `wanted` where it is there, else "cpu".

    Imports torch, so it belongs on the model lane.
    """
    if wanted == "cpu":
        return "cpu"
    if wanted != "auto":
        return wanted if wanted in ACCELERATORS and _is_available(wanted) else "cpu"
    return next((name for name in ACCELERATORS if _is_available(name)), "cpu")


def _is_available(name: str) -> bool:
    import torch  # noqa: PLC0415 - torch takes seconds to import

    if name == "mps":
        return torch.backends.mps.is_available()
    # A torch without XPU support has no such module before 2.3 or on some builds.
    module = getattr(torch, name, None)
    return module is not None and bool(module.is_available())


def _title(name: str) -> str:
    import torch  # noqa: PLC0415 - torch takes seconds to import

    if name == "mps":
        return "Apple Metal"
    return str(getattr(torch, name).get_device_name(0))


def is_out_of_memory(error: Exception) -> bool:
    """Return True if `error` says that a device's memory is full, in the words of any backend."""
    if isinstance(error, MemoryError):
        return True
    # torch.OutOfMemoryError is a RuntimeError; all others raise the latter, with these words.
    words = str(error).lower()
    return isinstance(error, RuntimeError) and any(each in words for each in _MEMORY_IS_FULL)


def run_with_memory_fallback(
    run: Callable[[NDArray[np.uint8], str], NDArray[np.float32]],
    batch: NDArray[np.uint8],
    device: str,
    on_change: Callable[[str], None],
) -> NDArray[np.float32]:
    """Return what `run` makes of `batch` (B, ...), in smaller parts or on the CPU where memory is short.

    Args:
        run: takes a part (b, ...) and a device, returns (b, D).
        batch: not empty.
        device: to begin with.
        on_change: told "cpu", once, when even one picture does not fit on the device.

    Raises:
        RuntimeError: from `run`, about anything but memory, or when one picture is too much for the CPU.
    """
    done: list[NDArray[np.float32]] = []
    start, size = 0, len(batch)
    while start < len(batch):
        try:
            done.append(run(batch[start : start + size], device))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or (size == 1 and device == "cpu"):
                raise
            _release(device)
            if size > 1:
                size //= 2
            else:
                device, size = "cpu", len(batch)
                on_change(device)
            continue
        start += size
    return done[0] if len(done) == 1 else np.concatenate(done)


def _release(device: str) -> None:
    """Give back what torch keeps for later, or the next, smaller try fails like the last."""
    torch = sys.modules.get("torch")
    if torch is not None and device in ACCELERATORS and _is_available(device):
        getattr(torch, device).empty_cache()
