"""Training: it learns, it is a function of its seed, and a killed one goes on as if nothing had happened."""

from __future__ import annotations

import errno
import os
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors import safe_open

from fewshot_gui.core.training.batches import turn
from fewshot_gui.core.training.checkpoint import CheckpointError, save_checkpoint
from fewshot_gui.core.training.group import Group
from fewshot_gui.core.training.stage import Augmentation, Stage
from fewshot_gui.core.training.trainer import Trainer

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.training.recipe import Recipe


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in trainer.network.state_dict().items()}


def assert_same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    for key, value in one.items():
        assert torch.equal(value, other[key]), key


def test_the_same_seed_gives_the_same_weights(recipe: Recipe, world: ClassImages) -> None:
    first, second = Trainer(recipe, world), Trainer(recipe, world)
    records = list(first.run())
    assert [r.loss for r in records] == [r.loss for r in second.run()]
    assert_same(weights(first), weights(second))


def test_another_seed_gives_other_weights(recipe: Recipe, world: ClassImages) -> None:
    first, second = Trainer(recipe, world), Trainer(replace(recipe, seed=1), world)
    for trainer in (first, second):
        list(trainer.run())
    assert not torch.equal(weights(first)["blocks.0.0.weight"], weights(second)["blocks.0.0.weight"])


@pytest.mark.parametrize("killed_after", [1, 3, 5, 6, 7, 9, 11, 12])
def test_a_killed_training_resumes_to_the_same_weights(
    recipe: Recipe, world: ClassImages, tmp_path: Path, killed_after: int
) -> None:
    undisturbed = Trainer(recipe, world)
    list(undisturbed.run())
    checkpoint = tmp_path / "run.checkpoint"
    for record in Trainer(recipe, world).run(checkpoint, every=1):
        if record.step == killed_after:
            break
    resumed = Trainer(recipe, world)
    records = list(resumed.run(checkpoint, resume=True, every=1))
    assert len(records) == recipe.steps - (killed_after - 1)  # its checkpoint comes after its record
    assert_same(weights(undisturbed), weights(resumed))


def test_a_frozen_network_keeps_no_gradient_of_the_stage_before(
    recipe: Recipe, world: ClassImages, tmp_path: Path
) -> None:
    """What is left of it would count in the length that is clipped, and be gone after a resume."""
    heads = Stage("episodes", steps=4, learning_rate=0.01, optimiser="adam", ways=3, shots=2, queries=2,
                  network_rate=0.0, clip=0.01)  # fmt: skip
    frozen = replace(recipe, learner="matching", centre=False, normalise=False,
                     stages=(recipe.stages[0], heads))  # fmt: skip
    undisturbed, checkpoint = Trainer(frozen, world), tmp_path / "run.checkpoint"
    for record in undisturbed.run(checkpoint, every=8):
        if record.step > 6:
            assert all(p.grad is None for p in undisturbed.network.parameters())
    resumed = Trainer(frozen, world)
    assert next(resumed.run(checkpoint, resume=True)).step == 9
    list(resumed.run(checkpoint, resume=True))
    assert_same(undisturbed.module.state_dict(), resumed.module.state_dict())


def test_a_record_is_there_to_be_logged_before_its_checkpoint(
    recipe: Recipe, world: ClassImages, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    trainer = Trainer(recipe, world)
    written = []
    for record in trainer.run(checkpoint, every=1):
        with safe_open(checkpoint, framework="pt") if record.step > 1 else nullcontext() as file:
            written.append(int(file.metadata()["step"]) if file else 0)
    assert written == list(range(recipe.steps))


def test_a_checkpoint_that_another_process_does_not_find_is_refused(
    recipe: Recipe, world: ClassImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    list(Trainer(recipe, world).run(checkpoint, every=4))
    monkeypatch.setattr(Group, "mean", lambda _group, values: tuple(value / 2 for value in values))
    with pytest.raises(CheckpointError, match="not every process"):
        next(Trainer(recipe, world).run(checkpoint, resume=True))


def test_the_processes_of_a_group_are_aligned_before_each_stage(
    recipe: Recipe, world: ClassImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    aligned: list[torch.nn.Module] = []
    monkeypatch.setattr(Group, "align", lambda _group, module: aligned.append(module))
    trainer = Trainer(recipe, world)
    seen = [(record.step, len(aligned)) for record in trainer.run()]
    assert [count for _, count in seen] == [1] * 6 + [2] * 6
    assert all(module is trainer.module for module in aligned)


def test_a_checkpoint_of_another_recipe_is_refused(
    recipe: Recipe, world: ClassImages, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    list(Trainer(recipe, world).run(checkpoint, every=4))
    other = Trainer(replace(recipe, seed=9), world)
    with pytest.raises(CheckpointError, match="another recipe"):
        next(other.run(checkpoint, resume=True))


def test_a_full_disk_is_an_error_of_the_disk_and_the_former_checkpoint_stays(
    recipe: Recipe, world: ClassImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.checkpoint"
    save_checkpoint(path, 1, torch.nn.Linear(2, 2), torch.optim.SGD([torch.zeros(1)]), "same")
    before = path.read_bytes()

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(path, 2, torch.nn.Linear(2, 2), torch.optim.SGD([torch.zeros(1)]), "same")
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["a.checkpoint"]


def test_a_damaged_checkpoint_says_what_to_do(recipe: Recipe, world: ClassImages, tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    checkpoint.write_bytes(b"\0" * 100)
    with pytest.raises(CheckpointError, match="delete it"):
        next(Trainer(recipe, world).run(checkpoint, resume=True))


def test_episodes_teach_the_classes_of_this_world(recipe: Recipe, world: ClassImages) -> None:
    stage = Stage("episodes", steps=60, learning_rate=0.01, optimiser="adam", ways=5, shots=1, queries=3)
    records = list(Trainer(replace(recipe, stages=(stage,)), world).run())
    assert sum(r.accuracy for r in records[-10:]) / 10 > 0.9


def test_shuffled_labels_teach_nothing_about_new_pictures(recipe: Recipe, world: ClassImages) -> None:
    """Were an episode to leak its labels, by order or batch statistics, chance would be beaten."""
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(world.labels), generator=generator).numpy()
    stage = Stage("episodes", steps=30, learning_rate=0.0, optimiser="adam", ways=5, shots=1, queries=4)
    shuffled = replace(world, labels=world.labels[order])
    records = list(Trainer(replace(recipe, stages=(stage,)), shuffled).run())
    # 600 queries at 1/5: more than four standard deviations, for pictures of a kind still look alike.
    assert sum(r.accuracy for r in records) / len(records) < 0.32


def test_class_rotations_make_four_classes_of_one(recipe: Recipe, world: ClassImages) -> None:
    trainer = Trainer(replace(recipe, class_rotations=True), world)
    assert trainer.maker.classes == 4 * len(world.names)
    assert len(trainer.maker.labels) == 4 * len(world.labels)


def test_turn_rotates_each_picture_by_its_own_quarters() -> None:
    images = torch.arange(2 * 3 * 3).reshape(2, 3, 3, 1).to(torch.uint8)
    turned = turn(images, torch.tensor([0, 1]))
    assert torch.equal(turned[0], images[0])
    assert torch.equal(turned[1], torch.rot90(images[1], 1, (0, 1)))


def headed(recipe: Recipe, **changes: Any) -> Recipe:
    """Return a recipe that after its first stage trains a matching head on a network that stays as it is."""
    heads = Stage("episodes", steps=5, learning_rate=0.01, optimiser="adam", ways=3, shots=2, queries=2,
                  network_rate=0.0, frozen_norms=True, **changes)  # fmt: skip
    return replace(
        recipe, learner="matching", centre=False, normalise=False, stages=(recipe.stages[0], heads)
    )


def test_a_network_that_stays_as_it_is_sees_every_picture_once(
    recipe: Recipe, world: ClassImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(headed(recipe), world)
    seen: list[int] = []
    trainer.network.register_forward_hook(lambda _module, inputs, _output: seen.append(len(inputs[0])))
    once = [record.loss for record in trainer.run()]
    assert sum(seen[recipe.stages[0].steps :]) == len(world.images)
    monkeypatch.setattr(type(recipe), "embeds_once", lambda *_: False)
    anew = [record.loss for record in Trainer(headed(recipe), world).run()]
    assert once == pytest.approx(anew, rel=1e-3)  # the embeddings are kept in half precision


def test_turned_classes_are_embedded_turned(recipe: Recipe, world: ClassImages) -> None:
    turned = replace(headed(recipe), class_rotations=True)
    trainer = Trainer(turned, world)
    records = list(trainer.run())
    assert len(records) == turned.steps
    batch = trainer.maker.batch(7)
    assert batch.rows is not None
    assert len(batch.images) == 0
    assert int(batch.rows.max()) >= len(world.images)


@pytest.mark.parametrize(
    "change", [{"augmentation": Augmentation(flip=True)}, {"sides": (12, 16)}, {"network_rate": 0.1}]
)
def test_what_changes_is_embedded_every_time(recipe: Recipe, change: dict[str, Any]) -> None:
    changed = replace(headed(recipe).stages[1], **change)
    assert headed(recipe).embeds_once(headed(recipe).stages[1])
    assert not headed(recipe).embeds_once(changed)


def test_known_embeddings_are_the_same_with_workers_and_after_a_resume(
    recipe: Recipe, world: ClassImages, tmp_path: Path
) -> None:
    undisturbed = [record.loss for record in Trainer(headed(recipe), world).run()]
    assert [r.loss for r in Trainer(headed(recipe), world, workers=1).run()] == undisturbed
    for record in Trainer(headed(recipe), world).run(tmp_path / "run.checkpoint", every=1):
        if record.step == 9:
            break
    resumed = Trainer(headed(recipe), world).run(tmp_path / "run.checkpoint", resume=True)
    assert [record.loss for record in resumed] == undisturbed[8:]
