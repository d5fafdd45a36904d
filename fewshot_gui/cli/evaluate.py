"""`fewshot-gui evaluate`: measure a learner and a backbone on episodes, with its 95 % interval."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fewshot_gui.cli.options import add_device_argument, told_device
from fewshot_gui.cli.output import UsageError, bar, say, say_json, warn
from fewshot_gui.core.backbones.bundle import BundleError, describe_bundle, load_bundle

if TYPE_CHECKING:
    import argparse

    from numpy.typing import NDArray

    from fewshot_gui.core.backbones.bundle import Bundle
    from fewshot_gui.core.episodes.dataset import ClassImages

BATCH = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("--learner", default="prototypical", metavar="L")
    parser.add_argument("--backbone", default="photo", metavar="B|FILE")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="class folders never trained on"
    )
    parser.add_argument("--ways", type=int, default=5, metavar="N")
    parser.add_argument("--shots", type=int, default=1, metavar="K")
    parser.add_argument("--queries", type=int, default=15, metavar="Q")
    parser.add_argument("--episodes", type=int, default=600, metavar="E")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    add_device_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Return the exit code after measuring."""
    from fewshot_gui.core.episodes.dataset import DatasetError, load_classes  # noqa: PLC0415 - torch takes seconds
    from fewshot_gui.core.episodes.sampler import EpisodeError  # noqa: PLC0415
    from fewshot_gui.core.learners.catalogue import LearnerError  # noqa: PLC0415

    try:
        preprocessing = describe_bundle(arguments.backbone).preprocessing
        with bar("Reading pictures", arguments) as progress:
            data = load_classes(arguments.data, preprocessing, progress=progress)
        report = _measure(arguments, load_bundle(arguments.backbone), data)
    except (BundleError, DatasetError, EpisodeError, LearnerError) as error:
        raise UsageError(str(error)) from error
    for problem in data.problems:
        warn(f"left out {problem}")
    if arguments.json:
        say_json(report)
    else:
        say(_in_words(report))
    return 0


def _measure(arguments: argparse.Namespace, bundle: Bundle, data: ClassImages) -> dict[str, Any]:
    import torch  # noqa: PLC0415 - torch takes seconds to import

    from fewshot_gui.core.evaluation.episodic import evaluate_episodes  # noqa: PLC0415
    from fewshot_gui.core.learners.catalogue import make_learner  # noqa: PLC0415

    learner = make_learner(
        arguments.learner, default_temperature=bundle.temperature, default_novelty=bundle.novelty
    )
    embeddings = torch.from_numpy(_embed(arguments, bundle, data))
    with bar("Episodes", arguments) as progress:
        report = evaluate_episodes(
            embeddings,
            torch.from_numpy(data.labels),
            learner,
            ways=arguments.ways,
            shots=arguments.shots,
            queries=arguments.queries,
            episodes=arguments.episodes,
            seed=arguments.seed,
            backbone=bundle.name,
            names=data.names,
            progress=lambda share: progress(round(share * arguments.episodes), arguments.episodes),
        )
    return {**asdict(report), "pictures": len(data.images), "classes": len(data.names)}


def _embed(arguments: argparse.Namespace, bundle: Bundle, data: ClassImages) -> NDArray[Any]:
    import numpy as np  # noqa: PLC0415

    device = told_device(arguments.device)
    parts = []
    with bar("Embedding", arguments) as progress:
        for start in range(0, len(data.images), BATCH):
            parts.append(bundle.embed(data.images[start : start + BATCH], device))
            progress(start + len(parts[-1]), len(data.images))
    return np.concatenate(parts)


def _in_words(report: dict[str, Any]) -> str:
    # A single episode has no interval.
    interval = f"± {report['ci95']:.2%} " if math.isfinite(report["ci95"]) else ""
    task = f"{report['ways']}-way {report['shots']}-shot, {report['episodes']} episodes"
    return (
        f"{report['learner']} on {report['backbone']}: {report['accuracy']:.2%} {interval}"
        f"({task} of {report['classes']} classes), calibration error {report['ece']:.3f}, "
        f"{report['ms_per_task']:.1f} ms a task"
    )
