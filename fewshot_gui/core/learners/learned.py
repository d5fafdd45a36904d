"""A meta-trained head as a learner: fitting keeps the support set, predicting asks the head."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from fewshot_gui.core.learners.base import SupportError, SupportSet
from fewshot_gui.core.learners.calibration import Calibration, LeftOut, fit_novelty_threshold
from fewshot_gui.core.learners.fitted import FittedClassifier, begin, finish
from fewshot_gui.core.learners.order import in_turn
from fewshot_gui.core.learners.prototypical import prototypes

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot_gui.core.learners.base import Cancel, Progress
    from fewshot_gui.core.learners.head import Head

# Numbers that a head may hold at once per query: its pairs with classes or examples, D each.
_NUMBERS_AT_ONCE = 8_000_000
# Leave-one-out asks the head once for each example, with all the others as its support set.
_LEFT_OUT_AT_MOST = 40
_LEFT_OUT_NUMBERS = 40_000_000


@dataclass(frozen=True, slots=True, eq=False)
class LearnedHead:
    """A learner whose knowledge of how to compare was meta-trained and came with the bundle.

    Attributes:
        command: the name on the command line.
        head: the trained head; a copy in eval mode is kept, so that training it on changes no answer.
        default_temperature: for the head's own scores.
        default_novelty: the threshold where the support set tells nothing; +inf rejects nothing.
    """

    command: str
    head: Head
    default_temperature: float = 1.0
    default_novelty: float = math.inf

    def __post_init__(self) -> None:
        object.__setattr__(self, "head", copy.deepcopy(self.head).eval().requires_grad_(requires_grad=False))

    @property
    def name(self) -> str:
        """Return the name on the command line."""
        return self.command

    def fit(
        self, support: SupportSet, *, progress: Progress | None = None, cancel: Cancel | None = None
    ) -> LearnedClassifier:
        """Return the support set with its temperature and novelty threshold.

        Raises:
            SupportError: no example, one that is not finite, or more categories than the head knows.
        """
        begin(support, progress, cancel)
        self._check_ways(support)
        calibration = self._calibration(support, progress, cancel)
        finish(progress, cancel)
        means = prototypes(support.embeddings, support.labels, len(support.classes))
        return LearnedClassifier(support=support, calibration=calibration, anchors=means, head=self.head)

    def _check_ways(self, support: SupportSet) -> None:
        """Raise SupportError where more categories have examples than the head was trained for."""
        most, ways = self.head.max_ways, int(support.present().sum())
        if most is not None and ways > most:
            raise SupportError(
                f"{self.name} knows at most {most} categories, and {ways} have examples; "
                "choose another learner"
            )

    def _calibration(
        self, support: SupportSet, progress: Progress | None, cancel: Cancel | None
    ) -> Calibration:
        """Return the defaults, moved by leave-one-out where asking the head so often is cheap."""
        left_out = LeftOut.of(support)
        count, dimension = support.embeddings.shape
        if count > _LEFT_OUT_AT_MOST or count * count * dimension > _LEFT_OUT_NUMBERS:
            return Calibration(
                self.default_temperature, fit_novelty_threshold(left_out, self.default_novelty)
            )
        scores = self._leave_one_out_scores(support, progress, cancel)
        return left_out.calibrate(scores, temperature=self.default_temperature, novelty=self.default_novelty)

    def _leave_one_out_scores(
        self, support: SupportSet, progress: Progress | None, cancel: Cancel | None
    ) -> Tensor:
        """Return (S, N), each example scored from all the others; zeros for those that are not `spare`."""
        scores = support.embeddings.new_zeros(len(support.labels), len(support.classes))
        for place in support.spare().nonzero().squeeze(1).tolist():
            if cancel is not None:
                cancel()
            others = torch.arange(len(support.labels)) != place
            scores[place] = head_scores(self.head, support.some(others), support.embeddings[[place]])[0]
            if progress is not None:
                progress((place + 1) / len(support.labels))
        return scores


def head_scores(head: Head, support: SupportSet, query: Tensor) -> Tensor:
    """Return (Q, N), the head's scores, without gradients; -inf for a class without examples.

    The head is asked about the classes that have examples only, so an empty category takes no place of those
    that it knows; and about as many queries at once as memory allows, so it must be inductive. It gets the
    examples `in_turn`: one that reads them in a row was trained on mixed ones.

    Args:
        head: in eval mode.
        support: the support set.
        query: float (Q, D).
    """
    present = support.present()
    ways = int(present.sum())
    labels = (present.cumsum(0) - 1)[support.labels]
    order = in_turn(labels)
    examples, labels = support.embeddings[order], labels[order]
    at_once = max(1, _NUMBERS_AT_ONCE // (max(ways, len(labels)) * support.embeddings.shape[1]))
    scores = query.new_full((len(query), len(present)), -torch.inf)
    with torch.no_grad():
        pieces = [head.scores(examples, labels, piece, ways) for piece in torch.split(query, at_once)]
    scores[:, present] = torch.cat(pieces).to(query.dtype)
    return scores


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LearnedClassifier(FittedClassifier):
    """The support set and the head that reads it; `anchors` (N, D) are the class means, for the distances.

    Attributes:
        head: in eval mode.
    """

    head: Head

    def judge(self, query: Tensor, to_support: Tensor, to_anchors: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - part of the interface
        """Return the head's scores and the Euclidean distances to the class means, (Q, N) each."""
        return head_scores(self.head, self.support, query), to_anchors.sqrt()
