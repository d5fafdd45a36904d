"""Shots against accuracy: how many answers are right after one example of each category, after two ..."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fewshot_gui.core.learners.reason import ChosenClassifier
from fewshot_gui.engine.fitting import Watch, learn, torch_work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fewshot_gui.core.learners.base import SupportSet
    from fewshot_gui.engine.fitting import Fitted
    from fewshot_gui.engine.worker import CancelToken, Steps

MOST_SHOTS: Final = 10
MOST_DRAWS: Final = 20
FEWEST_DRAWS: Final = 3
SECONDS: Final = 10.0
_MOST_TESTED: Final = 20
GOOD: Final = 0.895
"""Share of right answers, 90 % when rounded, with which more examples are needed no longer."""
_SHORT: Final = 6  # numbers of examples in a curve
_SEED: Final = 0  # the same examples give the same curve


@dataclass(frozen=True, slots=True)
class ShotsCurve:
    """How the accuracy grows with the examples.

    Attributes:
        accuracies: the share of right answers, 0 to 1, after 1, 2, ... examples of each category, the mean
            over the categories and over several draws; empty where there are too few examples to say.
        version: of the classifier whose examples these are.
    """

    accuracies: tuple[float, ...]
    version: int

    @property
    def gain(self) -> float:
        """What the last third of the examples has added, in shares of right answers; 0 without a curve.

        In a short curve that is one example, which may well be an odd one: while many answers are wrong, it
        is half of what all after the first have added.
        """
        if len(self.accuracies) < 2:
            return 0.0
        if len(self.accuracies) < _SHORT and self.accuracies[-1] < GOOD:
            return (self.accuracies[-1] - self.accuracies[0]) / 2
        return self.accuracies[-1] - self.accuracies[(2 * len(self.accuracies) - 1) // 3]


@dataclass(frozen=True, slots=True, eq=False)
class _Draw:
    """The examples of each category in a random order: first those to teach, then those to ask about."""

    taught: tuple[NDArray[np.int64], ...]
    asked: tuple[NDArray[np.int64], ...]

    def first(self, shots: int) -> NDArray[np.int64]:
        """Return the places of the first examples of each category, of a smaller one all it may teach."""
        return np.concatenate([places[:shots] for places in self.taught])


def shots_curve(fitted: Fitted, token: CancelToken) -> Steps[ShotsCurve]:
    """Return how accuracy grows with the examples of a support set.

    Within one draw all numbers of examples are asked about the same pictures, which are never taught: at
    least one of each category that has two, and over the draws each of them as often as any other. Fewer
    draws are made where a fit takes long. Of each view of a thing one picture is there: frames beside it
    would be asked about after it was taught.
    """
    support = fitted.support.some(fitted.support.one_of_each_view())
    labels = support.labels.numpy()
    counts = np.bincount(labels, minlength=len(fitted.classes))
    # Beyond the second largest category one alone would grow.
    most = min(MOST_SHOTS, int(np.sort(counts)[-2]) - 1) if len(counts) > 1 else 0
    if most < 2:
        return ShotsCurve((), fitted.version)
    draws = int(np.clip(SECONDS / max(fitted.seconds * most, 1e-6), FEWEST_DRAWS, MOST_DRAWS))
    right = np.zeros((draws, most))
    for number in range(draws):
        draw = _drawn(labels, counts, number)
        for shots in range(1, most + 1):
            token.check()
            right[number, shots - 1] = _accuracy(fitted, support, draw.first(shots), draw.asked, token)
            yield
    return ShotsCurve(tuple(right.mean(axis=0).tolist()), fitted.version)


def _drawn(labels: NDArray[np.int64], counts: NDArray[np.int64], number: int) -> _Draw:
    """Return a draw: the one before with its orders moved on by one, or mixed anew after a whole round."""
    orders = []
    for own in np.flatnonzero(counts).tolist():
        around, moved = divmod(number, int(counts[own]))
        mixed = np.random.default_rng((_SEED, own, around)).permutation(np.flatnonzero(labels == own))
        orders.append(np.roll(mixed, moved))
    kept = [min(MOST_SHOTS, max(1, len(order) - 1)) for order in orders]
    return _Draw(
        tuple(order[:shots] for order, shots in zip(orders, kept, strict=True)),
        tuple(order[shots:][:_MOST_TESTED] for order, shots in zip(orders, kept, strict=True)),
    )


def _accuracy(
    fitted: Fitted,
    support: SupportSet,
    taught: NDArray[np.int64],
    asked: Sequence[NDArray[np.int64]],
    token: CancelToken,
) -> float:
    """Return the share of right answers, the mean over the categories of which something is asked."""
    import torch  # noqa: PLC0415 - torch takes seconds to import

    made = fitted.classifier
    learner = made.learner if isinstance(made, ChosenClassifier) else fitted.learner
    classifier = learn(learner, support.some(torch.from_numpy(taught)), fitted.recipe, Watch(token.check))
    places = np.concatenate(asked)
    with torch_work(fitted.recipe, len(places)):
        said = classifier.predict(support.embeddings[places]).probabilities.argmax(dim=1)
    right = (said == support.labels[places]).numpy()
    ends = np.cumsum([len(some) for some in asked])
    return float(np.mean([part.mean() for part in np.split(right, ends[:-1]) if len(part)]))
