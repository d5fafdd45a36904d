"""The composition root: builds everything once and hands each object what it needs."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from fewshot_gui.core.data_files import assets_folder
from fewshot_gui.engine.workspace import Lanes
from fewshot_gui.gui.kept_look import kept_colours
from fewshot_gui.gui.main_thread import MainThread
from fewshot_gui.gui.shell import Shell
from fewshot_gui.gui.size_menu import kept_size, sized
from fewshot_gui.gui.theme import Appearance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fewshot_gui.gui.theme import ColourChoice

translate = QCoreApplication.translate
REPORT_PICTURE = Path("fewshot-sample.png")
PULSE_MS = 500


def main(arguments: Sequence[str]) -> int:
    """Return the exit code of the window, or of the report where there is no display."""
    parsed = _parser().parse_args(arguments)
    chosen = bool(os.environ.get("QT_QPA_PLATFORM"))
    os.environ["QT_QPA_PLATFORM"] = platforms(hidden=bool(parsed.report))
    size = 100 if parsed.report or parsed.measure else kept_size()
    app = build_application(parsed.colours or kept_colours(), size)
    if not parsed.report and not chosen and app.platformName() == "offscreen":
        print("There is no display, so no window can open. Running the sample without one ...", flush=True)  # noqa: T201
        parsed.report = REPORT_PICTURE
    if parsed.report:
        from fewshot_gui.gui.report import run_report  # noqa: PLC0415 - only where there is no display

        return run_report(app, parsed.report, parsed.session)
    if parsed.measure:
        from fewshot_gui.gui.measure import run_measure  # noqa: PLC0415 - only `fewshot-gui bench` asks

        return run_measure(app, parsed.session, parsed.measure[0], parsed.measure[1:])
    return _run_window(app, parsed)


def _run_window(app: QApplication, parsed: argparse.Namespace) -> int:
    bridge = MainThread()
    lanes = Lanes.start(bridge.post)
    shell = Shell(lanes, bridge.post, app.property("appearance"))
    sys.excepthook = shell.report_unexpected
    # Not at once: before the event loop runs there is nothing to quit.
    signal.signal(signal.SIGINT, lambda *_: QTimer.singleShot(0, shell, shell.close))
    # Python hears of Ctrl+C in the terminal only when some Python runs, which in a resting window none does.
    pulse = QTimer(shell, interval=PULSE_MS)
    pulse.timeout.connect(lambda: None)
    pulse.start()
    try:
        shell.start(parsed.session, sample=parsed.sample)
        return app.exec() if shell.window is not None else 1
    finally:
        lanes.close()
        bridge.close()


def build_application(colours: ColourChoice = "system", size: int = 100) -> QApplication:
    """Return the application with its name and its look; the look is its property "appearance".

    Args:
        colours: which ones to begin with.
        size: how large everything is shown, in percent.
    """
    existing = QApplication.instance()
    with sized(size):
        app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("fewshot-labeler")
    app.setApplicationDisplayName("Few-shot Labeler")
    app.setDesktopFileName("fewshot-labeler")
    app.setWindowIcon(QIcon(str(assets_folder() / "app-icon.svg")))
    appearance = Appearance(app)
    appearance.size = size
    if colours != "system":
        appearance.choose(colours)
    appearance.install(app)
    app.setProperty("appearance", appearance)
    return app


def platforms(*, hidden: bool) -> str:
    """Return the platforms that Qt shall try in turn; empty leaves it to Qt.

    On Linux there may be no display, or one that nobody answers, and Qt would end the process; so the last of
    the list is the one that needs none.

    Args:
        hidden: no window is wanted.
    """
    if hidden:
        return "offscreen"
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    if chosen or not sys.platform.startswith("linux"):
        return chosen
    named = (("WAYLAND_DISPLAY", "wayland"), ("DISPLAY", "xcb"))
    return ";".join([platform for variable, platform in named if os.environ.get(variable)] + ["offscreen"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fewshot-gui")
    parser.add_argument(
        "session", nargs="?", metavar="SESSION", help="a session file; the last one by default"
    )
    parser.add_argument("--sample", action="store_true", help="open the sample")
    parser.add_argument(
        "--colours", choices=["system", "light", "dark"], help="those chosen last in the View menu by default"
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE.png",
        help="no window: run the sample, print its table, save a picture",
    )
    parser.add_argument("--measure", nargs="+", metavar="NAME", help=argparse.SUPPRESS)
    return parser
