"""What a training begins with: random weights, or those of a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file

from fewshot_gui.core.backbones.bundle import describe_bundle
from fewshot_gui.core.backbones.networks import build_network, fuse_batch_norms
from fewshot_gui.core.training.recipe import RecipeError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from fewshot_gui.core.training.recipe import Recipe


def started_network(recipe: Recipe) -> nn.Module:
    """Return the recipe's network with random weights, or with those of the bundle that it starts from.

    Where the bundle has batch norms and the recipe's network has none, they are folded into the convolutions:
    the network then gives the same embeddings from the start, and none depends on the other pictures. An
    embedding of its own on top, which the bundle lacks, begins with random weights.

    Raises:
        BundleError: there is no such bundle, or it is damaged.
        RecipeError: its weights do not fit the recipe's network.
    """
    network = build_network({**recipe.network, "channels": recipe.channels})
    if not recipe.start:
        return network
    info = describe_bundle(recipe.start)
    tensors: dict[str, Tensor] = {
        key: value.float() if value.is_floating_point() else value
        for key, value in load_file(info.path).items()
        if key != "centre" and not key.startswith("head.")
    }
    if _folds(recipe, info.architecture):
        source = build_network(info.architecture)
        source.load_state_dict(tensors)
        tensors = fuse_batch_norms(source).state_dict()
    elif recipe.network.get("norm") == "task":
        tensors = {key: value for key, value in tensors.items() if key in network.state_dict()}
    own = {key: value for key, value in network.state_dict().items() if key.startswith("embedding.")}
    try:
        network.load_state_dict({**own, **tensors})
    except RuntimeError as error:
        wanted, there = network.state_dict(), {**own, **tensors}
        odd = sorted(
            key for key in wanted.keys() | there.keys()
            if key not in wanted or key not in there or wanted[key].shape != there[key].shape
        )  # fmt: skip
        raise RecipeError(
            f"recipe {recipe.name}: the weights of {recipe.start} do not fit its network: {len(odd)} of them "
            f"are of another kind or size, {odd[0]} for one; choose another --start, or --start none"
        ) from error
    return network.to(memory_format=torch.channels_last)


def _folds(recipe: Recipe, architecture: dict[str, Any]) -> bool:
    return recipe.network.get("norm") == "none" and architecture.get("norm", "batch") == "batch"


def start_hash(recipe: Recipe) -> str:
    """Return the hash of the bundle that a recipe starts from; empty where it starts from none."""
    return describe_bundle(recipe.start).hash if recipe.start else ""
