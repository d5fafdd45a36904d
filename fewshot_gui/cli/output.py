"""What a command says: results on standard output, progress and problems on standard error."""

from __future__ import annotations

import contextlib
import json
import math
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

DONE, SOME_FAILED, BAD_USE, INTERRUPTED = 0, 1, 2, 130


class UsageError(Exception):
    """A command that cannot be done as it was asked for; its sentence says what to do."""


def say(text: str) -> None:
    """Print a result to standard output; what that cannot write, as a name that is no Unicode, as "?".

    Raises:
        UsageError: it leads to a file on a full disk.
        BrokenPipeError: nobody reads on.
    """
    if not sys.stdout:  # None where it is closed
        return
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print(text.encode(encoding, "replace").decode(encoding), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"the output cannot be written: {file_words(error)}") from error


def say_json(values: object) -> None:
    """Print a value to standard output as one line of valid JSON: what is no finite number is null."""
    say(json.dumps(_valid(values), allow_nan=False))


def _valid(value: object) -> object:
    """Return the value with None for each infinity and each not-a-number in it; JSON has neither."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _valid(inner) for key, inner in value.items()}
    return [_valid(inner) for inner in value] if isinstance(value, list | tuple) else value


def counted(number: int, noun: str) -> str:
    """Return a number with its noun in English: "1 picture", "2 pictures", "0 classes", "3 categories"."""
    if number == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number} {plural}"


def file_words(error: Exception) -> str:
    """Return an error's sentence; of the system's, which file and what: "a.csv: No space left on device"."""
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror


def warn(text: str) -> None:
    """Print a problem to standard error."""
    if sys.stderr:  # None where it is closed, and print would take standard output
        print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def bar(title: str, arguments: argparse.Namespace) -> Iterator[Callable[[int, int], None]]:
    """Yield a call that shows how many of how many are done: a bar, on a terminal alone."""
    if arguments.json or not sys.stderr or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from tqdm import tqdm  # noqa: PLC0415 - only long commands on a terminal need it

    with tqdm(desc=title, unit="", dynamic_ncols=True, delay=1) as shown:

        def progress(done: int, total: int) -> None:
            shown.total = total
            shown.update(done - shown.n)

        yield progress
