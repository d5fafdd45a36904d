"""Feeding: the same batches for any number of workers, in order, and no worker outlives its training."""

from __future__ import annotations

import multiprocessing
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pytest
import torch

from fewshot_gui.core.training.batches import Batch, BatchMaker, drawn
from fewshot_gui.core.training.feeding import default_workers, feeding
from fewshot_gui.core.training.trainer import Trainer

if TYPE_CHECKING:
    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.training.recipe import Recipe

REQUESTS = [(0, 0), (7, 0), (1, 1), (11, 0), (8, 1)]


def fed(recipe: Recipe, world: ClassImages, workers: int) -> list[Batch]:
    with feeding(BatchMaker.of(recipe, world), world, workers) as feed:
        return list(feed(REQUESTS))


def assert_same(one: Batch, other: Batch) -> None:
    for item in fields(Batch):
        value, there = getattr(one, item.name), getattr(other, item.name)
        same = torch.equal(value, there) if isinstance(value, torch.Tensor) else value == there
        assert same, item.name


def test_a_batch_is_a_function_of_step_and_rank(recipe: Recipe, world: ClassImages) -> None:
    for one, other in zip(fed(recipe, world, 0), fed(recipe, world, 0), strict=True):
        assert_same(one, other)


def test_a_batch_survives_the_way_between_processes(recipe: Recipe, world: ClassImages) -> None:
    for batch in fed(recipe, world, 0):
        assert_same(batch, Batch.unpacked(batch.packed()))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_workers_change_no_batch_and_no_order(recipe: Recipe, world: ClassImages) -> None:
    for one, other in zip(fed(recipe, world, 0), fed(recipe, world, 2), strict=True):
        assert_same(one, other)
    assert not multiprocessing.active_children()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_training_ends_with_the_same_weights_for_any_number_of_workers(
    recipe: Recipe, world: ClassImages
) -> None:
    alone, helped = Trainer(recipe, world, workers=0), Trainer(recipe, world, workers=1)
    losses = [[record.loss for record in trainer.run()] for trainer in (alone, helped)]
    assert losses[0] == losses[1]
    for key, value in alone.module.state_dict().items():
        assert torch.equal(value, helped.module.state_dict()[key]), key


def test_on_one_processor_a_training_makes_its_own_batches() -> None:
    assert default_workers("cpu") == 0


def test_an_episode_holds_its_support_and_then_its_queries(recipe: Recipe, world: ClassImages) -> None:
    stage = replace(recipe.stages[1], meta_batch=3)
    batch = BatchMaker.of(replace(recipe, stages=(stage,)), world).batch(0)
    assert batch.support_labels.shape == (3, stage.ways * stage.shots)  # type: ignore[operator]
    assert batch.query_labels.shape == (3, stage.ways * stage.queries)  # type: ignore[operator]
    assert len(batch.images) == 3 * (4 * 2 + 4 * 2)


def test_random_shots_lie_in_their_range_and_reach_both_ends() -> None:
    generator = torch.Generator().manual_seed(0)
    seen = {drawn((1, 4), generator) for _ in range(100)}
    assert seen == {1, 2, 3, 4}


def test_a_fixed_count_draws_nothing() -> None:
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    assert drawn(3, generator) == 3
    assert torch.equal(before, generator.get_state())
