"""What a learner may use of the bundle whose embeddings it learns from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn


@dataclass(frozen=True, slots=True, eq=False)
class LearnerContext:
    """The parts of a bundle that learners ask for.

    Attributes:
        temperature: for minus the squared Euclidean distance to prototypes at five shots.
        novelty: the distance to the nearest example beyond which a picture is none of these; +inf: never.
        learner: the learner that the bundle was meta-trained for; empty where for none.
        head: the arguments of `build_head`, or the settings of the gradient method; empty: there is none.
        head_tensors: the learned values of that head.
        head_temperature: for the head's own scores.
        network: the backbone in eval mode, its batch norms folded: images (B, C, H, W) to embeddings (B, D).
            It is shared: a learner that adapts it does so on copies of its parameters.
        input_shape: (C, H, W) of the network's input.
        device: where the network lies.
        dimension: D of the space that support set and queries are in; 0 where it is not known.
    """

    temperature: float = 1.0
    novelty: float = math.inf
    learner: str = ""
    head: Mapping[str, Any] = field(default_factory=dict)
    head_tensors: Mapping[str, Tensor] = field(default_factory=dict)
    head_temperature: float = 1.0
    network: nn.Module | None = None
    input_shape: tuple[int, int, int] = (3, 0, 0)
    device: str = "cpu"
    dimension: int = 0
