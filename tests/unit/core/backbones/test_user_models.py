"""Bundles in the user's folder: found by name behind the shipped ones, and used like these throughout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import torch

from fewshot_gui.cli.main import main
from fewshot_gui.core.backbones import bundle_info, catalogue
from fewshot_gui.core.backbones.bundle import (
    BundleError,
    BundleProblem,
    bundle_path,
    describe_bundle,
    load_bundle,
)
from fewshot_gui.core.backbones.catalogue import bundle_for, installed, installed_sound, shipped_sound
from fewshot_gui.core.backbones.foreign import convert
from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.data_files import user_models_folder
from fewshot_gui.engine.embedder import Embedder

if TYPE_CHECKING:
    from pathlib import Path

    from fewshot_gui.core.backbones.bundle_info import BundleInfo

ARCHITECTURE = {"kind": "torchvision", "model": "shufflenet_v2_x0_5"}


def install(folder: Path, name: str, seed: int = 0, side: int = 32) -> BundleInfo:
    """Write a bundle of torchvision's with random weights."""
    import torchvision

    torch.manual_seed(seed)
    weights = folder.parent / "weights.pth"
    torch.save(torchvision.models.get_model("shufflenet_v2_x0_5").state_dict(), weights)
    return convert(
        weights, ARCHITECTURE, Preprocessing(side, 3, (0.5,) * 3, (0.25,) * 3),
        title=name, licence="", out=folder / f"{name}.safetensors",
    )  # fmt: skip


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the user's folder."""
    folder = tmp_path / "own"
    monkeypatch.setenv("FEWSHOT_MODELS", str(folder))
    return folder


def test_the_folder(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert user_models_folder() == own
    monkeypatch.delenv("FEWSHOT_MODELS")
    assert user_models_folder().parts[-2:] == ("fewshot-labeler", "backbones")


def test_a_name_means_the_shipped_one_first(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = tmp_path / "shipped"
    for module in (bundle_info, catalogue):
        monkeypatch.setattr(module, "models_folder", lambda: shelf)
    assert installed_sound() == []
    install(shelf, "both")
    install(own, "both")
    mine = install(own, "mine")
    (own / "torn.safetensors").write_bytes(b"torn")
    assert bundle_path("both").parent == shelf
    assert bundle_path("mine").parent == own
    assert describe_bundle("mine#pixels").path == mine.path
    assert [info.name for info in installed_sound()] == ["both", "mine"]
    assert installed_sound()[0].path.parent == shelf
    assert [error.path for error in installed()[1]] == [str(own / "torn.safetensors")]
    assert [info.name for info in shipped_sound()] == ["both"]
    with pytest.raises(BundleError, match="shipped: both; yours: both, mine, torn; or give a file"):
        describe_bundle("nowhere")


def test_describing_a_large_one_reads_its_header_alone(own: Path) -> None:
    info = install(own, "mine")
    content = bytearray(info.path.read_bytes())
    content[-1] ^= 1  # in the weights
    info.path.write_bytes(content)
    assert describe_bundle("mine").hash == info.hash
    with pytest.raises(BundleError, match="damaged"):
        load_bundle("mine")


@pytest.mark.parametrize("changes", [{"seed": 1}, {"side": 64}])
def test_its_hash_tells_other_weights_and_another_preprocessing(own: Path, changes: dict[str, int]) -> None:
    before = install(own, "mine").hash
    assert install(own, "other").hash != before, "its title is in the header too"
    assert install(own, "mine").hash == before
    assert install(own, "mine", **changes).hash != before


def test_one_that_goes_this_moment_is_missing(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_info, "bundle_path", lambda _name: own / "gone.safetensors")
    with pytest.raises(BundleError) as caught:
        describe_bundle("gone")
    assert caught.value.kind is BundleProblem.MISSING


def test_what_is_the_users_does_not_change_the_defaults(own: Path) -> None:
    before = bundle_for("prototypical", "photo")
    install(own, "a-first-by-name")
    assert bundle_for("prototypical", "photo") == before


def test_the_engine_embeds_with_it(own: Path) -> None:
    info = install(own, "mine")
    embedder = Embedder(None, None, lambda _device: None)
    rows = embedder.embed(np.zeros((3, 32, 32, 3), np.uint8), "mine", "cpu")
    assert rows.shape == (3, info.dimension)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
    assert embedder.info("mine").hash == info.hash


def test_the_engine_sees_that_another_took_its_name(own: Path) -> None:
    embedder = Embedder(None, None, lambda _device: None)
    pictures = np.zeros((2, 32, 32, 3), np.uint8)
    former = install(own, "mine")
    before = embedder.embed(pictures, "mine", "cpu")
    former.path.unlink()
    again = embedder.embed(pictures, "mine", "cpu")
    assert np.allclose(again, before, atol=1e-4), "what is loaded goes on working"
    now = install(own, "mine", seed=1)
    after = embedder.embed(pictures, "mine", "cpu")
    assert embedder.info("mine").hash == now.hash != former.hash
    assert np.allclose(after, load_bundle("mine").embed(pictures), atol=1e-4)
    assert not np.allclose(after, before, atol=1e-2)


def test_classify_takes_it_by_name(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FEWSHOT_CACHE", str(tmp_path / "cache"))
    install(own, "mine")
    for folder, level in (("support/dark", 20), ("support/light", 230), ("query", 225)):
        (tmp_path / folder).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / folder / "p.png"), np.full((40, 50, 3), level, np.uint8))
    out = tmp_path / "labels.csv"
    code = main([
        "classify", "--support", str(tmp_path / "support"), "--query", str(tmp_path / "query"),
        "--out", str(out), "--backbone", "mine", "--device", "cpu", "--threshold", "1",
    ])  # fmt: skip
    capsys.readouterr()
    assert code == 0
    assert out.read_text(encoding="utf-8").splitlines()[1].split(",")[1] == "light"
