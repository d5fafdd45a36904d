"""`fewshot-gui evaluate --compare` and the default bundle: the same tasks for all, told in three ways."""

from __future__ import annotations

import json
import shutil
import sys
import types
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from fewshot_gui.cli.main import main
from fewshot_gui.core.backbones import bundle_info, catalogue
from fewshot_gui.core.backbones.bundle import save_bundle
from fewshot_gui.core.backbones.networks import build_network
from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.learners.nearest import Nearest

if TYPE_CHECKING:
    from pathlib import Path

SMALL = ("--ways", "3", "--shots", "1", "--queries", "2", "--episodes", "5")


def command(data: Path, *more: str) -> list[str]:
    return ["evaluate", "--data", str(data), *SMALL, *more]


def write_bundle(path: Path, channels: int, learner: str = "") -> None:
    torch.manual_seed(0)
    architecture: dict[str, Any] = {"kind": "conv4", "channels": channels, "width": 8}
    tensors = {key: value.numpy() for key, value in build_network(architecture).state_dict().items()}
    preprocessing = Preprocessing(16, channels, (0.5,) * channels, (0.25,) * channels)
    save_bundle(path, tensors | {"centre": np.zeros(8, np.float32)}, {
        "title": path.stem, "architecture": architecture, "preprocessing": asdict(preprocessing),
        "dimension": 8, "normalise": False, "temperature": 0.02, "novelty": 50.0, "training": {},
        "learner": learner, "head": {"steps": 3} if learner else {},
    })  # fmt: skip


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Shipped are "photo" and "omniglot-conv4", and a bundle for maml on drawings."""
    folder = tmp_path / "models"
    folder.mkdir()
    write_bundle(folder / "photo.safetensors", 3)
    write_bundle(folder / "omniglot-conv4.safetensors", 1)
    write_bundle(folder / "omniglot-maml.safetensors", 1, "maml")
    for module in (bundle_info, catalogue):
        monkeypatch.setattr(module, "models_folder", lambda: folder)
    return folder


@pytest.fixture
def drawings(tmp_path: Path) -> Path:
    """Three classes of three drawings each."""
    for number in range(3):
        folder = tmp_path / "drawings" / f"sign{number}"
        folder.mkdir(parents=True)
        for each in range(3):
            sheet = Image.new("L", (40, 40), 255)
            ImageDraw.Draw(sheet).line((5 + each, 5, 5 + 12 * number, 35), fill=0, width=3)
            sheet.save(folder / f"{each}.png")
    return tmp_path / "drawings"


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == 0
    values: dict[str, Any] = json.loads(capsys.readouterr().out)
    return values


def test_learners_are_compared_on_the_very_same_tasks(
    data: Path, shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shelf / "copy.safetensors"
    shutil.copy(shelf / "photo.safetensors", copy)
    arguments = command(
        data, "--compare", f"prototypical,nearest, prototypical@{copy}", "--backbone", "photo"
    )
    reports = told(capsys, *arguments)["reports"]
    assert [(report["learner"], report["backbone"]) for report in reports] == [
        ("prototypical", "photo"), ("nearest", "photo"), ("prototypical", "copy"),
    ]  # fmt: skip
    one, nearest, other = (
        {k: v for k, v in r.items() if k not in {"ms_per_task", "backbone"}} for r in reports
    )
    assert one == other  # the same weights on the same tasks
    alone = told(capsys, *command(data, "--learner", "nearest", "--backbone", "photo"))
    assert (alone["accuracy"], alone["ece"]) == (nearest["accuracy"], nearest["ece"])
    assert not alone["transductive"]


def test_the_table_has_a_line_for_each(data: Path, shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(data, "--compare", "prototypical,simpleshot")) == 0
    task, blank, head, *rows = capsys.readouterr().out.splitlines()
    assert task == "3-way 1-shot, 5 episodes of 6 classes"
    assert not blank
    assert head.split("  ")[0] == "learner"
    assert "calibration error" in head
    assert [row.split()[:2] for row in rows] == [["prototypical", "photo"], ["simpleshot", "photo"]]
    assert all("±" in row for row in rows)
    assert len({row.index("±") for row in rows}) == 1  # in columns


def test_a_picture_of_the_table(data: Path, shelf: Path, tmp_path: Path) -> None:
    assert main(command(data, "--compare", "prototypical,nearest", "--picture", str(tmp_path / "t.png"))) == 0
    with Image.open(tmp_path / "t.png") as image:
        assert image.format == "PNG"


def test_without_a_backbone_the_pictures_decide(
    data: Path, drawings: Path, shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(capsys, *command(data))["backbone"] == "photo"
    few = [*command(drawings), "--queries", "1"]
    assert told(capsys, *few)["backbone"] == "omniglot-conv4"


def test_classify_lets_the_examples_decide(
    drawings: Path, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fewshot_gui.cli import classify

    asked: list[str] = []
    real = classify.make_learner
    monkeypatch.setattr(
        classify,
        "make_learner",
        lambda recipe, library: asked.append(recipe.backbone) or real(recipe, library),
    )
    out = tmp_path / "labels.csv"
    arguments = [
        "classify",
        "--support",
        str(drawings),
        "--query",
        str(drawings / "sign0"),
        "--out",
        str(out),
    ]
    assert main(arguments) == 0
    assert asked == ["omniglot-conv4"]
    assert len(out.read_text().splitlines()) == 4


@pytest.fixture
def maml(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """A stand-in for the gradient methods: the nearest example in the pixels themselves, of a batch."""
    made: list[tuple[Any, ...]] = []

    class Stand(Nearest):
        transductive = True

    def make(name: str, settings: dict[str, Any], context: Any) -> Any:
        made.append((name, settings, context.network is not None, context.input_shape))
        return Stand(context.temperature, context.novelty)

    module = types.SimpleNamespace(GradientLearner=make)
    monkeypatch.setitem(sys.modules, "fewshot_gui.core.learners.gradient.learner", module)
    return made


def test_a_gradient_method_gets_pixels_and_its_own_bundle(
    drawings: Path, shelf: Path, maml: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*command(drawings), "--queries", "1", "--compare", "maml,prototypical"]
    reports = told(capsys, *arguments)["reports"]
    assert maml == [("maml", {"steps": 3}, True, (1, 16, 16))]
    assert [report["backbone"] for report in reports] == ["omniglot-maml", "omniglot-conv4"]
    assert [report["transductive"] for report in reports] == [True, False]
    assert main(arguments) == 0
    assert capsys.readouterr().out.count("transductive") == 1


def test_classify_works_in_the_pixels_space(
    drawings: Path, shelf: Path, maml: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    out = tmp_path / "labels.csv"
    arguments = ["classify", "--support", str(drawings), "--query", str(drawings), "--out", str(out)]
    assert main([*arguments, "--learner", "maml"]) == 0
    assert maml == [("maml", {"steps": 3}, True, (1, 16, 16))]
    assert len(out.read_text().splitlines()) == 10


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--learner", "relation"], "none is shipped"),
        (["--learner", "relation", "--backbone", "photo"], "not on photo"),
        (["--compare", "nearest,oracle"], "there is no learner 'oracle'"),
        (["--compare", "nearest@nowhere"], "no such bundle"),
        (["--picture", "/nowhere/t.png"], "make it first"),
        (["--data", "/nowhere"], "/nowhere is not a folder"),
    ],
)
def test_bad_use_is_one_line(
    data: Path, shelf: Path, capsys: pytest.CaptureFixture[str], wrong: list[str], words: str
) -> None:
    assert main(command(data, *wrong)) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert len(said.err.splitlines()) == 1
    assert not said.out


def test_one_learner_beside_several_is_refused(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before, the one was passed over in silence."""
    with pytest.raises(SystemExit):
        main(command(data, "--compare", "nearest", "--learner", "ridge"))
    assert "--learner: not allowed with argument --compare" in capsys.readouterr().err
