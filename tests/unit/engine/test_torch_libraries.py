"""Loading torch's libraries: nothing where there are none, and no lock held meanwhile."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.engine.torch_libraries import load_libraries, load_torch_libraries

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="torch does it itself there")


def test_a_folder_without_libraries_loads_none(tmp_path: Path) -> None:
    assert load_libraries(tmp_path) == []


def test_what_is_no_library_is_left_to_the_import(tmp_path: Path) -> None:
    for suffix in (".so", ".dylib"):
        (tmp_path / f"libtorch_python{suffix}").write_bytes(b"not a library")

    assert load_libraries(tmp_path) == []


def test_where_torch_is_imported_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", sys)

    assert load_torch_libraries() == []


def test_without_torch_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr("fewshot_gui.engine.torch_libraries.find_spec", lambda _name: None)

    assert load_torch_libraries() == []


def test_torch_works_after_its_libraries_were_loaded() -> None:
    """In a process of its own: the libraries of a process are loaded once."""
    script = (
        "from fewshot_gui.engine.torch_libraries import load_torch_libraries\n"
        "loaded = load_torch_libraries()\n"
        "import torch\n"
        "print(loaded, int(torch.ones(3).sum()))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip().endswith(" 3")
    if sys.platform == "linux":
        assert "libtorch_python" in done.stdout
