"""Several learners on the same support set, side by side, and the pictures on which they disagree."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from fewshot_gui.core.backbones.bundle_info import BundleError
from fewshot_gui.core.images.identity import bytes_of
from fewshot_gui.core.images.problems import ImageProblem
from fewshot_gui.core.images.reader import decode_image
from fewshot_gui.core.learners.facts import LearnerError
from fewshot_gui.engine import fitting
from fewshot_gui.engine.deciding.enough import certain_accuracy, examine
from fewshot_gui.engine.examples import embed_examples
from fewshot_gui.engine.fitting import SupportFault
from fewshot_gui.engine.predictor_status import problem_of
from fewshot_gui.engine.recipe import recipe_of
from fewshot_gui.engine.worker import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.examples import Source, SupportVectors
    from fewshot_gui.engine.fitting import Fitted
    from fewshot_gui.engine.gallery import Gallery
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.predictor import Predictor
    from fewshot_gui.engine.recipe import Recipe
    from fewshot_gui.engine.scores import RawScores
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import CategoryId
    from fewshot_gui.engine.worker import CancelToken, Job, Steps, Worker

MOST_ROWS: Final = 1000
"""Pictures that are compared, spread over all: in a space that nothing is cached of, 10 to 60 s of work."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A learner, on the bundle that is in use or on another one.

    Attributes:
        learner: its name.
        bundle: name or path; empty for the one in use.
    """

    learner: str
    bundle: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What one contender made of the support set.

    Attributes:
        contender: who.
        bundle: name or path of the bundle that it used.
        accuracy: leave-one-out over the examples, 0 to 1; None where none could be examined.
        examined: how many examples that is of.
        milliseconds: what the fit took.
        best: int32 (Q,), the most probable category of each compared row; -1 where there is none.
        probabilities: float32 (Q, N), rows sum to 1; all 0 where `best` is -1.
        problem: why there is no answer: the kinds of `PredictorStatus.problem`; None where there is one.
        detail: the facts of the problem.
    """

    contender: Contender
    bundle: str
    accuracy: float | None
    examined: int
    milliseconds: float
    best: NDArray[np.int32]
    probabilities: NDArray[np.float32]
    problem: str | None = None
    detail: str = ""

    @property
    def certain(self) -> float | None:
        """The share of right answers that is certain at 95 %: 10 of 10 are less than 185 of 200; or None."""
        if self.accuracy is None:
            return None
        return certain_accuracy(round(self.accuracy * self.examined), self.examined)


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What several learners make of the same support set.

    Attributes:
        classes: the N categories that have examples, in the order of every column.
        answers: one for each contender, in their order.
        rows: int64 (Q,), the rows of the gallery that were compared: taught ones are not among them.
        disagreement: float32 (Q,), 0 where all say the same category; above 1 where some say another, and
            the higher the more they do and the surer they are.
    """

    classes: tuple[CategoryId, ...]
    answers: tuple[Answer, ...]
    rows: NDArray[np.int64]
    disagreement: NDArray[np.float32]

    def disputed(self) -> NDArray[np.int64]:
        """Return the places in `rows` of those that not all take for the same, most disagreement first."""
        places = np.flatnonzero(self.disagreement > 0)
        return places[np.argsort(-self.disagreement[places], kind="stable")]


def disagreement(best: NDArray[np.int32], probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return float32 (Q,), how much A answers differ on each of Q rows; 0 where all have the same best.

    It is 0 too where one of them has none, as of a picture that could not be read again. Elsewhere it is
    the number of answers against the most common one, plus the mean total variation distance of all pairs
    (0 to 1), which orders rows with as many votes.

    Args:
        best: int32 (A, Q), -1 where there is none.
        probabilities: float32 (A, Q, N).
    """
    count = len(best)
    if count < 2:
        return np.zeros(best.shape[1], np.float32)
    votes = (best[:, None, :] == best[None, :, :]).sum(axis=0).max(axis=0)
    pairs = [(one, other) for one in range(count) for other in range(one)]
    apart = sum(np.abs(probabilities[one] - probabilities[other]).sum(axis=1) for one, other in pairs)
    measure = (count - votes) + apart / (2 * len(pairs))
    silent = (votes == count) | (best < 0).any(axis=0)
    return np.where(silent, 0.0, measure).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class ComparedRows:
    """The pictures to compare on, as a job sees them.

    Attributes:
        rows: int64 (Q,), their rows in the gallery.
        ids: what they are, by content.
        paths: of their files.
        backbone: what the gallery embeds with.
        embeddings: float32 (Q, D), under that backbone.
    """

    rows: NDArray[np.int64]
    ids: tuple[PictureId, ...]
    paths: tuple[str, ...]
    backbone: str
    embeddings: NDArray[np.float32]


class Comparer:
    """Runs comparisons on the model lane. Belongs to the main thread.

    Args:
        session: its document has the support set.
        library: embeds.
        gallery: its embedded rows are compared.
        predictor: knows the sources of the examples, and what is taught.
        model: the lane of one thread that touches the device.
    """

    def __init__(
        self, session: Session, library: Library, gallery: Gallery, predictor: Predictor, model: Worker
    ) -> None:
        self._session = session
        self._library = library
        self._gallery = gallery
        self._predictor = predictor
        self._model = model

    def start(
        self,
        contenders: Sequence[Contender],
        then: Callable[[Comparison], None],
        *,
        progress: Callable[[float], None] = lambda _share: None,
        failed: Callable[[Exception], None] | None = None,
    ) -> Job:
        """Return the job after which `then` gets the comparison; an older one is replaced.

        Args:
            contenders: at least one.
            then: gets the result.
            progress: gets the share done, 0 to 1.
            failed: gets an unexpected error; what keeps a contender from answering is in its answer.
        """
        recipe = recipe_of(self._session.document)
        tasks = [
            (contender, made, self._predictor.sources.of(made))
            for contender in contenders
            for made in [recipe.with_learner(contender.learner, contender.bundle)]
        ]
        rows, vectors = self._rows(), self._predictor.sources.vectors

        def work(token: CancelToken) -> Steps[Comparison]:
            def told(share: float) -> None:
                self._model.tell(token, partial(progress, share))

            return _Comparing(recipe, rows, self._library, vectors, token, told).run(tasks)

        return self._model.submit(
            work, then=then, failed=failed, priority=Priority.FOLDER, replaces="comparer.compare"
        )

    def _rows(self) -> ComparedRows:
        """Return up to `MOST_ROWS` of the embedded rows that nobody has taught, spread over all."""
        gallery, scores = self._gallery, self._predictor.scores
        rows = np.flatnonzero(gallery.known)
        if scores is not None:
            rows = rows[~np.isin(rows, np.flatnonzero(scores.taught >= 0))]
        rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST_ROWS)).round().astype(np.int64)]
        named = [(row, name) for row in rows.tolist() if (name := gallery.ids[row]) is not None]
        rows = np.array([row for row, _name in named], np.int64)
        return ComparedRows(
            rows,
            tuple(name for _row, name in named),
            tuple(gallery.files[row].path for row in rows.tolist()),
            gallery.backbone,
            gallery.embeddings[rows],
        )


Task = tuple[Contender, "Recipe", "list[Source]"]


@dataclass(frozen=True, slots=True, eq=False)
class _Comparing:
    """One comparison under way, on the model lane."""

    recipe: Recipe
    rows: ComparedRows
    library: Library
    vectors: SupportVectors
    token: CancelToken
    told: Callable[[float], None]

    def run(self, tasks: Sequence[Task]) -> Steps[Comparison]:
        """Return the comparison; each contender is fitted, examined, and asked about every row."""
        classes = tuple(category for category, _pictures in self.recipe.support)
        answers: list[Answer] = []
        for number, task in enumerate(tasks):
            self.told(number / len(tasks))
            try:
                answer = yield from self._answer(task, classes)
            except (BundleError, LearnerError, SupportFault) as error:
                answer = self._none(task, classes, error)
            answers.append(answer)
            yield
        self.told(1.0)
        counted = [answer for answer in answers if answer.problem is None]
        apart = np.zeros(len(self.rows.rows), np.float32)
        if counted:
            apart = disagreement(
                np.stack([answer.best for answer in counted]),
                np.stack([answer.probabilities for answer in counted]),
            )
        return Comparison(classes, tuple(answers), self.rows.rows, apart)

    def _answer(self, task: Task, classes: tuple[CategoryId, ...]) -> Steps[Answer]:
        contender, recipe, sources = task
        found = yield from embed_examples(sources, self.library, self.vectors, recipe.backbone, recipe.device)
        fitting.load(recipe, self.library)
        yield
        fitted = fitting.timed_fit(recipe, found, self.library, 0, fitting.Watch(self.token.check))
        yield
        report = yield from examine(fitted, self.token)
        places, vectors_of_rows = yield from self._vectors(recipe)
        raw = yield from fitting.score_rows(
            fitted, fitting.Rows(vectors_of_rows, np.arange(len(places)), len(places))
        )
        probabilities = self._columns(fitted, raw, places, classes)
        best = np.where(probabilities.sum(axis=1) > 0, probabilities.argmax(axis=1), -1)
        return Answer(
            contender,
            recipe.bundle,
            report.accuracy,
            report.examined,
            1000 * fitted.seconds,
            best.astype(np.int32),
            probabilities,
        )

    def _vectors(self, recipe: Recipe) -> Steps[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Return the places of the pictures that have a vector (q,), and those vectors (q, D)."""
        rows, backbone = self.rows, recipe.backbone
        if backbone == rows.backbone:
            return np.arange(len(rows.rows)), rows.embeddings
        found = self.library.known_embeddings(rows.ids, backbone)
        side = self.library.info(backbone).preprocessing.least_side
        for name, path in zip(rows.ids, rows.paths, strict=True):
            if name not in found:
                try:
                    data = bytes_of(path, name)
                    if data is None:  # it was written to since the folder was looked at
                        continue
                    pixels = decode_image(data, name=path, at_least=side)
                except ImageProblem:
                    continue  # the gallery has told it
                found[name] = self.library.embed_pixels(pixels, backbone, recipe.device, keep_as=name)
                yield
        places = [place for place, name in enumerate(rows.ids) if name in found]
        width = self.library.info(backbone).dimension
        matrix = [found[rows.ids[place]] for place in places]
        return np.array(places, np.int64), np.stack(matrix) if matrix else np.zeros((0, width), np.float32)

    def _columns(
        self,
        fitted: Fitted,
        raw: RawScores | None,
        places: NDArray[np.int64],
        classes: tuple[CategoryId, ...],
    ) -> NDArray[np.float32]:
        """Return float32 (Q, N), the probabilities in the columns of `classes`; 0 where nothing is known."""
        probabilities = np.zeros((len(self.rows.rows), len(classes)), np.float32)
        if raw is not None:
            columns = np.array([classes.index(category) for category in fitted.classes])
            probabilities[np.ix_(places, columns)] = raw.probabilities
        return probabilities

    def _none(self, task: Task, classes: tuple[CategoryId, ...], error: Exception) -> Answer:
        """Return the answer of a contender that has none."""
        contender, recipe, _sources = task
        count = len(self.rows.rows)
        nothing = np.full(count, -1, np.int32), np.zeros((count, len(classes)), np.float32)
        return Answer(contender, recipe.bundle, None, 0, 0.0, *nothing, problem_of(error), str(error))
