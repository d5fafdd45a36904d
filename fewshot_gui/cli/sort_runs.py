"""`fewshot-gui sort apply`, `undo`, `recover` and `receipt`: the runs that the journal knows."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fewshot_gui.cli.output import DONE, INTERRUPTED, SOME_FAILED, UsageError, bar, counted, say, say_json
from fewshot_gui.cli.own_files import require_new
from fewshot_gui.cli.sort_plan import read_plan
from fewshot_gui.cli.sort_words import REASONS, line_words
from fewshot_gui.engine.publish import new_file
from fewshot_gui.engine.sorting.apply import apply_plan
from fewshot_gui.engine.sorting.journal import Journal, JournalError, journal_path
from fewshot_gui.engine.sorting.receipt import receipt_of
from fewshot_gui.engine.sorting.recovery import RecoveryReport, recover
from fewshot_gui.engine.sorting.states import IN_DOUBT, FileState, Reason
from fewshot_gui.engine.sorting.transfer import Hooks
from fewshot_gui.engine.sorting.undo import take_back

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from fewshot_gui.engine.sorting.receipt import Receipt


def apply(arguments: argparse.Namespace) -> int:
    """Return the exit code after doing what a plan says; a second call does the rest."""
    plan = read_plan(arguments.plan)
    with _journal() as journal, _hooks("Sorting", arguments) as hooks:
        done = apply_plan(plan, journal, hooks, arguments.same_name)
    _tell(arguments, done)
    if done.stopped_by is Reason.CANCELLED:
        return INTERRUPTED
    return (
        DONE if done.stopped_by is None and not _states(done) & {FileState.FAILED, *IN_DOUBT} else SOME_FAILED
    )


def undo(arguments: argparse.Namespace) -> int:
    """Return the exit code after taking back a run or files of it."""
    # With --last the first word is a file, as no run is named.
    words = [arguments.run_id] if arguments.last and arguments.run_id else []
    with _known_journal() as journal, _hooks("Taking back", arguments) as hooks:
        run = _run(arguments, journal)
        files = _files(receipt_of(run, journal), [*words, *arguments.files])
        back = take_back(run, journal, files, hooks)
    _tell(arguments, back)
    if not _states(back, files) & {FileState.DONE, *IN_DOUBT}:
        return DONE
    return INTERRUPTED if hooks.cancelled() else SOME_FAILED


def recover_all(arguments: argparse.Namespace) -> int:
    """Return the exit code after settling what was in doubt; without a journal there is nothing to do."""
    if not journal_path().exists():
        _say(arguments, _recovered(RecoveryReport()), "nothing was sorted yet")
        return DONE
    with _journal() as journal:
        report = recover(journal)
    words = (
        f"{counted(report.finished, 'file')} finished, {report.put_back} put back, "
        f"{len(report.rolled_back)} taken back with their group, {report.left} still in doubt"
    )
    for run in report.resumable:
        words += f"\nrun {run} is not finished: apply its plan again, or undo it"
    _say(arguments, _recovered(report), words)
    return SOME_FAILED if report.left else DONE


def _recovered(report: RecoveryReport) -> dict[str, Any]:
    return {
        "finished": report.finished,
        "put_back": report.put_back,
        "left": report.left,
        "rolled_back": list(report.rolled_back),
        "resumable": list(report.resumable),
    }


def receipt(arguments: argparse.Namespace) -> int:
    """Return the exit code after telling what became of each file of a run."""
    if arguments.csv is not None:
        require_new("--csv", arguments.csv)
    with _known_journal() as journal:
        found = receipt_of(_run(arguments, journal), journal)
    if arguments.csv is not None:
        _write(arguments.csv, found.to_csv())
    if arguments.json:
        say(found.to_json())
        return DONE
    if arguments.csv is None:
        for line in found.lines:
            say(line_words(line))
    _summary(found)
    return DONE


@contextmanager
def _journal() -> Iterator[Journal]:
    try:
        with Journal() as journal:
            yield journal
    except JournalError as error:
        raise UsageError(str(error)) from error


@contextmanager
def _known_journal() -> Iterator[Journal]:
    """Yield the journal, of which none is made just to find it empty."""
    if not journal_path().exists():
        raise UsageError("nothing was sorted yet: there is no run")
    with _journal() as journal:
        yield journal


@contextmanager
def _hooks(title: str, arguments: argparse.Namespace) -> Iterator[Hooks]:
    """Yield hooks that show a bar, and that pause the run at Ctrl+C, between two files."""
    stop = threading.Event()
    former = signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        with bar(title, arguments) as progress:
            yield Hooks(lambda done, total, _bytes: progress(done, total), stop.is_set)
    finally:
        signal.signal(signal.SIGINT, former)


def _run(arguments: argparse.Namespace, journal: Journal) -> str:
    """Return the id of the run that is meant.

    Raises:
        UsageError: none is, or several are.
    """
    runs = [run.id for run in journal.runs()]
    if not runs:
        raise UsageError("nothing was sorted yet: there is no run")
    if arguments.last:
        return runs[0]
    if not arguments.run_id:
        raise UsageError("name a run, or say --last")
    meant = [run for run in runs if run.startswith(arguments.run_id)]
    if len(meant) != 1:
        raise UsageError(f"{len(meant)} runs begin with {arguments.run_id}; the newest is {runs[0]}")
    return meant[0]


def _files(found: Receipt, names: list[str]) -> list[int] | None:
    """Return the ids of the named files; None where none is named.

    Raises:
        UsageError: one of them is none of the run.
    """
    if not names:
        return None
    ids: dict[str, int] = {}
    for line in found.lines:
        ids[line.source] = ids[line.target] = line.id
    paths = [os.path.abspath(name) for name in names]  # noqa: PTH100 - as the plan wrote them
    unknown = [path for path in paths if path not in ids]
    if unknown:
        raise UsageError(f"{unknown[0]} is no file of run {found.run}")
    return [ids[path] for path in paths]


def _states(found: Receipt, files: list[int] | None = None) -> set[FileState]:
    """Return where the files stand, or some of them."""
    return {line.state for line in found.lines if files is None or line.id in files}


def _tell(arguments: argparse.Namespace, found: Receipt) -> None:
    """Tell what did not go, or did not come back, and how much did."""
    if arguments.json:
        say(found.to_json())
    else:
        for line in found.lines:
            if line.reason is not None:
                say(line_words(line))
        _summary(found)


def _summary(found: Receipt) -> None:
    counts = ", ".join(f"{number} {state}" for state, number in found.counts.items()) or "no files"
    counts += f", {found.trashed} of them in the trash" if found.trashed else ""
    stopped = f"; stopped: {REASONS[found.stopped_by]}" if found.stopped_by else ""
    say(f"run {found.run} ({found.way} to {found.root}) is {found.state}: {counts}{stopped}")


def _say(arguments: argparse.Namespace, values: dict[str, Any], words: str) -> None:
    if arguments.json:
        say_json(values)
    else:
        say(words)


def _write(path: Path, text: str) -> None:
    try:
        with new_file(path) as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"--csv {path}: {error.strerror or error}") from error
