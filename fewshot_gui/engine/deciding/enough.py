"""Is this enough? Each example classified by all the others, the verdict, and what to teach next."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from fewshot_gui.core.learners.reason import ChosenClassifier
from fewshot_gui.engine.fitting import Watch, learn, torch_work
from fewshot_gui.engine.scores import Said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.core.learners.base import SupportSet
    from fewshot_gui.engine.fitting import Fitted
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.state import CategoryId, Document
    from fewshot_gui.engine.worker import CancelToken, Steps

MOST_EXAMINED: Final = 200
EXAMINE_SECONDS: Final = 20.0
FEWEST_EXAMPLES: Final = 3
"""Below this a category is told to need more, whatever the answers are."""
GOOD_ENOUGH: Final = 0.7
"""The accuracy that must be certain at 95 %: 10 of 10 right answers are (0.72), 5 of 5 are not (0.57)."""
MIXED_SHARE: Final = 0.2
"""Two categories are mixed up where this share of the one, and two pictures, are taken for the other."""
_Z95: Final = 1.96


@dataclass(frozen=True, slots=True)
class LooReport:
    """Each example classified by a classifier that has not seen it.

    Attributes:
        examined: how many examples; those that are alone in their category cannot be, and of frames that look
            the same one is.
        correct: how many of them were classified right.
        misfits: the examples that were not, with the category that the others speak for.
        version: of the classifier.
        classes: the categories that have examples.
        cells: the pictures behind each cell of the confusion table: (taught as, taken for) -> pictures.
        sure: the probability of the category that each example was taken for, 0 to 1.
        alike: the categories of several frames that all look the same, of which nothing can be examined.
    """

    examined: int
    correct: int
    misfits: tuple[tuple[PictureId, CategoryId], ...]
    version: int
    classes: tuple[CategoryId, ...]
    cells: Mapping[tuple[CategoryId, CategoryId], tuple[PictureId, ...]]
    sure: Mapping[PictureId, float] = field(default_factory=dict)
    alike: tuple[CategoryId, ...] = ()

    @property
    def accuracy(self) -> float | None:
        """The share of right answers, 0 to 1; None where no example could be examined."""
        return self.correct / self.examined if self.examined else None

    def table(self) -> NDArray[np.int64]:
        """Return int64 (N, N), how often category i (row) was taken for category j (column)."""
        cells = [[len(self.cells.get((own, taken), ())) for taken in self.classes] for own in self.classes]
        return np.array(cells, np.int64).reshape(len(self.classes), len(self.classes))

    def right_of(self, category: CategoryId) -> tuple[int, int]:
        """Return how many examples of a category were classified right, and how many were examined."""
        examined = sum(len(some) for (own, _), some in self.cells.items() if own == category)
        return len(self.cells.get((category, category), ())), examined


def examine(fitted: Fitted, token: CancelToken) -> Steps[LooReport]:
    """Return the leave-one-out report of the support set: one fit for each of up to 200 examples.

    Of a learner that takes long, fewer are examined: as many as 20 seconds allow, at least ten. In the place
    of one that chooses among others, the chosen one is fitted: without one example the choice is the same
    but rarely, and it costs a fit of each.
    """
    from fewshot_gui.core.evaluation.leave_one_out import left_out, one_view  # noqa: PLC0415 - imports torch

    made = fitted.classifier
    learner = made.learner if isinstance(made, ChosenClassifier) else fitted.learner

    def answer(rest: SupportSet, example: Tensor) -> Tensor:
        token.check()
        classifier = learn(learner, rest, fitted.recipe, Watch(token.check))
        with torch_work(fitted.recipe, 1):
            return classifier.predict(example).probabilities[0]

    most = min(MOST_EXAMINED, max(10, int(EXAMINE_SECONDS / max(fitted.seconds, 1e-6))))
    cells: dict[tuple[CategoryId, CategoryId], list[PictureId]] = {}
    sure: dict[PictureId, float] = {}
    for place, probabilities in left_out(fitted.support, answer, most):
        own = fitted.classes[int(fitted.support.labels[place])]
        taken = fitted.classes[int(probabilities.argmax())]
        cells.setdefault((own, taken), []).append(fitted.support_ids[place])
        sure[fitted.support_ids[place]] = float(probabilities.max())
        yield
    found = {cell: tuple(pictures) for cell, pictures in cells.items()}
    alike = tuple(fitted.classes[place] for place in one_view(fitted.support))
    return replace(report_of(found, fitted.classes, fitted.version), sure=sure, alike=alike)


def report_of(
    cells: Mapping[tuple[CategoryId, CategoryId], tuple[PictureId, ...]],
    classes: tuple[CategoryId, ...],
    version: int,
) -> LooReport:
    """Return the report that these cells make."""
    return LooReport(
        examined=sum(map(len, cells.values())),
        correct=sum(len(pictures) for (own, taken), pictures in cells.items() if own == taken),
        misfits=tuple(
            (picture, taken)
            for (own, taken), pictures in cells.items()
            if own != taken
            for picture in pictures
        ),
        version=version,
        classes=classes,
        cells=cells,
    )


class VerdictKind(StrEnum):
    """The answer to "is this enough?", in the order in which the reasons count."""

    NOTHING = "nothing"
    """No category has an example."""
    ONE_CATEGORY = "one-category"
    """There is nothing to tell the only category from."""
    TOO_FEW = "too-few"
    """`category` has only `count` examples."""
    EXAMINING = "examining"
    """The answer is being computed."""
    MIXED_UP = "mixed-up"
    """`count` of `of` examples of `category` are taken for `other`."""
    ALIKE = "alike"
    """All `count` frames of `category` look the same, and so say nothing of others."""
    SHAKY = "shaky"
    """Too many wrong answers, or too few to be certain; `category` is the weakest."""
    ENOUGH = "enough"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether this is enough, as data for one sentence.

    Attributes:
        kind: which sentence.
        category: whom it is about; None where about nobody.
        other: whom `category` is taken for.
        count: how many pictures, see the kind.
        of: of how many.
        correct: right answers among all examples examined.
        examined: how many were.
        low: the accuracy is above this with 95 % certainty (Wilson), 0 to 1.
    """

    kind: VerdictKind
    category: CategoryId | None = None
    other: CategoryId | None = None
    count: int = 0
    of: int = 0
    correct: int = 0
    examined: int = 0
    low: float = 0.0


def is_enough(document: Document, report: LooReport | None) -> Verdict:
    """Return the verdict on what was taught; `report` is None while it is being computed."""
    taught = {category.id: len(category.examples) for category in document.categories}
    filled = [count for count in taught.values() if count]
    if not filled:
        return Verdict(VerdictKind.NOTHING)
    if len(filled) == 1:
        return Verdict(VerdictKind.ONE_CATEGORY, category=max(taught, key=taught.__getitem__))
    fewest = min(taught, key=taught.__getitem__)
    if taught[fewest] < FEWEST_EXAMPLES:
        return Verdict(VerdictKind.TOO_FEW, category=fewest, count=taught[fewest], of=FEWEST_EXAMPLES)
    if report is None:
        return Verdict(VerdictKind.EXAMINING)
    return _verdict_of(document, report)


def _verdict_of(document: Document, report: LooReport) -> Verdict:
    low = certain_accuracy(report.correct, report.examined)
    mixed = _most_mixed(report)
    if mixed is not None:
        own, taken, count = mixed
        return Verdict(
            VerdictKind.MIXED_UP,
            own,
            taken,
            count,
            report.right_of(own)[1],
            report.correct,
            report.examined,
            low,
        )
    held = [each for each in report.alike if each in document]
    if held:
        count = len(document.category(held[0]).examples)
        return Verdict(VerdictKind.ALIKE, held[0], None, count, 0, report.correct, report.examined, low)
    if low < GOOD_ENOUGH:
        weakest = weakest_category(document, report)
        right, of = report.right_of(weakest) if weakest is not None else (0, 0)
        return Verdict(VerdictKind.SHAKY, weakest, None, right, of, report.correct, report.examined, low)
    return Verdict(VerdictKind.ENOUGH, correct=report.correct, examined=report.examined, low=low)


def certain_accuracy(correct: int, examined: int) -> float:
    """Return the lower end of the 95 % interval of a share (Wilson, 1927); 0 where nothing was examined."""
    if not correct:
        return 0.0
    share, z2 = correct / examined, _Z95**2
    spread = _Z95 * math.sqrt(share * (1 - share) / examined + z2 / (4 * examined**2))
    return max(0.0, (share + z2 / (2 * examined) - spread) / (1 + z2 / examined))


def _most_mixed(report: LooReport) -> tuple[CategoryId, CategoryId, int] | None:
    wrong = [
        (len(pictures) / report.right_of(own)[1], len(pictures), own, taken)
        for (own, taken), pictures in report.cells.items()
        if own != taken and len(pictures) > 1
    ]
    share, count, own, taken = max(wrong, default=(0.0, 0, None, None), key=lambda cell: cell[:2])
    if own is None or taken is None or share < MIXED_SHARE:
        return None
    return own, taken, count


def weakest_category(document: Document, report: LooReport | None) -> CategoryId | None:
    """Return the category that needs an example most, None where there is none.

    Those with fewer than three come first; then the one of which fewest are classified right.
    """

    def need(place: int) -> tuple[int, float, int]:
        category = document.categories[place]
        count = len(category.examples)
        right, examined = report.right_of(category.id) if report is not None else (0, 0)
        # One right and one wrong answer more for everybody: 1 of 1 is not surer than 9 of 10.
        return min(count, FEWEST_EXAMPLES), (right + 1) / (examined + 2), count

    places = range(len(document.categories))
    return document.categories[min(places, key=need)].id if document.categories else None


@dataclass(frozen=True, slots=True)
class NextBest:
    """The example that would help most.

    Attributes:
        category: what there should be more of.
        row: of the gallery, a picture that may be one; None where none is in sight.
    """

    category: CategoryId
    row: int | None


def next_best_example(document: Document, report: LooReport | None, scores: Scores | None) -> NextBest | None:
    """Return what to teach next, None where there is no category.

    The row is the least certain one, of those that are not foreign, where the category is among the two
    likeliest: right or wrong, its answer moves the border that matters.
    """
    category = weakest_category(document, report)
    if category is None:
        return None
    if scores is None or category not in scores.classes or not scores.count:
        return NextBest(category, None)
    own = scores.probabilities[:, scores.classes.index(category)]
    rest = np.delete(scores.probabilities, scores.classes.index(category), axis=1)
    ahead = (rest > own[:, None]).sum(axis=1)
    fit = scores.known & (scores.said == Said.MACHINE) & ~scores.rejected & (own > 0) & (ahead < 2)
    if not fit.any():
        return NextBest(category, None)
    return NextBest(category, int(np.where(fit, scores.uncertainty, np.float32(-1)).argmax()))
