"""What is said of every picture, kept in step with the document; only what changed is recomputed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fewshot_gui.core.learners.reason import choice_of
from fewshot_gui.engine import fitting
from fewshot_gui.engine.asking import Asking
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.examining import Examiner
from fewshot_gui.engine.example_sources import ExampleSources
from fewshot_gui.engine.examples import SupportVectors
from fewshot_gui.engine.inner_loop import InnerLoop, inner_loop_of, score_step, watch_steps
from fewshot_gui.engine.predictor_status import AT_REST, UNEXPECTED, PredictorStatus, problem_of
from fewshot_gui.engine.recipe import Recipe, recipe_of
from fewshot_gui.engine.scores import Scores, aligned, forgotten, resized, with_cutoff
from fewshot_gui.engine.single import SinglePrediction, aligned_single
from fewshot_gui.engine.taught import RowIndex
from fewshot_gui.engine.worker import Priority

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fewshot_gui.engine.deciding.enough import LooReport
    from fewshot_gui.engine.fitting import Fitted
    from fewshot_gui.engine.gallery import Gallery
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import CategoryId, Document
    from fewshot_gui.engine.worker import Job, Worker

__all__ = ["InnerLoop", "Predictor", "PredictorStatus", "SinglePrediction"]


class Predictor:
    """Says of every picture which category it belongs to, and keeps that true. Belongs to the main thread.

    Args:
        session: its document is what is predicted from.
        library: embeds pictures.
        gallery: its rows are scored as they become known; follows the chosen backbone and device.
        model: the lane of one thread that touches the device.
    """

    def __init__(self, session: Session, library: Library, gallery: Gallery, model: Worker) -> None:
        self.updated: Event[[Scores]] = Event()
        self.status_changed: Event[[PredictorStatus]] = Event()
        self.examined: Event[[LooReport]] = Event()
        self.adapting: Event[[int, int, float]] = Event()
        self._session = session
        self._library = library
        self._gallery = gallery
        self._model = model
        self._index = RowIndex()
        self.sources = ExampleSources(session, gallery, self._index, SupportVectors())
        self._recipe: Recipe = recipe_of(session.document)
        self._fitted: Fitted | None = None
        self._version = 0
        self._generation = 0
        self._known, self._missing = gallery.known, gallery.missing
        self._scores: Scores | None = None
        self._fit_job: Job | None = None
        self._step_job: Job | None = None
        self._rows_job: Job | None = None
        self._asking = Asking(model, library, self._failed)
        self.examiner = Examiner(model, self.examined.emit, self._failed)
        self._closed = False
        self._gallery_failed = False
        self._status = PredictorStatus(backbone=self._recipe.bundle)
        self._disconnect = (
            session.changed.connect(self._on_document),
            gallery.cleared.connect(self._on_cleared),
            gallery.listed.connect(self._on_listed),
            gallery.embedded_rows.connect(self._on_embedded),
            gallery.failed.connect(self._on_gallery_failed),
            library.device_changed.connect(lambda device: self._set_status(device=device)),
            library.backbone_replaced.connect(self._on_replaced),
        )
        gallery.set_backbone(self._recipe.backbone, self._recipe.device)
        self._index.note(range(gallery.count), gallery.ids)
        self._fit()

    @property
    def scores(self) -> Scores | None:
        """What is predicted of the gallery; its classes are always those of the document."""
        return self._scores

    @property
    def status(self) -> PredictorStatus:
        """How the predictor is doing."""
        return self._status

    @property
    def fitted(self) -> Fitted | None:
        """The present classifier with what it was made of; None while there is none."""
        return self._fitted

    @property
    def report(self) -> LooReport | None:
        """The leave-one-out report of the present classifier, None until it is there."""
        return self.examiner.report

    @property
    def examining(self) -> bool:
        """True while that report is on its way; a learner that takes long is not examined at all."""
        return self._fit_job is not None or self.examiner.under_way

    def close(self) -> None:
        """Follow nothing any more, and drop what is being computed or was asked."""
        self._closed = True
        for disconnect in self._disconnect:
            disconnect()
        self._cancel()

    def refresh(self) -> None:
        """Fit again, as after a problem was solved."""
        self._fit()

    # One picture --------------------------------------------------------------------------------------

    def classify(
        self, pixels: NDArray[np.uint8], then: Callable[[SinglePrediction], None], *, key: str
    ) -> Job:
        """Return the job that predicts one picture (H, W, 3) RGB; it replaces an older one of the same key.

        `then` gets what the present classifier says; after `updated` with another `judges_as`, ask again.
        """
        return self._asking.picture(
            pixels, self._fitted, self._threshold, partial(self._deliver, then), key=key
        )

    def classify_frame(self, pixels: NDArray[np.uint8], then: Callable[[SinglePrediction], None]) -> Job:
        """Return the job that predicts a live frame: one is in flight, and the newest waits."""
        return self._asking.frame(pixels, self._fitted, self._threshold, partial(self._deliver, then))

    @property
    def _threshold(self) -> float | None:
        return self._session.document.settings.threshold

    def _deliver(self, then: Callable[[SinglePrediction], None], prediction: SinglePrediction) -> None:
        if not self._closed:
            then(aligned_single(prediction, self._classes()))

    # What happened elsewhere --------------------------------------------------------------------------

    def _on_document(self, before: Document, after: Document) -> None:
        former, self._recipe = self._recipe, recipe_of(after)
        if (former.backbone, former.device) != (self._recipe.backbone, self._recipe.device):
            self._gallery.set_backbone(self._recipe.backbone, self._recipe.device)
        if former.key != self._recipe.key:
            self._fit()
            self._publish_if_relabelled()
        elif (
            before.settings.threshold != after.settings.threshold
            or before.labels is not after.labels
            or not self._aligned()
        ):
            self._publish(self._scores)

    def _on_replaced(self, backbone: str) -> None:
        """Forget what the former bundle of this name made; begin again with the one that has it now."""
        self.sources.vectors.forget(backbone)
        if backbone not in {self._recipe.backbone, self._recipe.bundle}:
            return
        self._fitted = None  # it does not go with what is embedded from now on
        self._gallery.embed_anew()
        self._fit()

    def _on_cleared(self) -> None:
        """Forget the rows: the gallery shows another folder, or embeds anew."""
        if self._gallery_failed:
            self._gallery_failed = False
            self._set_status(problem=None, detail="")
        if not self._gallery.count:
            self._index.clear()
        self._forget_rows_under_way()
        self._publish(None)

    def _on_listed(self) -> None:
        gone = self._lost_rows()
        if gone.any():
            # These files were written anew: what is known, or under way, is of their former pictures.
            self._index.note(np.flatnonzero(gone).tolist(), self._gallery.ids)
            self._forget_rows_under_way()
            scores = self._scores
            self._publish(None if scores is None else forgotten(scores, gone[: scores.count]))
            self._score_more()
        elif self._scores is None or self._gallery.count != self._scores.count or self._missing_changed():
            self._publish(self._scores)

    def _missing_changed(self) -> bool:
        """Return whether other files are gone than when last looked at: piles are cut anew for new scores."""
        missing = self._gallery.missing
        changed = not np.array_equal(missing, self._missing)
        self._missing = missing
        return changed

    def _lost_rows(self) -> NDArray[np.bool_]:
        """Return bool (R,), the rows that had an embedding when last looked at, and have none now."""
        known = self._gallery.known
        before = np.zeros(len(known), np.bool_)
        before[: len(self._known)] = self._known[: len(known)]
        self._known = known
        return before & ~known

    def _forget_rows_under_way(self) -> None:
        self._generation += 1
        self._known, self._missing = self._gallery.known, self._gallery.missing
        if self._rows_job is not None:
            self._rows_job.cancel()
            self._rows_job = None

    def _on_embedded(self, rows: NDArray[np.int64]) -> None:
        self._known = self._gallery.known
        self._index.note(rows.tolist(), self._gallery.ids)
        self._score_more()
        if self._fitted is None and self._session.document.labels:
            self._publish(self._scores)  # no score comes that would show what a person said of these rows

    def _on_gallery_failed(self, error: Exception) -> None:
        """Tell it until the gallery begins anew."""
        self._failed(error)
        self._gallery_failed = True

    # Fitting ------------------------------------------------------------------------------------------

    def _fit(self) -> None:
        """Make a new classifier and score every row with it; what was under way is dropped."""
        self._cancel()
        self._version += 1
        recipe = self._recipe
        if not recipe.support:
            self._fitted = None
            self._set_status(backbone=recipe.bundle, **AT_REST)
            self._publish(None)
            return
        self._set_status(busy=True, backbone=recipe.bundle, cancelled=False)
        sources, vectors = self.sources.of(recipe), self.sources.vectors
        rows = self._rows(self._gallery.known)
        threshold, version = self._threshold, self._version

        self._fit_job = self._model.submit(
            lambda token: fitting.fit_and_score(
                recipe,
                sources,
                rows,
                self._library,
                vectors,
                threshold,
                version,
                watch_steps(token, self._model, self.adapting),
            ),
            then=partial(self._fit_done, self._generation),
            failed=partial(self._fit_failed, version),
            priority=Priority.ADAPT,
            replaces="predictor.fit",
        )

    def _fit_done(self, generation: int, result: tuple[Fitted, Scores]) -> None:
        fitted, scores = result
        if fitted.version != self._version:
            return  # of a former support set: late is wrong
        self._fit_job = None
        choice, took = choice_of(fitted.whole), scores.milliseconds
        self._set_status(busy=False, problem=None, detail="", milliseconds=took, choice=choice)
        self._take(generation, result)
        self.examiner.start(fitted)

    def _take(self, generation: int, result: tuple[Fitted, Scores]) -> None:
        """Answer with this classifier from now on."""
        self._fitted, scores = result
        self._publish(scores if generation == self._generation else None)
        self._score_more()

    def _fit_failed(self, version: int, error: Exception) -> None:
        if version == self._version:
            self._fit_job = self._fitted = None
            self._set_status(choice=None)
            self._publish(None)
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        if self._closed:
            return
        kind, told = problem_of(error), (self._status.problem, self._status.detail)
        self._set_status(busy=self._fit_job is not None, problem=kind, detail=str(error))
        # Once: while a device is broken, each of thirty live frames a second fails alike.
        if kind == UNEXPECTED and told != (kind, str(error)):
            self._model.on_error.emit(error)

    def cancel_fit(self) -> None:
        """Stop making a classifier; the one before it, and what it says, stay until something changes.

        A learner looks every 100 ms whether it is still wanted.
        """
        if self._fit_job is None:
            return
        self._cancel()
        self._version += 1
        self._set_status(busy=False, cancelled=True)
        self._publish(self._scores)
        self._score_more()

    # Steps --------------------------------------------------------------------------------------------

    @property
    def inner_loop(self) -> InnerLoop | None:
        """How the present classifier adapted; None where its learner takes no steps."""
        return inner_loop_of(self._fitted)

    def show_step(self, step: int) -> None:
        """Answer with the classifier as it was after so many steps; `updated` tells when all rows follow.

        While another classifier is being made, nothing happens.

        Raises:
            ValueError: the present classifier has no such step.
        """
        fitted, loop = self._fitted, self.inner_loop
        if fitted is None or loop is None or not 0 <= step <= loop.steps:
            raise ValueError(f"the present classifier has no step {step}")
        if self._fit_job is not None:
            return
        self._drop(self._step_job, self._rows_job)
        self._rows_job = None
        version = self._version = self._version + 1
        rows = self._rows(self._gallery.known & self._in_space(fitted))
        threshold = self._threshold
        self._step_job = self._model.submit(
            lambda _token: score_step(fitted, step, rows, threshold, version),
            then=partial(self._step_done, self._generation),
            failed=self._more_failed,
            priority=Priority.ADAPT,
            replaces="predictor.step",
        )

    def _step_done(self, generation: int, result: tuple[Fitted, Scores]) -> None:
        if result[0].version == self._version:
            self._step_job = None
            self._take(generation, result)

    # Rows ---------------------------------------------------------------------------------------------

    def _rows(self, wanted: NDArray[np.bool_]) -> fitting.Rows:
        return fitting.Rows(self._gallery.embeddings, np.flatnonzero(wanted), self._gallery.count)

    def _score_more(self) -> None:
        """Score the rows that have an embedding and no score yet, unless that is on its way."""
        fitted, scores = self._fitted, self._scores
        under_way = self._fit_job or self._step_job or self._rows_job
        if fitted is None or scores is None or under_way is not None or not self._in_space(fitted):
            return
        rows = self._rows(self._gallery.known & ~resized(scores, self._gallery.count).known)
        if not len(rows.rows):
            return
        base = aligned(resized(scores, rows.count), fitted.classes)
        self._rows_job = self._model.submit(
            lambda _token: fitting.score_more(fitted, rows, base),
            then=self._more_done,
            failed=self._more_failed,
            priority=Priority.ADAPT,
        )

    def _in_space(self, fitted: Fitted) -> bool:
        """Return whether the gallery's embeddings are of the kind that a classifier was made from.

        They are not where its successor, on another backbone, was cancelled.
        """
        return fitted.recipe.backbone == self._gallery.backbone

    def _more_done(self, scores: Scores) -> None:
        self._rows_job = None
        self._publish(scores)
        self._score_more()

    def _more_failed(self, error: Exception) -> None:
        self._rows_job = self._step_job = None
        self._failed(error)

    def _aligned(self) -> bool:
        return self._scores is not None and self._scores.classes == self._classes()

    # What is shown ------------------------------------------------------------------------------------

    def _classes(self) -> tuple[CategoryId, ...]:
        return tuple(category.id for category in self._session.document.categories)

    def _publish(self, scores: Scores | None) -> None:
        """Show these scores, or that nothing is known yet, in terms of the present document and gallery."""
        document, gallery, fitted = self._session.document, self._gallery, self._fitted
        if scores is None:
            scores = fitting.blank_scores(fitted, gallery.count, self._classes())
        scores = resized(aligned(scores, self._classes()), gallery.count)
        cutoff = np.inf if fitted is None else fitted.cutoff(document.settings.threshold)
        if cutoff != scores.cutoff:
            scores = with_cutoff(scores, cutoff)
        owners = self._index.owners(document, scores.classes, scores.count)
        self._scores = replace(scores, taught=owners.taught, said=owners.said)
        self.updated.emit(self._scores)

    def _publish_if_relabelled(self) -> None:
        """Show at once what a person changed, while the fit is under way."""
        scores = self._scores
        if scores is None or not self._recipe.support:
            return
        owners = self._index.owners(self._session.document, self._classes(), scores.count)
        same = np.array_equal(owners.taught, scores.taught) and np.array_equal(owners.said, scores.said)
        if not self._aligned() or not same:
            self._publish(scores)

    def _set_status(self, **changes: Any) -> None:
        status = replace(self._status, **changes)
        if status != self._status:
            self._status = status
            self.status_changed.emit(status)

    def _cancel(self) -> None:
        self._drop(self._fit_job, self._step_job, self._rows_job)
        self._fit_job = self._step_job = self._rows_job = None
        self.examiner.drop()

    @staticmethod
    def _drop(*jobs: Job | None) -> None:
        for job in filter(None, jobs):
            job.cancel()
