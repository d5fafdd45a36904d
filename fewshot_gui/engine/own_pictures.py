"""Pictures that this program drew: they are known again, so that it never replaces another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = "Few-shot Labeler"
"""The `Software` of our PNG files, by which they are known again."""
_HEAD = 1024  # bytes: a PNG's text stands before its pixels


def is_own_picture(path: Path) -> bool:
    """Return whether a file is a PNG that this program drew.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return f"Software\0{PROGRAM}".encode() in file.read(_HEAD)
