"""Deciding on 100,000 pictures, against plain work on the same arrays in the same run: ratios only."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fewshot_gui.core.images.identity import PictureId, picture_id
from fewshot_gui.engine.commands import AcceptLabels, AddCategory, LabelPictures, Together
from fewshot_gui.engine.deciding.asking import order_to_ask
from fewshot_gui.engine.deciding.piles import sort_into_piles
from fewshot_gui.engine.deciding.stacks import find_stacks
from fewshot_gui.engine.scores import RawScores, unknown, with_rows
from fewshot_gui.engine.state import CategoryId, Document
from fewshot_gui.engine.taught import RowIndex

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.engine.scores import Scores

pytestmark = pytest.mark.timeout(600)

ROWS, CLASSES, DIMENSION = 100_000, 6, 128
NAMES = tuple(CategoryId(f"{index:032x}") for index in range(CLASSES))
IDS = [picture_id(index.to_bytes(4, "big")) for index in range(ROWS)]


def seconds(work: Callable[[], object], times: int = 5) -> float:
    """The shortest of some runs: what the work takes where nothing else is in the way."""

    def once() -> float:
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun

    return min(once() for _ in range(times))


@pytest.fixture(scope="module")
def scores() -> Scores:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.full(CLASSES, 0.3), ROWS).astype(np.float32)
    novelty = random.random(ROWS, np.float32)
    raw = RawScores(
        probabilities, probabilities, novelty, np.zeros((ROWS, 1), np.int32), np.zeros((ROWS, 1), np.float32)
    )
    return with_rows(unknown(ROWS, NAMES, cutoff=0.9), np.arange(ROWS), raw)


@pytest.fixture(scope="module")
def document() -> Document:
    return Together(tuple(AddCategory(name, name) for name in NAMES)).apply(Document())


def test_piles_are_cut_in_the_time_of_one_sort(scores: Scores) -> None:
    assert seconds(lambda: sort_into_piles(scores, 0.4)) < seconds(lambda: np.argsort(scores.novelty))


def test_accepting_half_of_all_costs_few_copies_of_a_plain_dictionary(document: Document) -> None:
    half = tuple(IDS[: ROWS // 2])
    plain = seconds(lambda: dict(zip(half, map(str, range(len(half))), strict=True)))

    assert seconds(lambda: AcceptLabels(half, NAMES[0]).apply(document)) < 25 * plain


def test_one_label_among_100_000_costs_next_to_nothing(document: Document) -> None:
    many = AcceptLabels(tuple(IDS), NAMES[0]).apply(document)
    copy = dict(many.labels)

    assert seconds(lambda: LabelPictures((IDS[7],), NAMES[1]).apply(many)) < seconds(lambda: dict(copy)) / 5


def test_the_rows_follow_one_label_without_looking_at_the_others(document: Document) -> None:
    many = AcceptLabels(tuple(IDS), NAMES[0]).apply(document)
    index = RowIndex()
    index.note(range(ROWS), IDS)
    begun = time.perf_counter()
    index.owners(many, NAMES, ROWS)
    whole = time.perf_counter() - begun
    after = [LabelPictures((PictureId(IDS[row]),), NAMES[1]).apply(many) for row in range(5)]

    assert seconds(lambda: index.owners(after.pop(), NAMES, ROWS)) < whole / 20


def test_the_order_to_ask_costs_little_more_than_a_sort(scores: Scores) -> None:
    embeddings = np.random.default_rng(1).standard_normal((ROWS, DIMENSION), np.float32)
    rows = np.arange(ROWS)
    sort = seconds(lambda: np.argsort(-scores.uncertainty, kind="stable"))

    assert seconds(lambda: order_to_ask(rows, scores.uncertainty, embeddings)) < 30 * sort


def test_stacks_are_found_without_comparing_all_with_all() -> None:
    some = 4000
    embeddings = np.random.default_rng(2).standard_normal((some, DIMENSION), np.float32)
    known = np.ones(some, np.bool_)

    def of(count: int) -> float:
        return seconds(lambda: list(find_stacks(embeddings[:count], known[:count])), times=3)

    assert of(some) < 16 * of(some // 4), "four times the rows took sixteen times as long, or longer"
