"""From examples to a classifier, and from embeddings to scores: the jobs of the predictor."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

import numpy as np

from fewshot_gui.core.backbones.bundle_info import BundleInfo
from fewshot_gui.core.backbones.fits import require_fit
from fewshot_gui.core.learners import catalogue
from fewshot_gui.core.learners.context import LearnerContext
from fewshot_gui.core.learners.facts import facts_of, space_of
from fewshot_gui.core.learners.stepwise import StepwiseClassifier, StepwiseLearner
from fewshot_gui.engine.examples import embed_examples
from fewshot_gui.engine.recipe import Recipe, recipe_of
from fewshot_gui.engine.scores import RawScores, Scores, unknown, with_rows
from fewshot_gui.engine.torch_libraries import load_torch_libraries
from fewshot_gui.engine.torch_threads import embedding_threads, single_threads, torch_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.core.learners.base import Classifier, Learner, SupportSet
    from fewshot_gui.core.learners.stepwise import OnStep
    from fewshot_gui.engine.examples import Source, SupportVectors
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.state import CategoryId
    from fewshot_gui.engine.worker import Steps

__all__ = ["Fitted", "Recipe", "Rows", "SupportFault", "Watch", "fit_and_score", "recipe_of"]

_CHUNK_VALUES: Final = 4_000_000
"""Distances computed at once, rows times examples: 16 MB, milliseconds between two looks at the token."""
_CHUNK_ROWS: Final = 1024
_CHUNKS_AT_ONCE: Final = 4
"""Each needs some ten megabytes, and more of them would wait for the memory."""
_CHUNK_PIXELS: Final = 16
"""Pictures that go through a network at once: 160 ms of the photo backbone on a CPU."""


class SupportFault(Exception):  # noqa: N818 - it names a state of the support set, told as a problem
    """A support set that the learner cannot learn from."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The gallery as a job sees it.

    Attributes:
        embeddings: float32 (R, D), valid at `rows`; never written there again.
        rows: int64 (Q,), ascending, those to score.
        count: R.
    """

    embeddings: NDArray[np.float32]
    rows: NDArray[np.int64]
    count: int

    def part(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the embeddings (q, D) of `rows[start:stop]`, a copy: torch takes no read-only array."""
        wanted = self.rows[start:stop]
        first, last = int(wanted[0]), int(wanted[-1])
        # Most often there is no gap: copying a block takes half as long as gathering rows.
        gapless = last - first + 1 == len(wanted)
        return self.embeddings[first : last + 1].copy() if gapless else self.embeddings[wanted]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A classifier with what it was made of.

    Attributes:
        recipe: what went in.
        classes: N, the categories that have examples, in the order of every column.
        support_ids: S, the examples that could be read.
        support: what the learner got.
        learner: what made the classifier.
        classifier: the classifier.
        cutoff: from boldness (None: automatic) to the novelty above which a picture is rejected.
        version: grows with every fit.
        whole: the classifier after all steps of its learner, which `classifier` is unless a former step is
            looked at.
        shown_step: the step that is looked at; None is the last, or that there are none.
        seconds: what the fit took.
    """

    recipe: Recipe
    classes: tuple[CategoryId, ...]
    support_ids: tuple[PictureId, ...]
    support: SupportSet
    learner: Learner
    classifier: Classifier
    cutoff: Callable[[float | None], float]
    version: int
    whole: Classifier | None = None
    shown_step: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Watch:
    """Who looks on while a classifier is made.

    Attributes:
        check: called often; raises to stop.
        on_step: told of each step of a learner that adapts step by step.
    """

    check: Callable[[], None] | None = None
    on_step: OnStep | None = None


def load(recipe: Recipe, library: Library) -> None:
    """Import and load what fitting needs: seconds the first time, in which the other threads go on.

    Raises:
        LearnerError: there is no learner of that name, or it does not work on the backbone.
        BundleError: the backbone cannot be used.
    """
    # Where all embeddings are in the cache, this is the first that needs torch.
    load_torch_libraries()
    import fewshot_gui.core.learners.fitted  # noqa: F401, PLC0415 - torch takes seconds to import

    make_learner(recipe, library)


def make_learner(recipe: Recipe, library: Library) -> Learner:
    """Return the learner of a recipe with what it may use of the backbone; for the model lane.

    The backbone is loaded only for a learner that uses more of it than its embeddings.

    Raises:
        LearnerError: there is no learner of that name, or it does not work on the backbone.
        BundleError: the backbone cannot be used.
    """
    facts, info = facts_of(recipe.learner), library.info(recipe.backbone)
    if isinstance(info, BundleInfo):
        require_fit(recipe.learner, info)
    own = isinstance(info, BundleInfo) and bool(info.head) and info.learner == recipe.learner
    if facts.space == "pixels" or own:
        context = library.context(recipe.backbone, recipe.device)
    elif isinstance(info, _StatesDefaults):
        made_for = info.learner if isinstance(info, BundleInfo) else ""
        context = LearnerContext(info.temperature, info.novelty, made_for, dimension=info.dimension)
    else:
        context = LearnerContext(dimension=info.dimension)
    return catalogue.make_learner(recipe.learner, context)


@runtime_checkable
class _StatesDefaults(Protocol):
    """A backbone that states what distances mean in its space, from its validation episodes."""

    temperature: float
    novelty: float
    dimension: int


def fit(
    recipe: Recipe,
    vectors: dict[PictureId, NDArray[np.float32]],
    library: Library,
    version: int,
    watch: Watch | None = None,
) -> Fitted:
    """Return the classifier for the examples that have an embedding.

    Raises:
        SupportFault: the learner cannot learn from them, or there are none.
        LearnerError: there is no such learner, or it does not work on the backbone.
    """
    import torch  # noqa: PLC0415 - torch takes seconds to import

    from fewshot_gui.core.learners.base import SupportError, SupportSet  # noqa: PLC0415 - imports torch
    from fewshot_gui.core.learners.distances import views_of  # noqa: PLC0415 - imports torch

    there = [(category, [p for p in pictures if p in vectors]) for category, pictures in recipe.support]
    there = [(category, pictures) for category, pictures in there if pictures]
    if not there:
        raise SupportFault("none of the examples can be read")
    ids = tuple(picture for _, pictures in there for picture in pictures)
    labels = [index for index, (_, pictures) in enumerate(there) for _ in pictures]
    classes = tuple(category for category, _ in there)
    rows, own = torch.from_numpy(np.stack([vectors[picture] for picture in ids])), torch.tensor(labels)
    frames = torch.tensor([picture in recipe.frames for picture in ids])
    with torch_work(recipe, 1):
        views = views_of(rows, own, frames) if frames.any() else None
    try:
        support = SupportSet(rows, own, classes, views)
        learner = make_learner(recipe, library)
        classifier = learn(learner, support, recipe, watch or Watch())
    except SupportError as error:
        raise SupportFault(str(error)) from error
    return Fitted(
        recipe, classes, ids, support, learner, classifier, _cutoff(classifier), version, whole=classifier
    )


def timed_fit(
    recipe: Recipe,
    vectors: dict[PictureId, NDArray[np.float32]],
    library: Library,
    version: int,
    watch: Watch | None = None,
) -> Fitted:
    """Return what `fit` does, with the seconds that it took."""
    begun = time.perf_counter()
    fitted = fit(recipe, vectors, library, version, watch)
    return replace(fitted, seconds=time.perf_counter() - begun)


def learn(learner: Learner, support: SupportSet, recipe: Recipe, watch: Watch) -> Classifier:
    """Return the classifier that a learner makes of a support set."""
    with torch_work(recipe, len(support.labels), gradients=True):
        if watch.on_step is not None and isinstance(learner, StepwiseLearner):
            return learner.fit_watched(support, watch.on_step, cancel=watch.check)
        return learner.fit(support, cancel=watch.check)


def _cutoff(classifier: Classifier) -> Callable[[float | None], float]:
    from fewshot_gui.core.learners.calibration import threshold_at  # noqa: PLC0415 - imports torch

    return partial(threshold_at, classifier=classifier)


def at_step(fitted: Fitted, step: int, version: int) -> Fitted:
    """Return the classifier as it was after so many steps of its learner; its `whole` one stays.

    Raises:
        ValueError: it has no such step.
    """
    whole: object = fitted.whole
    if not isinstance(whole, StepwiseClassifier) or not 0 <= step < len(whole.losses):
        raise ValueError(f"the classifier of {fitted.recipe.learner} has no step {step}")
    with torch_work(fitted.recipe, 1):
        classifier = whole.at_step(step)
    return replace(
        fitted, classifier=classifier, cutoff=_cutoff(classifier), version=version, shown_step=step
    )


@contextmanager
def torch_work(recipe: Recipe, pictures: int, *, gradients: bool = False) -> Iterator[None]:
    """Let torch compute in the way that suits the space of a recipe's learner.

    Matrices of a support set are too small to share: measured on two busy cores, a fit takes 0.9 ms on one
    thread and 164 ms on two, which wait for each other; 10,000 rows take 28 ms and 46 to 116 ms. Where
    pictures go through the network, it is as with embedding. Gradients are recorded only where the network
    is adapted, and never in inference mode, whose tensors could not be adapted later; a head is fitted
    without, and may ask for them itself.

    Args:
        recipe: whose learner computes.
        pictures: how many go through the network, where they do.
        gradients: whether the network is adapted.
    """
    import torch  # noqa: PLC0415 - torch takes seconds to import

    in_pixels = space_of(recipe.learner) == "pixels"
    with embedding_threads(pictures if in_pixels else 1), torch.set_grad_enabled(in_pixels and gradients):
        yield


def predict(fitted: Fitted, embeddings: NDArray[np.float32]) -> RawScores:
    """Return what the classifier says of embeddings (Q, D)."""
    with torch_work(fitted.recipe, len(embeddings)):
        return _say(fitted, embeddings)


def _say(fitted: Fitted, embeddings: NDArray[np.float32]) -> RawScores:
    import torch  # noqa: PLC0415 - torch takes seconds to import

    prediction = fitted.classifier.predict(torch.from_numpy(embeddings))
    # A method without distances (none yet) says how far by what it does say: less score, farther.
    distances = -prediction.scores if prediction.distances is None else prediction.distances
    return RawScores(
        probabilities=prediction.probabilities.float().numpy(),
        distances=distances.float().numpy(),
        # What `novelty` would say, without computing all distances, or the whole network, twice.
        novelty=prediction.nearest_distance[:, 0].float().numpy(),
        nearest=prediction.nearest.int().numpy(),
        nearest_distance=prediction.nearest_distance.float().numpy(),
    )


def rows_at_once(fitted: Fitted) -> int:
    """Return how many rows to score between two looks at the token; a slow classifier may state fewer."""
    many = max(64, min(_CHUNK_ROWS, _CHUNK_VALUES // len(fitted.support_ids)))
    usual = _CHUNK_PIXELS if space_of(fitted.recipe.learner) == "pixels" else many
    return max(1, min(many, int(getattr(fitted.classifier, "rows_at_once", usual))))


def score_rows(fitted: Fitted, rows: Rows) -> Steps[RawScores | None]:
    """Return what the classifier says of these rows, None where there are none; yields between chunks.

    A learner that looks at embeddings alone scores a chunk on each of a few threads: torch's own would wait
    for each other in every matrix.
    """
    chunk = rows_at_once(fitted)
    starts = range(0, len(rows.rows), chunk)
    alone = space_of(fitted.recipe.learner) == "pixels"
    at_once = 1 if alone else min(_CHUNKS_AT_ONCE, torch_threads(), len(starts))
    parts: list[RawScores] = []
    if at_once <= 1:
        for start in starts:
            parts.append(predict(fitted, rows.part(start, start + chunk)))
            yield
    else:
        with single_threads(at_once) as pool:
            for first in range(0, len(starts), at_once):
                some = starts[first : first + at_once]
                parts.extend(pool.map(lambda start: _say(fitted, rows.part(start, start + chunk)), some))
                yield
    return RawScores.join(parts) if parts else None


def score_all(fitted: Fitted, rows: Rows, threshold: float | None) -> Steps[Scores]:
    """Return fresh scores of the whole gallery, known at `rows`."""
    raw = yield from score_rows(fitted, rows)
    blank = unknown(
        rows.count,
        fitted.classes,
        fitted.support_ids,
        cutoff=fitted.cutoff(threshold),
        version=fitted.version,
    )
    return blank if raw is None else with_rows(blank, rows.rows, raw)


def blank_scores(fitted: Fitted | None, count: int, classes: tuple[CategoryId, ...]) -> Scores:
    """Return the scores of `count` rows that are not known yet, in terms of a classifier if there is one."""
    if fitted is None:
        return unknown(count, classes)
    return unknown(count, fitted.classes, fitted.support_ids, version=fitted.version)


def score_more(fitted: Fitted, rows: Rows, before: Scores) -> Steps[Scores]:
    """Return `before` (with the classifier's classes and all rows) with `rows` known too."""
    raw = yield from score_rows(fitted, rows)
    return before if raw is None else with_rows(before, rows.rows, raw)


def fit_and_score(
    recipe: Recipe,
    sources: Sequence[Source],
    rows: Rows,
    library: Library,
    vectors: SupportVectors,
    threshold: float | None,
    version: int,
    watch: Watch | None = None,
) -> Steps[tuple[Fitted, Scores]]:
    """Return the classifier and the scores of the gallery under it, with the time that these two took.

    Raises:
        BundleError: the backbone cannot be used.
        LearnerError: there is no such learner, or it does not work on the backbone.
        SupportFault: the learner cannot learn from the examples.
    """
    found = yield from embed_examples(sources, library, vectors, recipe.backbone, recipe.device)
    load(recipe, library)
    yield
    begun = time.perf_counter()
    fitted = timed_fit(recipe, found, library, version, watch)
    yield
    scores = yield from score_all(fitted, rows, threshold)
    return fitted, replace(scores, milliseconds=1000 * (time.perf_counter() - begun))
