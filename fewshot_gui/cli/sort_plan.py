"""`fewshot-gui sort plan` and the dry run of `apply`: what would go where, and why something stays."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING, Any

from fewshot_gui.cli.output import DONE, SOME_FAILED, UsageError, say, say_json, warn
from fewshot_gui.engine.exports.csv_table import TableError, read_csv
from fewshot_gui.engine.publish import new_file
from fewshot_gui.engine.sorting.plan import ConflictKind, Decided, Plan, PlanError, Way
from fewshot_gui.engine.sorting.planning import make_plan
from fewshot_gui.engine.sorting.survey import survey
from fewshot_gui.engine.sorting.table import category_counts, conflict_counts, left_out, rows

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from fewshot_gui.engine.sorting.plan import DecidedBy
    from fewshot_gui.engine.sorting.table import Row

WORDS = {
    ConflictKind.SOURCE_MISSING: "is not there any more",
    ConflictKind.SOURCE_UNREADABLE: "cannot be read",
    ConflictKind.SOURCE_CHANGED: "was changed since it was judged",
    ConflictKind.SOURCE_FIXED: "lies in a folder that may not be changed",
    ConflictKind.LINK: "is a link; links stay",
    ConflictKind.NOT_A_FILE: "is not a file",
    ConflictKind.SAME_NAME: "stays: its name is taken by",
    ConflictKind.SAME_TARGET: "stays: another file goes to the same name",
    ConflictKind.RENAMED: "goes under another name, as its own is taken",
    ConflictKind.SAFE_NAME: "goes under a name that the disk takes",
    ConflictKind.SAFE_FOLDER: "gets a folder whose name every system takes",
    ConflictKind.FOLDER_CASE: "goes to the folder that is there already",
    ConflictKind.NAME_TOO_LONG: "stays: its name would be too long",
    ConflictKind.ALREADY_THERE: "is there already",
    ConflictKind.SORTED_ELSEWHERE: "stays: it lies in a category's folder already",
    ConflictKind.COMPANION_CLAIMED: "stays: it belongs to several",
    ConflictKind.GROUP_SPLIT: "goes elsewhere than the file of the same name",
    ConflictKind.GROUP_STAYS: "stays with the file that it belongs to",
    ConflictKind.NO_SPACE: "stays: the disk has not the room; bytes that are missing",
    ConflictKind.OTHER_DISK: "stays: no hard link leads to another disk",
    ConflictKind.NO_HARD_LINKS: "stays: the disk knows no hard links",
    ConflictKind.NO_SYMBOLIC_LINKS: "stays: the disk knows no symbolic links",
    ConflictKind.DESTINATION: "cannot be used",
}

_EXAMPLE: DecidedBy = "example"
_MACHINE: DecidedBy = "machine"


def plan(arguments: argparse.Namespace) -> int:
    """Return the exit code after telling the plan, and writing it where that was asked for."""
    _check(arguments)
    decided = _from_table(arguments) if arguments.labels else _from_examples(arguments)
    found = survey(decided, arguments.to)
    made = make_plan(
        decided, found, way=arguments.way, same_name=arguments.same_name, identity=uuid.uuid4().hex
    )
    if arguments.out is not None:
        _write(arguments.out, made)
    _tell(arguments, made)
    return SOME_FAILED if any(each.kind is ConflictKind.DESTINATION for each in made.conflicts) else DONE


def dry_run(arguments: argparse.Namespace) -> int:
    """Return the exit code after telling what the plan would do now; nothing is written, not even a log."""
    former = read_plan(arguments.plan)
    decided = [
        Decided(each.source, each.category, each.by, each.probability, each.picture, each.size, each.mtime_ns)
        for each in former.files
        if not each.is_companion
    ]
    made = make_plan(
        decided,
        survey(decided, former.root),
        way=former.way,
        same_name=arguments.same_name,
        identity=former.id,
    )
    _tell(arguments, made)
    return SOME_FAILED if left_out(made) else DONE


def read_plan(path: Path) -> Plan:
    """Return the plan of a file.

    Raises:
        UsageError: it cannot be read, or holds no plan.
    """
    try:
        return Plan.from_json(path.read_text(encoding="utf-8"))
    except (OSError, PlanError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error


def _check(arguments: argparse.Namespace) -> None:
    if bool(arguments.labels) == bool(arguments.support or arguments.query):
        raise UsageError("give either --labels FILE.csv, or --support DIR and --query DIR")
    if not arguments.labels and not (arguments.support and arguments.query):
        raise UsageError("--support and --query belong together")
    if not 0 <= arguments.sure <= 1:
        raise UsageError("--sure lies between 0 and 1")
    if arguments.out is not None and arguments.out.exists():
        raise UsageError(f"{arguments.out} is there already; choose another --out")
    if arguments.out is not None and not arguments.out.parent.is_dir():
        raise UsageError(f"the folder of --out {arguments.out} does not exist; make it first")


def _from_table(arguments: argparse.Namespace) -> list[Decided]:
    table: Path = arguments.labels
    try:
        labelled = read_csv(table)
    except (TableError, OSError) as error:
        raise UsageError(str(error)) from error
    return [
        Decided(_place(each.path, table.parent), each.category, each.said_by.value, each.probability)
        for each in labelled
        if each.category and (each.said_by.by_person or _sure(each.probability, arguments.sure))
    ]


def _sure(probability: float | None, least: float) -> bool:
    return least == 0 or (probability is not None and probability >= least)


def _place(path: str, folder: Path) -> str:
    """Return where the picture is: seen from the table, or from here, as `classify` wrote it."""
    here = os.path.relpath(path, folder)
    return here if not os.path.lexists(path) and os.path.lexists(here) else path


def _from_examples(arguments: argparse.Namespace) -> list[Decided]:
    from fewshot_gui.cli.classify import label_pictures  # noqa: PLC0415 - it takes what a table does not

    table, query, problems = label_pictures(arguments)
    for problem in problems:
        warn(f"{problem.path}: {problem.detail}")
    decided = []
    for row, (file, identity) in enumerate(zip(query.files, query.ids, strict=True)):
        label, probability = table.label(row), table.probability(row)
        taught = bool(table.taught[row] >= 0)
        if label >= 0 and (taught or probability >= arguments.sure):
            name, by = table.classes[label], _EXAMPLE if taught else _MACHINE
            decided.append(Decided(file.path, name, by, probability, identity, file.size, file.mtime_ns))
    return decided


def _write(path: Path, made: Plan) -> None:
    try:
        with new_file(path) as file:
            file.write(made.to_json())
    except OSError as error:
        raise UsageError(f"--out {path}: {error}") from error


def _tell(arguments: argparse.Namespace, made: Plan) -> None:
    if arguments.json:
        say_json(_values(made))
        return
    for row in rows(made):
        say(_line(row))
    say("")
    for count in category_counts(made):
        beside = f" and {count.companions} files that belong to them" if count.companions else ""
        say(f"{count.category}: {count.pictures} pictures{beside}, {_size(count.size)}  {count.folder}")
    for kind, number in conflict_counts(made).items():
        say(f"{number} times: {WORDS[kind]}")
    verb = "get a sidecar" if made.way is Way.SIDECAR else f"go ({made.way})"
    say(f"{len(made.files)} files {verb}, {left_out(made)} stay; nothing has been done yet")


def _line(row: Row) -> str:
    reasons = "; ".join(f"{WORDS[each.kind]} {each.detail}".rstrip() for each in row.conflicts)
    if row.file is None:
        return f"{_shown(row.path)}: {_shown(reasons)}"
    return _shown(f"{row.path} -> {row.file.target}" + (f"  ({reasons})" if reasons else ""))


def _shown(text: str) -> str:
    """Return a text that any terminal can print: bytes that are no Unicode as question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _size(number: int) -> str:
    size, unit = float(number), "bytes"
    for larger in ("KB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"


def _values(made: Plan) -> dict[str, Any]:
    return {
        "run": made.id,
        "root": made.root,
        "way": made.way,
        "files": len(made.files),
        "bytes": made.total_bytes,
        "left_out": left_out(made),
        "categories": {
            each.category: {"folder": each.folder, "pictures": each.pictures, "companions": each.companions}
            for each in category_counts(made)
        },
        "conflicts": _listed([(each.path, each.kind, each.detail) for each in made.conflicts]),
        "plan": _listed([(each.source, each.target) for each in made.files]),
    }


def _listed(values: Sequence[tuple[str, ...]]) -> list[list[str]]:
    return [list(each) for each in values]
