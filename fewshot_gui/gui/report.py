"""The sample without a display: a table of predictions on the terminal and a picture of the window."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEventLoop, QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler

from fewshot_gui.engine.own_pictures import PROGRAM, is_own_picture, may_replace
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.session_error import SessionError
from fewshot_gui.engine.workspace import Lanes
from fewshot_gui.gui.error_words import session_words
from fewshot_gui.gui.label_export import label_table
from fewshot_gui.gui.main_thread import MainThread
from fewshot_gui.gui.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QApplication

    from fewshot_gui.engine.label_table import LabelTable
    from fewshot_gui.gui.main_window import MainWindow

PATIENCE_MS = 300_000
WINDOW = 1366, 768
SETTLE_MS = 300  # for the last thumbnails to be painted


def run_report(app: QApplication, picture: Path, session: str | None) -> int:
    """Return 0 once the table is printed and the window is saved as `picture`, 1 where that failed.

    Args:
        app: on the offscreen platform.
        picture: a PNG to write.
        session: to show in place of the sample; left as it is.
    """
    if not may_replace(picture, is_own_picture):
        _tell(f"{picture} is there already, and no report of this program; choose another name.")
        return 1
    former = qInstallMessageHandler(_without_platform_notes)
    bridge = MainThread()
    lanes = Lanes.start(bridge.post)
    with tempfile.TemporaryDirectory() as folder:
        if not session:
            os.environ["FEWSHOT_DATA"] = folder
        shell = Shell(lanes, bridge.post, app.property("appearance"), keeps_place=False)
        try:
            if not session:
                shell.start(None, sample=True)
            elif (trouble := _trouble(session, lanes)) is None:
                shell.open_session(session)
            else:
                _tell(trouble)  # a message box would wait for ever where nobody can see it
            return _report(shell.window, picture) if shell.window is not None else 1
        finally:
            shell.close()
            lanes.close()
            bridge.close()
            qInstallMessageHandler(former)


def _without_platform_notes(_kind: QtMsgType, _context: QMessageLogContext, text: str | None) -> None:
    """Print what Qt says, but for what the offscreen platform says of itself."""
    if text and not text.startswith("This plugin does not support"):
        _tell(text)


def _trouble(session: str, lanes: Lanes) -> str | None:
    """Return what is wrong with a session, None where it can be opened."""
    try:
        Session.open(session, lanes.disk).close()
    except SessionError as error:
        return f"{error.path}: {session_words(error)}"
    return None


def _report(window: MainWindow, picture: Path) -> int:
    window.resize(*WINDOW)
    gallery, predictor = window.workspace.gallery, window.workspace.predictor

    def complete() -> bool:
        scores = predictor.scores
        if predictor.status.problem:
            return True
        seen = gallery.count and not gallery.listing and gallery.embedded == gallery.count
        # Of a picture that cannot be read nothing will ever be known.
        told = scores is not None and scores.version and np.array_equal(scores.known, gallery.known)
        return bool(seen and told and not predictor.status.busy)

    ready = wait_until(complete, PATIENCE_MS)
    table = label_table(window.workspace)
    if not ready or table is None or predictor.status.problem:
        _tell(f"The sample could not be classified: {predictor.status.detail or 'it took too long'}")
        return 1
    view = window.query.folder.view
    view.setCurrentIndex(view.model().index(0, 0))
    wait_until(lambda: window.workspace.lanes.decode.pending == 0, 10_000)
    wait_until(lambda: False, SETTLE_MS)
    shot = window.grab().toImage()
    shot.setText("Software", PROGRAM)
    if not shot.save(str(picture)):
        _tell(f"The picture of the window could not be written to {picture}; choose another place.")
        return 1
    print(f"{words(table)}\n\nThe window is saved as {picture.absolute()}")  # noqa: T201 - it is the result
    return 0


def _tell(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - there is no window to say it in


def words(table: LabelTable) -> str:
    """Return the table for a terminal: picture, label, probability."""
    width = max(len(Path(path).name) for path in table.paths)
    lines = [f"{'picture':<{width}}  {'label':<16}  probability"]
    for row, path in enumerate(table.paths):
        label = table.label(row)
        name = "none of these" if label < 0 else table.classes[label]
        lines.append(f"{Path(path).name:<{width}}  {name:<16}  {table.probability(row):.2f}")
    return "\n".join(lines)


def wait_until(done: Callable[[], bool], at_most_ms: int) -> bool:
    """Return True once `done` says so, with the event loop running; False after `at_most_ms`."""
    loop = QEventLoop()
    poll = QTimer(interval=20)

    def look() -> None:
        if done():
            loop.quit()

    poll.timeout.connect(look)
    end = QTimer(interval=at_most_ms, singleShot=True)
    end.timeout.connect(loop.quit)
    if not done():
        poll.start()
        end.start()
        loop.exec()
    return done()
