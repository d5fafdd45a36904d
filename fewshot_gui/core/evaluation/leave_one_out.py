"""How well a support set explains itself: each example classified by all the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import torch

from fewshot_gui.core.learners.base import SupportSet
from fewshot_gui.core.learners.distances import burst_mates, squared_distances

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from fewshot_gui.core.learners.base import Cancel, Learner, Progress

Answer: TypeAlias = "Callable[[SupportSet, Tensor], Tensor]"


@dataclass(frozen=True, slots=True, eq=False)
class LeaveOneOut:
    """What a learner says of each example when it has not seen it.

    Attributes:
        accuracy: share of the usable examples that are classified right, 0 to 1; None where none is usable.
        usable: bool (S,), False for examples that are alone in their class, but for others of the same burst:
            nothing could classify them right.
        probabilities: float (S, N); rows of examples that are not usable are 0.
        confusion: int64 (N, N), how often class i (row) was taken for class j (column), usable examples only.
    """

    accuracy: float | None
    usable: Tensor
    probabilities: Tensor
    confusion: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """The examples to ask about, and what tells about them.

    Attributes:
        places: int64 (M,), those that are not alone in their class; of too many, some spread evenly.
        others: bool (M, S), what tells about each of them: neither itself nor what is of one burst with it.
        usable: bool (M,), True where others of its own class are among them.
    """

    places: Tensor
    others: Tensor
    usable: Tensor

    @classmethod
    def of(cls, support: SupportSet, most: int | None) -> _Asked:
        places = (support.counts()[support.labels] > 1).nonzero().flatten()
        if most is not None and len(places) > most:
            places = places[torch.linspace(0, len(places) - 1, most).round().long()]
        own = support.labels[places]
        squared = squared_distances(support.embeddings[places], support.embeddings)
        others = ~burst_mates(squared, own, support.labels)
        others[torch.arange(len(places)), places] = False
        return cls(places, others, (others & (own.unsqueeze(1) == support.labels)).any(1))


def one_burst(support: SupportSet, most: int | None = None) -> list[int]:
    """Return the classes of several examples that all look the same, as frames of a camera held still do.

    Args:
        support: the examples.
        most: look at so many examples only, spread evenly; None: at all.
    """
    asked = _Asked.of(support, most)
    labels = support.labels[asked.places]
    return sorted(set(labels.tolist()) - set(labels[asked.usable].tolist()))


def left_out(support: SupportSet, answer: Answer, most: int | None = None) -> Iterator[tuple[int, Tensor]]:
    """Yield each usable example with what a classifier says of it that was made of all the others.

    All is made anew for each example, calibration too, so nothing of the example leaks; pictures of one burst
    are left out with one another.

    Args:
        support: the examples.
        answer: from a support set and an example (1, D) to its probabilities, float (N,).
        most: look at so many examples only, spread evenly; None: at all.
    """
    asked = _Asked.of(support, most)
    for place, keep in zip(asked.places[asked.usable].tolist(), asked.others[asked.usable], strict=True):
        rest = SupportSet(support.embeddings[keep], support.labels[keep], support.classes)
        yield place, answer(rest, support.embeddings[place : place + 1])


def leave_one_out(
    support: SupportSet,
    learner: Learner,
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> LeaveOneOut:
    """Return the honest answer to "how good is it?" before there is any other labelled picture.

    Args:
        support: the examples.
        learner: fitted to all but one of them at a time.
        progress: called with the share done, 0 to 1.
        cancel: called before each fit; raises to stop.
    """
    count, n_way = len(support.labels), len(support.classes)
    asked = _Asked.of(support, None)
    usable = torch.zeros(count, dtype=torch.bool)
    usable[asked.places[asked.usable]] = True
    probabilities = support.embeddings.new_zeros(count, n_way)
    answers = left_out(support, lambda rest, one: learner.fit(rest).predict(one).probabilities[0])
    for done in range(int(usable.sum())):
        if cancel is not None:
            cancel()
        place, probabilities[place] = next(answers)
        if progress is not None:
            progress((done + 1) / int(usable.sum()))
    said, truths = probabilities[usable].argmax(1), support.labels[usable]
    pairs = torch.bincount(truths * n_way + said, minlength=n_way * n_way)
    return LeaveOneOut(
        accuracy=float((said == truths).double().mean()) if len(truths) else None,
        usable=usable,
        probabilities=probabilities,
        confusion=pairs.view(n_way, n_way),
    )
