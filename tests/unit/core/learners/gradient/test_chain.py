"""The written-out derivatives of plain networks against autograd's."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

from fewshot_gui.core.backbones.networks import Conv4
from fewshot_gui.core.learners.gradient.chain_slope import Chain, Pass
from fewshot_gui.core.learners.gradient.functional import (
    functional_network,
    network_params,
    recorded_slope,
)
from fewshot_gui.core.learners.gradient.methods import build_method
from fewshot_gui.core.learners.gradient.pieces import slope
from fewshot_gui.core.learners.gradient.start import head_logits

if TYPE_CHECKING:
    from fewshot_gui.core.learners.gradient.functional import Params, SlopeOf

WAYS, SIDE = 3, 12


def conv(inputs: int = 3, **settings: Any) -> nn.Conv2d:
    return nn.Conv2d(inputs, 3, 3, padding=1, **settings)


def task_norm() -> nn.BatchNorm2d:
    return nn.BatchNorm2d(3, track_running_stats=False)


NETWORKS = {
    "pool before relu": lambda: [conv(1), nn.MaxPool2d(2), nn.ReLU(), conv(), nn.MaxPool2d(2)],
    "relu before pool": lambda: [conv(1), nn.ReLU(), nn.MaxPool2d(2), conv(), nn.ReLU()],
    "norms of the task": lambda: [
        *(conv(1, bias=False), task_norm(), nn.MaxPool2d(2), nn.ReLU(inplace=True)),
        *(conv(), task_norm(), nn.ReLU()),
    ],
    "overlapping windows, strides": lambda: [
        *(conv(1, stride=2), nn.Identity(), nn.MaxPool2d(3, 2, 1)),
        *(conv(dilation=2), nn.MaxPool2d(2, ceil_mode=True)),
    ],
    "two pools in a row": lambda: [conv(1), nn.MaxPool2d(2), nn.MaxPool2d(3, 1), nn.ReLU(), nn.Flatten()],
}  # fmt: skip


def drawn(modules: list[nn.Module]) -> tuple[nn.Sequential, Params, torch.Tensor, torch.Tensor]:
    torch.manual_seed(2)
    network = nn.Sequential(*modules).double()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.5)
    images = torch.randn(7, 1, SIDE, SIDE, dtype=torch.float64)
    width = network(images).flatten(1).shape[1]
    head = {"head.weight": torch.randn(WAYS, width), "head.bias": torch.randn(WAYS)}
    params = {**network_params(network), **{key: value.double() for key, value in head.items()}}
    return network, params, images, torch.tensor([0, 1, 2, 0, 1, 2, 2])


def loss_after_a_step(
    slope_of: SlopeOf, params: Params, images: torch.Tensor, labels: torch.Tensor, network: nn.Module
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Return something of the loss and of every gradient, and its gradient by every weight."""
    model = functional_network(network)
    leaf = {key: value.clone().requires_grad_() for key, value in params.items()}

    def loss(fast: Params) -> torch.Tensor:
        logits = head_logits(fast, model(fast, images).flatten(1))
        return nn.functional.cross_entropy(logits, labels)

    gradients, value = slope_of(loss)(leaf)
    terms = [(gradients[key] * params[key]).sum() + gradients[key].sin().sum() for key in params]
    said = value * 1.5 + torch.stack(terms).sum()
    return said, dict(zip(leaf, torch.autograd.grad(said, list(leaf.values())), strict=True))


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_second_derivative_is_that_of_autograd(kind: str) -> None:
    network, params, images, labels = drawn(NETWORKS[kind]())
    chain = Chain.of(functional_network(network), images)
    assert chain is not None
    ours = loss_after_a_step(chain.slope_of(images, labels), params, images, labels, network)
    theirs = loss_after_a_step(recorded_slope, params, images, labels, network)

    torch.testing.assert_close(ours[0], theirs[0], rtol=1e-12, atol=0)
    for key, expected in theirs[1].items():
        torch.testing.assert_close(ours[1][key], expected, rtol=1e-9, atol=1e-12, msg=key)


@pytest.mark.parametrize("kind", [kind for kind in NETWORKS if kind != "norms of the task"])
@pytest.mark.parametrize("at_once", [2, 7])
def test_the_slope_in_pieces_is_that_of_the_model(kind: str, at_once: int) -> None:
    network, params, images, labels = drawn(NETWORKS[kind]())
    model = functional_network(network)
    if not isinstance(network[-1], nn.Flatten):
        model = functional_network(nn.Sequential(*network, nn.Flatten()))
    chain = Chain.of(model, images)
    assert chain is not None
    wanted = tuple(params)
    ours = slope(chain, params, wanted, images, labels, at_once=at_once)
    theirs = slope(model, params, wanted, images, labels, at_once=at_once)

    torch.testing.assert_close(ours.loss, theirs.loss)
    torch.testing.assert_close(ours.embeddings, theirs.embeddings)
    torch.testing.assert_close(ours.logits, theirs.logits)
    for key in wanted:
        torch.testing.assert_close(ours.gradients[key], theirs.gradients[key], msg=key)


def test_it_changes_neither_pictures_nor_weights() -> None:
    network, params, images, labels = drawn(NETWORKS["pool before relu"]())
    before = images.clone(), {key: value.clone() for key, value in params.items()}
    chain = Chain.of(functional_network(network), images)
    assert chain is not None
    loss_after_a_step(chain.slope_of(images, labels), params, images, labels, network)
    assert torch.equal(images, before[0])
    assert all(torch.equal(params[key], value) for key, value in before[1].items())


def test_gradients_that_nobody_differentiates_again_have_no_graph() -> None:
    network, params, images, labels = drawn(NETWORKS["pool before relu"]())
    chain = Chain.of(functional_network(network), images)
    assert chain is not None
    leaf = {key: value.requires_grad_() for key, value in params.items()}
    gradients, loss = chain.slope_of(images, labels, again=False)(lambda _fast: torch.zeros(()))(leaf)
    assert set(gradients) == set(params)
    assert not loss.requires_grad
    assert not any(gradient.requires_grad for gradient in gradients.values())


def test_what_a_pass_keeps_goes_when_the_last_of_its_results_does(
    tiny_network: Any, draw_tasks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A result that holds the node that holds it kept 250 MB a meta-step until Python looked for cycles."""
    passes: list[weakref.ref[torch.Tensor]] = []
    of_chain = Chain.pass_of

    def watched(*arguments: Any) -> Pass:
        made = of_chain(*arguments)
        passes.append(weakref.ref(made.maps))
        return made

    monkeypatch.setattr(Chain, "pass_of", watched)
    network, method = tiny_network(), build_method("maml", {"steps": 2})
    gc.disable()
    try:
        method.meta_step(functional_network(network), network_params(network), draw_tasks(count=2))
        alive = [one for one in passes if one() is not None]
    finally:
        gc.enable()
    assert len(passes) == 2 * (2 + 1)
    assert not alive


class Turned(nn.Sequential):
    """Calls its modules from the last to the first."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        for module in reversed(self):
            images = module(images)
        return images


@pytest.mark.parametrize(
    "network",
    [
        Turned(conv(), conv()),
        nn.Sequential(conv(1), Turned(conv(), conv())),
        nn.Sequential(conv(1), nn.BatchNorm2d(3)),
        nn.Sequential(conv(1), nn.Dropout(0.5)),
        nn.Sequential(conv(1), nn.Flatten(), nn.Linear(12, 3)),
        nn.Sequential(nn.ReLU(), conv(1)),
        nn.Conv2d(1, 3, 3, padding="same"),
        nn.Sequential(nn.Conv2d(1, 3, 3, padding=1, padding_mode="reflect")),
        Conv4(1, 3),
        nn.Sequential(),
    ],
)
def test_what_is_no_plain_chain_is_left_to_autograd(network: nn.Module) -> None:
    assert Chain.of(functional_network(network), torch.zeros(1, 1, 8, 8)) is None


def test_a_function_of_another_kind_is_left_to_autograd() -> None:
    assert Chain.of(lambda _params, images: images, torch.zeros(1, 1, 8, 8)) is None


def test_a_module_used_twice_is_called_twice() -> None:
    relu = nn.ReLU()
    chain = Chain.of(functional_network(nn.Sequential(conv(1), relu, conv(), relu)), torch.zeros(1, 1, 8, 8))
    assert chain is not None
    assert len(chain.layers) == 4
    assert not chain.uses_batch_statistics


@pytest.mark.parametrize("norm", ["none", "task"])
def test_the_four_layers_are_a_chain(norm: str) -> None:
    network = Conv4(1, 8, norm=norm)
    chain = Chain.of(functional_network(network), torch.zeros(1, 1, 28, 28))
    assert chain is not None
    assert {name for layer in chain.layers for name in layer.names} == set(network_params(network))
    assert chain.uses_batch_statistics == (norm == "task")
