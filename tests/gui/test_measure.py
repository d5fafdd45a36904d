"""The window measures itself: paints, gaps, frames a second, and whole scenes in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from fewshot_gui.engine.event import Event
from fewshot_gui.engine.measures.materials import make_pictures, make_session, make_video
from fewshot_gui.engine.session_places import SUFFIX
from fewshot_gui.gui import measure
from fewshot_gui.gui.first_paint import FirstPaint
from fewshot_gui.gui.measure import LiveWatch, Paints, SceneError, rate
from fewshot_gui.gui.report import wait_until
from fewshot_gui.gui.watchdog import Watchdog, innermost_calls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.fixture
def widget(qtbot: QtBot) -> QWidget:
    result = QWidget()
    qtbot.addWidget(result)
    return result


def busy(seconds: float) -> None:
    """Keep this thread computing, as a slow slot would."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


# First paint ----------------------------------------------------------------------------------------


def test_the_first_paint_is_told_once(widget: QWidget, qtbot: QtBot) -> None:
    told: list[bool] = []
    FirstPaint(widget, lambda: told.append(widget.isVisible()))
    widget.show()
    qtbot.waitUntil(lambda: bool(told))

    widget.repaint()
    wait_until(lambda: False, 20)

    assert told == [True]


def test_a_widget_that_is_never_shown_tells_nothing(widget: QWidget) -> None:
    told: list[int] = []
    FirstPaint(widget, lambda: told.append(1))

    wait_until(lambda: False, 20)

    assert told == []


def test_a_widget_that_was_painted_before_is_painted_again(widget: QWidget, qtbot: QtBot) -> None:
    with qtbot.waitExposed(widget):
        widget.show()
    widget.repaint()

    told: list[int] = []
    FirstPaint(widget, lambda: told.append(1))

    qtbot.waitUntil(lambda: told == [1])


def test_every_paint_is_told_until_nobody_listens(widget: QWidget, qtbot: QtBot) -> None:
    with qtbot.waitExposed(widget):
        widget.show()
    told: list[int] = []
    watch = Paints(widget, lambda: told.append(1))

    for number in (1, 2):
        widget.repaint()
        qtbot.waitUntil(lambda number=number: len(told) >= number)
    widget.removeEventFilter(watch)
    told.clear()
    widget.repaint()
    wait_until(lambda: False, 20)

    assert told == []


# Watchdog -------------------------------------------------------------------------------------------


@pytest.fixture
def watchdog(qapp: object, tmp_path: Path) -> Iterator[Watchdog]:
    with (tmp_path / "notes").open("w+b", buffering=0) as notes:
        result = Watchdog(notes)
        yield result
        result.stop()


def test_a_slow_call_is_the_longest_gap_of_its_phase(watchdog: Watchdog) -> None:
    watchdog.enter("quiet")
    wait_until(lambda: False, 30)
    watchdog.enter("slow")
    QTimer.singleShot(0, lambda: busy(0.16))
    wait_until(lambda: False, 250)
    watchdog.enter("after")
    wait_until(lambda: False, 30)

    slow = watchdog.worst["slow"]
    assert slow.milliseconds >= 145
    assert slow.computing_ms > 20
    assert watchdog.worst_ms >= slow.milliseconds
    assert list(watchdog.phases()) == ["quiet", "slow", "after"]
    assert watchdog.phases()["slow"]["milliseconds"] == slow.milliseconds


def test_the_alarm_says_where_the_thread_was(watchdog: Watchdog) -> None:
    watchdog.enter("slow")
    # Far longer than the alarm, so that a busy machine sounds it too.
    QTimer.singleShot(0, lambda: busy(0.5))
    wait_until(lambda: False, 700)

    assert "test_measure.py" in watchdog.worst["slow"].where
    assert "busy" in watchdog.worst["slow"].where


def test_nothing_is_blocked_before_it_watches(watchdog: Watchdog) -> None:
    busy(0.12)
    watchdog.enter("start")

    assert watchdog.worst_ms == 0


DUMP = """Timeout (0:00:00.100000)!
Thread 0x00000000000000aa (most recent call first):
  File "/x/engine/worker.py", line 264 in _turn

Thread 0x00000000000000bb (most recent call first):
  File "/x/fewshot_gui/gui/slow.py", line 7 in crawl
  File "/x/fewshot_gui/gui/view.py", line 12 in paintEvent
  File "/x/a.py", line 1 in one
  File "/x/b.py", line 2 in two
"""


def test_the_innermost_calls_of_a_thread_are_found() -> None:
    assert innermost_calls(DUMP, 0xBB) == "gui/slow.py:7 crawl < gui/view.py:12 paintEvent < x/a.py:1 one"
    assert innermost_calls(DUMP, 0xAA) == "engine/worker.py:264 _turn"


def test_a_thread_that_is_not_in_the_dump_was_nowhere() -> None:
    assert innermost_calls(DUMP, 0xCC) == ""
    assert innermost_calls("", 0xBB) == ""


# Live -----------------------------------------------------------------------------------------------


def test_a_rate_needs_two_moments() -> None:
    assert rate([]) == rate([1.0]) == 0
    assert rate([0.0, 0.5, 1.0]) == 2


@pytest.fixture
def live_window(widget: QWidget, qtbot: QtBot) -> Any:
    """What LiveWatch looks at: a view with an image, and a loop that predicts."""
    with qtbot.waitExposed(widget):
        widget.show()
    widget.image = None  # type: ignore[attr-defined]
    loop = SimpleNamespace(predicted=Event[[Any]]())
    return SimpleNamespace(
        query=SimpleNamespace(video=SimpleNamespace(view=widget)),
        workspace=SimpleNamespace(video_loop=loop),
        view=widget,
        loop=loop,
    )


def test_a_frame_counts_once_however_often_it_is_painted(live_window: Any, qtbot: QtBot) -> None:
    watch = LiveWatch(live_window)
    live_window.view.image = object()
    for _ in range(3):
        live_window.view.repaint()
        wait_until(lambda: False, 10)
    live_window.view.image = object()
    live_window.view.repaint()
    qtbot.waitUntil(lambda: len(watch.shown) == 2)

    watch.close()
    assert watch.predicted == []


def test_a_prediction_is_as_late_as_its_paint(live_window: Any, qtbot: QtBot) -> None:
    watch = LiveWatch(live_window)
    live_window.loop.predicted.emit(SimpleNamespace(captured_at=time.perf_counter() - 0.05))
    assert watch.latencies_ms == []

    live_window.view.repaint()
    qtbot.waitUntil(lambda: len(watch.latencies_ms) == 1)

    watch.close()
    assert watch.latencies_ms[0] >= 50
    assert len(watch.predicted) == 1


# Whole scenes ---------------------------------------------------------------------------------------


def scene(tmp_path: Path, backbone: str, *arguments: str) -> dict[str, Any]:
    session = make_session(tmp_path / f"{arguments[0]}{SUFFIX}", backbone)
    own = {"FEWSHOT_CACHE": str(tmp_path / "cache"), "FEWSHOT_DATA": str(tmp_path / "data")}
    command = [sys.executable, "-m", "fewshot_gui", str(session), "--measure", *arguments]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", **own}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)
    assert done.stdout, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == int("error" in told)
    return told


def test_a_start_is_painted_before_torch_is_imported(tmp_path: Path) -> None:
    begun = time.time()

    told = scene(tmp_path, "photo", "start")

    assert begun < told["painted_at"] < time.time()
    assert told["torch_imported"] is False


def test_a_backbone_that_is_missing_ends_the_scene_with_its_reason(tmp_path: Path) -> None:
    told = scene(tmp_path, "/no/such.safetensors", "first-prediction")

    assert "first-prediction: missing" in told["error"]


def test_the_empty_window_tells_when_it_was_painted() -> None:
    begun = time.time()
    done = subprocess.run(
        [sys.executable, "-m", "fewshot_gui.gui.bare_window"],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert begun < json.loads(done.stdout)["painted_at"] < time.time()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["blocked", "memory"])
def test_a_scene_runs_to_its_end(tmp_path: Path, tiny_photo_backbone: str, name: str) -> None:
    make_pictures(tmp_path / "folder", 12, side=64)
    paths = [str(tmp_path / "folder")]
    if name == "blocked":
        paths.append(str(make_video(tmp_path / "video.mp4", 1.0)))

    told = scene(tmp_path, tiny_photo_backbone, name, *paths)

    if name == "blocked":
        assert list(told["phases"]) == ["start", "sample", "folder", "teaching", "live"]
        assert told["worst_ms"] == max(phase["milliseconds"] for phase in told["phases"].values())
    else:
        assert told["peak_mb"] > 100


@pytest.fixture
def tiny_photo_backbone(tmp_path: Path) -> str:
    """A bundle of random weights, made in a process of its own: torch stays out of this one."""
    path = tmp_path / "tiny.safetensors"
    script = f"""
import numpy as np
from pathlib import Path
from fewshot_gui.core.backbones.bundle import save_bundle
from fewshot_gui.core.backbones.networks import build_network
architecture = {{"kind": "conv4", "channels": 3, "width": 8}}
weights = {{key: value.numpy() for key, value in build_network(architecture).state_dict().items()}}
kept = {{"side": 16, "channels": 3, "mean": [0.5] * 3, "std": [0.25] * 3}}
save_bundle(Path({str(path)!r}), weights | {{"centre": np.zeros(8, np.float32)}}, {{
    "title": "Tiny", "architecture": architecture, "preprocessing": kept, "dimension": 8, "normalise": True,
    "temperature": 0.1, "novelty": 1.0, "training": {{}}}})
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    return str(path)


def test_a_scene_that_waits_in_vain_says_for_what(qapp: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "PATIENCE_MS", 10)

    with pytest.raises(SceneError, match="waited in vain for spring"):
        measure._wait(lambda: False, "spring")
