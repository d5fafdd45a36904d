"""The numbers of a report: interval, calibration error, area under the ROC curve."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

_NORMAL_95 = 1.959964


def interval95(values: Tensor | Sequence[float]) -> float:
    """Return the half width of the 95 % interval of the mean of independent values, in their unit.

    The normal approximation, as every published few-shot table has it; +inf for fewer than two values.
    """
    numbers = torch.as_tensor(values, dtype=torch.float64)
    if len(numbers) < 2:
        return math.inf
    return _NORMAL_95 * float(numbers.std()) / math.sqrt(len(numbers))


def ece(probabilities: Tensor, labels: Tensor, bins: int = 15) -> float:
    """Return the expected calibration error, 0 to 1: how far confidence lies from accuracy on average.

    Guo et al. 2017, "On Calibration of Modern Neural Networks": answers are put into equally wide bins of the
    probability of the class answered.

    Args:
        probabilities: float (Q, N), rows sum to 1.
        labels: int64 (Q,), the true classes.
        bins: how many.

    Raises:
        ValueError: no answer at all.
    """
    if not len(labels):
        raise ValueError("a calibration error needs at least one answer")
    confidence, answer = probabilities.double().max(dim=1)
    surplus = confidence - (answer == labels).double()
    place = (confidence * bins).ceil().long().clamp(1, bins) - 1
    return float(torch.zeros(bins, dtype=torch.float64).index_add(0, place, surplus).abs().sum()) / len(
        labels
    )


def auroc(known: Tensor, unknown: Tensor) -> float:
    """Return the chance that an unknown picture scores above a known one, ties count half; 0.5 is guessing.

    Args:
        known: float (A,), the novelty of pictures of the taught classes.
        unknown: float (B,), the novelty of pictures of other classes.

    Raises:
        ValueError: one of the two is empty.
    """
    if not len(known) or not len(unknown):
        raise ValueError("the area under the curve needs known and unknown pictures")
    ordered = known.sort().values
    below = torch.searchsorted(ordered, unknown, right=False)
    not_above = torch.searchsorted(ordered, unknown, right=True)
    return float((below + not_above).sum()) / (2 * len(known) * len(unknown))
