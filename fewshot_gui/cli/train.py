"""`fewshot-gui train`: meta-train a backbone by a recipe and write it as a bundle."""

from __future__ import annotations

import csv
import shlex
import sys
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fewshot_gui.cli.options import add_device_argument, told_device
from fewshot_gui.cli.output import UsageError, bar, say, say_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.training.recipe import Recipe
    from fewshot_gui.core.training.trainer import StepRecord

HELD_OUT_SHARE = 0.1
LOGGED_EVERY = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument(
        "--learner", default="prototypical", choices=["prototypical"], help="whose loss episodes have"
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="class folders to train on")
    parser.add_argument(
        "--validation", type=Path, metavar="DIR", help="classes to calibrate on; else a tenth of --data"
    )
    parser.add_argument(
        "--backbone", metavar="B", help="network kind, in place of the recipe's: conv4 or resnet"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.safetensors")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--recipe", metavar="NAME", help="a recipe of this program: photo, omniglot-conv4")
    which.add_argument("--config", metavar="FILE", help="a recipe of your own, TOML")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint beside --out")
    add_device_argument(parser)
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads for torch; default all")


def run(arguments: argparse.Namespace) -> int:
    """Return the exit code after training, or after saying why not."""
    import torch  # noqa: PLC0415 - torch takes seconds to import

    from fewshot_gui.core.backbones.networks import NetworkError  # noqa: PLC0415
    from fewshot_gui.core.episodes.sampler import EpisodeError  # noqa: PLC0415
    from fewshot_gui.core.training.checkpoint import CheckpointError  # noqa: PLC0415
    from fewshot_gui.core.training.recipe import RecipeError  # noqa: PLC0415

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if arguments.out.suffix != ".safetensors":
        raise UsageError("--out must end in .safetensors")
    try:
        recipe = _recipe(arguments)
        data, validation = _read(arguments, recipe)
        summary = _train(arguments, recipe, data, validation)
    except (RecipeError, NetworkError, EpisodeError, CheckpointError, OSError) as error:
        raise UsageError(str(error)) from error
    if arguments.json:
        say_json(summary)
    else:
        say(_in_words(summary))
    return 0


def _recipe(arguments: argparse.Namespace) -> Recipe:
    from dataclasses import replace  # noqa: PLC0415

    from fewshot_gui.core.training.recipe import load_recipe  # noqa: PLC0415

    recipe = load_recipe(arguments.recipe or arguments.config)
    if arguments.backbone and arguments.backbone != recipe.network["kind"]:
        return replace(recipe, network={"kind": arguments.backbone})
    return recipe


def _read(arguments: argparse.Namespace, recipe: Recipe) -> tuple[ClassImages, ClassImages]:
    """Return the training classes and the validation classes."""
    from fewshot_gui.core.episodes.dataset import DatasetError, load_classes  # noqa: PLC0415
    from fewshot_gui.core.training.export import recipe_preprocessing  # noqa: PLC0415

    preprocessing = recipe_preprocessing(recipe)
    try:
        with bar("Reading pictures", arguments) as progress:
            data = load_classes(arguments.data, preprocessing, progress=progress)
        if arguments.validation:
            return data, load_classes(arguments.validation, preprocessing)
    except DatasetError as error:
        raise UsageError(str(error)) from error
    held = max(2, int(HELD_OUT_SHARE * len(data.names)))
    step = len(data.names) / held
    chosen = [int(i * step) for i in range(held)]
    rest = [i for i in range(len(data.names)) if i not in set(chosen)]
    if len(rest) < 2:
        raise UsageError(f"{arguments.data} has {len(data.names)} classes; training needs four or more")
    return data.subset(rest), data.subset(chosen)


def _train(
    arguments: argparse.Namespace, recipe: Recipe, data: ClassImages, validation: ClassImages
) -> dict[str, Any]:
    from fewshot_gui.core.training.export import export_bundle  # noqa: PLC0415
    from fewshot_gui.core.training.trainer import Trainer  # noqa: PLC0415

    checkpoint = arguments.out.with_suffix(".checkpoint")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(recipe, data, device=told_device(arguments.device), learner=arguments.learner)
    log = arguments.out.with_suffix(".log.csv")
    with bar("Training", arguments) as progress:
        records = trainer.run(checkpoint, resume=arguments.resume)
        last = _log(records, log, recipe.steps, progress, resume=arguments.resume)
    training = {
        "command": _command(),
        "data": f"{len(data.names)} classes, {len(data.images)} pictures of {arguments.data.name}",
        "validation": f"{len(validation.names)} classes, {len(validation.images)} pictures",
        "steps": recipe.steps,
        "seconds": _seconds(log),
        "device": trainer.device,
    }
    calibration = export_bundle(arguments.out, trainer, data, validation, training)
    return {
        "out": str(arguments.out),
        "steps": recipe.steps,
        "loss": last.loss if last else None,
        "train_accuracy": last.accuracy if last else None,
        "temperature": calibration.temperature,
        "novelty": calibration.novelty,
    }


def _log(
    records: Iterable[StepRecord], path: Path, total: int, progress: Any, *, resume: bool
) -> StepRecord | None:
    """Write every tenth record to a CSV file and return the last one."""
    last = None
    records = iter(records)
    first = next(records, None)
    if resume and first is not None:
        _cut_log(path, first.step)
    with path.open("a" if resume else "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if not file.tell():
            writer.writerow(["step", "stage", "loss", "accuracy", "learning_rate", "seconds"])
        for record in chain([] if first is None else [first], records):
            last = record
            if record.step % LOGGED_EVERY == 0:
                writer.writerow([record.step, record.stage, f"{record.loss:.5f}", f"{record.accuracy:.4f}",
                                 f"{record.learning_rate:.6f}", f"{record.seconds:.3f}"])  # fmt: skip
                file.flush()
            progress(record.step, total)
    return last


def _cut_log(path: Path, step: int) -> None:
    """Drop the lines of this step and later ones: what came after the checkpoint is done once more."""
    if not path.exists():
        return
    lines = path.read_bytes().decode().splitlines(keepends=True)
    done = [
        line for line in lines[1:] if line.partition(",")[0].isdigit() and int(line.partition(",")[0]) < step
    ]
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes("".join(lines[:1] + done).encode())
    partial.replace(path)


def _seconds(log: Path) -> int:
    """Return what all updates took together, those before a resume included, from every tenth one."""
    with log.open(newline="", encoding="utf-8") as file:
        return round(sum(LOGGED_EVERY * float(row["seconds"]) for row in csv.DictReader(file)))


def _command() -> str:
    return shlex.join(["fewshot-gui", *sys.argv[1:]])


def _in_words(summary: dict[str, Any]) -> str:
    return (
        f"Wrote {summary['out']} after {summary['steps']} steps (temperature {summary['temperature']:.3g})."
    )
