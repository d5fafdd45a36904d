"""Small class folders, and a network too small to be good at anything but telling colours apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

COLOURS = {
    "red": (200, 30, 30),
    "green": (30, 170, 40),
    "blue": (40, 50, 210),
    "yellow": (220, 210, 40),
    "black": (20, 20, 20),
    "white": (240, 240, 240),
}


def paint_classes(root: Path, each: int, names: tuple[str, ...] = tuple(COLOURS)) -> Path:
    """Write `each` noisy pictures 24 x 24 of every named colour into a folder of its own; return the root."""
    generator = np.random.default_rng(0)
    for name in names:
        folder = root / name
        folder.mkdir(parents=True)
        for number in range(each):
            noise = generator.integers(-15, 16, (24, 24, 3))
            pixels = np.clip(np.array(COLOURS[name]) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    return root


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return tmp_path, in which the cache lies too."""
    monkeypatch.setenv("FEWSHOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FEWSHOT_DATA", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Six class folders of six pictures each."""
    return paint_classes(tmp_path / "pictures", 6)
