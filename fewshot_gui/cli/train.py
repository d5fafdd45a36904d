"""`fewshot-gui train`: meta-train a backbone by a recipe and write it as a bundle."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fewshot_gui.cli.options import add_device_argument, told_device
from fewshot_gui.cli.output import (
    DONE,
    SOME_FAILED,
    UsageError,
    bar,
    counted,
    file_words,
    say,
    say_json,
    warn,
)
from fewshot_gui.cli.training_log import (
    draw_curve,
    log_records,
    logged_seconds,
    require_own_files,
    targets_path,
    tensorboard,
    validated,
)
from fewshot_gui.core.training.recipe import GRADIENT_LEARNERS, HEAD_LEARNERS

if TYPE_CHECKING:
    import argparse

    import numpy as np
    from numpy.typing import NDArray

    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.training.group import Group
    from fewshot_gui.core.training.recipe import Recipe
    from fewshot_gui.core.training.trainer import Trainer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument(
        "--learner",
        choices=[*HEAD_LEARNERS, *GRADIENT_LEARNERS],
        help="the method to train; alone it takes the recipe for it and for the kind of pictures in --data",
    )
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        metavar="DIR",
        help="class folders to train on; classes of the same name in several are one",
    )
    parser.add_argument(
        "--validation", type=Path, metavar="DIR", help="classes to validate on; else a share of --data"
    )
    parser.add_argument("--backbone", metavar="B", help="network kind, in place of the recipe's, as conv4")
    parser.add_argument(
        "--start", metavar="B", help="bundle to begin from, in place of the recipe's; or none"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE.safetensors",
        help="the bundle; it and what is written beside it replace an earlier training's, never other "
        "files; its folder is made where there is none",
    )
    parser.add_argument(
        "--teacher", metavar="T", help="whose embeddings to learn from: NAME.tflite, or a bundle"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--recipe", metavar="NAME", help="a recipe of this program, as photo or omniglot-maml")
    which.add_argument("--config", metavar="FILE", help="a recipe of your own, TOML")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint beside --out")
    add_device_argument(parser)
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads for torch; default all")
    parser.add_argument(
        "--workers", type=int, metavar="N", help="processes that make batches; default what pays here"
    )
    parser.add_argument(
        "--tensorboard", type=Path, metavar="DIR", help="also log for TensorBoard, where it is installed"
    )


def run(arguments: argparse.Namespace) -> int:
    """Return the exit code after training: 1 where some pictures could not be read."""
    import torch  # noqa: PLC0415 - torch takes seconds to import

    from fewshot_gui.core.backbones.bundle import BundleError  # noqa: PLC0415 - it imports cv2
    from fewshot_gui.core.backbones.networks import NetworkError  # noqa: PLC0415 - torch takes seconds
    from fewshot_gui.core.episodes.sampler import EpisodeError  # noqa: PLC0415 - torch takes seconds
    from fewshot_gui.core.training.checkpoint import CheckpointError  # noqa: PLC0415 - torch takes seconds
    from fewshot_gui.core.training.group import joined_group  # noqa: PLC0415 - torch takes seconds
    from fewshot_gui.core.training.recipe import RecipeError  # noqa: PLC0415 - beside the others
    from fewshot_gui.core.training.trainer import DivergedError  # noqa: PLC0415 - torch takes seconds

    _check_counts(arguments)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if arguments.out.suffix != ".safetensors":
        raise UsageError("--out must end in .safetensors")
    require_own_files(arguments.out, resume=arguments.resume, taught=bool(arguments.teacher))
    try:
        recipe = _recipe(arguments)
        with joined_group(os.environ, told_device(arguments.device)) as (group, device):
            data, validation, problems = _read(arguments, recipe, group)
            summary = _train(arguments, recipe, data, validation, group, device)
    except (
        RecipeError, NetworkError, EpisodeError, CheckpointError, BundleError, DivergedError, OSError,
    ) as error:  # fmt: skip
        raise UsageError(file_words(error)) from error
    if summary is not None:
        say_json({**summary, "problems": problems}) if arguments.json else say(_in_words(summary))
    # torchrun takes another code than 0 for a crash, ends the other processes, and may begin anew.
    return SOME_FAILED if problems and group.size == 1 else DONE


def _check_counts(arguments: argparse.Namespace) -> None:
    for option, number, least in (("--threads", arguments.threads, 1), ("--workers", arguments.workers, 0)):
        if number is not None and number < least:
            raise UsageError(f"{option} is {least} or more, not {number}")


def _recipe(arguments: argparse.Namespace) -> Recipe:
    """Return the recipe that is named, or the one for the learner, with what the arguments put in its place.

    Raises:
        RecipeError: there is none, or what is put in its place does not go with the rest.
    """
    from dataclasses import replace  # noqa: PLC0415

    from fewshot_gui.core.training.recipe import RecipeError, load_recipe, recipe_for  # noqa: PLC0415

    named = arguments.recipe or arguments.config
    if named is None and arguments.learner is None:
        raise UsageError("say what to train: --learner, or --recipe or --config")
    recipe = load_recipe(named) if named else recipe_for(arguments.learner, _channels(arguments.data[0]))
    if arguments.learner and arguments.learner != recipe.learner:
        recipe = replace(recipe, learner=arguments.learner, head={}, method={})
    if arguments.backbone and arguments.backbone != recipe.network["kind"]:
        recipe = replace(recipe, network={"kind": arguments.backbone}, start="")
    if arguments.start == "none":
        recipe = replace(recipe, start="", needs_start=False)
    elif arguments.start:
        recipe = replace(recipe, start=arguments.start)
    if recipe.problem():
        raise RecipeError(f"recipe {recipe.name}: {recipe.problem()}")
    _check_given(arguments, recipe)
    return recipe


def _check_given(arguments: argparse.Namespace, recipe: Recipe) -> None:
    """Check that what the recipe leaves to the arguments is there, and nothing that it has no use for.

    Raises:
        UsageError: it is not, or there is.
    """
    if recipe.needs_start and not recipe.start:
        anew = "" if recipe.is_frozen else ", or --start none for random weights"
        raise UsageError(
            f"recipe {recipe.name} goes on from a trained network; say which with --start, as a bundle that "
            f"--recipe mini-conv4 has written{anew}"
        )
    if arguments.teacher and not recipe.distils:
        raise UsageError(f"recipe {recipe.name} learns from no teacher; leave --teacher out")


def _channels(folder: Path) -> int:
    """Return 1 where the pictures under a folder are drawings, 3 where they are photos."""
    from fewshot_gui.core.images.kind import kind_of_files  # noqa: PLC0415 - cv2 takes a while
    from fewshot_gui.core.images.scan import class_folders  # noqa: PLC0415 - cv2 takes a while

    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; give one that holds a folder of pictures for each class")
    files = [str(file.path) for files in class_folders(folder).values() for file in files]
    return 1 if kind_of_files(files) == "drawing" else 3


def _read(
    arguments: argparse.Namespace, recipe: Recipe, group: Group
) -> tuple[ClassImages, ClassImages, int]:
    """Return the training classes, the validation classes, and how many pictures could not be read."""
    from fewshot_gui.core.episodes.dataset import DatasetError, load_classes, merged  # noqa: PLC0415
    from fewshot_gui.core.training.export import source_preprocessing  # noqa: PLC0415

    preprocessing = source_preprocessing(recipe)
    _check_apart(arguments.validation, arguments.data)
    try:
        with bar("Reading pictures", arguments) as progress:
            shown = progress if group.writes else None
            data = merged([load_classes(root, preprocessing, progress=shown) for root in arguments.data])
        validation = load_classes(arguments.validation, preprocessing) if arguments.validation else None
    except DatasetError as error:
        raise UsageError(file_words(error)) from error
    both = sorted(set(data.names) & set(validation.names)) if validation else []
    if both and group.writes:
        warn(f"{_listed(both)} in --data and in --validation: that accuracy says little of new classes")
    problems = [*data.problems, *(validation.problems if validation else ())]
    for problem in problems if group.writes else ():
        warn(f"left out {problem}")
    return *((data, validation) if validation else _held_out(arguments, recipe, data)), len(problems)


def _check_apart(validation: Path | None, data: list[Path]) -> None:
    """Check that no picture to validate on is trained on.

    Raises:
        UsageError: one folder is the other, or lies in it.
    """
    if validation is None:
        return
    own = validation.resolve()
    for root in data:
        other = root.resolve()
        if own.is_relative_to(other) or other.is_relative_to(own):
            raise UsageError(
                f"--validation {validation} and --data {root} have the same pictures; name folders that lie "
                "apart"
            )


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more are" if len(names) > 3 else f"{shown} are"


def _held_out(
    arguments: argparse.Namespace, recipe: Recipe, data: ClassImages
) -> tuple[ClassImages, ClassImages]:
    """Return the classes less some, evenly spread, and those."""
    rest, held_out = data.split(recipe.held_out)
    if len(rest.names) < 2:
        raise UsageError(
            f"{arguments.data[0]} has {counted(len(data.names), 'class')}; training needs four or more"
        )
    return rest, held_out


def _train(
    arguments: argparse.Namespace,
    recipe: Recipe,
    data: ClassImages,
    validation: ClassImages,
    group: Group,
    device: str,
) -> dict[str, Any] | None:
    """Return the summary of the training and its bundle; None in a process that does not write."""
    from fewshot_gui.core.training.trainer import Trainer  # noqa: PLC0415 - torch takes seconds to import

    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(
        recipe,
        data,
        device=device,
        validation=validation,
        taught=_taught(arguments, recipe, data, group),
        workers=arguments.workers,
        group=group,
    )
    records = trainer.run(arguments.out.with_suffix(".checkpoint"), resume=arguments.resume)
    if not group.writes:
        for _ in records:
            pass
        return None
    with bar("Training", arguments) as progress, tensorboard(arguments.tensorboard) as board:
        last = log_records(
            records,
            arguments.out,
            lambda step: progress(step, recipe.steps),
            resume=arguments.resume,
            board=board,
        )
    told = {"loss": last.loss, "train_accuracy": last.accuracy} if last else {}
    return {**told, **_export(arguments, trainer, data, validation)}


def _taught(
    arguments: argparse.Namespace, recipe: Recipe, data: ClassImages, group: Group
) -> NDArray[np.float16] | None:
    """Return what the teacher says of the pictures, kept beside the checkpoint; None without a teacher.

    Of several processes the one that writes asks, and the others read what it has kept; on a machine that
    does not see its folder they ask, too.
    """
    from fewshot_gui.core.training import teacher  # noqa: PLC0415 - few recipes need it

    if recipe.teacher is None or not recipe.distils:
        return None
    if not arguments.teacher:
        raise UsageError(f"recipe {recipe.name} learns from a teacher; say which with --teacher")
    dimension = int(recipe.network["embedding"])
    path = targets_path(arguments.out)
    key = teacher.targets_key(arguments.teacher, data.images, dimension, recipe.teacher)
    with group.one_first():
        targets = teacher.load_targets(path, key)
        if targets is None:
            with bar("Asking the teacher", arguments) as progress:
                embeddings = teacher.teacher_embeddings(
                    arguments.teacher, data.images, recipe.teacher, progress=progress
                )
            targets = teacher.taught_targets(embeddings, dimension, recipe.teacher)
            if group.writes:
                teacher.save_targets(path, key, targets)
    return targets


def _counts(data: ClassImages) -> str:
    return f"{counted(len(data.names), 'class')}, {counted(len(data.images), 'picture')}"


def _export(
    arguments: argparse.Namespace, trainer: Trainer, data: ClassImages, validation: ClassImages
) -> dict[str, Any]:
    from fewshot_gui.core.training.export import export_bundle  # noqa: PLC0415 - torch takes seconds

    recipe = trainer.recipe
    training = {
        "command": _command(),
        "data": f"{_counts(data)} of {_named(arguments.data)}",
        "validation": _counts(validation),
        "steps": recipe.steps,
        "seconds": logged_seconds(arguments.out),
        "device": trainer.device,
    }
    calibration = export_bundle(arguments.out, trainer, data, validation, training)
    return {
        "out": str(arguments.out),
        "learner": recipe.learner,
        "steps": recipe.steps,
        "temperature": calibration.temperature,
        "novelty": calibration.novelty,
        **validated(trainer.choose()),
        "curve": str(draw_curve(arguments.out, recipe.title)),
    }


def _named(roots: list[Path]) -> str:
    return ", ".join("/".join(root.parts[-2:]) for root in roots)


def _command() -> str:
    return shlex.join(["fewshot-gui", *sys.argv[1:]])


def _in_words(summary: dict[str, Any]) -> str:
    best = ""
    if "validation_accuracy" in summary:
        best = (
            f"; best on validation at step {summary['validation_step']}: "
            f"{summary['validation_accuracy']:.2%} ± {summary['validation_ci95']:.2%}"
        )
    return (
        f"Wrote {summary['out']} after {counted(summary['steps'], 'step')} "
        f"(temperature {summary['temperature']:.3g}{best})."
    )
