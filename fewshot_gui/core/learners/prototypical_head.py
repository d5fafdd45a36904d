"""Prototypical networks as a head that can be meta-trained (Snell et al. 2017)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from fewshot_gui.core.learners.head import Head
from fewshot_gui.core.learners.prototypical import prototypes, squared_euclidean_logits

if TYPE_CHECKING:
    from torch import Tensor


class PrototypicalHead(Head):
    """Minus the squared Euclidean distance to the class means, divided by a temperature.

    Snell, Swersky and Zemel 2017, "Prototypical Networks for Few-shot Learning". The paper has a temperature
    of 1 and nothing to learn beside the backbone.

    Attributes:
        log_temperature: the logarithm of the temperature; a parameter where it is learned, else a buffer.
    """

    log_temperature: Tensor

    def __init__(
        self,
        dimension: int,  # noqa: ARG002 - every head is made with it
        *,
        temperature: float = 1.0,
        learned_temperature: bool = False,
    ) -> None:
        super().__init__()
        value = torch.tensor(math.log(temperature))
        if learned_temperature:
            self.log_temperature = nn.Parameter(value)
        else:
            self.register_buffer("log_temperature", value)

    def scores(self, support: Tensor, labels: Tensor, query: Tensor, n_way: int) -> Tensor:
        """Return float (Q, N), minus the squared distances over the temperature."""
        distances = squared_euclidean_logits(query, prototypes(support, labels, n_way))
        return distances * (-self.log_temperature).exp()
