"""Where each of many equal cells lies in a window: arithmetic only, so that a million cells cost nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grid:
    """`count` cells in reading order, as many in a line as fit, stretched to fill the line exactly.

    All lengths are in logical pixels. A cell is at least `wanted` wide; what is left over in a line is
    shared by its cells, so that both edges of the grid stay straight at every window width. Under the
    square of a cell lie `caption` pixels of text.
    """

    count: int
    width: int
    wanted: int
    caption: int = 0
    gap: int = 8
    margin: int = 16

    @property
    def columns(self) -> int:
        """The number of cells in a line, at least one."""
        return max(1, (self.width - 2 * self.margin + self.gap) // (self.wanted + self.gap))

    @property
    def side(self) -> int:
        """The width of a cell, which is also the height of its square."""
        room = self.width - 2 * self.margin - (self.columns - 1) * self.gap
        return max(16, room // self.columns)

    @property
    def pitch(self) -> int:
        """The distance from the top of a line to the top of the next."""
        return self.side + self.caption + self.gap

    @property
    def lines(self) -> int:
        """The number of lines that hold all cells."""
        return -(-self.count // self.columns)

    @property
    def height(self) -> int:
        """The height of the whole grid with its margins; 0 without cells."""
        return self.lines * self.pitch - self.gap + 2 * self.margin if self.count else 0

    def rect(self, position: int) -> tuple[int, int, int, int]:
        """The (left, top, width, height) of the cell at `position`, from the top of the grid."""
        line, column = divmod(position, self.columns)
        room = self.width - 2 * self.margin + self.gap
        left = self.margin + column * room // self.columns
        return left, self.margin + line * self.pitch, self.side, self.side + self.caption

    def position_at(self, x: int, y: int) -> int | None:
        """The cell that holds the point, or None between the cells and outside the grid."""
        position = self.nearest(x, y)
        if position is None:
            return None
        left, top, width, height = self.rect(position)
        return position if left <= x < left + width and top <= y < top + height else None

    def nearest(self, x: int, y: int) -> int | None:
        """The cell in whose line and column the point lies, drawn to the edge; None without cells."""
        if not self.count:
            return None
        line = min(max(0, (y - self.margin) // self.pitch), self.lines - 1)
        room = self.width - 2 * self.margin + self.gap
        column = min(max(0, (x - self.margin) * self.columns // max(1, room)), self.columns - 1)
        return min(line * self.columns + column, self.count - 1)

    def between(self, top: int, bottom: int) -> range:
        """The cells whose lines touch the band from `top` to `bottom`, in reading order."""
        first = max(0, (top - self.margin) // self.pitch) * self.columns
        last = max(0, (bottom - self.margin) // self.pitch + 1) * self.columns
        return range(min(first, self.count), min(last, self.count))

    def spans(self, left: int, top: int, right: int, bottom: int) -> list[range]:
        """The cells that the rectangle touches, as one run of positions for each line."""
        room = self.width - 2 * self.margin + self.gap
        hit = [
            column
            for column in range(self.columns)
            if self.margin + column * room // self.columns <= right
            and self.margin + column * room // self.columns + self.side >= left
        ]
        if not hit:
            return []
        runs = []
        for start in self.between(top, bottom)[:: self.columns]:
            _, cell_top, _, cell_height = self.rect(start)
            if cell_top <= bottom and cell_top + cell_height >= top and start + hit[0] < self.count:
                runs.append(range(start + hit[0], min(start + hit[-1] + 1, self.count)))
        return runs
