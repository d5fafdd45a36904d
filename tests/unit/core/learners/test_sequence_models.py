"""Attention, SNAIL and the in-context transformer: by hand, causal, over the right axis, able to learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch.autograd import gradcheck

from fewshot_gui.core.learners.caml import Caml, equiangular_vectors
from fewshot_gui.core.learners.memory import Mann
from fewshot_gui.core.learners.sequence_attention import attend_to_past_and_self, attention_weights
from fewshot_gui.core.learners.snail import (
    AttentionBlock,
    DenseBlock,
    Snail,
    delayed,
    step_before_end,
)

if TYPE_CHECKING:
    from fewshot_gui.core.learners.head import Head

DOUBLE = torch.float64
DIMENSION = 12


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def seeded(kind: str, ways: int = 3) -> Head:
    """Return a small head with weights that are the same in every run."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if kind == "snail":
            return Snail(DIMENSION, max_ways=ways, examples=6, width=24, filters=12, keys=12, values=12)
        if kind == "caml":
            return Caml(DIMENSION, max_ways=ways, width=28, depth=2, heads=2)
        return Mann(DIMENSION, max_ways=ways, hidden=24, rows=10, width=20, heads=2)


KINDS = ("mann", "snail", "caml")
LABELS = torch.tensor([0, 2, 1, 1, 0])


def test_attention_by_hand() -> None:
    # Two keys of one number: logits 0 and ln 3, so a quarter and three quarters.
    keys = torch.tensor([[0.0], [1.0]], dtype=DOUBLE)
    weights = attention_weights(torch.tensor([[3.0]], dtype=DOUBLE).log(), keys)
    torch.testing.assert_close(weights, torch.tensor([[0.25, 0.75]], dtype=DOUBLE))


def test_attention_is_normalised_over_the_keys_and_not_over_the_queries() -> None:
    for causal in (False, True):
        weights = attention_weights(normal(2, 5, 4), normal(2, 5, 4, seed=1), causal=causal)
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 5, dtype=DOUBLE))
        assert not torch.allclose(weights.sum(-2), torch.ones(2, 5, dtype=DOUBLE))


def test_causal_attention_gives_nothing_to_what_comes_later() -> None:
    weights = attention_weights(normal(6, 4), normal(6, 4, seed=1), causal=True)
    assert bool((weights.triu(1) == 0).all())
    assert float(weights[0, 0]) == 1.0


def test_queries_after_a_past_are_the_last_row_of_causal_attention() -> None:
    keys, values, queries = normal(5, 4), normal(5, 3, seed=1), normal(7, 4, seed=2)
    own_keys, own_values = normal(7, 4, seed=3), normal(7, 3, seed=4)
    read = attend_to_past_and_self(queries, own_keys, own_values, keys, values)
    for place in range(7):
        all_keys = torch.cat([keys, own_keys[place : place + 1]])
        logits = (all_keys @ queries[place]) / 2  # the root of 4
        expected = logits.softmax(0) @ torch.cat([values, own_values[place : place + 1]])
        torch.testing.assert_close(read[place], expected)


def test_gradients_of_attention() -> None:
    parts = [normal(3, 2, seed=seed).requires_grad_() for seed in range(5)]
    assert gradcheck(attend_to_past_and_self, tuple(parts))
    assert gradcheck(lambda q, k: attention_weights(q, k, causal=True), tuple(parts[:2]))


def test_a_delayed_sequence_by_hand() -> None:
    sequence = torch.tensor([[1.0], [2.0], [3.0]])
    assert delayed(sequence, 0).tolist() == [[1.0], [2.0], [3.0]]
    assert delayed(sequence, 2).tolist() == [[0.0], [0.0], [1.0]]
    assert delayed(sequence, 5).tolist() == [[0.0], [0.0], [0.0]]
    assert step_before_end(sequence, 1).tolist() == [3.0]
    assert step_before_end(sequence, 3).tolist() == [1.0]
    assert step_before_end(sequence, 4).tolist() == [0.0]


def test_a_dense_block_is_the_naive_gated_convolution() -> None:
    block = DenseBlock(3, 2, dilation=2).double()
    past, now = normal(5, 3), normal(1, 3, seed=1)
    whole = torch.cat([past, now])
    expected = []
    for place in range(6):
        before = whole[place - 2] if place >= 2 else torch.zeros(3, dtype=DOUBLE)
        both = block.both.weight @ torch.cat([whole[place], before]) + block.both.bias
        expected.append(torch.cat([whole[place], both[:2].tanh() * both[2:].sigmoid()]))
    got = torch.cat(block(past, now))
    torch.testing.assert_close(got, torch.stack(expected))


@pytest.mark.parametrize("block", [DenseBlock(4, 3, dilation=2), AttentionBlock(4, 3, 3)])
def test_a_block_of_snail_does_not_look_ahead(block: torch.nn.Module) -> None:
    block = block.double()
    past = normal(6, 4)
    changed = past.clone()
    changed[4:] += 10
    first, second = block(past, past[:1])[0], block(changed, past[:1])[0]
    torch.testing.assert_close(first[:4], second[:4])
    assert not torch.allclose(first[4:], second[4:])


def test_snail_reads_a_query_as_the_last_step_of_its_own_sequence() -> None:
    head = seeded("snail").double()
    assert isinstance(head, Snail)
    past, now = normal(5, 27), normal(4, 27, seed=1)
    for place in range(4):
        whole = torch.cat([past, now[place : place + 1]])
        last = head.read(whole, now)[0][-1]
        torch.testing.assert_close(head.read(past, now)[1][place], last)


def test_snail_is_causal_from_end_to_end() -> None:
    head = seeded("snail").double()
    assert isinstance(head, Snail)
    past = normal(6, 27)
    changed = torch.cat([past[:3], past[3:] + 5])
    torch.testing.assert_close(head.read(past, past)[0][:3], head.read(changed, past)[0][:3])


@pytest.mark.parametrize(("count", "dimension"), [(1, 3), (2, 2), (5, 8), (20, 20)])
def test_label_vectors_have_length_1_and_equal_angles(count: int, dimension: int) -> None:
    vectors = equiangular_vectors(count, dimension)
    assert vectors.shape == (count, dimension)
    expected = torch.full((count, count), -1 / max(1, count - 1))
    expected.fill_diagonal_(1.0)
    torch.testing.assert_close(vectors @ vectors.T, expected, rtol=1e-5, atol=1e-6)


def test_the_order_of_examples_does_not_matter_in_context() -> None:
    head = seeded("caml").double()
    support, query = normal(5, DIMENSION), normal(4, DIMENSION, seed=1)
    order = torch.tensor([3, 0, 4, 2, 1])
    torch.testing.assert_close(
        head.scores(support, LABELS, query, 3), head.scores(support[order], LABELS[order], query, 3)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_does_not_depend_on_the_other_queries(kind: str) -> None:
    head = seeded(kind).double()
    support, query = normal(5, DIMENSION), normal(4, DIMENSION, seed=1)
    alone = head.scores(support, LABELS, query[:1], 3)
    others = torch.cat([query[:1], 100 * query[1:]])
    torch.testing.assert_close(head.scores(support, LABELS, others, 3)[:1], alone)
    assert head.scores(support, LABELS, query[:0], 3).shape == (0, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_every_label_reaches_the_answer(kind: str) -> None:
    # The last one too: with labels a step late it comes only together with the query.
    head = seeded(kind).double()
    support, query = normal(5, DIMENSION), normal(2, DIMENSION, seed=1)
    scores = head.scores(support, LABELS, query, 3)
    for place in range(5):
        changed = LABELS.clone()
        changed[place] = (changed[place] + 1) % 3
        moved = (head.scores(support, changed, query, 3) - scores).detach().abs().max()
        assert float(moved) > 1e-7


@pytest.mark.parametrize("kind", KINDS)
def test_fewer_ways_than_trained_and_an_empty_class_give_finite_scores(kind: str) -> None:
    head = seeded(kind, ways=6)
    assert head.max_ways == 6
    support, query = normal(1, DIMENSION).float(), normal(3, DIMENSION, seed=1).float()
    scores = head.scores(support, torch.tensor([1]), query, 4)
    assert scores.shape == (3, 4)
    assert bool(scores.isfinite().all())


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_the_whole_head(kind: str) -> None:
    head = seeded(kind).double()
    support, query = normal(3, DIMENSION).requires_grad_(), normal(2, DIMENSION, seed=1).requires_grad_()
    labels = torch.tensor([0, 1, 2])
    assert gradcheck(lambda s, q: head.scores(s, labels, q, 3), (support, query), fast_mode=True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_before_learning_is_near_the_logarithm_of_the_ways(kind: str) -> None:
    head, support, query = seeded(kind), normal(6, DIMENSION).float(), normal(60, DIMENSION, seed=1).float()
    loss = head.loss(head.scores(support, torch.arange(6) % 3, query, 3), torch.arange(60) % 3)
    assert float(loss.detach()) == pytest.approx(float(torch.tensor(3.0).log()), abs=0.3)


class Gaussians:
    """Episodes of three Gaussian classes with two examples each, in random order, on random slots."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def draw(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return support (6, D), its labels, queries (30, D), theirs."""
        centres = torch.randn(3, DIMENSION, generator=self._generator)
        labels = torch.arange(3).repeat(2)[torch.randperm(6, generator=self._generator)]
        asked = torch.arange(3).repeat(10)

        def near(which: torch.Tensor) -> torch.Tensor:
            return centres[which] + 0.5 * torch.randn(len(which), DIMENSION, generator=self._generator)

        return near(labels), labels, near(asked), asked


def share_right(head: Head, *, shuffled: bool = False) -> float:
    """Return the share of queries answered right in 40 new episodes."""
    world, generator, right = Gaussians(seed=1), torch.Generator().manual_seed(2), 0.0
    with torch.no_grad():
        for _ in range(40):
            support, labels, query, asked = world.draw()
            if shuffled:
                asked = asked[torch.randperm(30, generator=generator)]
            right += float((head.scores(support, labels, query, 3).argmax(1) == asked).double().mean())
    return right / 40


def best_possible() -> float:
    """Return the share that the Bayes rule gets right: class means, drawn toward the prior's mean of 0."""
    world, right = Gaussians(seed=1), 0.0
    for _ in range(40):
        support, labels, query, asked = world.draw()
        means = torch.stack([support[labels == way].mean(0) for way in range(3)]) / (1 + 0.25 / 2)
        right += float((torch.cdist(query, means).argmin(1) == asked).double().mean())
    return right / 40


@pytest.mark.parametrize(
    ("kind", "rate", "steps"), [("mann", 0.01, 300), ("snail", 0.005, 300), ("caml", 0.004, 160)]
)
def test_a_head_learns_a_gaussian_world_and_only_that(kind: str, rate: float, steps: int) -> None:
    head, world = seeded(kind), Gaussians(seed=0)
    optimiser = torch.optim.Adam(head.parameters(), rate)
    for _ in range(steps):
        optimiser.zero_grad()
        for _ in range(2):
            support, labels, query, asked = world.draw()
            head.loss(head.scores(support, labels, query, 3), asked).backward()
        torch.nn.utils.clip_grad_norm_(head.parameters(), 1.0)
        optimiser.step()
    assert share_right(head) > 0.9 * best_possible()
    # 1,200 answers: a standard error of 0.014.
    assert abs(share_right(head, shuffled=True) - 1 / 3) < 0.055
