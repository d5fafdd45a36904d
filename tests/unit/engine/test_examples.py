"""Examples: what is embedded of one whose vector is not known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from fewshot_gui.core.images.encode import encode_jpeg
from fewshot_gui.engine import examples
from fewshot_gui.engine.drop import read_file
from fewshot_gui.engine.examples import Source

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from numpy.typing import NDArray


class FakeLibrary:
    """Takes the shape of what it is to embed for the embedding."""

    def info(self, _backbone: str) -> Any:
        return SimpleNamespace(preprocessing=SimpleNamespace(side=8))

    def embed_pixels(self, pixels: NDArray[np.uint8], _backbone: str, _device: str) -> NDArray[np.float32]:
        return np.array(pixels.shape[:2], np.float32)

    def keep_embedding(self, *_: Any) -> None:
        pass


def test_the_file_of_an_example_is_read_under_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A raw file begins as a TIFF does, and only its name tells it from one."""
    asked: list[str] = []

    def decode(data: bytes, *, name: str, at_least: int) -> NDArray[np.uint8]:
        asked.append(name)
        return np.zeros((30, 40, 3), np.uint8)

    path = tmp_path / "a.nef"
    path.write_bytes(encode_jpeg(np.zeros((30, 40, 3), np.uint8)))
    stored = read_file(str(path), None)  # type: ignore[arg-type]
    monkeypatch.setattr(examples, "decode_image", decode)
    source = Source(stored.id, None, None, stored)
    vector = examples._embed(source, FakeLibrary(), "photo", "cpu")  # type: ignore[arg-type]
    assert vector is not None
    assert vector.tolist() == [30, 40]
    assert asked == [str(path)]
