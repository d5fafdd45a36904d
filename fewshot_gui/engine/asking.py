"""Asking about single pictures: which jobs answer, and which of them are dropped for newer ones."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fewshot_gui.engine.single import predict_picture
from fewshot_gui.engine.worker import Priority

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from fewshot_gui.engine.fitting import Fitted
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.single import SinglePrediction
    from fewshot_gui.engine.worker import CancelToken, Job, Worker


class Asking:
    """Asks a classifier about one picture at a time, on the lane of the model.

    Args:
        model: the lane.
        library: embeds.
        failed: gets the error of a job, on the main thread.
    """

    def __init__(self, model: Worker, library: Library, failed: Callable[[Exception], None]) -> None:
        self._model = model
        self._library = library
        self._failed = failed

    def picture(
        self,
        pixels: NDArray[np.uint8],
        fitted: Fitted | None,
        threshold: float | None,
        then: Callable[[SinglePrediction], None],
        *,
        key: str,
    ) -> Job:
        """Return the job that predicts one picture (H, W, 3) RGB; it replaces an older one of the same key.

        Args:
            pixels: uint8.
            fitted: the classifier, None while nothing is taught.
            threshold: the boldness; None is automatic.
            then: gets the answer, on the main thread.
            key: of who asks.
        """
        return self._model.submit(
            self._work(pixels, fitted, threshold),
            then=then,
            failed=self._failed,
            priority=Priority.VISIBLE,
            replaces=f"predictor.single.{key}",
        )

    def frame(
        self,
        pixels: NDArray[np.uint8],
        fitted: Fitted | None,
        threshold: float | None,
        then: Callable[[SinglePrediction], None],
    ) -> Job:
        """Return the job that predicts a live frame: one is in flight, and the newest waits."""
        return self._model.submit(
            self._work(pixels, fitted, threshold),
            then=then,
            failed=self._failed,
            priority=Priority.LIVE,
            newest="predictor.live",
        )

    def _work(
        self, pixels: NDArray[np.uint8], fitted: Fitted | None, threshold: float | None
    ) -> Callable[[CancelToken], SinglePrediction]:
        library, asked = self._library, time.perf_counter()
        return lambda _token: predict_picture(pixels, fitted, library, threshold, asked)
