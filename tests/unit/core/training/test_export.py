"""From a training to a bundle that gives the very embeddings of the network that was trained."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from fewshot_gui.core.backbones.bundle import describe_bundle, finish_embedding, load_bundle
from fewshot_gui.core.evaluation.episodic import evaluate_episodes
from fewshot_gui.core.images.view import View
from fewshot_gui.core.learners.catalogue import make_learner
from fewshot_gui.core.learners.context import LearnerContext
from fewshot_gui.core.training.export import (
    _calibrate,
    export_bundle,
    recipe_preprocessing,
    source_preprocessing,
)
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
    told = dict(info.training)
    assert told.pop("validated")["step"] == recipe.steps
    assert told == {"command": "test"}
    assert info.temperature > 0
    assert info.parameters > 100


def test_pictures_read_larger_than_they_are_used_give_a_bundle_of_the_smaller_side(
    recipe: Recipe, world: ClassImages, tmp_path: Path
) -> None:
    larger = replace(recipe, source_side=2 * recipe.side)
    assert source_preprocessing(larger).side == 2 * recipe.side
    doubled = replace(world, images=world.images.repeat(2, axis=1).repeat(2, axis=2))
    trainer = Trainer(larger, doubled, validation=doubled)
    list(trainer.run())
    path = tmp_path / "smaller.safetensors"
    export_bundle(path, trainer, doubled, doubled, {})
    bundle = load_bundle(path)
    assert bundle.preprocessing.side == recipe.side
    # An area filter undoes the doubling, so these are the embeddings of the pictures that it began with.
    raw = raw_embeddings(trainer.network, world.images, recipe_preprocessing(recipe, doubled))
    expected = finish_embedding(raw, raw.mean(axis=0), normalise=True)
    assert (bundle.embed(world.images) * expected).sum(axis=1).min() > 0.999


def test_a_bundle_of_several_views_has_the_same_weights_and_the_mean_over_them(
    exported: tuple[Path, Trainer], recipe: Recipe, world: ClassImages, tmp_path: Path
) -> None:
    views = (View(), View(turn=20), View(zoom=1.5))
    viewed = replace(recipe, views=views)
    assert source_preprocessing(viewed).views == (View(),), "its crops are cut from plain squares"
    trainer = Trainer(viewed, world)
    list(trainer.run())
    export_bundle(tmp_path / "viewed.safetensors", trainer, world, world, {})
    bundle, plain = load_bundle(tmp_path / "viewed.safetensors"), load_bundle(exported[0])
    assert bundle.preprocessing.views == views
    assert bundle.preprocessing.prepared_shape == (3 * recipe.side, recipe.side, recipe.channels)
    seen = np.stack([bundle.preprocessing.look(image) for image in world.images])
    same, other = (each.context().network.state_dict() for each in (bundle, plain))  # type: ignore[union-attr]
    assert all((same[key] == other[key]).all() for key in same)
    raw = raw_embeddings(trainer.network, world.images, recipe_preprocessing(viewed, world))
    expected = finish_embedding(raw, raw.mean(axis=0), normalise=True)
    assert (bundle.embed(seen) * expected).sum(axis=1).min() > 0.999
    assert (plain.embed(world.images) * expected).sum(axis=1).min() < 0.99


def test_caution_raises_the_temperature_alone(recipe: Recipe, world: ClassImages, tmp_path: Path) -> None:
    trainer = Trainer(recipe, world)
    path = tmp_path / "t.safetensors"
    plain = export_bundle(path, trainer, world, world, {})
    trainer.recipe = replace(recipe, caution=1.5)
    cautious = export_bundle(path, trainer, world, world, {})
    assert cautious.temperature == pytest.approx(1.5 * plain.temperature)
    assert cautious.novelty == plain.novelty


def test_a_small_validation_class_does_not_change_the_temperature_of_all(recipe: Recipe) -> None:
    """Before, all episodes became as small as it, and their temperature was taken for that of five shots."""
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(8), 20)
    rows = generator.normal(size=(8, 6))[labels] + 0.8 * generator.normal(size=(160, 6))
    rows = rows.astype(np.float32)
    all_of_it = _calibrate(rows, labels, 0)
    cut = np.r_[0:2, 20:160]  # two pictures of the first class
    assert _calibrate(rows[cut], labels[cut], 0).temperature == pytest.approx(all_of_it.temperature, rel=0.15)
    few = np.flatnonzero(np.arange(160) % 20 < 4)  # two shots, two queries
    assert _calibrate(rows[few], labels[few], 0).temperature == pytest.approx(all_of_it.temperature, rel=0.35)


def test_a_validation_class_of_one_picture_does_not_undo_the_training(
    recipe: Recipe, world: ClassImages, tmp_path: Path
) -> None:
    alone = np.r_[0, 12:36]  # one picture of the first class, all of the next two
    validation = replace(world, images=world.images[alone], labels=world.labels[alone])
    calibration = export_bundle(tmp_path / "t.safetensors", Trainer(recipe, world), world, validation, {})
    assert calibration.temperature > 0
    assert calibration.novelty > 0


def test_without_a_look_of_the_training_the_bundle_says_how_prototypes_do_on_its_tasks(
    recipe: Recipe, world: ClassImages, tmp_path: Path
) -> None:
    assert recipe.validation_every == 0
    asked = replace(recipe, validation_ways=3, validation_queries=4)
    path = tmp_path / "t.safetensors"
    export_bundle(path, Trainer(asked, world), world, world, {})
    told = describe_bundle(path).training["validated"]
    rows, labels = (torch.from_numpy(each) for each in (load_bundle(path).embed(world.images), world.labels))
    learner = make_learner("prototypical", LearnerContext())
    report = evaluate_episodes(rows, labels, learner, ways=3, shots=1, queries=4, episodes=200, seed=0)
    assert told["accuracy"] == pytest.approx(report.accuracy, abs=0.01)
    assert told["accuracy"] > 1 / 3
    assert told["step"] == recipe.steps


def test_classes_too_small_for_such_tasks_say_nothing(
    recipe: Recipe, world: ClassImages, tmp_path: Path
) -> None:
    path = tmp_path / "t.safetensors"
    more = replace(recipe, validation_ways=1000)
    export_bundle(path, Trainer(more, world), world, world, {})
    assert "validated" not in describe_bundle(path).training
