"""`fewshot-gui export`: a model that says what the program says, and the program that uses it."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fewshot_gui.cli.main import main
from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.images.view import View


def command(data: Path, backbone: Path, out: Path, *more: str) -> list[str]:
    return ["export", "--support", str(data), "--out", str(out), "--backbone", str(backbone), *more]


def module(path: Path) -> Any:
    """Return the program that was written beside a model."""
    spec = importlib.util.spec_from_file_location("exported", path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


@pytest.mark.parametrize("learner", ["ridge", "prototypical", "mahalanobis", "nearest"])
def test_the_model_says_what_the_program_says(
    data: Path, mean_colour: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], learner: str
) -> None:
    out = tmp_path / "colours.onnx"
    assert main([*command(data, mean_colour, out, "--learner", learner), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    names = sorted(each.name for each in data.iterdir())
    assert (told["out"], told["program"]) == (str(out), str(tmp_path / "colours.py"))
    assert told["categories"] == names
    assert told["compared"] == told["same"] == 36
    assert told["largest_difference"] < 1e-4
    ended = subprocess.run(
        [sys.executable, str(tmp_path / "colours.py"), str(out), str(data / "red" / "0.png"), "nowhere.png"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stdout.startswith("red\t")
    assert "nowhere.png" in ended.stderr
    assert not list(tmp_path.glob(".*.partial"))


def test_a_careful_model_knows_none_of_these(data: Path, mean_colour: Path, tmp_path: Path) -> None:
    """An earlier export is replaced, and the slider travels with the model."""
    out = tmp_path / "colours.onnx"
    labels = []
    for threshold in ("1", "0"):
        assert (
            main(command(data, mean_colour, out, "--learner", "prototypical", "--threshold", threshold)) == 0
        )
        Image.new("RGB", (30, 20), (255, 0, 255)).save(tmp_path / "pink.png")
        labels.append(
            module(tmp_path / "colours.py").Model(str(out)).answers([str(tmp_path / "pink.png")])[0].label
        )
    assert labels[0] is not None
    assert labels[1] is None


def test_a_picture_is_prepared_as_the_program_prepares_it() -> None:
    from fewshot_gui.engine.exports.use_model import Model

    generator = np.random.default_rng(0)
    views = View(), View(whole=True), View(zoom=1.333), View(zoom=1.5, turn=-10)
    for channels, invert in ((3, False), (1, True)):
        preparing = Preprocessing(28, channels, (0.5,) * channels, (0.5,) * channels, invert, views)
        model = object.__new__(Model)
        model._side, model._channels, model._invert = 28, channels, invert
        model._views = [asdict(view) for view in views]
        for shape in ((28, 28), (200, 90), (5, 7), (1, 300), (28, 40)):
            pixels = generator.integers(0, 256, (*shape, 3)).astype(np.uint8)
            assert np.array_equal(model.prepare(pixels), preparing.prepare(pixels)), shape


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_file_is_read_as_the_program_reads_it(tmp_path: Path, orientation: int) -> None:
    from fewshot_gui.core.images.reader import read_image
    from fewshot_gui.engine.exports.use_model import read

    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 4)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels[..., :3]).save(tmp_path / "ä.jpg", quality=95, exif=exif.tobytes())
    Image.fromarray(pixels, "RGBA").save(tmp_path / "a.png")
    Image.fromarray(pixels[..., 0]).save(tmp_path / "grey.png")
    for name in ("ä.jpg", "a.png", "grey.png"):
        theirs, ours = read(str(tmp_path / name)).astype(int), read_image(tmp_path / name).astype(int)
        assert theirs.shape == ours.shape
        assert np.abs(theirs - ours).max() <= 2, name


def test_a_program_that_somebody_changed_is_kept(
    data: Path, mean_colour: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from fewshot_gui.engine.exports import use_model

    program = tmp_path / "mine.py"
    program.write_bytes(Path(use_model.__file__).read_bytes() + b"print('and my own line')\n")
    changed = program.read_bytes()
    assert main(command(data, mean_colour, tmp_path / "mine.onnx")) == 2
    assert "mine.py is there already" in capsys.readouterr().err
    assert program.read_bytes() == changed


def test_nothing_of_another_is_replaced(
    data: Path, mean_colour: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.py").write_text("print('my own program')\n")
    assert main(command(data, mean_colour, tmp_path / "mine.onnx")) == 2
    assert "mine.py is there already" in capsys.readouterr().err
    assert (tmp_path / "mine.py").read_text() == "print('my own program')\n"
    assert not (tmp_path / "mine.onnx").exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--learner", "maml"), "adapts the network itself"),
        (("--threshold", "2"), "--threshold lies between 0 and 1"),
        (("--learner", "telepathy"), "telepathy"),
    ],
)
def test_what_cannot_be_exported_is_one_line_and_writes_nothing(
    data: Path, mean_colour: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    more: tuple[str, ...], words: str,
) -> None:  # fmt: skip
    assert main(command(data, mean_colour, tmp_path / "a.onnx", *more)) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.err.count("\n") == 1
    assert not list(tmp_path.glob("a.*"))


@pytest.mark.parametrize("learner", ["ridge", "relation"])
def test_a_head_with_weights_of_its_own_is_refused_before_anything_is_computed(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], learner: str
) -> None:
    """Before, it advised ridge to who had asked for ridge."""
    assert main(command(data, Path(f"omniglot-{learner}"), tmp_path / "a.onnx", "--learner", learner)) == 2
    assert f"the {learner} of omniglot-{learner} has weights of its own" in capsys.readouterr().err


def test_a_learner_that_needs_no_weights_is_exported_of_drawings_too(tmp_path: Path) -> None:
    """Before, the shipped bundle that was trained for it was taken, whose head cannot be written."""
    for name, turned in (("across", False), ("down", True)):
        (tmp_path / "draw" / name).mkdir(parents=True)
        for number in range(3):
            paper = np.full((40, 40), 255, np.uint8)
            paper[10 + 5 * number : 13 + 5 * number, 5:35] = 0
            Image.fromarray(paper.T if turned else paper).save(tmp_path / "draw" / name / f"{number}.png")
    wanted = ["export", "--support", str(tmp_path / "draw"), "--out", str(tmp_path / "a.onnx")]
    assert main([*wanted, "--learner", "ridge"]) == 0
    assert (tmp_path / "a.onnx").stat().st_size > 100_000


def test_a_model_has_its_suffix(
    data: Path, mean_colour: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(data, mean_colour, tmp_path / "a.pt")) == 2
    assert "--out must end in .onnx" in capsys.readouterr().err


def test_an_example_that_cannot_be_read_is_told(
    data: Path, mean_colour: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "red" / "9.png").write_bytes(b"no picture")
    assert main(command(data, mean_colour, tmp_path / "a.onnx", "--learner", "ridge")) == 1
    said = capsys.readouterr()
    assert "9.png" in said.err
    assert "36 of 36 pictures" in said.out


def test_what_torch_cannot_trace_is_told_as_learner_and_backbone(
    data: Path, mean_colour: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], untraceable: None
) -> None:
    assert main(command(data, mean_colour, tmp_path / "a.onnx", "--learner", "ridge")) == 2
    words = f"ridge on {mean_colour} cannot be written as an ONNX model; name another learner"
    assert words in capsys.readouterr().err
    assert not list(tmp_path.glob("a.*"))
