"""Validation: the same tasks at every look, the method under training asked, the best weights kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from fewshot_gui.core.backbones.bundle import describe_bundle, load_bundle
from fewshot_gui.core.episodes.sampler import EpisodeError
from fewshot_gui.core.evaluation.defaults import fitted_temperature
from fewshot_gui.core.learners import catalogue
from fewshot_gui.core.learners.base import Prediction, SupportSet
from fewshot_gui.core.training.checkpoint import History, Look
from fewshot_gui.core.training.export import export_bundle
from fewshot_gui.core.training.stage import Stage
from fewshot_gui.core.training.trainer import Trainer

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.training.recipe import Recipe

STAGE = Stage("episodes", steps=12, learning_rate=0.01, optimiser="adam", ways=4, shots=1, queries=2)


def looking(recipe: Recipe, learner: str = "feat") -> Recipe:
    return replace(recipe, learner=learner, centre=False, normalise=False, stages=(STAGE,),
                   validation_every=5, validation_episodes=20, validation_ways=4, keep="best")  # fmt: skip


def test_two_looks_at_the_same_weights_show_the_same(recipe: Recipe, world: ClassImages) -> None:
    trainer = Trainer(looking(recipe), world, validation=world)
    assert trainer.validator is not None
    assert trainer.validator.measure(trainer.module) == trainer.validator.measure(trainer.module)


def test_a_training_looks_every_so_often_and_at_its_end(recipe: Recipe, world: ClassImages) -> None:
    trainer = Trainer(looking(recipe), world, validation=world)
    looks = [record.look for record in trainer.run() if record.look is not None]
    assert [look.step for look in looks] == [5, 10, 12]
    assert looks == trainer.history.looks


def test_looking_changes_no_weight(recipe: Recipe, world: ClassImages) -> None:
    seen, unseen = Trainer(looking(recipe), world, validation=world), Trainer(looking(recipe), world)
    for trainer in (seen, unseen):
        list(trainer.run())
    for key, value in seen.module.state_dict().items():
        assert torch.equal(value, unseen.module.state_dict()[key]), key


def test_the_best_is_by_the_lower_end_of_its_interval_within_the_last_stage() -> None:
    history, layer = History(), torch.nn.Linear(1, 1)

    def add(look: Look) -> None:
        with torch.no_grad():
            layer.bias.fill_(look.step)
        history.add(look, layer)

    add(Look(1, 0, 0.90, 0.01))
    add(Look(2, 0, 0.95, 0.10))  # a higher mean, but of few tasks
    assert history.best == history.looks[0]
    add(Look(3, 1, 0.50, 0.01))  # another stage: what came before is no measure
    add(Look(4, 1, 0.40, 0.01))
    assert history.best == history.looks[2]
    assert float(history.weights["bias"]) == 3


def test_the_best_weights_are_those_that_are_exported(
    recipe: Recipe, world: ClassImages, tmp_path: Path
) -> None:
    trainer = Trainer(looking(recipe), world, validation=world)
    list(trainer.run())
    trainer.history.best = Look(7, 0, 0.9, 0.01)
    trainer.history.weights = {k: torch.zeros_like(v) for k, v in trainer.module.state_dict().items()}
    export_bundle(tmp_path / "b.safetensors", trainer, world, world, {})
    assert not any(bool(p.any()) for p in trainer.network.parameters())
    assert describe_bundle(tmp_path / "b.safetensors").training["validated"]["step"] == 7


@pytest.mark.parametrize("learner", ["feat", "matching"])
def test_a_bundle_carries_its_head(recipe: Recipe, world: ClassImages, tmp_path: Path, learner: str) -> None:
    trainer = Trainer(looking(recipe, learner), world, validation=world)
    list(trainer.run())
    path = tmp_path / "b.safetensors"
    export_bundle(path, trainer, world, world, {})
    info = describe_bundle(path)
    assert (info.learner, info.head) == (learner, {"kind": learner})
    assert info.head_temperature > 0
    context = load_bundle(path).context()
    for key, value in trainer.module["head"].state_dict().items():
        assert torch.allclose(context.head_tensors[key], value, atol=1e-2), key


def test_the_temperature_that_fits_is_found() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(4000, 5, generator=generator)
    targets = torch.multinomial((logits / 2).softmax(1), 1, generator=generator).squeeze(1)
    assert fitted_temperature(logits, targets) == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize(("usable", "words"), [(1, "there is but one"), (0, "there is none")])
def test_validation_classes_of_which_no_task_can_be_made_are_refused(
    recipe: Recipe, world: ClassImages, usable: int, words: str
) -> None:
    """A single class gave a temperature that was no number, at the end of the training."""
    kept = np.r_[: 12 * usable, 12 * usable : len(world.labels) : 12]  # one picture of every other class
    few = replace(world, images=world.images[kept], labels=world.labels[kept])
    with pytest.raises(EpisodeError, match=words):
        Trainer(looking(recipe), world, validation=few)


def test_a_method_is_asked_with_rows_on_the_cpu_wherever_its_network_lies(
    recipe: Recipe, world: ClassImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes them to its device itself; labels that lay there already did not meet its embeddings."""
    seen: list[SupportSet] = []

    class Watching:
        def fit(self, support: SupportSet) -> Watching:
            seen.append(support)
            return self

        def predict(self, query: torch.Tensor) -> Prediction:
            nothing = query.new_zeros(len(query), 4)
            return Prediction(nothing, nothing, None, nothing, nothing)

    monkeypatch.setattr(catalogue, "make_learner", lambda _name, _context: Watching())
    adapting = replace(looking(recipe, "maml"), network={"kind": "conv4", "width": 8, "norm": "none"})
    trainer = Trainer(adapting, world, validation=world)
    assert trainer.validator is not None
    next(trainer.validator.answers(trainer.module.to("meta"), tasks=1))
    assert [part.device.type for part in (seen[0].embeddings, seen[0].labels)] == ["cpu", "cpu"]


def test_too_large_tasks_shrink_to_what_there_is(recipe: Recipe, world: ClassImages) -> None:
    large = replace(looking(recipe), validation_ways=50, validation_shots=50, validation_queries=50)
    trainer = Trainer(large, world, validation=world)
    assert trainer.validator is not None
    scores, targets = next(trainer.validator.answers(trainer.module))
    assert scores.shape == (len(targets), len(world.names))
