"""From pixels to what a network takes: several views of one picture, and their mean."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from fewshot_gui.core.backbones.bundle import (
    BundleError,
    BundleProblem,
    describe_bundle,
    load_bundle,
    save_bundle,
)
from fewshot_gui.core.backbones.networks import build_network
from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.images.view import View

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = Preprocessing(16, 3, (0.5, 0.4, 0.3), (0.25, 0.2, 0.1))
VIEWED = replace(PLAIN, views=(View(whole=True), View(zoom=1.5), View(turn=10)))


def saved(path: Path, preprocessing: Preprocessing) -> Path:
    architecture = {"kind": "conv4", "channels": preprocessing.channels, "width": 4}
    torch.manual_seed(0)
    tensors = {key: value.numpy() for key, value in build_network(architecture).state_dict().items()}
    tensors["centre"] = np.array([0.1, 0.2, 0.3, 0.4], np.float32)
    save_bundle(path, tensors, {
        "title": "Own", "architecture": architecture, "preprocessing": asdict(preprocessing), "dimension": 4,
        "normalise": True, "temperature": 2.0, "novelty": 1.5, "training": {},
    })  # fmt: skip
    return path


def wide(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 20, 40, 3), dtype=np.uint8)


def test_each_view_lies_below_the_last() -> None:
    (pixels,) = wide(1)
    prepared = VIEWED.prepare(pixels)
    assert prepared.shape == VIEWED.prepared_shape == (48, 16, 3)
    for place, view in enumerate(VIEWED.views):
        np.testing.assert_array_equal(prepared[16 * place : 16 * (place + 1)], view.of(pixels, 16))


def test_grey_and_dark_on_light_are_for_every_view() -> None:
    drawing = replace(VIEWED, channels=1, mean=(0.5,), std=(0.5,), invert=True)
    sheet = np.full((40, 30, 3), 255, np.uint8)
    sheet[15:25, 10:20] = 0
    prepared = drawing.prepare(sheet)
    assert prepared.shape == (48, 16, 1)
    assert [int(prepared[16 * place + 8, 8, 0]) for place in range(3)] == [255, 255, 255]
    assert [int(prepared[16 * place, 0, 0]) for place in range(3)] == [0, 0, 0]


def test_it_is_read_from_a_header_as_it_was_written_and_one_of_old_has_the_middle_square() -> None:
    assert Preprocessing.from_dict(json.loads(json.dumps(asdict(VIEWED)))) == VIEWED
    old = {key: value for key, value in asdict(PLAIN).items() if key != "views"}
    assert Preprocessing.from_dict(json.loads(json.dumps(old))) == PLAIN


@pytest.mark.parametrize("views", [[], [{"zoom": 0.2}], [{"near": True}], [{"zoom": "near"}], 3])
def test_a_bundle_whose_views_cannot_be_is_told(tmp_path: Path, views: object) -> None:
    path = saved(tmp_path / "odd.safetensors", PLAIN)
    with safe_open(path, framework="np") as file:
        metadata = file.metadata()
    description = json.loads(metadata["bundle"])
    description["preprocessing"]["views"] = views
    save_file(load_file(path), path, {**metadata, "bundle": json.dumps(description)})
    with pytest.raises(BundleError) as told:
        describe_bundle(path)
    assert told.value.kind is BundleProblem.NOT_A_BUNDLE


def test_it_needs_pictures_of_the_size_that_its_closest_view_shows() -> None:
    assert PLAIN.least_side == 16
    assert replace(PLAIN, views=(View(), View(zoom=1.5))).least_side == 24


def test_the_embedding_is_the_mean_over_the_views_then_centred_and_of_length_one(tmp_path: Path) -> None:
    viewed = load_bundle(saved(tmp_path / "viewed.safetensors", VIEWED))
    pictures = wide(5)
    found = viewed.embed(np.stack([VIEWED.prepare(picture) for picture in pictures]))
    raw = []
    for number, view in enumerate(VIEWED.views):
        path = saved(tmp_path / f"{number}.safetensors", replace(PLAIN, views=(view,)))
        alone = load_bundle(path)
        assert alone.context().network is not None
        squares = np.stack([view.of(picture, 16) for picture in pictures])
        scaled = (squares / 255 - np.array(PLAIN.mean)) / np.array(PLAIN.std)
        inputs = torch.from_numpy(scaled.transpose(0, 3, 1, 2)).float()
        raw.append(alone.context().network(inputs).numpy())  # type: ignore[misc]
    centred = np.mean(raw, axis=0) - np.array([0.1, 0.2, 0.3, 0.4])
    wanted = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert np.abs(found - alone.embed(squares)).max() > 1e-3, "one view alone is not the same"


def test_in_the_pixels_space_the_first_view_is_all_there_is(tmp_path: Path) -> None:
    path = saved(tmp_path / "viewed.safetensors", VIEWED)
    pixels = load_bundle(f"{path}#pixels")
    assert pixels.preprocessing.views == VIEWED.views[:1]
    assert pixels.dimension == 3 * 16 * 16
    (picture,) = wide(1)
    prepared = pixels.preprocessing.prepare(picture)
    assert prepared.shape == (16, 16, 3)
    assert pixels.embed(prepared[None]).shape == (1, pixels.dimension)
    assert pixels.context().input_shape == (3, 16, 16)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_onnx_runtime_embeds_several_views_as_torch_does(tmp_path: Path, count: int) -> None:
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    from fewshot_gui.core.backbones.onnx_export import export_bundle
    from fewshot_gui.core.backbones.onnx_runtime import OnnxEmbedder

    bundle = load_bundle(saved(tmp_path / "viewed.safetensors", VIEWED))
    prepared = np.stack([VIEWED.prepare(picture) for picture in wide(count)])
    found = OnnxEmbedder(export_bundle(bundle), 1).embed(prepared)
    np.testing.assert_allclose(found, bundle.embed(prepared), atol=1e-5)
