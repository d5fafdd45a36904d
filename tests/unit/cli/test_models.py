"""`fewshot-gui models list` and `info`: what is here, what can be had, one card, and a file that is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fewshot_gui.cli import models_list
from fewshot_gui.cli.main import main
from fewshot_gui.core.backbones import bundle_info, catalogue
from fewshot_gui.core.backbones.ladder import LADDER
from fewshot_gui.engine import speeds as speeds_module
from fewshot_gui.engine.folders import cache_folder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shelf(mean_colour: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny bundle as the only shipped one, with a card."""
    mean_colour.with_suffix(".md").write_text("# Tiny\nKnows colours.\n", encoding="utf-8")
    for module in (bundle_info, catalogue, models_list):
        monkeypatch.setattr(module, "models_folder", lambda: mean_colour.parent)
    monkeypatch.setenv("FEWSHOT_MODELS", str(mean_colour.parent / "own"))
    return mean_colour


def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    assert main(["models", "--json", "list"]) == 0
    return {values["name"]: values for values in json.loads(capsys.readouterr().out)}


def test_the_list_has_a_line_for_each(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("tiny")
    assert "16x16 px" in lines[1]
    for rung in LADDER:
        (line,) = (line for line in lines if line.startswith(f"{rung.name} "))
        assert rung.licence in line
        assert "x MobileNetV2" in line
    assert "--measure" in lines[-1]


def test_the_list_as_json(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = listed(capsys)
    tiny = found.pop("tiny")
    assert (tiny["dimension"], tiny["origin"], tiny["here"]) == (8, "shipped", True)
    assert len(tiny["hash"]) == 16
    assert list(found) == [rung.name for rung in LADDER]
    for rung in LADDER:
        assert found[rung.name]["here"] is False
        assert found[rung.name]["expected"] == rung.expected
        assert found[rung.name]["estimated_milliseconds"] is None


def test_the_users_stand_behind_the_shipped(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = shelf.parent / "own"
    own.mkdir()
    (own / "mine.safetensors").write_bytes(shelf.read_bytes())
    found = listed(capsys)
    assert list(found)[:2] == ["tiny", "mine"]
    assert (found["mine"]["origin"], found["mine"]["licence"]) == ("user", "not stated")


def test_a_rung_that_is_here_is_listed_once(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = shelf.parent / "own"
    own.mkdir()
    (own / f"{LADDER[0].name}.safetensors").write_bytes(shelf.read_bytes())
    found = listed(capsys)
    assert found[LADDER[0].name]["here"] is True
    assert found[LADDER[0].name]["expected"] == LADDER[0].expected
    assert len(found) == 1 + len(LADDER)


def test_speeds_that_cannot_be_kept_are_told_all_the_same(
    shelf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FEWSHOT_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(speeds_module, "_mobilenet_v2", lambda: lambda: None)
    monkeypatch.setattr(speeds_module, "_shortest_ms", lambda _run: 7.0)
    assert main(["models", "list", "--measure"]) == 0
    said = capsys.readouterr()
    assert " 7 ms " in said.out
    assert "cannot be kept" in said.err


def test_speeds_are_measured_when_asked_for(
    shelf: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speeds_module, "_mobilenet_v2", lambda: lambda: None)
    monkeypatch.setattr(speeds_module, "_shortest_ms", lambda run: 7.0 if run() is not None else 20.0)
    assert main(["models", "list", "--measure"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert " 7 ms " in lines[1]
    cost = LADDER[1].milliseconds_mobilenet_v2
    assert any(line.startswith(LADDER[1].name) and f"about {20 * cost:.0f} ms" in line for line in lines)
    assert "--measure" not in lines[-1]
    assert (cache_folder() / speeds_module.SPEEDS).is_file()
    found = listed(capsys)
    assert found["tiny"]["milliseconds"] == 7.0
    assert found[LADDER[1].name]["estimated_milliseconds"] == pytest.approx(20 * cost)


def test_a_damaged_one_does_not_hide_the_others(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shelf.parent / "own").mkdir()
    (shelf.parent / "own" / "broken.safetensors").write_bytes(b"half")
    assert main(["models", "list"]) == 1
    said = capsys.readouterr()
    assert "tiny" in said.out
    assert "broken.safetensors" in said.err


def test_one_backbone_with_its_card(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "info", "tiny"]) == 0
    assert "Knows colours." in capsys.readouterr().out
    assert main(["models", "--json", "info", str(shelf)]) == 0
    assert "Knows colours." in json.loads(capsys.readouterr().out)["card"]


def test_one_that_can_be_downloaded(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rung = LADDER[4]
    assert main(["models", "info", rung.name]) == 0
    said = capsys.readouterr().out
    for fact in (rung.title, rung.licence, rung.url, rung.published, f"models download {rung.name}"):
        assert fact in said
    assert main(["models", "--json", "info", rung.name]) == 0
    assert json.loads(capsys.readouterr().out)["url"] == rung.url


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


def test_a_bundle_of_no_folder_of_ours_is_a_file_and_states_no_licence_of_ours(
    mean_colour: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "info", str(mean_colour), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["origin"], values["licence"]) == ("file", "not stated")
