"""An update rule that is itself learned: the LSTM meta-learner (Ravi and Larochelle 2017)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from fewshot_gui.core.learners.gradient.functional import Params

LSTM: Final = "lstm."
_INPUTS = 4
# exp(-p), below which a gradient is given as it is and not by its logarithm; Andrychowicz et al. 2016.
_PREPROCESS_P = 10.0
_HIDDEN, _CELL, _FORGOT, _LET_IN = "hidden", "cell", "forgot", "let in"


def preprocess(values: Tensor) -> Tensor:
    """Return (..., 2): logarithm over ten and sign of a value; for tiny ones -1 and the value times e^10.

    Andrychowicz et al. 2016, "Learning to learn by gradient descent by gradient descent", appendix A.
    """
    size = values.abs()
    large = size >= math.exp(-_PREPROCESS_P)
    logarithm = size.clamp(min=math.exp(-_PREPROCESS_P)).log() / _PREPROCESS_P
    first = torch.where(large, logarithm, -1.0)
    second = torch.where(large, values.sign(), values * math.exp(_PREPROCESS_P))
    return torch.stack([first, second], dim=-1)


@dataclass(frozen=True, slots=True)
class LearnedUpdate:
    """A two-layer LSTM that reads loss and gradient of each weight by itself, and whose cell is the weight.

    The first layer is an LSTM over the preprocessed gradient and loss. The second keeps the share f of a
    weight and lets in the share i of minus its gradient:

        i = sigmoid(W_i [h, w, i'] + b_i),  f = sigmoid(W_f [h, w, f'] + b_f),  w <- f w - i gradient

    All weights share the same LSTM; gradients and losses are constants to it, as in the paper. The initial
    cell is the learned initial weight of the network.

    Attributes:
        hidden: width of the first layer.
    """

    hidden: int = 20

    def initial(self, generator: torch.Generator) -> Params:
        """Return small random weights; the gates begin as plain descent with a rate near 0.01.

        The biases are those of the authors: forget 4 to 6, input -5 to -4.
        """

        def uniform(low: float, high: float, *shape: int) -> Tensor:
            return torch.rand(shape, generator=generator) * (high - low) + low

        width = self.hidden
        return {
            LSTM + "input": uniform(-0.01, 0.01, 4 * width, _INPUTS),
            LSTM + "recurrent": uniform(-0.01, 0.01, 4 * width, width),
            LSTM + "bias": torch.zeros(4 * width),
            LSTM + "forget.weight": uniform(-0.01, 0.01, width + 2),
            LSTM + "forget.bias": uniform(4.0, 6.0),
            LSTM + "in.weight": uniform(-0.01, 0.01, width + 2),
            LSTM + "in.bias": uniform(-5.0, -4.0),
        }

    def start(self, fast: Params) -> Params:
        """Return the states before the first step, zeros: (P, hidden) and (P,) for P weights."""
        vector = _flat(fast)
        states = vector.new_zeros(len(vector), self.hidden)
        gates = torch.zeros_like(vector)
        return {_HIDDEN: states, _CELL: states, _FORGOT: gates, _LET_IN: gates}

    def update(
        self,
        step: int,  # noqa: ARG002 - part of the interface
        meta: Params,
        fast: Params,
        gradients: Params,
        loss: Tensor,
        memory: Params,
    ) -> tuple[Params, Params]:
        """Return the next cells of the second layer, and the states of both."""
        weights, slopes = _flat(fast), _flat({key: gradients[key] for key in fast}).detach()
        told = torch.cat([preprocess(slopes), preprocess(loss.detach()).expand(len(slopes), 2)], dim=1)
        hidden, cell = self._first_layer(meta, told, memory[_HIDDEN], memory[_CELL])
        forgot = _gate(meta, "forget", hidden, weights, memory[_FORGOT])
        let_in = _gate(meta, "in", hidden, weights, memory[_LET_IN])
        stepped = _shaped(forgot * weights - let_in * slopes, fast)
        return stepped, {_HIDDEN: hidden, _CELL: cell, _FORGOT: forgot, _LET_IN: let_in}

    @staticmethod
    def _first_layer(meta: Params, told: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """Return the next hidden state and cell, (P, hidden) each (Hochreiter and Schmidhuber 1997)."""
        gates = told @ meta[LSTM + "input"].T + hidden @ meta[LSTM + "recurrent"].T + meta[LSTM + "bias"]
        let_in, forgot, fresh, shown = gates.chunk(4, dim=1)
        cell = forgot.sigmoid() * cell + let_in.sigmoid() * fresh.tanh()
        return shown.sigmoid() * cell.tanh(), cell


def _gate(meta: Params, name: str, hidden: Tensor, weights: Tensor, before: Tensor) -> Tensor:
    """Return (P,), a gate of the second layer, 0 to 1."""
    seen = torch.cat([hidden, weights.unsqueeze(1), before.unsqueeze(1)], dim=1)
    return torch.sigmoid(seen @ meta[f"{LSTM}{name}.weight"] + meta[f"{LSTM}{name}.bias"])


def _flat(params: Mapping[str, Tensor]) -> Tensor:
    """Return (P,), all weights one after the other."""
    return torch.cat([value.reshape(-1) for value in params.values()])


def _shaped(vector: Tensor, like: Params) -> Params:
    """Return the vector (P,) cut into tensors of these names and shapes."""
    parts = torch.split(vector, [value.numel() for value in like.values()])
    return {key: part.reshape(value.shape) for part, (key, value) in zip(parts, like.items(), strict=True)}
