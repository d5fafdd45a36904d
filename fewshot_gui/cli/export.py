"""`fewshot-gui export`: what folders of examples teach, as one model for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fewshot_gui.cli.choice_words import choice_line, choice_values
from fewshot_gui.cli.classify import check, fit, named_backbone, read_support, recipe_of, unread_of
from fewshot_gui.cli.options import add_classifier_arguments, told_device
from fewshot_gui.cli.output import DONE, SOME_FAILED, UsageError, counted, file_words, say, say_json, warn
from fewshot_gui.cli.own_files import require_own
from fewshot_gui.core.backbones.bundle_info import BundleError, describe_bundle
from fewshot_gui.core.backbones.catalogue import default_bundle, kind_of_bundle
from fewshot_gui.core.learners.catalogue import uses_head
from fewshot_gui.core.learners.facts import LearnerError, facts_of
from fewshot_gui.core.learners.reason import choice_of
from fewshot_gui.engine.fitting import make_learner
from fewshot_gui.engine.headless import MainLoop, open_library

if TYPE_CHECKING:
    import argparse

    from fewshot_gui.cli.classify import Embedded
    from fewshot_gui.core.images.problems import ImageProblem
    from fewshot_gui.core.learners.base import Classifier
    from fewshot_gui.engine.exports.model import Parity
    from fewshot_gui.engine.problems import Problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument(
        "--support", type=Path, required=True, metavar="DIR", help="a folder of examples a class"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE.onnx",
        help="the model; FILE.py, which uses it, is written beside it; both replace earlier ones, never "
        "other files",
    )
    add_classifier_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Return the exit code after writing the model: 1 where some examples could not be read."""
    from fewshot_gui.core.backbones.onnx_export import OnnxExportError  # noqa: PLC0415 - imports torch
    from fewshot_gui.core.learners.base import SupportError  # noqa: PLC0415 - imports torch
    from fewshot_gui.engine.exports.model import (  # noqa: PLC0415 - imports onnxruntime
        Examples,
        export_taught,
        is_own_model,
        is_own_program,
        program_of,
    )

    check(arguments, ("--support", arguments.support))
    if arguments.out.suffix != ".onnx":
        raise UsageError("--out must end in .onnx")
    require_own("--out", arguments.out, is_own_model)
    require_own("--out", program_of(arguments.out), is_own_program)
    arguments.device = told_device(arguments.device)
    try:
        if facts_of(arguments.learner).space != "embedding":
            raise UsageError(
                f"{arguments.learner} adapts the network itself and cannot be exported; name another"
            )
        support, classifier, problems = _taught(arguments)
        parity = export_taught(
            arguments.out,
            arguments.backbone,
            classifier,
            Examples([file.path for file in support.files], support.rows),
            learner=arguments.learner,
            threshold=arguments.threshold,
        )
    except OnnxExportError as error:
        raise UsageError(
            f"{arguments.learner} on {arguments.backbone} cannot be written as an ONNX model; name another "
            "learner, as ridge, prototypical or logistic"
        ) from error
    except (BundleError, LearnerError, SupportError, OSError) as error:
        raise UsageError(file_words(error)) from error
    _tell(arguments, program_of(arguments.out), classifier, parity, problems)
    return SOME_FAILED if problems else DONE


def _taught(arguments: argparse.Namespace) -> tuple[Embedded, Classifier, list[Problem]]:
    """Return the examples, what they teach, and what could not be read."""
    loop = MainLoop()
    named = arguments.backbone
    arguments.backbone = named_backbone(arguments)
    info = describe_bundle(arguments.backbone)
    if info.head and info.learner == arguments.learner and uses_head(arguments.learner):
        if named or facts_of(info.learner).needs_own_bundle:
            raise UsageError(
                f"the {info.learner} of {info.name} has weights of its own and cannot be written as an ONNX "
                f"model; name --backbone {default_bundle(kind_of_bundle(info))} and a learner as prototypical"
            )
        arguments.backbone = default_bundle(kind_of_bundle(info))
    with open_library(loop) as (library, problems):

        def note(problem: ImageProblem) -> None:
            problems.add(problem.path, problem.kind, problem.detail)

        support, labels, classes = read_support(arguments, library, loop, note)
        recipe = recipe_of(arguments)
        classifier = fit(recipe, make_learner(recipe, library), support, labels, classes)
    return support, classifier, unread_of(problems.entries)


def _tell(
    arguments: argparse.Namespace,
    program: Path,
    classifier: Classifier,
    parity: Parity,
    problems: list[Problem],
) -> None:
    for problem in problems:
        warn(f"{problem.path}: {problem.detail}")
    choice = choice_of(classifier)
    summary: dict[str, Any] = {
        "out": str(arguments.out),
        "program": str(program),
        "categories": list(classifier.classes),
        "compared": parity.pictures,
        "same": parity.same,
        "largest_difference": parity.largest_difference,
        "problems": len(problems),
        "chosen": choice_values(choice),
    }
    if arguments.json:
        say_json(summary)
        return
    size = arguments.out.stat().st_size / 1e6
    say(f"Wrote {arguments.out} ({size:.1f} MB) and {program}, which uses it:")
    say(f"    python {program} {arguments.out} PICTURE ...")
    if choice is not None:
        say(choice_line(choice))
    same, compared = parity.same, counted(parity.pictures, "picture")
    apart = f"probabilities differ by {parity.largest_difference:.4f} at most"
    say(f"On your examples it says the same as this program for {same} of {compared}; {apart}.")
