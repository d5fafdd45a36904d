"""What the tests of the engine and the commands share: a server on the loopback, and real weights on it."""

from __future__ import annotations

import http.server
import io
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.loopback import MODEL, Handler, Served, rung_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fewshot_gui.core.backbones.ladder import Rung


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server that is honest until it is told otherwise; no proxy stands before it."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    state = Served()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"served": state}))
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    state.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def rung(served: Served) -> Rung:
    """A rung whose file the server has."""
    return rung_at(f"{served.url}/models/tiny.pth")


@pytest.fixture(scope="session")
def shufflenet() -> bytes:
    """A state dict of random weights, as torchvision's host would send it; the smallest there is: 5 MB."""
    import torch
    from torchvision.models import get_model

    torch.manual_seed(0)
    buffer = io.BytesIO()
    torch.save(get_model(MODEL, weights=None).state_dict(), buffer)
    return buffer.getvalue()


@pytest.fixture
def small(served: Served, shufflenet: bytes) -> Rung:
    """A rung of torchvision's, whose weights the server has."""
    served.content = shufflenet
    return rung_at(
        f"{served.url}/small.pth",
        shufflenet,
        architecture={"kind": "torchvision", "model": MODEL},
        side=32,
        dimension=1024,
        name="small",
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of backbones, which is not there yet."""
    monkeypatch.setenv("FEWSHOT_MODELS", str(tmp_path / "backbones"))
    return tmp_path / "backbones"


@pytest.fixture
def mean_colour(tmp_path: Path) -> Path:
    """A bundle of an untrained network; noise of one colour stays together in what it gives."""
    import numpy as np
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


@pytest.fixture
def untraceable(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch can trace no model."""
    from fewshot_gui.core.backbones import onnx_export

    def fail(*_: object) -> None:
        raise onnx_export.OnnxExportError("an operator that ONNX lacks")

    monkeypatch.setattr(onnx_export, "to_onnx", fail)
