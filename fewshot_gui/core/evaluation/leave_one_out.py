"""How well a support set explains itself: each example classified by all the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import torch

from fewshot_gui.core.learners.distances import evenly_spaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from fewshot_gui.core.learners.base import Cancel, Learner, Progress, SupportSet

Answer: TypeAlias = "Callable[[SupportSet, Tensor], Tensor]"


@dataclass(frozen=True, slots=True, eq=False)
class LeaveOneOut:
    """What a learner says of each example when it has not seen it.

    Attributes:
        accuracy: share of the usable examples that are classified right, 0 to 1; None where none is usable.
        usable: bool (S,), False for the only view of its class, which nothing could classify right, and for
            all but one of the examples of a view.
        probabilities: float (S, N); rows of examples that are not usable are 0.
        confusion: int64 (N, N), how often class i (row) was taken for class j (column), usable examples only.
    """

    accuracy: float | None
    usable: Tensor
    probabilities: Tensor
    confusion: Tensor


def _places_to_leave_out(support: SupportSet, most: int | None) -> list[int]:
    """Return one example of each view of the classes with several; of more than `most`, spread evenly."""
    places = support.one_of_each_view()
    places = places[support.shots()[support.labels[places]] > 1]
    found: list[int] = (places if most is None else places[evenly_spaced(len(places), most)]).tolist()
    return found


def left_out(support: SupportSet, answer: Answer, most: int | None = None) -> Iterator[tuple[int, Tensor]]:
    """Yield each usable example with what a classifier says of it that was made of all the others.

    All is made anew for each example, calibration too, so nothing of the example leaks. Of those that show
    one view one is looked at, and the others are left out with it: they would only recognise one another.

    Args:
        support: the examples.
        answer: from a support set and an example (1, D) to its probabilities, float (N,).
        most: look at so many examples only, spread evenly; None: at all.
    """
    for place in _places_to_leave_out(support, most):
        rest = support.some(~_of_its_view(support, place))
        yield place, answer(rest, support.embeddings[place : place + 1])


def one_view(support: SupportSet) -> list[int]:
    """Return the classes whose examples, several, all show one view, as of a thing that is held still."""
    found: list[int] = ((support.shots() == 1) & (support.counts() > 1)).nonzero().flatten().tolist()
    return found


def _of_its_view(support: SupportSet, place: int) -> Tensor:
    """Return bool (S,), the example at that place and the others of its view."""
    if support.views is None:
        return torch.arange(len(support.labels)) == place
    return support.views == support.views[place]


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
    usable = torch.zeros(count, dtype=torch.bool)
    probabilities = support.embeddings.new_zeros(count, n_way)
    total = len(_places_to_leave_out(support, None))

    def answer(rest: SupportSet, one: Tensor) -> Tensor:
        if cancel is not None:
            cancel()
        return learner.fit(rest).predict(one).probabilities[0]

    for done, (place, said) in enumerate(left_out(support, answer), 1):
        usable[place], probabilities[place] = True, said
        if progress is not None:
            progress(done / total)
    taken, truths = probabilities[usable].argmax(1), support.labels[usable]
    pairs = torch.bincount(truths * n_way + taken, minlength=n_way * n_way)
    return LeaveOneOut(
        accuracy=float((taken == truths).double().mean()) if len(truths) else None,
        usable=usable,
        probabilities=probabilities,
        confusion=pairs.view(n_way, n_way),
    )
