#!/usr/bin/env python3
"""Install and start Few-shot Labeler, or run its checks and tests; needs nothing but Python.

    python3 packaging/launch.py [SESSION]     install where needed, then open the window
    python3 packaging/launch.py test          the same, then run every check and test

Everything lands in .venv beside this folder. `--yes` installs missing system libraries of Qt (Debian
and Ubuntu) without asking. A start that needs no installation adds a few milliseconds.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
OLDEST = (3, 11)
DISK_BYTES = 9 * 1024**3  # torch brings about 6 GB, and pip unpacks beside its download

# What Qt opens when a window starts, and the Debian package that has it.
QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
FONT_PACKAGE = "fonts-dejavu-core"
TEST_PROGRAMS = {"Xvfb": "xvfb", "xdotool": "xdotool"}
OTHER_SYSTEMS = {
    "dnf": "sudo dnf install mesa-libEGL mesa-libGL libxkbcommon-x11 dbus-libs fontconfig glib2 "
    "xcb-util-cursor xcb-util-wm xcb-util-image xcb-util-keysyms xcb-util-renderutil dejavu-sans-fonts",
    "pacman": "sudo pacman -S --needed libglvnd libxkbcommon-x11 dbus fontconfig glib2 xcb-util-cursor "
    "xcb-util-wm xcb-util-image xcb-util-keysyms xcb-util-renderutil ttf-dejavu",
    "zypper": "sudo zypper install Mesa-libEGL1 Mesa-libGL1 libxkbcommon-x11-0 libdbus-1-3 libfontconfig1 "
    "libglib-2_0-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-render-util0 "
    "dejavu-fonts",
}
CHECKS = (
    ("format", ["-m", "ruff", "format", "--check", "."]),
    ("lint", ["-m", "ruff", "check", "."]),
    ("types", ["-m", "mypy"]),
    ("import contract", ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]),
    ("dead code", ["-m", "vulture"]),
    ("dependencies", ["-m", "deptry", "."]),
    ("tests", ["-m", "pytest"]),
)


class LaunchError(Exception):
    """What stops the start, and what to do about it."""


def main(arguments: list[str]) -> int:
    """Return the exit code of the program or of its tests."""
    testing = arguments[:1] == ["test"]
    agreed = "--yes" in arguments
    rest = [a for a in arguments[1 if testing else 0 :] if a != "--yes"]
    try:
        if sys.version_info < OLDEST:
            raise LaunchError(
                f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; this is {sys.version.split()[0]}."
            )
        prepare("test" if testing else "", agreed=agreed)
    except LaunchError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return run_checks(rest) if testing else start(rest)


def start(arguments: list[str]) -> int:
    """Hand this process over to the program; on Windows, wait for it."""
    command = [str(venv_python()), "-m", "fewshot_gui", *arguments]
    if os.name != "nt":
        os.execv(command[0], command)  # noqa: S606 - our own interpreter, no shell
    return subprocess.call(command)


def run_checks(arguments: list[str]) -> int:
    """Run every check and the tests, all of them even if one fails, and return 1 if any did."""
    failed = []
    environment = {**os.environ, "PYTHONUTF8": "1"}
    for name, command in CHECKS:
        print(f"\n== {name}", flush=True)
        extra = arguments if name == "tests" else []
        if subprocess.call([str(venv_python()), *command, *extra], cwd=ROOT, env=environment):
            failed.append(name)
    print(f"\nFailed: {', '.join(failed)}" if failed else "\nEverything passed.", flush=True)
    return 1 if failed else 0


def prepare(extra: str, *, agreed: bool) -> None:
    """Make .venv, install the project and find Qt's libraries, unless a former start did all that.

    Raises:
        LaunchError: something is missing that only the person can provide.
    """
    stamp = VENV / f"installed{'-' + extra if extra else ''}"
    wanted = fingerprint()
    if stamp.is_file() and stamp.read_text() == wanted and venv_python().exists():
        return
    install_system_libraries(missing_packages(for_tests=extra == "test"), agreed=agreed)
    make_venv()
    install_project(extra)
    stamp.write_text(wanted)


def fingerprint() -> str:
    """Return what an installation was made from: the project's settings, this place and this Python."""
    settings = (ROOT / "pyproject.toml").read_bytes()
    return hashlib.sha256(settings + f"{ROOT}{sys.version}".encode()).hexdigest()


def venv_python() -> Path:
    """Return the interpreter of .venv, which may not exist yet."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def make_venv() -> None:
    """Create .venv where there is none that works.

    Raises:
        LaunchError: this Python cannot make one, or the disk is too full for what follows.
    """
    works = [str(venv_python()), "-m", "pip", "--version"]
    if venv_python().exists() and not subprocess.run(works, capture_output=True, check=False).returncode:
        return
    free = shutil.disk_usage(ROOT).free
    if free < DISK_BYTES:
        raise LaunchError(
            f"{ROOT} has {free / 1e9:.1f} GB free and the installation needs 9 GB. Make room first."
        )
    print(f"Making a Python environment in {VENV} ...", flush=True)
    if subprocess.call([sys.executable, "-m", "venv", "--clear", str(VENV)]):
        raise LaunchError(f"Python could not make {VENV}; its message stands above.")


def install_project(extra: str) -> None:
    """Install the project and what it needs into .venv; pip shows its progress.

    Raises:
        LaunchError: pip failed.
    """
    print(
        "Installing. The first time brings several GB (torch with its GPU libraries) and takes minutes.",
        flush=True,
    )
    what = f"{ROOT}[{extra}]" if extra else str(ROOT)
    command = [str(venv_python()), "-m", "pip", "install", "--disable-pip-version-check", "--editable", what]
    if subprocess.call(command):
        raise LaunchError(
            "The installation stopped; pip's message stands above. Without a connection, connect and start "
            "again: what has been downloaded is kept."
        )


def missing_packages(*, for_tests: bool) -> list[str]:
    """Return the Debian packages of what Qt will look for and not find; empty but on Linux."""
    if not sys.platform.startswith("linux"):
        return []
    missing = [package for library, package in QT_LIBRARIES.items() if not can_open(library)]
    if not any(Path("/usr/share/fonts").glob("**/*.[to]tf")):
        missing.append(FONT_PACKAGE)
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian ships it apart, and venv needs it
    except ImportError:
        missing.append(f"python{sys.version_info.major}.{sys.version_info.minor}-venv")
    if for_tests:
        missing += [package for program, package in TEST_PROGRAMS.items() if not shutil.which(program)]
    return missing


def can_open(library: str) -> bool:
    """Return whether the system's loader finds a shared library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def install_system_libraries(packages: list[str], *, agreed: bool) -> None:
    """Install Debian packages as root or by sudo after asking; elsewhere print the line to type.

    Raises:
        LaunchError: refused or failed, with the line to type.
    """
    if not packages:
        return
    if not shutil.which("apt-get"):
        line = next((text for tool, text in OTHER_SYSTEMS.items() if shutil.which(tool)), None)
        print("Qt may miss system libraries. If no window opens, type this line and start again:", flush=True)
        print(f"  {line or 'install the packages that hold ' + ', '.join(QT_LIBRARIES)}", flush=True)
        return
    root = os.geteuid() == 0
    line = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    by_hand = f"Type this line and start again:\n  {'' if root else 'sudo '}{line}"
    if not root and not shutil.which("sudo"):
        raise LaunchError(f"System libraries are missing, and only root can install them. {by_hand}")
    if not root and not agreed and not asked(f"Qt needs these system packages: {' '.join(packages)}"):
        raise LaunchError(by_hand)
    print(f"Installing system libraries: {' '.join(packages)}", flush=True)
    prefix = [] if root else ["sudo"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.call([*prefix, "apt-get", "update", "-q"], env=environment)
    if subprocess.call([*prefix, *line.split()], env=environment):
        raise LaunchError(f"The system libraries could not be installed. {by_hand}")


def asked(what: str) -> bool:
    """Return whether the person agrees to install; without a terminal nobody can."""
    if not sys.stdin.isatty():
        return False
    return input(f"{what}\nInstall them now with sudo? [Y/n] ").strip().lower() in {"", "y", "yes"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
