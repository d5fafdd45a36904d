from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from fewshot_gui.core.learners.base import SupportSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from threads, and spinning ones slow down whoever shares the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def world() -> Callable[..., tuple[SupportSet, torch.Tensor, torch.Tensor]]:
    """Return a maker of Gaussian worlds: (support, queries (Q, D), their labels (Q,))."""

    def make(
        shots: Sequence[int],
        *,
        dimension: int = 16,
        queries: int = 10,
        noise: float = 0.5,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
    ) -> tuple[SupportSet, torch.Tensor, torch.Tensor]:
        generator = torch.Generator().manual_seed(seed)
        centres = torch.randn(len(shots), dimension, generator=generator, dtype=torch.float64)

        def draw(labels: torch.Tensor) -> torch.Tensor:
            scatter = torch.randn(len(labels), dimension, generator=generator, dtype=torch.float64)
            return (centres[labels] + noise * scatter).to(dtype)

        labels = torch.repeat_interleave(torch.arange(len(shots)), torch.tensor(shots))
        asked = torch.arange(len(shots)).repeat_interleave(queries)
        names = tuple(f"class {number}" for number in range(len(shots)))
        return SupportSet(draw(labels), labels, names), draw(asked), asked

    return make
