"""CSV that a spreadsheet opens without harm: no cell is run as a formula, and UTF-8 is known as such."""

from __future__ import annotations

from typing import Final

MARK: Final = "\ufeff"
"""Stands first in the file; without it Excel takes UTF-8 for the system's old code page."""
# A cell that begins so is a formula to Excel and LibreOffice: a file called "=cmd|..." would be run.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def harmless(cell: str) -> str:
    """Return the cell with an apostrophe before what a spreadsheet would run as a formula."""
    return f"'{cell}" if _is_formula(cell) else cell


def plain(cell: str) -> str:
    """Return the cell of which `harmless` made this one."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell) else cell


def _is_formula(cell: str) -> bool:
    # With apostrophes before it too, so that one which was there already comes back.
    return cell.lstrip("'").startswith(_FORMULA)
