"""Matching networks: by hand, against a naive derivation and easyfsl; the learner without contexts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.autograd import gradcheck

from fewshot_gui.core.learners import calibration
from fewshot_gui.core.learners.base import SupportSet
from fewshot_gui.core.learners.matching import (
    Matching,
    MatchingHead,
    attention_scores,
    class_log_mean_exp,
    query_context,
    soft_maximum,
    support_context,
)
from fewshot_gui.core.learners.prototypical import cosine_logits

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    World = Callable[..., tuple[SupportSet, torch.Tensor, torch.Tensor]]

DOUBLE = torch.float64


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def test_class_log_mean_exp_by_hand() -> None:
    values = torch.tensor([[1.0, 3.0, 2.0], [0.0, 0.0, -500.0]], dtype=DOUBLE)
    found = class_log_mean_exp(values, torch.tensor([0, 0, 2]), 3)
    both = math.log((math.e + math.e**3) / 2)
    expected = torch.tensor([[both, -1e4, 2.0], [0.0, -1e4, -500.0]], dtype=DOUBLE)
    torch.testing.assert_close(found, expected)


def test_attention_by_hand() -> None:
    # Cosines 1, 0 and -1 at scale 2: the shares are e^2, 1 and e^-2 over their sum.
    support = torch.tensor([[3.0, 0.0], [0.0, 5.0], [-1.0, 0.0]], dtype=DOUBLE)
    query = torch.tensor([[0.1, 0.0]], dtype=DOUBLE)
    weights = torch.tensor([math.e**2, 1.0, math.e**-2], dtype=DOUBLE)
    found = attention_scores(query, support, torch.arange(3), 3, 2.0)
    torch.testing.assert_close(found, (weights / weights.sum()).log().unsqueeze(0))
    rectified = attention_scores(query, support, torch.arange(3), 3, 2.0, rectified=True)
    weights[2] = 1.0
    torch.testing.assert_close(rectified, (weights / weights.sum()).log().unsqueeze(0))


def test_the_softmax_runs_over_the_queries() -> None:
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    scores = attention_scores(normal(5, 4), normal(6, 4, seed=1), labels, 3, 10.0)
    torch.testing.assert_close(scores.exp().sum(1), torch.ones(5, dtype=DOUBLE))


@given(scale=st.floats(0.1, 200.0), seed=st.integers(0, 10_000))
def test_at_one_shot_it_is_not_a_softmax_over_cosines(scale: float, seed: int) -> None:
    query, support = normal(4, 6, seed=seed), normal(3, 6, seed=seed + 1)
    expected = cosine_logits(query, support, scale).softmax(1)
    torch.testing.assert_close(attention_scores(query, support, torch.arange(3), 3, scale).exp(), expected)


@given(seed=st.integers(0, 10_000), scale=st.floats(0.1, 200.0))
def test_the_sums_over_classes_lose_an_example(seed: int, scale: float) -> None:
    query, support, labels = (
        normal(3, 5, seed=seed),
        normal(6, 5, seed=seed + 1),
        torch.tensor([0, 1, 0, 1, 1, 0]),
    )
    for row, scores in zip(query, attention_scores(query, support, labels, 2, scale), strict=True):
        shares = [
            math.exp(scale * float(row @ example / (row.norm() * example.norm()) - 1)) for example in support
        ]
        for way in range(2):
            own = sum(share for share, label in zip(shares, labels.tolist(), strict=True) if label == way)
            assert float(scores[way]) == pytest.approx(math.log(own / sum(shares)), abs=1e-6)


def test_a_class_wins_by_its_number_of_examples() -> None:
    support = torch.cat([torch.tensor([[1.0, 0.0]]).repeat(30, 1), torch.tensor([[0.0, 1.0]])])
    labels = torch.tensor([0] * 30 + [1])
    scores = attention_scores(torch.tensor([[1.0, 1.0]]), support, labels, 2, 5.0)
    torch.testing.assert_close(scores.exp(), torch.tensor([[0.5, 0.5]]))


@pytest.mark.parametrize("scale", [1.0, 100.0, 1000.0])
def test_a_far_class_has_no_logarithm(scale: float) -> None:
    query = torch.tensor([[1.0, 0.0]], requires_grad=True)
    support = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    scores = attention_scores(query, support, torch.tensor([0, 1]), 3, scale)
    assert bool(scores.isfinite().all())
    scores[:, :2].sum().backward()
    assert query.grad is not None
    assert bool(query.grad.isfinite().all())


def recurrent(dimension: int, seed: int = 0) -> tuple[nn.LSTM, nn.LSTMCell]:
    torch.manual_seed(seed)
    reader = nn.LSTM(dimension, dimension, bidirectional=True).double()
    return reader, nn.LSTMCell(2 * dimension, dimension).double()


def naive_cell(x: Any, hidden: Any, memory: Any, weights: Any) -> tuple[Any, Any]:
    """Return the next state of an LSTM (Hochreiter and Schmidhuber 1997) from torch's stacked weights."""
    w_ih, w_hh, b_ih, b_hh = weights
    i, f, g, o = (w_ih @ x + b_ih + w_hh @ hidden + b_hh).chunk(4)
    memory = f.sigmoid() * memory + i.sigmoid() * g.tanh()
    return o.sigmoid() * memory.tanh(), memory


def naive_reading(support: torch.Tensor, reader: nn.LSTM) -> torch.Tensor:
    """Return g(x, S), one example after the other, in both directions."""
    rows = support.clone()
    for suffix, order in (("", range(len(support))), ("_reverse", reversed(range(len(support))))):
        weights = [
            getattr(reader, f"{name}_l0{suffix}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
        hidden = memory = torch.zeros(support.shape[1], dtype=DOUBLE)
        for place in order:
            hidden, memory = naive_cell(support[place], hidden, memory, weights)
            rows[place] += hidden
    return rows


def naive_looking(query: torch.Tensor, context: torch.Tensor, cell: nn.LSTMCell, steps: int) -> torch.Tensor:
    """Return f(x, S), one query after the other."""
    weights = (cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh)
    rows = []
    for picture in query:
        hidden, memory = picture, torch.zeros_like(picture)
        for _ in range(steps):
            shares = torch.stack([(hidden @ example).exp() for example in context])
            read = sum(share * example for share, example in zip(shares / shares.sum(), context, strict=True))
            hidden, memory = naive_cell(torch.cat([picture, read]), hidden, memory, weights)
            hidden = hidden + picture
        rows.append(hidden)
    return torch.stack(rows)


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_the_contexts_are_not_those_of_the_paper(steps: int) -> None:
    reader, cell = recurrent(4)
    support, query = normal(5, 4), normal(3, 4, seed=1)
    with torch.no_grad():
        context = support_context(support, reader)
        torch.testing.assert_close(context, naive_reading(support, reader))
        looked = query_context(query, context, cell, steps)
        torch.testing.assert_close(looked, naive_looking(query, context, cell, steps))


def test_contexts_with_weights_of_zero_change_an_example() -> None:
    # All gates at 1/2 and a candidate of 0: the states stay at 0, and only the skip connection is left.
    reader, cell = recurrent(4)
    for parameter in (*reader.parameters(), *cell.parameters()):
        nn.init.zeros_(parameter)
    support, query = normal(5, 4), normal(3, 4, seed=1)
    assert torch.equal(support_context(support, reader), support)
    assert torch.equal(query_context(query, support, cell, 3), query)


def test_a_query_depends_on_the_order_in_which_it_looks() -> None:
    _, cell = recurrent(4)
    support, query = normal(5, 4), normal(3, 4, seed=1)
    torch.testing.assert_close(
        query_context(query, support.flip(0), cell, 3), query_context(query, support, cell, 3)
    )


def test_the_context_ignores_the_order_it_is_documented_to_have() -> None:
    reader, _ = recurrent(4)
    support = normal(5, 4)
    assert not torch.allclose(
        support_context(support.flip(0), reader).flip(0), support_context(support, reader)
    )


def test_without_contexts_the_order_of_the_examples_decides() -> None:
    head = MatchingHead(6, contexts=False).double()
    support, query, labels = normal(5, 6), normal(3, 6, seed=1), torch.tensor([0, 1, 0, 1, 2])
    expected = head.scores(support, labels, query, 3)
    torch.testing.assert_close(head.scores(support.flip(0), labels.flip(0), query, 3), expected)


def test_gradients_of_attention_are_wrong() -> None:
    labels = torch.tensor([0, 1, 1, 0])
    query, support = normal(2, 3).requires_grad_(), normal(4, 3, seed=1).requires_grad_()
    scale = torch.tensor(7.0, dtype=DOUBLE, requires_grad=True)
    assert gradcheck(lambda q, s, t: attention_scores(q, s, labels, 3, t)[:, :2], (query, support, scale))
    assert gradcheck(lambda v: class_log_mean_exp(v, labels, 2), (normal(3, 4).requires_grad_(),))
    assert gradcheck(lambda v: soft_maximum(v, labels, 2, 0.3), (normal(3, 4).requires_grad_(),))


def test_gradients_of_contexts_are_wrong() -> None:
    reader, cell = recurrent(3)
    query, support = normal(2, 3).requires_grad_(), normal(4, 3, seed=1).requires_grad_()
    assert gradcheck(lambda s: support_context(s, reader), (support,))
    assert gradcheck(lambda q, s: query_context(q, s, cell, 2), (query, support))


def peer(dimension: int, reader: Any, cell: Any) -> Any:
    methods = pytest.importorskip("easyfsl.methods")
    return methods.MatchingNetworks(
        nn.Identity(), feature_dimension=dimension, support_encoder=reader, query_encoder=cell
    )


def test_contexts_and_attention_differ_from_easyfsl() -> None:
    reader, cell = (module.float() for module in recurrent(8))
    support, query = normal(6, 8).float(), normal(5, 8, seed=1).float()
    labels = torch.tensor([0, 2, 1, 1, 0, 2])
    model = peer(8, lambda batch: (reader(batch[0])[0].unsqueeze(0),), cell)
    with torch.no_grad():
        model.process_support_set(support, labels)
        theirs = model(query)
        context = support_context(support, reader)
        torch.testing.assert_close(context, model.contextualized_support_features, atol=1e-5, rtol=0)
        looked = query_context(query, context, cell, len(support))  # it looks once for each example
        torch.testing.assert_close(looked, model.encode_query_features(query), atol=1e-5, rtol=0)
        # It leaves the length of the query in: our scale, one query at a time.
        for place in range(len(query)):
            ours = attention_scores(looked[[place]], context, labels, 3, float(looked[place].norm()))
            torch.testing.assert_close(ours.exp() + 1e-6, theirs[[place]].exp(), atol=1e-5, rtol=0)


def test_attention_without_contexts_differs_from_easyfsl() -> None:
    support, query = normal(6, 8).float(), nn.functional.normalize(normal(5, 8, seed=1).float(), dim=1)
    labels = torch.tensor([0, 2, 1, 1, 0, 2])
    model = peer(
        8, lambda batch: (torch.zeros(1, batch.shape[1], 16),), lambda x, _: (torch.zeros(len(x), 8),) * 2
    )
    model.process_support_set(support, labels)
    torch.testing.assert_close(
        (attention_scores(query, support, labels, 3).exp() + 1e-6).log(), model(query), atol=1e-5, rtol=0
    )


def test_the_learner_answers_otherwise_than_attention(world: World) -> None:
    support, query, asked = world([4, 2, 5])
    classifier = Matching(default_temperature=0.1).fit(support)
    prediction = classifier.predict(query)
    assert float((prediction.probabilities.argmax(1) == asked).double().mean()) > 0.95
    assert classifier.sharpness == pytest.approx(0.3)
    expected = attention_scores(query, support.embeddings, support.labels, 3, classifier.unit / 0.3)
    torch.testing.assert_close((prediction.scores / 0.3).log_softmax(1), expected, rtol=1e-4, atol=1e-3)


def test_a_difference_of_scores_is_not_one_of_squared_distances() -> None:
    # Pictures of length 3 at right angles: a squared distance of 18 apart.
    support = SupportSet(3 * torch.eye(2), torch.tensor([0, 1]), ("a", "b"))
    classifier = Matching(default_temperature=2.0).fit(support)
    scores = classifier.predict(support.embeddings).scores
    torch.testing.assert_close(scores[:, 0] - scores[:, 1], torch.tensor([18.0, -18.0]))
    assert classifier.temperature == pytest.approx(6.0)  # three times that of five shots


def test_the_distances_are_not_those_of_the_nearest_examples() -> None:
    support = SupportSet(
        torch.tensor([[2.0, 0.0], [1.0, 1.0], [0.0, 3.0]]), torch.tensor([0, 0, 1]), ("a", "b")
    )
    distances = Matching().fit(support).predict(torch.tensor([[5.0, 0.0], [-1.0, 0.0]])).distances
    expected = torch.tensor([[0.0, 1.0], [1 + math.sqrt(0.5), 1.0]])
    torch.testing.assert_close(distances, expected)


def test_a_left_out_example_answers_for_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    support, _, _ = world([2, 3, 5, 1], dtype=DOUBLE, noise=1.5)
    seen: list[torch.Tensor] = []
    genuine = calibration.fit_temperature

    def listen(scores: torch.Tensor, *others: Any) -> float:
        seen.append(scores)
        return genuine(scores, *others)

    monkeypatch.setattr(calibration, "fit_temperature", listen)
    classifier = Matching(default_temperature=0.3).fit(support)
    rows = []
    for place in range(10):
        keep = torch.arange(11) != place
        values = classifier.unit * cosine_logits(support.embeddings[[place]], support.embeddings[keep])
        rows.append(soft_maximum(values, support.labels[keep], 4, classifier.sharpness))
    torch.testing.assert_close(seen[0], torch.cat(rows))


def test_the_length_of_a_query_changes_the_answer(world: World) -> None:
    support, query, _ = world([3, 3])
    classifier = Matching(default_temperature=0.2).fit(support)
    torch.testing.assert_close(
        classifier.predict(3 * query).probabilities, classifier.predict(query).probabilities
    )


def test_examples_of_length_zero_give_no_number() -> None:
    support = SupportSet(torch.zeros(4, 3), torch.tensor([0, 0, 1, 1]), ("a", "b"))
    prediction = Matching().fit(support).predict(torch.ones(2, 3))
    torch.testing.assert_close(prediction.probabilities, torch.full((2, 2), 0.5))
