"""Random changes to a batch of training pictures, drawn from an explicit generator."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from fewshot_gui.core.training.recipe import Augmentation


def augment(images: Tensor, side: int, changes: Augmentation, generator: Generator) -> Tensor:
    """Return float32 (B, C, side, side) in 0..1: each picture cropped, turned, mirrored, coloured at random.

    Args:
        images: uint8 (B, H, W, C).
        side: of the result, in pixels.
        changes: how much of each.
        generator: on the CPU; the result depends on nothing else.
    """
    pixels = images.permute(0, 3, 1, 2).float() / 255
    grid = functional.affine_grid(
        _random_affine(len(images), changes, generator).to(images.device),
        [len(images), pixels.shape[1], side, side],
        align_corners=False,
    )
    cut = functional.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)
    return jitter_colours(cut, changes.jitter, generator) if changes.jitter else cut


def _random_affine(count: int, changes: Augmentation, generator: Generator) -> Tensor:
    """Return (count, 2, 3) maps from output to input coordinates in -1..1."""

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    scale = uniform(changes.smallest_crop, 1.0)
    stretch = uniform(-0.15, 0.15).exp() if changes.smallest_crop < 1 else torch.ones(count)
    angle = uniform(-changes.rotate, changes.rotate) * (math.pi / 180)
    room = (1 - scale).clamp(min=0) + 2 * changes.shift
    mirror = (
        torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
        if changes.flip
        else torch.ones(count)
    )
    across, down = scale * stretch.sqrt(), scale / stretch.sqrt()
    rows = [
        torch.stack([angle.cos() * across * mirror, -angle.sin() * down, room * uniform(-1, 1)], dim=1),
        torch.stack([angle.sin() * across * mirror, angle.cos() * down, room * uniform(-1, 1)], dim=1),
    ]
    return torch.stack(rows, dim=1)


def jitter_colours(pixels: Tensor, strength: float, generator: Generator) -> Tensor:
    """Return pixels (B, C, H, W) in 0..1, brightness, contrast and saturation changed by up to `strength`."""

    def factor() -> Tensor:
        drawn = 1 + strength * (2 * torch.rand(len(pixels), generator=generator) - 1)
        return drawn.to(pixels.device).view(-1, 1, 1, 1)

    bright = pixels * factor()
    mean = bright.mean(dim=(1, 2, 3), keepdim=True)
    contrast = mean + (bright - mean) * factor()
    grey = contrast.mean(dim=1, keepdim=True)
    return (grey + (contrast - grey) * factor()).clamp(0, 1)
