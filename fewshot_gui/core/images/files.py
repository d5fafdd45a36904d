"""A picture file as bytes, read once for its identity and its pixels."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from fewshot_gui.core.images.problems import ImageProblem, ProblemKind, problem_from_os_error

MAX_BYTES = 2**31
"""The largest file that is read; 200 megapixels of uncompressed 16-bit RGB are 1.2e9 bytes."""


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a file, at least one byte.

    Raises:
        ImageProblem: the file is missing, a folder or a device, empty, too large or not readable.
    """
    name = os.fspath(path)
    try:
        _check(name, Path(name).stat())
        with Path(name).open("rb") as file:
            data = file.read()
    except OSError as error:
        raise problem_from_os_error(error, name) from error
    except ValueError as error:  # a name that no file system takes: it holds a zero byte
        raise ImageProblem(ProblemKind.MISSING, name, str(error)) from error
    except MemoryError as error:
        raise ImageProblem(ProblemKind.OUT_OF_MEMORY, name, "not enough memory to read the file") from error
    if not data:  # a file of /proc says that it holds nothing until it is read, and one may shrink meanwhile
        raise ImageProblem(ProblemKind.EMPTY, name, "the file is empty")
    return data


def _check(name: str, status: os.stat_result) -> None:
    """Refuse what would hang, be no picture or fill the memory, before it is opened."""
    if stat.S_ISDIR(status.st_mode):
        raise ImageProblem(ProblemKind.IS_A_FOLDER, name, "this is a folder")
    if not stat.S_ISREG(status.st_mode):  # opening a pipe waits for a writer for ever
        raise ImageProblem(ProblemKind.UNREADABLE, name, "this is a device or a pipe, no file")
    if status.st_size > MAX_BYTES:
        raise ImageProblem(
            ProblemKind.TOO_LARGE,
            name,
            f"{status.st_size:,} bytes are more than the {MAX_BYTES:,} that are read",
        )
