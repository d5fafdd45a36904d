"""Two runtimes, one answer: what is exported embeds as the bundle does, or says why it cannot."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from fewshot_gui.core.backbones.bundle import load_bundle, save_bundle
from fewshot_gui.core.backbones.networks import build_network
from fewshot_gui.core.backbones.onnx_export import OnnxExportError, export_bundle
from fewshot_gui.core.backbones.onnx_runtime import OnnxEmbedder, OnnxRuntimeError
from fewshot_gui.core.backbones.preprocessing import Preprocessing

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from fewshot_gui.core.backbones.bundle import Bundle

NAMES = ("photo", "omniglot-conv4")
MODELS: dict[str, bytes] = {}


def model_of(name: str) -> bytes:
    """Return the model of a shipped bundle; exporting takes seconds, so each is exported once."""
    if name not in MODELS:
        MODELS[name] = export_bundle(load_bundle(name))
    return MODELS[name]


def pictures(bundle: Bundle, count: int, seed: int = 0) -> NDArray[np.uint8]:
    shape = (count, *bundle.preprocessing.prepared_shape)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def nearest(embeddings: NDArray[np.float32], prototypes: NDArray[np.float32]) -> list[int]:
    apart = np.linalg.norm(embeddings[:, None] - prototypes[None], axis=2)
    return [int(at) for at in apart.argmin(axis=1)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("count", [1, 2, 5, 32])
def test_embeddings_are_those_of_torch(name: str, threads: int, count: int) -> None:
    bundle, session = load_bundle(name), OnnxEmbedder(model_of(name), threads)
    batch, prototypes = pictures(bundle, count), bundle.embed(pictures(bundle, 5, seed=1))
    expected, found = bundle.embed(batch), session.embed(batch)
    assert found.dtype == np.float32
    assert found.shape == (count, bundle.dimension)
    np.testing.assert_allclose(found, expected, atol=1e-3, rtol=0)
    assert nearest(found, prototypes) == nearest(expected, prototypes)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0, 1, 127, 255])
def test_blank_pictures_have_the_embedding_of_torch(name: str, value: int) -> None:
    bundle, session = load_bundle(name), OnnxEmbedder(model_of(name), 1)
    batch = np.full_like(pictures(bundle, 3), value)
    np.testing.assert_allclose(session.embed(batch), bundle.embed(batch), atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", NAMES)
def test_pictures_that_do_not_lie_in_order_in_memory_are_read_right(name: str) -> None:
    bundle, session = load_bundle(name), OnnxEmbedder(model_of(name), 1)
    mirrored = pictures(bundle, 4)[:, :, ::-1]
    expected = bundle.embed(np.ascontiguousarray(mirrored))
    np.testing.assert_allclose(session.embed(mirrored), expected, atol=1e-3, rtol=0)


def test_a_picture_has_one_embedding_in_whatever_batch_it_comes() -> None:
    bundle, session = load_bundle("photo"), OnnxEmbedder(model_of("photo"), 1)
    batch = pictures(bundle, 9)
    alone = np.concatenate([session.embed(batch[at : at + 1]) for at in range(9)])
    np.testing.assert_allclose(session.embed(batch), alone, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 8, 8, 3), (1, 80, 80, 1), (80, 80, 3), (1, 3, 80, 80)])
def test_pictures_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    session = OnnxEmbedder(model_of("photo"), 1)
    with pytest.raises(OnnxRuntimeError):
        session.embed(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    "damage", [lambda model: model[:0], lambda model: model[:1000], lambda model: model[7:]]
)
def test_a_damaged_model_is_refused(damage: Any) -> None:
    with pytest.raises(OnnxRuntimeError):
        OnnxEmbedder(damage(model_of("omniglot-conv4")), 1)


def test_without_onnxruntime_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(OnnxRuntimeError, match="onnxruntime"):
        OnnxEmbedder(b"", 1)


# Bundles with odd values ------------------------------------------------------------------------------


def odd_bundle(path: Path, *, normalise: bool, architecture: dict[str, Any], dimension: int) -> Bundle:
    """Return a bundle of random weights whose centre, mean and deviation are far from those of a picture."""
    channels = architecture["channels"]
    network = build_network(architecture)
    weights = {key: value.numpy() for key, value in network.state_dict().items()}
    description = {
        "title": "Odd", "architecture": architecture, "dimension": dimension, "normalise": normalise,
        "preprocessing": asdict(Preprocessing(17, channels, (0.9,) * channels, (0.01,) * channels)),
        "temperature": 1.0, "novelty": 1.0, "training": {},
    }  # fmt: skip
    centre = np.linspace(-3, 3, dimension, dtype=np.float32)
    save_bundle(path, weights | {"centre": centre}, description)
    return load_bundle(path)


@pytest.mark.parametrize(
    ("architecture", "dimension", "normalise"),
    [
        ({"kind": "conv4", "channels": 1, "width": 3}, 3, False),
        ({"kind": "conv4", "channels": 3, "width": 4, "pools": 2, "norm": "task"}, 64, False),
        ({"kind": "resnet", "channels": 3, "widths": [8, 10]}, 10, True),
    ],
)
def test_odd_sides_scales_and_norms_are_exported_too(
    tmp_path: Path, normalise: bool, architecture: dict[str, Any], dimension: int
) -> None:
    bundle = odd_bundle(
        tmp_path / "odd.safetensors", normalise=normalise, architecture=architecture, dimension=dimension
    )
    session = OnnxEmbedder(export_bundle(bundle), 1)
    for count in (2, 7):
        batch = pictures(bundle, count)
        expected = bundle.embed(batch)
        scale = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(session.embed(batch), expected, atol=1e-3 * scale, rtol=0)


# What cannot be exported ------------------------------------------------------------------------------


class Stubborn(nn.Module):
    """Goes another way with every picture: nothing that could be traced."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1) if float(images.sum()) > 0 else images.flatten(1)[:, :2]


def test_a_network_that_cannot_be_traced_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = load_bundle("omniglot-conv4")
    monkeypatch.setattr(bundle, "_network", Stubborn())
    with pytest.raises(OnnxExportError) as caught:
        export_bundle(bundle)
    assert str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_pixels_space_has_nothing_to_export() -> None:
    with pytest.raises(OnnxExportError):
        export_bundle(load_bundle("omniglot-conv4#pixels"))


@pytest.mark.parametrize("error", [ImportError("no onnxscript"), ValueError("2 GB"), RuntimeError("")])
def test_an_exporter_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fails(*_arguments: Any, **_options: Any) -> None:
        raise error

    monkeypatch.setattr(torch.onnx, "export", fails)
    with pytest.raises(OnnxExportError, match=str(error) or "RuntimeError"):
        export_bundle(load_bundle("omniglot-conv4"))
