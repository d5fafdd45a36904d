"""Whitening: what it does to features, and that a training ends with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file

from fewshot_gui.core.backbones.bundle import load_bundle
from fewshot_gui.core.training.export import export_bundle
from fewshot_gui.core.training.recipe import RecipeError, parse_recipe
from fewshot_gui.core.training.trainer import Trainer
from fewshot_gui.core.training.whitening import fold_whitening, whitening

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.training.recipe import Recipe


def features() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    turn = torch.linalg.qr(torch.randn(5, 5, generator=generator))[0]
    scales = torch.tensor([5.0, 3.0, 2.0, 1.0, 0.5])
    return torch.randn(3000, 5, generator=generator) * scales @ turn + 4


@pytest.mark.parametrize(("power", "spread"), [(0.0, 100.0), (0.5, 10.0), (1.0, 1.0)])
def test_the_power_says_how_even_the_components_become(power: float, spread: float) -> None:
    weight, bias = whitening(features(), 5, power)
    variances = (features() @ weight.T + bias).var(dim=0)
    assert float(variances[0] / variances[-1]) == pytest.approx(spread, rel=0.2)


def test_the_results_are_centred_uncorrelated_and_of_length_one_in_the_mean() -> None:
    weight, bias = whitening(features(), 3, 0.5)
    mapped = features() @ weight.T + bias
    correlation = torch.corrcoef(mapped.T) - torch.eye(3)
    assert float(mapped.mean(dim=0).abs().max()) < 1e-4
    assert float(correlation.abs().max()) < 1e-3
    assert float(mapped.square().sum(1).mean()) == pytest.approx(1, rel=1e-3)


def test_features_without_variance_do_no_harm() -> None:
    weight, bias = whitening(torch.ones(10, 4), 2, 1.0)
    assert bool(weight.isfinite().all())
    assert bool(bias.isfinite().all())


def test_the_last_layer_of_a_network_becomes_the_whitening() -> None:
    network = torch.nn.Module()
    network.embedding = torch.nn.Linear(5, 3)
    fold_whitening(network, features(), 1.0)  # type: ignore[arg-type]
    variances = network.embedding(features()).detach().var(dim=0)
    assert float(variances.max() / variances.min()) == pytest.approx(1, rel=0.02)


def test_a_bundle_comes_out_whitened(recipe: Recipe, world: ClassImages, tmp_path: Path) -> None:
    network = {"kind": "resnet", "widths": [8, 16], "embedding": 6}
    plain = replace(recipe, network=network, stages=recipe.stages[:1], centre=False, normalise=False)
    ratios = []
    for power in (0.0, 1.0):
        trainer = Trainer(replace(plain, whiten=power), world)
        list(trainer.run())
        export_bundle(tmp_path / f"{power}.safetensors", trainer, world, world, {})
        embedded = torch.from_numpy(load_bundle(tmp_path / f"{power}.safetensors").embed(world.images))
        variances = torch.linalg.eigvalsh(torch.cov(embedded.T)).clamp(min=1e-12)
        ratios.append(float(variances[-1] / variances[0]))
    assert ratios[1] < ratios[0]


def test_a_finished_network_pools_otherwise_and_keeps_what_it_learned(
    recipe: Recipe, world: ClassImages, tmp_path: Path
) -> None:
    finished = {"pool_power": 3.0, "pooled_stages": 2, "embedding": 20}
    network = {"kind": "resnet", "widths": [8, 16], "embedding": 6}
    changed = replace(recipe, network=network, stages=recipe.stages[:1], whiten=0.5, finished=finished)
    trainer = Trainer(changed, world)
    list(trainer.run())
    export_bundle(tmp_path / "a.safetensors", trainer, world, world, {})
    bundle = load_bundle(tmp_path / "a.safetensors")
    assert bundle.info.architecture == {**network, **finished, "channels": 3}
    assert bundle.embed(world.images[:2]).shape == (2, 20)
    learned, kept = trainer.network.state_dict(), load_file(tmp_path / "a.safetensors")
    for key in (key for key in learned if key.startswith("stages.") and key.endswith(".weight")):
        assert torch.allclose(kept[key].float(), learned[key], atol=1e-3), key


@pytest.mark.parametrize("embedding", [0, 6])
def test_another_pooling_alone_keeps_the_embedding_as_it_was_trained(
    recipe: Recipe, world: ClassImages, tmp_path: Path, embedding: int
) -> None:
    network = {"kind": "resnet", "widths": [8, 16], "embedding": embedding}
    changed = replace(recipe, network=network, stages=recipe.stages[:1], finished={"pool_power": 3.0})
    trainer = Trainer(changed, world)
    list(trainer.run())
    export_bundle(tmp_path / "a.safetensors", trainer, world, world, {})
    assert load_bundle(tmp_path / "a.safetensors").info.architecture["pool_power"] == 3.0
    learned, kept = trainer.network.state_dict(), load_file(tmp_path / "a.safetensors")
    assert all(torch.allclose(kept[key].float(), learned[key].float(), atol=1e-3) for key in learned)


@pytest.mark.parametrize(
    "line", ["finished = { widths = [4] }", "whiten = 0.0\nfinished = { pooled_stages = 2 }"]
)
def test_what_a_finished_network_may_have_is_named(line: str) -> None:
    text = (
        f'title = "T"\nside = 16\nchannels = 3\n{line}\nnetwork = {{ kind = "resnet", embedding = 4 }}\n'
        '[[stage]]\nkind = "classify"\nsteps = 1\nlearning_rate = 0.1\n'
    )
    with pytest.raises(RecipeError, match="finished may have pool_power, pooled_stages, embedding"):
        parse_recipe(text, "test")


def test_whitening_needs_a_layer_to_become() -> None:
    text = 'title = "T"\nside = 16\nchannels = 3\nwhiten = 0.5\nnetwork = { kind = "conv4" }\n[[stage]]\n'
    with pytest.raises(RecipeError, match="whiten needs an embedding"):
        parse_recipe(f'{text}kind = "classify"\nsteps = 1\nlearning_rate = 0.1\n', "test")
