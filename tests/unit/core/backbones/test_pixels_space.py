"""The pixels space of a bundle, its head, and the context that learners get."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from fewshot_gui.core.backbones.bundle import (
    BundleError,
    bundle_of,
    bundle_path,
    describe_bundle,
    load_bundle,
    normalised_input,
    save_bundle,
    space_name,
)
from fewshot_gui.core.backbones.networks import build_network
from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.learners.catalogue import make_learner

if TYPE_CHECKING:
    from pathlib import Path

ARCHITECTURE = {"kind": "conv4", "channels": 3, "width": 4}
PREPROCESSING = Preprocessing(16, 3, (0.5, 0.4, 0.3), (0.25, 0.2, 0.1))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    tensors = {key: value.numpy() for key, value in build_network(ARCHITECTURE).state_dict().items()}
    tensors["centre"] = np.zeros(4, np.float32)
    tensors["head.scale"] = np.array([0.5, 2.0], np.float32)
    tensors["head.head.weight"] = np.ones((2, 4), np.float32)
    path = tmp_path / "own.safetensors"
    save_bundle(path, tensors, {
        "title": "Own", "architecture": ARCHITECTURE, "preprocessing": asdict(PREPROCESSING), "dimension": 4,
        "normalise": True, "temperature": 2.0, "novelty": 1.5, "training": {}, "learner": "maml",
        "head": {"steps": 5}, "head_temperature": 0.7, "ways": 5,
    })  # fmt: skip
    return path


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 16, 16, 3), dtype=np.uint8)


def test_the_names_of_the_spaces() -> None:
    assert space_name("photo", "pixels") == "photo#pixels"
    assert space_name("photo#pixels", "pixels") == "photo#pixels"
    assert space_name("photo#pixels", "embedding") == "photo"
    assert bundle_of("/a/b.safetensors#pixels") == "/a/b.safetensors"


def test_in_the_pixels_space_the_embedding_is_the_flattened_normalised_input(file: Path) -> None:
    bundle, batch = load_bundle(f"{file}#pixels"), pictures(3)
    rows = bundle.embed(batch)
    assert rows.shape == (3, 3 * 16 * 16)
    assert rows.dtype == np.float32
    wanted = normalised_input(torch.from_numpy(batch), PREPROCESSING)
    assert np.array_equal(rows.reshape(3, 3, 16, 16), wanted.numpy())
    assert rows.reshape(3, 3, 16, 16)[1, 2, 5, 7] == pytest.approx(
        (batch[1, 5, 7, 2] / 255 - 0.3) / 0.1, rel=1e-5
    )


def test_the_network_makes_of_the_pixels_what_the_bundle_embeds(file: Path) -> None:
    plain, batch = load_bundle(file), pictures(2)
    context = load_bundle(f"{file}#pixels").context()
    pixels = torch.from_numpy(load_bundle(f"{file}#pixels").embed(batch))
    assert context.network is not None
    with torch.no_grad():
        raw = context.network(pixels.view(-1, *context.input_shape)).numpy()
    wanted = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    assert plain.embed(batch) == pytest.approx(wanted, abs=1e-5)


def test_it_is_described_as_a_bundle_of_its_own(file: Path) -> None:
    info, plain = describe_bundle(f"{file}#pixels"), describe_bundle(file)
    assert (info.name, plain.name) == ("own#pixels", "own")
    assert info.in_pixels
    assert not plain.in_pixels
    assert info.dimension == 768
    assert info.hash != plain.hash
    assert len(info.hash) == 16
    assert info.path == plain.path == bundle_path(f"{file}#pixels")
    assert load_bundle(f"{file}#pixels").hash == info.hash


def test_bundles_of_the_same_preprocessing_share_their_pixels(file: Path, tmp_path: Path) -> None:
    hashes = []
    for name, last in (("same", 0.3), ("moved", 0.2)):
        preprocessing = Preprocessing(16, 3, (0.5, 0.4, last), (0.25, 0.2, 0.1))
        other = tmp_path / f"{name}.safetensors"
        save_bundle(other, {"centre": np.zeros(1, np.float32)}, {
            "title": "", "architecture": {}, "dimension": 1, "normalise": False, "temperature": 1.0,
            "novelty": 1.0, "training": {}, "preprocessing": asdict(preprocessing),
        })  # fmt: skip
        hashes.append(describe_bundle(f"{other}#pixels").hash)
    own = describe_bundle(f"{file}#pixels").hash
    assert hashes[0] == own != hashes[1]


def test_the_context_has_what_was_trained_with_the_network(file: Path) -> None:
    context = load_bundle(file).context()
    assert (context.learner, context.head, context.head_temperature) == ("maml", {"steps": 5}, 0.7)
    assert (context.temperature, context.novelty, context.dimension) == (2.0, 1.5, 4)
    assert context.head_tensors["scale"].tolist() == [0.5, 2.0]
    assert context.head_tensors["head.weight"].shape == (2, 4)  # of a head that has a part of that name
    assert context.head_tensors["scale"].dtype == torch.float32
    assert describe_bundle(file).ways == 5


def test_the_shared_network_cannot_be_trained_by_accident(file: Path) -> None:
    network = load_bundle(file).context().network
    assert network is not None
    assert not network.training
    assert not any(value.requires_grad for value in network.parameters())


def test_a_bundle_of_old_serves_any_learner(file: Path, tmp_path: Path) -> None:
    tensors = {key: value.numpy() for key, value in build_network(ARCHITECTURE).state_dict().items()}
    path = tmp_path / "old.safetensors"
    save_bundle(path, tensors | {"centre": np.zeros(4, np.float32)}, {
        "title": "Old", "architecture": ARCHITECTURE, "preprocessing": asdict(PREPROCESSING), "dimension": 4,
        "normalise": False, "temperature": 2.0, "novelty": 1.5, "training": {},
    })  # fmt: skip
    context = load_bundle(path).context()
    assert (context.learner, dict(context.head), dict(context.head_tensors)) == ("", {}, {})
    assert make_learner("ridge", context).name == "ridge"


def test_a_missing_bundle_is_called_by_its_own_name() -> None:
    with pytest.raises(BundleError) as caught:
        describe_bundle("nowhere#pixels")
    assert caught.value.path == "nowhere"
