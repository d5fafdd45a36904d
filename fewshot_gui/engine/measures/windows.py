"""What is measured of the window, each in a process of its own."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from fewshot_gui.core.backbones.bundle import describe_bundle, load_bundle
from fewshot_gui.core.images.identity import file_id
from fewshot_gui.engine.devices import choose_device
from fewshot_gui.engine.measures.children import measure_window, run_child
from fewshot_gui.engine.measures.figure import Figure, percentile
from fewshot_gui.engine.measures.materials import (
    VIDEO_RATE,
    fill_cache,
    make_pictures,
    make_session,
    make_video,
)
from fewshot_gui.engine.measures.plain import time_video

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.measures.children import Place
    from fewshot_gui.engine.measures.figure import Sizes
    from fewshot_gui.engine.measures.plain import PlainVideo

START_BAR_MS = 1000.0
LIVE_BAR_RATE = 25.0
LATENCY_BAR_MS = 120.0
BLOCKED_BAR_MS = 100.0
MEMORY_BAR_MB = 1500.0
_FOLDER_SIDE = 640
_TINY_SIDE = 96


def measure_start(place: Place, sizes: Sizes) -> Figure:
    """Return the milliseconds from the start of the process to the first painted window, a median."""
    ours = [_start(place, number) for number in range(sizes.starts + 1)][1:]
    plain = [_bare_start(place) for _ in range(sizes.starts + 1)][1:]
    return Figure(
        name="start",
        value=median(run["ms"] for run in ours),
        unit="ms",
        bar=START_BAR_MS,
        baseline_value=median(plain),
        detail={
            "runs_ms": [run["ms"] for run in ours],
            "torch_imported": any(run["torch_imported"] for run in ours),
        },
    )


def _start(place: Place, number: int) -> dict[str, Any]:
    session = make_session(place.folder / f"start-{number}.fewshot", place.backbone)
    printed = measure_window(place, session, "start")
    return {**printed, "ms": _since(printed, "painted_at")}


def _bare_start(place: Place) -> float:
    return _since(run_child(place, "fewshot_gui.gui.bare_window"), "painted_at")


def _since(printed: dict[str, Any], moment: str) -> float:
    """Return the milliseconds from the start of the process to one of its moments."""
    return 1000 * float(printed[moment] - printed["begun_at"])


def measure_first_prediction(place: Place, sizes: Sizes) -> Figure:
    """Return the milliseconds from the start of the process to the sample's first painted predictions."""
    ours, plain = [], []
    for number in range(sizes.starts):
        session = make_session(place.folder / f"first-{number}.fewshot", place.backbone)
        ours.append(measure_window(place, session, "first-prediction"))
        plain.append(run_child(place, "fewshot_gui.engine.measures.plain", place.backbone))
    return Figure(
        name="first-prediction",
        value=median(_since(run, "first_at") for run in ours),
        unit="ms",
        baseline_value=median(_since(run, "first_at") for run in plain),
        detail={
            "all_ms": median(_since(run, "all_at") for run in ours),
            "baseline_all_ms": median(_since(run, "all_at") for run in plain),
            "pictures": ours[0]["pictures"],
        },
    )


def measure_live(place: Place, sizes: Sizes) -> tuple[Figure, Figure]:
    """Return the frames a second that are both shown and predicted, and the delay in milliseconds.

    The delay runs from the moment a frame is due to the moment its prediction is painted, and is the 95th
    percentile. The baseline reads and embeds without a window; its rate cannot exceed the video's.
    """
    video = make_video(place.folder / "live.mp4", sizes.video_seconds)
    session = make_session(place.folder / "live.fewshot", place.backbone)
    run = measure_window(place, session, "live", video)
    plain = _plain_video(place, video, sizes)
    rates = {key: run[key] for key in ("shown_rate", "predicted_rate")}
    rate = Figure(
        name="live",
        value=min(rates.values()),
        unit="frames/s",
        bar=LIVE_BAR_RATE,
        baseline_value=min(VIDEO_RATE, plain.rate),
        more_is_better=True,
        detail={**rates, "video_rate": VIDEO_RATE, "baseline_without_waiting": plain.rate},
    )
    latency = Figure(
        name="live-latency",
        value=percentile(run["latencies_ms"], 0.95),
        unit="ms",
        bar=LATENCY_BAR_MS,
        baseline_value=percentile(plain.milliseconds, 0.95),
        detail={"median_ms": percentile(run["latencies_ms"], 0.5), "frames": len(run["latencies_ms"])},
    )
    return rate, latency


def _plain_video(place: Place, video: Path, sizes: Sizes) -> PlainVideo:
    bundle, device = load_bundle(place.backbone), choose_device("auto")
    time_video(bundle, video, device, at_most=5)  # the first calls of a network prepare it
    return time_video(bundle, video, device, at_most=round(sizes.video_seconds * VIDEO_RATE))


def measure_blocked(place: Place, sizes: Sizes) -> Figure:
    """Return the longest time in milliseconds for which the GUI thread answered nothing, after it painted.

    Args:
        place: where to write.
        sizes: how many pictures the folder has, and how long the video is.
    """
    folder, video = place.folder / "blocked", place.folder / "blocked.mp4"
    make_pictures(folder, sizes.folder, side=_FOLDER_SIDE)
    make_video(video, sizes.video_seconds / 2)
    run = measure_window(
        place, make_session(place.folder / "blocked.fewshot", place.backbone), "blocked", folder, video
    )
    bare = measure_window(place, make_session(place.folder / "idle.fewshot", place.backbone), "idle")
    return Figure(
        name="blocked",
        value=run["worst_ms"],
        unit="ms",
        bar=BLOCKED_BAR_MS,
        baseline_value=bare["worst_ms"],
        detail={"phases": run["phases"], "pictures": sizes.folder},
    )


def measure_memory(place: Place, sizes: Sizes) -> Figure:
    """Return the peak of resident memory in MB with the whole folder open, embedded and scored.

    All but `sizes.computed` of the embeddings are in the cache beforehand: to compute them takes minutes
    and needs no other memory than computing some.
    """
    files = make_pictures(place.folder / "memory", sizes.pictures, side=_TINY_SIDE)
    cached = files[: sizes.pictures - sizes.computed]
    fill_cache(place.cache, describe_bundle(place.backbone), cached, _content_id)
    session = make_session(place.folder / "memory.fewshot", place.backbone)
    run = measure_window(place, session, "memory", place.folder / "memory")
    bare = measure_window(place, make_session(place.folder / "no-folder.fewshot", place.backbone), "memory")
    return Figure(
        name="memory",
        value=run["peak_mb"],
        unit="MB",
        bar=MEMORY_BAR_MB,
        baseline_value=bare["peak_mb"],
        detail={
            "pictures": sizes.pictures,
            "embeddings_from_cache": len(cached),
            "seconds_to_open": run["seconds"],
        },
    )


def _content_id(file: PictureFile) -> PictureId:
    return file_id(file.path)
