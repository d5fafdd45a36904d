"""What a training leaves beside its bundle: a log of its steps, one of its validation, a curve."""

from __future__ import annotations

import contextlib
import csv
import math
from itertools import chain
from typing import TYPE_CHECKING, Any

from fewshot_gui.cli.output import UsageError
from fewshot_gui.cli.own_files import has_columns, require_own
from fewshot_gui.engine.own_pictures import is_own_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from fewshot_gui.core.training.checkpoint import Look
    from fewshot_gui.core.training.trainer import StepRecord

LOGGED_EVERY = 10
POINTS = 200  # of the curve: each the mean of its part of the training
STEP_COLUMNS = ("step", "stage", "loss", "accuracy", "learning_rate", "seconds")
LOOK_COLUMNS = ("step", "accuracy", "ci95")


def log_records(
    records: Iterable[StepRecord],
    out: Path,
    progress: Callable[[int], None],
    *,
    resume: bool,
    board: Any = None,
) -> StepRecord | None:
    """Write every tenth record to FILE.log.csv and every look to FILE.validation.csv; return the last record.

    Args:
        records: of a training.
        out: the bundle beside which the logs stand.
        progress: told of the updates done.
        resume: go on in the logs that are there, from the first record's step.
        board: TensorBoard's writer, or None.
    """
    records = iter(records)
    first = next(records, None)
    files = [(log_path(out), STEP_COLUMNS), (validation_path(out), LOOK_COLUMNS)]
    last = None
    with contextlib.ExitStack() as stack:
        writers = [
            stack.enter_context(_table(path, columns, first, resume=resume)) for path, columns in files
        ]
        for record in chain([] if first is None else [first], records):
            last = record
            if record.step % LOGGED_EVERY == 0:
                writers[0]([record.step, record.stage, f"{record.loss:.5f}", f"{record.accuracy:.4f}",
                            f"{record.learning_rate:.6f}", f"{record.seconds:.3f}"])  # fmt: skip
            if record.look is not None:
                writers[1]([record.step, f"{record.look.accuracy:.5f}", f"{record.look.ci95:.5f}"])
            _show(board, record)
            progress(record.step)
    return last


@contextlib.contextmanager
def _table(
    path: Path, columns: tuple[str, ...], first: StepRecord | None, *, resume: bool
) -> Iterator[Callable[[list[Any]], None]]:
    """Yield a call that writes one row, which is then in the file, whatever happens to the process."""
    if resume and first is not None:
        _cut(path, first.step)
    with path.open("a" if resume else "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if not file.tell():
            writer.writerow(columns)

        def write(row: list[Any]) -> None:
            writer.writerow(row)
            file.flush()

        yield write


def _cut(path: Path, step: int) -> None:
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


def require_own_files(out: Path, *, resume: bool, taught: bool = False) -> None:
    """Check that a training may write its bundle and what stands beside it.

    Args:
        out: the bundle.
        resume: go on from the checkpoint, beside which all is of the same training.
        taught: by a teacher, whose words are kept there too.

    Raises:
        UsageError: one of these files is somebody else's.
    """
    if not out.absolute().parent.exists():
        return  # it is made, with nothing in it
    from fewshot_gui.core.training.checkpoint import is_checkpoint  # noqa: PLC0415 - torch takes seconds
    from fewshot_gui.core.training.teacher import is_targets  # noqa: PLC0415 - the same

    checkpoint = out.with_suffix(".checkpoint")
    if resume and checkpoint.exists():
        return
    require_own("--out", checkpoint, is_checkpoint)
    require_own("--out", out, _is_bundle)
    require_own("--out", log_path(out), lambda path: has_columns(path, STEP_COLUMNS))
    require_own("--out", validation_path(out), lambda path: has_columns(path, LOOK_COLUMNS))
    require_own("--out", curve_path(out), is_own_picture)
    if taught:
        require_own("--out", targets_path(out), is_targets)


def _is_bundle(path: Path) -> bool:
    from fewshot_gui.core.backbones.bundle_info import BundleError, describe_bundle  # noqa: PLC0415 - cv2

    try:
        describe_bundle(path)
    except BundleError:
        return False
    return True


def targets_path(out: Path) -> Path:
    """Return where it stands what the teacher says."""
    return out.with_suffix(".teacher.npz")


def log_path(out: Path) -> Path:
    """Return where the log of the steps stands."""
    return out.with_suffix(".log.csv")


def validation_path(out: Path) -> Path:
    """Return where the log of the validation stands."""
    return out.with_suffix(".validation.csv")


def curve_path(out: Path) -> Path:
    """Return where the curve stands."""
    return out.with_suffix(".png")


def logged_seconds(out: Path) -> int:
    """Return what all updates took together, those before a resume included, from every tenth one."""
    return round(sum(LOGGED_EVERY * float(row["seconds"]) for row in _rows(log_path(out))))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@contextlib.contextmanager
def tensorboard(folder: Path | None) -> Iterator[Any]:
    """Yield TensorBoard's writer to a folder, None where no folder is given.

    Raises:
        UsageError: the package is not installed.
    """
    if folder is None:
        yield None
        return
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - an optional package
    except ImportError as error:
        raise UsageError("--tensorboard needs the package tensorboard: pip install tensorboard") from error
    with SummaryWriter(str(folder)) as writer:
        yield writer


def _show(board: Any, record: StepRecord) -> None:
    """Give TensorBoard what the two logs have."""
    if board is None:
        return
    if record.step % LOGGED_EVERY == 0:
        board.add_scalar("training/loss", record.loss, record.step)
        board.add_scalar("training/accuracy", record.accuracy, record.step)
        board.add_scalar("training/learning rate", record.learning_rate, record.step)
    if record.look is not None:
        board.add_scalar("validation/accuracy", record.look.accuracy, record.step)


def draw_curve(out: Path, title: str) -> Path:
    """Write the curve of a training as FILE.png, from its logs, and return its path.

    Loss and accuracy in training and, where there was validation, accuracy on its classes at the looks.
    """
    from fewshot_gui.cli.figures import save_curve  # noqa: PLC0415 - matplotlib takes a second to import

    path = curve_path(out)
    steps, series = curve(_rows(log_path(out)), _rows(validation_path(out)))
    save_curve(path, steps, series, title)
    return path


def curve(
    rows: list[dict[str, str]], looks: list[dict[str, str]]
) -> tuple[list[int], dict[str, list[float]]]:
    """Return steps, and loss and accuracy at each: in training over the stretch before it, and in validation.

    Args:
        rows: of the log of steps.
        looks: of the log of validation; without any, the training is cut into equal stretches.
    """
    ends = [int(look["step"]) for look in looks] or _even_ends([int(row["step"]) for row in rows])
    series = {"loss": _means(rows, ends, "loss"), "accuracy training": _means(rows, ends, "accuracy")}
    if looks:
        series["accuracy validation"] = [float(look["accuracy"]) for look in looks]
    return ends, series


def _means(rows: list[dict[str, str]], ends: list[int], column: str) -> list[float]:
    """Return the mean of a column over the stretch before each end; not a number where it has no row."""
    means, begin = [], 0
    for end in ends:
        within = [float(row[column]) for row in rows if begin < int(row["step"]) <= end]
        means.append(sum(within) / len(within) if within else math.nan)
        begin = end
    return means


def _even_ends(steps: list[int]) -> list[int]:
    stride = max(1, -(-len(steps) // POINTS))
    return steps[stride - 1 :: stride]


def validated(look: Look | None) -> dict[str, Any]:
    """Return what a summary says of the look whose weights were kept; nothing where there is none."""
    if look is None:
        return {}
    return {
        "validation_accuracy": look.accuracy,
        "validation_ci95": look.ci95,
        "validation_step": look.step,
    }
