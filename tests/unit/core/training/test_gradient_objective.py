"""Gradient methods in training: they learn, and what they learned comes back from the bundle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from fewshot_gui.core.training.gradient_objective import batch_tasks, method_tensors
from fewshot_gui.core.training.recipe import RecipeError
from fewshot_gui.core.training.stage import Stage
from fewshot_gui.core.training.trainer import Trainer

if TYPE_CHECKING:
    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.training.recipe import Recipe

STAGE = Stage("episodes", steps=15, learning_rate=0.01, optimiser="adam", weight_decay=0.0, ways=3, shots=2,
              queries=3, meta_batch=2, warm_up=0.0)  # fmt: skip
METHODS: dict[str, dict[str, Any]] = {
    "maml": {"steps": 2, "lr": 0.1},
    "fomaml": {"steps": 2, "lr": 0.1},
    "anil": {"steps": 2, "lr": 0.5},
    "meta-sgd": {"steps": 1, "lr": 0.1},
    "reptile": {"steps": 3, "lr": 0.01},
    "meta-lstm": {"steps": 2, "hidden": 4},
}


def gradient_recipe(recipe: Recipe, learner: str) -> Recipe:
    stage = replace(STAGE, optimiser="plain", learning_rate=1.0) if learner == "reptile" else STAGE
    network = {"kind": "conv4", "width": 8, "norm": "none" if learner != "meta-lstm" else "task"}
    return replace(recipe, learner=learner, method=METHODS[learner], network=network, centre=False,
                   normalise=False, stages=(stage,), validation_ways=3)  # fmt: skip


@pytest.mark.parametrize("learner", METHODS)
def test_every_method_is_meta_trained(recipe: Recipe, world: ClassImages, learner: str) -> None:
    trainer = Trainer(gradient_recipe(recipe, learner), world)
    before = {key: value.clone() for key, value in trainer.module.state_dict().items()}
    records = list(trainer.run())
    assert all(torch.isfinite(torch.tensor(record.loss)) for record in records)
    after = trainer.module.state_dict()
    assert any(not torch.equal(before[key], after[key]) for key in before if key.startswith("network."))
    own = method_tensors(trainer.module)
    assert all("/" not in key for key in own)


def test_a_frozen_network_gets_no_gradients(recipe: Recipe, world: ClassImages) -> None:
    """They would be added up from step to step, as no optimiser has them, and count when clipped."""
    stage = replace(STAGE, steps=2, network_rate=0.0, clip=1.0)
    learned = replace(gradient_recipe(recipe, "maml"), method={"steps": 2, "head": "learned"})
    trainer = Trainer(replace(learned, stages=(stage,)), world)
    list(trainer.run())
    assert all(parameter.grad is None for parameter in trainer.network.parameters())
    assert all(parameter.grad is not None for parameter in trainer.module["method"].parameters())


def test_maml_lowers_its_loss(recipe: Recipe, world: ClassImages) -> None:
    stage = replace(STAGE, steps=60)
    losses = [r.loss for r in Trainer(replace(gradient_recipe(recipe, "maml"), stages=(stage,)), world).run()]
    assert sum(losses[-6:]) < 0.9 * sum(losses[:6])


def test_a_batch_becomes_tasks_in_the_order_of_its_pictures(recipe: Recipe, world: ClassImages) -> None:
    trainer = Trainer(gradient_recipe(recipe, "maml"), world)
    batch = trainer.maker.batch(0)
    inputs = batch.inputs("cpu", trainer.mean, trainer.std)
    tasks = batch_tasks(batch, inputs)
    assert tasks.support.shape == (2, 6, 3, 16, 16)
    assert tasks.query.shape == (2, 9, 3, 16, 16)
    assert torch.equal(tasks.support[1, 0], inputs[15])
    assert torch.equal(tasks.query[0, 0], inputs[6])
    assert tasks.ways == 3


def test_a_setting_that_the_method_does_not_take_is_named(recipe: Recipe, world: ClassImages) -> None:
    wrong = replace(gradient_recipe(recipe, "maml"), method={"stepz": 2})
    with pytest.raises(RecipeError, match="stepz"):
        Trainer(wrong, world)


@pytest.mark.parametrize("learner", ["meta-sgd", "maml"])
def test_rates_of_weights_that_are_folded_away_in_use_are_refused(
    recipe: Recipe, world: ClassImages, learner: str
) -> None:
    """The first look at the validation classes, or the export, found no rate for what folding had made."""
    method = {"rates": "layer-step"} if learner == "maml" else {}
    normed = replace(gradient_recipe(recipe, learner), method=method, network={"kind": "conv4", "width": 8})
    with pytest.raises(RecipeError, match="folded"):
        Trainer(normed, world, validation=world)
    Trainer(replace(normed, learner="anil", method={"rates": "layer-step"}), world)  # of the head alone


def test_the_share_that_is_done_reaches_the_method(recipe: Recipe, world: ClassImages) -> None:
    maker = Trainer(gradient_recipe(recipe, "maml"), world).maker
    assert [maker.batch(step).progress for step in (0, 3, 14)] == pytest.approx([0, 3 / 15, 14 / 15])
