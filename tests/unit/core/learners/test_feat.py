"""FEAT: by hand, against a naive derivation, and its identities."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck
from torch.nn import functional

from fewshot_gui.core.learners.feat import FeatHead, contrastive_loss, set_attention
from fewshot_gui.core.learners.prototypical import prototypes, squared_euclidean_logits

DOUBLE = torch.float64
LABELS = torch.tensor([2, 0, 1, 1, 0, 2])


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def made(dimension: int = 4, **settings: Any) -> FeatHead:
    torch.manual_seed(0)
    return FeatHead(dimension, **settings).double()


def test_attention_by_hand() -> None:
    # Dot products 0 and 2 log 3 over sqrt(4): the shares are 1/4 and 3/4.
    queries = torch.tensor([[1.0, 0.0, 0.0, 0.0]])
    keys = torch.tensor([[0.0, 1.0, 0.0, 0.0], [2 * math.log(3), 0.0, 0.0, 0.0]])
    values = torch.tensor([[4.0, 0.0, 0.0, 8.0], [0.0, 4.0, 0.0, 8.0]])
    expected = torch.tensor([[1.0, 3.0, 0.0, 8.0]])
    torch.testing.assert_close(set_attention(queries, keys, values, 1), expected)


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_the_softmax_runs_over_another_axis_than_the_keys(heads: int) -> None:
    # Values of 1 come out as 1 only if the shares of each query sum to 1 over the keys.
    seen = set_attention(normal(4, 6), normal(5, 6, seed=1), torch.ones(5, 6, dtype=DOUBLE), heads)
    torch.testing.assert_close(seen, torch.ones(4, 6, dtype=DOUBLE))


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_the_heads_are_mixed_up(heads: int) -> None:
    queries, keys, values = normal(4, 6), normal(4, 6, seed=1), normal(4, 6, seed=2)
    present = torch.tensor([True, True, False, True])
    found = set_attention(queries, keys, values, heads, present)
    width = 6 // heads
    for point in range(4):
        for head in range(heads):
            part = slice(head * width, (head + 1) * width)
            weights = {
                other: math.exp(float(queries[point, part] @ keys[other, part]) / math.sqrt(width))
                for other in (0, 1, 3)
            }
            naive = sum(weight * values[other, part] for other, weight in weights.items())
            torch.testing.assert_close(found[point, part], naive / sum(weights.values()))


def test_it_is_not_the_attention_of_torch() -> None:
    queries, keys, values = normal(4, 6), normal(4, 6, seed=1), normal(4, 6, seed=2)
    parts = [rows.view(4, 2, 3).transpose(0, 1) for rows in (queries, keys, values)]
    theirs = functional.scaled_dot_product_attention(*parts).transpose(0, 1).reshape(4, 6)
    torch.testing.assert_close(set_attention(queries, keys, values, 2), theirs)


def test_scores_differ_from_easyfsl() -> None:
    methods = pytest.importorskip("easyfsl.methods")
    modules = pytest.importorskip("easyfsl.modules")
    head = FeatHead(8, temperature=5.0)
    attention = modules.MultiHeadAttention(1, 8, 8, 8).eval()
    for theirs, ours in (
        (attention.w_qs, head.query),
        (attention.w_ks, head.key),
        (attention.w_vs, head.value),
        (attention.fc, head.project),
    ):
        theirs.load_state_dict(ours.state_dict())
    model = methods.FEAT(nn.Identity(), attention_module=attention).eval()
    support, query = normal(6, 8).float(), normal(5, 8, seed=1).float()
    with torch.no_grad():
        model.process_support_set(support, LABELS)
        # It answers with minus the distance, we with minus its square over the temperature.
        ours = head.scores(support, LABELS, query, 3)
        torch.testing.assert_close(-(-5 * ours).sqrt(), model(query), atol=1e-4, rtol=0)


def test_without_its_projection_it_is_not_normalised_prototypes() -> None:
    head = made(temperature=2.0)
    nn.init.zeros_(head.project.weight)
    nn.init.zeros_(head.project.bias)
    support, query = normal(6, 4), normal(3, 4, seed=1)
    means = functional.layer_norm(prototypes(support, LABELS, 3), (4,))
    expected = squared_euclidean_logits(query, means) / 2
    torch.testing.assert_close(head.scores(support, LABELS, query, 3), expected)


def test_an_empty_class_is_looked_at() -> None:
    head = made()
    support, query = normal(6, 4), normal(3, 4, seed=1)
    torch.testing.assert_close(
        head.scores(support, LABELS, query, 5)[:, :3], head.scores(support, LABELS, query, 3)
    )


def test_the_other_classes_change_nothing() -> None:
    head = made()
    support, query = normal(6, 4), normal(3, 4, seed=1)
    moved = support.clone()
    moved[LABELS == 2] += 3
    first, second = (head.scores(rows, LABELS, query, 3)[:, 0] for rows in (support, moved))
    assert not torch.allclose(first, second)


def test_the_gradients_are_wrong() -> None:
    points = [normal(3, 4, seed=seed).requires_grad_() for seed in range(3)]
    present = torch.tensor([True, False, True])
    assert gradcheck(lambda q, k, v: set_attention(q, k, v, 2, present), points)
    rows = normal(6, 4).requires_grad_()
    temperature = torch.tensor(3.0, dtype=DOUBLE, requires_grad=True)
    adapt = made().adapt
    assert gradcheck(lambda x, t: contrastive_loss(x, LABELS, 3, adapt, t), (rows, temperature))


def test_the_contrastive_loss_by_hand() -> None:
    # Centres 0 and 2 of the classes {-1, 1} and {2}; the members are not adapted themselves.
    points = torch.tensor([[-1.0], [1.0], [2.0]])
    labels = torch.tensor([0, 0, 1])
    found = contrastive_loss(points, labels, 2, lambda rows: rows, 2.0)
    own = [math.log(1 + math.exp(-(9 - 1) / 2)), math.log(2), math.log(1 + math.exp(-4 / 2))]
    assert float(found) == pytest.approx(sum(own) / 3, rel=1e-6)
    shifted = contrastive_loss(points, labels, 2, lambda rows: rows + 100, 2.0)
    assert float(shifted) > 50


def test_the_regulariser_is_added_unasked_or_without_its_weight() -> None:
    support, query, targets = normal(6, 4), normal(3, 4, seed=1), torch.tensor([0, 1, 2])
    assert float(made().auxiliary_loss(support, LABELS, query, targets, 3)) == 0
    light, heavy = (
        made(balance=balance).auxiliary_loss(support, LABELS, query, targets, 3) for balance in (0.1, 0.3)
    )
    torch.testing.assert_close(3 * light, heavy)
    assert light.requires_grad
    assert float(light.detach()) > 0


def test_heads_that_do_not_divide_are_taken() -> None:
    with pytest.raises(ValueError, match="3 heads do not divide an embedding of 8"):
        FeatHead(8, heads=3)
