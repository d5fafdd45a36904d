"""`fewshot-gui bench`: the speed table of this machine, each figure with a baseline of the same run."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING, Any

from fewshot_gui.cli.output import DONE, SOME_FAILED, UsageError, bar, say, say_json, warn
from fewshot_gui.core.backbones.bundle import BundleError, describe_bundle
from fewshot_gui.engine.measures.catalogue import MEASURES, take
from fewshot_gui.engine.measures.figure import FULL, QUICK, Figure, MeasureError

if TYPE_CHECKING:
    import argparse

BASELINES = {
    "runtime": "torch alone, one picture at a time",
    "runtime-batch": "torch alone, 32 pictures at a time",
    "start": "an empty window of PySide6 alone",
    "first-prediction": "a plain script: torch, PIL, one picture after the other, no window",
    "teach": "a naive torch script: stack, means, cdist, softmax, topk",
    "live": "a plain loop: cv2.VideoCapture and the backbone, nothing shown",
    "live-latency": "a plain loop: cv2.VideoCapture and the backbone, nothing shown",
    "index": "torchvision ImageFolder and DataLoader, 2 workers, batches of 32",
    "blocked": "the same window, left alone",
    "memory": "the same window without a folder",
}
RUNTIMES = {"torch": "torch", "onnxruntime": "ONNX Runtime"}
COLUMNS = ("measure", "value", "bar", "met", "baseline", "times as good", "baseline is")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument(
        "--only", nargs="+", choices=list(MEASURES), metavar="NAME", help=f"of {', '.join(MEASURES)}"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes: a minute, rough figures")
    parser.add_argument("--backbone", default="photo", metavar="B|FILE", help="%(default)s by default")


def run(arguments: argparse.Namespace) -> int:
    """Return the exit code after measuring: 1 where something could not be measured."""
    try:
        backbone = describe_bundle(arguments.backbone)
    except BundleError as error:
        raise UsageError(str(error)) from error
    # A name stays a name; a path must hold wherever the measured process runs.
    name = arguments.backbone if arguments.backbone == backbone.name else str(backbone.path.absolute())
    figures, failures = _measure_all(arguments, name)
    if arguments.json:
        say_json({"machine": machine(), "measures": [_values(each) for each in figures]})
    else:
        say(f"{_in_words(machine())}\n\n{table(figures)}")
    for failure in failures:
        warn(failure)
    return SOME_FAILED if failures else DONE


def _measure_all(arguments: argparse.Namespace, backbone: str) -> tuple[list[Figure], list[str]]:
    names = arguments.only or list(MEASURES)
    figures: list[Figure] = []
    failures = []
    with bar("Measuring", arguments) as progress:
        for number, name in enumerate(names):
            progress(number, len(names))
            try:
                figures.extend(take(name, backbone, QUICK if arguments.quick else FULL))
            except MeasureError as error:
                failures.append(f"{name} could not be measured: {error}")
        progress(len(names), len(names))
    return figures, failures


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processors, load, system, versions and device."""
    import torch  # noqa: PLC0415 - torch takes seconds to import

    from fewshot_gui.engine.devices import choose_device  # noqa: PLC0415 - needed here alone

    return {
        "cpu_count": os.cpu_count(),
        # Other programs at work make every figure worse, and some baselines more than others.
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "device": choose_device("auto"),
        "screen": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
    }


def _values(figure: Figure) -> dict[str, Any]:
    """Return a figure as the JSON object of it."""
    return {
        "name": figure.name,
        "value": figure.value,
        "unit": figure.unit,
        "bar": figure.bar,
        "met": figure.met,
        "baseline": BASELINES[figure.name],
        "baseline_value": figure.baseline_value,
        "ratio": figure.ratio,
        "detail": figure.detail,
    }


def table(figures: list[Figure]) -> str:
    """Return the figures as lines of equal columns."""
    rows = [COLUMNS, *map(_row, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if 0 < index < len(COLUMNS) - 1 else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _row(figure: Figure) -> tuple[str, ...]:
    met = {True: "yes", False: "NO", None: ""}[figure.met]
    sign = ">=" if figure.more_is_better else "<="
    return (
        figure.name,
        f"{figure.value:,.1f} {figure.unit}",
        "" if figure.bar is None else f"{sign} {figure.bar:,.1f}",
        met,
        f"{figure.baseline_value:,.1f}",
        f"{figure.ratio:.2f}",
        _baseline(figure),
    )


def _baseline(figure: Figure) -> str:
    words = BASELINES[figure.name]
    runtime = RUNTIMES.get(figure.detail.get("runtime", ""))
    return f"{words}; {runtime} is used" if runtime else words


def _in_words(facts: dict[str, Any]) -> str:
    return (
        f"{facts['cpu_count']} processors, load {facts['load']}, {facts['system']}, "
        f"Python {facts['python']}, torch {facts['torch']}, device {facts['device']}, {facts['screen']}"
    )
