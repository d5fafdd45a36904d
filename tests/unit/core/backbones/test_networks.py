"""Networks: their shapes, and that folding batch norms away changes nothing."""

from __future__ import annotations

import pytest
import torch

from fewshot_gui.core.backbones.networks import (
    NETWORKS,
    build_network,
    fuse_batch_norms,
    generalised_mean,
)

TINY = {
    "conv4": {"kind": "conv4", "channels": 3, "width": 8},
    "resnet": {"kind": "resnet", "channels": 3, "widths": [8, 12]},
    "resnet12": {"kind": "resnet12", "channels": 3, "widths": [4, 6, 8, 10]},
}


def test_every_network_is_tested() -> None:
    assert TINY.keys() == NETWORKS.keys()


@pytest.mark.parametrize("kind", TINY)
@pytest.mark.parametrize("side", [16, 28, 33, 64])
def test_a_picture_becomes_one_row(kind: str, side: int) -> None:
    network = build_network(TINY[kind]).eval()
    assert network(torch.rand(2, 3, side, side)).shape[0] == 2
    assert network(torch.rand(2, 3, side, side)).ndim == 2


def test_conv4_gives_64_numbers_at_28_pixels() -> None:
    network = build_network({"kind": "conv4", "channels": 1, "width": 64}).eval()
    assert network(torch.rand(1, 1, 28, 28)).shape == (1, 64)


@pytest.mark.parametrize("kind", TINY)
def test_folding_batch_norms_changes_no_answer(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    network = build_network(TINY[kind])
    network.train()
    for _ in range(3):  # so that the running statistics are not those of a fresh network
        network(torch.rand(8, 3, 32, 32, generator=generator))
    network.eval()
    images = torch.rand(4, 3, 32, 32, generator=generator)
    with torch.inference_mode():
        before = network(images).clone()
        after = fuse_batch_norms(network)(images)
    assert torch.allclose(before, after, atol=1e-5)


def test_in_eval_mode_a_picture_does_not_change_its_neighbour() -> None:
    """The leak of batch norm left in train mode: the published figures of several codes rest on it."""
    network = build_network(TINY["resnet"]).eval()
    images = torch.rand(4, 3, 32, 32)
    with torch.inference_mode():
        alone, together = network(images[:1]), network(images)[:1]
    assert torch.allclose(alone, together, atol=1e-6)


def test_an_unknown_network_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="conv4, resnet, resnet12"):
        build_network({"kind": "transformer"})


def test_a_wrong_argument_is_named() -> None:
    with pytest.raises(ValueError, match="depth"):
        build_network({"kind": "conv4", "channels": 1, "depth": 3})


@pytest.mark.parametrize("pools", range(5))
def test_conv4_halves_the_side_once_for_each_pool(pools: int) -> None:
    network = build_network({"kind": "conv4", "channels": 1, "width": 4, "pools": pools}).eval()
    assert network(torch.rand(1, 1, 32, 32)).shape == (1, 4 * (32 // 2**pools) ** 2)


@pytest.mark.parametrize("pools", [2, 4])
def test_folded_batch_norms_are_the_network_without_norms(pools: int) -> None:
    """The names fit too: what was trained with batch norms can be meta-trained on without them."""
    generator = torch.Generator().manual_seed(0)
    shape = {"kind": "conv4", "channels": 3, "width": 8, "pools": pools}
    batch, none = build_network(shape), build_network({**shape, "norm": "none"}).eval()
    batch.train()(torch.rand(8, 3, 32, 32, generator=generator))
    images = torch.rand(4, 3, 32, 32, generator=generator)
    with torch.inference_mode():
        expected = batch.eval()(images).clone()
        none.load_state_dict(fuse_batch_norms(batch).state_dict())
        assert torch.allclose(none(images), expected, atol=1e-5)


def test_the_task_norm_uses_the_pictures_at_hand_in_eval_mode_too() -> None:
    network = build_network({"kind": "conv4", "channels": 3, "width": 8, "norm": "task"}).eval()
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert not torch.allclose(network(images[:2]), network(images)[:2], atol=1e-4)
    assert not [key for key in network.state_dict() if "running" in key]
    assert fuse_batch_norms(network) is network
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize("wrong", [{"norm": "layer"}, {"pools": 5}, {"pools": -1}])
def test_a_conv4_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="conv4 has norm"):
        build_network({"kind": "conv4", "channels": 1, **wrong})


def test_a_resnet_pools_its_last_stages_by_powers() -> None:
    plain = build_network({**TINY["resnet"], "embedding": 0}).eval()
    widths = TINY["resnet"]["widths"]
    powers = build_network({**TINY["resnet"], "embedding": 0, "pool_power": 3.0, "pooled_stages": 2}).eval()
    powers.load_state_dict(plain.state_dict())
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert powers(images).shape == (2, sum(widths[-2:]))
        # A mean of powers is never less than the mean.
        assert bool((powers(images)[:, -widths[-1] :] >= plain(images) - 1e-5).all())


def test_the_generalised_mean_by_hand() -> None:
    maps = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])
    assert generalised_mean(maps, 1).item() == pytest.approx(1.5)
    assert generalised_mean(maps, 2).item() == pytest.approx((14 / 4) ** 0.5)
    assert generalised_mean(maps, 60).item() == pytest.approx(3, rel=0.03)
    nothing = torch.zeros(1, 1, 2, 2, requires_grad=True)
    generalised_mean(nothing, 3).sum().backward()
    assert nothing.grad is not None
    assert bool(torch.isfinite(nothing.grad).all())


@pytest.mark.parametrize("wrong", [{"pool_power": 0.5}, {"pooled_stages": 0}, {"pooled_stages": 5}])
def test_a_resnet_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="pool_power from 1 up and 1 to 4 pooled_stages"):
        build_network({"kind": "resnet", "channels": 3, **wrong})


def test_resnet12_drops_only_in_training() -> None:
    network = build_network({**TINY["resnet12"], "drop_rate": 0.5}).eval()
    images = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        assert torch.equal(network(images), network(images))
        network.train()
        assert not torch.equal(network(images), network(images))


def test_resnet12_gives_640_numbers() -> None:
    assert build_network({"kind": "resnet12", "channels": 3}).blocks[-1].norm3.num_features == 640
