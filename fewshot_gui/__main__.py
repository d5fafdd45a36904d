"""The one program: a subcommand for the terminal, or the window."""

from __future__ import annotations

import sys


def main() -> int:
    """Return the exit code of `fewshot-gui`; a first word that is a subcommand decides which half runs."""
    arguments = sys.argv[1:]
    if arguments and not _is_for_window(arguments):
        from fewshot_gui.cli.main import main as run_command  # noqa: PLC0415 - the window has no need of it

        return run_command(arguments)
    from fewshot_gui.gui.app import main as run_window  # noqa: PLC0415 - a command has no need of Qt

    return run_window(arguments)


def _is_for_window(arguments: list[str]) -> bool:
    """Return whether the arguments are a session to open or options of the window."""
    from fewshot_gui.cli.main import COMMANDS  # noqa: PLC0415 - keep start-up to what it needs

    return arguments[0] not in COMMANDS and arguments[0] not in {"-h", "--help"}


if __name__ == "__main__":
    sys.exit(main())
