"""From a finished training to a bundle: centre, calibration, report and card."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fewshot_gui.core.backbones.bundle import finish_embedding, normalised_input, save_bundle
from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.evaluation.defaults import fit_defaults
from fewshot_gui.core.training.trainer import pixel_statistics

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.evaluation.defaults import CalibrationDefaults
    from fewshot_gui.core.training.recipe import Recipe
    from fewshot_gui.core.training.trainer import Trainer

CENTRE_PICTURES = 4096


def raw_embeddings(
    network: nn.Module, images: NDArray[np.uint8], preprocessing: Preprocessing
) -> NDArray[np.float32]:
    """Return float32 (n, D), before centring, of prepared pictures (n, side, side, C)."""
    network.eval()
    device = next(network.parameters()).device
    parts = []
    with torch.inference_mode():
        for start in range(0, len(images), 256):
            batch = torch.from_numpy(images[start : start + 256]).to(device)
            parts.append(network(normalised_input(batch, preprocessing)).float().cpu().numpy())
    return np.concatenate(parts).astype(np.float32)


def export_bundle(
    path: Path, trainer: Trainer, data: ClassImages, validation: ClassImages, training: dict[str, Any]
) -> CalibrationDefaults:
    """Write the bundle of a finished training and return its calibration.

    Args:
        path: NAME.safetensors.
        trainer: after its last step.
        data: the training classes, for the statistics and the centre.
        validation: classes that were not trained on.
        training: what the card says of it: command, data, steps, seconds.
    """
    recipe = trainer.recipe
    preprocessing = recipe_preprocessing(recipe, data)
    network = trainer.network
    stride = max(1, len(data.images) // CENTRE_PICTURES)
    raw = raw_embeddings(network, data.images[::stride], preprocessing)
    centre = raw.mean(axis=0) if recipe.centre else np.zeros(raw.shape[1], dtype=np.float32)
    held_out = finish_embedding(
        raw_embeddings(network, validation.images, preprocessing), centre, normalise=recipe.normalise
    )
    calibration = _calibrate(held_out, validation.labels, recipe.seed)
    tensors = {key: value.cpu().numpy() for key, value in network.state_dict().items()}
    tensors["centre"] = centre.astype(np.float32)
    description = {
        "title": recipe.title,
        "architecture": {**recipe.network, "channels": recipe.channels},
        "preprocessing": asdict(preprocessing),
        "dimension": int(raw.shape[1]),
        "normalise": recipe.normalise,
        "temperature": calibration.temperature,
        "novelty": calibration.novelty,
        "training": training,
    }
    save_bundle(path, tensors, description)
    return calibration


def _calibrate(embeddings: NDArray[np.float32], labels: NDArray[np.int64], seed: int) -> CalibrationDefaults:
    """Return temperature and novelty from 5-way 5-shot episodes, or smaller ones where pictures are few."""
    # A class of one picture has no query: it must not cost a training of hours its end.
    rows = np.flatnonzero(np.bincount(labels)[labels] > 1)
    embeddings, labels = embeddings[rows], np.unique(labels[rows], return_inverse=True)[1]
    counts = np.bincount(labels)
    shots = max(1, min(5, int(counts.min()) // 2))
    queries = max(1, min(10, int(counts.min()) - shots))
    return fit_defaults(
        torch.from_numpy(embeddings),
        torch.from_numpy(labels),
        ways=min(5, len(counts)),
        shots=shots,
        queries=queries,
        seed=seed,
    )


def recipe_preprocessing(recipe: Recipe, data: ClassImages | None = None) -> Preprocessing:
    """Return the preprocessing of a recipe; with the statistics of `data`, once it has been read."""
    blank = (0.0,) * recipe.channels, (1.0,) * recipe.channels
    mean, std = map(tuple, pixel_statistics(data)) if data else blank
    return Preprocessing(recipe.side, recipe.channels, mean, std, recipe.invert)
