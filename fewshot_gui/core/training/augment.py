"""Random changes to a batch of training pictures: drawn from an explicit generator, made on any device."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from fewshot_gui.core.training.stage import Augmentation


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What is to be done to each of B pictures.

    Attributes:
        maps: float (B, 2, 3), from output to input coordinates in -1..1.
        colours: float (3, B), the factors of brightness, contrast and saturation; None for no change.
    """

    maps: Tensor
    colours: Tensor | None

    @property
    def are_none(self) -> bool:
        """Whether every map leaves each place where it is, and no colour changes."""
        return self.colours is None and bool((self.maps == torch.eye(2, 3)).all())


def draw_changes(count: int, changes: Augmentation, generator: Generator) -> Changes:
    """Return the changes to `count` pictures, a function of the generator's state alone."""
    maps = _random_affine(count, changes, generator)
    return Changes(maps, _random_colours(count, changes.jitter, generator) if changes.jitter else None)


def after(first: Changes, then: Changes) -> Changes:
    """Return what comes to `first` and then `then` for the same B pictures, coloured as by `then`."""
    turned = first.maps[:, :, :2] @ then.maps
    return Changes(torch.cat([turned[:, :, :2], turned[:, :, 2:] + first.maps[:, :, 2:]], 2), then.colours)


def apply_changes(images: Tensor, side: int, changes: Changes) -> Tensor:
    """Return float32 (B, C, side, side) in 0..1 of uint8 images (B, H, W, C), on their device.

    Where there is nothing to change, these are their very values.
    """
    pixels = images.permute(0, 3, 1, 2).float() / 255
    if pixels.shape[2:] == (side, side) and changes.are_none:
        return pixels
    grid = functional.affine_grid(
        changes.maps.to(images.device), [len(images), pixels.shape[1], side, side], align_corners=False
    )
    cut = functional.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)
    return cut if changes.colours is None else _recoloured(cut, changes.colours)


def _random_affine(count: int, changes: Augmentation, generator: Generator) -> Tensor:
    """Return (count, 2, 3) maps from output to input coordinates in -1..1."""

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    scale = uniform(changes.smallest_crop, 1.0)
    stretch = max(changes.stretch, 0.15 if changes.smallest_crop < 1 else 0.0)
    ratio = uniform(-stretch, stretch).exp() if stretch else torch.ones(count)
    angle = uniform(-changes.rotate, changes.rotate) * (math.pi / 180)
    room = (1 - scale).clamp(min=0) + 2 * changes.shift
    mirror = (
        torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
        if changes.flip
        else torch.ones(count)
    )
    across, down = scale * ratio.sqrt(), scale / ratio.sqrt()
    slant = uniform(-changes.shear, changes.shear) if changes.shear else torch.zeros(count)
    right = torch.stack([angle.cos() * across * mirror, angle.sin() * across * mirror], dim=1)
    below = torch.stack([-angle.sin() * down, angle.cos() * down], dim=1) + slant[:, None] * right
    moved = torch.stack([room * uniform(-1, 1), room * uniform(-1, 1)], dim=1)
    return torch.stack([right, below, moved], dim=2)


def _random_colours(count: int, strength: float, generator: Generator) -> Tensor:
    """Return (3, count) factors around 1."""
    return torch.stack([1 + strength * (2 * torch.rand(count, generator=generator) - 1) for _ in range(3)])


def _recoloured(pixels: Tensor, colours: Tensor) -> Tensor:
    brightness, contrast, saturation = colours.to(pixels.device).view(3, -1, 1, 1, 1)
    bright = pixels * brightness
    mean = bright.mean(dim=(1, 2, 3), keepdim=True)
    contrasted = mean + (bright - mean) * contrast
    grey = contrasted.mean(dim=1, keepdim=True)
    recoloured: Tensor = grey + (contrasted - grey) * saturation
    return recoloured.clamp(0, 1)
