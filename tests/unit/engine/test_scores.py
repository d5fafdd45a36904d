"""Scores: what is derived from raw numbers, and the orders and counts of a gallery."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.core.images.scan import PictureFile
from fewshot_gui.engine.scores import (
    NONE_OF_THESE,
    UNKNOWN,
    RawScores,
    Said,
    Scores,
    Special,
    aligned,
    count_labels,
    name_ranks,
    order_by,
    resized,
    unknown,
    with_cutoff,
    with_rows,
)
from fewshot_gui.engine.state import CategoryId

CAT, DOG, NEW = CategoryId("cat"), CategoryId("dog"), CategoryId("new")
SUPPORT = (PictureId("a"), PictureId("b"))


def files(*names: str) -> list[PictureFile]:
    return [PictureFile(f"/pictures/{name}", 1, 1) for name in names]


def raw(probabilities: list[list[float]], novelty: list[float]) -> RawScores:
    table = np.array(probabilities, np.float32)
    rows = len(table)
    return RawScores(
        probabilities=table,
        distances=1 - table,
        novelty=np.array(novelty, np.float32),
        nearest=np.tile(np.array([0, 1], np.int32), (rows, 1)),
        nearest_distance=np.tile(np.array([0.5, 1.5], np.float32), (rows, 1)),
    )


def four_rows(*, taught: tuple[int, ...] = (-1, -1, -1, -1)) -> Scores:
    """Cat for sure, dog by a nose, dog but foreign; the fourth is not known."""
    blank = unknown(4, (CAT, DOG), SUPPORT, cutoff=1.0, version=3)
    known = with_rows(blank, np.array([0, 1, 2]), raw([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]], [0.1, 0.2, 5.0]))
    from dataclasses import replace

    return replace(known, taught=np.array(taught, np.int32))


def test_a_row_gets_its_best_class_its_confidence_and_its_lead() -> None:
    scores = four_rows()
    assert scores.best.tolist() == [0, 1, 1, -1]
    assert scores.known.tolist() == [True, True, True, False]
    assert scores.confidence[:3] == pytest.approx([0.9, 0.6, 0.8])
    assert scores.uncertainty[:3] == pytest.approx([0.2, 0.8, 0.4])
    assert scores.rejected.tolist() == [False, False, True, False]
    assert np.isinf(scores.distances[3]).all()
    assert scores.nearest[3].tolist() == [-1, -1]


def test_one_category_leaves_no_doubt_and_no_division_by_nothing() -> None:
    one = with_rows(unknown(1, (CAT,)), np.array([0]), raw([[1.0]], [0.0]))
    assert one.uncertainty.tolist() == [0.0]
    assert one.best.tolist() == [0]


def test_the_arrays_cannot_be_written_to() -> None:
    scores = four_rows()
    with pytest.raises(ValueError, match="read-only"):
        scores.best[0] = 1


def test_a_persons_label_is_shown_over_the_machines() -> None:
    scores = four_rows(taught=(1, -1, 0, 0))
    assert scores.labels().tolist() == [1, 1, 0, 0]


def test_none_of_these_is_a_persons_word_too() -> None:
    scores = four_rows(taught=(NONE_OF_THESE, -1, -1, NONE_OF_THESE))
    assert scores.labels().tolist() == [NONE_OF_THESE, 1, NONE_OF_THESE, NONE_OF_THESE]
    assert count_labels(scores).none_of_these == 3


def test_who_said_it_goes_with_what_was_said() -> None:
    before = replace(
        four_rows(taught=(0, 1, NONE_OF_THESE, -1)),
        said=np.array([Said.HUMAN, Said.ACCEPTED, Said.HUMAN_NONE, Said.MACHINE], np.int8),
    )
    after = aligned(resized(before, 5), (CAT,))
    assert after.taught.tolist() == [0, UNKNOWN, NONE_OF_THESE, UNKNOWN, UNKNOWN]
    assert after.said.tolist() == [Said.HUMAN, Said.MACHINE, Said.HUMAN_NONE, Said.MACHINE, Said.MACHINE]


def test_what_a_person_called_none_of_these_is_sorted_with_the_rejected() -> None:
    scores = four_rows(taught=(NONE_OF_THESE, -1, -1, 1))
    files = [PictureFile(f"/{row}.jpg", 1, 1) for row in range(4)]
    assert order_by(scores, files, "confidence", descending=True).tolist() == [3, 1, 2, 0]
    assert order_by(scores, files, "uncertainty", descending=True).tolist() == [1, 2, 0, 3]


def test_labels_name_the_rejected_and_the_unknown() -> None:
    assert four_rows().labels().tolist() == [0, 1, NONE_OF_THESE, UNKNOWN]


def test_new_rows_do_not_touch_the_former_value() -> None:
    before = four_rows()
    after = with_rows(before, np.array([3]), raw([[0.3, 0.7]], [0.1]))
    assert not before.known[3]
    assert after.known.all()
    assert after.best.tolist() == [0, 1, 1, 1]
    assert after.version == before.version


def test_what_is_no_number_is_none_of_these() -> None:
    """A network may overflow on one picture; before, that was the first category, for sure."""
    nan = float("nan")
    blank = unknown(2, (CAT, DOG), SUPPORT, cutoff=1.0, version=3)
    scores = with_rows(blank, np.array([0, 1]), raw([[nan, nan], [0.9, 0.1]], [nan, 0.1]))
    assert scores.rejected.tolist() == [True, False]
    assert with_cutoff(scores, 2.0).rejected.tolist() == [True, False]


def test_another_cutoff_changes_only_what_is_rejected() -> None:
    before = four_rows()
    bold, careful = with_cutoff(before, np.inf), with_cutoff(before, -1.0)
    assert not bold.rejected.any()
    assert careful.rejected.tolist() == [True, True, True, False]
    assert bold.probabilities is before.probabilities


def test_more_rows_come_unknown_at_the_end() -> None:
    grown = resized(four_rows(), 6)
    assert grown.count == 6
    assert grown.known.tolist() == [True, True, True, False, False, False]
    assert grown.taught.tolist() == [-1] * 6
    assert np.isinf(grown.novelty[4:]).all()
    assert resized(grown, 6) is grown


def test_moved_categories_take_their_columns_along() -> None:
    before = four_rows(taught=(0, -1, -1, -1))
    after = aligned(before, (DOG, CAT))
    assert after.best.tolist() == [1, 0, 0, -1]
    assert after.taught.tolist() == [1, -1, -1, -1]
    assert np.array_equal(after.probabilities, before.probabilities[:, ::-1])
    assert after.rejected.tolist() == before.rejected.tolist()


def test_a_new_category_has_no_probability_and_is_infinitely_far() -> None:
    after = aligned(four_rows(), (CAT, NEW, DOG))
    assert after.probabilities[:, 1].tolist() == [0, 0, 0, 0]
    assert np.isinf(after.distances[:, 1]).all()
    assert after.best.tolist() == [0, 2, 2, -1]


def test_a_row_whose_category_is_gone_is_unknown_until_the_next_fit() -> None:
    after = aligned(four_rows(taught=(0, 1, -1, -1)), (CAT,))
    assert after.known.tolist() == [True, False, False, False]
    assert after.rejected.tolist() == [False, False, False, False]
    assert after.taught.tolist() == [0, -1, -1, -1]


def test_without_any_category_nothing_is_known() -> None:
    after = aligned(four_rows(), ())
    assert not after.known.any()
    assert after.probabilities.shape == (4, 0)


@given(st.permutations([CAT, DOG, NEW]), st.permutations([CAT, DOG, NEW]))
def test_aligning_twice_is_aligning_once(first: list[CategoryId], second: list[CategoryId]) -> None:
    there = aligned(aligned(four_rows(taught=(1, 0, -1, -1)), tuple(first)), tuple(second))
    once = aligned(four_rows(taught=(1, 0, -1, -1)), tuple(second))
    assert there.labels().tolist() == once.labels().tolist()
    assert np.array_equal(there.probabilities, once.probabilities)


def test_counting_names_every_row_once() -> None:
    counts = count_labels(four_rows())
    assert (counts.categories, counts.none_of_these, counts.unknown) == ((1, 1), 1, 1)


def test_names_sort_by_number_and_without_case() -> None:
    ranks = name_ranks(files("b/IMG10.jpg", "a/img2.jpg", "c/Apple.jpg"))
    assert ranks.tolist() == [2, 1, 0]


NAMES = files("d10.jpg", "c.jpg", "d9.jpg", "a.jpg")


@pytest.mark.parametrize(
    ("key", "descending", "rows"),
    [
        ("folder", False, [0, 1, 2, 3]),
        ("folder", True, [3, 2, 1, 0]),
        ("name", False, [3, 1, 2, 0]),
        ("name", True, [0, 2, 1, 3]),
        ("confidence", True, [0, 1, 2, 3]),  # the rejected one below the accepted ones, the unknown one last
        ("confidence", False, [2, 1, 0, 3]),
        ("uncertainty", True, [1, 2, 0, 3]),
        ("uncertainty", False, [0, 2, 1, 3]),
    ],
)
def test_orders(key: str, *, descending: bool, rows: list[int]) -> None:
    assert order_by(four_rows(), NAMES, key, descending=descending).tolist() == rows  # type: ignore[arg-type]


def test_what_a_person_taught_is_surest_of_all() -> None:
    scores = four_rows(taught=(-1, -1, -1, 1))
    assert order_by(scores, NAMES, "confidence", descending=True).tolist() == [3, 0, 1, 2]
    assert order_by(scores, NAMES, "uncertainty", descending=True).tolist()[-1] == 3


def test_what_the_machine_would_call_otherwise_is_doubtful() -> None:
    # Cat is said of all: the machine agrees with the first, and calls the second and third dogs.
    scores = four_rows(taught=(0, 0, 0, 0))
    assert order_by(scores, NAMES, "doubt", descending=True).tolist() == [2, 1, 0, 3]
    assert order_by(scores, NAMES, "doubt").tolist() == [0, 1, 2, 3], "what is not scored is last both ways"


def test_only_what_a_person_said_can_be_doubted() -> None:
    assert order_by(four_rows(taught=(-1, 0, -1, -1)), NAMES, "doubt", descending=True).tolist()[0] == 1
    assert order_by(four_rows(), NAMES, "doubt", descending=True).tolist() == [0, 1, 2, 3]


def test_none_of_these_is_doubtful_where_the_machine_is_sure_of_a_category() -> None:
    scores = four_rows(taught=(NONE_OF_THESE,) * 4)
    assert order_by(scores, NAMES, "doubt", descending=True).tolist() == [0, 1, 2, 3]
    flat = replace(scores, rejected=np.array([True, False, True, False]))
    assert order_by(flat, NAMES, "doubt", descending=True).tolist() == [1, 0, 2, 3]


def test_a_category_without_examples_is_beyond_doubt() -> None:
    scores = replace(aligned(four_rows(), (CAT, DOG, NEW)), taught=np.array([2, 1, -1, -1], np.int32))
    assert order_by(scores, NAMES, "doubt", descending=True).tolist() == [1, 0, 2, 3]


def test_equal_rows_keep_the_order_of_the_folder_in_both_directions() -> None:
    many = with_rows(unknown(50, (CAT, DOG)), np.arange(50), raw([[0.5, 0.5]] * 50, [0.0] * 50))
    listed = files(*(f"{i}.jpg" for i in range(50)))
    for descending in (False, True):
        assert order_by(many, listed, "confidence", descending=descending).tolist() == list(range(50))


@pytest.mark.parametrize(
    ("only", "rows"),
    [(CAT, [0]), (DOG, [1]), (NEW, []), (Special.NONE_OF_THESE, [2]), (Special.UNKNOWN, [3])],
)
def test_filters(only: CategoryId | Special, rows: list[int]) -> None:
    assert order_by(four_rows(), NAMES, "folder", only=only).tolist() == rows


def test_rejected_rows_can_be_left_out() -> None:
    assert order_by(four_rows(), NAMES, "folder", include_rejected=False).tolist() == [0, 1, 3]


def test_before_anything_is_taught_every_row_is_listed() -> None:
    assert order_by(None, NAMES, "confidence", descending=True).tolist() == [0, 1, 2, 3]
    assert order_by(None, NAMES, "folder", only=Special.UNKNOWN).tolist() == [0, 1, 2, 3]
    assert order_by(None, [], "name").tolist() == []


def test_files_that_came_after_the_scores_are_listed_last() -> None:
    more = [*NAMES, *files("new.jpg")]
    assert order_by(four_rows(), more, "confidence").tolist() == [2, 1, 0, 3, 4]


def test_a_hundred_thousand_rows_sort_and_count_in_50_ms() -> None:
    count = 100_000
    chance = np.random.default_rng(0).dirichlet(np.ones(10), count).astype(np.float32)
    part = RawScores(
        chance, 1 - chance, chance[:, 0], np.zeros((count, 3), np.int32), np.zeros((count, 3), np.float32)
    )
    categories = tuple(CategoryId(str(i)) for i in range(10))
    scores = with_rows(unknown(count, categories, cutoff=0.5), np.arange(count), part)
    listed = [PictureFile("/x.jpg", 1, 1)] * count

    def once(work: object) -> float:
        start = time.thread_time()
        work()  # type: ignore[operator]
        return time.thread_time() - start

    def fastest(work: object) -> float:
        return min(once(work) for _ in range(5))

    assert fastest(lambda: order_by(scores, listed, "confidence", descending=True)) < 0.05
    assert fastest(lambda: order_by(scores, listed, "uncertainty", only=categories[3])) < 0.05
    assert fastest(lambda: count_labels(scores)) < 0.05
    assert fastest(lambda: with_cutoff(scores, 0.3)) < 0.005
