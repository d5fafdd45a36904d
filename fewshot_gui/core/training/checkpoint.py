"""Checkpoints: everything that a training needs to go on as if it had never stopped."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn
    from torch.optim import Optimizer

_FAMILY = "fewshot-checkpoint"
FORMAT = f"{_FAMILY}-2"


class CheckpointError(Exception):
    """A checkpoint that cannot be resumed from; its sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at the validation classes showed.

    Attributes:
        step: updates done, over all stages.
        stage: the number of the stage, from 0.
        accuracy: mean over tasks, 0 to 1.
        ci95: half width of its 95 % interval.
    """

    step: int
    stage: int
    accuracy: float
    ci95: float

    @property
    def lower(self) -> float:
        """Return the lower end of the interval: what the best look is chosen by."""
        return self.accuracy - self.ci95


class History:
    """The looks at the validation classes so far, and the weights at the best of the present stage."""

    def __init__(self) -> None:
        self.looks: list[Look] = []
        self.best: Look | None = None
        self.weights: dict[str, Tensor] = {}

    def add(self, look: Look, module: nn.Module) -> None:
        """Note a look, and keep the module's weights where it is the best of its stage so far."""
        self.looks.append(look)
        if self.best is None or self.best.stage != look.stage or look.lower > self.best.lower:
            self.best = look
            self.weights = {key: value.detach().clone() for key, value in module.state_dict().items()}


def save_checkpoint(
    path: Path,
    step: int,
    module: nn.Module,
    optimiser: Optimizer,
    fingerprint: str,
    history: History | None = None,
    precision: dict[str, float] | None = None,
) -> None:
    """Write a checkpoint, atomically: after a kill either the old one or the new one is there, whole.

    Args:
        path: of the checkpoint.
        step: updates done.
        module: the network and all on top of it.
        optimiser: of the present stage.
        fingerprint: of recipe and data; a resumed training must have the same.
        history: of validation.
        precision: the scale of gradients, where there is one.
    """
    history = history or History()
    tensors = {f"module.{key}": value for key, value in module.state_dict().items()}
    tensors |= {f"best.{key}": value for key, value in history.weights.items()}
    scalars: dict[str, Any] = {}
    for index, slots in optimiser.state_dict()["state"].items():
        for key, value in slots.items():
            if isinstance(value, torch.Tensor):
                tensors[f"optimiser.{index}.{key}"] = value
            elif value is not None:
                scalars[f"{index}.{key}"] = value
    metadata = {
        "format": FORMAT,
        "step": str(step),
        "fingerprint": fingerprint,
        "scalars": json.dumps(scalars),
        "precision": json.dumps(precision or {}),
        "looks": json.dumps([asdict(look) for look in history.looks]),
        "best": json.dumps(asdict(history.best) if history.best else None),
    }
    partial = path.with_name(f".{path.name}.partial")
    # Not save_file: of a full disk it makes an error that does not say so.
    content = save({key: value.contiguous() for key, value in tensors.items()}, metadata)
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def is_checkpoint(path: Path) -> bool:
    """Return whether a file is a checkpoint of this program, of this version or another."""
    try:
        with safe_open(path, framework="np") as file:
            return str((file.metadata() or {}).get("format")).startswith(_FAMILY)
    except SafetensorError:
        return False


def checkpoint_step(path: Path, fingerprint: str) -> int:
    """Return the updates done when the checkpoint was written.

    Raises:
        CheckpointError: it is damaged, or was written for another recipe or other data.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); delete it to begin again") from error
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{path} is no checkpoint of this program; choose another --out")
    if metadata["fingerprint"] != fingerprint:
        raise CheckpointError(
            f"{path} was written for another recipe or other data; delete it to begin again"
        )
    return int(metadata["step"])


def load_weights(path: Path, module: nn.Module) -> None:
    """Set `module` to what it was when the checkpoint was written."""
    module.load_state_dict(_tensors(path, "module."))


def load_history(path: Path) -> tuple[History, dict[str, float]]:
    """Return the history of validation and the scale of gradients when the checkpoint was written."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    history = History()
    history.looks = [Look(**values) for values in json.loads(metadata["looks"])]
    best = json.loads(metadata["best"])
    history.best = Look(**best) if best else None
    history.weights = _tensors(path, "best.")
    return history, json.loads(metadata["precision"])


def _tensors(path: Path, prefix: str) -> dict[str, Tensor]:
    with safe_open(path, framework="pt") as file:
        names = [key for key in file.keys() if key.startswith(prefix)]  # noqa: SIM118 - no mapping
        return {key.removeprefix(prefix): file.get_tensor(key) for key in names}


def load_optimiser(path: Path, optimiser: Optimizer) -> None:
    """Set `optimiser` to what it was when the checkpoint was written, in the midst of the same stage."""
    slots: dict[int, dict[str, Any]] = {}
    with safe_open(path, framework="pt") as file:
        scalars = json.loads(file.metadata()["scalars"])
    for key, scalar in scalars.items():
        index, name = key.split(".", 1)
        slots.setdefault(int(index), {})[name] = scalar
    for key, value in _tensors(path, "optimiser.").items():
        index, name = key.split(".", 1)
        slots.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict({"state": slots, "param_groups": optimiser.state_dict()["param_groups"]})
