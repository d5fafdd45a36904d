"""Objectives: from a batch to the gradients of everything that it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional

from fewshot_gui.core.learners.prototypical import prototypes, squared_euclidean_logits
from fewshot_gui.core.training.augment import Changes, apply_changes
from fewshot_gui.core.training.mixing import Mixed, mixed_forward

if TYPE_CHECKING:
    from fewshot_gui.core.learners.head import Head
    from fewshot_gui.core.training.batches import Batch, BatchMaker
    from fewshot_gui.core.training.precision import Precision
    from fewshot_gui.core.training.stage import Stage

_PICTURES_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one batch gave.

    Attributes:
        loss: mean.
        accuracy: 0 to 1.
    """

    loss: float
    accuracy: float


class Objective(Protocol):
    """What a stage lowers."""

    @property
    def module(self) -> nn.ModuleDict:
        """All that is trained: `network`, and what this objective has on top."""

    def loss_and_gradients(self, batch: Batch) -> StepResult:
        """Add the batch's gradients to those of the module's parameters, and return what it gave."""


class Embedder:
    """The network as a stage sees it: random changes, normalisation, precision, frozen parts.

    Args:
        network: to embed with.
        stage: says what of it is frozen.
        mean: float (1, C, 1, 1), of the training pictures.
        std: float (1, C, 1, 1).
        precision: of the forward pass.
        maker: of the pictures that batches of rows alone are about; None where there are none of these.
    """

    def __init__(
        self,
        network: nn.Module,
        stage: Stage,
        mean: Tensor,
        std: Tensor,
        precision: Precision,
        maker: BatchMaker | None = None,
    ) -> None:
        self.network = network
        self.stage = stage
        self.mean, self.std = mean, std
        self.precision = precision
        self._maker = maker
        self._known: Tensor | None = None

    def prepare(self, module: nn.Module) -> None:
        """Set every part of the module to train mode, less the norms that are frozen."""
        module.train()
        if self.stage.frozen_norms:
            for part in self.network.modules():
                if isinstance(part, nn.BatchNorm2d):
                    part.eval()

    def inputs(self, batch: Batch) -> Tensor:
        """Return float32 (B, C, side, side), what the network takes."""
        return batch.inputs(str(self.mean.device), self.mean, self.std)

    def embeddings(self, batch: Batch) -> Tensor:
        """Return float32 embeddings (B, D) of the batch's pictures, those known by their row looked up."""
        if batch.rows is None:
            return self.embed(self.inputs(batch))
        if self._known is None:
            self._known = self._of_all_pictures(batch.side)
        return self._known[batch.rows].to(self.mean.device).float()

    def _of_all_pictures(self, side: int) -> Tensor:
        """Return float16 embeddings (n, D) of all training pictures, as they are in use."""
        assert self._maker is not None, "batches of rows alone come from a maker"
        self.network.eval()
        found = []
        count = len(self._maker.labels)
        for start in range(0, count, _PICTURES_AT_ONCE):
            rows = torch.arange(start, min(start + _PICTURES_AT_ONCE, count))
            images = self._maker.images_of(rows).to(self.mean.device)
            pixels = apply_changes(images, side, Changes(torch.eye(2, 3).expand(len(rows), 2, 3), None))
            inputs = (pixels - self.mean) / self.std
            found.append(self.embed(inputs.contiguous(memory_format=torch.channels_last)).half().cpu())
        return torch.cat(found)

    def embed(self, inputs: Tensor) -> Tensor:
        """Return float32 embeddings (B, D) with their graph, or without one where the network is frozen."""
        with torch.set_grad_enabled(self.stage.network_rate > 0), self.precision.autocast():
            embeddings: Tensor = self.network(inputs)
        return embeddings.float()


class ClassifyObjective:
    """Cross-entropy over all classes; with a rotation head, or with mixup.

    Gidaris et al. 2018, "Unsupervised representation learning by predicting image rotations"; Mangla et al.
    2020, "Charting the right manifold".

    Args:
        module: `network`, `classifier` and, where the stage has a rotation head, `rotation`.
        embedder: of the network.
    """

    def __init__(self, module: nn.ModuleDict, embedder: Embedder) -> None:
        self.module = module
        self._embedder = embedder
        self._stage = embedder.stage

    def loss_and_gradients(self, batch: Batch) -> StepResult:
        """Add the batch's gradients and return its loss and its share of right classes."""
        self._embedder.prepare(self.module)
        inputs = self._embedder.inputs(batch)
        targets = batch.targets.to(inputs.device)
        if self._stage.rotation_head:
            loss, accuracy = self._with_rotations(inputs, targets)
        elif self._stage.mixup:
            loss, accuracy = self._with_mixup(inputs, targets, batch.seed)
        else:
            logits = self.module["classifier"](self._embedder.embed(inputs))
            loss, accuracy = self._cross_entropy(logits, targets), share_right(logits, targets)
        self._embedder.precision.backward(loss)
        return StepResult(loss.item(), accuracy)

    def _cross_entropy(self, logits: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(logits, targets, label_smoothing=self._stage.label_smoothing)

    def _with_rotations(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, float]:
        """Return the loss over each picture in its four positions, and the accuracy of the upright ones."""
        turned = torch.cat([torch.rot90(inputs, quarters, (2, 3)) for quarters in range(4)])
        embeddings = self._embedder.embed(turned.contiguous(memory_format=torch.channels_last))
        logits = self.module["classifier"](embeddings)
        quarters = torch.arange(4, device=targets.device).repeat_interleave(len(targets))
        rotation = functional.cross_entropy(self.module["rotation"](embeddings), quarters)
        loss = self._cross_entropy(logits, targets.repeat(4)) + self._stage.rotation_head * rotation
        return loss, share_right(logits[: len(targets)], targets)

    def _with_mixup(self, inputs: Tensor, targets: Tensor, seed: int) -> tuple[Tensor, float]:
        mixed = Mixed.drawn(len(inputs), self._stage.mixup_alpha, seed).to(inputs.device)
        with mixed_forward(
            self._embedder.network, mixed, manifold=self._stage.mixup == "manifold", seed=seed
        ):
            logits = self.module["classifier"](self._embedder.embed(inputs))
        others = targets[mixed.partners]
        share = mixed.share
        loss = share * self._cross_entropy(logits, targets) + (1 - share) * self._cross_entropy(
            logits, others
        )
        accuracy = share * share_right(logits, targets) + (1 - share) * share_right(logits, others)
        return loss, accuracy


class DistilObjective:
    """The cosine distance to the teacher's embeddings, beside the cross-entropy over all classes.

    The network's own embedding is held to the teacher's, with nothing between that would be thrown away after
    training: what is near for the teacher is to be near for the pupil (Hinton et al. 2015).

    Args:
        module: `network` and `classifier`.
        embedder: of the network.
    """

    def __init__(self, module: nn.ModuleDict, embedder: Embedder) -> None:
        self.module = module
        self._embedder = embedder

    def loss_and_gradients(self, batch: Batch) -> StepResult:
        """Add the batch's gradients and return its loss and its share of right classes."""
        self._embedder.prepare(self.module)
        inputs = self._embedder.inputs(batch)
        assert batch.taught is not None, "a stage of kind distil has a teacher"
        targets, taught = batch.targets.to(inputs.device), batch.taught.to(inputs.device).float()
        embeddings = self._embedder.embed(inputs)
        logits = self.module["classifier"](embeddings)
        stage = self._embedder.stage
        loss = (1 - functional.cosine_similarity(embeddings, taught)).mean()
        if stage.label_weight:
            loss = loss + stage.label_weight * functional.cross_entropy(
                logits, targets, label_smoothing=stage.label_smoothing
            )
        self._embedder.precision.backward(loss)
        return StepResult(loss.item(), share_right(logits, targets))


@runtime_checkable
class Regularised(Protocol):
    """A head with a loss of its own beside that of its scores."""

    def auxiliary_loss(
        self, support: Tensor, labels: Tensor, query: Tensor, targets: Tensor, n_way: int, /
    ) -> Tensor:
        """Return what is added to the loss."""


class HeadObjective:
    """The loss of a head, or of plain prototypes, on episodes.

    Args:
        module: `network` and, where the learner has one, `head`.
        embedder: of the network.
    """

    def __init__(self, module: nn.ModuleDict, embedder: Embedder) -> None:
        self.module = module
        self._embedder = embedder
        self._head: Head | None = module["head"] if "head" in module else None  # type: ignore[assignment]  # noqa: SIM401 - no mapping

    def loss_and_gradients(self, batch: Batch) -> StepResult:
        """Add the gradients of the mean loss of the batch's episodes, and return it with their accuracy."""
        self._embedder.prepare(self.module)
        embeddings = self._embedder.embeddings(batch)
        tasks = embeddings.view(len(batch.support_labels), -1, embeddings.shape[1])
        generator = torch.Generator().manual_seed(batch.seed)
        outcomes = [
            outcome
            for task, support, query in zip(tasks, batch.support_labels, batch.query_labels, strict=True)
            for outcome in self._outcomes(task, support, query, batch.ways, generator)
        ]
        loss = torch.stack([loss for loss, _ in outcomes]).mean()
        self._embedder.precision.backward(loss)
        return StepResult(loss.item(), sum(right for _, right in outcomes) / len(outcomes))

    def _outcomes(
        self, task: Tensor, support: Tensor, query: Tensor, ways: int, generator: torch.Generator
    ) -> list[tuple[Tensor, float]]:
        """Return (loss, accuracy) of an episode, or of each of the roles that its pictures play in turn."""
        if self._embedder.stage.every_role:
            parts = every_role(task, query, ways)
        else:
            parts = [Part(task[: len(support)], support, task[len(support) :], query)]
        return [self._outcome(part.to(task.device), ways, generator) for part in parts]

    def _outcome(self, part: Part, ways: int, generator: torch.Generator) -> tuple[Tensor, float]:
        if self._head is None:
            centres = prototypes(part.support, part.support_labels, ways)
            scores = squared_euclidean_logits(part.query, centres)
            return functional.cross_entropy(scores, part.targets), share_right(scores, part.targets)
        part = part.shuffled(ways, generator)
        scores = self._head.scores(part.support, part.support_labels, part.query, ways)
        loss = self._head.loss(scores, part.targets)
        if isinstance(self._head, Regularised):
            loss = loss + self._head.auxiliary_loss(
                part.support, part.support_labels, part.query, part.targets, ways
            )
        return loss, share_right(scores, part.targets)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A support set and queries: embeddings (S, D) and (Q, D), labels (S,) and (Q,)."""

    support: Tensor
    support_labels: Tensor
    query: Tensor
    targets: Tensor

    def to(self, device: torch.device) -> Part:
        """Return it with its labels on the device."""
        return Part(self.support, self.support_labels.to(device), self.query, self.targets.to(device))

    def shuffled(self, ways: int, generator: torch.Generator) -> Part:
        """Return it with the examples in another order and every class at another place.

        A head that reads examples one after the other, or has a slot for each class, would else learn that
        the first example is of the first class.
        """
        order = torch.randperm(len(self.support), generator=generator).to(self.support.device)
        slots = torch.randperm(ways, generator=generator).to(self.support.device)
        return Part(self.support[order], slots[self.support_labels[order]], self.query, slots[self.targets])


def every_role(task: Tensor, query_labels: Tensor, ways: int) -> list[Part]:
    """Return the parts in which each picture of a class in turn is the one that the others are told by.

    Args:
        task: float (N + N * Q, D), one support picture of each class and then the queries.
        query_labels: int64 (N * Q,), of those.
        ways: N.
    """
    order = torch.argsort(query_labels, stable=True).to(task.device)
    queries = task[ways:][order].view(ways, -1, task.shape[1])
    together = torch.cat([task[:ways].unsqueeze(1), queries], dim=1)
    count = together.shape[1]
    labels = torch.arange(ways)
    targets = labels.repeat_interleave(count - 1)
    parts = []
    for role in range(count):
        others = [place for place in range(count) if place != role]
        rest = together[:, others].reshape(-1, task.shape[1])
        parts.append(Part(together[:, role], labels, rest, targets))
    return parts


def share_right(logits: Tensor, targets: Tensor) -> float:
    """Return the share of rows whose largest logit is at the target, 0 to 1."""
    return (logits.argmax(dim=1) == targets).float().mean().item()
