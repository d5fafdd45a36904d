"""A tiny bundle and its exported model: exporting takes seconds, so it is done once."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.engine.runtimes.conditions import Conditions, conditions_of

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.core.backbones.bundle import Bundle


@pytest.fixture(scope="session")
def tiny_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from fewshot_gui.core.backbones.bundle import save_bundle
    from fewshot_gui.core.backbones.networks import build_network

    path = tmp_path_factory.mktemp("runtimes") / "tiny.safetensors"
    architecture = {"kind": "conv4", "channels": 3, "width": 4}
    weights = {key: value.numpy() for key, value in build_network(architecture).state_dict().items()}
    description = {
        "title": "Tiny", "architecture": architecture, "dimension": 4, "normalise": True,
        "preprocessing": asdict(Preprocessing(16, 3, (0.5,) * 3, (0.25,) * 3)),
        "temperature": 0.1, "novelty": 1.0, "training": {},
    }  # fmt: skip
    save_bundle(path, weights | {"centre": np.full(4, 0.01, np.float32)}, description)
    return path


@pytest.fixture(scope="session")
def tiny(tiny_path: Path) -> Bundle:
    from fewshot_gui.core.backbones.bundle import load_bundle

    return load_bundle(tiny_path)


@pytest.fixture(scope="session")
def tiny_model(tiny: Bundle) -> bytes:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    from fewshot_gui.core.backbones.onnx_export import export_bundle

    return export_bundle(tiny)


@pytest.fixture
def conditions(tiny: Bundle) -> Conditions:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    found = conditions_of(tiny.info, 2)
    assert found is not None
    return found
