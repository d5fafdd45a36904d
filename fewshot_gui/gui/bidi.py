"""Names that are written from right to left, within what is written from left to right."""

from __future__ import annotations

import unicodedata
from typing import Final

_FROM_THE_RIGHT: Final = frozenset({"R", "AL"})
_BEGIN, _END = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


def isolated(name: str) -> str:
    """Return a name that turns around nothing that stands beside it, as "3" or "67 %" would be.

    A name without a letter of a script from the right comes back as it is.
    """
    if any(unicodedata.bidirectional(letter) in _FROM_THE_RIGHT for letter in name):
        return f"{_BEGIN}{name}{_END}"
    return name
