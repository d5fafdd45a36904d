"""A network with an external memory: least-recently-used writes, reads by content (Santoro et al. 2016)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn
from torch.nn import functional

from fewshot_gui.core.learners.head import Head

if TYPE_CHECKING:
    from torch import Tensor

_LEAST_NORM = 1e-6
_QUERIES_AT_ONCE = 1024


def content_weights(keys: Tensor, memory: Tensor, strength: Tensor | float = 1.0) -> Tensor:
    """Return (..., R, M), how much each key reads of each row of the memory; sums to 1 over the rows.

    Graves et al. 2014, "Neural Turing Machines", equations 5 and 6: softmax(strength * cosine).

    Args:
        keys: float (..., R, W).
        memory: float (..., M, W).
        strength: float (..., R, 1), above 0; the larger, the more the best row takes all.
    """
    rows = functional.normalize(memory, dim=-1, eps=_LEAST_NORM)
    cosine = functional.normalize(keys, dim=-1, eps=_LEAST_NORM) @ rows.transpose(-1, -2)
    return torch.softmax(strength * cosine, dim=-1)


def least_used_rows(usage: Tensor, heads: int) -> Tensor:
    """Return (..., R, M), for each head one row of the memory, marked 1: the least used, the next, and so on.

    Args:
        usage: float (..., M).
        heads: R, at most M; of equally used rows the first comes first.
    """
    rows = usage.argsort(dim=-1, stable=True)[..., :heads]
    return functional.one_hot(rows, usage.shape[-1]).to(usage.dtype)


def least_recently_used_write(gate: Tensor, last_read: Tensor, least_used: Tensor) -> Tensor:
    """Return (..., R, M), where each head writes: where it has read last, or over what is used least.

    Santoro et al. 2016, equation 22: sigmoid(gate) * last_read + (1 - sigmoid(gate)) * least_used.

    Args:
        gate: float (..., R, 1), a logit.
        last_read: float (..., R, M), the read weights of the step before.
        least_used: float (..., R, M), of `least_used_rows`.
    """
    share = torch.sigmoid(gate)
    return share * last_read + (1 - share) * least_used


def write_memory(memory: Tensor, values: Tensor, weights: Tensor, least_used: Tensor) -> Tensor:
    """Return (..., M, W), the memory with the least used rows cleared and the values added.

    Santoro et al. 2016, equation 23 and the sentence before it.

    Args:
        memory: float (..., M, W).
        values: float (..., R, W), what each head writes.
        weights: float (..., R, M), where.
        least_used: float (..., R, M), 1 for a row that is cleared first.
    """
    kept = 1 - least_used.sum(-2).clamp(max=1)
    return memory * kept.unsqueeze(-1) + weights.transpose(-1, -2) @ values


def update_usage(usage: Tensor, read: Tensor, written: Tensor, decay: float) -> Tensor:
    """Return (..., M), decay * usage plus all that was read and written (Santoro et al. 2016, equation 20).

    Args:
        usage: float (..., M).
        read: float (..., R, M), the read weights.
        written: float (..., R, M), the write weights.
        decay: 0 to 1.
    """
    return decay * usage + read.sum(-2) + written.sum(-2)


class MemoryState(NamedTuple):
    """What the network carries from one step to the next, for B sequences.

    Attributes:
        hidden: float (B, H), of the controller.
        cell: float (B, H).
        memory: float (B, M, W).
        read: float (B, R, M), where each head has read.
        usage: float (B, M).
        content: float (B, R * W), what was read.
        picture: float (B, E), the embedded picture of the step before, whose label comes now.
    """

    hidden: Tensor
    cell: Tensor
    memory: Tensor
    read: Tensor
    usage: Tensor
    content: Tensor
    picture: Tensor

    def copies(self, count: int) -> MemoryState:
        """Return the state of one sequence for as many as begin from it."""
        return MemoryState(*(part.expand(count, *part.shape[1:]) for part in self))


class Mann(Head):
    """A memory-augmented network that is shown the examples one by one, then one query.

    Santoro, Bartunov, Botvinick, Wierstra and Lillicrap 2016, "Meta-Learning with Memory-Augmented Neural
    Networks". At each step it sees a picture and the label of the picture before; a query is the last step,
    from its own copy of the state, so queries do not see each other. Beyond the paper: a strength of reading
    (Graves et al. 2014), and keys also see the picture, values the picture before and its label, which the
    controller alone takes a hundred thousand episodes to pass on. The answer depends on the order of the
    examples. Where there are more examples than rows, what was used least is forgotten.

    Attributes:
        max_ways: the width of the label code: how many classes it can tell apart.
    """

    def __init__(
        self,
        dimension: int,
        *,
        max_ways: int = 5,
        hidden: int = 200,
        rows: int = 128,
        width: int = 40,
        heads: int = 4,
        decay: float = 0.95,
    ) -> None:
        super().__init__()
        self.max_ways = max_ways
        self.rows, self.width, self.heads, self.decay = rows, width, heads, decay
        self.normalise = nn.LayerNorm(dimension)
        self.embed = nn.Linear(dimension, width)
        seen = width + max_ways
        self.controller = nn.LSTMCell(seen + heads * width, hidden)
        self.key = nn.Linear(hidden + width, heads * width)
        self.value = nn.Linear(hidden + seen, heads * width)
        self.strength = nn.Linear(hidden, heads)
        self.gate = nn.Linear(hidden, heads)
        self.answer = nn.Linear(hidden + heads * width, max_ways)

    def scores(self, support: Tensor, labels: Tensor, query: Tensor, n_way: int) -> Tensor:
        """Return float (Q, N), the logits of queries (Q, D) after the examples (S, D) in their order."""
        state, label = self.remember(support, labels)
        pieces = [
            self.step(piece, label.expand(len(piece), -1), state.copies(len(piece)))[0]
            for piece in self.embed(self.normalise(query)).split(_QUERIES_AT_ONCE)
        ]
        return torch.cat(pieces)[:, :n_way]

    def remember(self, support: Tensor, labels: Tensor) -> tuple[MemoryState, Tensor]:
        """Return the state after the examples (S, D), and the code (1, C) of the last label, yet to come."""
        assert self.max_ways is not None
        codes = functional.one_hot(labels, self.max_ways).to(support.dtype)
        pictures = self.embed(self.normalise(support))
        state, label = self.blank(support), torch.zeros_like(codes[:1])
        for place in range(len(labels)):
            _, state = self.step(pictures[place : place + 1], label, state)
            label = codes[place : place + 1]
        return state, label

    def blank(self, like: Tensor) -> MemoryState:
        """Return the state before the first step, of one sequence, of the type and device of `like`."""
        hidden = like.new_zeros(1, self.controller.hidden_size)
        # A memory of zeros has no direction to be read by.
        return MemoryState(
            hidden=hidden,
            cell=hidden,
            memory=like.new_full((1, self.rows, self.width), _LEAST_NORM),
            read=like.new_zeros(1, self.heads, self.rows),
            usage=like.new_zeros(1, self.rows),
            content=like.new_zeros(1, self.heads * self.width),
            picture=like.new_zeros(1, self.width),
        )

    def step(self, picture: Tensor, label: Tensor, state: MemoryState) -> tuple[Tensor, MemoryState]:
        """Return the logits (B, C) after one more step, and the state then.

        Args:
            picture: float (B, E), embedded.
            label: float (B, C), the code of the label of the picture before; zeros at the first step.
            state: of the step before.
        """
        seen = torch.cat([picture, label, state.content], 1)
        hidden, cell = self.controller(seen, (state.hidden, state.cell))
        least_used = least_used_rows(state.usage, self.heads)
        written = least_recently_used_write(self.gate(hidden).unsqueeze(2), state.read, least_used)
        values = self.value(torch.cat([hidden, state.picture, label], 1))
        memory = write_memory(state.memory, self._by_head(values), written, least_used)
        keys = self._by_head(self.key(torch.cat([hidden, picture], 1)))
        strength = 1 + functional.softplus(self.strength(hidden)).unsqueeze(2)
        read = content_weights(keys, memory, strength)
        content = (read @ memory).flatten(1)
        usage = update_usage(state.usage, read, written, self.decay)
        answer = self.answer(torch.cat([hidden, content], 1))
        return answer, MemoryState(hidden, cell, memory, read, usage, content, picture)

    def _by_head(self, flat: Tensor) -> Tensor:
        return flat.view(len(flat), self.heads, self.width)
