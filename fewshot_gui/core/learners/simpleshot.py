"""SimpleShot: centre, normalise, nearest class mean (Wang et al. 2019)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch

from fewshot_gui.core.learners.calibration import (
    Calibration,
    LeftOut,
    converted_temperature,
    fit_novelty_threshold,
    temperature_for_shots,
)
from fewshot_gui.core.learners.distances import squared_distances
from fewshot_gui.core.learners.fitted import FittedClassifier, begin, finish
from fewshot_gui.core.learners.prototypical import Prototypical, prototypes, squared_euclidean_logits

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot_gui.core.learners.base import Cancel, Progress, SupportSet

_UNIT = 1e-3
# A row that its centre cancels up to rounding has no direction: its length counts as at least this share.
_LEAST_SHARE = 1e-4
# Of so many examples one hardly moves the centre, and a centre for each of them takes long.
_MOST_FOR_OWN_CENTRES = 100


def centred_and_normalised(rows: Tensor, centre: Tensor) -> Tensor:
    """Return (S, D), the rows less the centre, each of length 1; near 0 for a row that is the centre.

    Wang, Chao, Weinberger and van der Maaten 2019, "SimpleShot", CL2N.

    Args:
        rows: float (S, D).
        centre: float (D,).
    """
    moved = rows - centre
    least = (_LEAST_SHARE * torch.linalg.vector_norm(centre)).clamp(min=1e-12)
    lengths: Tensor = torch.linalg.vector_norm(moved, dim=1, keepdim=True).clamp(min=least)
    return moved / lengths


def are_normalised(rows: Tensor) -> bool:
    """Return True where every row (S, D) has length 1 to a thousandth."""
    return bool(((torch.linalg.vector_norm(rows, dim=1) - 1).abs() < _UNIT).all())


def task_centre(rows: Tensor, labels: Tensor, n_way: int) -> Tensor:
    """Return (D,), the mean of the means of the classes that have examples, however many each has."""
    present = torch.bincount(labels, minlength=n_way) > 0
    return prototypes(rows, labels, n_way)[present].mean(0)


def _scores_without(left_out: LeftOut, cancel: Cancel | None) -> Tensor:
    """Return float (M, N), of each example by means and a centre that are of the others alone."""
    support, everyone = left_out.support, torch.arange(len(left_out.support.labels))
    embeddings, labels, n_way = support.embeddings, support.labels, len(support.classes)
    scores = []
    for row in left_out.rows.tolist():
        if cancel is not None:
            cancel()
        others = everyone != row
        rows = centred_and_normalised(embeddings, task_centre(embeddings[others], labels[others], n_way))
        means = prototypes(rows[others], labels[others], n_way)
        scores.append(squared_euclidean_logits(rows[row : row + 1], means))
    return torch.cat(scores)


@dataclass(frozen=True, slots=True)
class SimpleShot:
    """The nearest class mean among centred and normalised embeddings.

    Wang et al. 2019, "SimpleShot: Revisiting Nearest-Neighbor Classification for Few-Shot Learning". Where
    the bundle's embedding is of length 1 already it has been centred on its training classes too, and
    this is prototypical classification to the last digit. Where it is not and no centre is given, the
    centre is the mean of the classes taught, which the paper's is not: with one class it tells nothing.

    Attributes:
        default_temperature: for scores of minus the squared Euclidean distance to prototypes at five shots.
        default_novelty: the threshold where the support set tells nothing; +inf rejects nothing.
        centre: float (D,), the mean embedding of the base classes; None where the embedding tells.
    """

    default_temperature: float = 1.0
    default_novelty: float = math.inf
    centre: Tensor | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """Return the name on the command line."""
        return "simpleshot"

    def fit(
        self, support: SupportSet, *, progress: Progress | None = None, cancel: Cancel | None = None
    ) -> SimpleShotClassifier:
        """Return the means of the transformed classes with their temperature and novelty threshold.

        Raises:
            SupportError: no example, or one that is not finite.
        """
        begin(support, progress, cancel)
        centre = self._centre_for(support)
        rows = support.embeddings if centre is None else centred_and_normalised(support.embeddings, centre)
        temperature, left_out = self._temperature(support, rows), LeftOut.of(support)
        if centre is not None and self.centre is None and len(rows) <= _MOST_FOR_OWN_CENTRES:
            told = left_out.calibrate(
                _scores_without(left_out, cancel),
                temperature=temperature_for_shots(temperature, support),
                novelty=self.default_novelty,
                to_means=True,
            )
        else:
            told = Prototypical("euclidean", temperature).fit(replace(support, embeddings=rows)).calibration
        calibration = Calibration(
            temperature=told.temperature,
            novelty_threshold=fit_novelty_threshold(left_out, self.default_novelty),
            right=told.right,
        )
        finish(progress, cancel)
        return SimpleShotClassifier(
            support=support,
            calibration=calibration,
            anchors=support.embeddings[:0],
            centre=centre,
            means=prototypes(rows, support.labels, len(support.classes)),
        )

    def _centre_for(self, support: SupportSet) -> Tensor | None:
        if self.centre is not None:
            return self.centre.to(support.embeddings)
        if are_normalised(support.embeddings):
            return None
        return task_centre(support.embeddings, support.labels, len(support.classes))

    def _temperature(self, support: SupportSet, rows: Tensor) -> float:
        """Return the default temperature at five shots in the unit of the transformed distances."""
        n_way = len(support.classes)
        return converted_temperature(
            self.default_temperature,
            squared_euclidean_logits(rows, prototypes(rows, support.labels, n_way)),
            squared_euclidean_logits(
                support.embeddings, prototypes(support.embeddings, support.labels, n_way)
            ),
            support.present(),
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SimpleShotClassifier(FittedClassifier):
    """Class means among transformed embeddings; no anchors.

    Attributes:
        centre: float (D,), taken from each query before it is given length 1; None: it is left as it is.
        means: float (N, D), of the transformed examples.
    """

    centre: Tensor | None
    means: Tensor

    def judge(self, query: Tensor, to_support: Tensor, to_anchors: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - part of the interface
        """Return minus the squared distances to the means and the distances, (Q, N) each."""
        rows = query if self.centre is None else centred_and_normalised(query, self.centre)
        squared = squared_distances(rows, self.means)
        return -squared, squared.sqrt()
