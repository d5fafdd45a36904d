"""The external memory: every formula by hand, its state, and what it forgets."""

from __future__ import annotations

import math

import pytest
import torch
from torch.autograd import gradcheck

from fewshot_gui.core.learners.memory import (
    Mann,
    content_weights,
    least_recently_used_write,
    least_used_rows,
    update_usage,
    write_memory,
)

DOUBLE = torch.float64


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def test_content_weights_by_hand() -> None:
    # Cosines 1, 0 and -1; lengths do not count.
    memory = torch.tensor([[2.0, 0.0], [0.0, 5.0], [-1.0, 0.0]], dtype=DOUBLE)
    weights = content_weights(torch.tensor([[3.0, 0.0]], dtype=DOUBLE), memory, 2.0)
    parts = [math.exp(2), 1.0, math.exp(-2)]
    expected = torch.tensor([[part / sum(parts) for part in parts]], dtype=DOUBLE)
    torch.testing.assert_close(weights, expected)


def test_reading_is_normalised_over_the_rows_of_the_memory() -> None:
    weights = content_weights(normal(4, 2, 5), normal(4, 7, 5, seed=1))
    assert weights.shape == (4, 2, 7)
    torch.testing.assert_close(weights.sum(2), torch.ones(4, 2, dtype=DOUBLE))


def test_a_memory_without_direction_is_read_evenly() -> None:
    weights = content_weights(torch.zeros(1, 3), torch.zeros(4, 3))
    torch.testing.assert_close(weights, torch.full((1, 4), 0.25))


def test_the_least_used_rows_by_hand() -> None:
    rows = least_used_rows(torch.tensor([0.5, 0.1, 0.9, 0.1]), 3)
    assert rows.tolist() == [[0, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]]


def test_a_write_lies_between_the_last_read_and_the_least_used_row() -> None:
    read, least = torch.tensor([[0.2, 0.8, 0.0]]), torch.tensor([[0.0, 0.0, 1.0]])
    half = least_recently_used_write(torch.zeros(1, 1), read, least)
    torch.testing.assert_close(half, torch.tensor([[0.1, 0.4, 0.5]]))
    torch.testing.assert_close(least_recently_used_write(torch.full((1, 1), 50.0), read, least), read)
    torch.testing.assert_close(least_recently_used_write(torch.full((1, 1), -50.0), read, least), least)


def test_writing_clears_the_least_used_row_and_adds() -> None:
    memory = torch.tensor([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    values = torch.tensor([[10.0, 20.0]])
    weights = torch.tensor([[0.5, 0.0, 0.5]])
    after = write_memory(memory, values, weights, torch.tensor([[0.0, 0.0, 1.0]]))
    assert after.tolist() == [[6.0, 11.0], [2.0, 2.0], [5.0, 10.0]]


def test_two_heads_write_the_sum_of_their_outer_products() -> None:
    memory, values, weights = normal(4, 3), normal(2, 3, seed=1), normal(2, 4, seed=2)
    expected = memory.clone()
    for head in range(2):
        for row in range(4):
            expected[row] += weights[head, row] * values[head]
    got = write_memory(memory, values, weights, torch.zeros(2, 4, dtype=DOUBLE))
    torch.testing.assert_close(got, expected)


def test_usage_decays_and_grows_by_hand() -> None:
    usage = update_usage(
        torch.tensor([1.0, 0.5]), torch.tensor([[0.2, 0.8], [1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), 0.5
    )
    torch.testing.assert_close(usage, torch.tensor([1.7, 2.05]))


def test_gradients_of_the_formulas() -> None:
    keys, memory = normal(2, 3).requires_grad_(), normal(4, 3, seed=1).requires_grad_()
    strength = (1 + normal(2, 1, seed=2).square()).requires_grad_()
    assert gradcheck(content_weights, (keys, memory, strength))
    gate, read = normal(2, 1).requires_grad_(), normal(2, 4, seed=3).softmax(1).requires_grad_()
    least = least_used_rows(normal(4, seed=4), 2)
    assert gradcheck(lambda g, r: least_recently_used_write(g, r, least), (gate, read))
    assert gradcheck(lambda m, v, w: write_memory(m, v, w, least), (memory, keys, read))
    assert gradcheck(lambda r, w: update_usage(normal(4), r, w, 0.9), (read, read))


def network(rows: int = 8) -> Mann:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Mann(6, max_ways=3, hidden=10, rows=rows, width=5, heads=2).double()


def naive_scores(net: Mann, support: torch.Tensor, labels: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
    """Return (N,) for one query, the steps written out with loops over heads and rows."""
    hidden = cell = torch.zeros(net.controller.hidden_size, dtype=DOUBLE)
    memory = [torch.full((net.width,), 1e-6, dtype=DOUBLE) for _ in range(net.rows)]
    usage = torch.zeros(net.rows, dtype=DOUBLE)
    read = torch.zeros(net.heads, net.rows, dtype=DOUBLE)
    content = torch.zeros(net.heads * net.width, dtype=DOUBLE)
    before, label = torch.zeros(net.width, dtype=DOUBLE), torch.zeros(3, dtype=DOUBLE)
    for place, picture in enumerate([*support, query]):
        seen = net.embed(net.normalise(picture))
        inputs = torch.cat([seen, label, content])
        hidden, cell = net.controller(inputs[None], (hidden[None], cell[None]))
        hidden, cell = hidden[0], cell[0]
        least = sorted(range(net.rows), key=lambda row, now=usage: (float(now[row]), row))[: net.heads]
        gates = net.gate(hidden).sigmoid()
        values = net.value(torch.cat([hidden, before, label])).split(net.width)
        written = gates[:, None] * read
        for head in range(net.heads):
            written[head, least[head]] += 1 - gates[head]
        memory = [
            (0 if row in least else memory[row])
            + sum(written[head, row] * values[head] for head in range(net.heads))
            for row in range(net.rows)
        ]
        keys = net.key(torch.cat([hidden, seen])).split(net.width)
        strengths = 1 + torch.nn.functional.softplus(net.strength(hidden))
        read = torch.stack(
            [
                torch.stack(
                    [
                        strengths[head] * torch.cosine_similarity(keys[head], memory[row], dim=0)
                        for row in range(net.rows)
                    ]
                ).softmax(0)
                for head in range(net.heads)
            ]
        )
        content = torch.cat([sum(read[h, r] * memory[r] for r in range(net.rows)) for h in range(net.heads)])
        usage = net.decay * usage + read.sum(0) + written.sum(0)
        before = seen
        if place < len(labels):
            label = torch.eye(3, dtype=DOUBLE)[labels[place]]
    return net.answer(torch.cat([hidden, content]))


def test_the_network_is_the_naive_one() -> None:
    net, support, labels = network(), normal(4, 6), torch.tensor([2, 0, 1, 2])
    query = normal(3, 6, seed=1)
    with torch.no_grad():
        got = net.scores(support, labels, query, 3)
        expected = torch.stack([naive_scores(net, support, labels, one) for one in query])
    torch.testing.assert_close(got, expected)


def test_the_state_at_a_step_does_not_know_what_comes_later() -> None:
    net, support, labels = network(), normal(5, 6), torch.tensor([0, 1, 2, 0, 1])
    state, _ = net.remember(support[:3], labels[:3])
    changed = support.clone()
    changed[3:] += 10
    # Answering at step 3 is asking the picture there: later pictures and their own label are not seen.
    for later in (support, changed):
        partial, label = net.remember(later[:3], labels[:3])
        for first, second in zip(state, partial, strict=True):
            torch.testing.assert_close(first, second)
        assert label.argmax() == labels[2]
    first, _ = net.step(net.embed(net.normalise(support[3:4])), torch.eye(3, dtype=DOUBLE)[2:3], state)
    alone = net.scores(support[:3], labels[:3], support[3:4], 3)
    torch.testing.assert_close(first, alone)


def test_a_label_is_seen_one_step_after_its_picture() -> None:
    net, support = network(), normal(3, 6)
    first, label = net.remember(support, torch.tensor([0, 1, 2]))
    second, other = net.remember(support, torch.tensor([0, 1, 0]))
    for one, two in zip(first, second, strict=True):
        assert torch.equal(one, two)
    assert not torch.equal(label, other)


def test_asking_does_not_change_the_state() -> None:
    net, support, labels = network(), normal(3, 6), torch.tensor([0, 1, 2])
    query = normal(2, 6, seed=1)
    assert torch.equal(net.scores(support, labels, query, 3), net.scores(support, labels, query, 3))


def test_the_answer_depends_on_the_order_of_the_examples() -> None:
    net, support, labels = network(), normal(3, 6), torch.tensor([0, 1, 2])
    query = normal(2, 6, seed=1)
    assert not torch.allclose(
        net.scores(support, labels, query, 3), net.scores(support.flip(0), labels.flip(0), query, 3)
    )


@pytest.mark.parametrize("count", [1, 3, 40])
def test_more_examples_than_rows_are_forgotten_and_not_an_error(count: int) -> None:
    net = network(rows=4)
    scores = net.scores(normal(count, 6), torch.arange(count) % 3, normal(2, 6, seed=1), 2)
    assert scores.shape == (2, 2)
    assert bool(scores.isfinite().all())
