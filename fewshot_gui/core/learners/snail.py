"""SNAIL: temporal convolutions and causal attention over the examples (Mishra et al. 2018)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from fewshot_gui.core.learners.head import Head
from fewshot_gui.core.learners.sequence_attention import attend_to_past_and_self, attention_weights

if TYPE_CHECKING:
    from torch import Tensor


def delayed(sequence: Tensor, steps: int) -> Tensor:
    """Return (T, C), the sequence (T, C) that many steps later, zeros before it begins.

    Args:
        sequence: one row a step.
        steps: 0 or more.
    """
    return functional.pad(sequence, (0, 0, steps, 0))[: len(sequence)]


def step_before_end(sequence: Tensor, steps: int) -> Tensor:
    """Return (C,), what stood that many steps before the one that follows the sequence (T, C); else zeros.

    Args:
        sequence: one row a step.
        steps: 1 is the last row.
    """
    return sequence[-steps] if steps <= len(sequence) else sequence.new_zeros(sequence.shape[1])


class DenseBlock(nn.Module):
    """A causal convolution of two taps with a gate, whose result is appended to its input.

    tanh(f) * sigmoid(g) of the input now and `dilation` steps before (van den Oord et al. 2016).
    """

    def __init__(self, channels: int, filters: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.both = nn.Linear(2 * channels, 2 * filters)

    def forward(self, past: Tensor, now: Tensor) -> tuple[Tensor, Tensor]:
        """Return the past (T, C + F) and the Q queries (Q, C + F), each of them as step T + 1.

        Args:
            past: float (T, C).
            now: float (Q, C).
        """
        before = step_before_end(past, self.dilation).expand_as(now)
        return (
            torch.cat([past, self._gated(past, delayed(past, self.dilation))], 1),
            torch.cat([now, self._gated(now, before)], 1),
        )

    def _gated(self, now: Tensor, before: Tensor) -> Tensor:
        value, gate = self.both(torch.cat([now, before], 1)).chunk(2, 1)
        return torch.tanh(value) * torch.sigmoid(gate)


class AttentionBlock(nn.Module):
    """Causal attention with one head, whose reading is appended to its input."""

    def __init__(self, channels: int, keys: int, values: int) -> None:
        super().__init__()
        self.query = nn.Linear(channels, keys)
        self.key = nn.Linear(channels, keys)
        self.value = nn.Linear(channels, values)

    def forward(self, past: Tensor, now: Tensor) -> tuple[Tensor, Tensor]:
        """Return the past (T, C + V) and the Q queries (Q, C + V), each of them as step T + 1.

        Args:
            past: float (T, C).
            now: float (Q, C).
        """
        keys, values = self.key(past), self.value(past)
        read = attention_weights(self.query(past), keys, causal=True) @ values
        asked = attend_to_past_and_self(self.query(now), self.key(now), self.value(now), keys, values)
        return torch.cat([past, read], 1), torch.cat([now, asked], 1)


class Snail(Head):
    """A sequence model that is shown the labelled examples, then one query without a label.

    Mishra, Rohaninejad, Chen and Abbeel 2018, "A Simple Neural Attentive Meta-Learner": attention, temporal
    convolution, attention, temporal convolution, attention. As nothing looks ahead, what it makes of the
    examples is the same for every query and computed once; each query is the step after them, and queries do
    not see each other. The answer depends on the order of the examples.

    Attributes:
        max_ways: the width of the label code: how many classes it can tell apart.
    """

    def __init__(
        self,
        dimension: int,
        *,
        max_ways: int = 5,
        examples: int = 25,
        width: int = 64,
        filters: int = 64,
        keys: int = 64,
        values: int = 64,
    ) -> None:
        super().__init__()
        self.max_ways = max_ways
        self.normalise = nn.LayerNorm(dimension)
        self.embed = nn.Linear(dimension, width)
        depth = max(1, math.ceil(math.log2(examples + 1)))  # the receptive field of the last spans them all
        channels = width + max_ways
        self.blocks = nn.ModuleList()
        for place in range(5):
            if place % 2 == 0:
                self.blocks.append(AttentionBlock(channels, keys, values))
                channels += values
                continue
            for layer in range(depth):
                self.blocks.append(DenseBlock(channels, filters, 2**layer))
                channels += filters
        self.answer = nn.Linear(channels, max_ways)

    def scores(self, support: Tensor, labels: Tensor, query: Tensor, n_way: int) -> Tensor:
        """Return float (Q, N), the logits of queries (Q, D) after the examples (S, D) in their order."""
        assert self.max_ways is not None
        codes = functional.one_hot(labels, self.max_ways).to(support.dtype)
        past = torch.cat([self.embed(self.normalise(support)), codes], 1)
        unlabelled = functional.pad(self.embed(self.normalise(query)), (0, self.max_ways))
        answer: Tensor = self.answer(self.read(past, unlabelled)[1])
        return answer[:, :n_way]

    def read(self, past: Tensor, now: Tensor) -> tuple[Tensor, Tensor]:
        """Return what all blocks make of a past (T, C) and of queries (Q, C) that each follow it."""
        for block in self.blocks:
            past, now = block(past, now)
        return past, now
