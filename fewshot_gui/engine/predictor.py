"""What is said of every picture, kept in step with the document; only what changed is recomputed."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fewshot_gui.engine import fitting
from fewshot_gui.engine.event import Event
from fewshot_gui.engine.examples import Source, SupportVectors
from fewshot_gui.engine.predictor_status import UNEXPECTED, PredictorStatus, problem_of
from fewshot_gui.engine.scores import Scores, aligned, forgotten, resized, unknown, with_cutoff
from fewshot_gui.engine.single import SinglePrediction, aligned_single, nothing_taught, single_of
from fewshot_gui.engine.taught import RowIndex
from fewshot_gui.engine.worker import CancelToken, Priority

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.fitting import Fitted, LooReport, Recipe
    from fewshot_gui.engine.gallery import Gallery
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import CategoryId, Document
    from fewshot_gui.engine.worker import Job, Steps, Worker

__all__ = ["Predictor", "PredictorStatus", "SinglePrediction"]


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
        self._session = session
        self._library = library
        self._gallery = gallery
        self._model = model
        self._vectors = SupportVectors()
        self._index = RowIndex()
        self._recipe: Recipe = fitting.recipe_of(session.document)
        self._fitted: Fitted | None = None
        self._version = 0
        self._generation = 0
        self._known = gallery.known
        self._scores: Scores | None = None
        self._report: LooReport | None = None
        self._fit_job: Job | None = None
        self._rows_job: Job | None = None
        self._examine_job: Job | None = None
        self._closed = False
        self._gallery_failed = False
        self._status = PredictorStatus(backbone=self._recipe.backbone)
        self._disconnect = (
            session.changed.connect(self._on_document),
            gallery.cleared.connect(self._on_cleared),
            gallery.listed.connect(self._on_listed),
            gallery.embedded_rows.connect(self._on_embedded),
            gallery.failed.connect(self._on_gallery_failed),
            library.device_changed.connect(self._on_device),
        )
        settings = session.document.settings
        gallery.set_backbone(settings.backbone, settings.device)
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
    def report(self) -> LooReport | None:
        """The leave-one-out report of the present classifier, None until it is there."""
        return self._report

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

        `then` gets what the present classifier says; after `updated` with another version, ask again.
        """
        return self._model.submit(
            self._single(pixels),
            then=partial(self._deliver, then),
            failed=self._failed,
            priority=Priority.VISIBLE,
            replaces=f"predictor.single.{key}",
        )

    def classify_frame(self, pixels: NDArray[np.uint8], then: Callable[[SinglePrediction], None]) -> Job:
        """Return the job that predicts a live frame: one is in flight, and the newest waits."""
        return self._model.submit(
            self._single(pixels),
            then=partial(self._deliver, then),
            failed=self._failed,
            priority=Priority.LIVE,
            newest="predictor.live",
        )

    def _single(self, pixels: NDArray[np.uint8]) -> Callable[[CancelToken], SinglePrediction]:
        """Return the work that predicts one picture with the present classifier."""
        fitted, library, asked = self._fitted, self._library, time.perf_counter()
        threshold = self._session.document.settings.threshold

        def work(_token: CancelToken) -> SinglePrediction:
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

        return work

    def _deliver(self, then: Callable[[SinglePrediction], None], prediction: SinglePrediction) -> None:
        if not self._closed:
            then(aligned_single(prediction, self._classes()))

    # What happened elsewhere --------------------------------------------------------------------------

    def _on_document(self, before: Document, after: Document) -> None:
        settings = after.settings
        if (before.settings.backbone, before.settings.device) != (settings.backbone, settings.device):
            self._gallery.set_backbone(settings.backbone, settings.device)
        former, self._recipe = self._recipe, fitting.recipe_of(after)
        if former.key != self._recipe.key:
            self._fit()
            self._publish_if_relabelled()
        elif before.settings.threshold != settings.threshold or not self._aligned():
            self._publish(self._scores)

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
        elif self._scores is None or self._gallery.count != self._scores.count:
            self._publish(self._scores)

    def _lost_rows(self) -> NDArray[np.bool_]:
        """Return bool (R,), the rows that had an embedding when last looked at, and have none now."""
        known = self._gallery.known
        before = np.zeros(len(known), np.bool_)
        before[: len(self._known)] = self._known[: len(known)]
        self._known = known
        return before & ~known

    def _forget_rows_under_way(self) -> None:
        self._generation += 1
        self._known = self._gallery.known
        if self._rows_job is not None:
            self._rows_job.cancel()
            self._rows_job = None

    def _on_embedded(self, rows: NDArray[np.int64]) -> None:
        self._known = self._gallery.known
        self._index.note(rows.tolist(), self._gallery.ids)
        self._score_more()

    def _on_gallery_failed(self, error: Exception) -> None:
        """Tell it until the gallery begins anew."""
        self._failed(error)
        self._gallery_failed = True

    def _on_device(self, device: str) -> None:
        self._set_status(device=device)

    # Fitting ------------------------------------------------------------------------------------------

    def _fit(self) -> None:
        """Make a new classifier and score every row with it; what was under way is dropped."""
        self._cancel()
        self._version += 1
        recipe = self._recipe
        if not recipe.support:
            self._fitted = None
            self._set_status(busy=False, problem=None, detail="", backbone=recipe.backbone, milliseconds=0.0)
            self._publish(None)
            return
        self._set_status(busy=True, backbone=recipe.backbone)
        sources = [self._source(picture) for picture in recipe.pictures]
        rows = self._rows(self._gallery.known)
        threshold, version = self._session.document.settings.threshold, self._version

        def work(_token: CancelToken) -> Steps[tuple[Fitted, Scores]]:
            return fitting.fit_and_score(
                recipe, sources, rows, self._library, self._vectors, threshold, version
            )

        self._fit_job = self._model.submit(
            work,
            then=partial(self._fit_done, self._generation),
            failed=partial(self._fit_failed, version),
            priority=Priority.ADAPT,
            replaces="predictor.fit",
        )

    def _source(self, picture: PictureId) -> Source:
        """Return where the embedding of an example can come from."""
        backbone, gallery = self._recipe.backbone, self._gallery
        vector = self._vectors.get(backbone, picture)
        if vector is None and gallery.backbone == backbone:
            for row in self._index.rows(picture):
                if self._known[row]:
                    # A copy: the gallery may be closed, the example stays.
                    vector = gallery.embeddings[row].copy()
                    self._vectors.put(backbone, picture, vector)
                    break
        if vector is not None:
            return Source(picture, vector, None, None)
        stored = self._session.picture(picture)
        without_file = stored is None or not stored.path
        original = partial(self._session.original, picture) if without_file else None
        return Source(picture, None, original, stored)

    def _fit_done(self, generation: int, result: tuple[Fitted, Scores]) -> None:
        fitted, scores = result
        if fitted.version != self._version:
            return  # of a former support set: late is wrong
        self._fitted, self._fit_job = fitted, None
        self._set_status(busy=False, problem=None, detail="", milliseconds=scores.milliseconds)
        self._publish(scores if generation == self._generation else None)
        self._score_more()
        self._examine(fitted)

    def _fit_failed(self, version: int, error: Exception) -> None:
        if version == self._version:
            self._fit_job = self._fitted = None
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

    def _examine(self, fitted: Fitted) -> None:
        self._examine_job = self._model.submit(
            partial(fitting.examine, fitted),
            then=self._examine_done,
            failed=self._failed,
            priority=Priority.FOLDER,
            replaces="predictor.examine",
        )

    def _examine_done(self, report: LooReport) -> None:
        if report.version == self._version:
            self._report = report
            self.examined.emit(report)

    # Rows ---------------------------------------------------------------------------------------------

    def _rows(self, wanted: NDArray[np.bool_]) -> fitting.Rows:
        return fitting.Rows(self._gallery.embeddings, np.flatnonzero(wanted), self._gallery.count)

    def _score_more(self) -> None:
        """Score the rows that have an embedding and no score yet, unless that is on its way."""
        fitted, scores = self._fitted, self._scores
        if fitted is None or scores is None or self._fit_job is not None or self._rows_job is not None:
            return
        rows = self._rows(self._gallery.known & ~resized(scores, self._gallery.count).known)
        if not len(rows.rows):
            return
        base = aligned(resized(scores, rows.count), fitted.classes)

        def work(_token: CancelToken) -> Steps[Scores]:
            return fitting.score_more(fitted, rows, base)

        self._rows_job = self._model.submit(
            work, then=self._more_done, failed=self._more_failed, priority=Priority.ADAPT
        )

    def _more_done(self, scores: Scores) -> None:
        self._rows_job = None
        self._publish(scores)
        self._score_more()

    def _more_failed(self, error: Exception) -> None:
        self._rows_job = None
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
            scores = self._blank()
        scores = resized(aligned(scores, self._classes()), gallery.count)
        cutoff = np.inf if fitted is None else fitted.cutoff(document.settings.threshold)
        if cutoff != scores.cutoff:
            scores = with_cutoff(scores, cutoff)
        self._scores = replace(scores, taught=self._index.taught(document, scores.classes, scores.count))
        self.updated.emit(self._scores)

    def _publish_if_relabelled(self) -> None:
        """Show at once what a person changed, while the fit is under way."""
        scores = self._scores
        if scores is None or not self._recipe.support:
            return
        taught = self._index.taught(self._session.document, self._classes(), scores.count)
        if not self._aligned() or not np.array_equal(taught, scores.taught):
            self._publish(scores)

    def _blank(self) -> Scores:
        fitted, count = self._fitted, self._gallery.count
        if fitted is None:
            return unknown(count, self._classes())
        return unknown(count, fitted.classes, fitted.support_ids, version=fitted.version)

    def _set_status(self, **changes: Any) -> None:
        status = replace(self._status, **changes)
        if status != self._status:
            self._status = status
            self.status_changed.emit(status)

    def _cancel(self) -> None:
        for job in (self._fit_job, self._rows_job, self._examine_job):
            if job is not None:
                job.cancel()
        self._fit_job = self._rows_job = self._examine_job = None
        self._report = None
