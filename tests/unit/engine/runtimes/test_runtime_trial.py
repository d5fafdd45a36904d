"""A trial: equal answers are measured and kept, everything else is a problem on record."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fewshot_gui.core.backbones import onnx_export
from fewshot_gui.core.backbones.onnx_export import OnnxExportError
from fewshot_gui.core.backbones.onnx_runtime import OnnxEmbedder
from fewshot_gui.engine.runtimes import child, trial
from fewshot_gui.engine.runtimes.child import Trial, make_trial
from fewshot_gui.engine.runtimes.record import Record, model_path, read_model, read_record
from fewshot_gui.engine.runtimes.trial import try_runtimes
from fewshot_gui.engine.runtimes.verifying import (
    DifferentAnswerError,
    largest_difference,
    probe,
    same_nearest,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from fewshot_gui.core.backbones.bundle import Bundle
    from fewshot_gui.engine.runtimes.conditions import Conditions


@pytest.fixture(autouse=True)
def same_threads() -> object:
    """Leave torch as many threads as it had: a trial has the process to itself."""
    import torch

    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def exported(tiny_model: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_export, "export_bundle", lambda _bundle: tiny_model)
    monkeypatch.setattr(trial, "_SECONDS_A_CASE", 0.0)


@pytest.mark.usefixtures("exported")
def test_equal_answers_are_measured_and_kept(tiny_path: Path, tmp_path: Path, conditions: Conditions) -> None:
    record = try_runtimes(str(tiny_path), tmp_path, 2)
    assert record is not None
    assert record == read_record(tmp_path, conditions)
    assert record.problem == ""
    assert 0 <= record.difference < 1e-4
    assert [(case.pictures, case.threads) for case in record.cases] == [(1, 1), (32, 1)]
    assert all(case.torch_ms > 0 and case.onnx_ms > 0 for case in record.cases)
    assert read_model(tmp_path, record) is not None


@pytest.mark.usefixtures("exported")
def test_another_answer_is_a_problem(
    tiny_path: Path, tmp_path: Path, conditions: Conditions, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed = OnnxEmbedder.embed
    monkeypatch.setattr(OnnxEmbedder, "embed", lambda self, batch: embed(self, batch) + np.float32(0.01))
    record = try_runtimes(str(tiny_path), tmp_path, 2)
    assert record is not None
    assert "differ" in record.problem
    assert not record.onnx_wins
    assert read_record(tmp_path, conditions) == record
    assert not model_path(tmp_path, conditions).exists()


@pytest.mark.parametrize("model", [b"", b"no model"])
def test_a_model_that_cannot_be_loaded_is_a_problem(
    tiny_path: Path, tmp_path: Path, conditions: Conditions, monkeypatch: pytest.MonkeyPatch, model: bytes
) -> None:
    monkeypatch.setattr(onnx_export, "export_bundle", lambda _bundle: model)
    record = try_runtimes(str(tiny_path), tmp_path, 2)
    assert record is not None
    assert record.problem
    assert read_record(tmp_path, conditions) == record


def test_an_exporter_that_fails_is_a_problem(
    tiny_path: Path, tmp_path: Path, conditions: Conditions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_bundle: Bundle) -> bytes:
        raise OnnxExportError("an operator is missing")

    monkeypatch.setattr(onnx_export, "export_bundle", fails)
    assert try_runtimes(str(tiny_path), tmp_path, 2) == Record(conditions, "an operator is missing")


def test_where_there_is_nothing_to_compare_nothing_is_kept(tiny_path: Path, tmp_path: Path) -> None:
    assert try_runtimes(f"{tiny_path}#pixels", tmp_path, 2) is None
    assert list(tmp_path.iterdir()) == []


class Fixed:
    """Embeds every batch as it is told."""

    def __init__(self, embeddings: NDArray[np.float32]) -> None:
        self.embeddings = embeddings

    def embed(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.embeddings[: len(batch)]


ROWS = np.eye(6, dtype=np.float32)


@pytest.mark.parametrize(
    ("change", "words"),
    [(0.002, "differ"), (np.nan, "differ"), (np.inf, "differ")],
)
def test_answers_that_differ_are_refused(tiny: Bundle, change: float, words: str) -> None:
    other = ROWS.copy()
    other[3, 2] += np.float32(change)
    with pytest.raises(DifferentAnswerError, match=words):
        largest_difference(Fixed(ROWS), Fixed(other), tiny.preprocessing, (6,))


def test_answers_of_another_length_are_refused(tiny: Bundle) -> None:
    with pytest.raises(DifferentAnswerError, match="not"):
        largest_difference(Fixed(ROWS), Fixed(ROWS[:, :3]), tiny.preprocessing, (6,))


def test_the_largest_difference_is_told(tiny: Bundle) -> None:
    other = ROWS + np.float32(0.0005)
    assert largest_difference(Fixed(ROWS), Fixed(other), tiny.preprocessing, (2, 6)) == pytest.approx(
        5e-4, 1e-3
    )


def test_the_nearest_must_be_the_same_but_where_two_are_equally_near() -> None:
    prototypes = np.array([[0.0], [1.0], [9.0], [9.0], [9.0]], np.float32)
    expected = np.concatenate([prototypes, np.array([[0.5]], np.float32)])
    assert same_nearest(expected + np.float32(1e-6), expected)
    expected[5] = 0.4
    found = expected.copy()
    found[5] = 0.6
    assert not same_nearest(found, expected)


@pytest.mark.parametrize("count", [1, 7])
def test_the_pictures_to_compare_with_are_always_the_same(tiny: Bundle, count: int) -> None:
    pictures = probe(tiny.preprocessing, count)
    assert pictures.shape == (count, 16, 16, 3)
    assert pictures.dtype == np.uint8
    np.testing.assert_array_equal(pictures, probe(tiny.preprocessing, count))


# In a process of its own ------------------------------------------------------------------------------


def made(trial_to_make: Trial) -> Record | None:
    steps = make_trial(trial_to_make)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            record: Record | None = end.value
            return record


def script(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(Trial, "command", property(lambda _self: [sys.executable, "-c", code]))


@pytest.mark.slow
@pytest.mark.timeout(900)  # at the lowest priority, on a machine that may be busy
def test_a_process_finds_out_and_keeps_it(tiny_path: Path, tmp_path: Path, conditions: Conditions) -> None:
    record = made(Trial(str(tiny_path), tmp_path, 2, conditions))
    assert record is not None
    assert record.problem == ""
    assert record.conditions == conditions
    assert read_model(tmp_path, record) is not None


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import sys; sys.exit(3)", "exit code 3"),
        ("raise ValueError('no such operator')", "ValueError: no such operator"),
        ("import os; os.abort()", "exit code -6"),
    ],
)
def test_a_process_that_dies_is_a_problem(
    tmp_path: Path, conditions: Conditions, monkeypatch: pytest.MonkeyPatch, code: str, problem: str
) -> None:
    script(monkeypatch, code)
    record = made(Trial("tiny", tmp_path, 2, conditions))
    assert record == read_record(tmp_path, conditions)
    assert record is not None
    assert record.problem.startswith(problem if sys.platform != "win32" else "")


def test_a_process_that_hangs_is_ended(
    tmp_path: Path, conditions: Conditions, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(monkeypatch, "import threading; threading.Event().wait()")
    monkeypatch.setattr(child, "PATIENCE_SECONDS", 0.0)
    record = made(Trial("tiny", tmp_path, 2, conditions))
    assert record is not None
    assert "took over" in record.problem


def test_closing_the_steps_ends_the_process(
    tmp_path: Path, conditions: Conditions, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(monkeypatch, "import threading; threading.Event().wait()")
    started = []
    start = child._start

    def noted(wanted: Trial, said: Any) -> Any:
        started.append(start(wanted, said))
        return started[0]

    monkeypatch.setattr(child, "_start", noted)
    steps = make_trial(Trial("tiny", tmp_path, 2, conditions))
    next(steps)
    assert started[0].poll() is None
    steps.close()
    assert started[0].poll() is not None
    assert read_record(tmp_path, conditions) is None


def test_a_folder_that_cannot_be_written_is_no_error(
    tmp_path: Path, conditions: Conditions, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(monkeypatch, "import sys; sys.exit(1)")
    (tmp_path / "file").touch()
    assert made(Trial("tiny", tmp_path / "file", 2, conditions)) is None
