"""No display: the program says so, runs the sample, prints its table and saves a picture of the window."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.core.data_files import assets_folder, models_folder
from fewshot_gui.gui.app import platforms

if TYPE_CHECKING:
    from pathlib import Path

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a display")
@pytest.mark.skipif(
    not (models_folder() / "photo.safetensors").exists(), reason="no weights in this checkout"
)
@pytest.mark.parametrize("display", [None, ":987"], ids=["none", "one that nobody answers"])
def test_the_sample_runs_where_no_window_can_open(tmp_path: Path, display: str | None) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in DISPLAYS}
    environment |= {"FEWSHOT_CACHE": str(tmp_path), "FEWSHOT_DATA": str(tmp_path)}
    if display:
        environment["DISPLAY"] = display
    done = subprocess.run(
        [sys.executable, "-m", "fewshot_gui"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("There is no display")
    pictures = list((assets_folder() / "sample" / "pictures").iterdir())
    assert all(picture.name in done.stdout for picture in pictures)
    assert "propagateSizeHints" not in done.stderr
    assert (tmp_path / "fewshot-sample.png").read_bytes().startswith(b"\x89PNG")


def test_the_platforms_end_with_the_one_that_needs_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in DISPLAYS:
        monkeypatch.delenv(name, raising=False)
    assert platforms(hidden=False) == "offscreen"
    monkeypatch.setenv("DISPLAY", ":0")
    assert platforms(hidden=False) == "xcb;offscreen"
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert platforms(hidden=False) == "wayland;xcb;offscreen"
    assert platforms(hidden=True) == "offscreen"
    monkeypatch.setenv("QT_QPA_PLATFORM", "minimal")
    assert platforms(hidden=False) == "minimal"
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delenv("QT_QPA_PLATFORM")
    assert platforms(hidden=False) == ""
