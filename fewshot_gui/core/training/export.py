"""From a finished training to a bundle: centre, calibration, report and card."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from fewshot_gui.core.backbones.bundle import finish_embedding, normalised_input, save_bundle
from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.episodes.sampler import ClassIndex, sample_episode
from fewshot_gui.core.learners.prototypical import prototypes, squared_euclidean_logits
from fewshot_gui.core.training.trainer import pixel_statistics

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.training.recipe import Recipe
    from fewshot_gui.core.training.trainer import Trainer

CALIBRATION_EPISODES = 200
CENTRE_PICTURES = 4096


@dataclass(frozen=True, slots=True)
class Calibration:
    """What validation episodes say about confidence.

    Attributes:
        temperature: of prototypical logits (5-way; 1 and 5 shots), by likelihood.
        novelty: the distance to the nearest example that best parts native from foreign queries.
    """

    temperature: float
    novelty: float


def raw_embeddings(
    network: nn.Module, images: NDArray[np.uint8], preprocessing: Preprocessing
) -> NDArray[np.float32]:
    """Return float32 (n, D), before centring, of prepared pictures (n, side, side, C); on the network's device."""
    network.eval()
    device = next(network.parameters()).device
    parts = []
    with torch.inference_mode():
        for start in range(0, len(images), 256):
            batch = torch.from_numpy(images[start : start + 256]).to(device)
            parts.append(network(normalised_input(batch, preprocessing)).float().cpu().numpy())
    return np.concatenate(parts).astype(np.float32)


def calibrate(embeddings: Tensor, labels: Tensor, *, seed: int = 0, ways: int = 5) -> Calibration:
    """Return temperature and novelty from episodes over classes that were not trained on.

    Args:
        embeddings: float (n, D).
        labels: int64 (n,), at least two classes.
        seed: of the episodes.
        ways: classes an episode; as many again are the foreign ones, where there are enough.
    """
    generator = torch.Generator().manual_seed(seed)
    index = ClassIndex.of(labels)
    ways = min(ways, int(labels.max()) // 2 + 1)
    logits, targets, native, foreign = [], [], [], []
    for number in range(CALIBRATION_EPISODES):
        shots = (1, 5)[number % 2]
        episode = sample_episode(index, ways=2 * ways, shots=shots, queries=5, generator=generator)
        known = episode.support_labels < ways
        support, support_labels = embeddings[episode.support_index[known]], episode.support_labels[known]
        query = embeddings[episode.query_index]
        inside = episode.query_labels < ways
        logits.append(squared_euclidean_logits(query[inside], prototypes(support, support_labels, ways)))
        targets.append(episode.query_labels[inside])
        nearest = torch.cdist(query, support).amin(dim=1)
        native.append(nearest[inside])
        foreign.append(nearest[~inside])
    return Calibration(
        _best_temperature(torch.cat(logits), torch.cat(targets)),
        _best_threshold(torch.cat(native), torch.cat(foreign)),
    )


def _best_temperature(logits: Tensor, targets: Tensor) -> float:
    """Return the temperature of least negative log-likelihood on a logarithmic grid (Guo et al. 2017)."""
    grid = torch.logspace(-3, 3, 241)
    losses = torch.stack([functional.cross_entropy(logits / t, targets) for t in grid])
    return float(grid[int(losses.argmin())])


def _best_threshold(native: Tensor, foreign: Tensor) -> float:
    """Return the distance with the best mean of native queries below and foreign ones above it."""
    candidates = torch.quantile(native, torch.linspace(0.5, 0.999, 200))
    kept = torch.stack([(native <= c).float().mean() for c in candidates])
    rejected = torch.stack([(foreign > c).float().mean() for c in candidates])
    return float(candidates[int((kept + rejected).argmax())])


def export_bundle(
    path: Path, trainer: Trainer, data: ClassImages, validation: ClassImages, training: dict[str, Any]
) -> Calibration:
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
    calibration = calibrate(torch.from_numpy(held_out), torch.from_numpy(validation.labels), seed=recipe.seed)
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


def recipe_preprocessing(recipe: Recipe, data: ClassImages | None = None) -> Preprocessing:
    """Return the preprocessing of a recipe; with the statistics of `data`, once it has been read."""
    blank = (0.0,) * recipe.channels, (1.0,) * recipe.channels
    mean, std = map(tuple, pixel_statistics(data)) if data else blank
    return Preprocessing(recipe.side, recipe.channels, mean, std, recipe.invert)
