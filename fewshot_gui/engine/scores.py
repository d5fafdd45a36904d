"""What is predicted of every row of the gallery: one frozen value, and the orders to show it in."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields, replace
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.core.images.scan import PictureFile
    from fewshot_gui.engine.state import CategoryId

OrderKey: TypeAlias = Literal["folder", "name", "confidence", "uncertainty", "doubt"]

UNKNOWN = -1
"""The label of a row that is not scored yet."""
NONE_OF_THESE = -2
"""The label of a row that fits no category."""

_DIGITS = re.compile(r"\d+")


class Special(Enum):
    """The labels that are no category, to filter by."""

    NONE_OF_THESE = NONE_OF_THESE
    UNKNOWN = UNKNOWN


class Said(IntEnum):
    """Who says what a row shows; a person's word always stands before the machine's."""

    MACHINE = 0
    TAUGHT = 1
    """It is an example."""
    HUMAN = 2
    """A person named its category without teaching it."""
    ACCEPTED = 3
    """A person accepted what the machine suggested."""
    HUMAN_NONE = 4
    """A person said that it is none of these."""


@dataclass(frozen=True, slots=True)
class RawScores:
    """What a classifier says of Q rows and N classes, before a label is chosen.

    Attributes:
        probabilities: float32 (Q, N), rows sum to 1; 0 for a class without examples.
        distances: float32 (Q, N), smaller is nearer; +inf for a class without examples.
        novelty: float32 (Q,), how foreign each row is to what was taught.
        nearest: int32 (Q, k), indices of the nearest examples, nearest first.
        nearest_distance: float32 (Q, k), their distances.
    """

    probabilities: NDArray[np.float32]
    distances: NDArray[np.float32]
    novelty: NDArray[np.float32]
    nearest: NDArray[np.int32]
    nearest_distance: NDArray[np.float32]

    @classmethod
    def join(cls, parts: Sequence[RawScores]) -> RawScores:
        """Return the rows of all parts (at least one), in their order."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))


@dataclass(frozen=True, slots=True)
class Scores:
    """What is known of the R rows of the gallery under one support set; its arrays are read-only.

    Attributes:
        classes: the N categories, in the order of every (R, N) column.
        support_ids: the examples that `nearest` points into.
        known: bool (R,), True where the row is scored; the other fields mean nothing elsewhere.
        probabilities: float32 (R, N), rows sum to 1; 0 for a category without examples.
        distances: float32 (R, N), smaller is nearer; +inf for a category without examples.
        best: int32 (R,), index into `classes`; -1 where unknown.
        rejected: bool (R,), True where the row is none of these: its novelty lies above `cutoff`.
        confidence: float32 (R,), the probability of `best`.
        uncertainty: float32 (R,), 1 less the lead of the best probability over the second; 0 sure, 1 a tie.
        novelty: float32 (R,), how foreign the row is to what was taught.
        nearest: int32 (R, k), indices into `support_ids`, nearest first; -1 where unknown.
        nearest_distance: float32 (R, k), Euclidean distances of those; +inf where unknown.
        taught: int32 (R,), what a person said of this very picture, by example or label: a category, or
            NONE_OF_THESE; UNKNOWN (-1) where nobody said anything.
        said: int8 (R,), who says what the row shows, a `Said`; 0 exactly where `taught` is UNKNOWN.
        cutoff: the novelty above which a row is rejected.
        version: grows with every fit; equal versions come from the same classifier.
        milliseconds: what fitting and scoring took.
    """

    classes: tuple[CategoryId, ...]
    support_ids: tuple[PictureId, ...]
    known: NDArray[np.bool_]
    probabilities: NDArray[np.float32]
    distances: NDArray[np.float32]
    best: NDArray[np.int32]
    rejected: NDArray[np.bool_]
    confidence: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    novelty: NDArray[np.float32]
    nearest: NDArray[np.int32]
    nearest_distance: NDArray[np.float32]
    taught: NDArray[np.int32]
    said: NDArray[np.int8]
    cutoff: float
    version: int
    milliseconds: float

    @property
    def judges_as(self) -> tuple[object, ...]:
        """Equal where a picture beside the gallery, as of a camera, would be judged alike."""
        return self.version, self.classes, self.cutoff

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @property
    def count(self) -> int:
        """The number of rows R."""
        return len(self.known)

    def labels(self) -> NDArray[np.int32]:
        """Return int32 (R,), what to show: the person's label, else the best, NONE_OF_THESE or UNKNOWN."""
        machine = np.where(self.rejected, np.int32(NONE_OF_THESE), self.best)
        return np.where(
            self.taught != UNKNOWN, self.taught, np.where(self.known, machine, np.int32(UNKNOWN))
        ).astype(np.int32, copy=False)


_BLANK: dict[str, float] = {
    "known": False, "probabilities": 0.0, "distances": np.inf, "best": UNKNOWN, "rejected": False,
    "confidence": 0.0, "uncertainty": 0.0, "novelty": np.inf, "nearest": -1, "nearest_distance": np.inf,
    "taught": UNKNOWN, "said": Said.MACHINE,
}  # fmt: skip
"""What every array holds for a row that is not scored."""


def unknown(
    rows: int,
    classes: tuple[CategoryId, ...],
    support_ids: tuple[PictureId, ...] = (),
    *,
    cutoff: float = np.inf,
    version: int = 0,
) -> Scores:
    """Return the scores of R rows of which nothing is known yet; the first known ones set k."""
    wide, near = (rows, len(classes)), (rows, 0)
    return Scores(
        classes=classes,
        support_ids=support_ids,
        known=np.zeros(rows, np.bool_),
        probabilities=np.zeros(wide, np.float32),
        distances=np.full(wide, np.inf, np.float32),
        best=np.full(rows, UNKNOWN, np.int32),
        rejected=np.zeros(rows, np.bool_),
        confidence=np.zeros(rows, np.float32),
        uncertainty=np.zeros(rows, np.float32),
        novelty=np.full(rows, np.inf, np.float32),
        nearest=np.full(near, -1, np.int32),
        nearest_distance=np.full(near, np.inf, np.float32),
        taught=np.full(rows, UNKNOWN, np.int32),
        said=np.zeros(rows, np.int8),
        cutoff=cutoff,
        version=version,
        milliseconds=0.0,
    )


def with_rows(scores: Scores, rows: NDArray[np.int64], raw: RawScores) -> Scores:
    """Return the scores with the given rows (Q,) known, and all others as they were."""
    probabilities = raw.probabilities
    best = probabilities.argmax(axis=1).astype(np.int32)
    new: dict[str, NDArray[np.generic]] = {
        "known": np.ones(len(rows), np.bool_),
        "probabilities": probabilities,
        "distances": raw.distances,
        "best": best,
        "rejected": ~(raw.novelty <= scores.cutoff),  # what is no number is near nothing
        "confidence": np.take_along_axis(probabilities, best[:, None], axis=1)[:, 0],
        "uncertainty": _uncertainty(probabilities),
        "novelty": raw.novelty,
        "nearest": raw.nearest,
        "nearest_distance": raw.nearest_distance,
    }
    arrays = {name: getattr(scores, name).copy() for name in new}
    for name in ("nearest", "nearest_distance"):
        if arrays[name].shape[1] != new[name].shape[1]:
            arrays[name] = np.full((scores.count, new[name].shape[1]), _BLANK[name], new[name].dtype)
    for name, values in new.items():
        arrays[name][rows] = values
    return replace(scores, **arrays)


def _uncertainty(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return float32 (Q,), 1 less the lead of the best over the second; 0 where there is no second."""
    if probabilities.shape[1] < 2:
        return np.zeros(len(probabilities), np.float32)
    top = np.partition(probabilities, -2, axis=1)[:, -2:]
    lead: NDArray[np.float32] = 1 - (top[:, 1] - top[:, 0])
    return lead


def with_cutoff(scores: Scores, cutoff: float) -> Scores:
    """Return the scores with another threshold: only `rejected` is computed anew."""
    return replace(scores, cutoff=cutoff, rejected=scores.known & ~(scores.novelty <= cutoff))


def forgotten(scores: Scores, gone: NDArray[np.bool_]) -> Scores:
    """Return the scores with the rows `gone`, bool (R,), not known any more."""
    return replace(scores, known=scores.known & ~gone, rejected=scores.rejected & ~gone)


def resized(scores: Scores, rows: int) -> Scores:
    """Return the scores of at least as many rows; those at the end are not known yet."""
    extra = rows - scores.count
    if extra <= 0:
        return scores
    arrays: dict[str, Any] = {}
    for name, blank in _BLANK.items():
        old = getattr(scores, name)
        arrays[name] = np.concatenate([old, np.full((extra, *old.shape[1:]), blank, old.dtype)])
    return replace(scores, **arrays)


def aligned(scores: Scores, classes: tuple[CategoryId, ...]) -> Scores:
    """Return the scores with the columns of `classes`.

    A new category gets probability 0 and distance inf. A row whose best category is gone is not
    known any more: the fit that follows the removal says what it is.
    """
    if classes == scores.classes:
        return scores
    column = {category: index for index, category in enumerate(scores.classes)}
    source = np.array([column.get(category, -1) for category in classes], np.int64)
    kept = source >= 0
    # One place more than there are old classes, so that -1 (nothing) stays -1.
    moved = np.full(len(scores.classes) + 1, -1, np.int32)
    moved[source[kept]] = np.flatnonzero(kept)
    probabilities = np.zeros((scores.count, len(classes)), np.float32)
    distances = np.full((scores.count, len(classes)), np.inf, np.float32)
    probabilities[:, kept] = scores.probabilities[:, source[kept]]
    distances[:, kept] = scores.distances[:, source[kept]]
    best = moved[scores.best]
    known = scores.known & (best >= 0)
    taught = np.where(scores.taught < 0, scores.taught, moved[scores.taught])
    return replace(
        scores,
        classes=classes,
        probabilities=probabilities,
        distances=distances,
        best=best,
        known=known,
        rejected=scores.rejected & known,
        taught=taught,
        said=np.where(taught == UNKNOWN, np.int8(Said.MACHINE), scores.said),
    )


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows carry each label.

    Attributes:
        categories: rows of each class, in the order of `Scores.classes`.
        none_of_these: rows that fit no category.
        unknown: rows that are not scored yet.
    """

    categories: tuple[int, ...]
    none_of_these: int
    unknown: int


def count_labels(scores: Scores) -> Counts:
    """Return how many rows show each category, none of these, and nothing yet."""
    found = np.bincount(scores.labels() + 2, minlength=len(scores.classes) + 2).tolist()
    return Counts(tuple(found[2:]), none_of_these=found[0], unknown=found[1])


def name_ranks(files: Sequence[PictureFile]) -> NDArray[np.int64]:
    """Return int64 (R,), the place of each row by file name: case ignored, 2 before 10, ties as listed."""
    # A Path takes ten times as long to make as its name takes to cut off, and this runs at a click.
    keys = [_natural(file.path[file.path.rfind(os.sep) + 1 :]) for file in files]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    ranks = np.empty(len(keys), np.int64)
    ranks[order] = np.arange(len(keys))
    return ranks


def _natural(name: str) -> str:
    return _DIGITS.sub(lambda digits: digits.group().zfill(12), name.casefold())


def order_by(
    scores: Scores | None,
    files: Sequence[PictureFile],
    key: OrderKey,
    *,
    descending: bool = False,
    only: CategoryId | Special | None = None,
    include_rejected: bool = True,
    names: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Return int64 (M,), the rows to show in their order; equal rows keep the order of the folder.

    Rows that are not scored come last by confidence, uncertainty and doubt, in both directions.

    Args:
        scores: None before anything was taught.
        files: the rows of the gallery.
        key: "confidence" puts rejected rows below all others and those that a person named above;
            "uncertainty" takes what a person said for sure; "doubt" asks what the machine would say of that,
            and puts what nobody said last.
        descending: the largest, or the last name, first.
        only: show one label alone; None shows all.
        include_rejected: False leaves out the rows that fit no category.
        names: `name_ranks(files)` where the caller keeps it; else it is computed, about 0.1 s for 100,000.
    """
    count = len(files)
    scores = resized(scores, count) if scores is not None else unknown(count, ())
    rows = np.flatnonzero(_shown(scores, only, include_rejected=include_rejected)[:count])
    if key == "folder":
        return rows[::-1] if descending else rows
    values: NDArray[np.floating[Any]]
    if key == "name":
        values = (name_ranks(files) if names is None else names)[rows].astype(np.float64)
    else:
        values = _sort_values(scores, key)[rows]
    # Negating, not reversing, keeps equal rows in the order of the folder. NaN sorts last either way.
    return rows[np.argsort(-values if descending else values, kind="stable")]


def _shown(scores: Scores, only: CategoryId | Special | None, *, include_rejected: bool) -> NDArray[np.bool_]:
    """Return bool (R,), the rows that pass the filter."""
    labels = scores.labels()
    if only is None:
        shown = np.ones(len(labels), np.bool_)
    elif isinstance(only, Special):
        shown = labels == only.value
    elif only in scores.classes:
        shown = labels == scores.classes.index(only)
    else:
        shown = np.zeros(len(labels), np.bool_)
    return shown if include_rejected else shown & (labels != NONE_OF_THESE)


def _sort_values(scores: Scores, key: OrderKey) -> NDArray[np.float32]:
    """Return float32 (R,), what to sort by; NaN where the row is not scored."""
    if key == "doubt":
        return _doubt(scores)
    taught = scores.taught != UNKNOWN
    if key == "confidence":
        # A probability is at most 1: two less puts every rejected row below every accepted one.
        machine = scores.confidence - np.where(scores.rejected, np.float32(2), np.float32(0))
        person = np.where(scores.taught == NONE_OF_THESE, np.float32(-2), np.float32(2))
        values = np.where(taught, person, machine)
    else:
        values = np.where(taught, np.float32(-1), scores.uncertainty)
    return np.where(scores.known | taught, values, np.float32(np.nan)).astype(np.float32, copy=False)


def _doubt(scores: Scores) -> NDArray[np.float32]:
    """Return float32 (R,), how much more the machine believes in another label than in the person's, -1 to 1.

    NaN where no person spoke, the row is not scored, or nothing was taught of what they said: a machine that
    has never seen a mug cannot doubt that this is one.
    """
    doubt = np.full(scores.count, np.nan, np.float32)
    none = scores.known & (scores.taught == NONE_OF_THESE)
    doubt[none] = np.where(scores.rejected, np.float32(-1), scores.confidence)[none]
    taught_something = (scores.probabilities > 0).sum(axis=0) > 0
    rows = np.flatnonzero(scores.known & (scores.taught >= 0))
    rows = rows[taught_something[scores.taught[rows]]]
    if not len(rows):
        return doubt
    others, said, places = scores.probabilities[rows], scores.taught[rows], np.arange(len(rows))
    agreed = others[places, said]
    others[places, said] = 0
    doubt[rows] = others.max(axis=1) - agreed
    return doubt
