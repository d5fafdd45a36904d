"""`fewshot-gui doctor`: what is installed, which device, which camera, what to do about what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fewshot_gui.cli.output import DONE, SOME_FAILED, counted, say, say_json
from fewshot_gui.engine.checkup import Finding, Part, Verdict, check_all, is_usable

if TYPE_CHECKING:
    import argparse

SIGNS = {Verdict.OK: "ok", Verdict.ATTENTION: "attention", Verdict.MISSING: "MISSING"}
TITLES = {
    Part.PYTHON: "Python",
    Part.PACKAGE: "Package",
    Part.BACKBONE: "Backbone",
    Part.SAMPLE: "Sample",
    Part.FOLDER: "Folder",
    Part.ROOM: "Free disk",
    Part.QT: "Qt and its libraries",
    Part.DISPLAY: "Display",
    Part.CAMERA: "Camera",
    Part.DEVICE: "Device",
    Part.CHOSEN_DEVICE: "Chosen device",
    Part.RUNTIME: "Runtime on the CPU",
}
# What to do about what is not as it should be.
ADVICE = {
    Part.PYTHON: "Install Python 3.11 or newer, and the program with it.",
    Part.PACKAGE: "Install the program again: it brings this package in a version that fits.",
    Part.BACKBONE: "Install the program again: this file is not there or is damaged.",
    Part.SAMPLE: "Help > Try the sample has no pictures to show. Install the program again.",
    Part.FOLDER: "Nothing can be kept there. Make it writable, or set FEWSHOT_CACHE or FEWSHOT_DATA.",
    Part.ROOM: "Make room: embeddings and thumbnails of large folders take gigabytes.",
    Part.QT: "The window cannot open. On Debian and Ubuntu, packaging/launch.py installs what is missing.",
    Part.DISPLAY: "No window can open here. The commands work, and --report FILE.png runs the sample.",
    Part.CAMERA: "Plug one in or allow it in the system's settings. All but the camera works without.",
    Part.DEVICE: "torch cannot be loaded. Install the program again.",
    Part.RUNTIME: "ONNX Runtime cannot be used for it; torch embeds, and gives the same answers.",
}
CLOSED_CAMERA = "You may not open it. On Linux, add yourself to the group `video` and log in again."
NO_DRIVER = "There is an NVIDIA card that torch cannot use. Renew its driver; the processor works meanwhile."
NOT_COMPARED = (
    "torch; the window compares it with ONNX Runtime when idle, or: fewshot-gui bench --only runtime"
)
OTHER_OPENCV = (
    "It brings a Qt of its own. If no window opens: pip uninstall it, install opencv-python-headless."
)


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Add nothing: the doctor looks at everything."""


def run(arguments: argparse.Namespace) -> int:
    """Return 0 where the program can be used and 1 where something essential is missing."""
    findings = []
    for finding in check_all():
        findings.append(finding)
        if not arguments.json:
            say(in_words(finding))  # one by one: the last ones take seconds
    usable = is_usable(findings)
    if arguments.json:
        say_json({"usable": usable, "findings": [values(finding) for finding in findings]})
    else:
        say("\nThe program can be used." if usable else "\nSomething essential is missing; see above.")
    return DONE if usable else SOME_FAILED


def values(finding: Finding) -> dict[str, Any]:
    """Return a finding for machines, with the advice for people."""
    return {
        "part": finding.part.value,
        "name": finding.name,
        "verdict": finding.verdict.value,
        "detail": finding.detail,
        "advice": advice(finding),
    }


def in_words(finding: Finding) -> str:
    """Return a finding as a line, and a second one that says what to do where something is to be done."""
    fact = ", ".join(part for part in (finding.name, _detail(finding)) if part) or _nothing(finding)
    line = f"{SIGNS[finding.verdict]:<9}  {TITLES[finding.part]}: {fact}"
    todo = advice(finding)
    return f"{line}\n{'':<9}  {todo}" if todo else line


def advice(finding: Finding) -> str:
    """Return what to do; empty where nothing is."""
    if finding.verdict is Verdict.OK:
        return ""
    if finding.part is Part.CAMERA and finding.detail:
        return CLOSED_CAMERA
    if finding.verdict is Verdict.ATTENTION:
        special = {Part.DEVICE: NO_DRIVER, Part.PACKAGE: OTHER_OPENCV}
        return special.get(finding.part, ADVICE[finding.part])
    return ADVICE[finding.part]


def _detail(finding: Finding) -> str:
    if finding.part is Part.ROOM:
        return f"{int(finding.detail) / 1e9:.1f} GB"
    if finding.part is Part.SAMPLE:
        return counted(int(finding.detail), "picture")
    if finding.part is Part.RUNTIME:
        return finding.detail or NOT_COMPARED
    return finding.detail


def _nothing(finding: Finding) -> str:
    return "found" if finding.verdict is Verdict.OK else "none"
