"""Files that appear under their name complete or not at all."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def publish(temporary: Path, target: Path) -> None:
    """The finished file `temporary` bears the name `target`, durably; both lie in one folder.

    Raises:
        FileExistsError: There is something of that name; it and the temporary file are as they were.
        OSError: The folder cannot be written.
    """
    _sync(temporary)
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: hold the name with an empty file of our own
        target.open("xb").close()
        temporary.replace(target)
    else:
        temporary.unlink()
    if sys.platform != "win32":  # Windows neither needs nor allows it
        _sync(target.parent)


@contextmanager
def new_file(path: Path) -> Iterator[IO[str]]:
    """Give a UTF-8 text file to write, which appears at `path` whole or not at all, in place of nothing.

    Raises:
        FileExistsError: there is something of that name; it stays as it is.
        OSError: the folder cannot be written or the disk is full.
    """
    if os.path.lexists(path):
        raise FileExistsError(f"{path} is there already; choose another name")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        # A name that is no valid Unicode is written as the bytes that the file system knows it by.
        with partial.open("x", newline="", encoding="utf-8", errors="surrogateescape") as file:
            yield file
        publish(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a file to write beside `path`, which takes that name, and the place of what bore it, once whole.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
