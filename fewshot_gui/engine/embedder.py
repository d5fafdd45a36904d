"""The embedder: backbones, loaded when first needed, on the device there is memory on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, TypeAlias

from fewshot_gui.core.backbones.bundle_info import BundleError, bundle_of
from fewshot_gui.engine.devices import choose_device, is_out_of_memory, run_with_memory_fallback
from fewshot_gui.engine.torch_libraries import load_torch_libraries
from fewshot_gui.engine.torch_threads import embedding_threads, torch_threads

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from fewshot_gui.core.learners.context import LearnerContext
    from fewshot_gui.engine.runtimes.child import Trial
    from fewshot_gui.engine.runtimes.chosen import ChosenRuntimes


# A live frame waits for the batch before it: at 0.05 s a camera still looks live.
SECONDS_A_BATCH = 0.05
SMALLEST, LARGEST_ON_CPU, LARGEST = 8, 32, 64
KEPT_LOADED = 3
"""Backbones: the one in use, in both spaces, and the one before it. Large ones take 350 MB each."""


class Prepares(Protocol):
    """What is needed of a preprocessing."""

    @property
    def least_side(self) -> int:
        """How long the shorter side of a picture must be for the network to see all that it can."""

    @property
    def version(self) -> int:
        """Grows whenever the same picture would give other values."""

    def prepare(self, pixels: NDArray[np.uint8], /) -> NDArray[np.uint8]:
        """Return uint8 (views * side, side, channels) of a picture uint8 (H, W, 3)."""


class BackboneInfo(Protocol):
    """What is known of a backbone without loading it."""

    @property
    def hash(self) -> str:
        """Of its weights: hexadecimal digits."""

    @property
    def preprocessing(self) -> Prepares:
        """From pixels to its input."""

    @property
    def dimension(self) -> int:
        """D, the length of an embedding."""


class Backbone(Protocol):
    """What is needed of a loaded backbone."""

    def embed(self, batch: NDArray[np.uint8], device: str = ..., /) -> NDArray[np.float32]:
        """Return embeddings (B, D) of prepared pictures (B, views * side, side, channels)."""

    def context(self, device: str = ..., /) -> LearnerContext:
        """Return what a learner may use of it, with its network on that device."""


Load: TypeAlias = "Callable[[str], Backbone]"
Describe: TypeAlias = "Callable[[str], BackboneInfo]"


class Embedder:
    """Prepared pictures to embeddings; `embed` and `warm_up` for the model lane, the rest for any thread.

    A backbone may be removed, and another one be added under its name: then that one is loaded. One that is
    gone goes on working where it is loaded.

    Args:
        load: returns a backbone by name; None for the real one, which imports torch.
        describe: returns what is known of it; None for the real one.
        on_device: told the device whenever it is another than before.
        runtimes: embeds on the CPU in the place of those backbones that it is faster for; None for none.
        on_loaded: told the name of each backbone that was loaded.
        on_replaced: told the name of one that is another than when it was asked for last; by any thread.
    """

    def __init__(
        self,
        load: Load | None,
        describe: Describe | None,
        on_device: Callable[[str], None],
        *,
        runtimes: ChosenRuntimes | None = None,
        on_loaded: Callable[[str], None] | None = None,
        on_replaced: Callable[[str], None] | None = None,
    ) -> None:
        self._load = load or _load_bundle
        self._describe = describe or _describe_bundle
        self._on_device = on_device
        self._runtimes = runtimes
        self._on_loaded = on_loaded
        self._on_replaced = on_replaced
        self._infos: dict[str, BackboneInfo] = {}
        self._loaded: dict[str, tuple[str, Backbone]] = {}
        self._chosen: dict[str, str] = {}
        self._full: set[str] = set()
        self._device = ""
        self._seconds_each = SECONDS_A_BATCH

    @property
    def device(self) -> str:
        """The device of the last embedding, "" before the first."""
        return self._device

    @property
    def batch_limit(self) -> int:
        """How many pictures to embed at once: as many as a live frame can wait for, more on a GPU."""
        largest = LARGEST_ON_CPU if self._device in {"", "cpu"} else LARGEST
        return min(largest, max(SMALLEST, int(SECONDS_A_BATCH / self._seconds_each)))

    def info(self, name: str) -> BackboneInfo:
        """Return what is known of a backbone without loading it. Any thread.

        Raises:
            BundleError: it is missing or damaged.
        """
        former = self._infos.get(name)
        try:
            present = self._describe(name)
        except BundleError:
            if former is None:
                raise
            return former
        self._infos[name] = present
        if former is not None and former.hash != present.hash and self._on_replaced is not None:
            self._on_replaced(name)
        return present

    def warm_up(self, name: str, device: str) -> str:
        """Load a backbone, and return the device that it will run on."""
        self._backbone(name)
        return self._choose(device)

    def context(self, name: str, device: str) -> LearnerContext:
        """Return what a learner may use of a backbone, with its network on the device that is taken.

        Raises:
            BundleError: the backbone is missing or damaged.
        """
        backbone, chosen = self._backbone(name), self._choose(device)
        try:
            return backbone.context(chosen)
        except (RuntimeError, MemoryError) as error:
            if chosen == "cpu" or not is_out_of_memory(error):
                raise
        self._full.add(chosen)
        self._use("cpu")
        return backbone.context("cpu")

    def embed(self, batch: NDArray[np.uint8], name: str, device: str) -> NDArray[np.float32]:
        """Return embeddings (B, D) of prepared pictures (B, views * side, side, channels).

        Raises:
            BundleError: the backbone is missing or damaged.
        """
        backbone = self._backbone(name)
        chosen = self._choose(device)

        def memory_is_full(instead: str) -> None:
            self._full.add(chosen)
            self._use(instead)

        def run(part: NDArray[np.uint8], where: str) -> NDArray[np.float32]:
            quick = self._runtimes.embed(name, part) if self._runtimes and where == "cpu" else None
            return backbone.embed(part, where) if quick is None else quick

        start = time.perf_counter()
        with embedding_threads(len(batch)):
            embeddings = run_with_memory_fallback(run, batch, chosen, memory_is_full)
        # Of a few pictures the fixed costs would count as theirs.
        if len(batch) >= SMALLEST:
            self._seconds_each = max(1e-6, (time.perf_counter() - start) / len(batch))
        return embeddings

    def settle(self, name: str) -> Trial | None:
        """Let the faster runtime of this machine embed with a loaded backbone; return the trial to be made.

        None where nothing is to be found out, or a device other than the CPU embeds.
        """
        _hash, backbone = self._loaded.get(name, ("", None))
        if self._runtimes is None or backbone is None or self._device != "cpu":
            return None
        most = torch_threads()
        with embedding_threads(1):
            return self._runtimes.settle(name, backbone, most)

    def _backbone(self, name: str) -> Backbone:
        # Of the bundle itself: in the pixels space all of the same preprocessing have one hash.
        present = self.info(bundle_of(name)).hash
        former, backbone = self._loaded.pop(name, ("", None))
        if backbone is None or former != present:
            if backbone is not None:
                self._forget(name)
            while len(self._loaded) >= KEPT_LOADED:
                oldest = next(iter(self._loaded))
                del self._loaded[oldest]
                self._forget(oldest)
            backbone = self._load(name)
            if self._on_loaded is not None:
                self._on_loaded(name)
        self._loaded[name] = present, backbone  # at the end: it is the last that was used
        return backbone

    def _forget(self, name: str) -> None:
        if self._runtimes is not None:
            self._runtimes.forget(name)

    def _choose(self, wanted: str) -> str:
        if wanted not in self._chosen:
            self._chosen[wanted] = choose_device(wanted)
        chosen = self._chosen[wanted]
        # A device too full for a single picture is not tried again for each batch; a restart does.
        if chosen in self._full:
            chosen = "cpu"
        self._use(chosen)
        return chosen

    def _use(self, device: str) -> None:
        if device != self._device:
            self._device = device
            self._on_device(device)


def _load_bundle(name: str) -> Backbone:
    from fewshot_gui.core.backbones.bundle import load_bundle  # noqa: PLC0415 - torch takes seconds to import

    load_torch_libraries()
    return load_bundle(name)


def _describe_bundle(name: str) -> BackboneInfo:
    from fewshot_gui.core.backbones.bundle import describe_bundle  # noqa: PLC0415 - slow to import, rarely needed

    return describe_bundle(name)
