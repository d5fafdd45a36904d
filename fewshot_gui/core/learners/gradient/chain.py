"""The layers of a plain network with their derivatives written out, first and second.

A gradient that is to be differentiated again costs autograd, at 28 x 28, half of its convolutions' time in
bookkeeping: nodes of Python, zeros for inputs that do not matter, sums in mixed memory layouts. A chain needs
none of that. Every layer here knows four things: its value, its gradient, and how both change when its
input and its weights change along a given direction (Pearlmutter 1994, "Fast exact multiplication by the
Hessian"). All maps lie channels-last, as on a CPU that is fastest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import torch
from torch import Tensor, nn

from fewshot_gui.core.learners.gradient.convolution import channels_last, convolved, taken_back

if TYPE_CHECKING:
    from collections.abc import Sequence

_pooled = torch.ops.aten.max_pool2d_with_indices.default
_scattered = torch.ops.aten.max_pool2d_with_indices_backward.default
_into = torch.ops.aten.max_pool2d_with_indices_backward.grad_input
_above = torch.ops.aten.threshold_backward.default

Weights: TypeAlias = tuple[Tensor, ...]
Kept: TypeAlias = tuple[Tensor, ...]
"""What a layer keeps of its forward pass, or of how that changes."""


class Layer(Protocol):
    """A layer of a chain, with its weights handed to it."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its weights, in the order in which it takes them."""

    def forward(self, x: Tensor, weights: Weights) -> tuple[Tensor, Kept]:
        """Return the layer's value (B, C, H, W), and what the other passes need."""

    def backward(
        self, grad: Tensor, kept: Kept, weights: Weights, *, first: bool
    ) -> tuple[Tensor | None, Weights]:
        """Return the gradients of the input, None where the layer is the `first`, and of the weights."""

    def change(
        self, dx: Tensor | None, kept: Kept, weights: Weights, dweights: Weights
    ) -> tuple[Tensor, Kept]:
        """Return how the value changes with the input (None: it does not) and the weights."""

    def change_backward(
        self, grad: Tensor, dgrad: Tensor, kept: Kept, dkept: Kept, weights: Weights, dweights: Weights,
        *, first: bool,
    ) -> tuple[Tensor | None, Weights]:  # fmt: skip
        """Return how the gradients of `backward` change."""


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution, padded with zeros.

    Attributes:
        names: of the kernels and, where there is one, the bias.
        numbers: stride, padding, dilation and groups.
    """

    names: tuple[str, ...]
    numbers: tuple[Any, ...]

    def forward(self, x: Tensor, weights: Weights) -> tuple[Tensor, Kept]:
        """Return the convolution; the input is kept."""
        return convolved(x, weights[0], self._bias(weights), self.numbers), (x,)

    def backward(
        self, grad: Tensor, kept: Kept, weights: Weights, *, first: bool
    ) -> tuple[Tensor | None, Weights]:
        """Return the gradients of input, kernels and bias."""
        return self._gradients(grad, kept[0], weights[0], (not first, True, len(weights) > 1))

    def change(
        self, dx: Tensor | None, kept: Kept, weights: Weights, dweights: Weights
    ) -> tuple[Tensor, Kept]:
        """Return d(x * w + b) = dx * w + x * dw + db."""
        changed = convolved(kept[0], dweights[0], self._bias(dweights), self.numbers)
        if dx is None:
            return changed, ()
        return changed.add_(convolved(dx, weights[0], None, self.numbers)), (dx,)

    def change_backward(
        self, grad: Tensor, dgrad: Tensor, kept: Kept, dkept: Kept, weights: Weights, dweights: Weights,
        *, first: bool,
    ) -> tuple[Tensor | None, Weights]:  # fmt: skip
        """Return the gradients along dgrad with what was, and those along grad with what changed."""
        of_x, changed = self.backward(dgrad, kept, weights, first=first)
        if not dkept:
            return of_x, changed
        of_dx, (of_kernels,) = self._gradients(grad, dkept[0], dweights[0], (not first, True, False))
        changed[0].add_(of_kernels)
        if of_x is not None and of_dx is not None:
            of_x.add_(of_dx)
        return of_x, changed

    @staticmethod
    def _bias(weights: Weights) -> Tensor | None:
        return weights[1] if len(weights) > 1 else None

    def _gradients(
        self, grad: Tensor, x: Tensor, kernels: Tensor, wanted: tuple[bool, bool, bool]
    ) -> tuple[Tensor | None, Weights]:
        of_x, *of_weights = taken_back(grad, x, kernels, self.numbers, wanted)
        return of_x, tuple(gradient for gradient in of_weights if gradient is not None)


@dataclass(frozen=True, slots=True)
class TaskNorm:
    """A batch norm with the statistics of its batch (Ioffe and Szegedy 2015).

    Attributes:
        names: of scale and shift.
        epsilon: added to the variance.
    """

    names: tuple[str, ...]
    epsilon: float

    def forward(self, x: Tensor, weights: Weights) -> tuple[Tensor, Kept]:
        """Return scale * n + shift, n the normalised input; n and 1 / deviation are kept."""
        scale, shift = weights
        normal, _, per_unit = torch.native_batch_norm(
            x, None, None, None, None, True, 0.0, self.epsilon  # noqa: FBT003 - in training
        )  # fmt: skip
        return _maps(torch.addcmul(shift, _rows(normal), scale), x), (normal, per_unit)

    def backward(
        self, grad: Tensor, kept: Kept, weights: Weights, *, first: bool  # noqa: ARG002 - never the first
    ) -> tuple[Tensor | None, Weights]:  # fmt: skip
        """Return scale / deviation * (g - mean g - n mean(g n)), and the sums of g n and g."""
        normal, per_unit = kept
        g, n = _rows(grad), _rows(normal)
        products = g * n
        of_scale, of_shift = products.sum(0), g.sum(0)
        # In the memory of the products: that of 75 pictures would have to come from the system again.
        u = torch.addcmul(g, n, of_scale, value=-1 / len(g), out=products).sub_(of_shift / len(g))
        return _maps(u.mul_(weights[0] * per_unit), grad), (of_scale, of_shift)

    def change(
        self, dx: Tensor | None, kept: Kept, weights: Weights, dweights: Weights
    ) -> tuple[Tensor, Kept]:
        """Return d(scale) n + scale dn + d(shift); dn = (dx - mean dx - n s) / deviation, s = mean(n dx)."""
        assert dx is not None
        normal, per_unit = kept
        d, n = _rows(dx), _rows(normal)
        share = (d * n).sum(0) / len(d)
        dn = torch.addcmul(d - d.sum(0) / len(d), n, share, value=-1).mul_(per_unit)
        changed = torch.addcmul(dweights[1], n, dweights[0]).addcmul_(dn, weights[0])
        return _maps(changed, dx), (_maps(dn, dx), share)

    def change_backward(
        self, grad: Tensor, dgrad: Tensor, kept: Kept, dkept: Kept, weights: Weights, dweights: Weights,
        *, first: bool,  # noqa: ARG002 - never the first
    ) -> tuple[Tensor | None, Weights]:  # fmt: skip
        """Return how `backward` changes, by the rule of products; 1 / deviation by -s / deviation^2."""
        (normal, per_unit), (dnormal, share) = kept, dkept
        g, dg, n, dn = _rows(grad), _rows(dgrad), _rows(normal), _rows(dnormal)
        count = len(g)
        of_scale, of_shift = (g * n).sum(0), g.sum(0)
        changed_scale, changed_shift = (dg * n).sum(0) + (g * dn).sum(0), dg.sum(0)
        scale = weights[0] * per_unit
        dscale = dweights[0] * per_unit - scale * per_unit * share
        # d(scale u) = dscale (g - mean g - n mean(g n)) + scale (dg - mean dg - dn mean(g n) - n d mean(g n))
        constant = -(dscale * of_shift + scale * changed_shift) / count
        by_n = -(dscale * of_scale + scale * changed_scale) / count
        changed = torch.addcmul(constant, g, dscale).addcmul_(dg, scale).addcmul_(n, by_n)
        changed.addcmul_(dn, scale * of_scale / -count)
        return _maps(changed, grad), (changed_scale, changed_shift)


@dataclass(frozen=True, slots=True)
class MaxPool:
    """A maximum over windows.

    Attributes:
        numbers: side of the window, stride, padding, dilation, and whether the last window may be cut.
        overwrites: its gradient may lie where its input was, as no other layer keeps that; once.
    """

    numbers: tuple[Any, ...]
    overwrites: bool
    names: tuple[str, ...] = ()

    def forward(self, x: Tensor, weights: Weights) -> tuple[Tensor, Kept]:  # noqa: ARG002 - part of the interface
        """Return the maxima; the input and where they were is kept."""
        values, places = _pooled(x, *self.numbers)
        return values, (x, places)

    def backward(
        self, grad: Tensor, kept: Kept, weights: Weights, *, first: bool  # noqa: ARG002 - part of the interface
    ) -> tuple[Tensor | None, Weights]:  # fmt: skip
        """Return the gradients, each where its maximum was."""
        x, places = kept
        if not self.overwrites:
            return _scattered(channels_last(grad), x, *self.numbers, places), ()
        # Of the input only the shape is needed any more, and fresh memory costs more than the zeros.
        _into(channels_last(grad), x, *self.numbers, places, grad_input=x)
        return x, ()

    def change(
        self, dx: Tensor | None, kept: Kept, weights: Weights, dweights: Weights  # noqa: ARG002 - part of the interface
    ) -> tuple[Tensor, Kept]:  # fmt: skip
        """Return the changes where the maxima were."""
        assert dx is not None
        places = kept[1]
        here = places.permute(0, 2, 3, 1).flatten(1, 2)
        taken = dx.permute(0, 2, 3, 1).flatten(1, 2).gather(1, here)
        return _maps(taken, places), ()

    def change_backward(
        self, grad: Tensor, dgrad: Tensor, kept: Kept, dkept: Kept, weights: Weights, dweights: Weights,  # noqa: ARG002 - part of the interface
        *, first: bool,  # noqa: ARG002 - never the first
    ) -> tuple[Tensor | None, Weights]:  # fmt: skip
        """Return the changes of the gradients: the maxima stay where they were."""
        x, places = kept
        changed: Tensor = _scattered(channels_last(dgrad), x, *self.numbers, places)
        return changed, ()


@dataclass(frozen=True, slots=True)
class Relu:
    """What is above zero."""

    names: tuple[str, ...] = ()

    def forward(self, x: Tensor, weights: Weights) -> tuple[Tensor, Kept]:  # noqa: ARG002 - part of the interface
        """Return the positive part, which is kept."""
        value = x.relu()
        return value, (value,)

    def backward(
        self, grad: Tensor, kept: Kept, weights: Weights, *, first: bool  # noqa: ARG002 - part of the interface
    ) -> tuple[Tensor | None, Weights]:  # fmt: skip
        """Return the gradients where the value is above zero."""
        of_x: Tensor = _above(channels_last(grad), kept[0], 0)
        return of_x, ()

    def change(
        self, dx: Tensor | None, kept: Kept, weights: Weights, dweights: Weights  # noqa: ARG002 - part of the interface
    ) -> tuple[Tensor, Kept]:  # fmt: skip
        """Return the changes where the value is above zero."""
        assert dx is not None
        changed: Tensor = _above(dx, kept[0], 0)
        return changed, ()

    def change_backward(
        self, grad: Tensor, dgrad: Tensor, kept: Kept, dkept: Kept, weights: Weights, dweights: Weights,  # noqa: ARG002 - part of the interface
        *, first: bool,
    ) -> tuple[Tensor | None, Weights]:  # fmt: skip
        """Return the changes of the gradients where the value is above zero."""
        return self.backward(dgrad, kept, weights, first=first)


def _rows(maps: Tensor) -> Tensor:
    """Return maps (B, C, H, W) as (B * H * W, C), without a copy where they lie channels-last."""
    return maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1])


def _maps(rows: Tensor, like: Tensor) -> Tensor:
    """Return rows (B * H * W, C), or (B, H * W, C), as maps of the shape of `like`, channels-last."""
    count, _, height, width = like.shape
    return rows.reshape(count, height, width, -1).permute(0, 3, 1, 2)


def layers_of(modules: Sequence[tuple[str, nn.Module]]) -> tuple[Layer, ...] | None:
    """Return the layers of named modules in their order; None where one is not known here."""
    layers: list[Layer] = []
    for name, module in modules:
        if isinstance(module, nn.Identity):
            continue
        layer = _layer_of(name, module, after=layers[-1] if layers else None)
        if layer is None:
            return None
        layers.append(layer)
    return tuple(layers)


def _layer_of(name: str, module: nn.Module, after: Layer | None) -> Layer | None:
    names = tuple(f"{name}.{key}" for key, _ in module.named_parameters())
    match module:
        case nn.Conv2d() if module.padding_mode == "zeros" and not isinstance(module.padding, str):
            return Convolution(names, (module.stride, module.padding, module.dilation, module.groups))
        case nn.BatchNorm2d() if module.affine and not module.track_running_stats:
            return TaskNorm(names, module.eps)
        case nn.MaxPool2d() if not module.return_indices:
            sizes = (module.kernel_size, module.stride, module.padding, module.dilation)
            overwrites = isinstance(after, Convolution | TaskNorm)
            return MaxPool((*map(_pair, sizes), module.ceil_mode), overwrites)
        case nn.ReLU():
            return Relu()
        case _:
            return None


def _pair(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else tuple(size)
