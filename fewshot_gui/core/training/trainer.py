"""Training as a generator of step records, by one recipe, resumable to the same numbers."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from fewshot_gui.core.backbones.networks import build_network
from fewshot_gui.core.episodes.sampler import ClassIndex, sample_episode
from fewshot_gui.core.learners.prototypical import prototypes, squared_euclidean_logits
from fewshot_gui.core.training.augment import augment
from fewshot_gui.core.training.checkpoint import (
    checkpoint_step,
    load_optimiser,
    load_weights,
    save_checkpoint,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch.optim import Optimizer

    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.training.recipe import Recipe, Stage

WARM_UP = 0.05  # share of a stage in which the learning rate rises from zero


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One update.

    Attributes:
        step: updates done, over all stages.
        stage: which kind of stage.
        loss: of this step's batch.
        accuracy: on this step's batch, 0 to 1.
        learning_rate: used.
        seconds: this step took.
    """

    step: int
    stage: str
    loss: float
    accuracy: float
    learning_rate: float
    seconds: float


class Trainer:
    """A training under way: the network, its head, and the optimiser of the present stage.

    Every batch is a pure function of (seed, step), so that a training that was killed and resumed
    does exactly what an undisturbed one does.

    Args:
        recipe: what to do.
        data: the training classes.
        device: of torch.
        learner: whose loss the episodes have; `prototypical`.
    """

    def __init__(
        self, recipe: Recipe, data: ClassImages, *, device: str = "cpu", learner: str = "prototypical"
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.device = device
        self.learner = learner
        self.images = torch.from_numpy(data.images)
        self.labels = _with_rotations(torch.from_numpy(data.labels), len(data.names), recipe.class_rotations)
        self.classes = len(data.names) * (4 if recipe.class_rotations else 1)
        self.network = build_network({**recipe.network, "channels": recipe.channels})
        self.module = nn.ModuleDict(
            {"network": self.network, "head": nn.Linear(self._dimension(), self.classes)}
        )
        self.module.to(device).to(memory_format=torch.channels_last)
        self.index = ClassIndex.of(self.labels)
        mean, std = pixel_statistics(data)
        self.mean, self.std = (torch.tensor(v, device=device).view(1, -1, 1, 1) for v in (mean, std))

    def _dimension(self) -> int:
        self.network.eval()
        with torch.no_grad():
            return int(
                self.network(torch.zeros(1, self.recipe.channels, self.recipe.side, self.recipe.side)).shape[
                    1
                ]
            )

    def run(
        self, checkpoint: Path | None = None, *, resume: bool = False, every: int = 500
    ) -> Iterator[StepRecord]:
        """Yield a record after each update, from the beginning or from a checkpoint.

        Args:
            checkpoint: where to keep one; None for nowhere.
            resume: begin at the checkpoint, where there is one.
            every: updates between two checkpoints.

        Raises:
            CheckpointError: there is one to resume from, but not of this training.
        """
        fingerprint = self._fingerprint()
        saved = checkpoint if resume and checkpoint is not None and checkpoint.exists() else None
        done = checkpoint_step(saved, fingerprint) if saved else 0
        if saved:
            load_weights(saved, self.module)
        optimiser: Optimizer | None = None
        for step in range(done, self.recipe.steps):
            stage, within = self.recipe.stage_at(step)
            if optimiser is None or within == 0:
                optimiser = _optimiser(self.module, stage)
                if saved and step == done and within:
                    load_optimiser(saved, optimiser)
            record = self._update(step, stage, within, optimiser)
            if checkpoint and (step + 1) % every == 0:
                save_checkpoint(checkpoint, step + 1, self.module, optimiser, fingerprint)
            yield record

    def _update(self, step: int, stage: Stage, within: int, optimiser: Optimizer) -> StepRecord:
        began = time.perf_counter()
        generator = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + step)
        rate = scheduled_rate(stage, within)
        for group in optimiser.param_groups:
            group["lr"] = rate
        self.module.train()
        loss_of = self._classify if stage.kind == "classify" else self._episode
        loss, accuracy = loss_of(stage, scheduled_side(stage, within, self.recipe.side), generator)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        return StepRecord(step + 1, stage.kind, loss.item(), accuracy, rate, time.perf_counter() - began)

    def _classify(self, stage: Stage, side: int, generator: torch.Generator) -> tuple[Tensor, float]:
        rows = torch.randint(len(self.labels), (stage.batch,), generator=generator)
        targets = self.labels[rows].to(self.device)
        logits = self.module["head"](self._embed(rows, stage, side, generator))
        loss = functional.cross_entropy(logits, targets, label_smoothing=stage.label_smoothing)
        return loss, _accuracy(logits, targets)

    def _episode(self, stage: Stage, side: int, generator: torch.Generator) -> tuple[Tensor, float]:
        episode = sample_episode(
            self.index, ways=stage.ways, shots=stage.shots, queries=stage.queries, generator=generator
        )
        rows = torch.cat([episode.support_index, episode.query_index])
        embeddings = self._embed(rows, stage, side, generator)
        support, query = embeddings[: len(episode.support_index)], embeddings[len(episode.support_index) :]
        targets = episode.query_labels.to(self.device)
        centres = prototypes(support, episode.support_labels.to(self.device), stage.ways)
        logits = squared_euclidean_logits(query, centres)
        return functional.cross_entropy(logits, targets), _accuracy(logits, targets)

    def _embed(self, rows: Tensor, stage: Stage, side: int, generator: torch.Generator) -> Tensor:
        """Return float32 embeddings (B, D) of the pictures of `rows`, changed at random."""
        images = turn(self.images[rows % len(self.images)], rows // len(self.images)).to(self.device)
        inputs = (augment(images, side, stage.augmentation, generator) - self.mean) / self.std
        kind = torch.device(self.device).type
        with torch.autocast(kind, torch.bfloat16, enabled=self.recipe.bfloat16):
            embeddings: Tensor = self.network(inputs.contiguous(memory_format=torch.channels_last))
        return embeddings.float()

    def _fingerprint(self) -> str:
        """Return what must be the same for a checkpoint to fit: the recipe and the data."""
        digest = hashlib.sha256(repr((self.recipe, self.learner, tuple(self.images.shape))).encode())
        digest.update(self.labels.numpy().tobytes())
        digest.update(self.images[:: max(1, len(self.images) // 256)].numpy().tobytes())
        return digest.hexdigest()[:32]


def _with_rotations(labels: Tensor, classes: int, class_rotations: bool) -> Tensor:
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
    """Return (mean, standard deviation) of each channel over at most 5,000 pictures, on the scale 0 to 1."""
    sample = torch.from_numpy(data.images[:: max(1, len(data.images) // 5000)]).double() / 255
    return sample.mean(dim=(0, 1, 2)).tolist(), sample.std(dim=(0, 1, 2)).tolist()


def scheduled_rate(stage: Stage, within: int) -> float:
    """Return the learning rate of a step: linear warm-up, cosine to zero (Loshchilov & Hutter 2017)."""
    warm = max(1, int(WARM_UP * stage.steps))
    if within < warm:
        return stage.learning_rate * (within + 1) / warm
    return stage.learning_rate * 0.5 * (1 + math.cos(math.pi * (within - warm) / max(1, stage.steps - warm)))


def scheduled_side(stage: Stage, within: int, default: int) -> int:
    """Return the picture side of a step: the stage's sides in equal parts, one after the other."""
    return stage.sides[within * len(stage.sides) // stage.steps] if stage.sides else default


def _optimiser(module: nn.Module, stage: Stage) -> Optimizer:
    """Return a fresh optimiser; norms and biases do not decay."""
    decayed = [p for p in module.parameters() if p.ndim > 1]
    free = [p for p in module.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": stage.weight_decay}, {"params": free, "weight_decay": 0.0}]
    if stage.optimiser == "adam":
        return torch.optim.Adam(groups, lr=stage.learning_rate)
    return torch.optim.SGD(groups, lr=stage.learning_rate, momentum=0.9, nesterov=True)


def _accuracy(logits: Tensor, targets: Tensor) -> float:
    return (logits.argmax(dim=1) == targets).float().mean().item()
