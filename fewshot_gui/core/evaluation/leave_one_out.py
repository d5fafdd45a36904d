"""How well a support set explains itself: each example classified by all the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from fewshot_gui.core.learners.base import SupportSet

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot_gui.core.learners.base import Cancel, Learner, Progress


@dataclass(frozen=True, slots=True, eq=False)
class LeaveOneOut:
    """What a learner says of each example when it has not seen it.

    Attributes:
        accuracy: share of the usable examples that are classified right, 0 to 1; None where none is usable.
        usable: bool (S,), False for the only example of its class, which nothing could classify right.
        probabilities: float (S, N); rows of examples that are not usable are 0.
        confusion: int64 (N, N), how often class i (row) was taken for class j (column), usable examples only.
    """

    accuracy: float | None
    usable: Tensor
    probabilities: Tensor
    confusion: Tensor


def leave_one_out(
    support: SupportSet,
    learner: Learner,
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> LeaveOneOut:
    """Return the honest answer to "how good is it?" before there is any other labelled picture.

    The learner is fitted once for each example, calibration and all, so nothing of the example leaks.

    Args:
        support: the examples.
        learner: fitted to all but one of them at a time.
        progress: called with the share done, 0 to 1.
        cancel: called before each fit; raises to stop.
    """
    count, n_way = len(support.labels), len(support.classes)
    usable = support.counts()[support.labels] > 1
    probabilities = support.embeddings.new_zeros(count, n_way)
    for done, place in enumerate(usable.nonzero().flatten().tolist()):
        if cancel is not None:
            cancel()
        probabilities[place] = _without(support, place, learner)
        if progress is not None:
            progress((done + 1) / int(usable.sum()))
    answers, truths = probabilities[usable].argmax(1), support.labels[usable]
    pairs = torch.bincount(truths * n_way + answers, minlength=n_way * n_way)
    return LeaveOneOut(
        accuracy=float((answers == truths).double().mean()) if len(truths) else None,
        usable=usable,
        probabilities=probabilities,
        confusion=pairs.view(n_way, n_way),
    )


def _without(support: SupportSet, place: int, learner: Learner) -> Tensor:
    """Return float (N,), the probabilities of one example by a classifier fitted to the others."""
    keep = torch.arange(len(support.labels)) != place
    rest = SupportSet(support.embeddings[keep], support.labels[keep], support.classes)
    return learner.fit(rest).predict(support.embeddings[place : place + 1]).probabilities[0]
