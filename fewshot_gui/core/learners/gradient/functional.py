"""Adaptation as a function: initial weights and a loss in, the weights after each step out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import torch
from torch import Tensor
from torch.func import functional_call, grad_and_value
from torch.nn import functional

if TYPE_CHECKING:
    from torch import nn

Params: TypeAlias = dict[str, Tensor]
Model: TypeAlias = Callable[[Params, Tensor], Tensor]
"""From parameters and images (B, C, H, W) to logits or embeddings (B, D)."""

SlopeOf: TypeAlias = Callable[[Callable[[Params], Tensor]], Callable[[Params], tuple[Params, Tensor]]]
"""From a loss to the function that gives its gradients and its value."""

NETWORK = "network."


class UpdateRule(Protocol):
    """From the gradients of a step to the next weights; whatever it remembers goes in and comes out."""

    def start(self, fast: Params) -> Params:
        """Return what is remembered before the first step."""

    def update(
        self, step: int, meta: Params, fast: Params, gradients: Params, loss: Tensor, memory: Params
    ) -> tuple[Params, Params]:
        """Return the weights after a step, and what is remembered.

        Args:
            step: its number, from 0.
            meta: what was meta-learned: rates and the like.
            fast: the weights before the step.
            gradients: of the loss, for each of them.
            loss: scalar, before the step.
            memory: of `start`, or of the step before.
        """


@dataclass(frozen=True, slots=True, eq=False)
class NetworkFunction:
    """A network as a function of its parameters, which are named "network." and their own name.

    Other parameters are passed over; those that are missing are the network's own, as are its buffers.

    Attributes:
        network: never changed.
    """

    network: nn.Module

    def __call__(self, params: Params, images: Tensor) -> Tensor:
        """Return the embeddings (B, D) of images (B, C, H, W)."""
        own = {key.removeprefix(NETWORK): value for key, value in params.items() if key.startswith(NETWORK)}
        embeddings: Tensor = functional_call(self.network, own, (images,))
        return embeddings


def functional_network(network: nn.Module) -> NetworkFunction:
    """Return the network as a function of its parameters."""
    return NetworkFunction(network)


def network_params(network: nn.Module) -> Params:
    """Return the network's parameters, detached, named as `functional_network` expects them."""
    return {NETWORK + key: value.detach() for key, value in network.named_parameters()}


class _Descent:
    """Gradient descent with one rate, or one rate a weight."""

    def __init__(self, lr: float | Params) -> None:
        self._lr = lr

    def start(self, fast: Params) -> Params:  # noqa: ARG002 - part of the interface
        """Return nothing: it remembers nothing."""
        return {}

    def update(
        self,
        step: int,  # noqa: ARG002 - part of the interface
        meta: Params,  # noqa: ARG002 - part of the interface
        fast: Params,
        gradients: Params,
        loss: Tensor,  # noqa: ARG002 - part of the interface
        memory: Params,
    ) -> tuple[Params, Params]:
        """Return the weights less rate times gradient."""
        rate = self._lr
        stepped = {
            key: value - (rate[key] if isinstance(rate, dict) else rate) * gradients[key]
            for key, value in fast.items()
        }
        return stepped, memory


def adapt(
    model: Model,
    params: Params,
    x: Tensor,
    y: Tensor,
    *,
    steps: int,
    lr: float | Params,
    first_order: bool = False,
) -> Params:
    """Return the parameters after gradient steps on the cross-entropy of a support set.

    Differentiable with respect to `params`, and to `lr` where that is a dict of tensors: through the steps'
    own gradients too (second order), unless `first_order`. Finn, Abbeel and Levine 2017, "Model-agnostic
    meta-learning for fast adaptation of deep networks"; with learned rates Li et al. 2017, "Meta-SGD".

    Args:
        model: from parameters and images to logits (B, N).
        params: all of them are adapted.
        x: float (S, C, H, W).
        y: int64 (S,), 0 .. N - 1.
        steps: 0 or more.
        lr: one rate for all, or a tensor for each parameter that broadcasts to it.
        first_order: take the gradients of the steps for constants.
    """

    def loss(fast: Params) -> Tensor:
        return functional.cross_entropy(model(fast, x), y)

    return adaptation(loss, params, {}, _Descent(lr), steps=steps, first_order=first_order)[-1]


def adaptation(
    loss: Callable[[Params], Tensor],
    fast: Params,
    meta: Params,
    rule: UpdateRule,
    *,
    steps: int,
    first_order: bool,
    slope_of: SlopeOf | None = None,
) -> list[Params]:
    """Return the weights after 0, 1, ... `steps` updates by a rule: steps + 1 dictionaries.

    Args:
        loss: a scalar of the weights.
        fast: the weights that are adapted, as they are at first.
        meta: handed to the rule.
        rule: makes the next weights.
        steps: 0 or more.
        first_order: take the gradients and losses of the steps for constants.
        slope_of: how to differentiate; by default by torch.func, which vmap can batch.
    """
    slope_of = slope_of or grad_and_value
    memory = rule.start(fast)
    path = [fast]
    for step in range(steps):
        gradients, value = slope_of(loss)(_detached(fast) if first_order else fast)
        if first_order:
            gradients, value = _detached(gradients), value.detach()
        fast, memory = rule.update(step, meta, fast, gradients, value, memory)
        path.append(fast)
    return path


def recorded_slope(
    loss: Callable[[Params], Tensor], *, again: bool = True
) -> Callable[[Params], tuple[Params, Tensor]]:
    """Return what torch.func.grad_and_value does, by the recorded graph: faster, but not for vmap.

    torch.func makes a class for each call of a custom function: a tenth of a meta-step at 28 x 28.

    Args:
        loss: a scalar of the weights.
        again: the gradients can be differentiated in turn.
    """

    def slope(fast: Params) -> tuple[Params, Tensor]:
        # A view of each, as one may be a function of another: a head of prototypes is one of the network.
        inputs = {
            key: value.view_as(value) if value.requires_grad else value.detach().requires_grad_()
            for key, value in fast.items()
        }
        value = loss(inputs)
        gradients = torch.autograd.grad(
            value, list(inputs.values()), create_graph=again, allow_unused=True, materialize_grads=True
        )
        return dict(zip(inputs, gradients, strict=True)), value

    return slope


def _detached(params: Params) -> Params:
    return {key: value.detach() for key, value in params.items()}


def class_means(embeddings: Tensor, labels: Tensor, ways: int) -> Tensor:
    """Return (N, D), the mean of each class of embeddings (S, D), in a form that vmap can batch.

    Args:
        embeddings: float (S, D).
        labels: int64 (S,); a class without examples gets zeros.
        ways: N.
    """
    member = (labels == torch.arange(ways, device=labels.device).unsqueeze(1)).to(embeddings.dtype)
    return member @ embeddings / member.sum(1, keepdim=True).clamp(min=1)
