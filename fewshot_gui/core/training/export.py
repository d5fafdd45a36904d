"""From a finished training to a bundle: centre, calibration, head, report and card."""

from __future__ import annotations

import copy
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from fewshot_gui.core.backbones.bundle import finish_embedding, save_bundle
from fewshot_gui.core.backbones.networks import build_network
from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.episodes.sampler import EpisodeError
from fewshot_gui.core.evaluation.defaults import fit_defaults, fitted_temperature
from fewshot_gui.core.evaluation.episodic import evaluate_episodes
from fewshot_gui.core.images.view import View
from fewshot_gui.core.learners.calibration import shots_factor
from fewshot_gui.core.learners.catalogue import make_learner
from fewshot_gui.core.learners.context import LearnerContext
from fewshot_gui.core.training.batches import pixel_statistics
from fewshot_gui.core.training.checkpoint import Look
from fewshot_gui.core.training.parts import has_head, head_architecture, recipe_ways
from fewshot_gui.core.training.validation import Validator, raw_embeddings
from fewshot_gui.core.training.whitening import fold_whitening

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.evaluation.defaults import CalibrationDefaults
    from fewshot_gui.core.training.recipe import Recipe
    from fewshot_gui.core.training.trainer import Trainer
    from fewshot_gui.core.training.whitening import Projecting

CENTRE_PICTURES = 4096
_SHOTS, _QUERIES = 5, 10  # of an episode that calibrates
HEAD_TASKS, ADAPTED_TASKS = 200, 40  # that a head's temperature is fitted on; adapting takes longer


def export_bundle(
    path: Path, trainer: Trainer, data: ClassImages, validation: ClassImages, training: dict[str, Any]
) -> CalibrationDefaults:
    """Write the bundle of a finished training and return its calibration.

    Args:
        path: NAME.safetensors.
        trainer: after its last step; it is set to the weights that the recipe keeps.
        data: the training classes, for the statistics and the centre.
        validation: classes that were not trained on.
        training: what the card says of it: command, data, steps, seconds.

    Raises:
        DivergedError: its weights are no numbers; what lies at `path` stays.
    """
    recipe = trainer.recipe
    trainer.require_finite(recipe.steps)
    best = trainer.choose()
    preprocessing = recipe_preprocessing(recipe, data)
    architecture = {**recipe.network, **recipe.finished, "channels": recipe.channels}
    network = _refitted(trainer.network, architecture) if recipe.finished else trainer.network
    stride = max(1, len(data.images) // CENTRE_PICTURES)
    if recipe.whiten:
        features = _features(network, data.images[::stride], preprocessing)
        fold_whitening(cast("Projecting", network), features, recipe.whiten)
    raw = raw_embeddings(network, data.images[::stride], preprocessing)
    centre = raw.mean(axis=0) if recipe.centre else np.zeros(raw.shape[1], dtype=np.float32)
    held_out = finish_embedding(
        raw_embeddings(network, validation.images, preprocessing), centre, normalise=recipe.normalise
    )
    calibration = _calibrate(held_out, validation.labels, recipe.seed)
    calibration = replace(calibration, temperature=calibration.temperature * recipe.caution)
    tensors = {key: value.cpu().numpy() for key, value in network.state_dict().items()}
    tensors["centre"] = centre.astype(np.float32)
    description = {
        "title": recipe.title,
        "architecture": architecture,
        "preprocessing": asdict(preprocessing),
        "dimension": int(raw.shape[1]),
        "normalise": recipe.normalise,
        "temperature": calibration.temperature,
        "novelty": calibration.novelty,
    }
    learned, head_tensors = _learned(trainer, validation)
    if best is None and not head_tensors and not recipe.adapts:
        best = _measured(held_out, validation.labels, recipe)
    description["training"] = {**training, "validated": asdict(best)} if best else training
    save_bundle(path, {**tensors, **head_tensors}, {**description, **learned})
    return calibration


def _refitted(network: nn.Module, architecture: dict[str, Any]) -> nn.Module:
    """Return the network with another pooling; an embedding layer of another shape is yet to be set.

    Raises:
        NetworkError: it has no such pooling.
    """
    refitted, trained = build_network(architecture), network.state_dict()
    own = {
        key: value
        for key, value in refitted.state_dict().items()
        if key not in trained or trained[key].shape != value.shape
    }
    refitted.load_state_dict({**trained, **own})
    refitted.to(next(network.parameters()).device)
    return refitted.to(memory_format=torch.channels_last)


def _features(network: nn.Module, images: NDArray[np.uint8], preprocessing: Preprocessing) -> Tensor:
    """Return float32 (n, F), what comes into the network's last layer."""
    features = copy.deepcopy(network)
    features.embedding = torch.nn.Identity()
    return torch.from_numpy(raw_embeddings(features, images, preprocessing))


def _learned(trainer: Trainer, validation: ClassImages) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what the bundle says of the learner that it was trained for, and that learner's tensors."""
    recipe, module = trainer.recipe, trainer.module
    if not any(stage.kind == "episodes" for stage in recipe.stages):
        return {}, {}
    own: Mapping[str, Tensor]
    ways: int | None
    if recipe.adapts:
        from fewshot_gui.core.training.gradient_objective import method_tensors  # noqa: PLC0415 - few need it

        own, head, ways = method_tensors(module), recipe.method, recipe_ways(recipe)
    elif has_head(recipe):
        own, head = module["head"].state_dict(), head_architecture(recipe)
        ways = module["head"].max_ways  # type: ignore[assignment]
    else:
        return {"learner": recipe.learner}, {}
    said = {
        "learner": recipe.learner,
        "head": dict(head),
        "head_temperature": _head_temperature(trainer, validation),
        "ways": ways,
    }
    return said, {f"head.{key}": value.detach().cpu().numpy() for key, value in own.items()}


def _head_temperature(trainer: Trainer, validation: ClassImages) -> float:
    """Return the temperature that fits the method's own scores on validation tasks."""
    validator = trainer.validator or Validator(trainer.recipe, validation, pixel_statistics(trainer.data))
    tasks = ADAPTED_TASKS if trainer.recipe.adapts else HEAD_TASKS
    answers = list(validator.answers(trainer.module, tasks=tasks))
    scores, targets = (torch.cat(column) for column in zip(*answers, strict=True))
    return fitted_temperature(scores, targets)


def _measured(embeddings: NDArray[np.float32], labels: NDArray[np.int64], recipe: Recipe) -> Look | None:
    """Return how prototypes do on the tasks of a look, where none was asked for; None without such tasks."""
    try:
        report = evaluate_episodes(
            torch.from_numpy(embeddings),
            torch.from_numpy(labels),
            make_learner("prototypical", LearnerContext()),
            ways=recipe.validation_ways,
            shots=recipe.validation_shots,
            queries=recipe.validation_queries,
            episodes=recipe.validation_episodes,
            seed=recipe.seed,
        )
    except EpisodeError:  # too few classes, or pictures of one
        return None
    return Look(recipe.steps, len(recipe.stages) - 1, report.accuracy, report.ci95)


def _calibrate(embeddings: NDArray[np.float32], labels: NDArray[np.int64], seed: int) -> CalibrationDefaults:
    """Return temperature and novelty of 5-way 5-shot episodes, from smaller ones where pictures are few."""
    sizes = np.bincount(labels)
    # A class of few pictures must not make the episodes of all others small, nor one of a single picture,
    # which has no query, cost a training of hours its end.
    enough = sizes >= _SHOTS + _QUERIES
    rows = np.flatnonzero((enough if enough.sum() > 1 else sizes > 1)[labels])
    embeddings, labels = embeddings[rows], np.unique(labels[rows], return_inverse=True)[1]
    counts = np.bincount(labels)
    shots = max(1, min(_SHOTS, int(counts.min()) // 2))
    queries = max(1, min(_QUERIES, int(counts.min()) - shots))
    found = fit_defaults(
        torch.from_numpy(embeddings),
        torch.from_numpy(labels),
        ways=min(5, len(counts)),
        shots=shots,
        queries=queries,
        seed=seed,
    )
    return replace(found, temperature=found.temperature / shots_factor(shots))


def source_preprocessing(recipe: Recipe) -> Preprocessing:
    """Return how the pictures of a training are read: at the side that its crops are cut from."""
    plain = recipe_preprocessing(recipe)
    return replace(plain, side=recipe.source_side or recipe.side, views=(View(),))


def recipe_preprocessing(recipe: Recipe, data: ClassImages | None = None) -> Preprocessing:
    """Return the preprocessing of a recipe; with the statistics of `data`, once it has been read."""
    blank = (0.0,) * recipe.channels, (1.0,) * recipe.channels
    mean, std = map(tuple, pixel_statistics(data)) if data else blank
    return Preprocessing(recipe.side, recipe.channels, mean, std, recipe.invert, recipe.views)
