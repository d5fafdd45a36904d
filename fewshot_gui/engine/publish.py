"""Files that appear under their name complete or not at all, and never in place of another."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
