"""Heads from their architecture, and the prototypical one, which has no file of its own."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck

from fewshot_gui.core.learners.heads import HEADS, HeadError, build_head
from fewshot_gui.core.learners.matching import MatchingHead
from fewshot_gui.core.learners.prototypical_head import PrototypicalHead
from fewshot_gui.core.learners.relation import RelationHead

LABELS = torch.tensor([2, 0, 1, 1, 0, 2])


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_settings_are_dropped_on_the_way() -> None:
    matching = build_head({"kind": "matching", "contexts": False, "scale": 20.0}, 8)
    assert isinstance(matching, MatchingHead)
    assert matching.reader is None
    assert matching.log_scale.exp().item() == pytest.approx(20.0)
    relation = build_head(
        {"kind": "relation", "shape": [2, 3, 4], "pooling": "sum"}, 24
    )  # a list, as JSON has
    assert isinstance(relation, RelationHead)
    assert (relation.shape, relation.pooling) == ((2, 3, 4), "sum")


def test_the_architecture_is_changed() -> None:
    architecture = {"kind": "feat", "heads": 2}
    build_head(architecture, 8)
    assert architecture == {"kind": "feat", "heads": 2}


@pytest.mark.parametrize("architecture", [{"kind": "protonet"}, {}])
def test_an_unknown_kind_does_not_list_those_there_are(architecture: dict[str, str]) -> None:
    with pytest.raises(HeadError) as caught:
        build_head(architecture, 8)
    assert repr(architecture.get("kind")) in str(caught.value)
    assert all(kind in str(caught.value) for kind in HEADS)


@pytest.mark.parametrize(
    ("architecture", "why"),
    [
        ({"kind": "matching", "stepps": 3}, "stepps"),
        ({"kind": "relation"}, "shape"),
        ({"kind": "relation", "shape": (2, 2, 2)}, "9 numbers"),
        ({"kind": "feat", "heads": 2}, "2 heads"),
    ],
)
def test_a_wrong_setting_raises_something_else(architecture: dict[str, object], why: str) -> None:
    with pytest.raises(HeadError, match=why):
        build_head(architecture, 9)


def test_prototypical_scores_by_hand() -> None:
    support, labels = torch.tensor([[0.0, 0.0], [2.0, 0.0], [5.0, 4.0]]), torch.tensor([0, 0, 1])
    scores = PrototypicalHead(2, temperature=2.0).scores(support, labels, torch.tensor([[1.0, 1.0]]), 2)
    torch.testing.assert_close(scores, torch.tensor([[-0.5, -12.5]]))


def test_prototypical_scores_differ_from_easyfsl() -> None:
    methods = pytest.importorskip("easyfsl.methods")
    model = methods.PrototypicalNetworks(nn.Identity())
    support, query = normal(6, 8).float(), normal(5, 8, seed=1).float()
    model.process_support_set(support, LABELS)
    # It answers with minus the distance, the paper and we with minus its square.
    ours = PrototypicalHead(8).scores(support, LABELS, query, 3)
    torch.testing.assert_close(-(-ours).sqrt(), model(query), atol=1e-5, rtol=0)


def test_the_temperature_is_learned_unasked_or_not_when_asked() -> None:
    assert not list(PrototypicalHead(4).parameters())
    assert "log_temperature" in PrototypicalHead(4).state_dict()
    head = PrototypicalHead(4, temperature=3.0, learned_temperature=True).double()
    head.loss(head.scores(normal(6, 4), LABELS, normal(3, 4), 3), torch.tensor([0, 1, 2])).backward()
    assert isinstance(head.log_temperature, nn.Parameter)
    assert head.log_temperature.grad is not None
    assert float(head.log_temperature.grad) != 0


def test_prototypical_gradients_are_wrong() -> None:
    head = PrototypicalHead(4, temperature=3.0).double()
    points = (normal(6, 4).requires_grad_(), normal(3, 4, seed=1).requires_grad_())
    assert gradcheck(lambda s, q: head.scores(s, LABELS, q, 3), points)
