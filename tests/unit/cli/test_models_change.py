"""`fewshot-gui models download`, `add` and `remove`: backbones come, are used by name, and go."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fewshot_gui.cli import models_change
from fewshot_gui.cli.main import main
from fewshot_gui.core.backbones import ladder
from tests.unit.loopback import MODEL, cut, rung_at, status

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.core.backbones.ladder import Rung
    from tests.unit.loopback import Served

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def small(small: Rung, monkeypatch: pytest.MonkeyPatch) -> Rung:
    """The only rung of the ladder."""
    for module in (ladder, models_change):
        monkeypatch.setattr(module, "LADDER", (small,))
    return small


def test_downloaded_listed_used_and_removed(
    small: Rung, data: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, home: Path
) -> None:
    assert main(["models", "download", "small"]) == 0
    assert "small is here" in capsys.readouterr().out
    assert main(["models", "--json", "list"]) == 0
    (listed,) = (each for each in json.loads(capsys.readouterr().out) if each["name"] == "small")
    assert (listed["origin"], listed["here"], listed["licence"]) == ("user", True, small.licence)
    asked = ["--backbone", "small", "--device", "cpu"]
    evaluate = ["evaluate", "--json", "--data", str(data), "--ways", "3", "--shots", "2", "--queries", "2"]
    assert main([*evaluate, "--episodes", "5", "--learner", "prototypical", *asked]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] > 0.5
    folders = ["--support", str(data), "--query", str(data), "--out", str(tmp_path / "out.csv")]
    assert main(["classify", *folders, "--learner", "prototypical", *asked]) == 0
    assert len((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()) == 37
    capsys.readouterr()
    assert main(["models", "download", "small"]) == 0
    assert "here already" in capsys.readouterr().out
    assert main(["models", "remove", "small"]) == 0
    assert not list(home.glob("*.safetensors"))


def test_no_connection_is_one_calm_sentence(
    small: Rung, served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    away = rung_at("http://127.0.0.1:1/small.pth", name="small")
    other = rung_at("http://127.0.0.1:1/other.pth", name="other")
    for module in (ladder, models_change):
        monkeypatch.setattr(module, "LADDER", (away, other))
    assert main(["models", "download", "small", "other"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "small: there is no connection to 127.0.0.1; the backbones that are here go on working\n"
    )


def test_a_host_that_is_away_keeps_nothing_from_another(
    small: Rung, served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    away = [rung_at(f"http://127.0.0.1:1/{name}.pth", name=name) for name in ("other", "third")]
    for module in (ladder, models_change):
        monkeypatch.setattr(module, "LADDER", (*away, small))
    assert main(["models", "download", "other", "third", "small", "--json"]) == 1
    told = capsys.readouterr()
    values = json.loads(told.out)
    assert [each["name"] for each in values["here"]] == ["small"]
    assert [(each["name"], each["kind"]) for each in values["failed"]] == [
        ("other", "offline"),
        ("third", "offline"),
    ]
    assert len(told.err.splitlines()) == 1


def test_a_download_that_breaks_off_goes_on(
    small: Rung, served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    served.behave = [cut(5000)]
    assert main(["models", "--json", "download", "small"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["here"] == []
    assert said["failed"][0]["kind"] == "truncated"
    assert main(["models", "download", "small"]) == 0
    assert served.asked[-1][1]["Range"] == "bytes=5000-"


def test_an_unfinished_one_can_be_removed(
    small: Rung, served: Served, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    served.behave = [cut(5000)]
    assert main(["models", "download", "small"]) == 1
    assert main(["models", "remove", "small"]) == 0
    assert "what had arrived" in capsys.readouterr().out
    assert list((home / "downloads").iterdir()) == []


def test_a_refusal_says_what_the_server_said(
    small: Rung, served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    served.behave = [status(403)]
    assert main(["models", "download", "small"]) == 1
    said = capsys.readouterr().err
    assert "403" in said
    assert "127.0.0.1" in said
    assert len(said.splitlines()) == 1


def test_an_unknown_name_names_the_others(small: Rung, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "download", "small", "imaginary"]) == 2
    said = capsys.readouterr().err
    assert "imaginary" in said
    assert "there are small" in said


@pytest.mark.parametrize(("name", "words"), [("photo", "stays"), ("imaginary", "no backbone imaginary")])
def test_what_is_not_the_users_is_not_removed(
    capsys: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    assert main(["models", "remove", name]) == 2
    assert words in capsys.readouterr().err


def test_every_problem_has_its_words() -> None:
    from fewshot_gui.engine.downloads.error import DownloadError, DownloadProblem

    for problem in DownloadProblem:
        words = models_change._words(DownloadError(problem, "https://models.example/a", "{odd}"))
        assert words
        assert "\n" not in words
    assert "--upgrade" in models_change._words(DownloadError(DownloadProblem.NEEDS_TIMM, "https://x"))


@pytest.fixture
def own(tmp_path: Path, shufflenet: bytes) -> Path:
    """A file of weights that a person brings."""
    path = tmp_path / "my network.pth"
    path.write_bytes(shufflenet)
    return path


@pytest.mark.parametrize("told", [[], ["--architecture", f"torchvision:{MODEL}"]])
def test_ones_own_weights(own: Path, capsys: pytest.CaptureFixture[str], told: list[str]) -> None:
    choices = ["--name", "mine", "--licence", "CC-BY-4.0", "--side", "64", "--mean", "0.5,0.5,0.5"]
    assert main(["models", "--json", "add", str(own), *choices, *told]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (said["name"], said["side"], said["licence"]) == ("mine", 64, "CC-BY-4.0")
    assert said["network"] == {"kind": "torchvision", "model": MODEL}
    assert main(["models", "add", str(own), "--name", "mine"]) == 2
    assert "taken" in capsys.readouterr().err


def test_weights_of_another_network(own: Path, capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert main(["models", "add", str(own), "--architecture", "torchvision:resnet18"]) == 2
    said = capsys.readouterr().err
    assert "missing" in said
    assert MODEL in said
    assert len(said.splitlines()) == 1
    assert not home.exists()


def test_a_bundle_needs_no_adding(mean_colour: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "add", str(mean_colour)]) == 2
    assert "already" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [
        ["--architecture", "resnet18"],
        ["--architecture", "keras:resnet"],
        ["--side", "0"],
        ["--side", "large"],
        ["--mean", "1,2"],
        ["--std", "a,b,c"],
        ["--std", "0.5,0,0.5"],
    ],
)
def test_choices_that_mean_nothing(own: Path, wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["models", "add", str(own), *wrong])
    assert caught.value.code == 2


@pytest.mark.parametrize("name", ["photo", "small", "../mine", "a/b", ".hidden", "mine#pixels", "x" * 300])
def test_names_that_are_none_or_taken(
    small: Rung, own: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["models", "add", str(own), "--name", name]) == 2
    assert "--name" in capsys.readouterr().err


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "add", str(tmp_path / "none.pth")]) == 2
    assert "none.pth" in capsys.readouterr().err


def test_an_onnx_model_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    kind, make = onnx.TensorProto.FLOAT, onnx.helper
    pool = make.make_node("GlobalAveragePool", ["pictures"], ["pooled"])
    flat = make.make_node("Flatten", ["pooled"], ["numbers"])
    graph = make.make_graph(
        [pool, flat],
        "means",
        [make.make_tensor_value_info("pictures", kind, ["n", 3, 32, 32])],
        [make.make_tensor_value_info("numbers", kind, ["n", 3])],
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "means.onnx")
    add = ["models", "--json", "add", str(tmp_path / "means.onnx")]
    assert main([*add, "--side", "64"]) == 2
    assert "32" in capsys.readouterr().err
    assert main([*add, "--std", "0.5"]) == 2
    assert "3 channels" in capsys.readouterr().err
    assert main([*add, "--std", "0.5,0.5,0.25"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["name"], said["side"], said["dimension"]) == ("means", 32, 3)
    assert said["std"] == [0.5, 0.5, 0.25]
    assert main(["models", "info", "means"]) == 0
    assert "deviation 0.5, 0.5, 0.25" in capsys.readouterr().out
