"""Training as a generator of step records, by one recipe, resumable to the same numbers."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from fewshot_gui.core.training.batches import BatchMaker, pixel_statistics
from fewshot_gui.core.training.checkpoint import (
    CheckpointError,
    History,
    Look,
    checkpoint_step,
    load_history,
    load_optimiser,
    load_weights,
    save_checkpoint,
)
from fewshot_gui.core.training.feeding import default_workers, feeding
from fewshot_gui.core.training.group import Group
from fewshot_gui.core.training.optimising import build_optimiser, clip_gradients, set_rate
from fewshot_gui.core.training.parts import build_module, build_objective
from fewshot_gui.core.training.precision import Precision
from fewshot_gui.core.training.schedule import scheduled_rate
from fewshot_gui.core.training.start import start_hash
from fewshot_gui.core.training.validation import Validator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch.optim import Optimizer

    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.training.batches import Batch
    from fewshot_gui.core.training.objectives import Objective, StepResult
    from fewshot_gui.core.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One update.

    Attributes:
        step: updates done, over all stages.
        stage: which kind of stage.
        loss: of this step's batches.
        accuracy: on this step's batches, 0 to 1.
        learning_rate: used.
        seconds: this step took.
        look: at the validation classes after it; None where there was none.
    """

    step: int
    stage: str
    loss: float
    accuracy: float
    learning_rate: float
    seconds: float
    look: Look | None = None


class DivergedError(ArithmeticError):
    """A training whose numbers grew beyond all bounds; its sentence says what to change."""


_SKIPPED = 20
"""Updates in a row without a finite loss that float16 may have: its scaler skips them, and scales by less."""
_LOWER = "lower learning_rate or set clip in the recipe, and begin anew"


class Trainer:
    """A training under way: the network, what is trained on top of it, and what validation showed.

    Every batch is a pure function of (seed, step, rank), so that a training that was killed and resumed
    does exactly what an undisturbed one does.

    Args:
        recipe: what to do.
        data: the training classes.
        device: of torch.
        validation: classes that are not trained on, for the recipe's looks at them.
        taught: float16 (n, D), what a teacher says of each picture, for stages of kind distil.
        workers: processes that make batches; None for what pays on the device.
        group: the processes that train together, each on batches of its own.
        share: batches of this process in each update, one after the other: a training of n processes comes
            to the same, to rounding, in one process with a share of n.

    Raises:
        EpisodeError: too few classes or pictures for the recipe's episodes.
        RecipeError: the weights that it starts from do not fit.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: ClassImages,
        *,
        device: str = "cpu",
        validation: ClassImages | None = None,
        taught: NDArray[np.float16] | None = None,
        workers: int | None = None,
        group: Group | None = None,
        share: int = 1,
    ) -> None:
        self.recipe, self.data, self.device, self.share = recipe, data, device, share
        self.group = group or Group()
        self.workers = default_workers(device) if workers is None else workers
        self.maker = BatchMaker.of(recipe, data, taught)
        self.module = build_module(recipe, self.maker.classes).to(device)
        self.module.to(memory_format=torch.channels_last)
        self.history = History()
        self._lost = 0
        self.precision = Precision(device, half=recipe.bfloat16 and not recipe.adapts)
        mean, std = pixel_statistics(data)
        self.mean, self.std = (torch.tensor(v, device=device).view(1, -1, 1, 1) for v in (mean, std))
        self.validator = Validator(recipe, validation, (mean, std)) if validation is not None else None

    @property
    def network(self) -> nn.Module:
        """Return the backbone."""
        return self.module["network"]

    def run(
        self, checkpoint: Path | None = None, *, resume: bool = False, every: int | None = None
    ) -> Iterator[StepRecord]:
        """Yield a record after each update, from the beginning or from a checkpoint.

        Args:
            checkpoint: where to keep one; None for nowhere.
            resume: begin at the checkpoint, where there is one.
            every: updates between two checkpoints; by default a twentieth of all, at most 500.

        Raises:
            CheckpointError: there is one to resume from, but not of this training, or not for all processes.
            DivergedError: the loss is no number any more; the checkpoint is the last sound one.
        """
        every = every or max(1, min(500, self.recipe.steps // 20))
        fingerprint = self._fingerprint()
        saved = checkpoint if resume and checkpoint is not None and checkpoint.exists() else None
        done = checkpoint_step(saved, fingerprint) if saved else 0
        self._agree_on(done)
        if saved:
            self._load(saved)
        writes = checkpoint if self.group.writes else None
        optimiser: Optimizer | None = None
        objective: Objective | None = None
        ranks = range(self.group.rank * self.share, (self.group.rank + 1) * self.share)
        requests = [(step, rank) for step in range(done, self.recipe.steps) for rank in ranks]
        with feeding(self.maker, self.data, self.workers) as feed:
            batches = feed(requests)
            for step in range(done, self.recipe.steps):
                stage, within = self.recipe.stage_at(step)
                if optimiser is None or objective is None or within == 0:
                    objective = build_objective(
                        self.recipe, stage, self.module, self.mean, self.std, self.precision, self.maker
                    )
                    optimiser = build_optimiser(self.module, stage)
                    self.group.align(self.module)
                    if saved and step == done and within:
                        load_optimiser(saved, optimiser)
                # Who logs the record does so before the checkpoint: killed between them, a log has a line too
                # many, which a resume cuts, and never one too few.
                yield self._update(step, objective, optimiser, batches)
                if writes and (step + 1) % every == 0:
                    self.require_finite(step + 1)
                    save_checkpoint(writes, step + 1, self.module, optimiser, fingerprint, self.history,
                                    self.precision.state())  # fmt: skip

    def _agree_on(self, done: int) -> None:
        """Raise CheckpointError where another process has done another number of updates."""
        if self.group.mean((float(done),)) != (float(done),):
            raise CheckpointError(
                "not every process finds the checkpoint: all machines must see the folder that it is in"
            )

    def _load(self, saved: Path) -> None:
        load_weights(saved, self.module)
        self.history, scale = load_history(saved)
        self.precision.load(scale)

    def _update(
        self, step: int, objective: Objective, optimiser: Optimizer, batches: Iterator[Batch]
    ) -> StepRecord:
        began = time.perf_counter()
        stage, within = self.recipe.stage_at(step)
        rate = scheduled_rate(stage, within)
        set_rate(optimiser, rate)
        # Of a frozen network too, which is not in the optimiser: a former stage's would count when clipped.
        self.module.zero_grad(set_to_none=True)
        results = [self._gradients(objective, next(batches)) for _ in range(self.share)]
        loss, accuracy = self._averaged(results)
        scaler = self.precision.scaler
        self._lost = 0 if math.isfinite(loss) else self._lost + 1
        if self._lost > (_SKIPPED if scaler.is_enabled() else 0):
            raise DivergedError(f"the loss of step {step + 1} is no number: {_LOWER}")
        scaler.unscale_(optimiser)
        clip_gradients(self.module, stage.clip)
        scaler.step(optimiser)
        scaler.update()
        seconds = time.perf_counter() - began
        return StepRecord(step + 1, stage.kind, loss, accuracy, rate, seconds, self._look(step))

    def require_finite(self, done: int) -> None:
        """Do nothing where all weights are numbers.

        Raises:
            DivergedError: one is not.
        """
        if not all(value.isfinite().all() for value in self.module.state_dict().values()):
            raise DivergedError(f"the weights after step {done} are no numbers: {_LOWER}")

    def _gradients(self, objective: Objective, batch: Batch) -> StepResult:
        """Add a batch's gradients; what dropout draws is a function of the batch's seed as well."""
        devices = [torch.device(self.device)] if torch.device(self.device).type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(batch.seed)
            return objective.loss_and_gradients(batch)

    def _averaged(self, results: list[StepResult]) -> tuple[float, float]:
        """Set the gradients to their mean over all batches of the update; return mean loss and accuracy."""
        if self.share > 1:
            for parameter in self.module.parameters():
                if parameter.grad is not None:
                    parameter.grad /= self.share
        self.group.average(self.module)
        loss, accuracy = self.group.mean((
            sum(r.loss for r in results) / self.share, sum(r.accuracy for r in results) / self.share
        ))  # fmt: skip
        return loss, accuracy

    def _look(self, step: int) -> Look | None:
        """Look at the validation classes where it is time to, in the process that writes."""
        every = self.recipe.validation_every
        due = every and ((step + 1) % every == 0 or step + 1 == self.recipe.steps)
        if not due or self.validator is None or not self.group.writes:
            return None
        stage, _ = self.recipe.stage_at(step)
        accuracy, ci95 = self.validator.measure(self.module, heads=stage.kind == "episodes")
        look = Look(step + 1, self.recipe.stage_number(step), accuracy, ci95)
        self.history.add(look, self.module)
        return look

    def choose(self) -> Look | None:
        """Set the module to the weights that the recipe keeps; return the best look where it keeps that."""
        if self.recipe.keep == "last" or self.history.best is None:
            return None
        self.module.load_state_dict(self.history.weights)
        return self.history.best

    def _fingerprint(self) -> str:
        """Return what must be the same for a checkpoint to fit: recipe, data, start, processes."""
        processes = self.group.size * self.share
        said = (self.recipe, self.data.images.shape, start_hash(self.recipe), processes)
        digest = hashlib.sha256(repr(said).encode())
        digest.update(self.maker.labels.numpy().tobytes())
        digest.update(self.data.images[:: max(1, len(self.data.images) // 256)].tobytes())
        if self.validator is not None and self.recipe.validation_every:
            digest.update(self.validator.fingerprint)
        if self.maker.taught is not None:
            digest.update(self.maker.taught[:: max(1, len(self.maker.taught) // 256)].tobytes())
        return digest.hexdigest()[:32]
