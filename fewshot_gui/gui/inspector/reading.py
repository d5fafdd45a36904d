"""What the inspector reads out about one picture: the same value for a tile and for a live frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fewshot_gui.engine.scores import UNKNOWN, Said

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.predictor import SinglePrediction
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.state import CategoryId


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One picture's answer with its reasons.

    Attributes:
        classes: the N categories.
        probabilities: float32 (N,).
        distances: float32 (N,), smaller is nearer; +inf for a category without examples.
        best: index into `classes`; -1 where nothing is known.
        rejected: True where the picture is none of these.
        taught: the category that a person gave it, or None.
        said: who says what the picture shows; a person may also say that it is none of these.
        nearest: the nearest examples with their distances, nearest first.
    """

    classes: tuple[CategoryId, ...]
    probabilities: NDArray[np.float32]
    distances: NDArray[np.float32]
    best: int
    rejected: bool
    taught: CategoryId | None
    nearest: tuple[tuple[PictureId, float], ...]
    said: Said = Said.MACHINE


def reading_of_row(scores: Scores | None, row: int) -> Reading | None:
    """Return what the scores say of a gallery row; None where they say nothing."""
    if scores is None or not 0 <= row < scores.count:
        return None
    taught = int(scores.taught[row])
    if not scores.known[row] and taught == UNKNOWN:
        return None
    nearest = tuple(
        (scores.support_ids[index], float(distance))
        for index, distance in zip(scores.nearest[row], scores.nearest_distance[row], strict=True)
        if 0 <= index < len(scores.support_ids)
    )
    return Reading(
        scores.classes,
        scores.probabilities[row],
        scores.distances[row],
        int(scores.best[row]),
        bool(scores.rejected[row]),
        scores.classes[taught] if taught >= 0 else None,
        nearest,
        Said(int(scores.said[row])),
    )


def reading_of_single(single: SinglePrediction) -> Reading:
    """Return what is predicted of one picture that is no row of the gallery."""
    return Reading(
        single.classes,
        single.probabilities,
        single.distances,
        single.best,
        single.rejected,
        None,
        tuple(single.nearest),
    )
