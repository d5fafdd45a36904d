"""Batch statistics of the support set, kept for the queries: a batch norm that sees no query but its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def uses_batch_statistics(network: nn.Module) -> bool:
    """Return whether the network has a batch norm without running statistics."""
    norms = (module for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    return any(not norm.track_running_stats for norm in norms)


def changes_statistics(network: nn.Module) -> bool:
    """Return whether a pass changes the network's own running statistics: then no two may be batched."""
    norms = (module for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    return any(norm.training and norm.track_running_stats for norm in norms)


class NotedStatistics(TorchFunctionMode):
    """A context that notes the mean and variance of each batch norm that uses those of its batch.

    Attributes:
        seen: two tensors (C,) for each, in the order in which the network calls them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Tensor, Tensor]] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func is functional.batch_norm and (kwargs or {}).get("training"):
            variance, mean = torch.var_mean(args[0].detach(), dim=(0, 2, 3), correction=0)
            self.seen.append((mean, variance))
        return func(*args, **(kwargs or {}))


class ReplayedStatistics(TorchFunctionMode):
    """A context in which such batch norms use noted statistics instead, from the first for each pass.

    Args:
        seen: of `NotedStatistics`; none leaves everything as it is.
    """

    def __init__(self, seen: Sequence[tuple[Tensor, Tensor]]) -> None:
        super().__init__()
        self._seen = seen
        self._next = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func is functional.batch_norm and (kwargs or {}).get("training") and self._seen:
            args = (args[0], *self._seen[self._next % len(self._seen)])
            kwargs = {**(kwargs or {}), "training": False}
            self._next += 1
        return func(*args, **(kwargs or {}))
