"""What this installation and this computer have of what the program needs, as plain findings."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open

from fewshot_gui.core.backbones.bundle import BundleError, describe_bundle, tensors_hash
from fewshot_gui.core.backbones.catalogue import DEFAULTS
from fewshot_gui.core.data_files import assets_folder, models_folder
from fewshot_gui.engine.folders import cache_folder, data_folder
from fewshot_gui.engine.runtimes.conditions import conditions_of
from fewshot_gui.engine.runtimes.record import RUNTIMES, Case, read_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

OLDEST_PYTHON = 3, 11
# By the name that a person knows; any of the distributions will do, the first is ours.
PACKAGES = {
    "PySide6": ("PySide6-Essentials", "PySide6"),
    "torch": ("torch",),
    "torchvision": ("torchvision",),
    "OpenCV": ("opencv-python-headless", "opencv-python", "opencv-contrib-python-headless"),
    "NumPy": ("numpy",),
    "Pillow": ("pillow",),
    "pillow-heif": ("pillow-heif",),
    "rawpy": ("rawpy",),
    "PyAV": ("av",),
    "safetensors": ("safetensors",),
    "platformdirs": ("platformdirs",),
    "tqdm": ("tqdm",),
    "watchdog": ("watchdog",),
    "lxml": ("lxml",),
    "matplotlib": ("matplotlib",),
}
LITTLE_ROOM_BYTES = 2 * 1024**3
NO_ROOM_BYTES = 200 * 1024**2
QT_SECONDS = 120

# Qt is tried in a process of its own: only the window may import it. The plugin for X11 is loaded late, by
# the first window, so its libraries are tried as well.
_TRY_QT = """
import ctypes, pathlib, PySide6.QtWidgets
plugin = pathlib.Path(PySide6.__file__).with_name("Qt") / "plugins" / "platforms" / "libqxcb.so"
if plugin.exists():
    ctypes.CDLL(str(plugin))
"""


class Verdict(StrEnum):
    """What a finding means for the program."""

    OK = "ok"
    ATTENTION = "attention"
    MISSING = "missing"


class Part(StrEnum):
    """What was looked at."""

    PYTHON = "python"
    PACKAGE = "package"
    BACKBONE = "backbone"
    SAMPLE = "sample"
    FOLDER = "folder"
    ROOM = "room"
    QT = "qt"
    DISPLAY = "display"
    CAMERA = "camera"
    DEVICE = "device"
    CHOSEN_DEVICE = "chosen-device"
    RUNTIME = "runtime"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        part: what kind of thing.
        name: which one of its kind, as the system calls it; empty where there is only one.
        verdict: whether the program can use it; "missing" where it cannot run without.
        detail: the fact: a version, a path, a message of the system.
    """

    part: Part
    name: str
    verdict: Verdict
    detail: str = ""


def check_all() -> Iterator[Finding]:
    """Yield every finding, what takes seconds last. Imports torch and OpenCV."""
    yield check_python(sys.version_info[:3])
    yield from check_packages()
    yield from check_backbones(models_folder())
    yield check_sample(assets_folder())
    yield check_folder("cache", cache_folder())
    yield check_folder("sessions", data_folder())
    yield check_room(cache_folder())
    yield check_display(sys.platform, os.environ)
    yield check_qt([sys.executable, "-c", _TRY_QT])
    yield from check_cameras()
    yield from check_devices()
    yield from check_runtimes(cache_folder() / RUNTIMES)


def is_usable(findings: Sequence[Finding]) -> bool:
    """Return whether nothing essential is missing."""
    return all(finding.verdict is not Verdict.MISSING for finding in findings)


def check_python(version: Sequence[int]) -> Finding:
    """Return the version of this Python."""
    fits = tuple(version[:2]) >= OLDEST_PYTHON
    verdict = Verdict.OK if fits else Verdict.MISSING
    return Finding(Part.PYTHON, "", verdict, ".".join(str(part) for part in version))


def check_packages() -> Iterator[Finding]:
    """Yield the version of each package that the program is made of."""
    for name, distributions in PACKAGES.items():
        found = [(each, version) for each in distributions if (version := installed_version(each))]
        yield judge_package(name, found, sys.version_info[:2])


def installed_version(distribution: str) -> str:
    """Return the version of an installed distribution; empty where it is not."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def judge_package(name: str, found: Sequence[tuple[str, str]], python: Sequence[int]) -> Finding:
    """Return what (distribution, version) pairs of one package mean on this version of Python."""
    if not found:
        return Finding(Part.PACKAGE, name, Verdict.MISSING)
    distribution, version = found[0]
    if name == "PySide6" and version == "6.12.0" and tuple(python) < (3, 12):
        # Every Signal.emit() loses a reference there: the program aborts after some 500.
        return Finding(Part.PACKAGE, name, Verdict.MISSING, version)
    if name == "OpenCV" and any("headless" not in each for each, _ in found):
        # It brings a Qt of its own, which fights with PySide6 over plugins.
        return Finding(Part.PACKAGE, name, Verdict.ATTENTION, f"{distribution} {version}")
    return Finding(Part.PACKAGE, name, Verdict.OK, version)


def check_backbones(folder: Path) -> Iterator[Finding]:
    """Yield each shipped bundle with its hash; those to start with are missed, others are not."""
    names = {path.stem for path in folder.glob("*.safetensors")}
    for name in sorted(names | set(DEFAULTS.values())):
        bad = Verdict.MISSING if name in DEFAULTS.values() else Verdict.ATTENTION
        path = folder / f"{name}.safetensors"
        try:
            info = describe_bundle(path)
            sound = has_sound_weights(path)
        except (BundleError, SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            detail = error.detail if isinstance(error, BundleError) else str(error)
            yield Finding(Part.BACKBONE, name, bad, detail if path.exists() else "")
        else:
            yield Finding(Part.BACKBONE, name, Verdict.OK if sound else bad, info.hash)


def has_sound_weights(path: Path) -> bool:
    """Return whether the weights in a bundle are those that were written; torch is not imported."""
    with safe_open(path, framework="np") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        return bool(tensors_hash(tensors) == file.metadata()["sha256"])


def check_sample(assets: Path) -> Finding:
    """Return whether the sample's pictures came along."""
    count = sum(1 for path in (assets / "sample").rglob("*.webp") if path.is_file())
    return Finding(Part.SAMPLE, "", Verdict.OK if count else Verdict.ATTENTION, str(count))


def check_folder(name: str, folder: Path) -> Finding:
    """Return whether files can be written to a folder, or to where it will be made; leaves nothing behind."""
    try:
        with tempfile.TemporaryFile(dir=existing(folder)):
            return Finding(Part.FOLDER, name, Verdict.OK, str(folder))
    except OSError as error:
        return Finding(Part.FOLDER, name, Verdict.MISSING, f"{folder}: {error.strerror}")


def existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    return next((each for each in (folder, *folder.parents) if each.is_dir()), Path(folder.anchor))


def check_room(folder: Path) -> Finding:
    """Return how many bytes are free on the disk of a folder."""
    free = shutil.disk_usage(existing(folder)).free
    verdict = Verdict.OK if free >= LITTLE_ROOM_BYTES else Verdict.ATTENTION
    return Finding(Part.ROOM, "", Verdict.MISSING if free < NO_ROOM_BYTES else verdict, str(free))


def check_display(platform: str, environment: Mapping[str, str]) -> Finding:
    """Return the display that a window would open on; only on Linux may there be none."""
    if not platform.startswith("linux"):
        return Finding(Part.DISPLAY, "", Verdict.OK, platform)
    found = next((environment[name] for name in ("WAYLAND_DISPLAY", "DISPLAY") if environment.get(name)), "")
    return Finding(Part.DISPLAY, "", Verdict.OK if found else Verdict.ATTENTION, found)


def check_qt(command: Sequence[str]) -> Finding:
    """Return whether a command that loads Qt and its system libraries ends well, else its last words."""
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter
            command, capture_output=True, text=True, errors="replace", timeout=QT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(Part.QT, "", Verdict.MISSING, str(error))
    if not done.returncode:
        return Finding(Part.QT, "", Verdict.OK)
    words = done.stderr.strip().splitlines()
    return Finding(Part.QT, "", Verdict.MISSING, words[-1] if words else f"exit code {done.returncode}")


def check_cameras() -> Iterator[Finding]:
    """Yield every camera; one that this user may not open is to be looked at."""
    from fewshot_gui.engine.sources.devices import list_cameras  # noqa: PLC0415 - OpenCV takes half a second

    cameras = list_cameras()
    if not cameras:
        yield Finding(Part.CAMERA, "", Verdict.ATTENTION)
    for camera in cameras:
        closed = bool(camera.path) and not os.access(camera.path, os.R_OK | os.W_OK)
        name = camera.name or f"camera {camera.index}"
        yield Finding(Part.CAMERA, name, Verdict.ATTENTION if closed else Verdict.OK, camera.path)


def check_devices() -> Iterator[Finding]:
    """Yield every device of torch, then the one that is taken by default."""
    from fewshot_gui.engine.devices import available_devices, choose_device  # noqa: PLC0415 - as torch below

    try:
        devices = available_devices()
    except (ImportError, OSError) as error:  # a torch whose libraries cannot be loaded
        yield Finding(Part.DEVICE, "torch", Verdict.MISSING, str(error))
        return
    names = [device.name for device in devices]
    if "cuda" not in names and shutil.which("nvidia-smi"):
        yield Finding(Part.DEVICE, "cuda", Verdict.ATTENTION)
    for device in devices:
        yield Finding(Part.DEVICE, device.name, Verdict.OK, device.title)
    yield Finding(Part.CHOSEN_DEVICE, choose_device("auto"), Verdict.OK)


def check_runtimes(folder: Path) -> Iterator[Finding]:
    """Yield how fast each runtime embeds with the bundles to start with on the CPU, the faster one first.

    Nothing where torch is alone because onnxruntime or the exporter is missing: it does all that is needed.
    The detail is empty where the runtimes have not been compared yet.
    """
    try:
        import torch  # noqa: PLC0415 - torch takes seconds to import
    except (ImportError, OSError):  # said of the device already
        return
    for name in sorted(DEFAULTS.values()):
        try:
            conditions = conditions_of(describe_bundle(name), torch.get_num_threads())
        except BundleError:  # said of the backbone already
            continue
        if conditions is None:
            continue
        record = read_record(folder, conditions)
        if record is None or record.problem:
            verdict = Verdict.OK if record is None else Verdict.ATTENTION
            yield Finding(Part.RUNTIME, name, verdict, "" if record is None else record.problem)
            continue
        for case in record.cases:
            yield Finding(Part.RUNTIME, f"{name} x {case.pictures}", Verdict.OK, _speeds(case))


def _speeds(case: Case) -> str:
    speeds = [f"torch {case.torch_ms:.2f} ms", f"ONNX Runtime {case.onnx_ms:.2f} ms"]
    return f"{', '.join(reversed(speeds) if case.onnx_is_faster else speeds)} a picture"
