"""The parts that a recipe trains, and the objective of each of its stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from fewshot_gui.core.backbones.networks import NetworkError, build_network
from fewshot_gui.core.training.objectives import (
    ClassifyObjective,
    DistilObjective,
    Embedder,
    HeadObjective,
)
from fewshot_gui.core.training.recipe import WAYS_LEARNERS, RecipeError
from fewshot_gui.core.training.stage import most
from fewshot_gui.core.training.start import started_network

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot_gui.core.training.batches import BatchMaker
    from fewshot_gui.core.training.objectives import Objective
    from fewshot_gui.core.training.precision import Precision
    from fewshot_gui.core.training.recipe import Recipe
    from fewshot_gui.core.training.stage import Stage


_ANY_LENGTH = ("prototypical", "ridge")  # their heads learn nothing that is as long as an embedding


def build_module(recipe: Recipe, classes: int) -> nn.ModuleDict:
    """Return `network`, and what the recipe trains on top of it, as its seed has them.

    `classifier` and `rotation` are for stages of kind classify or distil, `head` or `method` for episodes.

    Args:
        recipe: says which.
        classes: how many there are in training.

    Raises:
        RecipeError: the head does not take its settings, or the start does not fit.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        module = nn.ModuleDict({"network": started_network(recipe)})
        dimension = embedding_dimension(module["network"], recipe)
        _check_sides(module["network"], recipe, dimension)
        _check_finished(recipe)
        if any(stage.kind != "episodes" for stage in recipe.stages):
            module["classifier"] = nn.Linear(dimension, classes)
        if any(stage.rotation_head for stage in recipe.stages):
            module["rotation"] = nn.Linear(dimension, 4)
        if any(stage.kind == "episodes" for stage in recipe.stages):
            module.update(_learned(recipe, module["network"], dimension))
    return module


def _learned(recipe: Recipe, network: nn.Module, dimension: int) -> dict[str, nn.Module]:
    if recipe.adapts:
        from fewshot_gui.core.training.gradient_objective import initial_method  # noqa: PLC0415 - few need it

        try:
            method = initial_method(recipe, network, dimension, recipe_ways(recipe))
        except ValueError as error:
            raise RecipeError(f"recipe {recipe.name}, method: {error}") from error
        if any(key.startswith("head") for key in method) and recipe.validation_ways > recipe_ways(recipe):
            raise RecipeError(
                f"recipe {recipe.name}: {recipe.learner} with this head tells at most "
                f"{recipe_ways(recipe)} classes apart, fewer than validation_ways ({recipe.validation_ways})"
            )
        return {"method": method}
    if not has_head(recipe):
        return {}
    from fewshot_gui.core.learners.heads import build_head  # noqa: PLC0415 - few recipes need it

    try:
        return {"head": build_head(head_architecture(recipe), dimension)}
    except (TypeError, ValueError) as error:
        raise RecipeError(f"recipe {recipe.name}, head: {error}") from error


def has_head(recipe: Recipe) -> bool:
    """Return whether the recipe's learner has a head of its own; plain prototypes have nothing to learn."""
    return not recipe.adapts and (recipe.learner != "prototypical" or bool(recipe.head))


def head_architecture(recipe: Recipe) -> dict[str, Any]:
    """Return the arguments of `build_head`."""
    ways = {"max_ways": recipe.most_ways} if recipe.learner in WAYS_LEARNERS else {}
    return {"kind": recipe.learner, **ways, **recipe.head}


def recipe_ways(recipe: Recipe) -> int:
    """Return the most classes of any training episode."""
    return max(most(stage.ways) for stage in recipe.stages if stage.kind == "episodes")


def _check_sides(network: nn.Module, recipe: Recipe, dimension: int) -> None:
    """Raise RecipeError where a stage's classifier would be shown embeddings of another length."""
    for number, stage in enumerate(recipe.stages, start=1):
        bound = stage.kind != "episodes" or (has_head(recipe) and recipe.learner not in _ANY_LENGTH)
        for side in stage.sides if bound else ():
            found = embedding_dimension(network, recipe, side)
            if found != dimension:
                raise RecipeError(
                    f"recipe {recipe.name}, stage {number}: sides: at {side} pixels this network has "
                    f"embeddings of {found} numbers, and at {recipe.side} of {dimension}; leave {side} out"
                )


def _check_finished(recipe: Recipe) -> None:
    """Raise RecipeError where the finished network cannot be: it would be known after the last step alone."""
    if not (recipe.whiten or recipe.finished):
        return
    try:
        network = build_network({**recipe.network, **recipe.finished, "channels": recipe.channels})
    except NetworkError as error:
        raise RecipeError(f"recipe {recipe.name}, finished: {error}") from error
    layer = network.embedding
    if recipe.whiten and isinstance(layer, nn.Linear) and layer.out_features > layer.in_features:
        raise RecipeError(
            f"recipe {recipe.name}: an embedding of {layer.out_features} numbers cannot be whitened from "
            f"{layer.in_features} features; let it be {layer.in_features} at most"
        )


def embedding_dimension(network: nn.Module, recipe: Recipe, side: int = 0) -> int:
    """Return D, the length of an embedding of a picture of a side, by default the recipe's."""
    network.eval()
    with torch.no_grad():
        side = side or recipe.side
        shown = torch.zeros(2, recipe.channels, side, side)
        return int(network(shown).shape[1])


def build_objective(
    recipe: Recipe,
    stage: Stage,
    module: nn.ModuleDict,
    mean: Tensor,
    std: Tensor,
    precision: Precision,
    maker: BatchMaker | None = None,
) -> Objective:
    """Return what the stage lowers.

    Args:
        recipe: whose stage it is.
        stage: the stage.
        module: see `build_module`.
        mean: float (1, C, 1, 1), of the training pictures.
        std: float (1, C, 1, 1).
        precision: of the network's forward pass.
        maker: of the batches, which is asked for all pictures where `recipe.embeds_once`.
    """
    embedder = Embedder(module["network"], stage, mean, std, precision, maker)
    if stage.kind == "classify":
        return ClassifyObjective(module, embedder)
    if stage.kind == "distil":
        return DistilObjective(module, embedder)
    if recipe.adapts:
        from fewshot_gui.core.training.gradient_objective import GradientObjective  # noqa: PLC0415 - few need it

        return GradientObjective(recipe, module, embedder)
    return HeadObjective(module, embedder)
