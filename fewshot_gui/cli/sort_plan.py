"""`fewshot-gui sort plan` and the dry run of `apply`: what would go where, and why something stays."""

from __future__ import annotations

import math
import os
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fewshot_gui.cli.output import DONE, SOME_FAILED, UsageError, counted, file_words, say, say_json, warn
from fewshot_gui.cli.own_files import require_new
from fewshot_gui.cli.sort_words import conflict_words, count_words, place_words, size_words
from fewshot_gui.core.backbones.bundle_info import bundle_of, describe_bundle
from fewshot_gui.engine.exports.csv_table import TableError, read_csv
from fewshot_gui.engine.publish import new_file
from fewshot_gui.engine.sorting.names import safe_folder_name
from fewshot_gui.engine.sorting.plan import ConflictKind, Decided, Machine, Plan, PlanError, SameName, Way
from fewshot_gui.engine.sorting.planning import make_plan
from fewshot_gui.engine.sorting.survey import survey
from fewshot_gui.engine.sorting.table import category_counts, conflict_counts, left_out, rows

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from fewshot_gui.engine.exports.labelled import Labelled
    from fewshot_gui.engine.sorting.plan import DecidedBy
    from fewshot_gui.engine.sorting.table import Row

_EXAMPLE: DecidedBy = "example"
_MACHINE: DecidedBy = "machine"
_NONE = "none of these"


def plan(arguments: argparse.Namespace) -> int:
    """Return the exit code after telling the plan, and writing it where that was asked for."""
    _check(arguments)
    decided, unsure, unread = _from_table(arguments) if arguments.labels else _from_examples(arguments)
    decided, trash = _to_trash(arguments, decided)
    found = survey(decided, arguments.to)
    made = make_plan(
        decided,
        found,
        way=arguments.way,
        same_name=arguments.same_name or SameName.RENAME,
        identity=uuid.uuid4().hex,
        trash=trash,
    )
    if arguments.out is not None:
        _write(arguments.out, made)
    _tell(arguments, made, unread, unsure)
    unusable = any(each.kind is ConflictKind.DESTINATION for each in made.conflicts)
    return SOME_FAILED if unusable or unread else DONE


def dry_run(arguments: argparse.Namespace) -> int:
    """Return the exit code after telling what the plan would do now; nothing is written, not even a log."""
    former = read_plan(arguments.plan)
    decided = [
        Decided(
            each.source,
            each.category,
            each.by,
            each.probability,
            each.picture,
            each.size,
            each.mtime_ns,
            each.at,
            each.machine,
        )
        for each in former.files
        if not each.is_companion
    ]
    made = make_plan(
        decided,
        survey(decided, former.root),
        way=former.way,
        same_name=arguments.same_name or SameName.RENAME,
        identity=former.id,
        trash={each.category for each in former.files if each.way is Way.TRASH},
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
    except OSError as error:
        raise UsageError(file_words(error)) from error
    except (PlanError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error


def _check(arguments: argparse.Namespace) -> None:
    if bool(arguments.labels) == bool(arguments.support or arguments.query):
        raise UsageError("give either --labels FILE.csv, or --support DIR and --query DIR")
    if not arguments.labels and not (arguments.support and arguments.query):
        raise UsageError("--support and --query belong together")
    if arguments.way is Way.SIDECAR and (arguments.trash or arguments.trash_none):
        raise UsageError("--way sidecar leaves every file where it is; nothing goes to the trash with it")
    if not 0 <= arguments.sure <= 1:
        raise UsageError("--sure lies between 0 and 1")
    if arguments.out is not None:
        require_new("--out", arguments.out)


def _from_table(arguments: argparse.Namespace) -> tuple[list[Decided], int, int]:
    """Return what the table decides, how many it leaves open, and that it could be read."""
    table: Path = arguments.labels
    try:
        labelled = read_csv(table)
    except (TableError, OSError) as error:
        raise UsageError(file_words(error)) from error
    decided = [
        Decided(
            _place(each.path, table.parent),
            each.category,
            each.said_by.value,
            each.probability,
            at=each.at,
            machine=Machine(each.learner, each.backbone, each.weights),
        )
        for each in labelled
        if _goes(arguments, each)
    ]
    return decided, len(labelled) - len(decided), 0


def _goes(arguments: argparse.Namespace, each: Labelled) -> bool:
    if not each.category and not arguments.trash_none:
        return False
    # How sure the machine is that a picture is none of these, the table does not say.
    least = arguments.sure if each.category or not arguments.sure else math.inf
    return each.said_by.by_person or _sure(each.probability, least)


def _to_trash(arguments: argparse.Namespace, decided: list[Decided]) -> tuple[list[Decided], set[str]]:
    """Return what was decided, with a name for none of these, and the categories that go to the trash."""
    trash, there = set(arguments.trash), {each.category for each in decided}
    for name in sorted(trash - there):
        warn(f"--trash {name}: no picture belongs to it")
    if "" not in there:
        return decided, trash
    none = safe_folder_name(_NONE, there | trash)  # no category's name, else that one would go too
    return [each if each.category else replace(each, category=none) for each in decided], {*trash, none}


def _sure(probability: float | None, least: float) -> bool:
    return least == 0 or (probability is not None and probability >= least)


def _place(path: str, folder: Path) -> str:
    """Return where the picture is: seen from the table, or from here, as `classify` wrote it."""
    if os.path.lexists(path) or os.path.splitdrive(path)[0] != os.path.splitdrive(folder)[0]:
        return path  # on Windows nothing leads from one drive to another
    here = os.path.relpath(path, folder)
    return here if os.path.lexists(here) else path


def _from_examples(arguments: argparse.Namespace) -> tuple[list[Decided], int, int]:
    """Return what the examples decide, how many they leave open, and how many could not be read."""
    from fewshot_gui.cli.classify import label_pictures  # noqa: PLC0415 - it takes what a table does not

    labelled = label_pictures(arguments)
    table, query = labelled.table, labelled.query
    for problem in labelled.problems:
        warn(f"{problem.path}: {problem.detail}")
    bundle = bundle_of(arguments.backbone)
    learner = labelled.choice.learner if labelled.choice else arguments.learner
    machine = Machine(learner, bundle, describe_bundle(bundle).hash)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    decided = []
    for row, (file, identity) in enumerate(zip(query.files, query.ids, strict=True)):
        label, probability = table.label(row), table.probability(row)
        taught = bool(table.taught[row] >= 0)
        none = label < 0 and arguments.trash_none and not arguments.sure
        if none or (label >= 0 and (taught or probability >= arguments.sure)):
            name, by = "" if none else table.classes[label], _EXAMPLE if taught else _MACHINE
            at = "" if taught else now  # when a picture was put among the examples, nobody noted
            facts = probability, identity, file.size, file.mtime_ns
            decided.append(Decided(file.path, name, by, *facts, at, machine))
    return decided, len(query.files) - len(decided), len(labelled.unread)


def _write(path: Path, made: Plan) -> None:
    try:
        with new_file(path) as file:
            file.write(made.to_json())
    except OSError as error:
        raise UsageError(f"--out {path}: {error.strerror or error}") from error


def _tell(arguments: argparse.Namespace, made: Plan, unread: int = 0, unsure: int = 0) -> None:
    if arguments.json:
        say_json({**_values(made), "unsure": unsure, "problems": unread})
        return
    for row in rows(made):
        say(_line(row))
    say("")
    for count in category_counts(made):
        beside = f" and {counted(count.companions, 'file')} with them" if count.companions else ""
        place = "the trash" if count.trash else count.folder
        going = counted(count.pictures, "picture") + beside
        say(f"{count.category}: {going}, {size_words(count.size)}  {place}")
    for kind, number in conflict_counts(made).items():
        say(count_words(kind, number))
    if unsure:
        say(f"not in the plan, as none of these or less sure than --sure: {counted(unsure, 'picture')}")
    what = "to get a sidecar" if made.way is Way.SIDECAR else f"to go ({made.way})"
    thrown = sum(file.way is Way.TRASH for file in made.files)
    to_trash = f"{thrown} to the trash, " if thrown else ""
    going = counted(len(made.files) - thrown, "file")
    say(f"{going} {what}, {to_trash}{left_out(made)} to stay; nothing has been done yet")


def _line(row: Row) -> str:
    reasons = "; ".join(map(conflict_words, row.conflicts))
    if row.file is None:
        return f"{row.path}: {reasons}"
    return f"{row.path} -> {place_words(row.file)}" + (f"  ({reasons})" if reasons else "")


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
            | ({"trash": True} if each.trash else {})
            for each in category_counts(made)
        },
        "conflicts": _listed([(each.path, each.kind, each.detail) for each in made.conflicts]),
        "plan": _listed([(each.source, each.target) for each in made.files]),
    }


def _listed(values: Sequence[tuple[str, ...]]) -> list[list[str]]:
    return [list(each) for each in values]
