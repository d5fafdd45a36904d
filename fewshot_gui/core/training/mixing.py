"""Mixup: pairs of pictures, or what the network makes of them, blended into one."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """How a batch is blended.

    Attributes:
        share: of each picture itself, 0 to 1; the rest is its partner's.
        partners: int64 (B,), the place of each picture's partner.
    """

    share: float
    partners: Tensor

    @classmethod
    def drawn(cls, count: int, alpha: float, seed: int) -> Mixed:
        """Return a blend with a share from Beta(alpha, alpha), a function of the seed alone."""
        generator = np.random.default_rng(seed)
        return cls(float(generator.beta(alpha, alpha)), torch.from_numpy(generator.permutation(count)))

    def to(self, device: torch.device) -> Mixed:
        """Return it with its places on the device."""
        return Mixed(self.share, self.partners.to(device))

    def of(self, values: Tensor) -> Tensor:
        """Return values (B, ...), blended."""
        return self.share * values + (1 - self.share) * values[self.partners]


@contextlib.contextmanager
def mixed_forward(network: nn.Module, mixed: Mixed, *, manifold: bool, seed: int) -> Iterator[None]:
    """Blend what goes into the network, or with `manifold` into one of its blocks drawn at random.

    Zhang et al. 2018, "mixup"; Verma et al. 2019, "Manifold mixup".
    """
    places = [network, *list(_blocks(network))[1:]] if manifold else [network]
    place = places[int(np.random.default_rng((seed, 1)).integers(len(places)))]

    def blend(_module: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        return (mixed.of(arguments[0]), *arguments[1:])

    hook = place.register_forward_pre_hook(blend)
    try:
        yield
    finally:
        hook.remove()


def _blocks(network: nn.Module) -> list[nn.Module]:
    """Return the blocks of a network one after the other; empty where it has none."""
    blocks = getattr(network, "blocks", None) or getattr(network, "stages", None)
    return list(blocks.children()) if blocks is not None else []
