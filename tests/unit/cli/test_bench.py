"""`fewshot-gui bench`: its table, its JSON and its exit codes."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from fewshot_gui.cli import bench
from fewshot_gui.cli.main import main
from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.engine.measures.catalogue import MEASURES
from fewshot_gui.engine.measures.figure import FULL, QUICK, Figure, MeasureError, Sizes
from fewshot_gui.engine.measures.runtimes import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEACH = Figure("teach", 12.34, "ms", 24.68, bar=50.0, detail={"rows": 10})
LIVE = Figure("live", 20.0, "frames/s", 10.0, bar=25.0, more_is_better=True)
FIRST = Figure("first-prediction", 4321.0, "ms", 8642.0)


@pytest.fixture
def backbone(tmp_path: Path) -> Path:
    """A bundle that can be described; nothing here loads it."""
    import numpy as np

    from fewshot_gui.core.backbones.bundle import save_bundle

    path = tmp_path / "some.safetensors"
    values = dict.fromkeys(("temperature", "novelty"), 0.0) | {"dimension": 3, "normalise": True}
    preprocessing = Preprocessing(16, 3, (0.5,) * 3, (0.25,) * 3)
    kept = {"side": preprocessing.side, "channels": 3, "mean": [0.5] * 3, "std": [0.25] * 3}
    words = {"title": "Some", "architecture": {}, "preprocessing": kept, "training": {}}
    save_bundle(path, {"centre": np.zeros(3, np.float32)}, values | words)
    return path


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[tuple[str, str, Sizes]]]:
    """Let the measures give these figures, and return what is asked of them."""

    def make(*figures: Figure, fail: str = "") -> list[tuple[str, str, Sizes]]:
        asked: list[tuple[str, str, Sizes]] = []

        def take(name: str, backbone: str, sizes: Sizes) -> tuple[Figure, ...]:
            asked.append((name, backbone, sizes))
            if name == fail:
                raise MeasureError("the window fell over")
            return tuple(figure for figure in figures if figure.name.startswith(name))

        monkeypatch.setattr(bench, "take", take)
        monkeypatch.setattr(bench, "machine", lambda: dict.fromkeys(MACHINE, 0))
        return asked

    return make


MACHINE = ("cpu_count", "load", "system", "python", "torch", "device", "screen")


def bench_command(backbone: Path, *arguments: str) -> int:
    return main(["bench", "--backbone", str(backbone), *arguments])


def test_json_is_one_object_with_every_field(
    backbone: Path, taken: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    taken(TEACH)

    assert bench_command(backbone, "--json", "--only", "teach") == 0
    told = json.loads(capsys.readouterr().out)

    assert set(told) == {"machine", "measures"}
    assert told["measures"] == [
        {
            "name": "teach",
            "value": 12.34,
            "unit": "ms",
            "bar": 50.0,
            "met": True,
            "baseline": bench.BASELINES["teach"],
            "baseline_value": 24.68,
            "ratio": 2.0,
            "detail": {"rows": 10},
        }
    ]


def test_without_only_every_measure_is_taken_in_order(backbone: Path, taken: Any) -> None:
    asked = taken()

    bench_command(backbone, "--json")

    assert [name for name, _backbone, _sizes in asked] == list(MEASURES)
    assert all(sizes is FULL for _name, _backbone, sizes in asked)


def test_quick_takes_small_sizes(backbone: Path, taken: Any) -> None:
    asked = taken()

    bench_command(backbone, "--quick", "--only", "live", "start")

    assert [(name, sizes) for name, _backbone, sizes in asked] == [("live", QUICK), ("start", QUICK)]


def test_a_path_is_made_absolute(backbone: Path, taken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(backbone.parent)
    asked = taken()

    main(["bench", "--backbone", backbone.name, "--only", "teach"])

    assert asked[0][1] == str(backbone)


def test_the_table_is_aligned_and_says_what_is_missed() -> None:
    lines = bench.table([TEACH, LIVE, FIRST]).splitlines()

    assert lines[0].split() == [
        "measure",
        "value",
        "bar",
        "met",
        "baseline",
        "times",
        "as",
        "good",
        "baseline",
        "is",
    ]
    column = lines[0].index("baseline is")
    assert all(line[column - 1] == " " and line[column] != " " for line in lines[1:])
    cells = [part.strip() for part in lines[1].split("  ") if part]
    assert cells[1:6] == ["12.3 ms", "<= 50.0", "yes", "24.7", "2.00"]
    assert ">= 25.0" in lines[2]
    assert " NO " in lines[2]
    assert "4,321.0 ms" in lines[3]
    assert "yes" not in lines[3]


def test_the_text_begins_with_the_machine(
    backbone: Path, taken: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    taken(TEACH)

    bench_command(backbone, "--only", "teach")

    first, empty, head, *_rest = capsys.readouterr().out.splitlines()
    assert "processors" in first
    assert empty == ""
    assert head.startswith("measure")


def test_one_failure_does_not_stop_the_others(
    backbone: Path, taken: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    taken(TEACH, LIVE, fail="live")

    assert bench_command(backbone, "--json", "--only", "live", "teach") == 1
    told = capsys.readouterr()

    assert [each["name"] for each in json.loads(told.out)["measures"]] == ["teach"]
    assert told.err == "live could not be measured: the window fell over\n"


def test_a_missed_bar_is_no_failure(backbone: Path, taken: Any) -> None:
    taken(LIVE)

    assert bench_command(backbone, "--only", "live") == 0


def test_an_unknown_backbone_is_bad_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--backbone", "no-such-thing"]) == 2
    assert "no-such-thing" in capsys.readouterr().err


def test_an_unknown_measure_is_bad_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["bench", "--only", "patience"])

    assert stopped.value.code == 2
    assert "start" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("runtime", "words"), [("torch", "torch is used"), ("onnxruntime", "ONNX Runtime is used")]
)
def test_the_table_says_which_runtime_is_used(runtime: str, words: str) -> None:
    figure = Figure("runtime", 4.6, "ms", 6.4, detail={"runtime": runtime})

    assert bench.table([figure]).endswith(f"; {words}")


def test_every_figure_has_a_named_baseline() -> None:
    assert set(NAMES) <= set(bench.BASELINES)
    assert set(MEASURES) <= set(bench.BASELINES)
    assert "live-latency" in bench.BASELINES


def test_the_machine_is_described() -> None:
    facts = bench.machine()

    assert set(facts) == set(MACHINE)
    assert facts["cpu_count"] == os.cpu_count()
    assert facts["device"] in {"cpu", "cuda", "mps", "xpu"}
