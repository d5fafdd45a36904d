"""Batch norms folded into convolutions in networks of others, as far as a run shows that it is right."""

from __future__ import annotations

import copy
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOLERANCE = 1e-3
_REWRITES = ("reparameterize", "fuse", "switch_to_deploy")
"""What timm calls the method by which a block of several branches becomes one convolution."""


def fold_observed(network: nn.Module, input_shape: tuple[int, int, int]) -> nn.Module:
    """Return a network, in eval mode, with the same embeddings to 1e-3 of their length, in less time.

    The order in which modules stand does not say in which they are called, and a subclass may do more
    than its parent. So a run shows which norm takes what which convolution gives, and the folded network
    answers the same pattern; where it answers otherwise, the given one is returned as it was.

    Args:
        network: with its weights, on the CPU, in eval mode.
        input_shape: (C, H, W).
    """
    rewrites = any(hasattr(module, name) for module in network.modules() for name in _REWRITES)
    if not rewrites and not any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
        return network
    pattern = torch.sin(torch.arange(2 * _product(input_shape)) * 0.37).reshape(2, *input_shape)
    with torch.no_grad():
        expected = network(pattern)
        folded = _rewritten(network) if rewrites else copy.deepcopy(network)
        _fold_pairs(folded, _successions(folded, pattern))
        found = folded(pattern)
    # A norm that is not finite compares as false too: then nothing is folded.
    same = torch.linalg.norm(found - expected) <= _TOLERANCE * torch.linalg.norm(expected)
    return folded if bool(same) else network


def _rewritten(network: nn.Module) -> nn.Module:
    """Return a copy whose blocks of several branches are one convolution each (RepVGG, Ding et al. 2021)."""
    from timm.utils.model import reparameterize_model  # noqa: PLC0415 - only timm has such blocks

    rewritten: nn.Module = reparameterize_model(network)
    return rewritten


def _product(shape: tuple[int, ...]) -> int:
    product = 1
    for size in shape:
        product *= size
    return product


class _Watch:
    """Notes in a run how often each convolution and norm is called, and what each norm is given."""

    def __init__(self) -> None:
        # The tensors are kept: the id of one that is freed is given to another.
        self._outputs: dict[int, tuple[str, Tensor]] = {}
        self._calls: Counter[str] = Counter()
        self._before: dict[str, str] = {}

    def after_convolution(self, name: str, _module: nn.Module, _inputs: Any, output: Tensor) -> None:
        self._outputs[id(output)] = (name, output)
        self._calls[name] += 1

    def before_norm(self, name: str, _module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._calls[name] += 1
        if id(inputs[0]) in self._outputs:
            self._before[name] = self._outputs[id(inputs[0])][0]

    def successions(self) -> dict[str, str]:
        """Return, for each norm called with the output of a convolution, both once, that convolution."""
        once = {name for name, calls in self._calls.items() if calls == 1}
        return {norm: conv for norm, conv in self._before.items() if {norm, conv} <= once}


def _successions(network: nn.Module, pattern: Tensor) -> dict[str, str]:
    """Return, for each batch norm by its name, the convolution whose output it is called with."""
    watch, handles = _Watch(), []
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            handles.append(module.register_forward_hook(partial(watch.after_convolution, name)))
        elif isinstance(module, nn.BatchNorm2d) and module.track_running_stats:
            handles.append(module.register_forward_pre_hook(partial(watch.before_norm, name)))
    try:
        network(pattern)
    finally:
        for handle in handles:
            handle.remove()
    return watch.successions()


def _fold_pairs(network: nn.Module, successions: dict[str, str]) -> None:
    for norm_name, conv_name in successions.items():
        conv, norm = network.get_submodule(conv_name), network.get_submodule(norm_name)
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            network.set_submodule(conv_name, fuse_conv_bn_eval(conv, norm))
            network.set_submodule(norm_name, nn.Sequential(*_behind(norm)))


def _behind(norm: nn.BatchNorm2d) -> Iterator[nn.Module]:
    """Yield what a norm of timm does behind the norm itself: dropout, which rests, and an activation."""
    for name in ("drop", "act"):
        module = getattr(norm, name, None)
        if isinstance(module, nn.Module):
            yield module
