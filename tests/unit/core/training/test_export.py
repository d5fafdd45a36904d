"""From a training to a bundle that gives the very embeddings of the network that was trained."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fewshot_gui.core.backbones.bundle import describe_bundle, load_bundle
from fewshot_gui.core.training.export import export_bundle, recipe_preprocessing
from fewshot_gui.core.training.trainer import Trainer
from fewshot_gui.core.training.validation import raw_embeddings

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.training.recipe import Recipe


@pytest.fixture
def exported(recipe: Recipe, world: ClassImages, tmp_path: Path) -> tuple[Path, Trainer]:
    trainer = Trainer(recipe, world)
    list(trainer.run())
    path = tmp_path / "tiny.safetensors"
    export_bundle(path, trainer, world, world, {"command": "test"})
    return path, trainer


def test_a_bundle_embeds_as_the_trained_network_does(
    exported: tuple[Path, Trainer], recipe: Recipe, world: ClassImages
) -> None:
    path, trainer = exported
    raw = raw_embeddings(trainer.network, world.images, recipe_preprocessing(recipe, world))
    centred = raw - raw.mean(axis=0)
    expected = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    embedded = load_bundle(path).embed(world.images)
    cosine = (embedded * expected).sum(axis=1)
    assert cosine.min() > 0.999  # stored as float16
    assert np.allclose(np.linalg.norm(embedded, axis=1), 1, atol=1e-5)


def test_a_bundle_says_what_it_is(exported: tuple[Path, Trainer], recipe: Recipe) -> None:
    info = describe_bundle(exported[0])
    assert (info.name, info.title, info.dimension) == ("tiny", recipe.title, 8)
    assert info.preprocessing.side == recipe.side
    assert info.training == {"command": "test"}
    assert info.temperature > 0
    assert info.parameters > 100


def test_a_validation_class_of_one_picture_does_not_undo_the_training(
    recipe: Recipe, world: ClassImages, tmp_path: Path
) -> None:
    alone = np.r_[0, 12:36]  # one picture of the first class, all of the next two
    validation = replace(world, images=world.images[alone], labels=world.labels[alone])
    calibration = export_bundle(tmp_path / "t.safetensors", Trainer(recipe, world), world, validation, {})
    assert calibration.temperature > 0
    assert calibration.novelty > 0
