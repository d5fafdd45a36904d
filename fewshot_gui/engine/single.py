"""What is predicted of one picture: a drawing, a live frame, a file that is in no gallery."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fewshot_gui.engine import fitting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.fitting import Fitted
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.scores import RawScores
    from fewshot_gui.engine.state import CategoryId


@dataclass(frozen=True, slots=True, eq=False)
class SinglePrediction:
    """What is predicted of one picture.

    Attributes:
        classes: the N categories, in the order of the document.
        probabilities: float32 (N,), sum 1; all 0 while nothing is taught.
        distances: float32 (N,), smaller is nearer; +inf for a category without examples.
        best: index into `classes`; -1 while nothing is taught.
        rejected: True where the picture is none of these.
        nearest: the nearest examples with their Euclidean distances, nearest first.
        novelty: how foreign the picture is to what was taught.
        cutoff: the novelty above which it is rejected.
        milliseconds: what embedding and classifying took.
        latency_ms: from asking to computed, the wait for the lane included.
        version: of the classifier; 0 while there is none.
    """

    classes: tuple[CategoryId, ...]
    probabilities: NDArray[np.float32]
    distances: NDArray[np.float32]
    best: int
    rejected: bool
    nearest: tuple[tuple[PictureId, float], ...]
    novelty: float
    cutoff: float
    milliseconds: float
    latency_ms: float
    version: int


def nothing_taught(latency_ms: float) -> SinglePrediction:
    """Return what is said of any picture while there is no classifier."""
    empty = np.zeros(0, np.float32)
    return SinglePrediction(
        (), empty, empty, best=-1, rejected=True, nearest=(), novelty=np.inf, cutoff=np.inf,
        milliseconds=0.0, latency_ms=latency_ms, version=0,
    )  # fmt: skip


def predict_picture(
    pixels: NDArray[np.uint8],
    fitted: Fitted | None,
    library: Library,
    threshold: float | None,
    asked: float,
) -> SinglePrediction:
    """Return what a classifier says of one picture; for the model lane.

    Args:
        pixels: uint8 (H, W, 3) RGB.
        fitted: the classifier, None while nothing is taught.
        library: embeds.
        threshold: the boldness; None is automatic.
        asked: when the answer was asked for, on the clock of `time.perf_counter`.
    """
    begun = time.perf_counter()
    if fitted is None:
        return nothing_taught(1000 * (begun - asked))
    vector = library.embed_pixels(pixels, fitted.recipe.backbone, fitted.recipe.device)
    raw = fitting.predict(fitted, vector[None])
    done = time.perf_counter()
    return single_of(
        raw,
        fitted.classes,
        fitted.support_ids,
        cutoff=fitted.cutoff(threshold),
        milliseconds=1000 * (done - begun),
        latency_ms=1000 * (done - asked),
        version=fitted.version,
    )


def single_of(
    raw: RawScores,
    classes: tuple[CategoryId, ...],
    support_ids: tuple[PictureId, ...],
    *,
    cutoff: float,
    milliseconds: float,
    latency_ms: float,
    version: int,
) -> SinglePrediction:
    """Return the prediction that a row of raw scores, (1, N), means."""
    nearest = zip(raw.nearest[0].tolist(), raw.nearest_distance[0].tolist(), strict=True)
    novelty = float(raw.novelty[0])
    return SinglePrediction(
        classes=classes,
        probabilities=raw.probabilities[0],
        distances=raw.distances[0],
        best=int(raw.probabilities[0].argmax()),
        rejected=not novelty <= cutoff,  # what is no number is near nothing
        nearest=tuple((support_ids[index], distance) for index, distance in nearest),
        novelty=novelty,
        cutoff=cutoff,
        milliseconds=milliseconds,
        latency_ms=latency_ms,
        version=version,
    )


def aligned_single(prediction: SinglePrediction, classes: tuple[CategoryId, ...]) -> SinglePrediction:
    """Return the prediction with the columns of `classes`; a new one has probability 0 and distance inf."""
    if classes == prediction.classes:
        return prediction
    column = {category: index for index, category in enumerate(prediction.classes)}
    probabilities = np.zeros(len(classes), np.float32)
    distances = np.full(len(classes), np.inf, np.float32)
    for index, category in enumerate(classes):
        if category in column:
            probabilities[index] = prediction.probabilities[column[category]]
            distances[index] = prediction.distances[column[category]]
    best = int(probabilities.argmax()) if probabilities.any() else -1
    return replace(
        prediction,
        classes=classes,
        probabilities=probabilities,
        distances=distances,
        best=best,
        rejected=prediction.rejected or best < 0,
    )
