"""The conditions that a comparison of the runtimes holds for: another of them makes it void."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fewshot_gui.engine.torch_threads import FEW, threads_for

if TYPE_CHECKING:
    from fewshot_gui.core.backbones.bundle_info import BundleInfo

PACKAGES = ("torch", "onnxruntime", "onnx", "onnxscript")
"""All that it takes to try ONNX Runtime; where one is missing, torch embeds alone."""
SIZES = (1, 32)
"""How many pictures a comparison embeds at once: a live frame, and a batch of a folder on a CPU."""
LARGEST_PARAMETERS = 60_000_000
"""Above, the second copy of the weights, in memory and on disk, costs more than the time is worth."""
_FORMAT = 1
_PROCESSORS = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the speed of a bundle on the CPU depends on.

    Attributes:
        bundle: the hash of it.
        machine: system, processor and how many.
        versions: of `PACKAGES`, in that order.
        threads: for each of `SIZES`.
    """

    bundle: str
    machine: str
    versions: tuple[str, ...]
    threads: tuple[int, ...]

    @property
    def stem(self) -> str:
        """The name, without a suffix, of the files that are kept for them."""
        values = json.dumps([_FORMAT, asdict(self)], sort_keys=True)
        return f"{self.bundle}-{hashlib.sha256(values.encode()).hexdigest()[:16]}"


def conditions_of(info: BundleInfo, most_threads: int) -> Conditions | None:
    """Return the conditions here and now; None where there is nothing to compare.

    That is where a package is missing, where the bundle has no network of its own to export, or where its
    network is so large that it should be in memory only once.

    Args:
        info: of the bundle.
        most_threads: that torch may use.
    """
    of_itself = info.in_pixels or info.architecture.get("kind") == "onnx"
    if of_itself or info.parameters > LARGEST_PARAMETERS:
        return None
    from importlib.metadata import (  # noqa: PLC0415 - the window starts without it
        PackageNotFoundError,
        version,
    )

    try:
        versions = tuple(version(name) for name in PACKAGES)
    except PackageNotFoundError:
        return None
    threads = tuple(threads_for(size, most_threads) for size in SIZES)
    return Conditions(info.hash, machine(), versions, threads)


def size_of(pictures: int) -> int:
    """Return which of `SIZES` stands for so many pictures at once."""
    return SIZES[0] if pictures <= FEW else SIZES[1]


def machine() -> str:
    """Return the system, the processor and how many of it there are, as the system calls them."""
    return f"{platform.system()} {platform.machine()}, {_processor()}, {os.cpu_count()} of it"


def _processor() -> str:
    # Python knows it on Windows and macOS; on Linux it is empty or says the architecture once more.
    try:
        lines = _PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())
