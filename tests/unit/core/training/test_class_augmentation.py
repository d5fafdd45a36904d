"""Changes that a class shares: all its pictures in an episode get the same, and another class another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from fewshot_gui.core.training.batches import BatchMaker
from fewshot_gui.core.training.stage import Augmentation, Stage

if TYPE_CHECKING:
    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.training.recipe import Recipe

SHARED = Stage(
    "episodes", steps=5, learning_rate=0.1, ways=3, shots=2, queries=2, meta_batch=2,
    class_augmentation=Augmentation(rotate=30, shear=0.4, flip=True),
)  # fmt: skip


def test_the_pictures_of_a_class_are_changed_alike(recipe: Recipe, world: ClassImages) -> None:
    batch = BatchMaker.of(replace(recipe, stages=(SHARED,)), world).batch(0)
    labels = torch.cat([batch.support_labels, batch.query_labels], dim=1)
    maps = batch.maps.view(2, -1, 2, 3)
    seen = []
    for task in range(2):
        for label in range(3):
            of_class = maps[task][labels[task] == label]
            assert len(of_class) == 4
            assert torch.allclose(of_class, of_class[:1].expand_as(of_class))
            seen.append(of_class[0])
    assert len({tuple(one.flatten().tolist()) for one in seen}) == 6


def test_each_picture_still_has_changes_of_its_own(recipe: Recipe, world: ClassImages) -> None:
    own = replace(SHARED, augmentation=Augmentation(shift=0.1))
    batch = BatchMaker.of(replace(recipe, stages=(own,)), world).batch(0)
    assert len({tuple(one.flatten().tolist()) for one in batch.maps}) == len(batch.maps)


def test_without_it_a_batch_is_what_it_was(recipe: Recipe, world: ClassImages) -> None:
    plain = replace(SHARED, class_augmentation=Augmentation(), augmentation=Augmentation(rotate=5))
    one = BatchMaker.of(replace(recipe, stages=(plain,)), world).batch(3)
    shared = BatchMaker.of(
        replace(recipe, stages=(replace(plain, class_augmentation=SHARED.class_augmentation),)), world
    )
    other = shared.batch(3)
    assert torch.equal(one.images, other.images)
    assert not torch.equal(one.maps, other.maps)
