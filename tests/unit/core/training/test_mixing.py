"""Mixup: a function of its seed, blending pictures or what a block makes of them, and gone afterwards."""

from __future__ import annotations

import torch

from fewshot_gui.core.backbones.networks import build_network
from fewshot_gui.core.training.mixing import Mixed, mixed_forward


def test_a_blend_by_hand() -> None:
    mixed = Mixed(0.75, torch.tensor([1, 0]))
    assert mixed.of(torch.tensor([[0.0], [4.0]])).tolist() == [[1.0], [3.0]]


def test_a_blend_is_a_function_of_its_seed() -> None:
    one, same, other = (Mixed.drawn(8, 2.0, seed) for seed in (1, 1, 2))
    assert one.share == same.share
    assert torch.equal(one.partners, same.partners)
    assert one.share != other.share
    assert 0 <= one.share <= 1
    assert sorted(one.partners.tolist()) == list(range(8))


def test_blending_pictures_is_the_network_of_the_blend_and_leaves_nothing_behind() -> None:
    network = build_network({"kind": "conv4", "channels": 1, "width": 4}).eval()
    images = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    mixed = Mixed.drawn(4, 2.0, 0)
    with torch.no_grad():
        plain = network(images)
        with mixed_forward(network, mixed, manifold=False, seed=0):
            blended = network(images)
        assert torch.allclose(blended, network(mixed.of(images)))
        assert torch.equal(network(images), plain)
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_blending_in_the_manifold_reaches_every_block() -> None:
    network = build_network({"kind": "conv4", "channels": 1, "width": 4}).eval()
    places = set()
    for seed in range(40):
        with mixed_forward(network, Mixed.drawn(4, 2.0, seed), manifold=True, seed=seed):
            places |= {name for name, module in network.named_modules() if module._forward_pre_hooks}
    assert places == {"", "blocks.1", "blocks.2", "blocks.3"}
