"""Where the tiles of a grid lie: pure arithmetic in pixels."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect

SIDE = 52
GAP = 6
_PITCH = SIDE + GAP
_BADGE = 18


@dataclass(frozen=True, slots=True)
class GridShape:
    """`tiles` squares in rows that are `width` pixels wide."""

    tiles: int
    width: int

    @property
    def columns(self) -> int:
        """The number of tiles in a full row, at least 1."""
        return max(1, (self.width + GAP) // _PITCH)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return -(-self.tiles // self.columns)

    @property
    def height(self) -> int:
        """The height of all rows in pixels."""
        return max(0, self.rows * _PITCH - GAP)

    def cell(self, position: int) -> QRect:
        """Return the rectangle of the tile at `position`."""
        row, column = divmod(position, self.columns)
        return QRect(column * _PITCH, row * _PITCH, SIDE, SIDE)

    def badge(self, position: int) -> QRect:
        """Return the rectangle of the round x in the corner of the tile at `position`."""
        cell = self.cell(position)
        return QRect(cell.right() - _BADGE - 1, cell.top() + 3, _BADGE, _BADGE)

    def warning(self, position: int) -> QRect:
        """Return the rectangle of the sign in the lower corner of the tile at `position`."""
        cell = self.cell(position)
        return QRect(cell.left() + 3, cell.bottom() - _BADGE - 1, _BADGE, _BADGE)

    def position_at(self, point: QPoint) -> int:
        """Return the position of the tile under `point`, -1 between the tiles and outside."""
        column, row = point.x() // _PITCH, point.y() // _PITCH
        position = row * self.columns + column
        inside = 0 <= column < self.columns and 0 <= position < self.tiles
        return position if inside and self.cell(position).contains(point) else -1

    def within(self, exposed: QRect) -> range:
        """Return the positions of the rows that `exposed` touches."""
        first = max(0, exposed.top() // _PITCH) * self.columns
        last = (exposed.bottom() // _PITCH + 1) * self.columns
        return range(first, min(last, self.tiles))
