"""Objectives: each lowers its loss, and every role is the mean over the choices of the support picture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.nn import functional

from fewshot_gui.core.learners.prototypical import prototypes, squared_euclidean_logits
from fewshot_gui.core.training.objectives import Part, every_role, share_right
from fewshot_gui.core.training.stage import Stage
from fewshot_gui.core.training.trainer import Trainer

if TYPE_CHECKING:
    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.training.recipe import Recipe

CLASSIFY = Stage("classify", steps=40, learning_rate=0.05, batch=16, warm_up=0.0)
EPISODES = Stage("episodes", steps=60, learning_rate=0.01, optimiser="adam", ways=4, queries=3, warm_up=0.0)
HEADS: dict[str, dict[str, Any]] = {
    "prototypical": {"kind": "prototypical"},
    "matching": {"kind": "matching", "steps": 2},
    "relation": {"kind": "relation", "shape": [8, 4, 4]},
    "ridge": {"kind": "ridge", "penalty": 1.0},
    "feat": {"kind": "feat", "temperature": 1.0, "balance": 0.1},
}


def losses(recipe: Recipe, world: ClassImages) -> list[float]:
    return [record.loss for record in Trainer(recipe, world).run()]


def assert_lower(values: list[float]) -> None:
    tenth = max(1, len(values) // 10)
    assert sum(values[-tenth:]) < 0.8 * sum(values[:tenth])


@pytest.mark.parametrize(
    "more",
    [{}, {"rotation_head": 0.5}, {"mixup": "input"}, {"mixup": "manifold"}, {"schedule": "step"}],
    ids=["plain", "rotation", "input mixup", "manifold mixup", "steps"],
)
def test_classifying_lowers_its_loss(recipe: Recipe, world: ClassImages, more: dict[str, Any]) -> None:
    assert_lower(losses(replace(recipe, stages=(replace(CLASSIFY, **more),)), world))


@pytest.mark.parametrize("learner", HEADS)
def test_every_head_lowers_its_loss_on_episodes(recipe: Recipe, world: ClassImages, learner: str) -> None:
    network = {"kind": "conv4", "width": 8, "pools": 2 if learner == "relation" else 4}
    stage = replace(EPISODES, shots=(1, 2), learning_rate=0.003 if learner == "relation" else 0.01)
    assert_lower(losses(replace(recipe, learner=learner, head=HEADS[learner], network=network,
                                normalise=False, centre=False, stages=(stage,)), world))  # fmt: skip


@pytest.mark.parametrize("learner", ["mann", "snail"])
def test_a_head_that_reads_in_order_is_trained_with_its_examples_shuffled(
    recipe: Recipe, world: ClassImages, learner: str
) -> None:
    stage = replace(EPISODES, steps=2, ways=(2, 3), queries=1, network_rate=0.0, meta_batch=2)
    trainer = Trainer(replace(recipe, learner=learner, normalise=False, centre=False, stages=(stage,)), world)
    before = {key: value.clone() for key, value in trainer.module.state_dict().items()}
    list(trainer.run())
    after = trainer.module.state_dict()
    assert any(not torch.equal(before[key], after[key]) for key in before if key.startswith("head."))
    frozen = [key for key, _ in trainer.network.named_parameters()]
    assert all(torch.equal(before[f"network.{key}"], after[f"network.{key}"]) for key in frozen)


def test_a_shuffled_part_keeps_every_label_with_its_picture() -> None:
    support = torch.arange(6.0).unsqueeze(1)
    part = Part(support, torch.tensor([0, 0, 1, 1, 2, 2]), support + 10, torch.tensor([0, 0, 1, 1, 2, 2]))
    shuffled = part.shuffled(3, torch.Generator().manual_seed(1))
    by_label = {int(label): {int(v) // 2 for v in shuffled.support[shuffled.support_labels == label]}
                for label in shuffled.support_labels}  # fmt: skip
    assert all(len(pictures) == 1 for pictures in by_label.values())
    for query, target in zip(shuffled.query[:, 0] - 10, shuffled.targets, strict=True):
        assert by_label[int(target)] == {int(query) // 2}


def test_every_role_is_each_picture_as_the_support_picture_in_turn() -> None:
    """By hand: 2 classes of 3 pictures, queries in mixed order."""
    task = torch.tensor([[0.0], [10.0], [11.0], [1.0], [2.0], [12.0]])
    query_labels = torch.tensor([1, 0, 0, 1])
    parts = every_role(task, query_labels, 2)
    assert [part.support[:, 0].tolist() for part in parts] == [[0, 10], [1, 11], [2, 12]]
    assert [part.query[:, 0].tolist() for part in parts] == [[1, 2, 11, 12], [0, 2, 10, 12], [0, 1, 10, 11]]
    assert all(part.targets.tolist() == [0, 0, 1, 1] for part in parts)


def test_every_role_averages_the_loss_of_the_first_role_and_of_the_others(
    recipe: Recipe, world: ClassImages
) -> None:
    stage = replace(EPISODES, steps=1, every_role=True)
    trainer = Trainer(replace(recipe, stages=(stage,)), world)
    batch = trainer.maker.batch(0)
    trainer.module.train()
    with torch.no_grad():
        task = trainer.network(batch.inputs("cpu", trainer.mean, trainer.std))
    by_class = [torch.cat([task[[c]], task[4:][batch.query_labels[0] == c]]) for c in range(4)]
    expected = []
    for role in range(4):
        support = torch.stack([pictures[role] for pictures in by_class])
        query = torch.cat([torch.cat([pictures[:role], pictures[role + 1 :]]) for pictures in by_class])
        logits = squared_euclidean_logits(query, prototypes(support, torch.arange(4), 4))
        expected.append(functional.cross_entropy(logits, torch.arange(4).repeat_interleave(3)))
    fresh = Trainer(replace(recipe, stages=(stage,)), world)
    assert next(fresh.run()).loss == pytest.approx(torch.stack(expected).mean().item(), rel=1e-5)


def test_frozen_norms_keep_their_statistics(recipe: Recipe, world: ClassImages) -> None:
    stage = replace(EPISODES, steps=3, frozen_norms=True)
    trainer = Trainer(replace(recipe, stages=(stage,)), world)
    list(trainer.run())
    statistics = [b for key, b in trainer.network.named_buffers() if "running_mean" in key]
    assert statistics
    assert all(not b.any() for b in statistics)


def test_the_mean_of_several_episodes_is_one_step(recipe: Recipe, world: ClassImages) -> None:
    several = replace(recipe, stages=(replace(EPISODES, meta_batch=2, steps=1),))
    trainer = Trainer(several, world)
    batch = trainer.maker.batch(0)
    trainer.module.train()
    with torch.no_grad():
        tasks = trainer.network(batch.inputs("cpu", trainer.mean, trainer.std)).chunk(2)
    expected = []
    for task, targets in zip(tasks, batch.query_labels, strict=True):
        logits = squared_euclidean_logits(task[4:], prototypes(task[:4], torch.arange(4), 4))
        expected.append(functional.cross_entropy(logits, targets).item())
    assert expected[0] != expected[1]
    assert next(Trainer(several, world).run()).loss == pytest.approx(sum(expected) / 2, rel=1e-5)


def test_the_share_of_right_answers_by_hand() -> None:
    assert share_right(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1])) == 0.5
