"""What a key that is pressed over the pictures means."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt

if TYPE_CHECKING:
    from collections.abc import Collection

    from PySide6.QtGui import QKeyEvent


class Answer(Enum):
    """What a person can say of pictures besides naming a category."""

    ACCEPT = auto()
    ACCEPT_LINE = auto()
    """Accept the whole line of tiles."""
    NONE_OF_THESE = auto()
    WITHDRAW = auto()


_BY_KEY: Final[dict[int, Answer]] = {
    Qt.Key.Key_Return: Answer.ACCEPT,
    Qt.Key.Key_Enter: Answer.ACCEPT,
    Qt.Key.Key_Backspace: Answer.WITHDRAW,
    Qt.Key.Key_Delete: Answer.WITHDRAW,
}
# 0 means this only while no category has it; the letters are the PROGRAM_LETTERS of engine/deciding/keys.
_BY_LETTER: Final = {"n": Answer.NONE_OF_THESE, "0": Answer.NONE_OF_THESE, "r": Answer.ACCEPT_LINE}


def is_plain(event: QKeyEvent) -> bool:
    """Return whether a key is pressed without a modifier, or with no other than its sign needs.

    On French, Belgian and Czech keyboards the digits above the letters are typed with Shift.
    """
    needed = Qt.KeyboardModifier.KeypadModifier
    if event.text().isdigit():
        needed |= Qt.KeyboardModifier.ShiftModifier
    return not event.modifiers() & ~needed


def meaning(event: QKeyEvent, shortcuts: Collection[str]) -> Answer | str | None:
    """Return the answer that a key means, the key of a category, or None.

    A key that a category's card shows means that category, even where the program has a use for it.
    """
    if not is_plain(event):
        return None
    text = event.text().casefold()
    if text in shortcuts:
        return text
    return _BY_KEY.get(event.key(), _BY_LETTER.get(text))
