"""The cameras of this computer."""

from __future__ import annotations

import re
import sys
import threading
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2

_MOST_PROBED = 6
RELEASE_SECONDS = 2.0
"""How long to wait for a camera that was let go a moment ago: to close it takes its driver a while."""
IN_USE: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)
"""Of each camera, by its number, the lock of who has it open.

Of the process and not of a source: another session has a source of its own, and these cameras.
"""


@dataclass(frozen=True, slots=True)
class CameraDevice:
    """A camera that can be opened.

    Attributes:
        index: its number, as the system counts.
        name: what to call it; empty where the system does not tell.
        path: its device file; empty where there is none.
    """

    index: int
    name: str = ""
    path: str = ""


def list_cameras() -> list[CameraDevice]:
    """Return the cameras of this computer; slow where they must be tried, so call it on a worker."""
    return cameras_of_linux() if sys.platform == "linux" else probed_cameras()


def cameras_of_linux(
    devices: Path = Path("/dev"), described: Path = Path("/sys/class/video4linux")
) -> list[CameraDevice]:
    """Return the capture nodes of Video4Linux by number, without opening one.

    A webcam has further nodes (metadata, a second stream), which the kernel counts from 1 on.
    """
    found = []
    for path in devices.glob("video*"):
        number = re.fullmatch(r"video(\d+)", path.name)
        facts = described / path.name
        if number and _text(facts / "index") in {"", "0"}:
            found.append(CameraDevice(int(number[1]), _text(facts / "name"), str(path)))
    return sorted(found, key=lambda device: device.index)


def find_again(lost: CameraDevice) -> CameraDevice | None:
    """Return a camera that was unplugged, where it is there again, perhaps under another number; else None.

    No other camera is opened for it: its light would say that it is used. Slow, so call it on a worker.
    """
    if sys.platform != "linux":
        return lost if _opens(lost.index) else None
    same = [each for each in cameras_of_linux() if each.name == lost.name]
    return next((each for each in same if each.index == lost.index), same[0] if same else None)


def _text(path: Path) -> str:
    """Return the first line of a file of the kernel; empty where it cannot be read."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return lines[0].strip() if lines else ""


def probed_cameras() -> list[CameraDevice]:
    """Return the cameras that open, tried one number after another without a word on the terminal."""
    found: list[CameraDevice] = []
    misses = 0
    for index in range(_MOST_PROBED):
        opened = _opens(index)
        misses = 0 if opened else misses + 1
        if opened:
            found.append(CameraDevice(index))
        elif misses == 2:  # the systems count without gaps, but for one that was unplugged
            break
    return found


def _opens(index: int) -> bool:
    """Return whether the camera of that number opens, tried without a word on the terminal."""
    in_use = IN_USE[index]
    if not in_use.acquire(timeout=RELEASE_SECONDS):
        return True  # this program has it open
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        capture = cv2.VideoCapture(index, cv2.CAP_ANY)
        opened = capture.isOpened()
        capture.release()
    finally:
        in_use.release()
        cv2.utils.logging.setLogLevel(before)
    return opened
