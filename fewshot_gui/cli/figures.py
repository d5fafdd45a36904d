"""Figures as PNG files: the curve of a training, and learners side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from fewshot_gui.cli.output import counted
from fewshot_gui.engine.own_pictures import PROGRAM
from fewshot_gui.engine.publish import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from fewshot_gui.core.evaluation.episodic import Report

# Okabe and Ito's colours, told apart by people who see red and green alike; the palest are left out.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
INK, FAINT, LINE = "#202428", "#5f6770", "#d9dde1"
_DPI = 160
_FEW_POINTS = 40
"""A curve of so few points shows where they are."""


def save_curve(path: Path, steps: Sequence[int], series: Mapping[str, Sequence[float]], title: str) -> None:
    """Write the curve of a training as a PNG; each series has a panel of its own under a common axis.

    Args:
        path: of the file; replaced where it is there.
        steps: of the training, one for each value.
        series: what was measured, by name; a value that is no finite number is left out. Names that begin
            alike up to a space ("accuracy training", "accuracy validation") share a panel.
        title: over all.
    """
    panels: dict[str, list[str]] = {}
    for name in series:
        panels.setdefault(name.split(" ")[0], []).append(name)
    figure = _figure(7.2, 0.9 + 2.3 * max(1, len(panels)))
    axes = figure.subplots(max(1, len(panels)), 1, sharex=True, squeeze=False)[:, 0]
    for place, (label, names) in zip(axes, panels.items(), strict=False):
        for name, colour in zip(names, _cycle(len(names)), strict=True):
            points = [(x, y) for x, y in zip(steps, series[name], strict=True) if math.isfinite(y)]
            few = len(points) <= _FEW_POINTS
            place.plot(
                [x for x, _y in points], [y for _x, y in points], color=colour, linewidth=1.6, label=name,
                marker="o" if few else "", markersize=4,
            )  # fmt: skip
        place.set_ylabel(label.capitalize(), color=FAINT)
        if len(names) > 1:
            place.legend(frameon=False, labelcolor=INK, fontsize=9)
        _quiet(place, "y")
    axes[-1].set_xlabel("Step", color=FAINT)
    figure.suptitle(title, x=0.02, ha="left", color=INK, fontsize=13, fontweight="bold")
    _save(figure, path)


def save_comparison(path: Path, reports: Sequence[Report]) -> None:
    """Write learners side by side as a PNG: accuracy with its 95 % interval, and the time a task takes.

    Args:
        path: of the file; replaced where it is there.
        reports: at least one, over the same tasks; the best is shown first.
    """
    ordered = sorted(reports, key=lambda report: report.accuracy)
    figure = _figure(9.0, 1.5 + 0.42 * len(ordered))
    left, right = figure.subplots(1, 2, width_ratios=(2.2, 1), sharey=True)
    rows = range(len(ordered))
    errors = [100 * report.ci95 if math.isfinite(report.ci95) else 0.0 for report in ordered]
    percents = [100 * report.accuracy for report in ordered]
    left.errorbar(
        percents, rows, xerr=errors, fmt="o", color=COLOURS[0], ecolor=COLOURS[0], elinewidth=2, markersize=6
    )
    # Numbers start behind the widest interval, so that they never lie on one.
    for row, percent, error in zip(rows, percents, errors, strict=True):
        left.annotate(
            f"{percent:.2f}",
            (percent + error, row),
            (7, 0),
            textcoords="offset points",
            va="center",
            color=INK,
        )
    left.set_yticks(rows, [_label(report, ordered) for report in ordered], color=INK)
    left.set_ylim(-0.6, len(ordered) - 0.4)
    left.margins(x=0.16)
    left.set_xlabel("Accuracy, %, with its 95 % interval", color=FAINT)
    _times(right, [report.ms_per_task for report in ordered])
    for axis in (left, right):
        _quiet(axis, "x")
    first = ordered[0]
    task = f"{first.ways}-way {first.shots}-shot, {counted(first.episodes, 'episode')}"
    figure.suptitle(task, x=0.02, ha="left", color=INK, fontsize=13, fontweight="bold")
    if any(report.transductive for report in ordered):
        note = "* transductive: the answer to one query depends on the others"
        figure.supxlabel(note, x=0.98, ha="right", color=FAINT, fontsize=8)
    _save(figure, path)


def _times(axis: Any, milliseconds: Sequence[float]) -> None:
    """Draw a point and its number for each time; on a log scale, where the length of a bar says nothing."""
    # A clock that stood still is drawn at the edge: a log scale has no zero.
    shown = [max(value, 1e-3) for value in milliseconds]
    axis.scatter(shown, range(len(shown)), color=COLOURS[1], s=36)
    for row, value in enumerate(shown):
        text = f"{value:.0f}" if value >= 20 else f"{value:.1f}"
        axis.annotate(text, (value, row), (7, 0), textcoords="offset points", va="center", color=INK)
    axis.set_xscale("log")
    axis.set_xlim(min(shown) / 2, max(shown) * 5)
    axis.xaxis.set_major_formatter(lambda value, _place: f"{value:g}")
    axis.xaxis.set_minor_formatter(lambda _value, _place: "")
    axis.set_xlabel("Milliseconds a task", color=FAINT)


def _label(report: Report, reports: Sequence[Report]) -> str:
    """Return the name of a row; the bundle stands in it where not all have the same."""
    same = len({other.backbone for other in reports}) == 1
    return f"{report.learner}{'' if same else f' · {report.backbone}'}{' *' if report.transductive else ''}"


def _cycle(count: int) -> list[str]:
    return [COLOURS[index % len(COLOURS)] for index in range(count)]


def _figure(width: float, height: float) -> Any:
    """Return an empty figure of so many inches, without a window or a global state behind it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - a second to import
    from matplotlib.figure import Figure  # noqa: PLC0415 - a second to import

    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _quiet(axis: Any, grid: str) -> None:
    """Take away what is no data: frame and ticks; leave pale lines to read values by."""
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.spines["bottom"].set_color(LINE)
    axis.grid(axis=grid, color=LINE, linewidth=0.8)
    axis.set_axisbelow(True)
    axis.tick_params(which="both", length=0, colors=FAINT, labelsize=9)
    for label in axis.get_yticklabels() if grid == "x" else ():
        label.set_color(INK)


def _save(figure: Any, path: Path) -> None:
    """Write a figure; on a full disk an earlier one stays as it is."""
    with replacing(path) as partial:
        figure.savefig(partial, format="png", metadata={"Software": PROGRAM})
