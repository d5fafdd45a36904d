"""The launcher: what it installs, when it does nothing, and the one sentence for each thing in its way."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LAUNCHER = Path(__file__).resolve().parents[3] / "packaging" / "launch.py"
linux = pytest.mark.skipif(sys.platform != "linux", reason="only there are system libraries apart")


class Machine:
    """A computer on which nothing is really run: what was asked of it, and what it answers.

    Attributes:
        calls: every command, as words.
        codes: the exit code of a command that holds the word; 0 by default.
        pip_says: standard error of pip, as long as it fails.
        programs: what is on the PATH.
        libraries: what the system's loader finds.
    """

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.codes: dict[str, int] = {}
        self.pip_says: list[str] = []
        self.pip_version = "26.1"
        self.programs = {"Xvfb", "xdotool", "apt-get", "sudo"}
        self.libraries: set[str] = set()
        self.interrupt_at = ""
        self.free = 50 * 1024**3

    def call(self, command: list[str], **_options: Any) -> int:
        self.calls.append(command)
        if self.interrupt_at and self.interrupt_at in command:
            raise KeyboardInterrupt
        return next((code for word, code in self.codes.items() if word in command), 0)

    def run(self, command: list[str], **_options: Any) -> Any:
        code = self.call(command)
        return SimpleNamespace(returncode=code, stdout=self.pip_version)

    def pip(self, command: list[str], **_options: Any) -> FakePip:
        code = self.call([word for word in command if word != "--disable-pip-version-check"])
        return FakePip(self.pip_says if code else [], code)

    def lines(self) -> list[str]:
        return [" ".join(command) for command in self.calls]

    def said(self, word: str) -> list[str]:
        return [line for line in self.lines() if word in line]


class FakePip:
    """A pip that has already said everything."""

    def __init__(self, stderr: Iterable[str], code: int) -> None:
        self.stderr: Iterable[str] = stderr
        self.returncode = code
        self.ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def terminate(self) -> None:
        self.ended = True

    def wait(self) -> int:
        return self.returncode


@pytest.fixture
def machine() -> Machine:
    """A Debian computer that has everything."""
    return Machine()


@pytest.fixture
def launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: Machine) -> ModuleType:
    """The launcher, read by its path, in an empty project on that computer."""
    spec = importlib.util.spec_from_file_location("launch_under_test", LAUNCHER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n\n[tool.ruff]\nline-length = 110\n")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    stand_in = SimpleNamespace(
        call=machine.call,
        run=machine.run,
        Popen=machine.pip,
        PIPE=subprocess.PIPE,
        DEVNULL=subprocess.DEVNULL,
    )
    monkeypatch.setattr(module, "subprocess", stand_in)
    tools = SimpleNamespace(
        which=lambda name: name if name in machine.programs else None,
        disk_usage=lambda _folder: SimpleNamespace(free=machine.free),
    )
    monkeypatch.setattr(module, "shutil", tools)
    machine.libraries = set(module.QT_LIBRARIES)
    monkeypatch.setattr(module, "can_open", lambda name: name in machine.libraries)
    (tmp_path / "any.ttf").touch()
    monkeypatch.setattr(module, "FONTS", tmp_path)
    monkeypatch.setattr(os, "execv", lambda _path, command: machine.calls.append(command))
    return module


@pytest.fixture
def venv(launch: ModuleType) -> Callable[..., Path]:
    """Return what makes a .venv as a former start left it: with a stamp, or with none."""

    def make(stamp: list[str] | None = None) -> Path:
        python: Path = launch.venv_python()
        python.parent.mkdir(parents=True)
        python.touch()
        if stamp:
            (launch.VENV / launch.STAMP).write_text("\n".join(stamp), encoding="utf-8")
        return Path(launch.VENV)

    return make


def install(launch: ModuleType, machine: Machine, extra: str = "") -> None:
    """Install as on the first start; the venv module is not run, so its folder is made here."""
    launch.venv_python().parent.mkdir(parents=True, exist_ok=True)
    launch.venv_python().touch()
    launch.prepare(extra, agreed=True)
    machine.calls.clear()


class TestNothingToInstall:
    def test_a_second_start_runs_nothing_but_the_program(self, launch: ModuleType, machine: Machine) -> None:
        install(launch, machine)
        launch.main([])
        assert len(machine.calls) == 1
        assert machine.calls[0][-4:] == [str(launch.venv_python()), "-P", "-m", "fewshot_gui"]

    def test_what_serves_the_tests_serves_the_program(self, launch: ModuleType, machine: Machine) -> None:
        install(launch, machine, "test")
        launch.prepare("", agreed=False)
        assert machine.calls == []

    def test_the_program_alone_does_not_serve_the_tests(self, launch: ModuleType, machine: Machine) -> None:
        install(launch, machine)
        launch.prepare("test", agreed=False)
        assert len(machine.said("[test]")) == 1

    def test_settings_of_the_linter_are_no_reason_to_install(
        self, launch: ModuleType, machine: Machine, tmp_path: Path
    ) -> None:
        install(launch, machine)
        settings = tmp_path / "pyproject.toml"
        settings.write_text(settings.read_text().replace("110", "100"))
        launch.prepare("", agreed=False)
        assert machine.calls == []

    def test_a_new_dependency_is_installed_into_the_same_environment(
        self, launch: ModuleType, machine: Machine, tmp_path: Path
    ) -> None:
        install(launch, machine)
        settings = tmp_path / "pyproject.toml"
        settings.write_text("dependencies = ['new']\n" + settings.read_text())
        launch.prepare("", agreed=False)
        assert machine.said("--editable")
        assert not machine.said("venv --clear")

    def test_a_start_imports_nothing_slow(self) -> None:
        code = (
            "import runpy, sys; runpy.run_path(sys.argv[1], run_name='launcher')\n"
            "print(*(m for m in ('ctypes', 'hashlib', 'json', 'ssl') if m in sys.modules))"
        )
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", code, str(LAUNCHER)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == []


class TestMaking:
    def test_the_first_start_makes_installs_and_starts(self, launch: ModuleType, machine: Machine) -> None:
        machine.codes["-c"] = 1  # no interpreter in .venv answers
        (launch.VENV).mkdir()
        launch.main(["my.fewshot"])
        order = [word for line in machine.lines() for word in ("venv --clear", "--editable") if word in line]
        assert order == ["venv --clear", "--editable"]
        assert machine.lines()[-1].endswith("-P -m fewshot_gui my.fewshot")

    @pytest.mark.parametrize("line", ["Python 2.7 in {root}", "Python {here} in /somewhere/else"])
    def test_another_python_or_a_moved_folder_makes_it_anew(
        self, launch: ModuleType, machine: Machine, venv: Callable[..., Path], line: str
    ) -> None:
        wanted = launch.wanted_stamp("")
        here = f"{sys.version_info[0]}.{sys.version_info[1]}"
        venv([line.format(root=launch.ROOT, here=here), wanted[1], ""])
        launch.prepare("", agreed=False)
        assert machine.said("venv --clear")
        assert launch.read_stamp() == wanted

    def test_one_made_by_hand_is_used(
        self, launch: ModuleType, machine: Machine, venv: Callable[..., Path]
    ) -> None:
        venv()
        launch.prepare("", agreed=False)
        assert not machine.said("venv --clear")
        assert machine.said("--editable")

    def test_one_whose_interpreter_is_gone_is_made_anew(
        self, launch: ModuleType, machine: Machine, venv: Callable[..., Path]
    ) -> None:
        venv(launch.wanted_stamp(""))
        launch.venv_python().unlink()
        (launch.VENV).mkdir(exist_ok=True)
        launch.prepare("", agreed=False)
        assert machine.said("venv --clear")

    def test_a_damaged_stamp_counts_as_none(
        self, launch: ModuleType, machine: Machine, venv: Callable[..., Path]
    ) -> None:
        venv(["half a li"])
        launch.prepare("", agreed=False)
        assert machine.said("--editable")

    def test_it_is_made_by_the_python_below_an_environment(
        self, launch: ModuleType, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "_base_executable", "/base/python", raising=False)
        launch.make_venv()
        assert machine.calls[0][:3] == ["/base/python", "-m", "venv"]

    def test_an_old_pip_is_renewed_first(
        self, launch: ModuleType, machine: Machine, venv: Callable[..., Path]
    ) -> None:
        venv()
        machine.pip_version = "23.0.1"
        launch.prepare("", agreed=False)
        assert [("--upgrade" in line) for line in machine.said("-m pip")] == [True, False]

    def test_a_pip_that_cannot_be_renewed_will_do(
        self, launch: ModuleType, machine: Machine, venv: Callable[..., Path]
    ) -> None:
        venv()
        machine.pip_version = "23.0.1"
        machine.codes["--upgrade"] = 1
        machine.pip_says = ["ERROR: No matching distribution found for pip\n"]
        launch.prepare("", agreed=False)
        assert machine.said("--editable")


class TestStoppedHalfWay:
    def test_ctrl_c_says_what_to_do_and_the_next_start_begins_anew(
        self,
        launch: ModuleType,
        machine: Machine,
        venv: Callable[..., Path],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        venv()
        machine.interrupt_at = "--editable"
        assert launch.main([]) == 130
        assert "Start again to go on" in capsys.readouterr().err
        machine.interrupt_at = ""
        machine.calls.clear()
        launch.main([])
        assert machine.said("venv --clear")
        assert machine.said("--editable")

    def test_ctrl_c_while_pip_speaks_ends_pip(
        self, launch: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def speak() -> Iterable[str]:
            yield "Downloading\n"
            raise KeyboardInterrupt

        pip = FakePip(speak(), 0)
        monkeypatch.setattr(launch.subprocess, "Popen", lambda *_arguments, **_options: pip)
        with pytest.raises(KeyboardInterrupt):
            launch.run_pip("install")
        assert pip.ended

    def test_a_full_disk_while_unpacking_makes_it_anew(
        self, launch: ModuleType, machine: Machine, venv: Callable[..., Path]
    ) -> None:
        venv()
        machine.codes["--editable"] = 1
        machine.pip_says = ["OSError: [Errno 28] No space left on device\n"]
        assert launch.main([]) == 1
        machine.codes.clear()
        launch.main([])
        assert machine.said("venv --clear")

    def test_a_lost_connection_keeps_the_environment(
        self, launch: ModuleType, machine: Machine, venv: Callable[..., Path]
    ) -> None:
        venv()
        machine.codes["--editable"] = 1
        machine.pip_says = ["Failed to establish a new connection\n"]
        assert launch.main([]) == 1
        machine.codes.clear()
        launch.main([])
        assert not machine.said("venv --clear")


class TestTroubles:
    @pytest.mark.parametrize(
        ("line", "words"),
        [
            (
                "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
                "disk is full",
            ),
            ("[WinError 112] There is not enough space on the disk", "disk is full"),
            ("OSError: [Errno 122] Disk quota exceeded", "disk is full"),
            ("NewConnectionError: Failed to establish a new connection: [Errno 101]", "no connection"),
            ("NameResolutionError: Temporary failure in name resolution", "no connection"),
            ("ReadTimeoutError: HTTPSConnectionPool: Read timed out.", "no connection"),
            ("SSLError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "certificate"),
            ("ProxyError('Cannot connect to proxy.')", "proxy"),
            ("HINT: This system does not have Windows Long Path support enabled", "path is too long"),
            ("ERROR: No matching distribution found for torch>=2.6", "not made for this Python"),
            ("PermissionError: [Errno 13] Permission denied: '.venv/lib'", "belongs to somebody else"),
            ("ERROR: something nobody has seen before", "message stands above"),
        ],
    )
    def test_what_pip_complains_about_becomes_one_sentence(
        self,
        launch: ModuleType,
        machine: Machine,
        capsys: pytest.CaptureFixture[str],
        venv: Callable[..., Path],
        line: str,
        words: str,
    ) -> None:
        venv()
        machine.codes["--editable"] = 1
        machine.pip_says = [f"{line}\n"]
        assert launch.main([]) == 1
        said = capsys.readouterr().err
        assert line in said  # pip's own words stay visible
        last = said.strip().splitlines()[-1]
        assert words in last

    def test_without_a_connection_it_is_tried_once(
        self,
        launch: ModuleType,
        machine: Machine,
        venv: Callable[..., Path],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        venv()
        machine.pip_version = "23.0"
        machine.codes["install"] = 1
        machine.pip_says = ["Failed to establish a new connection\n"]
        assert launch.main([]) == 1
        assert len(machine.said("install")) == 1
        assert "no connection" in capsys.readouterr().err

    def test_too_little_room_is_said_before_the_download(
        self, launch: ModuleType, machine: Machine, capsys: pytest.CaptureFixture[str]
    ) -> None:
        machine.free = 10**9
        assert launch.main([]) == 1
        assert "1.0 GB free" in capsys.readouterr().err
        assert machine.calls == []

    def test_an_installed_program_needs_no_more_room(self, launch: ModuleType, machine: Machine) -> None:
        install(launch, machine)
        machine.free = 10**9
        launch.prepare("test", agreed=False)
        assert machine.said("--editable")

    def test_a_folder_of_somebody_else(
        self, launch: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(os, "access", lambda *_arguments: False)
        assert launch.main([]) == 1
        assert "may not write" in capsys.readouterr().err

    def test_a_python_without_the_modules_that_torch_needs(
        self, launch: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(launch, "find_spec", lambda name: None if name in {"_lzma", "_sqlite3"} else name)
        assert launch.main([]) == 1
        assert "built without sqlite3, lzma" in capsys.readouterr().err

    def test_a_python_of_32_bits(
        self, launch: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
        assert launch.main([]) == 1
        assert "64-bit" in capsys.readouterr().err

    @pytest.mark.skipif(os.name == "nt", reason="os.uname")
    def test_an_intel_mac(
        self, launch: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "platform", "darwin")
        monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="x86_64"))
        assert launch.main([]) == 1
        assert "Intel" in capsys.readouterr().err

    def test_an_environment_that_cannot_be_made(
        self, launch: ModuleType, machine: Machine, capsys: pytest.CaptureFixture[str]
    ) -> None:
        machine.codes["venv"] = 1
        assert launch.main([]) == 1
        assert "could not make" in capsys.readouterr().err

    def test_an_old_python_gets_a_sentence(self) -> None:
        code = (
            "import runpy, sys; sys.version_info = (3, 9); runpy.run_path(sys.argv[1], run_name='__main__')"
        )
        done = subprocess.run(
            [sys.executable, "-I", "-c", code, str(LAUNCHER)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert done.stderr.startswith("Python 3.11 or newer is needed")
        assert len(done.stderr.splitlines()) == 1


@linux
class TestSystemLibraries:
    def test_a_complete_system_needs_nothing(self, launch: ModuleType) -> None:
        assert launch.missing_packages(for_tests=True) == []

    def test_the_packages_of_what_the_loader_does_not_find(
        self, launch: ModuleType, machine: Machine
    ) -> None:
        machine.libraries -= {"libEGL.so.1", "libxcb-cursor.so.0"}
        assert launch.missing_packages(for_tests=False) == ["libegl1", "libxcb-cursor0"]

    def test_programs_that_only_the_tests_need(self, launch: ModuleType, machine: Machine) -> None:
        machine.programs.discard("Xvfb")
        assert launch.missing_packages(for_tests=False) == []
        assert launch.missing_packages(for_tests=True) == ["xvfb"]

    def test_debian_has_ensurepip_in_a_package_of_its_own(
        self, launch: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(launch, "find_spec", lambda _name: None)
        monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        assert launch.missing_packages(for_tests=False) == [f"python{version}-venv"]

    def test_another_python_without_ensurepip_gets_a_sentence(
        self, launch: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(launch, "find_spec", lambda _name: None)
        monkeypatch.setattr(sys, "executable", "/opt/python/bin/python3")
        with pytest.raises(launch.LaunchError, match="ensurepip"):
            launch.missing_packages(for_tests=False)

    def test_root_installs_at_once(
        self, launch: ModuleType, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        launch.install_system_libraries(["libegl1"], agreed=False)
        assert machine.calls[0][:2] == ["env", "DEBIAN_FRONTEND=noninteractive"]
        assert "install -y --no-install-recommends libegl1" in machine.lines()[1]

    def test_others_are_asked_and_then_use_sudo(
        self, launch: ModuleType, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
        monkeypatch.setattr("builtins.input", lambda _question: "")
        launch.install_system_libraries(["libegl1"], agreed=False)
        assert {command[0] for command in machine.calls} == {"sudo"}

    @pytest.mark.parametrize(("terminal", "answer"), [(True, "n"), (False, "never asked")])
    def test_a_no_or_nobody_there_leaves_the_line_to_type(
        self,
        launch: ModuleType,
        machine: Machine,
        monkeypatch: pytest.MonkeyPatch,
        terminal: bool,
        answer: str,
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: terminal))
        monkeypatch.setattr("builtins.input", lambda _question: answer)
        with pytest.raises(launch.LaunchError, match=r"sudo apt-get install .* libegl1"):
            launch.install_system_libraries(["libegl1"], agreed=False)
        assert machine.calls == []

    def test_yes_is_an_answer(
        self, launch: ModuleType, machine: Machine, monkeypatch: pytest.MonkeyPatch, venv: Callable[..., Path]
    ) -> None:
        venv()
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        machine.libraries.discard("libGL.so.1")
        launch.main(["--yes"])
        assert machine.said("sudo env DEBIAN_FRONTEND=noninteractive apt-get install")
        assert "--yes" not in machine.calls[-1]

    def test_without_sudo_only_root_can(
        self, launch: ModuleType, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        machine.programs.discard("sudo")
        with pytest.raises(launch.LaunchError, match="only root"):
            launch.install_system_libraries(["libegl1"], agreed=True)

    def test_a_failure_of_apt_leaves_the_line_to_type(
        self, launch: ModuleType, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        machine.codes["install"] = 100
        with pytest.raises(launch.LaunchError, match="start again:\n  apt-get install"):
            launch.install_system_libraries(["libegl1"], agreed=False)

    @pytest.mark.parametrize("tool", ["dnf", "pacman", "zypper", ""])
    def test_elsewhere_the_line_is_printed_and_the_start_goes_on(
        self, launch: ModuleType, machine: Machine, capsys: pytest.CaptureFixture[str], tool: str
    ) -> None:
        machine.programs = {tool}
        launch.install_system_libraries(["libegl1"], agreed=False)
        said = capsys.readouterr().out
        assert (f"sudo {tool}" if tool else "what Debian calls libegl1") in said
        assert machine.calls == []


class TestChecks:
    def test_all_run_and_pytest_comes_last_with_its_arguments(
        self, launch: ModuleType, machine: Machine, capfd: pytest.CaptureFixture[str]
    ) -> None:
        install(launch, machine, "test")
        assert launch.main(["test", "--yes", "-k", "reader"]) == 0
        assert len(machine.calls) == len(launch.CHECKS)
        assert machine.lines()[-1].endswith("-m pytest -k reader")
        assert capfd.readouterr().out.endswith("== tests\n")  # what follows is pytest's own

    def test_a_failed_check_does_not_spare_the_others(
        self, launch: ModuleType, machine: Machine, capsys: pytest.CaptureFixture[str]
    ) -> None:
        install(launch, machine, "test")
        machine.codes["mypy"] = 1
        assert launch.main(["test"]) == 1
        assert len(machine.calls) == len(launch.CHECKS)
        assert capsys.readouterr().out.endswith("\nFailed: types\n")

    def test_help_installs_nothing(
        self, launch: ModuleType, machine: Machine, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert launch.main(["--help"]) == 0
        assert "launch.py test" in capsys.readouterr().out
        assert machine.calls == []
