"""A real video file and a computer without a camera, through the real lanes, bridge and pages."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import av
import numpy as np
import pytest

from fewshot_gui.engine.event import Event
from fewshot_gui.engine.session import Session
from fewshot_gui.engine.sources.camera import CameraSource
from fewshot_gui.engine.sources.video import VideoSource
from fewshot_gui.engine.worker import Worker
from fewshot_gui.gui.live.camera_page import CameraPage
from fewshot_gui.gui.live.video_page import VideoPage
from fewshot_gui.gui.main_thread import MainThread
from fewshot_gui.gui.theme import Appearance

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

# The offscreen platform warns about the size hints of every window that is shown.
pytestmark = pytest.mark.qt_log_ignore("^This plugin does not support", extend=True)


@pytest.fixture
def bridge(qapp: object) -> Iterator[MainThread]:
    result = MainThread()
    yield result
    result.close()


@pytest.fixture
def lane(bridge: MainThread) -> Iterator[Worker]:
    result = Worker("source", bridge.post, threads=2)
    yield result
    assert result.close(20)


@pytest.fixture
def parts(tmp_path: Path, bridge: MainThread) -> Iterator[SimpleNamespace]:
    """A session, and a loop and an intake that do nothing."""
    disk = Worker("disk", bridge.post)
    session = Session.create(tmp_path / "test.fewshot", disk)
    loop = SimpleNamespace(predicted=Event(), offer=lambda *_args, **_named: None, reset=lambda: None)
    yield SimpleNamespace(session=session, loop=cast("Any", loop), intake=cast("Any", SimpleNamespace()))
    session.close()
    assert disk.close(20)


def test_a_video_file_plays_in_the_window(
    qtbot: QtBot, tmp_path: Path, bridge: MainThread, lane: Worker, parts: SimpleNamespace
) -> None:
    path = tmp_path / "Ünïcode clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for value in range(10):
            pixels = np.full((48, 64, 3), 20 * value, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    source = VideoSource(lane, bridge.post)
    page = VideoPage(parts.session, source, parts.loop, parts.intake, Appearance())
    qtbot.addWidget(page)
    page.show()
    page.open(str(path))
    qtbot.waitUntil(lambda: source.info is not None and not source.playing)
    assert page.slider.maximum() == 40
    assert page.slider.value() == 36
    assert page.view.image is not None
    assert page.view.image.pixelColor(32, 24).red() == pytest.approx(180, abs=8)
    assert page.play.accessibleName() == "Play"


def test_a_computer_without_a_camera_says_so(
    qtbot: QtBot, bridge: MainThread, lane: Worker, parts: SimpleNamespace
) -> None:
    source = CameraSource(lane, bridge.post, listed=list)
    page = CameraPage(parts.session, source, parts.loop, parts.intake, Appearance())
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: page.empty.title.text() == "No camera found")
    page.hide()
