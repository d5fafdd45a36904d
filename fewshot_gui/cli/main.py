"""The command line: one parser, one thin file a subcommand, one place for errors."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from typing import TYPE_CHECKING, NoReturn

from fewshot_gui.cli.output import BAD_USE, DONE, INTERRUPTED, SOME_FAILED, UsageError, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "classify": "label a folder of pictures from folders of examples",
    "export": "write what examples teach as an ONNX model for other programs",
    "sort": "put pictures into the folders of their categories; plan, apply, take back",
    "train": "meta-train a backbone by a recipe",
    "evaluate": "measure a learner and a backbone on episodes",
    "models": "list, describe, download, add and remove backbones",
    "bench": "the speed table of this machine",
    "doctor": "what is installed, which device, which camera",
}


EPILOG = """\
the window:
  fewshot-gui [SESSION]             open a session; the last one by default
  fewshot-gui --sample              open the sample
  fewshot-gui --report FILE.png     no window: run the sample, save a picture

exit codes: 0 done, 1 some inputs failed (they are listed), 2 bad use, 130 interrupted
fewshot-gui COMMAND --help says more."""


class _Parser(argparse.ArgumentParser):
    """A parser whose error is one line that says what to do, as every other error is."""

    def error(self, message: str) -> NoReturn:
        """End the program with that line and the exit code of bad use."""
        warn(f"{self.prog}: {message}; {self.prog} --help says more")
        raise SystemExit(BAD_USE)


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser; only the named command's module is imported, so that help is instant."""
    parser = _Parser(
        prog="fewshot-gui",
        description="Sort pictures and classify a camera from a handful of examples. "
        "With no command, or with a session file alone, the window opens.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if name == command:
            # Imported here, so that Ctrl+C is heard of: it takes a good part of a second.
            from fewshot_gui.cli.options import add_common_arguments  # noqa: PLC0415

            add_common_arguments(sub, default=False)
            module = importlib.import_module(f"fewshot_gui.cli.{name}")
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Return the exit code of one command: 0 done, 1 some inputs failed, 2 bad use, 130 interrupted."""
    try:
        command = next((each for each in arguments if each in COMMANDS), None)
        return _run(build_parser(command).parse_args(arguments))
    except KeyboardInterrupt:
        warn("interrupted")
        return INTERRUPTED


def _run(parsed: argparse.Namespace) -> int:
    named = " ".join(["fewshot-gui", parsed.command, *filter(None, [getattr(parsed, "action", None)])])
    try:
        return int(parsed.run(parsed))
    except UsageError as error:
        if parsed.debug:
            traceback.print_exc()
        warn(f"{named}: {error}")
        return BAD_USE
    except BrokenPipeError:
        # Whoever read our output has seen enough, as `head` has; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        # The last place before the terminal: one line that says what to do, whatever it was.
        if parsed.debug:
            raise
        warn(f"{named}: unexpected: {error!r}; --debug shows where, please report it")
        return SOME_FAILED
