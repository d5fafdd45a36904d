"""In-context learning: a transformer that reads labelled examples beside a query (Fifty et al. 2024)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from fewshot_gui.core.learners.head import Head
from fewshot_gui.core.learners.sequence_attention import attend_to_past_and_self, attention_weights

if TYPE_CHECKING:
    from torch import Tensor


def equiangular_vectors(count: int, dimension: int) -> Tensor:
    """Return (C, d), vectors of length 1 whose angles are all equal and as large as they can be.

    The corners of a regular simplex: their cosines are -1 / (C - 1). Fifty et al. 2024 show that an
    encoder of labels that assumes nothing about the classes is this one (ELMES).

    Args:
        count: C, at least 1.
        dimension: d, at least C; the components beyond are 0.
    """
    if count == 1:
        return functional.pad(torch.ones(1, 1), (0, dimension - 1))
    corners = torch.eye(count) - 1 / count
    return functional.pad(functional.normalize(corners, dim=1), (0, dimension - count))


class EncoderBlock(nn.Module):
    """A layer of a pre-norm transformer: examples attend to all examples, a query to them and to itself."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)
        self.think = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, past: Tensor, now: Tensor) -> tuple[Tensor, Tensor]:
        """Return the examples (S, d) and the queries (Q, d) a layer further.

        Args:
            past: float (S, d).
            now: float (Q, d).
        """
        queries, keys, values = self._split(past)
        asked, own_keys, own_values = self._split(now)
        read = attention_weights(queries, keys) @ values
        answered = attend_to_past_and_self(asked, own_keys, own_values, keys, values)
        return self._join(past, read), self._join(now, answered)

    def _split(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values (heads, T, d / heads) of tokens (T, d)."""
        width = tokens.shape[1] // self.heads
        parts = self.project(self.before(tokens)).view(len(tokens), 3, self.heads, width)
        queries, keys, values = parts.permute(1, 2, 0, 3)
        return queries, keys, values

    def _join(self, tokens: Tensor, read: Tensor) -> Tensor:
        tokens = tokens + self.merge(read.transpose(0, 1).flatten(1))
        thought: Tensor = tokens + self.think(tokens)
        return thought


class Caml(Head):
    """A small non-causal transformer over examples with label vectors and a query with an "unknown" token.

    Fifty et al. 2024, "Context-Aware Meta-Learning". Without position codes, so the order of the examples
    does not matter. Each query is its own sequence. Unlike in the paper the examples do not attend to the
    query: what the network makes of them is then the same for all queries and computed once, where the
    paper's cost is Q (S + 1)^2.

    Attributes:
        max_ways: how many label vectors there are: how many classes it can tell apart.
    """

    labels_of: Tensor

    def __init__(
        self, dimension: int, *, max_ways: int = 5, width: int = 96, depth: int = 2, heads: int = 4
    ) -> None:
        super().__init__()
        self.max_ways = max_ways
        label_width = -(-max_ways // heads) * heads
        self.normalise = nn.LayerNorm(dimension)
        self.embed = nn.Linear(dimension, width)
        # Fixed, of length sqrt(d): components as large as those of the embedded picture beside it.
        self.register_buffer(
            "labels_of", equiangular_vectors(max_ways, label_width) * label_width**0.5, persistent=False
        )
        self.unknown = nn.Parameter(torch.zeros(label_width))
        self.blocks = nn.ModuleList(EncoderBlock(width + label_width, heads) for _ in range(depth))
        self.answer = nn.Sequential(
            nn.LayerNorm(width + label_width), nn.Linear(width + label_width, max_ways)
        )

    def scores(self, support: Tensor, labels: Tensor, query: Tensor, n_way: int) -> Tensor:
        """Return float (Q, N), the logits of queries (Q, D) beside the examples (S, D) in any order."""
        past = torch.cat([self.embed(self.normalise(support)), self.labels_of[labels]], 1)
        unknown = self.unknown.expand(len(query), -1)
        now = torch.cat([self.embed(self.normalise(query)), unknown], 1)
        for block in self.blocks:
            past, now = block(past, now)
        answer: Tensor = self.answer(now)
        return answer[:, :n_way]
