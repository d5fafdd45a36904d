"""Relation networks: by hand, against a naive derivation and against easyfsl."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck
from torch.nn import functional

from fewshot_gui.core.learners.relation import (
    RelationHead,
    class_maps,
    compared_maps,
    relation_logits,
    relation_loss,
)

DOUBLE = torch.float64
LABELS = torch.tensor([2, 0, 1, 1, 0, 2])


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def used(shape: tuple[int, int, int], **settings: Any) -> RelationHead:
    """Return a head whose batch norms have seen something, in eval mode."""
    torch.manual_seed(0)
    dimension = math.prod(shape)
    head = RelationHead(dimension, shape=shape, **settings).double()
    for seed in range(3):
        head.scores(normal(6, dimension, seed=seed), LABELS, normal(4, dimension, seed=seed + 9), 3)
    return head.eval()


def test_class_maps_by_hand() -> None:
    support, labels = (
        torch.tensor([[1.0, 2.0], [3.0, 4.0], [10.0, 0.0], [0.0, 10.0]]),
        torch.tensor([2, 2, 0, 0]),
    )
    means = torch.tensor([[5.0, 5.0], [0.0, 0.0], [2.0, 3.0]])
    assert torch.equal(class_maps(support, labels, 3), means)
    assert torch.equal(class_maps(support, labels, 3, "sum"), 2 * means)


def test_a_sum_jumps_where_one_class_has_an_example_more() -> None:
    support = torch.ones(5, 3)
    assert torch.equal(class_maps(support, torch.tensor([0, 0, 0, 1, 1]), 2, "sum"), torch.full((2, 3), 2.5))


def test_at_one_shot_sum_and_mean_differ() -> None:
    support, labels = normal(3, 4), torch.tensor([1, 0, 2])
    assert torch.equal(class_maps(support, labels, 3, "sum"), class_maps(support, labels, 3))


@pytest.mark.parametrize("kernel", [1, 3])
def test_query_and_class_are_swapped_or_mispaired(kernel: int) -> None:
    classes, query = normal(3, 2, 4, 5), normal(2, 2, 4, 5, seed=1)
    weight, bias = normal(6, 4, kernel, kernel, seed=2), normal(6, seed=3)
    found = compared_maps(classes, query, weight, bias)
    for asked in range(2):
        for way in range(3):
            pair = torch.cat([classes[way], query[asked]]).unsqueeze(0)
            naive = functional.conv2d(pair, weight, bias, padding=kernel // 2)[0]
            torch.testing.assert_close(found[asked, way], naive)


def test_comparison_by_hand() -> None:
    # A class of 2 and a query of 5 under the weights 10 and 1 and a bias of 100.
    classes, query = torch.full((1, 1, 1, 1), 2.0), torch.full((1, 1, 1, 1), 5.0)
    weight = torch.tensor([10.0, 1.0]).view(1, 2, 1, 1)
    assert compared_maps(classes, query, weight, torch.tensor([100.0])).item() == 125.0


def test_logits_come_back_in_another_order() -> None:
    compared = torch.arange(6.0).view(2, 3, 1, 1, 1)
    logits = relation_logits(compared, lambda pairs: pairs.flatten(1))
    assert torch.equal(logits, torch.arange(6.0).view(2, 3))


def test_the_loss_by_hand() -> None:
    # Scores of 1/2 are half wrong everywhere; sure and right costs nothing, sure and wrong all.
    assert float(relation_loss(torch.zeros(2, 5), torch.tensor([0, 3]))) == 0.25
    sure = torch.tensor([[50.0, -50.0]])
    assert float(relation_loss(sure, torch.tensor([0]))) == pytest.approx(0.0, abs=1e-12)
    assert float(relation_loss(sure, torch.tensor([1]))) == pytest.approx(1.0)
    assert float(RelationHead(1, shape=(1, 1, 1)).loss(sure, torch.tensor([1]))) == pytest.approx(1.0)


def naive_module(head: RelationHead, pair: torch.Tensor) -> torch.Tensor:
    """Return the score of one pair (2 C, h, w), each layer from its stored numbers."""
    state = head.state_dict()

    def block(maps: torch.Tensor, convolution: str, norm: str) -> torch.Tensor:
        maps = functional.conv2d(
            maps, state[f"{convolution}.weight"], state[f"{convolution}.bias"], padding=1
        )
        maps = functional.batch_norm(
            maps,
            *(state[f"{norm}.{name}"] for name in ("running_mean", "running_var", "weight", "bias")),
        )
        return functional.max_pool2d(maps.clamp(min=0), 2, ceil_mode=True)

    maps = block(block(pair.unsqueeze(0), "compare", "judge.0"), "judge.3", "judge.4").flatten()
    hidden = (state["judge.8.weight"] @ maps + state["judge.8.bias"]).clamp(min=0)
    return torch.sigmoid(state["judge.10.weight"] @ hidden + state["judge.10.bias"])


@pytest.mark.parametrize("shape", [(3, 4, 4), (2, 7, 5), (4, 1, 1)])
def test_the_score_is_not_that_of_the_module(shape: tuple[int, int, int]) -> None:
    head = used(shape)
    dimension = math.prod(shape)
    support, query = normal(6, dimension), normal(4, dimension, seed=1)
    with torch.no_grad():
        scores = head.scores(support, LABELS, query, 3).sigmoid()
        for way in range(3):
            centre = support[way == LABELS].mean(0).view(shape)
            for asked in range(4):
                naive = naive_module(head, torch.cat([centre, query[asked].view(shape)]))
                torch.testing.assert_close(scores[asked, way], naive[0])


def peer(channels: int, module: Any) -> Any:
    methods = pytest.importorskip("easyfsl.methods")
    return methods.RelationNetworks(nn.Identity(), feature_dimension=channels, relation_module=module)


def test_scores_differ_from_easyfsl() -> None:
    head = used((4, 6, 6)).float()
    model = peer(4, nn.Sequential(head.compare, head.judge, nn.Sigmoid())).eval()
    support, query = normal(6, 4, 6, 6).float(), normal(5, 4, 6, 6, seed=1).float()
    with torch.no_grad():
        model.process_support_set(support, LABELS)
        ours = head.scores(support.flatten(1), LABELS, query.flatten(1), 3)
        torch.testing.assert_close(ours.sigmoid(), model(query), atol=1e-5, rtol=0)


def test_scores_with_the_module_of_easyfsl_differ_from_it() -> None:
    modules = pytest.importorskip("easyfsl.modules.predesigned_modules")
    torch.manual_seed(0)
    module = modules.default_relation_module(4)
    module(torch.randn(20, 8, 10, 10))  # running statistics other than 0 and 1
    module.eval()
    first, *rest = module[0]
    support, query = normal(6, 4, 10, 10).float(), normal(5, 4, 10, 10, seed=1).float()
    model = peer(4, module).eval()
    with torch.no_grad():
        model.process_support_set(support, LABELS)
        classes = class_maps(support.flatten(1), LABELS, 3).view(3, 4, 10, 10)
        pairs = compared_maps(classes, query, first.weight, first.bias)
        ours = relation_logits(pairs, nn.Sequential(*rest, *list(module)[1:-1]))
        torch.testing.assert_close(ours.sigmoid(), model(query), atol=1e-5, rtol=0)


def test_the_gradients_are_wrong() -> None:
    classes, query = normal(2, 2, 3, 3).requires_grad_(), normal(2, 2, 3, 3, seed=1).requires_grad_()
    weight, bias = normal(1, 4, 3, 3, seed=2).requires_grad_(), normal(1, seed=3).requires_grad_()
    assert gradcheck(compared_maps, (classes, query, weight, bias))
    assert gradcheck(lambda rows: class_maps(rows, LABELS, 4, "sum"), (normal(6, 3).requires_grad_(),))
    assert gradcheck(lambda rows: relation_loss(rows, torch.tensor([0, 2])), (normal(2, 3).requires_grad_(),))
    layer = nn.Linear(4, 1).double()
    judged = normal(2, 3, 1, 2, 2).requires_grad_()
    assert gradcheck(lambda maps: relation_logits(maps, lambda rows: layer(rows.flatten(1))), (judged,))


def test_the_statistics_of_the_queries_are_used() -> None:
    head = used((2, 4, 4))
    support, query = normal(6, 32), normal(4, 32, seed=1)
    before = {name: value.clone() for name, value in head.state_dict().items()}
    with torch.no_grad():
        alone = head.scores(support, LABELS, query[:1], 3)
        crowd = torch.cat([query[:1], 100 + 30 * query[1:]])
        torch.testing.assert_close(head.scores(support, LABELS, crowd, 3)[:1], alone)
    assert all(torch.equal(value, before[name]) for name, value in head.state_dict().items())


def test_an_embedding_that_is_no_such_map_is_taken() -> None:
    with pytest.raises(ValueError, match=r"64 numbers is no feature map of \(3, 5, 5\)"):
        RelationHead(64, shape=(3, 5, 5))
