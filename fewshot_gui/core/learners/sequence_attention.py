"""Attention over a sequence of examples, and of queries that see the examples and themselves alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def attention_weights(queries: Tensor, keys: Tensor, *, causal: bool = False) -> Tensor:
    """Return (..., A, T), the share of attention that each query gives to each key; rows sum to 1.

    Vaswani et al. 2017, "Attention Is All You Need": softmax(q.k / sqrt(d)), over the keys.

    Args:
        queries: float (..., A, d).
        keys: float (..., T, d).
        causal: position t sees the positions 0 .. t alone; asks for A = T.
    """
    logits = queries @ keys.transpose(-1, -2) / keys.shape[-1] ** 0.5
    if causal:
        later = torch.ones(logits.shape[-2:], dtype=torch.bool, device=logits.device).triu(1)
        logits = logits.masked_fill(later, -torch.inf)
    return torch.softmax(logits, dim=-1)


def attend_to_past_and_self(
    queries: Tensor, own_keys: Tensor, own_values: Tensor, keys: Tensor, values: Tensor
) -> Tensor:
    """Return (..., Q, v), what each query reads if it alone were appended to the past.

    It is the last row of causal attention over T + 1 positions, for Q last positions at once.

    Args:
        queries: float (..., Q, d).
        own_keys: float (..., Q, d), of the queries themselves.
        own_values: float (..., Q, v).
        keys: float (..., T, d), of the past.
        values: float (..., T, v).
    """
    to_past = queries @ keys.transpose(-1, -2)
    to_self = (queries * own_keys).sum(-1, keepdim=True)
    weights = torch.softmax(torch.cat([to_past, to_self], -1) / keys.shape[-1] ** 0.5, dim=-1)
    return weights[..., :-1] @ values + weights[..., -1:] * own_values
