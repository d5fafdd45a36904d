"""The one program: a subcommand for the terminal, or the window."""

from __future__ import annotations

import os
import sys

from fewshot_gui.engine.worker import lanes_at_work


def main() -> int:
    """Return the exit code of `fewshot-gui`, or end the process with it where a thread would hold it up."""
    code = _run(sys.argv[1:])
    if lanes_at_work():
        # All is on disk. Python's own way out waits until torch is loaded, or aborts ("terminate called
        # without an active exception") when the thread that loads it wakes up too late.
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # as on Windows without a console
                stream.flush()
        os._exit(code)
    return code


def _run(arguments: list[str]) -> int:
    """Return the exit code; a first word that is a subcommand decides which half of the program runs."""
    if arguments and not _is_for_window(arguments):
        from fewshot_gui.cli.main import main as run_command  # noqa: PLC0415 - the window has no need of it

        if arguments[0] in {"train", "evaluate"}:
            from fewshot_gui.core.training.kept_memory import keep_freed_memory  # noqa: PLC0415 - as above

            keep_freed_memory()
        return run_command(arguments)
    from fewshot_gui.gui.app import main as run_window  # noqa: PLC0415 - a command has no need of Qt

    return run_window(arguments)


def _is_for_window(arguments: list[str]) -> bool:
    """Return whether the arguments are a session to open or options of the window."""
    from fewshot_gui.cli.main import COMMANDS  # noqa: PLC0415 - keep start-up to what it needs

    first = arguments[0]
    if first.isalpha() and not os.path.exists(first):  # noqa: PTH110 - as it was typed
        return False  # a command, perhaps a misspelt one; a new session's file ends in .fewshot
    return first not in COMMANDS and first not in {"-h", "--help"}


if __name__ == "__main__":
    sys.exit(main())
