"""From examples to a classifier, and from embeddings to scores: the jobs of the predictor."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

import numpy as np

from fewshot_gui.engine.examples import embed_examples
from fewshot_gui.engine.scores import RawScores, Scores, unknown, with_rows
from fewshot_gui.engine.torch_libraries import load_torch_libraries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.core.learners.base import Classifier, Learner, SupportSet
    from fewshot_gui.engine.embedder import BackboneInfo
    from fewshot_gui.engine.examples import Source, SupportVectors
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.state import CategoryId, Document
    from fewshot_gui.engine.worker import CancelToken, Steps

_CHUNK_VALUES: Final = 4_000_000
"""Distances computed at once, rows times examples: 16 MB, milliseconds between two looks at the token."""
_CHUNK_ROWS: Final = 4096
_MOST_EXAMINED: Final = 200


class SupportFault(Exception):  # noqa: N818 - it names a state of the support set, told as a problem
    """A support set that the learner cannot learn from."""


@dataclass(frozen=True)
class Recipe:
    """What a classifier is made of; two of the same `key` make the same classifier.

    Attributes:
        learner: name of the learner.
        backbone: name or path of the bundle.
        device: as chosen, such as "auto".
        support: each category that has examples, with its pictures.
    """

    learner: str
    backbone: str
    device: str
    support: tuple[tuple[CategoryId, tuple[PictureId, ...]], ...]

    @cached_property
    def key(self) -> tuple[object, ...]:
        """Equal where nothing that matters differs; the order of categories and examples does not."""
        support = frozenset((category, frozenset(pictures)) for category, pictures in self.support)
        return self.learner, self.backbone, self.device, support

    @cached_property
    def pictures(self) -> tuple[PictureId, ...]:
        """All S examples, category by category."""
        return tuple(picture for _, pictures in self.support for picture in pictures)


def recipe_of(document: Document) -> Recipe:
    """Return what the classifier of this document is made of."""
    settings = document.settings
    support = tuple(
        (category.id, tuple(example.picture for example in category.examples))
        for category in document.categories
        if category.examples
    )
    return Recipe(settings.learner, settings.backbone, settings.device, support)


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
    """

    recipe: Recipe
    classes: tuple[CategoryId, ...]
    support_ids: tuple[PictureId, ...]
    support: SupportSet
    learner: Learner
    classifier: Classifier
    cutoff: Callable[[float | None], float]
    version: int


@dataclass(frozen=True, slots=True)
class LooReport:
    """Each example classified by a classifier that has not seen it.

    Attributes:
        examined: how many examples; those that are alone in their category cannot be.
        correct: how many of them were classified right.
        misfits: the examples that were not, with the category that the others speak for.
        version: of the classifier.
    """

    examined: int
    correct: int
    misfits: tuple[tuple[PictureId, CategoryId], ...]
    version: int

    @property
    def accuracy(self) -> float | None:
        """The share of right answers, 0 to 1; None where no example could be examined."""
        return self.correct / self.examined if self.examined else None


def load(learner: str) -> None:
    """Import what fitting needs: seconds the first time, in which the other threads go on; then nothing.

    Raises:
        LearnerError: there is no learner of that name.
    """
    # Where all embeddings are in the cache, this is the first that needs torch.
    load_torch_libraries()
    import fewshot_gui.core.learners.fitted  # noqa: F401, PLC0415 - torch takes seconds to import
    from fewshot_gui.core.learners.catalogue import make_learner  # noqa: PLC0415 - the same

    make_learner(learner)


def fit(
    recipe: Recipe, vectors: dict[PictureId, NDArray[np.float32]], library: Library, version: int
) -> Fitted:
    """Return the classifier for the examples that have an embedding.

    Raises:
        SupportFault: the learner cannot learn from them, or there are none.
    """
    import torch  # noqa: PLC0415 - torch takes seconds to import

    from fewshot_gui.core.learners.base import SupportError, SupportSet  # noqa: PLC0415 - imports torch
    from fewshot_gui.core.learners.calibration import threshold_at  # noqa: PLC0415 - imports torch
    from fewshot_gui.core.learners.catalogue import make_learner  # noqa: PLC0415 - imports torch

    there = [(category, [p for p in pictures if p in vectors]) for category, pictures in recipe.support]
    there = [(category, pictures) for category, pictures in there if pictures]
    if not there:
        raise SupportFault("none of the examples can be read")
    ids = tuple(picture for _, pictures in there for picture in pictures)
    labels = [index for index, (_, pictures) in enumerate(there) for _ in pictures]
    classes = tuple(category for category, _ in there)
    temperature, novelty = _defaults(library.info(recipe.backbone))
    try:
        support = SupportSet(
            torch.from_numpy(np.stack([vectors[picture] for picture in ids])), torch.tensor(labels), classes
        )
        learner = make_learner(recipe.learner, default_temperature=temperature, default_novelty=novelty)
        with _small_work():
            classifier = learner.fit(support)
    except SupportError as error:
        raise SupportFault(str(error)) from error

    def cutoff(boldness: float | None) -> float:
        return threshold_at(boldness, classifier)

    return Fitted(recipe, classes, ids, support, learner, classifier, cutoff, version)


@contextmanager
def _small_work() -> Iterator[None]:
    """Let torch compute on this thread alone, and record nothing for gradients.

    Matrices of a support set are too small to share: measured on two busy cores, a fit takes 0.9 ms on one
    thread and 164 ms on two, which wait for each other; 10,000 rows take 28 ms and 46 to 116 ms.
    """
    import torch  # noqa: PLC0415 - torch takes seconds to import

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(threads)


@runtime_checkable
class _StatesDefaults(Protocol):
    """A backbone that states what distances mean in its space, from its validation episodes."""

    temperature: float
    novelty: float


def _defaults(info: BackboneInfo) -> tuple[float, float]:
    """Return the temperature and the novelty threshold to start from."""
    return (info.temperature, info.novelty) if isinstance(info, _StatesDefaults) else (1.0, math.inf)


def predict(fitted: Fitted, embeddings: NDArray[np.float32]) -> RawScores:
    """Return what the classifier says of embeddings (Q, D)."""
    import torch  # noqa: PLC0415 - torch takes seconds to import

    from fewshot_gui.core.learners.fitted import FittedClassifier  # noqa: PLC0415 - imports torch

    with _small_work():
        query = torch.from_numpy(embeddings)
        prediction = fitted.classifier.predict(query)
        # Of our own classifiers it is known what their novelty is: asking would compute all distances twice.
        own = isinstance(fitted.classifier, FittedClassifier)
        novelty = prediction.nearest_distance[:, 0] if own else fitted.classifier.novelty(query)
    # A method without distances (none yet) says how far by what it does say: less score, farther.
    distances = -prediction.scores if prediction.distances is None else prediction.distances
    return RawScores(
        probabilities=prediction.probabilities.float().numpy(),
        distances=distances.float().numpy(),
        novelty=novelty.float().numpy(),
        nearest=prediction.nearest.int().numpy(),
        nearest_distance=prediction.nearest_distance.float().numpy(),
    )


def score_rows(fitted: Fitted, rows: Rows) -> Steps[RawScores | None]:
    """Return what the classifier says of these rows, None where there are none; yields between chunks."""
    chunk = max(64, min(_CHUNK_ROWS, _CHUNK_VALUES // len(fitted.support_ids)))
    parts: list[RawScores] = []
    for start in range(0, len(rows.rows), chunk):
        parts.append(predict(fitted, rows.part(start, start + chunk)))
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
) -> Steps[tuple[Fitted, Scores]]:
    """Return the classifier and the scores of the gallery under it, with the time that these two took.

    Raises:
        BundleError: the backbone cannot be used.
        SupportFault: the learner cannot learn from the examples.
    """
    found = yield from embed_examples(sources, library, vectors, recipe.backbone, recipe.device)
    load(recipe.learner)
    yield
    begun = time.perf_counter()
    fitted = fit(recipe, found, library, version)
    scores = yield from score_all(fitted, rows, threshold)
    return fitted, replace(scores, milliseconds=1000 * (time.perf_counter() - begun))


def examine(fitted: Fitted, token: CancelToken) -> Steps[LooReport]:
    """Return the leave-one-out accuracy of the support set: one fit for each of up to 200 examples."""
    support = fitted.support
    # An example that is alone in its category leaves nothing to be found by.
    usable = np.flatnonzero((support.counts()[support.labels] > 1).numpy())
    spread = np.linspace(0, len(usable) - 1, min(len(usable), _MOST_EXAMINED)).round().astype(np.int64)
    examined = correct = 0
    misfits: list[tuple[PictureId, CategoryId]] = []
    for index in usable[spread].tolist():
        token.check()
        label, answer = int(support.labels[index]), _left_out(fitted, index)
        examined += 1
        correct += answer == label
        if answer != label:
            misfits.append((fitted.support_ids[index], fitted.classes[answer]))
        yield
    return LooReport(examined, correct, tuple(misfits), fitted.version)


def _left_out(fitted: Fitted, index: int) -> int:
    """Return the class that the other examples give to this one."""
    import torch  # noqa: PLC0415 - torch takes seconds to import

    support = fitted.support
    others = torch.arange(len(support.labels)) != index
    rest = replace(support, embeddings=support.embeddings[others], labels=support.labels[others])
    with _small_work():
        answer = fitted.learner.fit(rest).predict(support.embeddings[index : index + 1])
    return int(answer.probabilities.argmax())
