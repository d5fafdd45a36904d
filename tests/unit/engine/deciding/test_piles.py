"""The three piles: what is sure, what is asked, and that a person's word is in none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fewshot_gui.engine.deciding.piles import Pile, probability_needed, sort_into_piles
from fewshot_gui.engine.scores import NONE_OF_THESE, RawScores, Said, Scores, unknown, with_rows
from fewshot_gui.engine.state import CategoryId

if TYPE_CHECKING:
    from collections.abc import Callable

CAT, DOG = CategoryId("cat"), CategoryId("dog")


def test_each_row_lies_in_the_pile_that_its_scores_say(make_scores: Callable[..., Scores]) -> None:
    scores = make_scores(
        [[0.999, 0.001], [0.6, 0.4], [0.02, 0.98], [0.9, 0.1], [0.999, 0.001]],
        novelty=[0, 0, 0, 2, 1.01],
        cutoff=1.0,
        waiting=1,
    )
    piles = sort_into_piles(scores, 0.5)
    assert [Pile(pile) for pile in piles.of.tolist()] == [
        Pile.SURE, Pile.ASK, Pile.SURE, Pile.NONE_OF_THESE, Pile.ASK, Pile.WAITING
    ]  # fmt: skip
    assert [piles.count(pile) for pile in Pile] == [2, 2, 1, 0, 1]
    assert piles.sure == (1, 1)
    assert piles.rows(Pile.SURE).tolist() == [0, 2]
    assert piles.rows(Pile.SURE, DOG).tolist() == [2]
    assert piles.rows(Pile.SURE, CategoryId("gone")).tolist() == []


def test_what_a_person_said_is_in_no_pile(make_scores: Callable[..., Scores]) -> None:
    said = [(0, Said.TAUGHT), (1, Said.HUMAN), (1, Said.ACCEPTED), (NONE_OF_THESE, Said.HUMAN_NONE)]
    scores = make_scores([[0.99, 0.01]] * 4, taught=said)
    piles = sort_into_piles(scores, 1.0)
    assert piles.count(Pile.DECIDED) == 4
    assert piles.labels.tolist() == [0, 1, 1, NONE_OF_THESE]


def test_a_file_that_is_gone_waits(make_scores: Callable[..., Scores]) -> None:
    scores = make_scores([[0.999, 0.001]] * 2, taught=[(-1, 0), (0, Said.HUMAN)])
    piles = sort_into_piles(scores, 0.5, gone=np.array([True, True, False]))
    assert [Pile(pile) for pile in piles.of.tolist()] == [Pile.WAITING, Pile.DECIDED]


def test_nothing_taught_is_nothing_piled() -> None:
    piles = sort_into_piles(unknown(3, ()), 0.5)
    assert piles.counts == (0, 0, 0, 0, 3)
    assert piles.sure == ()


def test_a_single_category_leaves_only_novelty_to_ask_about(make_scores: Callable[..., Scores]) -> None:
    scores = make_scores([[1.0], [1.0], [1.0]], novelty=[0.1, 0.95, 5], cutoff=1.0)
    assert sort_into_piles(scores, 0.0).of.tolist() == [Pile.SURE, Pile.ASK, Pile.NONE_OF_THESE]


@pytest.mark.parametrize(("boldness", "needed"), [(0, 0.995), (0.5, 0.9293), (1, 0), (-3, 0.995), (7, 0)])
def test_the_slider_says_how_sure_is_sure(boldness: float, needed: float) -> None:
    assert probability_needed(boldness) == pytest.approx(needed, abs=1e-4)


@given(
    arrays.arrays(np.float32, (20, 3), elements=st.floats(0.125, 1, width=32)),
    arrays.arrays(np.float32, 20, elements=st.floats(0, 4, width=32)),
    st.floats(0, 4),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_bolder_asks_less_and_takes_nothing_back(
    weights: np.ndarray, novelty: np.ndarray, cutoff: float, one: float, other: float
) -> None:
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    near = np.zeros((20, 1), np.int32)
    raw = RawScores(probabilities, probabilities, novelty, near, near.astype(np.float32))
    classes = tuple(CategoryId(name) for name in "abc")
    scores = with_rows(unknown(20, classes, cutoff=cutoff), np.arange(20), raw)
    careful, bold = (sort_into_piles(scores, boldness) for boldness in sorted((one, other)))

    for pile in (Pile.SURE, Pile.NONE_OF_THESE):
        assert set(careful.rows(pile).tolist()) <= set(bold.rows(pile).tolist())
    assert sum(bold.counts) == sum(careful.counts) == 20
    assert sort_into_piles(scores, 1.0).count(Pile.ASK) == 0
