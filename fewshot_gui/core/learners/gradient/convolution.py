"""Convolutions whose second derivative costs a CPU what their first does.

torch's own derivative of a convolution's backward pass has convolutions whose kernels are whole feature maps.
Here it is made of the same three products as the backward pass itself. And everything lies channels-last: on
one CPU thread, with pictures of 84 x 84, max-pooling then takes a tenth, a first layer a half to a ninth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_convolution = torch.ops.aten.convolution.default
_convolution_backward = torch.ops.aten.convolution_backward.default
_NUMBERS = 4  # stride, padding, dilation, groups


class FastConvolutions(TorchFunctionMode):
    """A context in which a CPU's convolutions lie channels-last and are cheap to differentiate twice.

    The values are the same to rounding. It also notes whether a batch norm used the statistics of its batch.

    Args:
        note_only: leave convolutions as they are.
        twice: they will be differentiated twice; what will not is left to torch, which is a little faster.

    Attributes:
        uses_batch_statistics: a batch norm did.
    """

    def __init__(self, *, note_only: bool = False, twice: bool = True) -> None:
        super().__init__()
        self._note_only = note_only
        self._twice = twice
        self.uses_batch_statistics = False

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func is torch.conv2d and not self._note_only and _is_plain(args, kwargs):
            images, weight, bias, *numbers = args
            if not self._twice:
                if not images.requires_grad:
                    images = with_layout(images)
                return func(channels_last(images), channels_last(weight), bias, *numbers)
            return _Convolution.apply(channels_last(images), channels_last(weight), bias, *numbers)
        if func is functional.batch_norm and (kwargs or {}).get("training"):
            self.uses_batch_statistics = True
        return func(*args, **(kwargs or {}))


def _is_plain(args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> bool:
    """Return whether these are seven positional arguments of a batch on a CPU, padded by numbers."""
    if kwargs or len(args) != 3 + _NUMBERS or isinstance(args[4], str):
        return False
    return bool(args[0].ndim == 4 and args[0].device.type == "cpu")


def channels_last(values: Tensor) -> Tensor:
    """Return the same values (B, C, H, W), channels-last."""
    return values.contiguous(memory_format=torch.channels_last)


def with_layout(images: Tensor) -> Tensor:
    """Return the images, channels-last by their strides even where one channel leaves that open."""
    if images.shape[1] != 1:
        return images
    _, _, height, width = images.shape
    return images.contiguous().as_strided(images.shape, (height * width, 1, width, 1))


def convolved(images: Tensor, weight: Tensor, bias: Tensor | None, numbers: Sequence[Any]) -> Tensor:
    """Return the convolution, without a graph, of images and weights that lie channels-last.

    Args:
        images: float (B, C, H, W).
        weight: float (D, C / groups, h, w).
        bias: float (D,), or none.
        numbers: stride, padding, dilation (pairs) and groups.
    """
    stride, padding, dilation, groups = numbers
    result: Tensor = _convolution(
        with_layout(images),
        weight,
        bias,
        stride,
        padding,
        dilation,
        False,  # noqa: FBT003 - not transposed
        (0, 0),
        groups,
    )
    return result


def taken_back(
    grad: Tensor, images: Tensor, weight: Tensor, numbers: Sequence[Any], wanted: tuple[bool, bool, bool]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Return the gradients of images, weight and bias, those that are wanted, without a graph.

    Args:
        grad: of the result.
        images: float (B, C, H, W).
        weight: float (D, C / groups, h, w).
        numbers: stride, padding, dilation (pairs) and groups.
        wanted: which of the three; the others are None.
    """
    stride, padding, dilation, groups = numbers
    gradients: tuple[Tensor | None, Tensor | None, Tensor | None] = _convolution_backward(
        channels_last(grad),
        with_layout(images),
        weight,
        [len(weight)] if wanted[2] else None,
        stride,
        padding,
        dilation,
        False,  # noqa: FBT003 - not transposed
        (0, 0),
        groups,
        wanted,
    )
    return gradients


class _Convolution(torch.autograd.Function):
    """A convolution with the backward pass below."""

    @staticmethod
    def forward(images: Tensor, weight: Tensor, bias: Tensor | None, *numbers: Any) -> Tensor:
        return convolved(images, weight, bias, numbers)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004 - part of the interface
        images, weight, bias, *ctx.numbers = inputs
        ctx.save_for_backward(images, weight)
        ctx.with_bias = bias is not None

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        images, weight = ctx.saved_tensors
        # The first layer's images need no gradient, which would cost it three times the rest.
        needs = (ctx.needs_input_grad[0], True, ctx.with_bias)
        return *_Backward.apply(grad, images, weight, needs, *ctx.numbers), *[None] * _NUMBERS


class _Backward(torch.autograd.Function):
    """The backward pass of a convolution, which is linear in each of its inputs."""

    @staticmethod
    def forward(
        grad: Tensor, images: Tensor, weight: Tensor, needs: tuple[bool, bool, bool], *numbers: Any
    ) -> tuple[Tensor | None, ...]:
        return taken_back(grad, images, weight, numbers, needs)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor | None, ...]) -> None:  # noqa: ARG004 - part of the interface
        grad, images, weight, _, *ctx.numbers = inputs
        ctx.save_for_backward(grad, images, weight)
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(
        ctx: Any, of_images: Tensor | None, of_weight: Tensor | None, of_bias: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        grad, images, weight = ctx.saved_tensors
        to_images = to_weight = None
        terms: list[Tensor] = []
        if of_images is not None:
            of_images = channels_last(of_images)
            terms.append(convolved(of_images, weight, None, ctx.numbers))
            to_weight = taken_back(grad, of_images, weight, ctx.numbers, (False, True, False))[1]
        if of_weight is not None:
            of_weight = channels_last(of_weight)
            terms.append(convolved(images, of_weight, of_bias, ctx.numbers))
            if ctx.needs_input_grad[1]:
                to_images = taken_back(grad, images, of_weight, ctx.numbers, (True, False, False))[0]
        elif of_bias is not None:
            terms.append(of_bias.view(1, -1, 1, 1).expand_as(grad))
        to_grad = sum(terms[1:], terms[0]) if terms else None
        return to_grad, to_images, to_weight, None, *[None] * _NUMBERS
