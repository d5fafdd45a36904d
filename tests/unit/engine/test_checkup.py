"""Each finding of the checkup: what is there, what is not, what is damaged."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.backbones.bundle import save_bundle
from fewshot_gui.core.backbones.catalogue import DEFAULTS
from fewshot_gui.engine import checkup
from fewshot_gui.engine.checkup import Finding, Part, Verdict
from fewshot_gui.engine.devices import Device
from fewshot_gui.engine.runtimes.record import Case, Record
from fewshot_gui.engine.sources.devices import CameraDevice

if TYPE_CHECKING:
    from pathlib import Path

DESCRIPTION = {
    "title": "Test",
    "architecture": {"kind": "conv4"},
    "preprocessing": {
        "side": 28, "channels": 1, "mean": [0.0], "std": [1.0], "invert": False, "version": 1,
    },
    "dimension": 4,
    "normalise": False,
    "temperature": 1.0,
    "novelty": 1.0,
    "training": {},
}  # fmt: skip


def write_bundle(folder: Path, name: str) -> Path:
    """Write a bundle of two small tensors, sound by its own checksums."""
    path = folder / f"{name}.safetensors"
    weights = np.arange(64, dtype=np.float32)
    save_bundle(path, {"weights": weights, "centre": np.zeros(4, np.float32)}, DESCRIPTION)
    return path


class TestPython:
    @pytest.mark.parametrize(
        ("version", "verdict"),
        [
            ((3, 11, 0), Verdict.OK),
            ((3, 14, 2), Verdict.OK),
            ((4, 0, 0), Verdict.OK),
            ((3, 10, 9), Verdict.MISSING),
        ],
    )
    def test_it_must_not_be_too_old(self, version: tuple[int, ...], verdict: Verdict) -> None:
        finding = checkup.check_python(version)
        assert (finding.part, finding.verdict) == (Part.PYTHON, verdict)
        assert finding.detail == ".".join(map(str, version))


class TestPackages:
    def test_those_of_this_environment_are_found(self) -> None:
        findings = {finding.name: finding for finding in checkup.check_packages()}
        assert set(findings) == set(checkup.PACKAGES)
        assert findings["NumPy"] == Finding(Part.PACKAGE, "NumPy", Verdict.OK, np.__version__)

    def test_one_that_is_not_installed_is_missing(self) -> None:
        assert checkup.installed_version("a-package-that-nobody-has") == ""
        assert checkup.judge_package("torch", [], (3, 12)).verdict is Verdict.MISSING

    @pytest.mark.parametrize(
        ("version", "python", "verdict"),
        [
            ("6.12.0", (3, 11), Verdict.MISSING),
            ("6.12.0", (3, 12), Verdict.OK),
            ("6.11.3", (3, 11), Verdict.OK),
            ("6.12.1", (3, 11), Verdict.OK),
        ],
    )
    def test_the_qt_that_aborts_is_refused(
        self, version: str, python: tuple[int, int], verdict: Verdict
    ) -> None:
        assert checkup.judge_package("PySide6", [("PySide6", version)], python).verdict is verdict

    def test_an_opencv_with_a_qt_of_its_own_is_to_be_looked_at(self) -> None:
        found = [("opencv-python-headless", "5.0"), ("opencv-python", "5.0")]
        assert checkup.judge_package("OpenCV", found, (3, 12)).verdict is Verdict.ATTENTION
        assert checkup.judge_package("OpenCV", found[:1], (3, 12)).verdict is Verdict.OK


class TestBackbones:
    def test_sound_ones_are_told_by_their_hash(self, tmp_path: Path) -> None:
        for name in DEFAULTS.values():
            write_bundle(tmp_path, name)
        findings = list(checkup.check_backbones(tmp_path))
        assert [finding.verdict for finding in findings] == [Verdict.OK] * len(DEFAULTS)
        assert all(len(finding.detail) == 16 for finding in findings)

    def test_an_empty_folder_misses_those_to_start_with(self, tmp_path: Path) -> None:
        findings = list(checkup.check_backbones(tmp_path))
        assert {finding.name for finding in findings} == set(DEFAULTS.values())
        assert {finding.verdict for finding in findings} == {Verdict.MISSING}

    @pytest.mark.parametrize("name", ["photo", "another"])
    def test_a_changed_weight_is_seen(self, tmp_path: Path, name: str) -> None:
        path = write_bundle(tmp_path, name)
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        found = next(finding for finding in checkup.check_backbones(tmp_path) if finding.name == name)
        # Another one's loss is no reason not to start.
        assert found.verdict is (Verdict.MISSING if name == "photo" else Verdict.ATTENTION)

    @pytest.mark.parametrize("content", [b"", b"not a bundle at all", b"\xff" * 64])
    def test_a_file_that_is_no_bundle(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "photo.safetensors").write_bytes(content)
        found = next(f for f in checkup.check_backbones(tmp_path) if f.name == "photo")
        assert found.verdict is Verdict.MISSING
        assert found.detail

    def test_a_bundle_of_a_later_version(self, tmp_path: Path) -> None:
        tensors = {"centre": np.zeros(4, np.float32)}
        save_bundle(tmp_path / "photo.safetensors", tensors, {**DESCRIPTION, "from-the-future": 1})
        found = next(f for f in checkup.check_backbones(tmp_path) if f.name == "photo")
        assert found.verdict is Verdict.MISSING
        assert "from-the-future" in found.detail

    @given(cut=st.integers(min_value=1, max_value=400))
    def test_a_cut_file_is_never_sound(self, tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
        folder = tmp_path_factory.mktemp("cut")
        path = write_bundle(folder, "photo")
        data = path.read_bytes()
        path.write_bytes(data[: max(0, len(data) - cut)])
        found = next(f for f in checkup.check_backbones(folder) if f.name == "photo")
        assert found.verdict is Verdict.MISSING


class TestSample:
    def test_its_pictures_are_counted(self, tmp_path: Path) -> None:
        (tmp_path / "sample" / "pictures").mkdir(parents=True)
        (tmp_path / "sample" / "pictures" / "one.webp").touch()
        assert checkup.check_sample(tmp_path) == Finding(Part.SAMPLE, "", Verdict.OK, "1")

    def test_without_it_the_program_still_works(self, tmp_path: Path) -> None:
        assert checkup.check_sample(tmp_path / "nowhere").verdict is Verdict.ATTENTION


class TestFolders:
    def test_a_folder_yet_to_be_made_is_not_made(self, tmp_path: Path) -> None:
        folder = tmp_path / "a" / "b" / "c"
        assert checkup.check_folder("cache", folder).verdict is Verdict.OK
        assert list(tmp_path.iterdir()) == []

    def test_nothing_stays_in_one_that_is_there(self, tmp_path: Path) -> None:
        assert checkup.check_folder("cache", tmp_path) == Finding(
            Part.FOLDER, "cache", Verdict.OK, str(tmp_path)
        )
        assert list(tmp_path.iterdir()) == []

    def test_one_that_cannot_be_written_to(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(dir: Path) -> None:  # noqa: A002 - the name it is called with
            raise PermissionError(13, "Permission denied", str(dir))

        monkeypatch.setattr("tempfile.TemporaryFile", refuse)
        finding = checkup.check_folder("sessions", tmp_path)
        assert finding.verdict is Verdict.MISSING
        assert finding.detail.endswith("Permission denied")

    @pytest.mark.parametrize(
        ("free", "verdict"),
        [(10**11, Verdict.OK), (10**9, Verdict.ATTENTION), (10**8, Verdict.MISSING), (0, Verdict.MISSING)],
    )
    def test_room(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, verdict: Verdict) -> None:
        usage = type("Usage", (), {"free": free})
        monkeypatch.setattr("shutil.disk_usage", lambda _folder: usage)
        assert checkup.check_room(tmp_path / "later") == Finding(Part.ROOM, "", verdict, str(free))


class TestDisplay:
    @pytest.mark.parametrize(
        ("platform", "environment", "verdict", "detail"),
        [
            ("linux", {}, Verdict.ATTENTION, ""),
            ("linux", {"DISPLAY": ""}, Verdict.ATTENTION, ""),
            ("linux", {"DISPLAY": ":0"}, Verdict.OK, ":0"),
            ("linux", {"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, Verdict.OK, "wayland-0"),
            ("darwin", {}, Verdict.OK, "darwin"),
            ("win32", {}, Verdict.OK, "win32"),
        ],
    )
    def test_where_a_window_would_open(
        self, platform: str, environment: dict[str, str], verdict: Verdict, detail: str
    ) -> None:
        assert checkup.check_display(platform, environment) == Finding(Part.DISPLAY, "", verdict, detail)


class TestQt:
    def test_a_command_that_ends_well(self) -> None:
        assert checkup.check_qt([sys.executable, "-c", ""]).verdict is Verdict.OK

    def test_the_last_words_of_one_that_does_not(self) -> None:
        code = "raise ImportError('libEGL.so.1: cannot open shared object file')"
        finding = checkup.check_qt([sys.executable, "-c", code])
        assert finding.verdict is Verdict.MISSING
        assert finding.detail == "ImportError: libEGL.so.1: cannot open shared object file"

    def test_one_that_dies_without_a_word(self) -> None:
        finding = checkup.check_qt([sys.executable, "-c", "import os; os._exit(7)"])
        assert finding == Finding(Part.QT, "", Verdict.MISSING, "exit code 7")

    def test_one_that_cannot_be_run(self, tmp_path: Path) -> None:
        assert checkup.check_qt([str(tmp_path / "nothing")]).verdict is Verdict.MISSING

    def test_one_that_hangs_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(checkup, "QT_SECONDS", 0.05)
        finding = checkup.check_qt([sys.executable, "-c", "import threading; threading.Event().wait()"])
        assert finding.verdict is Verdict.MISSING


class TestCameras:
    def test_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("fewshot_gui.engine.sources.devices.list_cameras", list)
        assert list(checkup.check_cameras()) == [Finding(Part.CAMERA, "", Verdict.ATTENTION)]

    def test_by_name_where_there_is_one(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        node = tmp_path / "video0"
        node.touch()
        cameras = [CameraDevice(0, "Webcam", str(node)), CameraDevice(3)]
        monkeypatch.setattr("fewshot_gui.engine.sources.devices.list_cameras", lambda: cameras)
        assert list(checkup.check_cameras()) == [
            Finding(Part.CAMERA, "Webcam", Verdict.OK, str(node)),
            Finding(Part.CAMERA, "camera 3", Verdict.OK, ""),
        ]

    def test_one_that_this_user_may_not_open(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "fewshot_gui.engine.sources.devices.list_cameras",
            lambda: [CameraDevice(0, "Webcam", "/dev/video0")],
        )
        monkeypatch.setattr(os, "access", lambda *_arguments: False)
        assert [finding.verdict for finding in checkup.check_cameras()] == [Verdict.ATTENTION]


class TestDevices:
    @pytest.fixture
    def torch_sees(self, monkeypatch: pytest.MonkeyPatch) -> list[Device]:
        """The devices of a torch that is not imported, the best first; the processor by default."""
        devices = [Device("cpu", "")]
        monkeypatch.setattr("fewshot_gui.engine.devices.available_devices", lambda: devices)
        monkeypatch.setattr("fewshot_gui.engine.devices.choose_device", lambda _wanted: devices[0].name)
        monkeypatch.setattr("shutil.which", lambda _name: None)
        return devices

    @pytest.mark.usefixtures("torch_sees")
    def test_the_processor_alone_is_enough(self) -> None:
        assert list(checkup.check_devices()) == [
            Finding(Part.DEVICE, "cpu", Verdict.OK, ""),
            Finding(Part.CHOSEN_DEVICE, "cpu", Verdict.OK),
        ]

    def test_a_card_is_chosen(self, torch_sees: list[Device]) -> None:
        torch_sees.insert(0, Device("cuda", "A card"))
        findings = list(checkup.check_devices())
        assert findings[0] == Finding(Part.DEVICE, "cuda", Verdict.OK, "A card")
        assert findings[-1] == Finding(Part.CHOSEN_DEVICE, "cuda", Verdict.OK)

    @pytest.mark.usefixtures("torch_sees")
    def test_a_card_without_its_driver_is_to_be_looked_at(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
        first = next(checkup.check_devices())
        assert (first.name, first.verdict) == ("cuda", Verdict.ATTENTION)

    def test_a_torch_that_cannot_be_loaded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse() -> None:
            raise ImportError("libtorch_cpu.so: cannot open shared object file")

        monkeypatch.setattr("fewshot_gui.engine.devices.available_devices", refuse)
        assert [finding.verdict for finding in checkup.check_devices()] == [Verdict.MISSING]


@given(st.lists(st.sampled_from(Verdict)))
def test_only_what_is_missing_makes_it_unusable(verdicts: list[Verdict]) -> None:
    findings = [Finding(Part.CAMERA, "", verdict) for verdict in verdicts]
    assert checkup.is_usable(findings) is (Verdict.MISSING not in verdicts)


class TestRuntimes:
    @pytest.fixture(autouse=True)
    def packages(self) -> None:
        pytest.importorskip("onnxruntime")
        pytest.importorskip("onnxscript")

    def test_without_the_packages_there_is_nothing_to_say(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(checkup, "conditions_of", lambda _info, _threads: None)
        assert list(checkup.check_runtimes(tmp_path)) == []

    def test_before_the_first_comparison_torch_embeds(self, tmp_path: Path) -> None:
        findings = list(checkup.check_runtimes(tmp_path))
        assert findings == [Finding(Part.RUNTIME, name, Verdict.OK) for name in sorted(DEFAULTS.values())]

    def test_the_faster_runtime_comes_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        cases = Case(1, 1, 6.4, 4.6), Case(32, 1, 5.0, 7.0)
        monkeypatch.setattr(checkup, "read_record", lambda _folder, here: Record(here, cases=cases))
        found = {finding.name: finding.detail for finding in checkup.check_runtimes(tmp_path)}
        assert found["photo x 1"] == "ONNX Runtime 4.60 ms, torch 6.40 ms a picture"
        assert found["photo x 32"] == "torch 5.00 ms, ONNX Runtime 7.00 ms a picture"

    def test_a_problem_is_to_be_looked_at(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(checkup, "read_record", lambda _folder, here: Record(here, "no such operator"))
        found = list(checkup.check_runtimes(tmp_path))
        assert Finding(Part.RUNTIME, "photo", Verdict.ATTENTION, "no such operator") in found
