"""A world that is learned in seconds: classes that differ by their colour and pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from fewshot_gui.core.episodes.dataset import ClassImages
from fewshot_gui.core.training.recipe import Recipe
from fewshot_gui.core.training.stage import Augmentation, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_world(classes: int, pictures: int = 12, *, seed: int = 0) -> ClassImages:
    """Pictures 16 x 16: each class has a pattern of its own, each picture its own noise."""
    generator = np.random.default_rng(seed)
    patterns = generator.integers(0, 256, (classes, 16, 16, 3))
    labels = np.repeat(np.arange(classes), pictures)
    noise = generator.integers(-40, 41, (len(labels), 16, 16, 3))
    images = np.clip(patterns[labels] + noise, 0, 255).astype(np.uint8)
    return ClassImages(tuple(f"class {n}" for n in range(classes)), images, labels.astype(np.int64))


@pytest.fixture
def world() -> ClassImages:
    return make_world(8)


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(
        name="tiny",
        title="Tiny",
        network={"kind": "conv4", "width": 8},
        side=16,
        channels=3,
        centre=True,
        normalise=True,
        stages=(
            Stage(
                "classify", steps=6, learning_rate=0.05, batch=16, augmentation=Augmentation(0.8, flip=True)
            ),
            Stage("episodes", steps=6, learning_rate=0.01, optimiser="adam", ways=4, shots=2, queries=2),
        ),
    )
