"""Every measure on sizes that take a moment: what it reports, and that it leaves nothing behind."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fewshot_gui.engine.measures import catalogue, windows
from fewshot_gui.engine.measures.catalogue import MEASURES, take
from fewshot_gui.engine.measures.children import Place
from fewshot_gui.engine.measures.figure import QUICK, Figure, MeasureError
from fewshot_gui.engine.measures.materials import make_photos, make_video
from fewshot_gui.engine.measures.plain import classify, classify_sample, time_indexing, time_video

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

TINY = replace(
    QUICK, starts=1, rows=64, teachings=2, video_seconds=0.4, photos=3, photo_side=64, folder=4, pictures=6
)
TINY = replace(TINY, computed=2)


def test_an_example_is_timed_with_every_row_scored(tiny_backbone: Path) -> None:
    (figure,) = take("teach", str(tiny_backbone), TINY)

    assert (figure.name, figure.unit, figure.bar) == ("teach", "ms", 50.0)
    assert figure.value > 0
    assert figure.baseline_value > 0
    assert figure.detail["rows"] == 64
    assert figure.detail["p95_ms"] >= figure.value


@pytest.mark.parametrize("name", ["teach", "index"])
def test_a_backbone_that_cannot_be_loaded_ends_the_measure(
    tiny_backbone: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def fail(_name: str) -> None:
        raise RuntimeError("its weights are damaged")

    monkeypatch.setattr("fewshot_gui.engine.embedder._load_bundle", fail)
    if name == "teach":
        monkeypatch.setattr("fewshot_gui.engine.fitting.fit", lambda *_arguments: fail(""))

    with pytest.raises(MeasureError, match="its weights are damaged"):
        take(name, str(tiny_backbone), TINY)


def test_indexing_is_held_to_four_times_the_usual_loop(tiny_backbone: Path) -> None:
    (figure,) = take("index", str(tiny_backbone), TINY)

    assert figure.bar == 4 * figure.baseline_value
    assert figure.more_is_better
    assert figure.met == (figure.ratio >= 4)
    assert figure.detail["pictures"] == 3


def test_a_measure_leaves_nothing_behind(
    tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    take("teach", str(tiny_backbone), TINY)

    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_measure_that_could_not_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_place: object, _sizes: object) -> Figure:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(catalogue, "MEASURES", {"index": full})

    with pytest.raises(MeasureError, match=r"index: .*No space left"):
        take("index", "photo", TINY)


def test_the_measures_are_those_that_the_program_promises() -> None:
    assert list(MEASURES) == [
        "runtime", "start", "first-prediction", "teach", "live", "index", "blocked", "memory",
    ]  # fmt: skip


# What the window tells is made into figures ----------------------------------------------------------


class FakeWindow:
    """Answers in place of the processes, each scene with what it was given."""

    def __init__(self, **answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, int]] = []

    def window(self, _place: Place, session: Path, name: str, *paths: Path) -> dict[str, Any]:
        assert session.is_file()
        assert all(path.exists() for path in paths)
        self.asked.append((name, len(paths)))
        return {"begun_at": 100.0, **self.answers[name.replace("-", "_")]}

    def child(self, _place: Place, module: str, *_arguments: str) -> dict[str, Any]:
        return {"begun_at": 100.0, **self.answers[module.rpartition(".")[2]]}


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Any:
    def make(**answers: dict[str, Any]) -> FakeWindow:
        fake = FakeWindow(**answers)
        monkeypatch.setattr(windows, "measure_window", fake.window)
        monkeypatch.setattr(windows, "run_child", fake.child)
        return fake

    return make


def test_the_first_start_does_not_count(pretend: Any, tmp_path: Path) -> None:
    fake = pretend(start={"painted_at": 100.5, "torch_imported": False}, bare_window={"painted_at": 100.1})

    figure = windows.measure_start(Place(tmp_path, "photo"), replace(TINY, starts=2))

    assert figure.value == pytest.approx(500)
    assert figure.baseline_value == pytest.approx(100)
    assert figure.met
    assert len(figure.detail["runs_ms"]) == 2
    assert fake.asked == [("start", 0)] * 3
    assert figure.detail["torch_imported"] is False


def test_the_first_prediction_counts_from_the_start_of_the_process(pretend: Any, tmp_path: Path) -> None:
    pretend(
        first_prediction={"first_at": 102.0, "all_at": 103.0, "pictures": 32},
        plain={"first_at": 104.0, "all_at": 105.0, "pictures": 32},
    )

    figure = windows.measure_first_prediction(Place(tmp_path, "photo"), TINY)

    assert (figure.value, figure.baseline_value, figure.ratio) == (2000, 4000, 2)
    assert (figure.detail["all_ms"], figure.detail["baseline_all_ms"]) == (3000, 5000)
    assert figure.met is None


def test_live_takes_the_worse_of_shown_and_predicted(
    pretend: Any, tmp_path: Path, tiny_backbone: Path
) -> None:
    pretend(
        live={"shown_rate": 29.9, "predicted_rate": 24.0, "latencies_ms": [float(n) for n in range(1, 101)]}
    )

    rate, latency = windows.measure_live(Place(tmp_path, str(tiny_backbone)), TINY)

    assert (rate.name, rate.value, rate.met) == ("live", 24.0, False)
    assert rate.baseline_value <= 30
    assert (latency.name, latency.value, latency.met) == ("live-latency", 95.0, True)
    assert latency.detail["frames"] == 100


def test_the_longest_block_keeps_its_phases(pretend: Any, tmp_path: Path) -> None:
    phases = {"start": {"milliseconds": 130.0, "computing_ms": 5.0, "where": "a.py:1 b"}}
    fake = pretend(
        blocked={"worst_ms": 130.0, "phases": phases}, idle={"worst_ms": 2.0, "phases": {"idle": {}}}
    )

    figure = windows.measure_blocked(Place(tmp_path, "photo"), TINY)

    assert (figure.value, figure.baseline_value, figure.met) == (130.0, 2.0, False)
    assert figure.detail == {"phases": phases, "pictures": 4}
    assert fake.asked == [("blocked", 2), ("idle", 0)]


def test_memory_tells_what_came_from_the_cache(pretend: Any, tmp_path: Path, tiny_backbone: Path) -> None:
    fake = pretend(memory={"peak_mb": 900.0, "seconds": 3.0})

    figure = windows.measure_memory(Place(tmp_path, str(tiny_backbone)), TINY)

    assert (figure.value, figure.baseline_value, figure.met) == (900.0, 900.0, True)
    assert figure.detail["pictures"] == 6
    assert figure.detail["embeddings_from_cache"] == 4
    assert fake.asked == [("memory", 1), ("memory", 0)]


# The baselines give right answers: a fast wrong one would prove nothing --------------------------------


def test_the_naive_script_finds_the_nearest_class() -> None:
    import torch

    support = torch.tensor([[0.0, 0.0], [2.0, 0.0], [10.0, 0.0]])
    labels = torch.tensor([0, 0, 1])

    probabilities, nearest, distances = classify(support, labels, torch.tensor([[1.0, 0.0], [9.0, 0.0]]), 1.0)

    assert probabilities.argmax(dim=1).tolist() == [0, 1]
    assert probabilities.sum(dim=1).tolist() == pytest.approx([1, 1])
    assert nearest[1, 0].item() == 2
    assert distances[1, 0].item() == pytest.approx(1)


def test_the_usual_loop_reads_every_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fewshot_gui.core.backbones.preprocessing import Preprocessing

    monkeypatch.setattr("fewshot_gui.engine.measures.plain.LOADERS", 0)
    make_photos(tmp_path, 3, 64)
    seen = []

    class Counts:
        preprocessing = Preprocessing(16, 3, (0.5,) * 3, (0.25,) * 3)

        def embed(self, batch: np.ndarray, _device: str) -> None:
            seen.append(batch.shape)

    assert time_indexing(Counts(), tmp_path, "cpu") > 0  # type: ignore[arg-type]
    assert seen == [(3, 16, 16, 3)]


def test_the_plain_video_loop_stops_where_it_is_told(tmp_path: Path, tiny_backbone: Path) -> None:
    from fewshot_gui.core.backbones.bundle import load_bundle

    video, bundle = make_video(tmp_path / "made.mp4", 0.4), load_bundle(tiny_backbone)

    assert len(time_video(bundle, video, "cpu", at_most=5).milliseconds) == 5
    whole = time_video(bundle, video, "cpu", at_most=100)
    assert len(whole.milliseconds) == 12
    assert whole.rate == pytest.approx(12_000 / sum(whole.milliseconds))


def test_the_plain_script_classifies_the_whole_sample(tiny_backbone: Path) -> None:
    moments = iter(range(1000))

    told = classify_sample(str(tiny_backbone), lambda: float(next(moments)))

    assert told["first_at"] == 0
    assert told["all_at"] == told["pictures"] - 1
    assert told["pictures"] > 10
