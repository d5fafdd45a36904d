from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from fewshot_gui.core.learners.gradient.tasks import Tasks

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def tiny_network() -> Callable[..., nn.Module]:
    """Return a maker of smooth-enough convolutional networks: 8 x 8 pictures to 12 numbers."""

    def make(norm: str = "none", dtype: torch.dtype = torch.float64, channels: int = 1) -> nn.Module:
        torch.manual_seed(3)

        def block(inputs: int) -> list[nn.Module]:
            batch = nn.BatchNorm2d(3, track_running_stats=False) if norm == "task" else nn.Identity()
            return [nn.Conv2d(inputs, 3, 3, padding=1), batch, nn.MaxPool2d(2), nn.ReLU(inplace=True)]

        return nn.Sequential(*block(channels), *block(3), nn.Flatten()).to(dtype)

    return make


@pytest.fixture
def draw_tasks() -> Callable[..., Tasks]:
    """Return a maker of tasks whose classes are noisy copies of a picture each."""

    def make(
        count: int = 2,
        ways: int = 3,
        shots: int = 2,
        queries: int = 2,
        *,
        noise: float = 0.5,
        seed: int = 0,
        dtype: torch.dtype = torch.float64,
        shuffled: bool = False,
    ) -> Tasks:
        generator = torch.Generator().manual_seed(seed)
        centres = torch.randn(count, ways, 1, 8, 8, generator=generator, dtype=dtype)

        def draw(each: int) -> tuple[torch.Tensor, torch.Tensor]:
            labels = torch.arange(ways).repeat_interleave(each).repeat(count, 1)
            images = centres.repeat_interleave(each, 1)
            scatter = torch.randn(images.shape, generator=generator, dtype=dtype)
            if shuffled:
                labels = torch.randint(0, ways, labels.shape, generator=generator)
            return images + noise * scatter, labels

        support, query = draw(shots), draw(queries)
        return Tasks(*support, *query, ways)

    return make
