"""Tasks of pictures, and what one meta-step over them gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot_gui.core.learners.gradient.functional import Params


@dataclass(frozen=True, slots=True, eq=False)
class Tasks:
    """T tasks with the same number of ways, shots and queries.

    Attributes:
        support: float (T, S, C, H, W).
        support_labels: int64 (T, S), 0 .. N - 1.
        query: float (T, Q, C, H, W).
        query_labels: int64 (T, Q).
        ways: N.
    """

    support: Tensor
    support_labels: Tensor
    query: Tensor
    query_labels: Tensor
    ways: int

    def __len__(self) -> int:
        return len(self.support)


def share_right(logits: Tensor, targets: Tensor) -> float:
    """Return the share of rows (..., N) whose largest logit is at the target (...), 0 to 1."""
    # Counted, not averaged in float64, which Apple's GPUs do not have.
    return int((logits.argmax(-1) == targets).sum()) / targets.numel()


@dataclass(frozen=True, slots=True, eq=False)
class MetaStep:
    """What a batch of tasks says of the meta-parameters.

    Attributes:
        loss: mean cross-entropy of the queries after adaptation.
        accuracy: share of the queries that are classified right after adaptation, 0 to 1.
        gradients: for each meta-parameter, the mean over the tasks; for Reptile the initial weights less the
            mean of the adapted ones.
        transductive: the network used the statistics of all queries together, so the accuracy is not that of
            a query by itself.
    """

    loss: float
    accuracy: float
    gradients: Params
    transductive: bool = False
