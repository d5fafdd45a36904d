"""A network small enough that a measure of it takes a moment."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fewshot_gui.core.backbones.preprocessing import Preprocessing

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def tiny_backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of random weights for pictures of 16 x 16."""
    from fewshot_gui.core.backbones.bundle import save_bundle
    from fewshot_gui.core.backbones.networks import build_network

    path = tmp_path_factory.mktemp("bundle") / "tiny.safetensors"
    architecture = {"kind": "conv4", "channels": 3, "width": 8}
    weights = {key: value.numpy() for key, value in build_network(architecture).state_dict().items()}
    description = {
        "title": "Tiny",
        "architecture": architecture,
        "preprocessing": asdict(Preprocessing(16, 3, (0.5,) * 3, (0.25,) * 3)),
        "dimension": 8,
        "normalise": True,
        "temperature": 0.1,
        "novelty": 1.0,
        "training": {},
    }
    save_bundle(path, weights | {"centre": np.zeros(8, np.float32)}, description)
    return path
