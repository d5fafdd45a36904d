"""The faster runtime is taken where its answers are torch's, and given up for good where it fails."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fewshot_gui.core.backbones.onnx_runtime import OnnxEmbedder, OnnxRuntimeError
from fewshot_gui.engine.embedder import Embedder
from fewshot_gui.engine.library import Library
from fewshot_gui.engine.problems import ProblemLog
from fewshot_gui.engine.runtimes import settling
from fewshot_gui.engine.runtimes.child import Trial
from fewshot_gui.engine.runtimes.chosen import ChosenRuntimes
from fewshot_gui.engine.runtimes.record import (
    RUNTIMES,
    Case,
    Record,
    model_path,
    read_record,
    write_model,
    write_record,
)
from fewshot_gui.engine.runtimes.settling import Settling
from fewshot_gui.engine.runtimes.verifying import probe
from fewshot_gui.engine.torch_threads import torch_threads
from fewshot_gui.engine.worker import Priority

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fewshot_gui.core.backbones.bundle import Bundle
    from fewshot_gui.engine.runtimes.conditions import Conditions
    from fewshot_gui.engine.worker import Worker
    from tests.unit.engine.conftest import MainThread

FAST, SLOW = (2.0, 1.0), (1.0, 2.0)


def keep(
    folder: Path,
    conditions: Conditions,
    model: bytes,
    one: tuple[float, float] = FAST,
    many: tuple[float, float] = FAST,
) -> Record:
    """Keep what a trial would have found, with these milliseconds of torch and of ONNX Runtime."""
    cases = Case(1, 1, *one), Case(32, 1, *many)
    record = Record(conditions, "", write_model(folder, conditions, model), 1e-6, cases)
    write_record(folder, record)
    return record


@pytest.fixture
def chosen(tmp_path: Path) -> ChosenRuntimes:
    return ChosenRuntimes(tmp_path)


@pytest.fixture
def settle(chosen: ChosenRuntimes, tiny: Bundle, tiny_path: Path) -> Callable[[], Trial | None]:
    return lambda: chosen.settle(str(tiny_path), tiny, 2)


def test_what_is_not_known_is_to_be_tried(
    settle: Callable[[], Trial | None], tiny_path: Path, tmp_path: Path, conditions: Conditions
) -> None:
    trial = settle()
    assert trial == Trial(str(tiny_path), tmp_path, 2, conditions)
    assert trial is not None
    assert trial.command[-3:] == [str(tiny_path), str(tmp_path), "2"]


@pytest.mark.parametrize(
    ("one", "many", "used"), [(FAST, FAST, {1, 9}), (FAST, SLOW, {1}), (SLOW, FAST, {9}), (SLOW, SLOW, set())]
)
def test_each_size_is_embedded_by_the_faster_runtime(
    chosen: ChosenRuntimes, settle: Callable[[], Trial | None], tiny: Bundle, tiny_path: Path, tmp_path: Path,
    conditions: Conditions, tiny_model: bytes, one: Any, many: Any, used: set[int],
) -> None:  # fmt: skip
    keep(tmp_path, conditions, tiny_model, one, many)
    assert settle() is None
    for count in (1, 9):
        batch = probe(tiny.preprocessing, count)
        embeddings = chosen.embed(str(tiny_path), batch)
        assert (embeddings is not None) is (count in used)
        if embeddings is not None:
            np.testing.assert_allclose(embeddings, tiny.embed(batch), atol=1e-3)


@pytest.mark.parametrize("damage", [b"", b"not the model", None])
def test_a_model_that_was_damaged_or_removed_is_made_again(
    chosen: ChosenRuntimes, settle: Callable[[], Trial | None], tiny: Bundle, tiny_path: Path, tmp_path: Path,
    conditions: Conditions, tiny_model: bytes, damage: bytes | None,
) -> None:  # fmt: skip
    keep(tmp_path, conditions, tiny_model)
    path = model_path(tmp_path, conditions)
    path.unlink() if damage is None else path.write_bytes(damage)
    assert isinstance(settle(), Trial)
    assert chosen.embed(str(tiny_path), probe(tiny.preprocessing, 1)) is None


def test_a_sound_file_that_is_no_model_is_given_up(
    settle: Callable[[], Trial | None], tmp_path: Path, conditions: Conditions
) -> None:
    keep(tmp_path, conditions, b"no model")
    assert settle() is None
    found = read_record(tmp_path, conditions)
    assert found is not None
    assert found.problem
    assert settle() is None


def test_another_answer_than_torchs_is_never_used(
    chosen: ChosenRuntimes, settle: Callable[[], Trial | None], tiny: Bundle, tiny_path: Path, tmp_path: Path,
    conditions: Conditions, tiny_model: bytes, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    keep(tmp_path, conditions, tiny_model)
    embed = OnnxEmbedder.embed
    monkeypatch.setattr(OnnxEmbedder, "embed", lambda self, batch: embed(self, batch) + np.float32(0.01))
    assert settle() is None
    assert chosen.embed(str(tiny_path), probe(tiny.preprocessing, 1)) is None
    found = read_record(tmp_path, conditions)
    assert found is not None
    assert "differ" in found.problem


def test_one_that_fails_later_is_given_up(
    chosen: ChosenRuntimes, settle: Callable[[], Trial | None], tiny: Bundle, tiny_path: Path, tmp_path: Path,
    conditions: Conditions, tiny_model: bytes, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    keep(tmp_path, conditions, tiny_model)
    settle()

    def fails(_self: OnnxEmbedder, _batch: Any) -> None:
        raise OnnxRuntimeError("bad allocation")

    monkeypatch.setattr(OnnxEmbedder, "embed", fails)
    for _ in range(2):
        assert chosen.embed(str(tiny_path), probe(tiny.preprocessing, 1)) is None
    found = read_record(tmp_path, conditions)
    assert found is not None
    assert found.problem == "bad allocation"
    assert settle() is None


def test_a_recorded_problem_is_not_tried_again(
    settle: Callable[[], Trial | None], tmp_path: Path, conditions: Conditions
) -> None:
    write_record(tmp_path, Record(conditions, "an operator is missing"))
    assert settle() is None


def test_a_forgotten_bundle_is_torchs_until_it_is_settled_anew(
    chosen: ChosenRuntimes, settle: Callable[[], Trial | None], tiny: Bundle, tiny_path: Path, tmp_path: Path,
    conditions: Conditions, tiny_model: bytes,
) -> None:  # fmt: skip
    keep(tmp_path, conditions, tiny_model)
    settle()
    batch = probe(tiny.preprocessing, 1)
    chosen.forget(str(tiny_path))
    assert chosen.embed(str(tiny_path), batch) is None
    settle()
    assert chosen.embed(str(tiny_path), batch) is not None


def test_a_bundle_that_is_gone_is_no_error(chosen: ChosenRuntimes, tiny: Bundle) -> None:
    assert chosen.settle("no-such-bundle", tiny, 2) is None


def test_the_pixels_space_is_left_alone(chosen: ChosenRuntimes, tiny: Bundle, tiny_path: Path) -> None:
    assert chosen.settle(f"{tiny_path}#pixels", tiny, 2) is None


# In the embedder --------------------------------------------------------------------------------------


class Told:
    """Stands for the chosen runtimes: answers with a number, or not at all."""

    def __init__(self, answer: float | None) -> None:
        self.answer = answer
        self.asked: list[tuple[str, int]] = []
        self.settled: list[tuple[str, int]] = []

    def embed(self, name: str, batch: Any) -> Any:
        self.asked.append((name, len(batch)))
        return None if self.answer is None else np.full((len(batch), 4), self.answer, np.float32)

    def settle(self, name: str, _backbone: Any, most_threads: int) -> None:
        self.settled.append((name, most_threads))


def embedder_with(told: Told, tiny: Bundle, loaded: list[str]) -> Embedder:
    runtimes: Any = told
    return Embedder(
        lambda _name: tiny,
        lambda _name: tiny,
        lambda _device: None,
        runtimes=runtimes,
        on_loaded=loaded.append,
    )


@pytest.mark.parametrize("answer", [7.0, None])
def test_on_the_cpu_the_chosen_runtime_embeds_and_torch_where_it_does_not(
    tiny: Bundle, answer: float | None
) -> None:
    told, loaded = Told(answer), list[str]()
    embedder = embedder_with(told, tiny, loaded)
    batch = probe(tiny.preprocessing, 3)
    found = embedder.embed(batch, "tiny", "cpu")
    expected = tiny.embed(batch) if answer is None else np.full((3, 4), answer)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert told.asked == [("tiny", 3)]
    assert loaded == ["tiny"]


def test_another_device_is_torchs_alone(tiny: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fewshot_gui.engine.embedder.choose_device", lambda wanted: wanted)
    monkeypatch.setattr(tiny, "embed", lambda batch, _device="cpu": np.zeros((len(batch), 4), np.float32))
    told = Told(7.0)
    embedder = embedder_with(told, tiny, [])
    assert not embedder.embed(probe(tiny.preprocessing, 2), "tiny", "cuda").any()
    assert embedder.settle("tiny") is None
    assert (told.asked, told.settled) == ([], [])


def test_settling_counts_the_threads_before_it_takes_one(tiny: Bundle) -> None:
    told = Told(None)
    embedder = embedder_with(told, tiny, [])
    assert embedder.settle("tiny") is None
    assert told.settled == []
    embedder.warm_up("tiny", "cpu")
    embedder.settle("tiny")
    assert told.settled == [("tiny", torch_threads())]


# While nothing else is to be done ---------------------------------------------------------------------


@pytest.fixture
def trial(tmp_path: Path, conditions: Conditions) -> Trial:
    return Trial("tiny", tmp_path, 2, conditions)


def test_a_trial_is_made_once_and_what_it_found_is_taken_into_use(
    main: MainThread, lane: Callable[..., Worker], trial: Trial, conditions: Conditions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    model, asked, made = lane("model"), list[str](), list[Trial]()
    record = Record(conditions, cases=(Case(1, 1, *FAST), Case(32, 1, *SLOW)))

    def make(wanted: Trial) -> Any:
        made.append(wanted)
        yield
        return record

    def settle(name: str) -> Trial:
        asked.append(name)
        return trial

    monkeypatch.setattr(settling, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(settling, "make_trial", make)
    found = Settling(main, model, lambda: False, settle)
    found.begin("tiny")
    main.run_until(lambda: len(asked) == 2)
    main.finish(model)
    # It still asks for a trial, as where nothing can be kept: that one is not made.
    assert (asked, made) == (["tiny", "tiny"], [trial])
    found.close()


def test_settling_waits_for_everything_else(main: MainThread, lane: Callable[..., Worker]) -> None:
    model, order = lane("model"), list[str]()
    found = Settling(main, model, lambda: False, order.append)

    def first(_token: object) -> None:
        # Both wait when this ends; the folder goes first, although it came last.
        found.begin("tiny")
        model.submit(lambda _token: order.append("folder"), priority=Priority.FOLDER)

    model.submit(first)
    main.finish(model)
    assert order == ["folder", "tiny"]
    found.close()


def test_a_trial_waits_until_nobody_waits(
    main: MainThread, lane: Callable[..., Worker], trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, looks, made = lane("model"), list[bool](), list[int]()
    monkeypatch.setattr(settling, "QUIET_SECONDS", 1e-6)

    def busy() -> bool:
        looks.append(len(looks) < 3)
        return looks[-1]

    def make(_wanted: Trial) -> Any:
        made.append(len(looks))
        main(lambda: None)
        yield

    monkeypatch.setattr(settling, "make_trial", make)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    found = Settling(main, model, busy, lambda _name: trial)
    found.begin("tiny")
    main.run_until(lambda: made)
    found.close()


def test_closing_ends_what_runs(
    main: MainThread, lane: Callable[..., Worker], trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, ended = lane("model"), list[str]()
    monkeypatch.setattr(settling, "QUIET_SECONDS", 0.0)

    def make(_wanted: Trial) -> Any:
        try:
            main(lambda: ended.append("running"))
            while True:
                yield
        finally:
            ended.append("ended")

    monkeypatch.setattr(settling, "make_trial", make)
    found = Settling(main, model, lambda: False, lambda _name: trial)
    found.begin("tiny")
    main.run_until(lambda: ended)
    found.close()
    assert ended == ["running", "ended"]
    found.begin("tiny")
    main.finish(model)
    assert ended == ["running", "ended"]


def test_a_library_embeds_with_what_is_known(
    main: MainThread, lane: Callable[..., Worker], tiny: Bundle, tiny_path: Path, tmp_path: Path,
    conditions: Conditions, tiny_model: bytes, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The whole way: loaded, idle, taken into use, and the same embedding as before."""
    decode, model, name = lane("decode"), lane("model"), str(tiny_path)
    keep(tmp_path / RUNTIMES, replace(conditions, threads=(1, max(1, torch_threads() // 2))), tiny_model)
    used = list[int]()
    embed = OnnxEmbedder.embed

    def noted(self: OnnxEmbedder, batch: Any) -> Any:
        used.append(len(batch))
        return embed(self, batch)

    monkeypatch.setattr(OnnxEmbedder, "embed", noted)
    library = Library(main, decode, model, tmp_path, ProblemLog())
    pixels = probe(tiny.preprocessing, 1)[0]
    first = list[Any]()
    model.submit(lambda _token: library.embed_pixels(pixels, name, "cpu"), then=first.append)
    main.finish(model, decode)
    checked = len(used)
    assert checked == 1
    model.submit(lambda _token: library.embed_pixels(pixels, name, "cpu"), then=first.append)
    main.finish(model, decode)
    assert len(used) == checked + 1
    np.testing.assert_allclose(first[1], first[0], atol=1e-3)
    library.close()
