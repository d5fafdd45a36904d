"""Validation: how the method under training does on tasks of classes that it is not trained on."""

from __future__ import annotations

import copy
import hashlib
from typing import TYPE_CHECKING

import numpy as np
import torch

from fewshot_gui.core.backbones.bundle import finish_embedding, mean_over_views, normalised_input
from fewshot_gui.core.backbones.networks import fuse_batch_norms
from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.episodes.sampler import ClassIndex, Episode, EpisodeError, sample_episode
from fewshot_gui.core.evaluation.measures import interval95
from fewshot_gui.core.learners.base import SupportSet
from fewshot_gui.core.learners.context import LearnerContext
from fewshot_gui.core.learners.order import in_turn
from fewshot_gui.core.learners.prototypical import prototypes, squared_euclidean_logits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.learners.head import Head
    from fewshot_gui.core.training.recipe import Recipe

MOST_PICTURES = 4000  # of all validation classes together: beyond them a look costs more than it tells
_TASKS_SEED = 9_176_263


class Validator:
    """The validation tasks of a recipe: the same at every look.

    Args:
        recipe: how many, how large.
        data: the validation classes.
        statistics: mean and standard deviation of each channel of the training pictures.

    Attributes:
        fingerprint: other where the classes or a sample of their pictures are others.

    Raises:
        EpisodeError: fewer than two classes of two pictures, of which no task can be made.
    """

    def __init__(
        self, recipe: Recipe, data: ClassImages, statistics: tuple[list[float], list[float]]
    ) -> None:
        self.recipe = recipe
        # One view, as in training: several would take as many times as long, and rank the looks alike.
        self._preprocessing = Preprocessing(
            recipe.side, recipe.channels, tuple(statistics[0]), tuple(statistics[1]), recipe.invert
        )
        rows = _a_share_of_each(data.labels, max(2, MOST_PICTURES // max(1, len(data.names))))
        digest = hashlib.sha256(data.labels[rows].tobytes())
        digest.update(data.images[rows[:: max(1, len(rows) // 256)]].tobytes())
        self.fingerprint = digest.digest()
        self._index = ClassIndex.of(torch.from_numpy(data.labels[rows]), data.names)
        if len(self._index.members) < 2:
            raise EpisodeError(
                "validation needs two classes of two pictures or more, and there "
                f"{'is but one' if len(self._index.members) else 'is none'}"
            )
        self._images = _looked_at(data.images[rows], self._preprocessing)
        smallest = min(len(member) for member in self._index.members)
        self._ways = min(recipe.validation_ways, len(self._index.members))
        self._shots = max(1, min(recipe.validation_shots, smallest - 1))
        self._queries = max(1, min(recipe.validation_queries, smallest - self._shots))

    def measure(self, module: nn.ModuleDict, *, heads: bool = True) -> tuple[float, float]:
        """Return the mean accuracy over the tasks and the half width of its 95 % interval.

        Args:
            module: what is trained.
            heads: ask the method under training; else the nearest prototype, for what is not yet one.
        """
        rights = [
            float((scores.argmax(1) == targets).double().mean())
            for scores, targets in self.answers(module, heads=heads)
        ]
        return float(np.mean(rights)), interval95(rights)

    def answers(
        self, module: nn.ModuleDict, *, heads: bool = True, tasks: int | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the scores (Q, N) and the true classes (Q,) of each task, on the CPU."""
        features, answer = self._asked(module, heads=heads)
        generator = torch.Generator().manual_seed(self.recipe.seed + _TASKS_SEED)
        for _ in range(tasks or self.recipe.validation_episodes):
            task = self._task(generator)
            support = features[task.support_index.to(features.device)]
            query = features[task.query_index.to(features.device)]
            scores = answer(support, task.support_labels.to(features.device), query, self._ways)
            yield scores.float().cpu(), task.query_labels

    def _task(self, generator: torch.Generator) -> Episode:
        return sample_episode(
            self._index, ways=self._ways, shots=self._shots, queries=self._queries, generator=generator
        )

    def _asked(self, module: nn.ModuleDict, *, heads: bool) -> tuple[Tensor, Callable[..., Tensor]]:
        """Return what the tasks are made of, and the method that answers them."""
        network = module["network"]
        device = next(network.parameters()).device
        if heads and "method" in module:
            pixels = normalised_input(torch.from_numpy(self._images), self._preprocessing)
            # On the CPU, as every learner is given its rows: it takes those of a task to the device itself.
            return pixels.reshape(len(pixels), -1), self._adapting(module, device)
        raw = raw_embeddings(network, self._images, self._preprocessing)
        if self.recipe.centre or self.recipe.normalise:
            centre = raw.mean(axis=0) if self.recipe.centre else np.zeros(raw.shape[1], dtype=np.float32)
            raw = finish_embedding(raw, centre, normalise=self.recipe.normalise)
        embeddings = torch.from_numpy(raw).to(device)
        return embeddings, _by_head(module["head"]) if heads and "head" in module else _by_prototypes  # type: ignore[arg-type]

    def _adapting(self, module: nn.ModuleDict, device: torch.device) -> Callable[..., Tensor]:
        from fewshot_gui.core.learners.catalogue import make_learner  # noqa: PLC0415 - few recipes need it
        from fewshot_gui.core.training.gradient_objective import method_tensors  # noqa: PLC0415 - few need it

        network = fuse_batch_norms(copy.deepcopy(module["network"])).requires_grad_(requires_grad=False)
        recipe = self.recipe
        context = LearnerContext(
            learner=recipe.learner,
            head=recipe.method,
            head_tensors=method_tensors(module),
            network=network,
            input_shape=(recipe.channels, recipe.side, recipe.side),
            device=str(device),
            dimension=recipe.channels * recipe.side**2,
        )
        learner = make_learner(recipe.learner, context)

        def answer(support: Tensor, labels: Tensor, query: Tensor, ways: int) -> Tensor:
            task = SupportSet(support, labels, tuple(str(n) for n in range(ways)))
            return learner.fit(task).predict(query).scores

        return answer


def _by_prototypes(support: Tensor, labels: Tensor, query: Tensor, ways: int) -> Tensor:
    return squared_euclidean_logits(query, prototypes(support, labels, ways))


def _by_head(head: Head) -> Callable[..., Tensor]:
    head.eval()

    def answer(support: Tensor, labels: Tensor, query: Tensor, ways: int) -> Tensor:
        order = in_turn(labels)  # as in use
        with torch.no_grad():
            return head.scores(support[order], labels[order], query, ways)

    return answer


def _a_share_of_each(labels: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return the places of at most so many pictures of each class, and of none where it has but one."""
    places = [np.zeros(0, dtype=np.int64)]
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        if len(mine) > 1:
            places.append(mine[:: max(1, -(-len(mine) // most))])
    return np.sort(np.concatenate(places))


def _looked_at(images: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Return uint8 (n, views * side, side, C), the views of square pictures of any side."""
    return np.stack([preprocessing.look(image) for image in images])


def raw_embeddings(
    network: nn.Module, images: NDArray[np.uint8], preprocessing: Preprocessing
) -> NDArray[np.float32]:
    """Return float32 (n, D), before centring, of squares (n, S, S, C), of the side or another.

    They are in the colours that the network takes: their views are made of them here.
    """
    network.eval()
    device = next(network.parameters()).device
    parts = []
    with torch.inference_mode():
        for start in range(0, len(images), 256):
            seen = torch.from_numpy(_looked_at(images[start : start + 256], preprocessing)).to(device)
            inputs = normalised_input(seen, preprocessing)
            parts.append(mean_over_views(network(inputs).float(), preprocessing).cpu().numpy())
    return np.concatenate(parts).astype(np.float32)
