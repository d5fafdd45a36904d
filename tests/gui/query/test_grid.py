"""The arithmetic of the grid, for any size."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.gui.query.grid import Grid

grids = st.builds(
    Grid,
    count=st.integers(1, 100_000),
    width=st.integers(60, 4_000),
    wanted=st.integers(40, 300),
    caption=st.integers(0, 60),
)


@given(grids, st.data())
def test_middle_of_every_cell_is_that_cell(grid: Grid, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, grid.count - 1))
    left, top, width, height = grid.rect(position)
    assert grid.position_at(left + width // 2, top + height // 2) == position
    assert grid.nearest(left + width // 2, top + height // 2) == position


@given(grids)
def test_cells_do_not_overlap_and_stay_inside(grid: Grid) -> None:
    rects = [grid.rect(position) for position in range(min(grid.count, grid.columns))]
    for (left, _, width, _), (following, _, _, _) in itertools.pairwise(rects):
        assert left + width <= following
    if grid.width >= grid.wanted + 2 * grid.margin:
        assert rects[-1][0] + grid.side <= grid.width - grid.margin


@given(grids)
def test_last_cell_ends_within_the_height(grid: Grid) -> None:
    _, top, _, height = grid.rect(grid.count - 1)
    assert top + height + grid.margin == grid.height


@given(grids, st.integers(0, 50_000), st.integers(1, 2_000))
def test_between_holds_every_cell_that_shows(grid: Grid, top: int, height: int) -> None:
    seen = grid.between(top, top + height)
    for position in (seen.start - 1, seen.stop):
        if 0 <= position < grid.count:
            _, cell_top, _, cell_height = grid.rect(position)
            assert cell_top >= top + height or cell_top + cell_height + grid.gap <= top + grid.gap


def test_between_the_cells_there_is_none() -> None:
    grid = Grid(count=10, width=400, wanted=100)
    left, top, width, _ = grid.rect(0)
    assert grid.position_at(left + width + 2, top + 5) is None
    assert grid.position_at(2, 2) is None


def test_empty_grid_has_no_height_and_no_cells() -> None:
    grid = Grid(count=0, width=400, wanted=100)
    assert grid.height == 0
    assert grid.nearest(10, 10) is None
    assert list(grid.between(0, 1000)) == []


def test_spans_are_one_run_a_line() -> None:
    grid = Grid(count=9, width=16 + 3 * 108 + 8, wanted=100)
    assert grid.columns == 3
    left, top, width, height = grid.rect(4)
    assert [list(run) for run in grid.spans(left, top, left + width, top + height)] == [[4]]
    assert [list(run) for run in grid.spans(0, 0, left + 1, top + 1)] == [[0, 1], [3, 4]]
    assert grid.spans(0, 0, 3, 3) == []
