"""The rows of a gallery: what is embedded next, and what stays where it is."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine.rows import Rescan, Rows


def files(*names: str, mtime: int = 1) -> list[PictureFile]:
    return [PictureFile(name, 10, mtime) for name in names]


def fill(rows: Rows, which: list[int], dimension: int = 4) -> None:
    embeddings = np.array(which, np.float32)[:, None].repeat(dimension, axis=1)
    rows.fill(np.array(which), [PictureId(f"{row:032x}") for row in which], embeddings)


def compare(rows: Rows, present: list[PictureFile]) -> bool:
    return rows.apply(Rescan.of(rows.files, present))


def rows_of(count: int) -> Rows:
    rows = Rows()
    rows.add(files(*(f"{number}.png" for number in range(count))))
    return rows


def test_new_rows_have_no_id_and_no_embedding() -> None:
    rows = rows_of(3)
    assert rows.ids == [None] * 3
    assert rows.embeddings.shape == (3, 0) or rows.embeddings.size == 0
    assert not rows.known.any()
    assert rows.row_of == {"0.png": 0, "1.png": 1, "2.png": 2}


def test_file_has_one_row_however_often_it_is_added() -> None:
    rows = rows_of(2)
    rows.add(files("1.png", "2.png"))
    assert [file.path for file in rows.files] == ["0.png", "1.png", "2.png"]
    assert len(rows.known) == len(rows.ids) == len(rows.missing) == 3


def test_preferred_rows_are_taken_first_and_once() -> None:
    rows = rows_of(6)
    rows.prefer([4, 2, 99, -1])
    assert rows.take(3) == [4, 2, 0]
    assert rows.take() == [1, 3, 5]
    assert rows.take() == []


def test_released_rows_wait_again_and_given_up_ones_do_not() -> None:
    rows = rows_of(4)
    rows.take()
    rows.release([1])
    rows.give_up([2])
    assert rows.done_count == 1
    assert rows.take() == [1]
    rows.release_asked()
    assert rows.take() == [0, 1, 3]


def test_filled_rows_are_known_and_keep_their_embedding_as_rows_are_added() -> None:
    rows = rows_of(3)
    rows.take()
    fill(rows, [0, 2])
    rows.add(files(*(f"new {number}" for number in range(10))))
    fill(rows, [5])
    np.testing.assert_array_equal(np.flatnonzero(rows.known), [0, 2, 5])
    np.testing.assert_array_equal(rows.embeddings[[0, 2, 5], 0], [0, 2, 5])
    assert rows.embeddings.shape == (13, 4)
    assert rows.ids[2] == PictureId(f"{2:032x}")


def test_embeddings_cannot_be_written_from_outside() -> None:
    rows = rows_of(1)
    fill(rows, [0])
    assert not rows.embeddings.flags.writeable
    fill(rows, [0])


def test_forgetting_the_embeddings_leaves_the_former_matrix_as_it_was() -> None:
    rows = rows_of(2)
    fill(rows, [0, 1])
    former = rows.embeddings
    rows.forget_embeddings()
    fill(rows, [1], dimension=7)
    np.testing.assert_array_equal(former[:, 0], [0, 1])
    assert rows.embeddings.shape == (2, 7)
    assert rows.known.tolist() == [False, True]


def test_rescan_marks_what_is_gone_and_unmarks_what_is_back() -> None:
    rows = rows_of(3)
    assert compare(rows, files("0.png", "2.png"))
    assert rows.missing.tolist() == [False, True, False]
    assert rows.done_count == 1
    assert rows.take() == [0, 2]
    assert compare(rows, files("0.png", "1.png", "2.png"))
    assert rows.take() == [1]
    assert not compare(rows, files("0.png", "1.png", "2.png"))


def test_rows_added_while_a_rescan_was_compared_are_there() -> None:
    rows = rows_of(2)
    rescan = Rescan.of(tuple(rows.files), files("0.png", "new.png"))
    rows.add(files("new.png"))
    assert rows.apply(rescan)
    assert rows.missing.tolist() == [False, True, False]
    assert rows.take() == [0, 2]


def test_file_that_was_written_anew_waits_again() -> None:
    rows = rows_of(2)
    fill(rows, [0, 1])
    assert compare(rows, [*files("0.png"), *files("1.png", mtime=2)])
    assert rows.files[1].mtime_ns == 2
    assert rows.ids[1] is None
    assert rows.known.tolist() == [True, False]
    assert rows.take() == [1]


def test_what_could_not_be_read_is_tried_again() -> None:
    """Before, a disk that was back was not looked at, as nothing about its files had changed."""
    rows = rows_of(3)
    rows.take()
    fill(rows, [0])
    rows.give_up([1, 2])
    assert compare(rows, files("0.png", "1.png"))
    assert rows.take() == [1]


@given(
    st.integers(0, 30), st.lists(st.integers(-3, 33)), st.lists(st.integers(1, 9), min_size=31, max_size=31)
)
def test_every_row_is_taken_exactly_once(count: int, preferred: list[int], limits: list[int]) -> None:
    rows = rows_of(count)
    rows.prefer(preferred)
    taken = [row for limit in limits for row in rows.take(limit)]
    assert sorted(taken) == list(range(count))
    wanted = list(dict.fromkeys(row for row in preferred if 0 <= row < count))
    assert taken[: len(wanted)] == wanted
