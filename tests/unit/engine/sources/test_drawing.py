from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fewshot_gui.engine.sources.drawing import INK_SHARE, Sketch, Stroke, render

LINE = Stroke(((0.1, 0.1), (0.9, 0.9)))
DOT = Stroke(((0.3, 0.7),))

unit = st.floats(0, 1, allow_nan=False, width=32)
strokes = st.lists(st.lists(st.tuples(unit, unit), min_size=1, max_size=12), min_size=1, max_size=4).map(
    lambda lines: tuple(Stroke(tuple(line)) for line in lines)
)


def ink_box(picture: np.ndarray) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of what is darker than middle grey."""
    rows, columns = np.nonzero(picture[:, :, 0] < 128)
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


def test_undo_and_clear_are_values() -> None:
    one = Sketch().drawn(LINE)
    two = one.drawn(DOT)
    assert two.strokes == (LINE, DOT)
    assert two.undone() == one
    assert two.cleared().strokes == ()
    assert two.cleared().undone().strokes == (LINE, DOT), "clearing can be undone"
    assert Sketch().undone() == Sketch()
    assert Sketch().cleared() == Sketch()
    assert one.can_undo
    assert not Sketch().can_undo
    assert Sketch().is_empty


@given(st.lists(st.sampled_from(["draw", "clear"]), max_size=12))
def test_undoing_everything_gives_blank_paper(steps: list[str]) -> None:
    sketch = Sketch()
    for step in steps:
        sketch = sketch.drawn(LINE) if step == "draw" else sketch.cleared()
    while sketch.can_undo:
        sketch = sketch.undone()
    assert sketch == Sketch()


def test_blank_paper_is_white() -> None:
    picture = render(())
    assert picture.shape == (105, 105, 3)
    assert picture.dtype == np.uint8
    assert (picture == 255).all()


@given(strokes)
@settings(max_examples=60, deadline=None)
def test_the_ink_is_black_centred_and_within_the_margin(drawing: tuple[Stroke, ...]) -> None:
    picture = render(drawing)
    assert (picture[:, :, 0] == picture[:, :, 1]).all()
    assert picture.min() < 60
    left, top, right, bottom = ink_box(picture)
    assert (left + right) / 2 == pytest.approx(52, abs=1.5)
    assert (top + bottom) / 2 == pytest.approx(52, abs=1.5)
    assert max(right - left, bottom - top) <= INK_SHARE * 105 + 2


@given(strokes, st.floats(0.2, 1), st.floats(0, 0.3), st.floats(0, 0.3))
@settings(max_examples=40, deadline=None)
def test_where_and_how_large_it_is_drawn_makes_no_difference(
    drawing: tuple[Stroke, ...], scale: float, right: float, down: float
) -> None:
    points = np.array([point for stroke in drawing for point in stroke.points])
    if np.ptp(points, axis=0).max() * scale < 0.1:
        return  # next to nothing is drawn: a dot stays a dot
    moved = tuple(
        Stroke(tuple((x * scale + right, y * scale + down) for x, y in stroke.points)) for stroke in drawing
    )
    difference = np.abs(render(drawing).astype(int) - render(moved).astype(int))
    assert difference.mean() < 2


def test_a_line_fills_what_omniglot_fills() -> None:
    left, top, right, bottom = ink_box(render((LINE,)))
    assert right - left + 1 == pytest.approx(0.62 * 105, abs=2)
    assert bottom - top + 1 == pytest.approx(0.62 * 105, abs=2)


def test_a_dot_stays_a_dot() -> None:
    left, top, right, bottom = ink_box(render((DOT,)))
    assert 2 <= right - left + 1 <= 6
    assert 2 <= bottom - top + 1 <= 6


def test_the_picture_is_as_large_as_asked() -> None:
    assert render((LINE,), 28).shape == (28, 28, 3)
