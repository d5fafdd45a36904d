"""Checkpoints: everything that a training needs to go on as if it had never stopped."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn
    from torch.optim import Optimizer

FORMAT = "fewshot-checkpoint-1"


class CheckpointError(Exception):
    """A checkpoint that cannot be resumed from; its sentence says what to do."""


def save_checkpoint(path: Path, step: int, module: nn.Module, optimiser: Optimizer, fingerprint: str) -> None:
    """Write a checkpoint, atomically: after a kill either the old one or the new one is there, whole.

    Args:
        path: of the checkpoint.
        step: updates done.
        module: the network and its head.
        optimiser: of the present stage.
        fingerprint: of recipe and data; a resumed training must have the same.
    """
    state = optimiser.state_dict()
    tensors = {f"module.{key}": value.contiguous() for key, value in module.state_dict().items()}
    scalars: dict[str, Any] = {}
    for index, slots in state["state"].items():
        for key, value in slots.items():
            if isinstance(value, torch.Tensor):
                tensors[f"optimiser.{index}.{key}"] = value.contiguous()
            elif value is not None:
                scalars[f"{index}.{key}"] = value
    metadata = {
        "format": FORMAT,
        "step": str(step),
        "fingerprint": fingerprint,
        "scalars": json.dumps(scalars),
    }
    partial = path.with_name(f".{path.name}.partial")
    save_file(tensors, partial, metadata)
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(path)


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
    with safe_open(path, framework="pt") as file:
        names = [key for key in file.keys() if key.startswith("module.")]  # noqa: SIM118 - no mapping
        module.load_state_dict({key.removeprefix("module."): file.get_tensor(key) for key in names})


def load_optimiser(path: Path, optimiser: Optimizer) -> None:
    """Set `optimiser` to what it was when the checkpoint was written, in the midst of the same stage."""
    slots: dict[int, dict[str, Any]] = {}
    with safe_open(path, framework="pt") as file:
        for key, scalar in json.loads(file.metadata()["scalars"]).items():
            index, name = key.split(".", 1)
            slots.setdefault(int(index), {})[name] = scalar
        for key in file.keys():  # noqa: SIM118 - a safetensors handle is no mapping
            if key.startswith("optimiser."):
                _, index, name = key.split(".", 2)
                slots.setdefault(int(index), {})[name] = file.get_tensor(key)
    optimiser.load_state_dict({"state": slots, "param_groups": optimiser.state_dict()["param_groups"]})
