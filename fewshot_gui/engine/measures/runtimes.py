"""How fast both runtimes embed on the CPU: measured anew, and remembered for the window."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from fewshot_gui.core.backbones.bundle_info import describe_bundle
from fewshot_gui.engine.folders import cache_folder
from fewshot_gui.engine.measures.figure import Figure, MeasureError, Sizes
from fewshot_gui.engine.runtimes.child import Trial, make_trial
from fewshot_gui.engine.runtimes.conditions import conditions_of
from fewshot_gui.engine.runtimes.record import RUNTIMES, Case, Record

if TYPE_CHECKING:
    from fewshot_gui.engine.measures.children import Place

NAMES = "runtime", "runtime-batch"
"""Of the figures, in the order of `SIZES`."""


def measure_runtimes(place: Place, _sizes: Sizes) -> tuple[Figure, ...]:
    """Return the milliseconds a picture of the faster runtime, one at a time and in a batch, beside torch's.

    None where onnxruntime or the exporter is missing: torch embeds alone. What is found is kept in the user's
    cache, in place of what was found before.

    Raises:
        MeasureError: ONNX Runtime cannot be used for this backbone.
    """
    import torch  # noqa: PLC0415 - torch takes seconds to import

    most = torch.get_num_threads()
    conditions = conditions_of(describe_bundle(place.backbone), most)
    if conditions is None:
        return ()
    record = _tried(Trial(place.backbone, cache_folder() / RUNTIMES, most, conditions))
    if record is None:
        raise MeasureError("what was found cannot be kept in the cache")
    if record.problem:
        raise MeasureError(f"torch embeds alone; ONNX Runtime: {record.problem}")
    return tuple(_figure(name, case, record) for name, case in zip(NAMES, record.cases, strict=True))


def copy_known(place: Place) -> None:
    """Let a measured window know which runtime is the faster one: as the user's own windows do."""
    known = describe_bundle(place.backbone).hash
    for path in (cache_folder() / RUNTIMES).glob(f"{known}-*"):
        (place.cache / RUNTIMES).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place.cache / RUNTIMES)


def _tried(trial: Trial) -> Record | None:
    steps = make_trial(trial)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            record: Record | None = end.value
            return record


def _figure(name: str, case: Case, record: Record) -> Figure:
    detail = {
        "runtime": "onnxruntime" if case.onnx_is_faster else "torch",
        "pictures": case.pictures,
        "threads": case.threads,
        "torch_ms": case.torch_ms,
        "onnxruntime_ms": case.onnx_ms,
        "largest_difference": record.difference,
    }
    used = case.onnx_ms if case.onnx_is_faster else case.torch_ms
    return Figure(name, used, "ms", case.torch_ms, detail=detail)
