"""How long a picture takes here: measured, kept, and void on another machine."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from fewshot_gui.core.backbones.bundle_info import describe_bundle
from fewshot_gui.core.backbones.ladder import LADDER
from fewshot_gui.engine import speeds as module
from fewshot_gui.engine.speeds import SPEEDS, TIMES, Speeds, keep_speeds, measure_speeds, read_speeds

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds at which the clock will stand, one after the other."""
    times: list[float] = []
    monkeypatch.setattr(module.time, "perf_counter", lambda: times.pop(0))
    return times


def test_nothing_is_known_before_it_is_measured(tmp_path: Path) -> None:
    assert read_speeds(tmp_path) == Speeds()
    assert Speeds().reckoned(LADDER[0]) is None
    assert Speeds().of(cast("Any", SimpleNamespace(hash="a"))) is None


def test_the_shortest_of_several_is_kept(
    tmp_path: Path, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_mobilenet_v2", lambda: lambda: None)
    for taken in [0.5, 0.02, *[0.1] * (TIMES - 2)]:
        clock += [10.0, 10.0 + taken]
    told: list[tuple[int, int]] = []
    speeds = measure_speeds([], lambda done, total: told.append((done, total)))
    keep_speeds(tmp_path / "new", speeds)
    assert speeds.mobilenet_v2_ms == pytest.approx(20)
    assert told == [(0, 1), (1, 1)]
    assert read_speeds(tmp_path / "new") == speeds
    assert speeds.reckoned(LADDER[0]) == pytest.approx(20 * LADDER[0].milliseconds_mobilenet_v2)


def test_one_that_cannot_be_loaded_does_not_cost_the_others_their_speed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(b"torn")
    monkeypatch.setattr(module, "_shortest_ms", lambda _run: 7.0)
    sound = describe_bundle("photo")
    infos = [replace(sound, path=torn, hash="torn"), sound]
    speeds = measure_speeds(infos, lambda _done, _total: None)
    keep_speeds(tmp_path, speeds)
    assert speeds.measured_ms == {sound.hash: 7.0}
    assert read_speeds(tmp_path) == speeds


def test_mobilenet_runs(tmp_path: Path) -> None:
    assert module._mobilenet_v2()().shape == (1, 1000)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"machine": "another", "mobilenet_v2_ms": 1}'])
def test_another_machine_or_half_a_file_counts_as_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / SPEEDS).write_text(text)
    assert read_speeds(tmp_path) == Speeds()


def test_what_was_written_by_hand_is_not_believed(tmp_path: Path) -> None:
    values = {"machine": module.machine(), "mobilenet_v2_ms": None, "measured_ms": {}}
    (tmp_path / SPEEDS).write_text(json.dumps(values))
    assert read_speeds(tmp_path) == Speeds()
