"""Loss and gradients of a plain network by its written-out derivatives, differentiable once more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from fewshot_gui.core.learners.gradient.chain import Convolution, TaskNorm, layers_of
from fewshot_gui.core.learners.gradient.convolution import channels_last
from fewshot_gui.core.learners.gradient.functional import NETWORK, NetworkFunction
from fewshot_gui.core.learners.gradient.start import BIAS, WEIGHT, head_logits

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot_gui.core.learners.gradient.chain import Kept, Layer, Weights
    from fewshot_gui.core.learners.gradient.functional import Model, Params


@dataclass(frozen=True, slots=True)
class Chain:
    """A network that is one layer after the other, the last one's maps flattened, on a CPU.

    Attributes:
        layers: the first is a convolution.
    """

    layers: tuple[Layer, ...]

    @classmethod
    def of(cls, model: Model, images: Tensor) -> Self | None:
        """Return the chain that a model is; None where it is none, or the pictures lie elsewhere."""
        if not isinstance(model, NetworkFunction) or images.device.type != "cpu":
            return None
        every = model.network.named_modules(remove_duplicate=False)
        modules = [(name, module) for name, module in every if not _is_chain(module)]
        if not _is_chain(model.network) or not modules:
            return None
        if isinstance(modules[-1][1], nn.Flatten):
            modules.pop()
        layers = layers_of([(NETWORK + name, module) for name, module in modules])
        return cls(layers) if layers and isinstance(layers[0], Convolution) else None

    @property
    def uses_batch_statistics(self) -> bool:
        """Whether a picture's embedding depends on the others."""
        return any(isinstance(layer, TaskNorm) for layer in self.layers)

    def pass_of(self, params: Params, images: Tensor, labels: Tensor, share: float) -> Pass:
        """Return the loss of a linear layer on top and everything that its derivatives are made of.

        Args:
            params: of the network and the linear layer.
            images: float (B, C, H, W).
            labels: int64 (B,).
            share: what the cross-entropy of each picture is multiplied by; 1 / B for their mean.
        """
        with torch.no_grad():
            weights = [_laid_out(params, layer.names) for layer in self.layers]
            maps, kept = channels_last(images), []
            for layer, mine in zip(self.layers, weights, strict=True):
                maps, keeps = layer.forward(maps, mine)
                kept.append(keeps)
            embeddings = maps.flatten(1)
            logits = head_logits(params, embeddings)
            loss = functional.cross_entropy(logits, labels, reduction="sum") * share
            grad = logits.softmax(1)
            grad[torch.arange(len(labels)), labels] -= 1
            head = params[WEIGHT].detach()
            return Pass(
                self.layers, weights, kept, maps, embeddings, logits, loss, grad.mul_(share), share, head
            )

    def slope_of(
        self, images: Tensor, labels: Tensor, *, again: bool = True
    ) -> Callable[[Callable[[Params], Tensor]], Callable[[Params], tuple[Params, Tensor]]]:
        """Return how to differentiate the mean loss of these pictures: what `recorded_slope` does, faster.

        Args:
            images: float (B, C, H, W).
            labels: int64 (B,).
            again: the gradients can be differentiated in turn.
        """

        def slope(fast: Params) -> tuple[Params, Tensor]:
            if again:
                loss, *gradients = _Slope.apply(self, images, labels, tuple(fast), *fast.values())
                return dict(zip(fast, gradients, strict=True)), loss
            done = self.pass_of(fast, images, labels, 1 / len(labels))
            gradients, _ = done.gradients()
            return {key: gradients[key] for key in fast}, done.loss

        return lambda _loss: slope


def _is_chain(module: nn.Module) -> bool:
    """Return whether a module calls its own in the order of their names, and nothing else."""
    return type(module) is nn.Sequential or bool(vars(type(module)).get("is_chain", False))


def _laid_out(params: Params, names: tuple[str, ...]) -> Weights:
    values = (params[name].detach() for name in names)
    return tuple(channels_last(value) if value.ndim == 4 else value for value in values)


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """One forward pass of B pictures through D features to N classes.

    Attributes:
        layers: of the chain.
        weights: of each of them.
        kept: what each of them kept.
        maps: float (B, C, h, w), the last layer's.
        embeddings: float (B, D), the same as rows.
        logits: float (B, N).
        loss: scalar.
        of_logits: float (B, N), the loss's gradient.
        share: of each picture.
        head: float (N, D), the weights of the linear layer.
    """

    layers: tuple[Layer, ...]
    weights: list[Weights]
    kept: list[Kept]
    maps: Tensor
    embeddings: Tensor
    logits: Tensor
    loss: Tensor
    of_logits: Tensor
    share: float
    head: Tensor

    def gradients(self) -> tuple[Params, list[Tensor]]:
        """Return the gradient of each weight, and of the value of each layer."""
        found = {WEIGHT: self.of_logits.T @ self.embeddings, BIAS: self.of_logits.sum(0)}
        grad: Tensor | None = (self.of_logits @ self.head).view(self.maps.shape)
        of_values = []
        for place in reversed(range(len(self.layers))):
            assert grad is not None
            of_values.append(grad)
            layer = self.layers[place]
            grad, mine = layer.backward(grad, self.kept[place], self.weights[place], first=place == 0)
            found.update(zip(layer.names, mine, strict=True))
        return found, of_values[::-1]

    def change_of_gradients(self, along: Params, of_values: list[Tensor]) -> Params:
        """Return how the gradients change when the weights change along a direction: the Hessian times it."""
        dweights = [_laid_out(along, layer.names) for layer in self.layers]
        dmaps, dkept = None, []
        for layer, kept, mine, dmine in zip(self.layers, self.kept, self.weights, dweights, strict=True):
            dmaps, keeps = layer.change(dmaps, kept, mine, dmine)
            dkept.append(keeps)
        assert dmaps is not None
        dembeddings = dmaps.flatten(1)
        dlogits = dembeddings @ self.head.T + self.embeddings @ along[WEIGHT].T + along[BIAS]
        chances = self.logits.softmax(1)
        dof = chances * (dlogits - (chances * dlogits).sum(1, keepdim=True)) * self.share
        changed = {WEIGHT: dof.T @ self.embeddings + self.of_logits.T @ dembeddings, BIAS: dof.sum(0)}
        dgrad: Tensor | None = (dof @ self.head + self.of_logits @ along[WEIGHT]).view(self.maps.shape)
        for place in reversed(range(len(self.layers))):
            assert dgrad is not None
            layer = self.layers[place]
            dgrad, mine = layer.change_backward(
                of_values[place], dgrad, self.kept[place], dkept[place], self.weights[place],
                dweights[place], first=place == 0,
            )  # fmt: skip
            changed.update(zip(layer.names, mine, strict=True))
        return changed


class _Slope(torch.autograd.Function):
    """Loss and gradients as a function of the weights; its own gradient is the Hessian times a direction."""

    @staticmethod
    def forward(
        ctx: Any, chain: Chain, images: Tensor, labels: Tensor, names: tuple[str, ...], *values: Tensor
    ) -> tuple[Tensor, ...]:
        done = chain.pass_of(dict(zip(names, values, strict=True)), images, labels, 1 / len(labels))
        found, of_values = done.gradients()
        gradients = [found[name] for name in names]
        ctx.made, ctx.names = (done, of_values), names
        # Not the results themselves, which hold this node: it would live until Python looks for cycles, and
        # once more for each inner step. Four tasks of 30 pictures of 28 x 28 left 250 MB behind.
        ctx.gradients = [gradient.detach() for gradient in gradients]
        ctx.set_materialize_grads(False)
        return (done.loss.clone(), *gradients)

    @staticmethod
    def backward(ctx: Any, of_loss: Tensor | None, *of_gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        done, of_values = ctx.made
        along = {
            name: torch.zeros_like(gradient) if direction is None else direction
            for name, gradient, direction in zip(ctx.names, ctx.gradients, of_gradients, strict=True)
        }
        with torch.no_grad():
            changed = done.change_of_gradients(along, of_values)
            found = [changed[name] for name in ctx.names]
            if of_loss is not None:
                found = [a.add_(b * of_loss) for a, b in zip(found, ctx.gradients, strict=True)]
        return None, None, None, None, *found
