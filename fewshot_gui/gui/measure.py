"""What the window measures of itself for `fewshot-gui bench`: one scene a run, one line of JSON."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, QTimer

from fewshot_gui.engine.workspace import Lanes
from fewshot_gui.gui.first_paint import FirstPaint
from fewshot_gui.gui.main_thread import MainThread
from fewshot_gui.gui.report import wait_until
from fewshot_gui.gui.shell import Shell
from fewshot_gui.gui.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from PySide6.QtWidgets import QApplication, QWidget

    from fewshot_gui.engine.live import LivePrediction
    from fewshot_gui.gui.main_window import MainWindow

PATIENCE_MS = 600_000
IDLE_MS = 3_000
TEACHINGS = 10
TEACHING_PAUSE_MS = 200
SCROLLS = 40
SCROLL_PAUSE_MS = 50


class SceneError(Exception):
    """A scene that did not come to its end; its sentence says what was waited for."""


def run_measure(app: QApplication, session: str | None, name: str, paths: Sequence[str]) -> int:
    """Return 0 once the scene is over and its figures are printed, as one line of JSON; 1 if it failed.

    Args:
        app: the application.
        session: its file.
        name: of the scene, one of `SCENES`.
        paths: what the scene works on.
    """
    with _shell(app) as shell:
        try:
            figures = SCENES[name](shell, session, *paths)
        except SceneError as error:
            figures = {"error": f"{name}: {error}"}
    print(json.dumps(figures), flush=True)  # noqa: T201 - the process that measures reads it
    return int("error" in figures)


@contextmanager
def _shell(app: QApplication) -> Iterator[Shell]:
    """Yield what `fewshot-gui` builds, and take it down as closing the window does."""
    bridge = MainThread()
    lanes = Lanes.start(bridge.post)
    shell = Shell(lanes, bridge.post, app.property("appearance"))
    try:
        yield shell
    finally:
        shell.close()
        lanes.close()
        bridge.close()


class Paints(QObject):
    """Calls `then` whenever a widget was painted and the event loop has come round again."""

    def __init__(self, widget: QWidget, then: Callable[[], None]) -> None:
        super().__init__(widget)
        self._then = then
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Look on, and let every event pass."""
        if event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, self._then)
        return False


def _wait(done: Callable[[], bool], what: str) -> None:
    if not wait_until(done, PATIENCE_MS):
        raise SceneError(f"waited in vain for {what}")


def _await(window: MainWindow, done: Callable[[MainWindow], bool], what: str) -> None:
    """Wait until `done` says so, or end the scene with the reason why there are no predictions."""
    predictor = window.workspace.predictor
    # Not raised while waiting: an error in a slot of Qt goes nowhere.
    _wait(lambda: bool(predictor.status.problem) or done(window), what)
    if predictor.status.problem:
        raise SceneError(f"{predictor.status.problem}: {predictor.status.detail}")


def _rest(milliseconds: int) -> None:
    """Let the event loop run for a while, as while a person looks."""
    wait_until(lambda: False, milliseconds)


def _window(shell: Shell) -> MainWindow:
    assert shell.window is not None
    return shell.window


def _painted(widget: QWidget) -> float:
    """Return when the widget was painted next, in seconds since 1970."""
    moments: list[float] = []
    FirstPaint(widget, lambda: moments.append(time.time()))
    _wait(lambda: bool(moments), "a painted window")
    return moments[0]


def _predicted(window: MainWindow) -> bool:
    """Return whether any picture of the opened folder has a prediction."""
    scores = window.workspace.predictor.scores
    return scores is not None and bool(scores.known.any())


def _classified(window: MainWindow) -> bool:
    """Return whether every picture of the opened folder has a prediction."""
    gallery, predictor = window.workspace.gallery, window.workspace.predictor
    seen = gallery.count and not gallery.listing and gallery.embedded == gallery.count
    scores = predictor.scores
    return bool(seen and scores and scores.version and scores.known.all() and not predictor.status.busy)


def _idle(window: MainWindow) -> bool:
    lanes = window.workspace.lanes
    return not (lanes.model.pending or lanes.decode.pending)


# Scenes ---------------------------------------------------------------------------------------------


def start(shell: Shell, session: str | None) -> dict[str, Any]:
    """Return when the window was painted first, and whether torch was imported by then."""
    shell.start(session)
    moments: list[tuple[float, bool]] = []
    FirstPaint(_window(shell), lambda: moments.append((time.time(), "torch" in sys.modules)))
    _wait(lambda: bool(moments), "a painted window")
    return {"painted_at": moments[0][0], "torch_imported": moments[0][1]}


def first_prediction(shell: Shell, session: str | None) -> dict[str, Any]:
    """Return when the first and when all predictions of the sample were painted."""
    shell.start(session, sample=True)
    window = _window(shell)
    view = window.query.folder.view.viewport()
    _await(window, _predicted, "a prediction")
    first_at = _painted(view)
    _await(window, _classified, "the predictions of the sample")
    return {
        "first_at": first_at,
        "all_at": _painted(view),
        "pictures": window.workspace.gallery.count,
    }


class LiveWatch:
    """Counts the frames that the video page shows and predicts, and how late each prediction is painted.

    Attributes:
        shown: when each new frame was painted, in seconds.
        predicted: when each prediction was painted, in seconds.
        latencies_ms: from the capture of each frame to its painted prediction.
    """

    def __init__(self, window: MainWindow) -> None:
        self.shown: list[float] = []
        self.predicted: list[float] = []
        self.latencies_ms: list[float] = []
        self._view = window.query.video.view
        self._image = self._view.image
        self._waiting: LivePrediction | None = None
        self._disconnect = window.workspace.video_loop.predicted.connect(self._on_predicted)
        self._paints = Paints(self._view, self._on_painted)

    def close(self) -> None:
        """Count no more."""
        self._disconnect()
        self._paints.deleteLater()

    def _on_predicted(self, live: LivePrediction) -> None:
        self._waiting = live

    def _on_painted(self) -> None:
        now = time.perf_counter()
        if self._view.image is not self._image:
            self._image = self._view.image
            self.shown.append(now)
        if self._waiting is not None:
            self.predicted.append(now)
            self.latencies_ms.append(1000 * (now - self._waiting.captured_at))
            self._waiting = None


def rate(moments: Sequence[float]) -> float:
    """Return how many a second these moments, in seconds and ascending, are; 0 for fewer than two."""
    return (len(moments) - 1) / (moments[-1] - moments[0]) if len(moments) > 1 else 0.0


def live(shell: Shell, session: str | None, video: str) -> dict[str, Any]:
    """Return the frames a second of a video that are shown and predicted, and the delays in milliseconds."""
    shell.start(session, sample=True)
    window = _window(shell)
    _await(window, _classified, "the predictions of the sample")
    _wait(lambda: _idle(window), "the rest of the sample")
    watch = _play(window, video)
    return {
        "shown_rate": rate(watch.shown),
        "predicted_rate": rate(watch.predicted),
        "latencies_ms": watch.latencies_ms,
    }


def _play(window: MainWindow, video: str) -> LiveWatch:
    """Return what was seen while the video played from beginning to end."""
    source = window.workspace.video
    window.show_source("video")
    watch = LiveWatch(window)
    window.query.video.open(video)
    _wait(lambda: not source.playing, "the end of the video")
    watch.close()
    if not watch.predicted:
        raise SceneError("no frame was predicted")
    return watch


def blocked(shell: Shell, session: str | None, folder: str, video: str) -> dict[str, Any]:
    """Return the longest time without an answer: after the first paint, sample, folder, teaching, video."""
    shell.start(session)
    window = _window(shell)
    _painted(window)
    with _watchdog() as watchdog:
        watchdog.enter("start")
        _wait(lambda: _idle(window), "the backbone")
        watchdog.enter("sample")
        shell.try_sample()
        _await(window, _classified, "the predictions of the sample")
        watchdog.enter("folder")
        window.workspace.gallery.open(folder)
        _await(window, _classified, "the predictions of the folder")
        watchdog.enter("teaching")
        _teach(window)
        watchdog.enter("live")
        _play(window, video)
    return {"worst_ms": watchdog.worst_ms, "phases": watchdog.phases()}


@contextmanager
def _watchdog() -> Iterator[Watchdog]:
    with TemporaryFile(buffering=0) as notes:
        watchdog = Watchdog(notes)
        yield watchdog
        watchdog.stop()


def _teach(window: MainWindow) -> None:
    """Teach pictures of the gallery one after the other, as a person who presses a digit on each."""
    page, categories = window.query.folder, window.workspace.session.document.categories
    for number in range(TEACHINGS):
        page.view.setCurrentIndex(page.model.index(number))
        page.teach(categories[number % len(categories)].id)
        _rest(TEACHING_PAUSE_MS)
        _await(window, _classified, "the predictions after an example")


def idle(shell: Shell, session: str | None) -> dict[str, Any]:
    """Return the longest time without an answer while nobody does anything, once all is loaded."""
    shell.start(session)
    window = _window(shell)
    _painted(window)
    _wait(lambda: _idle(window), "the backbone")
    with _watchdog() as watchdog:
        watchdog.enter("idle")
        _rest(IDLE_MS)
    return {"worst_ms": watchdog.worst_ms, "phases": watchdog.phases()}


def memory(shell: Shell, session: str | None, folder: str = "") -> dict[str, Any]:
    """Return the peak of memory in MB, with a folder open, embedded, taught, scored and scrolled through."""
    from fewshot_gui.engine.measures.memory import peak_megabytes  # noqa: PLC0415 - only this scene needs it

    shell.start(session)
    window = _window(shell)
    _painted(window)
    _wait(lambda: _idle(window), "the backbone")
    begun = time.perf_counter()
    if folder:
        _open_and_teach(window, folder)
    seconds = time.perf_counter() - begun
    if folder:
        _scroll(window)
    return {"peak_mb": peak_megabytes(), "seconds": seconds}


def _open_and_teach(window: MainWindow, folder: str) -> None:
    space = window.workspace
    gallery, session = space.gallery, space.session
    gallery.open(folder)
    _wait(lambda: bool(gallery.count) and gallery.embedded == gallery.count, "the embeddings")
    for first in (0, 5):
        window.support.add_category()
        category = session.document.categories[-1].id
        files = gallery.files[first : first + 5]
        space.intake.teach_all(list(zip(files, gallery.ids[first : first + 5], strict=True)), category)
    _await(window, _classified, "the predictions")


def _scroll(window: MainWindow) -> None:
    """Go through the whole gallery in steps, so that thumbnails are made everywhere."""
    bar = window.query.folder.view.verticalScrollBar()
    for step in range(SCROLLS):
        bar.setValue(bar.maximum() * step // SCROLLS)
        _rest(SCROLL_PAUSE_MS)


SCENES: dict[str, Callable[..., dict[str, Any]]] = {
    "start": start,
    "first-prediction": first_prediction,
    "live": live,
    "blocked": blocked,
    "idle": idle,
    "memory": memory,
}
