"""What a training begins with: a bundle's very embeddings, its norms folded where there are none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fewshot_gui.core.backbones.bundle import BundleError, load_bundle
from fewshot_gui.core.training.export import export_bundle, recipe_preprocessing
from fewshot_gui.core.training.recipe import RecipeError
from fewshot_gui.core.training.start import start_hash, started_network
from fewshot_gui.core.training.trainer import Trainer
from fewshot_gui.core.training.validation import raw_embeddings

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.training.recipe import Recipe


@pytest.fixture
def bundle(recipe: Recipe, world: ClassImages, tmp_path: Path) -> Path:
    plain = replace(recipe, centre=False, normalise=False)
    trainer = Trainer(plain, world)
    list(trainer.run())
    path = tmp_path / "begun.safetensors"
    export_bundle(path, trainer, world, world, {})
    return path


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_the_network_embeds_as_the_bundle_does(
    recipe: Recipe, world: ClassImages, bundle: Path, norm: str
) -> None:
    network = {"kind": "conv4", "width": 8, "norm": norm}
    started = started_network(replace(recipe, start=str(bundle), network=network))
    raw = raw_embeddings(started, world.images, recipe_preprocessing(recipe, world))
    assert np.allclose(raw, load_bundle(bundle).embed(world.images), atol=1e-3)


def test_a_task_norm_takes_the_weights_without_the_statistics(recipe: Recipe, bundle: Path) -> None:
    network = {"kind": "conv4", "width": 8, "norm": "task"}
    started = started_network(replace(recipe, start=str(bundle), network=network))
    assert not [key for key in started.state_dict() if "running" in key]


def test_weights_that_do_not_fit_are_refused(recipe: Recipe, bundle: Path) -> None:
    wide = replace(recipe, start=str(bundle), network={"kind": "conv4", "width": 16})
    with pytest.raises(RecipeError, match="do not fit") as told:
        started_network(wide)
    assert "\n" not in str(told.value)


def test_a_bundle_that_is_not_there_is_named(recipe: Recipe) -> None:
    with pytest.raises(BundleError, match="nowhere"):
        started_network(replace(recipe, start="nowhere"))


def test_a_checkpoint_belongs_to_its_start(recipe: Recipe, bundle: Path) -> None:
    assert start_hash(recipe) == ""
    assert len(start_hash(replace(recipe, start=str(bundle)))) == 16
