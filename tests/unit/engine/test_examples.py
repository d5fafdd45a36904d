"""Examples: what is embedded of one whose vector is not known."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from fewshot_gui.core.images.encode import encode_jpeg
from fewshot_gui.engine import examples
from fewshot_gui.engine.drop import read_file
from fewshot_gui.engine.examples import Source, SupportVectors, embed_examples

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from numpy.typing import NDArray


class FakeLibrary:
    """Takes the shape of what it is to embed for the embedding."""

    def info(self, _backbone: str) -> Any:
        return SimpleNamespace(preprocessing=SimpleNamespace(least_side=8))

    def __init__(self) -> None:
        self.embedded = 0

    def known_embeddings(self, _pictures: Any, _backbone: str) -> dict[str, Any]:
        return {}

    def embed_pixels(
        self, pixels: NDArray[np.uint8], _backbone: str, _device: str, **_kept: Any
    ) -> NDArray[np.float32]:
        self.embedded += 1
        return np.array(pixels.shape[:2], np.float32)


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
    pixels, whole = examples._read(source, 8, thumbnail=True)
    assert pixels is not None
    assert (pixels.shape, whole) == ((30, 40, 3), True)
    assert asked == [str(path)]


def test_a_thumbnail_stands_in_only_while_its_file_is_away(tmp_path: Path) -> None:
    """Before, it went on standing in for it, for as long as the program ran."""
    path = tmp_path / "a.jpg"
    path.write_bytes(encode_jpeg(np.zeros((30, 40, 3), np.uint8)))
    stored = replace(read_file(str(path), None), thumbnail=encode_jpeg(np.zeros((6, 8, 3), np.uint8)))
    source, library, vectors = Source(stored.id, None, None, stored), FakeLibrary(), SupportVectors()

    def embedded() -> list[float]:
        steps = embed_examples([source], library, vectors, "photo", "cpu")  # type: ignore[arg-type]
        try:
            while True:
                next(steps)
        except StopIteration as end:
            return [float(value) for value in end.value[stored.id]]

    path.rename(tmp_path / "away.jpg")
    assert embedded() == [6, 8]
    assert embedded() == [6, 8]
    assert library.embedded == 1, "it is not computed for each example anew"
    (tmp_path / "away.jpg").rename(path)
    assert embedded() == [15, 20], "of the file, at half its size"
    path.rename(tmp_path / "away.jpg")
    assert embedded() == [15, 20], "of the file, at half its size"
    assert library.embedded == 2
