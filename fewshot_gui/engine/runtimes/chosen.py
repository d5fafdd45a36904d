"""The bundles that ONNX Runtime embeds with, because it was found to be the faster runtime for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fewshot_gui.core.backbones.bundle_info import BundleError, describe_bundle
from fewshot_gui.core.backbones.onnx_runtime import OnnxEmbedder, OnnxRuntimeError
from fewshot_gui.engine.runtimes.child import Trial
from fewshot_gui.engine.runtimes.conditions import SIZES, conditions_of, size_of
from fewshot_gui.engine.runtimes.record import Record, read_model, read_record, write_record
from fewshot_gui.engine.runtimes.verifying import DifferentAnswerError, largest_difference
from fewshot_gui.engine.torch_libraries import load_onnxruntime_library

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fewshot_gui.core.backbones.preprocessing import Preprocessing
    from fewshot_gui.engine.runtimes.verifying import Embeds


@dataclass(frozen=True, slots=True)
class _Ready:
    """A bundle that ONNX Runtime embeds with, for some sizes; torch does for the others."""

    record: Record
    sessions: Mapping[int, OnnxEmbedder]


class ChosenRuntimes:
    """Embeds with ONNX Runtime where it is the faster one, and says what is not known yet.

    Belongs to the model lane. Whatever goes wrong, torch goes on, and the record says why.

    Args:
        folder: of models and records.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready: dict[str, _Ready] = {}

    def settle(self, name: str, backbone: Embeds, most_threads: int) -> Trial | None:
        """Make ready what was found to be faster; return the trial to be made where nothing was found yet.

        Args:
            name: name or path of a bundle.
            backbone: it, loaded.
            most_threads: that torch may use.
        """
        try:
            info = describe_bundle(name)
        except BundleError:
            return None
        conditions = conditions_of(info, most_threads)
        if conditions is None or name in self._ready:
            return None
        record = read_record(self._folder, conditions)
        model = None if record is None or not record.onnx_wins else read_model(self._folder, record)
        if record is None or (record.onnx_wins and model is None):
            return Trial(name, self._folder, most_threads, conditions)
        if model is not None:
            self._open(name, backbone, info.preprocessing, record, model)
        return None

    def forget(self, name: str) -> None:
        """Leave a bundle to torch until it is settled anew: another one has its name now."""
        self._ready.pop(name, None)

    def embed(self, name: str, batch: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """Return embeddings (B, D) of prepared pictures (B, side, side, channels); None where torch is to.

        Args:
            name: name or path of the bundle.
            batch: not empty.
        """
        ready = self._ready.get(name)
        session = ready.sessions.get(size_of(len(batch))) if ready is not None else None
        if ready is None or session is None:
            return None
        try:
            return session.embed(batch)
        except OnnxRuntimeError as error:
            del self._ready[name]
            self._give_up(ready.record, error)
            return None

    def _open(
        self, name: str, backbone: Embeds, preprocessing: Preprocessing, record: Record, model: bytes
    ) -> None:
        """Make the sessions of a bundle, and use them once they have given torch's answers here."""
        load_onnxruntime_library()
        wanted = {case.pictures: case.threads for case in record.cases if case.onnx_is_faster}
        try:
            by_threads = {threads: OnnxEmbedder(model, threads) for threads in set(wanted.values())}
            for session in by_threads.values():
                # One picture, as something may wait for this lane; the trial compared whole batches.
                largest_difference(backbone, session, preprocessing, SIZES[:1])
        except (OnnxRuntimeError, DifferentAnswerError) as error:
            self._give_up(record, error)
        else:
            self._ready[name] = _Ready(record, {size: by_threads[wanted[size]] for size in wanted})

    def _give_up(self, record: Record, error: Exception) -> None:
        given_up = replace(record, problem=str(error) or type(error).__name__, cases=())
        try:
            write_record(self._folder, given_up)
        except OSError:
            return  # then it is tried again by the next window, and fails there
