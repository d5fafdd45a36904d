"""Batches: which pictures a step sees, with which labels and which random changes."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from fewshot_gui.core.episodes.sampler import ClassIndex, Episode, sample_episode
from fewshot_gui.core.learners.gradient.convolution import with_layout
from fewshot_gui.core.training.augment import Changes, after, apply_changes, draw_changes
from fewshot_gui.core.training.schedule import scheduled_side
from fewshot_gui.core.training.stage import Augmentation, most

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.training.recipe import Recipe
    from fewshot_gui.core.training.stage import Count, Stage

# Far above any number of steps, so that no two of (seed, step, rank) share a generator by chance.
_SEED_STRIDE, _RANK_STRIDE = 1_000_003, 7_368_787_003


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What one update is computed from; a pure function of (recipe, data, step, rank).

    Attributes:
        seed: of whatever else the objective draws.
        images: uint8 (B, H, W, C), before their changes; of T episodes one after the other, each its
            support and then its queries.
        maps: float (B, 2, 3), see `Changes`.
        colours: float (3, B), or None.
        side: of the network's input, in pixels.
        targets: int64 (B,), the classes; empty in episodes.
        support_labels: int64 (T, S), 0 .. ways - 1, grouped by class.
        query_labels: int64 (T, Q), 0 .. ways - 1, in shuffled order.
        taught: float16 (B, D), the teacher's embeddings; None where there is no teacher.
        rows: int64 (B,), which pictures these are, in place of them, where `Recipe.embeds_once`; else None.
        ways: N; 0 where there are no episodes.
        progress: share of the stage that is done, 0 to 1.
    """

    seed: int
    images: Tensor
    maps: Tensor
    colours: Tensor | None
    side: int
    targets: Tensor
    support_labels: Tensor
    query_labels: Tensor
    taught: Tensor | None = None
    rows: Tensor | None = None
    ways: int = 0
    progress: float = 0.0

    def inputs(self, device: str, mean: Tensor, std: Tensor) -> Tensor:
        """Return float32 (B, C, side, side), changed and normalised, on the device."""
        changed = apply_changes(self.images.to(device), self.side, Changes(self.maps, self.colours))
        return with_layout(((changed - mean) / std).contiguous(memory_format=torch.channels_last))

    def packed(self) -> dict[str, Any]:
        """Return it without tensors: they go from process to process by way of scarce shared memory."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {k: v.numpy() if isinstance(v, torch.Tensor) else v for k, v in values.items()}

    @classmethod
    def unpacked(cls, values: dict[str, Any]) -> Batch:
        """Return the batch that `packed` made the values of."""
        restored: dict[str, Any] = {
            k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in values.items()
        }
        return cls(**restored)


class BatchMaker:
    """Makes the batch of any step of a training.

    Args:
        recipe: which pictures, how many, changed how.
        images: uint8 (n, H, W, C); may be a memory map.
        labels: int64 (n,).
        names: of the classes, for messages.
        taught: float16 (n, D), the teacher's embeddings; may be a memory map; None without a teacher.
    """

    def __init__(
        self,
        recipe: Recipe,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        names: tuple[str, ...],
        taught: NDArray[np.float16] | None = None,
    ) -> None:
        self.recipe = recipe
        self.images = images
        self.taught = taught
        self.labels = with_rotations(torch.from_numpy(labels), len(names), recipe.class_rotations)
        self.classes = len(names) * (4 if recipe.class_rotations else 1)
        called = [f"{name}{turned}" for turned in _TURNED[: self.classes // len(names)] for name in names]
        self.index = ClassIndex.of(self.labels, called)

    @classmethod
    def of(cls, recipe: Recipe, data: ClassImages, taught: NDArray[np.float16] | None = None) -> BatchMaker:
        """Return the maker for training classes, and what a teacher says of their pictures.

        Raises:
            EpisodeError: too few classes, or too few pictures of one, by name, for the recipe's episodes.
        """
        maker = cls(recipe, data.images, data.labels, data.names, taught)
        for stage in recipe.stages:
            if stage.kind == "episodes":
                maker.index.require(most(stage.ways), most(stage.shots) + stage.queries)
        return maker

    def batch(self, step: int, rank: int = 0) -> Batch:
        """Return the batch of an update, counted over all stages, for one of the processes that share it."""
        stage, within = self.recipe.stage_at(step)
        seed = self.recipe.seed * _SEED_STRIDE + step + rank * _RANK_STRIDE
        generator = torch.Generator().manual_seed(seed)
        draw = self._episodes if stage.kind == "episodes" else self._pictures
        rows, labels = draw(stage, generator)
        once = self.recipe.embeds_once(stage)
        images = self.images_of(rows[:0] if once else rows)
        changes = draw_changes(len(images), stage.augmentation, generator)
        if stage.class_augmentation != Augmentation():
            changes = after(_class_changes(stage.class_augmentation, labels, generator), changes)
        return Batch(
            seed=seed,
            images=images,
            maps=changes.maps,
            colours=changes.colours,
            side=scheduled_side(stage, within, self.recipe.side),
            targets=labels.targets,
            support_labels=labels.support,
            query_labels=labels.query,
            taught=self._taught(stage, rows),
            rows=rows if once else None,
            ways=labels.ways,
            progress=within / stage.steps,
        )

    def images_of(self, rows: Tensor) -> Tensor:
        """Return uint8 (B, H, W, C), the pictures of rows (B,); those beyond the last are pictures turned."""
        images = torch.from_numpy(np.ascontiguousarray(self.images[(rows % len(self.images)).numpy()]))
        return turn(images, rows // len(self.images))

    def _taught(self, stage: Stage, rows: Tensor) -> Tensor | None:
        if stage.kind != "distil" or self.taught is None:
            return None
        return torch.from_numpy(np.ascontiguousarray(self.taught[rows.numpy()]))

    def _pictures(self, stage: Stage, generator: torch.Generator) -> tuple[Tensor, _Labels]:
        rows = torch.randint(len(self.labels), (stage.batch,), generator=generator)
        none = torch.zeros(0, 0, dtype=torch.int64)
        return rows, _Labels(self.labels[rows], none, none, 0)

    def _episodes(self, stage: Stage, generator: torch.Generator) -> tuple[Tensor, _Labels]:
        ways, shots = drawn(stage.ways, generator), drawn(stage.shots, generator)
        episodes = [self._episode(ways, shots, stage.queries, generator) for _ in range(stage.meta_batch)]
        rows = torch.cat([torch.cat([e.support_index, e.query_index]) for e in episodes])
        support = torch.stack([e.support_labels for e in episodes])
        query = torch.stack([e.query_labels for e in episodes])
        return rows, _Labels(rows[:0], support, query, ways)

    def _episode(self, ways: int, shots: int, queries: int, generator: torch.Generator) -> Episode:
        return sample_episode(self.index, ways=ways, shots=shots, queries=queries, generator=generator)


class _Labels(NamedTuple):
    """The labels of a batch: of single pictures (B,), or of T episodes (T, S) and (T, Q) of so many ways."""

    targets: Tensor
    support: Tensor
    query: Tensor
    ways: int


def _class_changes(changes: Augmentation, labels: _Labels, generator: torch.Generator) -> Changes:
    """Return the changes to each picture of T episodes, the same for all pictures of a class."""
    of_classes = draw_changes(len(labels.support) * labels.ways, changes, generator)
    classes = torch.cat([labels.support, labels.query], dim=1)
    classes = classes + labels.ways * torch.arange(len(classes))[:, None]
    return Changes(of_classes.maps[classes.flatten()], None)


_TURNED = ("", " turned by 90°", " turned by 180°", " turned by 270°")


def drawn(count: Count, generator: torch.Generator) -> int:
    """Return the count, or one drawn uniformly from its range, both ends included."""
    if isinstance(count, int):
        return count
    return int(torch.randint(count[0], count[1] + 1, (1,), generator=generator))


def with_rotations(labels: Tensor, classes: int, class_rotations: bool) -> Tensor:
    """Return the labels of all pictures and, where asked, of the same turned by 90, 180 and 270 degrees."""
    return torch.cat([labels + turns * classes for turns in range(4)]) if class_rotations else labels


def turn(images: Tensor, quarter_turns: Tensor) -> Tensor:
    """Return images (B, H, W, C), each turned by its number of quarter turns (B,); H = W."""
    if not bool(quarter_turns.any()):
        return images
    turned = images.clone()
    for quarters in (1, 2, 3):
        rows = quarter_turns == quarters
        turned[rows] = torch.rot90(images[rows], quarters, (1, 2))
    return turned


def pixel_statistics(data: ClassImages) -> tuple[list[float], list[float]]:
    """Return (mean, standard deviation) of each channel, on the scale 0 to 1.

    Over all pictures where they are fewer than 10,000, else over 5,000 to 10,000, evenly spread.
    """
    sample = data.images[:: max(1, len(data.images) // 5000)]
    values = np.arange(256) / 255
    means, deviations = [], []
    for channel in range(sample.shape[3]):
        # Counted, not summed up: whole pictures as floats would take gigabytes.
        counts = sum(np.bincount(picture[..., channel].ravel(), minlength=256) for picture in sample)
        total = int(np.sum(counts))
        mean = float(values @ counts / total)
        means.append(mean)
        deviations.append(math.sqrt(float((values - mean) ** 2 @ counts) / max(1, total - 1)))
    return means, deviations
