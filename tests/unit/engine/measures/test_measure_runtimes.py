"""The measure of the runtimes: both speeds, kept where the window looks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fewshot_gui.engine.measures import runtimes
from fewshot_gui.engine.measures.children import Place
from fewshot_gui.engine.measures.figure import QUICK, MeasureError
from fewshot_gui.engine.measures.runtimes import copy_known, measure_runtimes
from fewshot_gui.engine.runtimes.record import RUNTIMES, Case, Record, read_record, write_model, write_record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fewshot_gui.engine.runtimes.child import Trial

CASES = Case(1, 1, 6.4, 4.6), Case(32, 2, 5.0, 7.0)


@pytest.fixture
def place(tmp_path: Path, tiny_backbone: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    monkeypatch.setenv("FEWSHOT_CACHE", str(tmp_path / "user"))
    return Place(tmp_path / "place", str(tiny_backbone))


@pytest.fixture
def finds(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Trial], Record | None]], None]:
    """Let every trial find this."""

    def set_finding(finding: Callable[[Trial], Record | None]) -> None:
        def make(trial: Trial) -> Any:
            yield
            return finding(trial)

        monkeypatch.setattr(runtimes, "make_trial", make)

    return set_finding


def test_the_faster_runtime_is_held_against_torch(place: Place, finds: Any) -> None:
    finds(lambda trial: Record(trial.conditions, difference=1e-6, cases=CASES))
    one, many = measure_runtimes(place, QUICK)
    assert (one.name, one.value, one.baseline_value, one.unit) == ("runtime", 4.6, 6.4, "ms")
    assert (many.name, many.value, many.baseline_value) == ("runtime-batch", 5.0, 5.0)
    assert (one.detail["runtime"], many.detail["runtime"]) == ("onnxruntime", "torch")
    assert many.detail["onnxruntime_ms"] == 7.0
    assert one.ratio > many.ratio == 1.0


@pytest.mark.parametrize(
    ("problem", "words"), [("no such operator", "no such operator"), (None, "cannot be kept")]
)
def test_where_it_cannot_be_used_the_reason_is_told(
    place: Place, finds: Any, problem: str | None, words: str
) -> None:
    finds(lambda trial: None if problem is None else Record(trial.conditions, problem))
    with pytest.raises(MeasureError, match=words):
        measure_runtimes(place, QUICK)


def test_without_the_packages_there_is_no_figure(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "conditions_of", lambda _info, _threads: None)
    assert measure_runtimes(place, QUICK) == ()


def test_a_measured_window_knows_what_the_user_knows(place: Place, tmp_path: Path, finds: Any) -> None:
    copy_known(place)
    assert not place.cache.exists()
    asked = list[Any]()

    def finding(trial: Trial) -> Record:
        asked.append(trial)
        return Record(trial.conditions, cases=CASES)

    finds(finding)
    measure_runtimes(place, QUICK)
    trial = asked[0]
    assert trial.folder == tmp_path / "user" / RUNTIMES
    record = Record(trial.conditions, "", write_model(trial.folder, trial.conditions, b"a model"), 0.0, CASES)
    write_record(trial.folder, record)
    (trial.folder / "another-bundle.onnx").touch()
    copy_known(place)
    assert read_record(place.cache / RUNTIMES, trial.conditions) == record
    assert {path.suffix for path in (place.cache / RUNTIMES).iterdir()} == {".json", ".onnx"}
    assert len(list((place.cache / RUNTIMES).iterdir())) == 2
