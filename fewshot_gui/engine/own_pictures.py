"""What this program wrote and may replace, and how its pictures are known again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROGRAM = "Few-shot Labeler"
"""The `Software` of our PNG files, by which they are known again."""
_HEAD = 1024  # bytes: a PNG's text stands before its pixels


def may_replace(path: Path, is_own: Callable[[Path], bool]) -> bool:
    """Return whether a result may be written there: the name is free, or of an empty file or one of ours.

    Args:
        path: of the result.
        is_own: whether a file was written by this program.
    """
    try:
        return not os.path.lexists(path) or (path.is_file() and (path.stat().st_size == 0 or is_own(path)))
    except OSError:
        return False


def is_own_picture(path: Path) -> bool:
    """Return whether a file is a PNG that this program drew.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return f"Software\0{PROGRAM}".encode() in file.read(_HEAD)
