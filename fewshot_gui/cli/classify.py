"""`fewshot-gui classify`: label a folder of pictures from folders of examples, as the window would."""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fewshot_gui.cli.choice_words import choice_line, choice_values
from fewshot_gui.cli.options import add_classifier_arguments, told_device
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
from fewshot_gui.cli.own_files import PROBLEM_COLUMNS, has_columns, is_label_table, require_own
from fewshot_gui.core.backbones.bundle_info import BundleError, describe_bundle, space_name
from fewshot_gui.core.backbones.catalogue import bundle_for
from fewshot_gui.core.backbones.fits import require_fit
from fewshot_gui.core.images.kind import kind_of_files
from fewshot_gui.core.images.scan import class_folders, scan_folder
from fewshot_gui.core.learners.facts import LearnerError, facts_of
from fewshot_gui.core.learners.reason import choice_of
from fewshot_gui.engine.fitting import Recipe, Watch, learn, make_learner
from fewshot_gui.engine.headless import MainLoop, open_library
from fewshot_gui.engine.label_table import LabelTable, write_labels
from fewshot_gui.engine.spreadsheet import MARK, harmless

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.core.images.problems import ImageProblem
    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.core.learners.base import Classifier, Learner, Prediction
    from fewshot_gui.core.learners.reason import Choice
    from fewshot_gui.engine.library import EmbeddedBatch, Library
    from fewshot_gui.engine.problems import Problem


@dataclass(frozen=True)
class Embedded:
    """The readable ones of some files.

    Attributes:
        files: in their former order.
        ids: what each holds, by content.
        rows: float32 (n, D), the embedding of each.
        places: int (n,), where each stood before the unreadable ones were left out.
    """

    files: list[PictureFile]
    ids: list[PictureId]
    rows: NDArray[np.float32]
    places: NDArray[np.int64]

    def at(self, wanted: Sequence[int]) -> Embedded:
        """Return those at the wanted indices, in their order."""
        chosen = [(self.files[index], self.ids[index]) for index in wanted]
        files, ids = [file for file, _id in chosen], [name for _file, name in chosen]
        return Embedded(files, ids, self.rows[wanted], self.places[wanted])


@dataclass(frozen=True)
class Labelled:
    """What came of a folder of pictures.

    Attributes:
        table: of the query pictures.
        query: these pictures, in its order.
        problems: what could not be read, the cache included.
        choice: which learner was chosen, and why; None where the person chose it.
    """

    table: LabelTable
    query: Embedded
    problems: Sequence[Problem]
    choice: Choice | None

    @property
    def unread(self) -> list[Problem]:
        """The inputs among them."""
        return unread_of(self.problems)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument(
        "--support", type=Path, required=True, metavar="DIR", help="a folder of examples a class"
    )
    parser.add_argument("--query", type=Path, required=True, metavar="DIR", help="the pictures to label")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE.csv",
        help="the table; replaces an earlier one, never another file",
    )
    add_classifier_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Return the exit code after writing the CSV: 1 where some pictures could not be read."""
    require_own("--out", arguments.out, is_label_table)
    require_own("--out", _listed(arguments.out), lambda path: has_columns(path, PROBLEM_COLUMNS))
    labelled = label_pictures(arguments)
    try:
        write_labels(arguments.out, labelled.table)
        return _finish(arguments, labelled)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"--out {arguments.out}: {error.strerror or error}") from error


def label_pictures(arguments: argparse.Namespace) -> Labelled:
    """Return the table of the query pictures, with what could not be read and who made it.

    Args:
        arguments: support, query, learner, backbone, device and threshold, as `add_arguments` has them.

    Raises:
        UsageError: something of it is not there, or does not go together.
    """
    from fewshot_gui.core.learners.base import SupportError  # noqa: PLC0415 - torch takes seconds to import

    check(arguments, ("--support", arguments.support), ("--query", arguments.query))
    arguments.device = told_device(arguments.device)
    loop = MainLoop()
    try:
        arguments.backbone = named_backbone(arguments)
        with open_library(loop) as (library, problems):

            def note(problem: ImageProblem) -> None:
                problems.add(problem.path, problem.kind, problem.detail)

            support, labels, classes = read_support(arguments, library, loop, note)
            files = list(scan_folder(arguments.query, on_problem=note))
            if not files:
                warn(f"{arguments.query} holds no pictures, so nothing is labelled")
            bundle, pictures = describe_bundle(arguments.backbone), len(files) + len(support.files)
            require_fit(arguments.learner, bundle, pictures=pictures)
            query = _embed(arguments, library, loop, files, "Reading pictures")
            # The lanes rest by now: what belongs to the model lane may run here.
            recipe = recipe_of(arguments)
            classifier = fit(recipe, make_learner(recipe, library), support, labels, classes)
            taught = dict(zip(support.ids, labels.tolist(), strict=True))
            table = _table(query, classes, *_predict(arguments, classifier, query), taught)
            return Labelled(table, query, problems.entries, choice_of(classifier))
    except (BundleError, LearnerError, SupportError, OSError) as error:
        raise UsageError(file_words(error)) from error


def unread_of(problems: Sequence[Problem]) -> list[Problem]:
    """Return those about inputs: without its cache a command is slower, but no picture has failed."""
    return [problem for problem in problems if not problem.kind.startswith("cache-")]


def check(arguments: argparse.Namespace, *folders: tuple[str, Path]) -> None:
    """Check that each folder, by the option that names it, is there, and where the threshold lies.

    Raises:
        UsageError: it is not.
    """
    for option, folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{option} {folder} is not a folder")
    if arguments.threshold is not None and not 0 <= arguments.threshold <= 1:
        raise UsageError("--threshold lies between 0 and 1")


def named_backbone(arguments: argparse.Namespace) -> str:
    """Return the bundle to use, in the space of the learner: the one named, or the shipped one that fits.

    Raises:
        LearnerError: there is no such learner, or it does not work on the bundle.
        BundleError: there is no such bundle.
    """
    facts, named = facts_of(arguments.learner), arguments.backbone
    if not named:
        examples = [file.path for files in class_folders(arguments.support).values() for file in files]
        named = bundle_for(arguments.learner, kind_of_files(examples))
    require_fit(arguments.learner, describe_bundle(named))
    return space_name(named, facts.space)


def recipe_of(arguments: argparse.Namespace) -> Recipe:
    """Return what the classifier is made by."""
    return Recipe(arguments.learner, arguments.backbone, arguments.device, ())


def read_support(
    arguments: argparse.Namespace, library: Library, loop: MainLoop, note: Callable[[ImageProblem], None]
) -> tuple[Embedded, NDArray[np.int64], tuple[str, ...]]:
    """Return the examples, the class index of each, and the classes.

    Raises:
        UsageError: there are no classes, or no example can be read.
    """
    folders = class_folders(arguments.support, on_problem=note)
    if not folders:
        raise UsageError(
            f"{arguments.support} holds no class folders: put the examples of each class into one"
        )
    files = [file for members in folders.values() for file in members]
    labels = np.repeat(np.arange(len(folders)), [len(members) for members in folders.values()])
    support = _embed(arguments, library, loop, files, "Reading examples")
    if not len(support.rows):
        raise UsageError(f"of {counted(len(files), 'example')} under {arguments.support} none can be read")
    # As in the window, a picture is one example of one class: the last that it is put into.
    once = support.at(sorted({name: index for index, name in enumerate(support.ids)}.values()))
    shared = len(set(zip(support.ids, labels[support.places].tolist(), strict=True))) - len(once.ids)
    if shared:
        warn(f"in more than one class, and counted in the last one alone: {counted(shared, 'example')}")
    for name in [name for place, name in enumerate(folders) if place not in labels[once.places]]:
        warn(f"{name}: no example of this class is left, so nothing is put there")
    return once, labels[once.places], tuple(folders)


def _embed(
    arguments: argparse.Namespace, library: Library, loop: MainLoop, files: Sequence[PictureFile], title: str
) -> Embedded:
    rows: dict[int, NDArray[np.float32]] = {}
    names: dict[int, PictureId] = {}
    ended: list[list[int] | Exception] = []
    with bar(title, arguments) as progress:

        def on_batch(batch: EmbeddedBatch) -> None:
            rows.update(zip(batch.positions, batch.embeddings, strict=True))
            names.update(zip(batch.positions, batch.ids, strict=True))
            progress(len(rows), len(files))

        library.embed_files(
            files, arguments.backbone, arguments.device, on_batch, on_done=ended.append, failed=ended.append
        )
        loop.run_until(lambda: bool(ended))
    if isinstance(ended[0], Exception):
        raise ended[0]
    places = sorted(rows)
    width = library.info(arguments.backbone).dimension
    matrix = np.stack([rows[place] for place in places]) if places else np.empty((0, width), np.float32)
    return Embedded(
        [files[place] for place in places],
        [names[place] for place in places],
        matrix,
        np.array(places, dtype=np.int64),
    )


def fit(
    recipe: Recipe,
    learner: Learner,
    support: Embedded,
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
) -> Classifier:
    """Return the classifier of the examples; only where the lanes rest."""
    import torch  # noqa: PLC0415 - torch takes seconds to import

    from fewshot_gui.core.learners.base import SupportSet  # noqa: PLC0415

    examples = SupportSet(torch.from_numpy(support.rows), torch.from_numpy(labels), classes)
    return learn(learner, examples, recipe, Watch())


def _predict(
    arguments: argparse.Namespace, classifier: Classifier, query: Embedded
) -> tuple[Prediction, NDArray[np.bool_]]:
    """Return the prediction of the query, and bool (Q,), which of it is none of these."""
    import torch  # noqa: PLC0415 - torch takes seconds to import

    from fewshot_gui.core.learners.calibration import threshold_at  # noqa: PLC0415

    prediction = classifier.predict(torch.from_numpy(query.rows))
    # What `novelty` would say, without computing all distances, or the whole network, twice.
    novelty = prediction.nearest_distance[:, 0].numpy()
    # What is no number is near nothing.
    return prediction, ~(novelty <= threshold_at(arguments.threshold, classifier))


def _table(
    query: Embedded,
    classes: tuple[str, ...],
    prediction: Prediction,
    rejected: NDArray[np.bool_],
    taught: dict[PictureId, int],
) -> LabelTable:
    """Return the table to write; the distances of a method that has none are empty."""
    probabilities = prediction.probabilities.numpy()
    distances = (
        np.full_like(probabilities, np.nan) if prediction.distances is None else prediction.distances.numpy()
    )
    told = np.array([taught.get(name, -1) for name in query.ids], dtype=np.int32)
    return LabelTable([file.path for file in query.files], classes, probabilities, distances, rejected, told)


def _finish(arguments: argparse.Namespace, labelled: Labelled) -> int:
    """Tell what came out and list what could not be read; return the exit code."""
    table, unread, choice = labelled.table, labelled.unread, labelled.choice
    for problem in labelled.problems:
        warn(f"{problem.path}: {problem.detail}")
    listed = _listed(arguments.out)
    _list_problems(listed, unread)
    summary: dict[str, Any] = {
        "out": str(arguments.out),
        "pictures": len(table.paths),
        "none_of_these": sum(table.label(row) < 0 for row in range(len(table.paths))),
        "problems": len(unread),
        "chosen": choice_values(choice),
    }
    if arguments.json:
        say_json(summary)
    else:
        none = summary["none_of_these"]
        say(f"{counted(len(table.paths), 'picture')} labelled, {none} of them none of these: {arguments.out}")
        if choice is not None and table.paths:
            say(choice_line(choice))
    if unread:
        warn(f"{counted(len(unread), 'file')} could not be read, as listed in {listed}")
    return SOME_FAILED if unread else DONE


def _listed(out: Path) -> Path:
    """Return where what could not be read is listed."""
    return out.with_name(f"{out.name}.problems.csv")


def _list_problems(path: Path, problems: Sequence[Problem]) -> None:
    """Write path and reason of what could not be read; without any, the list of an earlier run goes."""
    if not problems:
        path.unlink(missing_ok=True)
        return
    # As in the table itself: a name that is no valid Unicode is written as its bytes.
    with path.open("w", newline="", encoding="utf-8", errors=sys.getfilesystemencodeerrors()) as file:
        file.write(MARK)
        told = ((harmless(problem.path), problem.detail) for problem in problems)
        csv.writer(file).writerows([PROBLEM_COLUMNS, *told])
