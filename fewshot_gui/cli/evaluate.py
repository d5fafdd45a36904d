"""`fewshot-gui evaluate`: measure learners on episodes, each with its 95 % interval."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fewshot_gui.cli.choice_words import choices_line
from fewshot_gui.cli.options import (
    add_backbone_argument,
    add_device_argument,
    add_learner_argument,
    told_device,
)
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
from fewshot_gui.cli.own_files import require_own
from fewshot_gui.core.backbones.bundle_info import BundleError, describe_bundle, space_name
from fewshot_gui.core.backbones.catalogue import bundle_for
from fewshot_gui.core.backbones.fits import require_fit
from fewshot_gui.core.images.kind import kind_of_files
from fewshot_gui.core.images.scan import class_folders
from fewshot_gui.core.learners.facts import LearnerError, facts_of
from fewshot_gui.engine.devices import run_with_memory_fallback
from fewshot_gui.engine.own_pictures import is_own_picture
from fewshot_gui.engine.torch_threads import embedding_threads

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from torch import Tensor

    from fewshot_gui.core.backbones.bundle import Bundle
    from fewshot_gui.core.backbones.preprocessing import Preprocessing
    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.evaluation.episodic import Report, Rows
    from fewshot_gui.core.images.problems import ImageProblem

BATCH = 64
NUMBERS = (
    ("--ways", "N", 5, "classes of an episode"),
    ("--shots", "K", 1, "examples of each class"),
    ("--queries", "Q", 15, "pictures of each class to be classified"),
    ("--episodes", "E", 600, "how many are drawn"),
    ("--seed", "S", 0, "of the draw"),
)


@dataclass(frozen=True, slots=True)
class Contender:
    """A learner and the bundle to measure it on, by name or path."""

    learner: str
    bundle: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    which = parser.add_mutually_exclusive_group()
    add_learner_argument(which, "prototypical")
    add_backbone_argument(parser)
    which.add_argument(
        "--compare", metavar="L[@B],L[@B]...", help="several learners on the same episodes, in one table"
    )
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        metavar="DIR",
        help="class folders never trained on; with --held-out, those of the training in the same order",
    )
    parser.add_argument(
        "--held-out",
        type=float,
        metavar="SHARE",
        help="of --data only the classes that `train` with such a held_out has kept from training",
    )
    for option, letter, number, text in NUMBERS:
        parser.add_argument(
            option, type=int, default=number, metavar=letter, help=f"{text}; %(default)s by default"
        )
    parser.add_argument(
        "--picture",
        type=Path,
        metavar="FILE.png",
        help="also draw the table; replaces an earlier one, never another file",
    )
    add_device_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Return the exit code after measuring: 1 where a picture cannot be read, or a learner not learn."""
    from fewshot_gui.core.episodes.dataset import DatasetError  # noqa: PLC0415 - torch takes seconds
    from fewshot_gui.core.episodes.sampler import EpisodeError  # noqa: PLC0415

    _check(arguments)
    try:
        contenders = _contenders(arguments)
        arguments.device = told_device(arguments.device)
        materials = _Materials(arguments)
        reports, refused = _measure_all(arguments, contenders, materials)
    except (BundleError, DatasetError, EpisodeError, LearnerError, OSError) as error:
        raise UsageError(file_words(error)) from error
    for problem in materials.problems():
        warn(f"left out {problem}")
    for refusal in refused:
        warn(refusal)
    _tell(arguments, reports, refused, materials.counts())
    if reports and arguments.picture is not None:
        _draw(arguments.picture, reports)
    return SOME_FAILED if materials.problems() or refused else DONE


def _check(arguments: argparse.Namespace) -> None:
    if not 0 <= arguments.seed < 2**63:
        raise UsageError(f"--seed is a number from 0 up to 2**63 - 1, not {arguments.seed}")
    if arguments.held_out is not None and not 0 < arguments.held_out < 1:
        raise UsageError(f"--held-out is a share between 0 and 1, not {arguments.held_out:g}")
    if arguments.picture is not None:
        require_own("--picture", arguments.picture, is_own_picture)


def _measure_all(
    arguments: argparse.Namespace, contenders: Sequence[Contender], materials: _Materials
) -> tuple[list[Report], list[str]]:
    """Return what each contender reaches, and of those that cannot learn from such tasks a sentence why."""
    from fewshot_gui.core.learners.base import SupportError  # noqa: PLC0415 - torch takes seconds to import

    reports, refused = [], []
    for contender in contenders:
        try:
            reports.append(_measure(arguments, contender, materials))
        except SupportError as error:
            refused.append(f"{contender.learner} on {contender.bundle} is left out: {error}")
    return reports, refused


def _draw(path: Path, reports: Sequence[Report]) -> None:
    from fewshot_gui.cli.figures import save_comparison  # noqa: PLC0415 - a second to import

    try:
        save_comparison(path, reports)
    except OSError as error:
        raise UsageError(f"--picture {path}: {error.strerror or error}") from error


def _contenders(arguments: argparse.Namespace) -> list[Contender]:
    """Return who is to be measured, each on a bundle that it works on.

    Raises:
        LearnerError: there is no such learner, or it does not work on its bundle.
        BundleError: there is no such bundle.
    """
    named = arguments.compare.split(",") if arguments.compare else [arguments.learner]
    asked = [name.strip().partition("@") for name in named]
    kind = None
    found = []
    for learner, _, bundle in asked:
        facts_of(learner)
        wanted = bundle or arguments.backbone
        if not wanted:
            kind = kind or kind_of_files(_some_files(arguments.data[0]))
            wanted = bundle_for(learner, kind)
        require_fit(learner, describe_bundle(wanted))
        found.append(Contender(learner, wanted))
    return found


def _some_files(folder: Path) -> list[str]:
    """Return the paths of the pictures in class folders; none where there is no such folder, told later."""
    if not folder.is_dir():
        return []
    return [file.path for files in class_folders(folder).values() for file in files]


class _Materials:
    """The pictures, and what each bundle makes of them; each is read and embedded once."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._data: dict[Preprocessing, ClassImages] = {}
        self._bundles: dict[str, Bundle] = {}
        self._rows: dict[str, Rows] = {}

    def bundle(self, name: str) -> Bundle:
        """Return a loaded bundle."""
        from fewshot_gui.core.backbones.bundle import load_bundle  # noqa: PLC0415 - torch takes seconds

        if name not in self._bundles:
            self._bundles[name] = load_bundle(name)
        return self._bundles[name]

    def data(self, preprocessing: Preprocessing) -> ClassImages:
        """Return the pictures, prepared.

        Raises:
            DatasetError: there are none.
        """
        from fewshot_gui.core.episodes.dataset import (  # noqa: PLC0415 - torch takes seconds
            load_classes,
            merged,
        )

        if preprocessing not in self._data:
            with bar("Reading pictures", self._arguments) as progress:
                roots = self._arguments.data
                data = merged([load_classes(root, preprocessing, progress=progress) for root in roots])
            if self._arguments.held_out is not None:
                data = replace(data.split(self._arguments.held_out)[1], problems=data.problems)
            self._data[preprocessing] = data
        return self._data[preprocessing]

    def rows(self, name: str) -> Rows:
        """Return what tasks are drawn from: the embeddings (n, D), or the pixels as they are asked for."""
        if name not in self._rows:
            bundle = self.bundle(name)
            images = self.data(bundle.preprocessing).images
            lazy = _PixelRows(bundle, images)
            self._rows[name] = lazy if bundle.info.in_pixels else self._embedded(bundle, images)
        return self._rows[name]

    def _embedded(self, bundle: Bundle, images: Any) -> Tensor:
        import torch  # noqa: PLC0415 - torch takes seconds to import

        parts: list[Tensor] = []
        device: str = self._arguments.device

        def memory_is_full(other: str) -> None:
            nonlocal device
            device = other
            warn("the graphics card has too little memory free: the pictures are embedded on the processor")

        with bar("Embedding", self._arguments) as progress:
            for start in range(0, len(images), BATCH):
                batch = images[start : start + BATCH]
                embedded = run_with_memory_fallback(bundle.embed, batch, device, memory_is_full)
                parts.append(torch.from_numpy(embedded))
                progress(start + len(embedded), len(images))
        return torch.cat(parts)

    def problems(self) -> Sequence[ImageProblem]:
        """Return the files that could not be read; they are the same for every preprocessing."""
        return next(iter(self._data.values())).problems

    def counts(self) -> dict[str, int]:
        """Return how many pictures and classes there are, and how many files could not be read."""
        data = next(iter(self._data.values()))
        return {"pictures": len(data.images), "classes": len(data.names), "problems": len(data.problems)}


@dataclass(frozen=True, slots=True, eq=False)
class _PixelRows:
    """Rows of the pixels space, normalised when asked for: all of them would take four times the memory."""

    bundle: Bundle
    images: Any

    def __getitem__(self, index: Tensor) -> Tensor:
        """Return float (k, C * H * W), the pictures at int64 (k,)."""
        import torch  # noqa: PLC0415 - torch takes seconds to import

        return torch.from_numpy(self.bundle.embed(self.images[index.numpy()]))


def _measure(arguments: argparse.Namespace, contender: Contender, materials: _Materials) -> Report:
    import torch  # noqa: PLC0415 - torch takes seconds to import

    from fewshot_gui.core.evaluation.episodic import evaluate_episodes  # noqa: PLC0415
    from fewshot_gui.core.learners.catalogue import make_learner  # noqa: PLC0415

    space = facts_of(contender.learner).space
    name = space_name(contender.bundle, space)
    bundle = materials.bundle(name)
    data = materials.data(bundle.preprocessing)
    rows = materials.rows(name)
    learner = make_learner(contender.learner, bundle.context(arguments.device))
    # Matrices of a task are too small to share: on two busy cores two threads take a hundred times as long.
    threads = embedding_threads(1 if space == "embedding" else BATCH)
    with threads, bar(contender.learner, arguments) as progress:
        return evaluate_episodes(
            rows,
            torch.from_numpy(data.labels),
            learner,
            ways=arguments.ways,
            shots=arguments.shots,
            queries=arguments.queries,
            episodes=arguments.episodes,
            seed=arguments.seed,
            backbone=describe_bundle(contender.bundle).name,
            names=data.names,
            progress=lambda share: progress(round(share * arguments.episodes), arguments.episodes),
        )


def _tell(
    arguments: argparse.Namespace, reports: Sequence[Report], refused: Sequence[str], counts: dict[str, int]
) -> None:
    if arguments.json:
        values = [{**asdict(report), **counts} for report in reports]
        say_json({"reports": values, "refused": refused} if arguments.compare or refused else values[0])
        return
    if reports and arguments.compare:
        say(_table(reports, counts["classes"]))
    elif reports:
        say(_in_words(reports[0], counts["classes"]))
    for report in reports:
        if report.chosen and report.why:
            say(choices_line(report.chosen, report.why))


def _task(report: Report, classes: int) -> str:
    episodes = f"{counted(report.episodes, 'episode')} of {counted(classes, 'class')}"
    return f"{report.ways}-way {report.shots}-shot, {episodes}"


def _interval(report: Report) -> str:
    """Return the interval in words; a single episode has none."""
    return f"± {report.ci95:.2%}" if math.isfinite(report.ci95) else ""


def _in_words(report: Report, classes: int) -> str:
    interval = f"{_interval(report)} " if _interval(report) else ""
    return (
        f"{report.learner} on {report.backbone}: {report.accuracy:.2%} {interval}"
        f"({_task(report, classes)}), calibration error {report.ece:.3f}, "
        f"{report.ms_per_task:.1f} ms a task{', transductive' if report.transductive else ''}"
    )


def _table(reports: Sequence[Report], classes: int) -> str:
    """Return the reports as lines of columns under the task that they share."""
    head = ("learner", "backbone", "accuracy", "95 %", "ms a task", "calibration error", "")
    cells = [
        (
            report.learner, report.backbone, f"{report.accuracy:.2%}", _interval(report),
            f"{report.ms_per_task:.1f}", f"{report.ece:.3f}", "transductive" if report.transductive else "",
        )
        for report in reports
    ]  # fmt: skip
    widths = [max(len(row[column]) for row in (head, *cells)) for column in range(len(head))]
    lines = [
        "  ".join(
            text.ljust(width) if column in {0, 1, 6} else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *cells)
    ]
    return "\n".join([_task(reports[0], classes), "", *lines])
