"""From a file of foreign weights to a backbone of the user's, and what is said where it cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
import torchvision

from fewshot_gui.core.backbones import foreign
from fewshot_gui.core.backbones.architectures import named_architecture
from fewshot_gui.core.backbones.bundle_info import describe_bundle
from fewshot_gui.core.backbones.foreign_error import ForeignProblem, ForeignWeightsError
from fewshot_gui.core.backbones.ladder import LADDER
from fewshot_gui.engine.taking_in import DoesNotFitError, free_place, take_in

if TYPE_CHECKING:
    from pathlib import Path

NAME = "shufflenet_v2_x0_5"


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    monkeypatch.setenv("FEWSHOT_MODELS", str(folder))
    return folder


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Random weights of a small network, as torchvision saves them."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = torchvision.models.get_model(NAME, weights=None)
    path = tmp_path / "mine.pth"
    torch.save(network.state_dict(), path)
    return path


def test_weights_become_a_backbone_under_a_free_name(models: Path, weights: Path) -> None:
    before = weights.read_bytes()
    info = take_in(weights, f"torchvision:{NAME}")
    assert (info.path, info.dimension) == (models / "mine.safetensors", 1024)
    assert describe_bundle("mine").hash == info.hash
    assert take_in(weights, f"torchvision:{NAME}").name == "mine-2", "nothing is overwritten"
    assert weights.read_bytes() == before


def test_the_weights_themselves_tell_their_network(
    models: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        foreign, "guess_architecture", lambda _tensors, _hint: named_architecture(f"torchvision:{NAME}")
    )
    assert take_in(weights).architecture["model"] == NAME
    monkeypatch.setattr(foreign, "guess_architecture", lambda _tensors, _hint: None)
    with pytest.raises(DoesNotFitError) as caught:
        take_in(weights)
    assert (caught.value.architecture, caught.value.report) == (None, None)


def test_what_does_not_fit_is_reported_part_by_part(models: Path, weights: Path) -> None:
    tensors = torch.load(weights, weights_only=True)
    del tensors["conv1.0.weight"]
    tensors["conv5.0.weight"] = torch.zeros(3, 3)
    torch.save(tensors, weights)
    with pytest.raises(DoesNotFitError) as caught:
        take_in(weights, f"torchvision:{NAME}")
    report = caught.value.report
    assert report is not None
    assert report.missing == ("conv1.0.weight",)
    assert [key for key, _found, _expected in report.wrong_shape] == ["conv5.0.weight"]
    assert not list(models.glob("*")) if models.is_dir() else True


@pytest.mark.parametrize("name", ["resnet50", "torchvision:", "torchvision:no_such_network", "hub:x"])
def test_a_network_that_is_not_there_is_said(models: Path, weights: Path, name: str) -> None:
    with pytest.raises(ForeignWeightsError) as caught:
        take_in(weights, name)
    assert caught.value.kind is ForeignProblem.CANNOT_BUILD


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("mine", "mine"),
        ("photo", "photo-2"),
        (LADDER[0].name, f"{LADDER[0].name}-2"),
        ("mine#pixels", "mine-pixels"),
        ("a:b?", "a-b-"),
        (".hidden", "hidden"),
        ("...", "backbone"),
        ("two\nlines", "two-lines"),
        ("caf\udce9", "caf-"),
    ],
)
def test_a_new_one_gets_a_name_that_is_one_and_is_free(models: Path, stem: str, name: str) -> None:
    assert free_place(stem) == models / f"{name}.safetensors"


def test_a_file_is_read_once(models: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    real = foreign.read_weights
    monkeypatch.setattr(foreign, "read_weights", lambda path: read.append(path) or real(path))
    take_in(weights, f"torchvision:{NAME}")
    assert read == [weights]
