"""Update rules: how the gradients of one inner step become the next weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor

    from fewshot_gui.core.learners.gradient.functional import Params

RateKind: TypeAlias = Literal["fixed", "layer-step", "weight"]
RATE_KINDS: Final = ("fixed", "layer-step", "weight")
RATE: Final = "lr."
_HEAD: Final = "head."
_ADAM_DECAY, _ADAM_EPSILON = 0.999, 1e-8


@dataclass(frozen=True, slots=True)
class Descent:
    """Gradient descent with a fixed rate or learned ones.

    Attributes:
        lr: the rate, and what learned ones start from.
        kind: `fixed`; `layer-step`: one learned rate for each parameter tensor and step (Antoniou et al.
            2019, "How to train your MAML"); `weight`: one for each single weight (Li et al. 2017,
            "Meta-SGD"), in the head's rows the same for every class, as their numbers mean nothing.
        steps: how many steps have a rate of their own; later ones have the last.
    """

    lr: float
    kind: RateKind = "fixed"
    steps: int = 1

    def initial(self, fast: Mapping[str, tuple[int, ...]]) -> Params:
        """Return the learned rates "lr.NAME" of weights of these shapes; none where they are fixed."""
        if self.kind == "fixed":
            return {}
        if self.kind == "layer-step":
            return {RATE + key: torch.full((self.steps,), self.lr) for key in fast}
        return {
            RATE + key: torch.full(_shared_by_classes(key, shape), self.lr) for key, shape in fast.items()
        }

    def start(self, fast: Params) -> Params:  # noqa: ARG002 - part of the interface
        """Return nothing: it remembers nothing."""
        return {}

    def update(
        self,
        step: int,
        meta: Params,
        fast: Params,
        gradients: Params,
        loss: Tensor,  # noqa: ARG002 - part of the interface
        memory: Params,
    ) -> tuple[Params, Params]:
        """Return the weights less rate times gradient."""
        if self.kind == "fixed":  # in one pass over memory, and one back
            stepped = {key: torch.sub(value, gradients[key], alpha=self.lr) for key, value in fast.items()}
        else:
            stepped = {
                key: value - self._rate(step, meta, key) * gradients[key] for key, value in fast.items()
            }
        return stepped, memory

    def _rate(self, step: int, meta: Params, key: str) -> Tensor:
        rates = meta[RATE + key]
        return rates[min(step, len(rates) - 1)] if self.kind == "layer-step" else rates


def _shared_by_classes(key: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1, *shape[1:]) if key.startswith(_HEAD) else shape


@dataclass(frozen=True, slots=True)
class AdaptiveDescent:
    """Adam without momentum (beta1 = 0), the inner optimiser of Reptile (Nichol et al. 2018).

    Attributes:
        lr: the rate.
    """

    lr: float

    def initial(self, fast: Mapping[str, tuple[int, ...]]) -> Params:  # noqa: ARG002 - part of the interface
        """Return nothing: it learns nothing."""
        return {}

    def start(self, fast: Params) -> Params:
        """Return the mean squared gradients, zeros."""
        return {key: torch.zeros_like(value) for key, value in fast.items()}

    def update(
        self,
        step: int,
        meta: Params,  # noqa: ARG002 - part of the interface
        fast: Params,
        gradients: Params,
        loss: Tensor,  # noqa: ARG002 - part of the interface
        memory: Params,
    ) -> tuple[Params, Params]:
        """Return the weights less rate times gradient over its root mean square."""
        squares = {
            key: _ADAM_DECAY * memory[key] + (1 - _ADAM_DECAY) * gradients[key].square() for key in fast
        }
        unbiased = 1 - _ADAM_DECAY ** (step + 1)
        stepped = {
            key: value - self.lr * gradients[key] / ((squares[key] / unbiased).sqrt() + _ADAM_EPSILON)
            for key, value in fast.items()
        }
        return stepped, squares


@dataclass(frozen=True, slots=True)
class PolyakDescent:
    """Gradient descent whose rate is a share of loss / |gradient|^2, for networks of an unknown scale.

    With a share of 1 the tangent of the loss would reach zero (Polyak 1987): the same share suits a backbone
    whose embeddings are a hundred times as long. For networks that were not meta-trained for a rate.

    Attributes:
        share: above 0.
    """

    share: float

    def initial(self, fast: Mapping[str, tuple[int, ...]]) -> Params:  # noqa: ARG002 - part of the interface
        """Return nothing: it learns nothing."""
        return {}

    def start(self, fast: Params) -> Params:  # noqa: ARG002 - part of the interface
        """Return nothing: it remembers nothing."""
        return {}

    def update(
        self,
        step: int,  # noqa: ARG002 - part of the interface
        meta: Params,  # noqa: ARG002 - part of the interface
        fast: Params,
        gradients: Params,
        loss: Tensor,
        memory: Params,
    ) -> tuple[Params, Params]:
        """Return the weights less the share of loss / |gradient|^2, times the gradient."""
        squared = total_square(gradients.values()).clamp(min=torch.finfo(loss.dtype).tiny ** 0.5)
        rate = self.share * loss / squared
        return {key: value - rate * gradients[key] for key, value in fast.items()}, memory


def total_square(tensors: Iterable[Tensor]) -> Tensor:
    """Return the squared length of all of them as one vector, a scalar."""
    return torch.stack([tensor.square().sum() for tensor in tensors]).sum()
