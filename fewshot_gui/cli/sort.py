"""`fewshot-gui sort`: put pictures into the folders of their categories, and take it back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fewshot_gui.cli.options import add_action, add_classifier_arguments, add_common_arguments
from fewshot_gui.engine.sorting.plan import RUN_WAYS, SameName, Way

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="plan|apply|undo|recover|receipt")
    plan = add_action(actions, "plan", "what would go where; nothing is written but --out")
    apply = add_action(actions, "apply", "do what a plan says, or the rest of it")
    undo = add_action(actions, "undo", "take back a run, or single files of it")
    recover = add_action(actions, "recover", "put right what a crash has left half done")
    receipt = add_action(actions, "receipt", "what became of each file of a run")
    _add_plan(plan)
    apply.add_argument("plan", type=Path, metavar="PLAN.json", help="of `sort plan --out`")
    apply.add_argument(
        "--dry-run", action="store_true", help="plan it anew from what is there now; nothing is written"
    )
    _add_same_name(apply, " (default: as when the run was begun, or rename)")
    for action in (undo, receipt):
        action.add_argument("run_id", nargs="?", metavar="RUN", help="its id, or how it begins")
        action.add_argument("--last", action="store_true", help="the newest run")
    undo.add_argument("files", nargs="*", metavar="FILE", help="where they were or where they are now")
    receipt.add_argument("--csv", type=Path, metavar="FILE", help="write it as a table; a new file")
    for action in (plan, apply, undo, recover, receipt):
        add_common_arguments(action)


def _add_plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--labels", type=Path, metavar="FILE.csv", help="the table of `classify`")
    parser.add_argument("--support", type=Path, metavar="DIR", help="a folder of examples a class")
    parser.add_argument("--query", type=Path, metavar="DIR", help="the pictures to sort")
    parser.add_argument("--to", required=True, metavar="DIR", help="the folder of the category folders")
    parser.add_argument(
        "--way",
        type=Way,
        choices=RUN_WAYS,
        default=Way.COPY,
        metavar="|".join(RUN_WAYS),
        help="what is done to the files; copy by default",
    )
    parser.add_argument(
        "--trash",
        action="append",
        default=[],
        metavar="CATEGORY",
        help="its pictures go to the trash, a quarantine that undo brings them home from; may be repeated",
    )
    parser.add_argument("--trash-none", action="store_true", help="so do pictures that are none of these")
    _add_same_name(parser, " (default: rename)")
    parser.add_argument(
        "--sure", type=float, default=0.0, metavar="P", help="only what is at least so probable, 0 to 1"
    )
    parser.add_argument("--out", type=Path, metavar="PLAN.json", help="where to write the plan; a new file")
    add_classifier_arguments(parser)


def _add_same_name(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--same-name",
        type=SameName,
        choices=list(SameName),
        metavar="|".join(SameName),
        help=f"what becomes of a file whose name is taken; nothing is ever overwritten{default}",
    )


def run(arguments: argparse.Namespace) -> int:
    """Return the exit code: 1 where a file could not go or come back."""
    if arguments.action == "plan" or (arguments.action == "apply" and arguments.dry_run):
        from fewshot_gui.cli.sort_plan import dry_run, plan  # noqa: PLC0415 - help is instant

        return plan(arguments) if arguments.action == "plan" else dry_run(arguments)
    from fewshot_gui.cli import sort_runs  # noqa: PLC0415 - as above

    actions = {
        "apply": sort_runs.apply,
        "undo": sort_runs.undo,
        "recover": sort_runs.recover_all,
        "receipt": sort_runs.receipt,
    }
    return actions[arguments.action](arguments)
