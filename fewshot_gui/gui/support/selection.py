"""Which of a row of numbered things are chosen, and which one the keyboard stands on."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen positions, counted from 0; `current` is -1 where the keyboard stands on none."""

    current: int = -1
    anchor: int = -1
    chosen: frozenset[int] = frozenset()

    def standing(self, position: int) -> Selection:
        """Return this selection with the keyboard on `position`, which is not chosen by that."""
        return replace(self, current=position)

    def only(self, position: int) -> Selection:
        """Return the selection of `position` alone."""
        return Selection(position, position, frozenset({position}))

    def toggled(self, position: int) -> Selection:
        """Return the selection with `position` chosen if it was not, and the other way round."""
        return Selection(position, position, self.chosen ^ {position})

    def extended(self, position: int) -> Selection:
        """Return the selection of everything between the anchor and `position`."""
        start = self.anchor if self.anchor >= 0 else position
        low, high = sorted((start, position))
        return Selection(position, start, frozenset(range(low, high + 1)))

    def everything(self, count: int) -> Selection:
        """Return the selection of all of `count` things."""
        return Selection(self.current, 0, frozenset(range(count)))

    def nothing(self) -> Selection:
        """Return the selection of none, the keyboard where it was."""
        return Selection(self.current)

    def moved(self, chosen: frozenset[int], count: int) -> Selection:
        """Return the selection of `chosen` after the things have become other `count` ones."""
        return Selection(min(self.current, count - 1), -1, chosen)
