"""The linear layer that a task starts from: zeros, a learned one, or the prototypes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import torch

from fewshot_gui.core.learners.gradient.functional import Params, class_means

if TYPE_CHECKING:
    from torch import Tensor

HeadKind: TypeAlias = Literal["zero", "learned", "prototype"]
HEAD_KINDS: Final = ("zero", "learned", "prototype")
WEIGHT: Final = "head.weight"
BIAS: Final = "head.bias"
# A query in the place of its prototype gets a logit four higher than the other classes' on average.
_GAP = 4.0


def head_logits(params: Params, embeddings: Tensor) -> Tensor:
    """Return logits (B, N) of embeddings (B, D) by "head.weight" (N, D) and "head.bias" (N,)."""
    return embeddings @ params[WEIGHT].T + params[BIAS]


def learned_head(dimension: int, ways: int, generator: torch.Generator) -> Params:
    """Return random weights (N, D) of variance 1 / D, and a bias (N,) of zeros."""
    weight = torch.randn(ways, dimension, generator=generator) / dimension**0.5
    return {WEIGHT: weight, BIAS: torch.zeros(ways)}


def zero_head(like: Tensor, ways: int) -> Params:
    """Return weights (N, D) and a bias (N,) of zeros, in the type of embeddings (S, D).

    Every way is alike at first, so any number of them will do, and the loss starts at ln N. Kao, Chiu and
    Chen 2022, "MAML is a noisy contrastive learner in classification".
    """
    return {WEIGHT: like.new_zeros(ways, like.shape[1]), BIAS: like.new_zeros(ways)}


def first_ways(params: Params, ways: int) -> Params:
    """Return the first N rows of the learned head."""
    return {WEIGHT: params[WEIGHT][:ways], BIAS: params[BIAS][:ways]}


def prototype_head(embeddings: Tensor, labels: Tensor, ways: int) -> Params:
    """Return the linear layer that computes minus the squared distance to the class means, in natural units.

    Triantafillou et al. 2020, "Meta-Dataset" (Proto-MAML): weight 2 c, bias -|c|^2; here the means are taken
    from their own mean, which changes no difference of logits, and both are divided so that backbones of any
    scale start alike.

    Args:
        embeddings: float (S, D).
        labels: int64 (S,).
        ways: N.
    """
    means = class_means(embeddings, labels, ways)
    centre = means.mean(0)
    around = means - centre
    spread = around.square().sum(1).mean().clamp(min=torch.finfo(means.dtype).tiny ** 0.5)
    weight = _GAP * around / spread
    # -|q - c|^2 + |q - centre|^2 = 2 (q - centre).(c - centre) - |c - centre|^2
    bias = -_GAP / 2 * around.square().sum(1) / spread - weight @ centre
    return {WEIGHT: weight, BIAS: bias}
