"""Names of files as people type them."""

from __future__ import annotations


def with_suffix(chosen: str, suffix: str) -> str:
    """Return the path that was chosen, with the ending of its kind where that was left out; "" stays.

    Only the dialogs of some systems add it.
    """
    return chosen if not chosen or chosen.lower().endswith(suffix.lower()) else chosen + suffix
