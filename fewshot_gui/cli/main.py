"""The command line: one parser, one thin file a subcommand, one place for errors."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from typing import TYPE_CHECKING

from fewshot_gui.cli.options import add_common_arguments
from fewshot_gui.cli.output import BAD_USE, DONE, INTERRUPTED, SOME_FAILED, UsageError, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "classify": "label a folder of pictures from folders of examples",
    "sort": "put pictures into the folders of their categories; plan, apply, take back",
    "train": "meta-train a backbone by a recipe",
    "evaluate": "measure a learner and a backbone on episodes",
    "models": "list, describe, download, add and remove backbones",
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
            add_common_arguments(sub, default=False)
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
    except BrokenPipeError:
        # Whoever read our output has seen enough, as `head` has; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        # The last place before the terminal: one line that says what to do, whatever it was.
        if parsed.debug:
            raise
        warn(f"fewshot-gui {parsed.command}: unexpected: {error!r}; --debug shows where, please report it")
        return SOME_FAILED
