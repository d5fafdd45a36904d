"""`fewshot-gui evaluate`: the figures, their repeatability, and what it cannot measure."""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING, Any

import pytest
import torch

from fewshot_gui.cli import evaluate, options
from fewshot_gui.cli.main import main
from fewshot_gui.core.backbones.bundle import Bundle
from fewshot_gui.core.learners.base import SupportError
from fewshot_gui.core.learners.nearest import Nearest

if TYPE_CHECKING:
    from pathlib import Path

SMALL = ("--ways", "3", "--shots", "1", "--queries", "2", "--episodes", "5")


def command(data: Path, backbone: Path, *more: str) -> list[str]:
    return ["evaluate", "--data", str(data), "--backbone", str(backbone), *SMALL, *more]


def measured(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == 0
    values: dict[str, Any] = json.loads(capsys.readouterr().out)
    return values


def test_json_has_what_the_design_promises(
    data: Path, mean_colour: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = measured(capsys, *command(data, mean_colour))
    wanted = {"learner", "backbone", "ways", "shots", "episodes", "accuracy", "ci95", "ece", "ms_per_task"}
    assert wanted <= set(values)
    assert (values["ways"], values["shots"], values["episodes"]) == (3, 1, 5)
    assert values["accuracy"] > 0.8  # six plain colours
    assert (values["classes"], values["pictures"]) == (6, 36)


@pytest.mark.parametrize("learner", ["prototypical", "prototypical-cosine", "nearest", "ridge"])
def test_every_learner_is_measured_the_same_twice(
    data: Path, mean_colour: Path, capsys: pytest.CaptureFixture[str], learner: str
) -> None:
    first = measured(capsys, *command(data, mean_colour, "--learner", learner, "--seed", "3"))
    again = measured(capsys, *command(data, mean_colour, "--learner", learner, "--seed", "3"))
    assert first["learner"] == learner
    assert (first["accuracy"], first["ece"]) == (again["accuracy"], again["ece"])


def test_in_words(data: Path, mean_colour: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(data, mean_colour)) == 0
    words = capsys.readouterr().out
    assert "3-way 1-shot, 5 episodes of 6 classes" in words
    assert "±" in words


def test_a_single_episode_has_no_interval(
    data: Path, mean_colour: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(data, mean_colour, "--episodes", "1")) == 0
    assert "inf" not in capsys.readouterr().out
    assert measured(capsys, *command(data, mean_colour, "--episodes", "1"))["ci95"] is None


def test_held_out_are_the_classes_that_training_keeps_away(
    data: Path, mean_colour: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = measured(capsys, *command(data, mean_colour, "--held-out", "0.5"))
    assert (values["classes"], values["pictures"]) == (3, 18)
    assert main(command(data, mean_colour, "--held-out", "1.5")) == 2
    assert "between 0 and 1" in capsys.readouterr().err


def test_held_out_classes_of_several_folders_are_those_of_a_training_on_them(
    data: Path, mean_colour: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before, only one folder could be named, and of that other classes were taken."""
    more = tmp_path / "more"
    more.mkdir()
    names = sorted(folder.name for folder in data.iterdir())
    for name in names[:2]:
        (data / name).rename(more / name)
    values = measured(
        capsys, *command(data, mean_colour, "--data", str(data), str(more), "--held-out", "0.5")
    )
    assert (values["classes"], values["pictures"]) == (3, 18)


def test_an_unreadable_picture_is_left_out_and_told(
    data: Path, mean_colour: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "red" / "broken.png").write_bytes(b"broken")
    assert main(command(data, mean_colour, "--json")) == 1
    said = capsys.readouterr()
    assert "broken.png" in said.err
    assert (json.loads(said.out)["pictures"], json.loads(said.out)["problems"]) == (36, 1)


def test_a_device_that_is_not_there_is_told_once(
    data: Path, mean_colour: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(options, "choose_device", lambda _wanted: "cpu")
    assert main(command(data, mean_colour, "--device", "cuda", "--compare", "ridge,nearest")) == 0
    assert capsys.readouterr().err.count("no cuda device") == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--ways", "7"], "7 classes are needed"),
        (["--shots", "6"], "red"),
        (["--shots", "0"], "at least 1 shot"),
        (["--learner", "oracle"], "choose one of"),
        (["--data", "/nowhere"], "/nowhere is not a folder"),
        (["--backbone", "imaginary"], "imaginary"),
        (["--episodes", "0"], "episode"),
        (["--ways", "0"], "class"),
        (["--queries", "0"], "quer"),
        (["--seed", "-1"], "--seed"),
        (["--seed", "99999999999999999999"], "--seed"),
    ],
)
def test_bad_use_is_one_line(
    data: Path, mean_colour: Path, capsys: pytest.CaptureFixture[str], wrong: list[str], words: str
) -> None:
    assert main(command(data, mean_colour, *wrong)) == 2
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1, said.err
    assert words in said.err or words == "red"
    assert not said.out


def test_who_cannot_learn_costs_the_others_nothing(
    data: Path, mean_colour: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before, all reports were lost, and the way out was "please report it"."""

    def refuse(_self: Nearest, *_arguments: Any, **_more: Any) -> Any:
        raise SupportError("it knows at most 2 categories")

    monkeypatch.setattr(Nearest, "fit", refuse)
    assert main([*command(data, mean_colour, "--compare", "ridge,nearest,prototypical"), "--json"]) == 1
    said = capsys.readouterr()
    assert [each["learner"] for each in json.loads(said.out)["reports"]] == ["ridge", "prototypical"]
    assert "nearest on" in said.err
    assert "at most 2 categories" in said.err
    assert len(json.loads(said.out)["refused"]) == 1
    assert main([*command(data, mean_colour, "--learner", "nearest"), "--json"]) == 1
    refused = json.loads(capsys.readouterr().out)
    assert refused["reports"] == [], "a reader of JSON finds some, whatever happens"
    assert "at most 2 categories" in refused["refused"][0]


def test_a_full_graphics_card_is_told_and_the_processor_goes_on(
    data: Path, mean_colour: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(options, "choose_device", lambda wanted: wanted)
    real = Bundle.embed

    def embed(self: Bundle, batch: Any, device: str = "cpu") -> Any:
        if device != "cpu":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, batch)

    monkeypatch.setattr(Bundle, "embed", embed)
    monkeypatch.setattr(Bundle, "_move", lambda _self, _device: None)
    assert main(command(data, mean_colour, "--device", "cuda")) == 0
    assert "on the processor" in capsys.readouterr().err


def test_an_interruption(
    data: Path, mean_colour: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate, "_measure", interrupt)
    assert main(command(data, mean_colour)) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_full_disk_costs_the_picture_alone(
    data: Path,
    mean_colour: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_arguments: object, **_settings: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    assert main(command(data, mean_colour, "--picture", str(tmp_path / "a.png"))) == 2
    said = capsys.readouterr()
    assert "prototypical on tiny" in said.out
    assert "a.png: No space left on device\n" in said.err
    assert not list(tmp_path.glob("*a.png*"))
