"""The user's folders: where the system wants them, or where a variable says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fewshot_gui.engine.folders import APPLICATION, cache_folder, data_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("folder", "variable"), [(cache_folder, "FEWSHOT_CACHE"), (data_folder, "FEWSHOT_DATA")]
)
def test_a_variable_names_another_place(
    folder: Callable[[], Path], variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "ü b"))
    assert folder() == tmp_path / "ü b"
    assert not folder().exists()


@pytest.mark.parametrize(
    ("folder", "variable"), [(cache_folder, "FEWSHOT_CACHE"), (data_folder, "FEWSHOT_DATA")]
)
@pytest.mark.parametrize("chosen", [None, ""])
def test_else_it_is_a_folder_of_this_program_alone(
    folder: Callable[[], Path], variable: str, chosen: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(variable, raising=False)
    if chosen is not None:
        monkeypatch.setenv(variable, chosen)
    assert folder().is_absolute()
    assert APPLICATION in folder().parts


def test_what_can_be_made_again_lies_apart_from_what_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("FEWSHOT_CACHE", "FEWSHOT_DATA"):
        monkeypatch.delenv(variable, raising=False)
    assert cache_folder() != data_folder()
    assert data_folder() not in cache_folder().parents
    assert cache_folder() not in data_folder().parents
