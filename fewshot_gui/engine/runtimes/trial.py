"""A trial of ONNX Runtime for one bundle: exported, compared with torch, measured beside it, and recorded.

`python -m fewshot_gui.engine.runtimes.trial BUNDLE FOLDER THREADS` does it in a process of its own, at the
lowest priority: the exporter would hold Python's lock of a window, and what it breaks is not the window's.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from fewshot_gui.core.backbones.bundle import load_bundle
from fewshot_gui.core.backbones.onnx_runtime import OnnxEmbedder, OnnxRuntimeError
from fewshot_gui.engine.runtimes.conditions import SIZES, Conditions, conditions_of
from fewshot_gui.engine.runtimes.record import Case, Record, write_model, write_record
from fewshot_gui.engine.runtimes.verifying import DifferentAnswerError, largest_difference, probe

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.core.backbones.bundle import Bundle

BATCHES = (*SIZES, 7)
"""How many pictures are embedded at once to compare the answers: an odd number too."""
_ROUNDS = 3, 40
_SECONDS_A_CASE = 2.0
_FINE_SECONDS = 1e-5
_LOWEST = 19


def try_runtimes(name: str, folder: Path, most_threads: int) -> Record | None:
    """Return what was found for a bundle and is kept in `folder`; None where there is nothing to compare.

    Args:
        name: name or path of the bundle.
        folder: of models and records; made if missing.
        most_threads: that torch may use.

    Raises:
        BundleError: the bundle is missing or damaged.
        OSError: the folder cannot be written.
    """
    bundle = load_bundle(name)
    conditions = conditions_of(bundle.info, most_threads)
    if conditions is None:
        return None
    from fewshot_gui.core.backbones.onnx_export import (  # noqa: PLC0415 - it imports torch
        OnnxExportError,
        export_bundle,
    )

    try:
        record = _compared(bundle, export_bundle(bundle), folder, conditions)
    except (OnnxExportError, OnnxRuntimeError, DifferentAnswerError) as error:
        record = Record(conditions, problem=str(error) or type(error).__name__)
    write_record(folder, record)
    return record


def _compared(bundle: Bundle, model: bytes, folder: Path, conditions: Conditions) -> Record:
    sessions = {threads: OnnxEmbedder(model, threads) for threads in set(conditions.threads)}
    difference = max(
        largest_difference(bundle, session, bundle.preprocessing, BATCHES) for session in sessions.values()
    )
    cases = tuple(
        _measured(bundle, sessions[threads], size, threads)
        for size, threads in zip(SIZES, conditions.threads, strict=True)
    )
    return Record(conditions, "", write_model(folder, conditions, model), difference, cases)


def _measured(bundle: Bundle, session: OnnxEmbedder, size: int, threads: int) -> Case:
    """Return the shortest times of both, measured in turn, so that other programs disturb both alike."""
    import torch  # noqa: PLC0415 - it is here already

    torch.set_num_threads(threads)
    batch = probe(bundle.preprocessing, size)
    runs: tuple[Callable[[], object], ...] = (lambda: bundle.embed(batch)), (lambda: session.embed(batch))
    shortest = [float("inf")] * len(runs)
    clock, deadline = _clock(threads), time.perf_counter() + _SECONDS_A_CASE
    least, most = _ROUNDS
    for number in range(most):
        if number >= least and time.perf_counter() > deadline:
            break
        for at, run in enumerate(runs):
            begun = clock()
            run()
            shortest[at] = min(shortest[at], clock() - begun)
    torch_ms, onnx_ms = (round(seconds / size * 1000, 4) for seconds in shortest)
    return Case(size, threads, torch_ms, onnx_ms)


def _clock(threads: int) -> Callable[[], float]:
    """Return a clock in seconds that stops, where it can, while another program has the processor.

    It can for one thread, but for Windows, whose clock of a thread ticks every 16 ms.
    """
    fine = time.get_clock_info("thread_time").resolution <= _FINE_SECONDS
    return time.thread_time if threads == 1 and fine else time.perf_counter


def main() -> int:
    """Return 0 once what was found is recorded."""
    if hasattr(os, "nice"):
        os.nice(_LOWEST)
    name, folder, most_threads = sys.argv[1:]
    try_runtimes(name, Path(folder), int(most_threads))
    return 0


if __name__ == "__main__":
    sys.exit(main())
