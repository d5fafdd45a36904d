"""The command line: one parser, one thin file a subcommand, one place for errors."""

from __future__ import annotations

import argparse
import importlib
import traceback
from typing import TYPE_CHECKING

from fewshot_gui.cli.output import BAD_USE, INTERRUPTED, UsageError, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "classify": "label a folder of pictures from folders of examples",
    "train": "meta-train a backbone by a recipe",
    "evaluate": "measure a learner and a backbone on episodes",
    "models": "list and describe the backbones",
    "bench": "the speed table of this machine",
    "doctor": "what is installed, which device, which camera",
}


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser; only the named command's module is imported, so that help is instant."""
    parser = argparse.ArgumentParser(
        prog="fewshot-gui",
        description="Sort pictures and classify a camera from a handful of examples. "
        "With no command, or with a session file alone, the window opens.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if name == command:
            sub.add_argument("--json", action="store_true", help="print one JSON object, for machines")
            sub.add_argument("--debug", action="store_true", help="show the traceback of an error")
            module = importlib.import_module(f"fewshot_gui.cli.{name}")
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Return the exit code of one command: 0 done, 1 some inputs failed, 2 bad use, 130 interrupted."""
    parsed = build_parser(next((a for a in arguments if a in COMMANDS), None)).parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except KeyboardInterrupt:
        warn("interrupted")
        return INTERRUPTED
    except UsageError as error:
        if parsed.debug:
            traceback.print_exc()
        warn(f"fewshot-gui {parsed.command}: {error}")
        return BAD_USE
