#!/usr/bin/env python3
"""Install and start Few-shot Labeler, or run its checks and tests; needs nothing but Python.

    python3 packaging/launch.py [SESSION]     install where needed, then open the window
    python3 packaging/launch.py test          the same, then run every check and test

Everything lands in .venv in this project's folder. On Debian and Ubuntu, missing system libraries of Qt
are installed: as root at once, else by sudo after a question; `--yes` answers it. A start that has
nothing to install adds some hundredths of a second.
"""

import os
import shutil
import subprocess
import sys
import zlib
from importlib.util import find_spec
from pathlib import Path

OLDEST = 3, 11
if sys.version_info < OLDEST:  # before the first annotation, which an old Python could not read
    names = [f"python3.{minor}" for minor in range(19, 10, -1)]
    newer = next((name for name in names if shutil.which(name)), "")
    advice = f"Try {newer} {sys.argv[0]}" if newer else "Install a newer one and start again"
    sys.exit(f"Python 3.11 or newer is needed, and this is {sys.version.split()[0]}. {advice}.")

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
# Written when all is done; its lines are what was installed. See `wanted_stamp`.
STAMP = "installed.txt"
# There while pip works: after a stop at any moment, nobody knows what of .venv is whole.
UNFINISHED = "unfinished"
# On Linux torch brings its GPU libraries, 6 GB, and pip keeps the download beside them.
DISK_GB = 9 if sys.platform == "linux" else 3
GOOD_PIP = 25, 1  # from here on it resumes a broken download and shows how far it has unpacked
STDLIB = {"ctypes": "_ctypes", "sqlite3": "_sqlite3", "ssl": "_ssl", "lzma": "_lzma", "bz2": "_bz2"}

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
FONTS = Path("/usr/share/fonts")
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
NO_CONNECTION = "There is no connection to the package index. Connect and start again."
DISK_FULL = f"The disk is full. Make room ({DISK_GB} GB in all) and start again."
# Words of pip, and what they mean; the first that is found counts.
PIP_TROUBLES = (
    ("no space left", DISK_FULL),
    ("not enough space", DISK_FULL),
    ("disk quota", DISK_FULL),
    ("long path", "A path is too long for Windows. Move this folder nearer to the top of the disk."),
    ("certificate_verify_failed", "A certificate was refused. Behind a proxy, set PIP_CERT to its file."),
    ("new connection", NO_CONNECTION),
    ("name resolution", NO_CONNECTION),
    ("nameresolutionerror", NO_CONNECTION),
    ("timed out", NO_CONNECTION),
    ("connection broken", NO_CONNECTION),
    ("connection reset", NO_CONNECTION),
    ("cannot connect to proxy", "The proxy cannot be reached. Look at HTTPS_PROXY and start again."),
    ("no matching distribution", "A package above is not made for this Python. Try Python 3.11 to 3.14."),
    ("permission denied", "Something in .venv belongs to somebody else. Delete .venv and start again."),
)  # fmt: skip
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
    if {"-h", "--help"} & set(arguments[:1]):
        print(__doc__)
        return 0
    testing = arguments[:1] == ["test"]
    agreed = "--yes" in arguments
    rest = [a for a in arguments[1 if testing else 0 :] if a != "--yes"]
    try:
        prepare("test" if testing else "", agreed=agreed)
        return run_checks(rest) if testing else start(rest)
    except LaunchError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Start again to go on; what has been downloaded is kept.", file=sys.stderr)
        return 130


def start(arguments: list[str]) -> int:
    """Hand this process over to the program; on Windows, wait for it."""
    # -P: nothing in the folder one happens to be in may stand in for a module of ours.
    command = [str(venv_python()), "-P", "-m", "fewshot_gui", *arguments]
    if os.name == "nt":
        return subprocess.call(command)
    return os.execv(command[0], command)  # noqa: S606 - our own interpreter, no shell


def run_checks(arguments: list[str]) -> int:
    """Run every check, all of them even if one fails, pytest last, and return 1 if any failed.

    Where nothing failed, the last line is pytest's own.
    """
    failed = []
    environment = {**os.environ, "PYTHONUTF8": "1"}
    for name, command in CHECKS:
        print(f"\n== {name}", flush=True)
        extra = arguments if name == "tests" else []
        if subprocess.call([str(venv_python()), *command, *extra], cwd=ROOT, env=environment):
            failed.append(name)
    if failed:
        print(f"\nFailed: {', '.join(failed)}", flush=True)
    return 1 if failed else 0


def prepare(extra: str, *, agreed: bool) -> None:
    """Make .venv, install the project and find Qt's libraries, unless a former start did all that.

    Raises:
        LaunchError: something is missing that only the person can provide.
    """
    place, settings, _ = wanted = wanted_stamp(extra)
    found = read_stamp()
    if found[:2] == [place, settings] and extra in {"", found[2]} and venv_python().exists():
        return
    check_python()
    check_folder()
    install_system_libraries(missing_packages(for_tests=extra == "test"), agreed=agreed)
    if not is_usable(found, place):
        make_venv()
    install_project(extra)
    (VENV / STAMP).write_text("\n".join(wanted), encoding="utf-8")


def wanted_stamp(extra: str) -> list[str]:
    """Return what an installation is made from: this place with this Python, the settings, the extra."""
    # What stands before the linter's settings decides on the installation.
    text = (ROOT / "pyproject.toml").read_bytes().partition(b"[tool.ruff]")[0]
    settings = zlib.crc32(text)
    return [f"Python {sys.version_info[0]}.{sys.version_info[1]} in {ROOT}", f"{settings:08x}", extra]


def read_stamp() -> list[str]:
    """Return the three lines of the last installation that was finished; empty ones where there is none."""
    try:
        lines = (VENV / STAMP).read_text(encoding="utf-8").split("\n")
    except OSError:
        lines = []
    return lines if len(lines) == 3 else ["", "", ""]


def venv_python() -> Path:
    """Return the interpreter of .venv, which may not exist yet."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def check_python() -> None:
    """Say what this Python or this computer lacks, before anything is downloaded.

    Raises:
        LaunchError: with what to do.
    """
    missing = [name for name, module in STDLIB.items() if find_spec(module) is None]
    if missing:
        raise LaunchError(
            f"This Python ({sys.executable}) was built without {', '.join(missing)}. Use another one, "
            "as your system or python.org has it."
        )
    if sys.maxsize < 2**32:
        raise LaunchError("torch needs a 64-bit Python, and this one has 32 bits. Install a 64-bit one.")
    if sys.platform == "darwin" and os.uname().machine == "x86_64":
        raise LaunchError(
            "torch is no longer made for Intel Macs. On an Apple processor, use a Python for arm64."
        )


def check_folder() -> None:
    """Say why nothing can be installed here.

    Raises:
        LaunchError: no right to write, or too little room.
    """
    if not os.access(ROOT, os.W_OK):
        raise LaunchError(f"You may not write in {ROOT}. Copy it into a folder of your own and start there.")
    free = shutil.disk_usage(ROOT).free
    if free < DISK_GB * 1e9 and not read_stamp()[0]:
        raise LaunchError(
            f"{ROOT} has {free / 1e9:.1f} GB free, and the installation needs {DISK_GB} GB. Make room first."
        )


def is_usable(found: list[str], place: str) -> bool:
    """Return whether pip can go on in .venv: made for this place and Python, and never left half done."""
    if (VENV / UNFINISHED).exists() or (found[0] and found[0] != place) or not venv_python().exists():
        return False
    code = f"import pip, sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    return not subprocess.run([str(venv_python()), "-c", code], capture_output=True, check=False).returncode


def make_venv() -> None:
    """Create .venv, in place of one that does not work.

    Raises:
        LaunchError: this Python cannot make one.
    """
    print(f"Making a Python environment in {VENV} ...", flush=True)
    # Started from inside .venv, it would delete the interpreter that it runs on.
    base = getattr(sys, "_base_executable", sys.executable)
    if subprocess.call([base, "-m", "venv", "--clear", str(VENV)]):
        raise LaunchError(f"Python could not make {VENV}; its message stands above.")


def install_project(extra: str) -> None:
    """Install the project and what it needs into .venv; pip shows its progress.

    Raises:
        LaunchError: pip failed.
    """
    print("Installing. The first time brings gigabytes (most of it torch) and takes minutes.", flush=True)
    unfinished = VENV / UNFINISHED
    unfinished.touch()
    what = f"{ROOT}[{extra}]" if extra else str(ROOT)
    # An old pip would do, too: only without a connection is there no use in going on.
    trouble = renew_pip()
    if trouble != NO_CONNECTION:
        trouble = run_pip("install", "--editable", what)
    if trouble in {"", NO_CONNECTION}:  # pip had not begun to unpack
        unfinished.unlink()
    if trouble:
        raise LaunchError(f"{trouble} What has been downloaded is kept.")


def renew_pip() -> str:
    """Bring a pip up to date that could not show or resume a long download; return what went wrong."""
    command = [str(venv_python()), "-c", "import pip; print(pip.__version__)"]
    version = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    if tuple(int(part) for part in version.split(".")[:2] if part.strip().isdigit()) >= GOOD_PIP:
        return ""
    return run_pip("install", "--quiet", "--retries", "2", "--upgrade", "pip")


def run_pip(*arguments: str) -> str:
    """Return what went wrong in one sentence; empty if nothing did.

    Its progress goes straight to the terminal; what it complains about is shown and read.
    """
    command = [str(venv_python()), "-m", "pip", "--disable-pip-version-check", *arguments]
    environment = {**os.environ, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
    said = []
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace", env=environment
    ) as pip:
        assert pip.stderr is not None
        try:
            for line in pip.stderr:
                print(line, end="", file=sys.stderr, flush=True)
                said.append(line.lower())
        except KeyboardInterrupt:
            pip.terminate()
            pip.wait()
            raise
    if not pip.returncode:
        return ""
    words = "".join(said)
    known = (sentence for sign, sentence in PIP_TROUBLES if sign in words)
    return next(known, "The installation stopped; pip's message stands above.")


def missing_packages(*, for_tests: bool) -> list[str]:
    """Return the Debian packages of what Qt will look for and not find; empty but on Linux.

    Raises:
        LaunchError: this Python, not the system's own, has no pip to give to .venv.
    """
    without_pip = find_spec("ensurepip") is None
    if without_pip and not (sys.platform == "linux" and sys.executable.startswith("/usr/bin/")):
        raise LaunchError("This Python has no ensurepip, so it cannot make an environment. Use another one.")
    if sys.platform != "linux":
        return []
    missing = [package for library, package in QT_LIBRARIES.items() if not can_open(library)]
    if not any(FONTS.glob("**/*.[to]t[fc]")):
        missing.append(FONT_PACKAGE)
    if without_pip:  # Debian ships it apart
        missing.append(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")
    if for_tests:
        missing += [package for program, package in TEST_PROGRAMS.items() if not shutil.which(program)]
    return missing


def can_open(library: str) -> bool:
    """Return whether the system's loader finds a shared library."""
    import ctypes  # noqa: PLC0415 - a start with nothing to install has no need of it

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
        print("Qt misses system libraries. If no window opens, type this line and start again:", flush=True)
        print(f"  {line or 'install what Debian calls ' + ' '.join(packages)}", flush=True)
        return
    root = os.geteuid() == 0
    line = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    by_hand = f"Type this line and start again:\n  {'' if root else 'sudo '}{line}"
    if not root and not shutil.which("sudo"):
        raise LaunchError(f"System libraries are missing, and only root can install them. {by_hand}")
    if not root and not agreed and not asked(f"Qt needs these system packages: {' '.join(packages)}"):
        raise LaunchError(by_hand)
    print(f"Installing system libraries: {' '.join(packages)}", flush=True)
    # Through sudo an environment does not pass; `env` makes it inside.
    prefix = [*([] if root else ["sudo"]), "env", "DEBIAN_FRONTEND=noninteractive"]
    subprocess.call([*prefix, "apt-get", "update", "-qq"])
    if subprocess.call([*prefix, *line.split(), "-qq", "-o", "DPkg::Lock::Timeout=120"]):
        raise LaunchError(f"The system libraries could not be installed. {by_hand}")


def asked(what: str) -> bool:
    """Return whether the person agrees to install; without a terminal nobody can."""
    if not sys.stdin.isatty():
        return False
    return input(f"{what}\nInstall them now with sudo? [Y/n] ").strip().lower() in {"", "y", "yes"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
