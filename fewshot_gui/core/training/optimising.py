"""Optimisers of a stage: what decays, what learns more slowly, how long a gradient may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    from fewshot_gui.core.training.stage import Stage


def build_optimiser(module: nn.ModuleDict, stage: Stage) -> Optimizer:
    """Return a fresh optimiser; norms and biases do not decay, and a frozen network is not in it."""
    groups = []
    for name, parts in module.items():
        share = stage.network_rate if name == "network" else 1.0
        if not share:
            continue
        decayed = [p for p in parts.parameters() if p.ndim > 1]
        free = [p for p in parts.parameters() if p.ndim <= 1]
        groups += [
            {"params": decayed, "weight_decay": stage.weight_decay, "share": share},
            {"params": free, "weight_decay": 0.0, "share": share},
        ]
    if stage.optimiser == "adam":
        return torch.optim.Adam(groups, lr=stage.learning_rate)
    if stage.optimiser == "plain":
        return torch.optim.SGD(groups, lr=stage.learning_rate)
    return torch.optim.SGD(groups, lr=stage.learning_rate, momentum=0.9, nesterov=True)


def set_rate(optimiser: Optimizer, rate: float) -> None:
    """Set the learning rate of each group to its share of `rate`."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["share"]


def clip_gradients(module: nn.Module, longest: float) -> None:
    """Shorten all gradients together to at most that length; 0 leaves them."""
    if longest:
        torch.nn.utils.clip_grad_norm_(module.parameters(), longest)
