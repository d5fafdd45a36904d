"""A training of seconds, as a program: the tests start it, kill it, and start it in two processes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from fewshot_gui.core.episodes.dataset import ClassImages
from fewshot_gui.core.training.group import joined_group
from fewshot_gui.core.training.recipe import Recipe
from fewshot_gui.core.training.stage import Augmentation, Stage
from fewshot_gui.core.training.trainer import Trainer


def tiny_world(classes: int = 8, pictures: int = 8, seed: int = 0) -> ClassImages:
    """Grey pictures 16 x 16 of so many classes, each a pattern with noise."""
    generator = np.random.default_rng(seed)
    patterns = generator.integers(0, 256, (classes, 16, 16, 1))
    labels = np.repeat(np.arange(classes), pictures)
    noise = generator.integers(-40, 41, (len(labels), 16, 16, 1))
    images = np.clip(patterns[labels] + noise, 0, 255).astype(np.uint8)
    return ClassImages(tuple(f"class {n}" for n in range(classes)), images, labels.astype(np.int64))


def tiny_recipe(*, frozen_norms: bool = False) -> Recipe:
    """Two stages, augmentation, validation, the best kept: all that a resume must bring back."""
    changes = Augmentation(0.8, flip=True, rotate=10, jitter=0.2)
    return Recipe(
        name="tiny",
        title="Tiny",
        network={"kind": "conv4", "width": 4},
        side=16,
        channels=1,
        validation_every=5,
        validation_episodes=10,
        validation_ways=3,
        keep="best",
        learner="feat",
        stages=(
            Stage("classify", steps=20, learning_rate=0.05, batch=8, augmentation=changes),
            Stage("episodes", steps=20, learning_rate=0.01, optimiser="adam", ways=3, shots=(1, 2), queries=2,
                  augmentation=changes, frozen_norms=frozen_norms),
        ),
    )  # fmt: skip


def tiny_trainer(*, frozen_norms: bool = False, **options: object) -> Trainer:
    """The trainer of both."""
    recipe = tiny_recipe(frozen_norms=frozen_norms)
    return Trainer(recipe, tiny_world(), validation=tiny_world(4, seed=1), **options)  # type: ignore[arg-type]


def main(folder: Path, *, resume: bool, frozen_norms: bool) -> None:
    """Train in `folder`, saying each step when it is done, and leave the weights of the end there.

    Of norms that were frozen it says at last what statistics they have.
    """
    torch.set_num_threads(1)
    with joined_group(os.environ, "cpu") as (group, device):
        trainer = tiny_trainer(device=device, group=group, frozen_norms=frozen_norms)
        for record in trainer.run(folder / "run.checkpoint", resume=resume, every=1):
            print(record.step, flush=True)
        if frozen_norms:
            print([buffer.tolist() for buffer in trainer.module.buffers()])
        if group.writes:
            best = {f"best.{key}": value.contiguous() for key, value in trainer.history.weights.items()}
            last = {f"last.{key}": value.contiguous() for key, value in trainer.module.state_dict().items()}
            save_file({**best, **last}, folder / "end.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), resume="--resume" in sys.argv, frozen_norms="--frozen-norms" in sys.argv)
