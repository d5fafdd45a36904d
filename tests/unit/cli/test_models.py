"""`fewshot-gui models`: the list, one card, and a file that is no backbone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.cli.main import main
from fewshot_gui.core.backbones import bundle_info, catalogue

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shelf(mean_colour: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny bundle as the only shipped one, with a card."""
    mean_colour.with_suffix(".md").write_text("# Tiny\nKnows colours.\n", encoding="utf-8")
    for module in (bundle_info, catalogue):
        monkeypatch.setattr(module, "models_folder", lambda: mean_colour.parent)
    return mean_colour


def test_the_list_has_a_line_for_each(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("tiny")
    assert "16x16 px" in lines[0]


def test_the_list_as_json(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json", "list"]) == 0
    (values,) = json.loads(capsys.readouterr().out)
    assert values["name"] == "tiny"
    assert values["dimension"] == 8
    assert len(values["hash"]) == 16


def test_one_backbone_with_its_card(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "info", "tiny"]) == 0
    assert "Knows colours." in capsys.readouterr().out
    assert main(["models", "--json", "info", str(shelf)]) == 0
    assert "Knows colours." in json.loads(capsys.readouterr().out)["card"]


@pytest.mark.parametrize("content", [b"", b"no weights"])
def test_a_file_that_is_no_backbone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    wrong = tmp_path / "wrong.safetensors"
    wrong.write_bytes(content)
    assert main(["models", "info", str(wrong)]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert len(said.err.splitlines()) == 1
    assert str(wrong) in said.err


def test_a_name_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "info", "imaginary"]) == 2
    assert "imaginary" in capsys.readouterr().err
