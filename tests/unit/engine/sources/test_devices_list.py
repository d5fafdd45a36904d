from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from fewshot_gui.engine.sources import devices
from fewshot_gui.engine.sources.devices import CameraDevice, cameras_of_linux, find_again, probed_cameras

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def node(root: Path, number: int, name: str | None, index: str | None = "0") -> None:
    (root / "dev").mkdir(exist_ok=True)
    (root / "dev" / f"video{number}").touch()
    facts = root / "sys" / f"video{number}"
    facts.mkdir(parents=True)
    if name is not None:
        (facts / "name").write_text(name + "\n")
    if index is not None:
        (facts / "index").write_text(index + "\n")


def test_linux_lists_one_node_a_camera_by_number(tmp_path: Path) -> None:
    node(tmp_path, 10, "Zoom H1: UVC")
    node(tmp_path, 0, "Integrated Camera")
    node(tmp_path, 1, "Integrated Camera", index="1")
    (tmp_path / "dev" / "video-something").touch()
    dev = tmp_path / "dev"
    assert cameras_of_linux(dev, tmp_path / "sys") == [
        CameraDevice(0, "Integrated Camera", str(dev / "video0")),
        CameraDevice(10, "Zoom H1: UVC", str(dev / "video10")),
    ]


def test_a_camera_without_facts_has_no_name(tmp_path: Path) -> None:
    node(tmp_path, 3, None, index=None)
    assert cameras_of_linux(tmp_path / "dev", tmp_path / "sys") == [
        CameraDevice(3, "", str(tmp_path / "dev" / "video3"))
    ]


def test_no_cameras_no_list(tmp_path: Path) -> None:
    assert cameras_of_linux(tmp_path / "dev", tmp_path / "sys") == []


class Probe:
    """OpenCV's capture where only the numbers in `there` open."""

    there: frozenset[int] = frozenset()
    released = 0

    def __init__(self, index: int, _backend: int) -> None:
        self.index = index

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.index in self.there

    def release(self) -> None:
        type(self).released += 1


def test_elsewhere_numbers_are_tried_until_two_in_a_row_are_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Two(Probe):
        there = frozenset({0, 2})

    monkeypatch.setattr(devices.cv2, "VideoCapture", Two)
    level = devices.cv2.utils.logging.getLogLevel()
    assert probed_cameras() == [CameraDevice(0), CameraDevice(2)]
    assert Two.released == 5, "0, 1, 2, 3 and 4 were tried, and each was let go"
    assert devices.cv2.utils.logging.getLogLevel() == level


def test_a_camera_that_this_program_has_open_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be opened twice, and so seemed to be none."""

    class Nothing(Probe):
        pass

    monkeypatch.setattr(devices.cv2, "VideoCapture", Nothing)
    monkeypatch.setattr(devices, "RELEASE_SECONDS", 0.0)
    with devices.IN_USE[0]:
        assert probed_cameras() == [CameraDevice(0)]
    assert probed_cameras() == []


def test_opencv_is_told_not_to_take_minutes_whatever_imports_it_first() -> None:
    program = (
        "import os, sys\n"
        "import fewshot_gui.core\n"
        "assert 'cv2' not in sys.modules\n"
        "print(*(value for name, value in sorted(os.environ.items()) if name.startswith('OPENCV_')))"
    )
    plain = {name: value for name, value in os.environ.items() if not name.startswith("OPENCV_")}
    for chosen, told in ({}, "0"), ({"OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS": "1"}, "1"):
        done = subprocess.run(
            [sys.executable, "-c", program], env=plain | chosen, capture_output=True, text=True, check=True
        )
        # Only this one: told to skip asking, OpenCV fails on macOS and nobody is ever asked for permission.
        assert done.stdout.split() == [told]


def test_a_lost_camera_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    there = [CameraDevice(0, "Built in"), CameraDevice(4, "Webcam"), CameraDevice(6, "Webcam")]
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(devices, "cameras_of_linux", lambda: there)
    assert find_again(CameraDevice(2, "Webcam")) == there[1]
    assert find_again(CameraDevice(6, "Webcam")) == there[2]
    assert find_again(CameraDevice(2, "Microscope")) is None


def test_elsewhere_only_the_lost_camera_itself_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    class Tried(Probe):
        there = frozenset({1})

        def __init__(self, index: int, backend: int) -> None:
            super().__init__(index, backend)
            tried.append(index)

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(devices.cv2, "VideoCapture", Tried)
    assert find_again(CameraDevice(1)) == CameraDevice(1)
    assert find_again(CameraDevice(2)) is None
    assert tried == [1, 2]
