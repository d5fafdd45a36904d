"""The user's own bundles: whose a file is, what a new one may be called, and that only theirs go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fewshot_gui.core.backbones.architectures import architecture_name, named_architecture
from fewshot_gui.core.backbones.bundle_info import describe_bundle
from fewshot_gui.core.backbones.ladder import LADDER
from fewshot_gui.core.backbones.own_bundles import is_name, is_taken, is_users, own_path, remove_own

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def mine(home: Path) -> Path:
    """A bundle of the user's, with a card."""
    home.mkdir()
    path = home / "mine.safetensors"
    path.write_bytes(describe_bundle("photo").path.read_bytes())
    path.with_suffix(".md").write_text("# Mine", encoding="utf-8")
    return path


def test_what_lies_in_the_users_folder_is_theirs(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert own_path("mine") == mine
    assert is_users(describe_bundle("mine"))
    assert not is_users(describe_bundle("photo"))
    monkeypatch.setenv("FEWSHOT_MODELS", str(mine.parent.parent / "elsewhere" / ".." / mine.parent.name))
    (mine.parent.parent / "elsewhere").mkdir()
    assert is_users(describe_bundle(mine)), "whichever way its folder is written"


@pytest.mark.parametrize(
    "name", ["", ".hidden", "../mine", "a/b", "mine#pixels", "a:b", "what?", "a\nb", "caf\udce9"]
)
def test_what_is_no_name(name: str) -> None:
    assert not is_name(name)
    assert is_name("my network-2.1")


def test_names_of_what_is_here_or_can_be_are_taken(mine: Path) -> None:
    assert all(is_taken(name) for name in ("mine", "photo", LADDER[0].name))
    assert not is_taken("theirs")


def test_a_bundle_goes_with_its_card(mine: Path) -> None:
    assert remove_own("mine")
    assert not list(mine.parent.iterdir())
    assert not remove_own("mine")


@pytest.mark.parametrize("name", ["../photo", "/etc/hosts", "", "mine.safetensors", "photo"])
def test_what_is_not_theirs_does_not_go(mine: Path, name: str) -> None:
    assert not remove_own(name)
    assert mine.is_file()


def test_a_name_means_an_architecture_and_back() -> None:
    for text in ("torchvision:resnet50", "timm:vit_small"):
        named = named_architecture(f" {text} ")
        assert named is not None
        assert architecture_name(named) == text
    assert architecture_name({"kind": "onnx"}) == "onnx"
    assert [named_architecture(text) for text in ("resnet50", "timm:", "hub:x", "")] == [None] * 4
