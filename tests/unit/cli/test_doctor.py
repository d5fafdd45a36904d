"""The doctor's words, its JSON and its exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.cli import doctor
from fewshot_gui.cli.main import main
from fewshot_gui.engine.checkup import Finding, Part, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

HEALTHY = [
    Finding(Part.PYTHON, "", Verdict.OK, "3.12.1"),
    Finding(Part.PACKAGE, "torch", Verdict.OK, "2.15.0"),
    Finding(Part.SAMPLE, "", Verdict.OK, "65"),
    Finding(Part.ROOM, "", Verdict.OK, "70000000000"),
    Finding(Part.QT, "", Verdict.OK),
    Finding(Part.CAMERA, "", Verdict.ATTENTION),
    Finding(Part.CHOSEN_DEVICE, "cpu", Verdict.OK),
]
BROKEN = Finding(Part.QT, "", Verdict.MISSING, "ImportError: libEGL.so.1: cannot open shared object file")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what makes the checkup find these things."""

    def set_findings(*findings: Finding) -> None:
        monkeypatch.setattr(doctor, "check_all", lambda: iter(findings))

    return set_findings


def test_a_healthy_machine_ends_with_zero(
    found: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    found(*HEALTHY)
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ok         Python: 3.12.1"
    assert "ok         Package: torch, 2.15.0" in lines
    assert "ok         Sample: 65 pictures" in lines
    assert "ok         Free disk: 70.0 GB" in lines
    assert "ok         Qt and its libraries: found" in lines
    assert "attention  Camera: none" in lines
    assert lines[-1] == "The program can be used."


def test_what_is_missing_ends_with_one_and_says_what_to_do(
    found: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    found(*HEALTHY, BROKEN)
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    place = lines.index(f"MISSING    Qt and its libraries: {BROKEN.detail}")
    assert lines[place + 1].strip() == doctor.ADVICE[Part.QT]
    assert lines[-1].startswith("Something essential is missing")


def test_each_line_appears_as_soon_as_it_is_known(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said_before_the_second = []

    def slow_checkup():  # type: ignore[no-untyped-def]  # noqa: ANN202 - a generator for one test
        yield HEALTHY[0]
        said_before_the_second.append(capsys.readouterr().out)
        yield HEALTHY[1]

    monkeypatch.setattr(doctor, "check_all", slow_checkup)
    assert main(["doctor"]) == 0
    assert said_before_the_second == ["ok         Python: 3.12.1\n"]


def test_json_is_one_object_with_everything(
    found: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    found(*HEALTHY, BROKEN)
    assert main(["doctor", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["usable"] is False
    assert len(told["findings"]) == len(HEALTHY) + 1
    assert told["findings"][-1] == {
        "part": "qt",
        "name": "",
        "verdict": "missing",
        "detail": BROKEN.detail,
        "advice": doctor.ADVICE[Part.QT],
    }


def test_json_of_a_healthy_machine(found: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    found(*HEALTHY)
    assert main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["usable"] is True


@pytest.mark.parametrize(
    "part", [part for part in Part if part is not Part.CHOSEN_DEVICE]
)  # there is always the processor
@pytest.mark.parametrize("verdict", Verdict)
def test_there_is_advice_for_all_that_is_not_well(part: Part, verdict: Verdict) -> None:
    finding = Finding(part, "name", verdict, "1")
    assert bool(doctor.advice(finding)) is (verdict is not Verdict.OK)
    assert doctor.in_words(finding).count("\n") == (verdict is not Verdict.OK)


@pytest.mark.parametrize("part", Part)
def test_every_part_has_a_title(part: Part) -> None:
    assert doctor.TITLES[part]


def test_a_camera_that_may_not_be_opened_has_advice_of_its_own() -> None:
    closed = Finding(Part.CAMERA, "Webcam", Verdict.ATTENTION, "/dev/video0")
    assert doctor.advice(closed) == doctor.CLOSED_CAMERA


def test_the_runtimes_are_told_with_their_speeds() -> None:
    compared = Finding(Part.RUNTIME, "photo x 1", Verdict.OK, "ONNX Runtime 4.60 ms, torch 6.40 ms a picture")
    line = doctor.in_words(compared)
    assert line == "ok         Runtime on the CPU: photo x 1, ONNX Runtime 4.60 ms, torch 6.40 ms a picture"


def test_runtimes_that_were_not_compared_yet_are_no_complaint() -> None:
    line = doctor.in_words(Finding(Part.RUNTIME, "photo", Verdict.OK))
    assert line == f"ok         Runtime on the CPU: photo, {doctor.NOT_COMPARED}"


def test_a_card_without_a_driver_has_advice_of_its_own() -> None:
    assert doctor.advice(Finding(Part.DEVICE, "cuda", Verdict.ATTENTION)) == doctor.NO_DRIVER
    assert doctor.advice(Finding(Part.DEVICE, "torch", Verdict.MISSING)) == doctor.ADVICE[Part.DEVICE]
