"""Small class folders, and a network too small to be good at anything but telling colours apart."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

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


@pytest.fixture
def mean_colour(tmp_path: Path) -> Path:
    """A bundle of an untrained network; noise of one colour stays together in what it gives."""
    import torch

    from fewshot_gui.core.backbones.bundle import save_bundle
    from fewshot_gui.core.backbones.networks import build_network
    from fewshot_gui.core.backbones.preprocessing import Preprocessing

    torch.manual_seed(0)
    architecture: dict[str, Any] = {"kind": "conv4", "channels": 3, "width": 8}
    network = build_network(architecture)
    tensors = {key: value.numpy() for key, value in network.state_dict().items()}
    tensors["centre"] = np.zeros(8, np.float32)
    preprocessing = Preprocessing(16, 3, (0.5,) * 3, (0.25,) * 3)
    path = tmp_path / "tiny.safetensors"
    description = {
        "title": "Tiny", "architecture": architecture, "preprocessing": asdict(preprocessing), "dimension": 8,
        "normalise": False, "temperature": 0.02, "novelty": 50.0, "training": {},
    }  # fmt: skip
    save_bundle(path, tensors, description)
    return path
