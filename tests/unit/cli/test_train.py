"""`fewshot-gui train`: a tiny training to its bundle, resumed after an interruption, and bad use."""

from __future__ import annotations

import csv
import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.cli import train
from fewshot_gui.cli.main import main
from fewshot_gui.core.backbones.bundle import describe_bundle, load_bundle
from fewshot_gui.core.training import group
from fewshot_gui.core.training.group import Group
from fewshot_gui.core.training.recipe import parse_recipe
from fewshot_gui.core.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

RECIPE = """
title = "Tiny"
side = 16
channels = 3
centre = true
normalise = true
network = { kind = "conv4", width = 4 }

[[stage]]
kind = "classify"
steps = 12
learning_rate = 0.05
batch = 8

[[stage]]
kind = "episodes"
steps = 8
learning_rate = 0.01
optimiser = "adam"
ways = 3
shots = 1
queries = 2
"""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


def command(data: Path, recipe: Path, out: Path, *more: str) -> list[str]:
    first = ["train", "--data", str(data), "--config", str(recipe), "--out", str(out)]
    return [*first, "--device", "cpu", "--threads", "1", *more]


def test_a_training_writes_a_bundle_its_log_and_its_story(
    data: Path, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new folder" / "tiny.safetensors"
    assert main(command(data, recipe, out, "--json")) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["steps"] == 20
    assert values["out"] == str(out)
    info = describe_bundle(out)
    assert (info.title, info.dimension, info.preprocessing.side) == ("Tiny", 4, 16)
    assert info.temperature > 0
    assert "classes" in info.training["data"]
    assert load_bundle(out).hash == info.hash
    with out.with_suffix(".log.csv").open(newline="", encoding="utf-8") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["10", "20"]


def test_a_training_that_was_interrupted_goes_on(
    data: Path,
    recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole, halved = tmp_path / "whole.safetensors", tmp_path / "halved.safetensors"
    assert main(command(data, recipe, whole)) == 0
    real = Trainer.run

    def interrupted(self: Trainer, checkpoint: Any = None, *, resume: bool = False) -> Iterator[Any]:
        for record in real(self, checkpoint, resume=resume, every=8):
            yield record
            if record.step == 12:
                raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "run", interrupted)
    assert main(command(data, recipe, halved)) == 130
    assert not halved.exists()
    assert halved.with_suffix(".checkpoint").is_file()
    monkeypatch.setattr(Trainer, "run", real)
    assert main(command(data, recipe, halved, "--resume")) == 0
    assert "after 20 steps" in capsys.readouterr().out
    log = halved.with_suffix(".log.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in log] == ["step", "10", "20"]  # those that were done twice, once
    one, other = load_bundle(whole), load_bundle(halved)
    assert describe_bundle(whole).temperature == pytest.approx(describe_bundle(halved).temperature)
    import numpy as np

    batch = np.arange(2 * 16 * 16 * 3, dtype=np.uint8).reshape(2, 16, 16, 3)
    assert np.allclose(one.embed(batch), other.embed(batch), atol=1e-6)


def test_validation_classes_of_their_own(data: Path, recipe: Path, tmp_path: Path) -> None:
    held = tmp_path / "held"
    held.mkdir()
    for name in ("black", "white"):
        (data / name).rename(held / name)
    out = tmp_path / "a.safetensors"
    assert main(command(data, recipe, out, "--validation", str(held))) == 0
    assert describe_bundle(out).training["validation"].startswith("2 classes")


def test_a_checkpoint_of_another_recipe_is_refused_in_one_line(
    data: Path, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.safetensors"
    out.with_suffix(".checkpoint").write_bytes(b"no checkpoint")
    assert main(command(data, recipe, out, "--resume")) == 2
    said = capsys.readouterr().err
    assert "delete it" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--out", "weights.bin"], ".safetensors"),
        (["--data", "/nowhere"], "/nowhere is not a folder"),
        (["--validation", "/nowhere"], "/nowhere is not a folder"),
        (["--config", "/nowhere.toml"], "no recipe"),
        (["--backbone", "imaginary"], "imaginary"),
        (["--threads", "0"], "--threads is 1 or more"),
        (["--workers", "-1"], "--workers is 0 or more"),
    ],
)
def test_bad_use_is_one_line(
    data: Path,
    recipe: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    wrong: list[str],
    words: str,
) -> None:
    out = tmp_path / "a.safetensors"
    assert main(command(data, recipe, out, *wrong)) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert len(said.err.splitlines()) == 1
    assert not out.exists()


def test_a_training_that_diverges_says_so_and_leaves_the_former_bundle(
    data: Path, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before, it wrote weights that are no numbers over a good bundle, and its exit code was 0."""
    out = tmp_path / "a.safetensors"
    assert main(command(data, recipe, out)) == 0
    former = out.read_bytes()
    capsys.readouterr()
    recipe.write_text(RECIPE.replace("learning_rate = 0.05", "learning_rate = 1e8"), encoding="utf-8")
    assert main(command(data, recipe, out)) == 2
    assert "lower learning_rate" in capsys.readouterr().err
    assert out.read_bytes() == former


@pytest.mark.parametrize("within", [".", "black", ".."])
def test_pictures_to_validate_on_are_none_that_are_trained_on(
    data: Path, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], within: str
) -> None:
    wanted = command(data, recipe, tmp_path / "a.safetensors", "--validation", str(data / within))
    assert main(wanted) == 2
    assert "have the same pictures" in capsys.readouterr().err


def test_classes_of_one_name_in_training_and_validation_are_told(
    data: Path, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = tmp_path / "held"
    shutil.copytree(data, held)
    assert main(command(data, recipe, tmp_path / "a.safetensors", "--validation", str(held))) == 0
    assert "more are in --data and in --validation" in capsys.readouterr().err


def test_a_checkpoint_of_other_validation_classes_is_refused(
    data: Path, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe.write_text(f"validation_every = 5\n{RECIPE}", encoding="utf-8")
    held, out = tmp_path / "held", tmp_path / "a.safetensors"
    held.mkdir()
    for name in ("black", "white"):
        (data / name).rename(held / name)
    wanted = command(data, recipe, out, "--validation", str(held))
    assert main(wanted) == 0
    (held / "white").rename(held / "pale")
    shutil.copytree(held / "pale", held / "dark")
    assert main([*wanted, "--resume"]) == 2
    assert "checkpoint" in capsys.readouterr().err


def test_a_recipe_that_goes_on_from_a_trained_network_asks_for_it(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before, a head was trained for hours on a network of random weights."""
    wanted = ["train", "--data", str(data), "--out", str(tmp_path / "a.safetensors")]
    assert main([*wanted, "--recipe", "mini-feat"]) == 2
    assert "say which with --start" in capsys.readouterr().err
    assert main([*wanted, "--recipe", "mini-feat", "--start", "none"]) == 2
    assert "needs a start" in capsys.readouterr().err
    assert main([*wanted, "--recipe", "mini-maml", "--teacher", "nowhere.tflite"]) == 2
    assert "say which with --start" in capsys.readouterr().err


def test_a_teacher_that_nobody_listens_to_is_refused(
    data: Path, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(data, recipe, tmp_path / "a.safetensors", "--teacher", "nowhere.tflite")) == 2
    assert "learns from no teacher" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    ["colour = 3", "[[stage]]\nkind = 'classify'", "title = unquoted"],
    ids=["unknown key", "missing keys", "not TOML"],
)
def test_a_recipe_that_cannot_be_followed(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str
) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(f"{change}\n{RECIPE}" if "stage" not in change else f"{RECIPE}\n{change}\n")
    assert main(command(data, wrong, tmp_path / "a.safetensors")) == 2
    assert "wrong" in capsys.readouterr().err


def test_episodes_that_want_more_classes_than_there_are(
    data: Path, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe.write_text(RECIPE.replace("ways = 3", "ways = 30"), encoding="utf-8")
    assert main(command(data, recipe, tmp_path / "a.safetensors")) == 2
    assert "30 classes are needed" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written(
    data: Path, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(command(data, recipe, tmp_path / "file" / "a.safetensors")) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_too_few_classes(
    tmp_path: Path, data: Path, recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for name in ("red", "green", "blue"):
        (data / name).rename(few / name)
    assert main(command(few, recipe, tmp_path / "a.safetensors")) == 2
    assert "four or more" in capsys.readouterr().err


def test_pictures_that_cannot_be_read_are_named_and_counted(
    data: Path, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held, out = tmp_path / "held", tmp_path / "a.safetensors"
    held.mkdir()
    for name in ("black", "white"):
        (data / name).rename(held / name)
    (data / "red" / "torn.png").write_bytes(b"torn")
    (held / "black" / "empty.png").write_bytes(b"")
    assert main(command(data, recipe, out, "--validation", str(held), "--json")) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["problems"] == 2
    assert [name in said.err for name in ("torn.png", "empty.png")] == [True, True]
    assert describe_bundle(out).training["validation"] == "2 classes, 12 pictures"


def test_for_torchrun_a_training_that_left_pictures_out_is_no_crash(
    data: Path, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def second_of_two(*_given: object) -> Iterator[tuple[Group, str]]:
        yield Group(1, 2), "cpu"

    (data / "red" / "torn.png").write_bytes(b"torn")
    monkeypatch.setattr(group, "joined_group", second_of_two)
    monkeypatch.setattr(train, "_train", lambda *_given: None)
    assert main(command(data, recipe, tmp_path / "a.safetensors")) == 0


def test_a_recipe_or_a_config_but_not_both(
    data: Path, recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command(data, recipe, data / "a.safetensors"), "--recipe", "photo"])
    assert ended.value.code == 2


HEADED = RECIPE.replace(
    'title = "Tiny"',
    'title = "Tiny"\nlearner = "matching"\nvalidation_every = 5\nkeep = "best"\nvalidation_episodes = 5',
).replace("centre = true\nnormalise = true\n", "")


def test_a_head_is_trained_validated_and_shipped_with_its_curve(
    data: Path, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe.write_text(HEADED, encoding="utf-8")
    out = tmp_path / "m.safetensors"
    assert main(command(data, recipe, out, "--json")) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["learner"] == "matching"
    assert values["validation_step"] in {15, 20}  # the best of the last stage
    assert describe_bundle(out).learner == "matching"
    with out.with_suffix(".validation.csv").open(newline="", encoding="utf-8") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["5", "10", "15", "20"]
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_of_several_processes_one_alone_asks_the_teacher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from argparse import Namespace

    import numpy as np
    from torch import distributed

    from fewshot_gui.core.episodes.dataset import ClassImages
    from fewshot_gui.core.training import teacher

    taught = parse_recipe(RECIPE[: RECIPE.rindex("[[stage]]")].replace('"classify"', '"distil"').replace(
        'kind = "conv4", width = 4', 'kind = "resnet", widths = [4], embedding = 2'
    ).replace("[[stage]]", "[teacher]\n[[stage]]"), "taught")  # fmt: skip
    data = ClassImages(("a",), np.zeros((9, 16, 16, 3), np.uint8), np.zeros(9, np.int64))
    arguments = Namespace(teacher="photo", out=tmp_path / "a.safetensors", json=True)
    asked: list[int] = []

    def answers(*_: Any, **__: Any) -> Any:
        asked.append(len(asked))
        return np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)

    monkeypatch.setattr(teacher, "teacher_embeddings", answers)
    found: list[Any] = []

    def wait() -> None:
        """Stand for the other process: the second one waits here while the first one is at work."""
        if not found:
            found.append(train._taught(arguments, taught, data, Group()))

    monkeypatch.setattr(distributed, "barrier", wait)
    found.append(train._taught(arguments, taught, data, Group(1, 2)))
    assert asked == [0]
    assert np.array_equal(found[0], found[1])


def test_a_start_that_is_not_there_is_named(
    data: Path, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(data, recipe, tmp_path / "a.safetensors", "--start", "nowhere")) == 2
    assert "nowhere" in capsys.readouterr().err


def test_without_learner_and_recipe_it_says_what_is_missing(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--data", str(data), "--out", str(tmp_path / "a.safetensors")]) == 2
    assert "--learner" in capsys.readouterr().err


def test_a_learner_alone_takes_the_recipe_for_its_pictures(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The pictures of this folder are coloured, and no recipe trains matching networks on photos."""
    wanted = [
        "train",
        "--learner",
        "matching",
        "--data",
        str(data),
        "--out",
        str(tmp_path / "a.safetensors"),
    ]
    assert main(wanted) == 2
    assert "omniglot-matching" in capsys.readouterr().err


def test_tensorboard_that_is_not_installed_is_asked_for(
    data: Path,
    recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    wanted = command(data, recipe, tmp_path / "a.safetensors", "--tensorboard", str(tmp_path / "board"))
    assert main(wanted) == 2
    assert "pip install tensorboard" in capsys.readouterr().err


def test_a_file_of_somebody_elses_beside_the_bundle_stays(
    data: Path, recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the teacher says was written over it, though the documentation promised that it is not."""
    precious = tmp_path / "a.teacher.npz"
    precious.write_bytes(b"my own file")
    assert main(command(data, recipe, tmp_path / "a.safetensors", "--teacher", "photo")) == 2
    assert "a.teacher.npz" in capsys.readouterr().err
    assert precious.read_bytes() == b"my own file"
