"""Bundles: loaded by name or path, checked by hash, and refused in words when they are not what they seem."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save_file

from fewshot_gui.core.backbones import catalogue
from fewshot_gui.core.backbones.bundle import (
    BundleError,
    BundleProblem,
    describe_bundle,
    finish_embedding,
    load_bundle,
    save_bundle,
    tensors_hash,
)
from fewshot_gui.core.backbones.catalogue import DEFAULTS, shipped, shipped_sound
from fewshot_gui.core.backbones.networks import build_network
from fewshot_gui.core.backbones.preprocessing import Preprocessing

if TYPE_CHECKING:
    from pathlib import Path

ARCHITECTURE = {"kind": "conv4", "channels": 1, "width": 4}
PREPROCESSING = Preprocessing(16, 1, (0.5,), (0.25,), invert=True)


def write_bundle(path: Path, **changes: Any) -> Path:
    tensors = {key: value.numpy() for key, value in build_network(ARCHITECTURE).state_dict().items()}
    tensors["centre"] = np.zeros(4, np.float32)
    description = {
        "title": "Test", "architecture": ARCHITECTURE, "preprocessing": asdict(PREPROCESSING), "dimension": 4,
        "normalise": False, "temperature": 2.0, "novelty": 1.5, "training": {},
    }  # fmt: skip
    save_bundle(path, tensors, {**description, **changes})
    return path


@pytest.fixture
def bundle_file(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "test.safetensors")


def problem_of(call: Any, *arguments: Any) -> BundleProblem:
    with pytest.raises(BundleError) as caught:
        call(*arguments)
    return caught.value.kind


def test_a_bundle_is_described_and_loaded(bundle_file: Path) -> None:
    info, bundle = describe_bundle(bundle_file), load_bundle(bundle_file)
    assert bundle.hash == info.hash
    assert len(info.hash) == 16
    assert bundle.preprocessing == PREPROCESSING
    batch = np.zeros((3, 16, 16, 1), np.uint8)
    assert bundle.embed(batch).shape == (3, 4)
    assert bundle.embed(batch).dtype == np.float32


def test_describing_a_bundle_does_not_import_torch(bundle_file: Path) -> None:
    code = (
        "import sys; from fewshot_gui.core.backbones.bundle import describe_bundle;"
        f"describe_bundle({str(bundle_file)!r}); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_other_weights_have_another_hash(tmp_path: Path) -> None:
    one, two = (describe_bundle(write_bundle(tmp_path / f"{n}.safetensors")) for n in "ab")
    assert one.hash != two.hash


def test_a_missing_bundle_lists_what_is_shipped() -> None:
    assert problem_of(describe_bundle, "no-such-bundle") == BundleProblem.MISSING


@pytest.mark.parametrize("content", [b"", b"\0" * 64, b"PK\x03\x04 a pickle, perhaps", b"\xff" * 9])
def test_a_file_that_is_no_safetensors_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    assert problem_of(load_bundle, path) == BundleProblem.NOT_A_BUNDLE


def test_foreign_safetensors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": np.zeros(3, np.float32)}, path)
    assert problem_of(load_bundle, path) == BundleProblem.NOT_A_BUNDLE


def test_a_flipped_bit_in_the_weights_is_found(bundle_file: Path) -> None:
    data = bytearray(bundle_file.read_bytes())
    data[-5] ^= 1
    bundle_file.write_bytes(data)
    assert problem_of(load_bundle, bundle_file) == BundleProblem.DAMAGED


def test_a_truncated_file_is_refused(bundle_file: Path) -> None:
    bundle_file.write_bytes(bundle_file.read_bytes()[:-40])
    assert problem_of(load_bundle, bundle_file) == BundleProblem.NOT_A_BUNDLE


def test_weights_of_another_network_do_not_fit(tmp_path: Path) -> None:
    path = write_bundle(tmp_path / "odd.safetensors", architecture={**ARCHITECTURE, "width": 5})
    assert problem_of(load_bundle, path) == BundleProblem.DOES_NOT_FIT


def test_every_shipped_bundle_can_be_loaded_and_has_a_card() -> None:
    infos = shipped()
    if not infos:
        pytest.skip("no weights in this checkout")
    assert set(DEFAULTS.values()) <= {info.name for info in infos}
    for info in infos:
        blank = np.zeros((1, *info.preprocessing.prepared_shape), np.uint8)
        assert load_bundle(info.name).embed(blank).shape == (1, info.dimension)
        assert info.card.startswith("#")
        assert info.size_bytes < 12e6


def test_ink_on_paper_becomes_light_on_dark() -> None:
    paper = np.full((40, 30, 3), 255, np.uint8)
    paper[18:22] = 0
    prepared = PREPROCESSING.prepare(paper)
    assert prepared.shape == (16, 16, 1)
    assert prepared[0].max() == 0
    assert prepared.max() > 200


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from([1, 3]))
def test_any_picture_becomes_the_input_of_the_network(height: int, width: int, channels: int) -> None:
    preprocessing = Preprocessing(16, channels, (0.5,) * channels, (0.25,) * channels)
    prepared = preprocessing.prepare(np.zeros((height, width, 3), np.uint8))
    assert prepared.shape == (16, 16, channels)
    assert prepared.flags.c_contiguous


def test_a_zero_embedding_is_not_divided_by_nothing() -> None:
    rows = finish_embedding(np.zeros((2, 3), np.float32), np.zeros(3, np.float32), normalise=True)
    assert np.isfinite(rows).all()


def test_red_and_blue_keep_their_places() -> None:
    red = np.zeros((20, 20, 3), np.uint8)
    red[..., 0] = 255
    prepared = Preprocessing(8, 3, (0.5,) * 3, (0.25,) * 3).prepare(red)
    assert prepared[4, 4].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    "changes", [{"of_tomorrow": 1}, {"preprocessing": {"side": 16}}, {"preprocessing": 3}]
)
def test_a_bundle_of_another_version_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = write_bundle(tmp_path / "odd.safetensors", **changes)
    assert problem_of(describe_bundle, path) == BundleProblem.NOT_A_BUNDLE
    assert problem_of(load_bundle, path) == BundleProblem.NOT_A_BUNDLE


def test_a_bundle_without_its_centre_is_damaged(bundle_file: Path) -> None:
    with safe_open(bundle_file, framework="np") as file:
        metadata, tensors = file.metadata(), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    del tensors["centre"]
    save_file(tensors, bundle_file, metadata | {"sha256": tensors_hash(tensors)})
    assert problem_of(load_bundle, bundle_file) == BundleProblem.DAMAGED
    save_file(tensors, bundle_file, {key: metadata[key] for key in ("format", "bundle")})
    assert problem_of(load_bundle, bundle_file) == BundleProblem.DAMAGED


def test_a_damaged_bundle_does_not_hide_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "models_folder", lambda: tmp_path)
    write_bundle(tmp_path / "b.safetensors")
    (tmp_path / "a.safetensors").write_bytes(b"torn")
    assert [info.name for info in shipped_sound()] == ["b"]


def test_a_move_that_ends_half_way_is_made_anew(bundle_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card may be full after half of the weights; the processor takes over, and needs all of them."""
    bundle, moved = load_bundle(bundle_file), []
    network = bundle.context("cpu").network
    assert network is not None

    def move(device: str) -> None:
        moved.append(device)
        if device == "cuda":
            raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(network, "to", move)
    with pytest.raises(RuntimeError, match="out of memory"):
        bundle.context("cuda")
    bundle.context("cpu")
    assert moved == ["cuda", "cpu"]


def test_nothing_of_a_loaded_bundle_is_mapped_from_its_file(tmp_path: Path) -> None:
    """Windows neither replaces nor removes a file that is mapped."""
    head = {"head.scale": np.ones(3, np.float32)}
    tensors = {key: value.numpy() for key, value in build_network(ARCHITECTURE).state_dict().items()}
    description = {
        "title": "Test", "architecture": ARCHITECTURE, "preprocessing": asdict(PREPROCESSING), "dimension": 4,
        "normalise": False, "temperature": 2.0, "novelty": 1.5, "training": {},
    }  # fmt: skip
    path = tmp_path / "test.safetensors"
    tensors |= {"centre": np.full(4, 0.5, np.float32)} | head
    save_bundle(path, tensors, description, exact=head)
    bundle = load_bundle(path)
    with path.open("r+b") as file:  # in place, where a mapping would see it
        size = file.seek(0, 2)
        file.seek(0)
        file.write(b"\xff" * size)
    assert bundle._centre.tolist() == [0.5] * 4
    assert bundle.context("cpu").head_tensors["scale"].tolist() == [1.0] * 3
    assert np.isfinite(bundle.embed(np.zeros((1, 16, 16, 1), np.uint8))).all()
