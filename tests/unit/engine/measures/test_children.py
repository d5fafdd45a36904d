"""Child processes: what they print is read, and what goes wrong is said."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.engine.measures import children
from fewshot_gui.engine.measures.children import Place, measure_window, run_child
from fewshot_gui.engine.measures.figure import MeasureError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place whose processes find the modules that a test writes there."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return Place(tmp_path, "photo")


def write_module(place: Place, text: str) -> str:
    (place.folder / "child.py").write_text(text)
    return "child"


def test_the_last_line_is_the_answer(place: Place) -> None:
    module = write_module(place, "import json, time; print('talk'); print(json.dumps({'at': time.time()}))")

    answer = run_child(place, module)

    assert answer["begun_at"] < answer["at"] <= time.time()


def test_a_process_writes_into_its_place_and_needs_no_screen(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    module = write_module(place, "import json, os; print(json.dumps(dict(os.environ)))")

    environment = run_child(place, module)

    assert environment["FEWSHOT_CACHE"] == str(place.cache)
    assert environment["FEWSHOT_DATA"].startswith(str(place.folder))
    assert environment["QT_QPA_PLATFORM"] == "offscreen"


def test_a_platform_that_was_chosen_stays(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "minimal")

    assert place.environment()["QT_QPA_PLATFORM"] == "minimal"


def test_a_process_that_fails_is_quoted(place: Place) -> None:
    module = write_module(place, "raise SystemExit('no such luck')")

    with pytest.raises(MeasureError, match="child --now ended with 1: no such luck"):
        run_child(place, module, "--now")


def test_an_error_that_was_reported_is_passed_on(place: Place) -> None:
    module = write_module(place, 'print(\'{"error": "live: no frame was predicted"}\')')

    with pytest.raises(MeasureError, match="live: no frame was predicted"):
        run_child(place, module)


def test_a_process_that_hangs_is_given_up(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "PATIENCE_SECONDS", 0.2)
    module = write_module(place, "import threading; threading.Event().wait()")

    with pytest.raises(MeasureError, match=r"child  ?took over 0.2 s"):
        run_child(place, module)


def test_the_window_is_asked_by_its_hidden_option(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def run(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, json.dumps({"worst_ms": 1.0}), "")

    monkeypatch.setattr(subprocess, "run", run)
    session, video = place.folder / "a.fewshot", place.folder / "v.mp4"

    assert measure_window(place, session, "live", video)["worst_ms"] == 1.0
    assert asked == [[sys.executable, "-m", "fewshot_gui", str(session), "--measure", "live", str(video)]]


def test_the_peak_of_memory_stays_when_memory_is_freed() -> None:
    # In a process of its own, whose peak is what it holds now; to 2 MB, as the kernel counts pages roughly.
    program = (
        "from fewshot_gui.engine.measures.memory import peak_megabytes as peak\n"
        "before, filled = peak(), bytearray(b'x' * 60_000_000)\n"
        "during = peak()\n"
        "del filled\n"
        "print(before, during, peak())\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    before, during, after = map(float, said.split())

    assert before > 5
    assert 55 < during - before < 130
    assert abs(after - during) < 2
