"""The ladder agrees with the libraries that publish its weights."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from fewshot_gui.core.backbones.ladder import LADDER, Rung, rung_of

OF_TORCHVISION = [rung for rung in LADDER if rung.source == "torchvision"]
OF_TIMM = [rung for rung in LADDER if rung.source == "timm"]


def named(rung: Rung) -> str:
    return rung.name


def test_names_are_told_apart_and_found() -> None:
    assert len({rung.name for rung in LADDER}) == len(LADDER)
    assert all(rung_of(rung.name) is rung for rung in LADDER)
    assert rung_of("imaginary") is None


@pytest.mark.parametrize("rung", LADDER, ids=named)
def test_a_row_makes_sense(rung: Rung) -> None:
    assert re.fullmatch(r"[a-z0-9-]+", rung.name)
    assert rung.url.startswith("https://")
    assert re.fullmatch(r"[0-9a-f]{8,64}|", rung.sha256)
    assert 1e7 < rung.size_bytes < 1e9
    assert rung.licence
    assert rung.published
    assert all(0.5 < value < 1 for value in rung.expected.values())
    assert rung.milliseconds_mobilenet_v2 > 0
    assert rung.preprocessing.side == rung.side
    assert hash(rung) == hash(rung_of(rung.name))


@pytest.mark.parametrize("rung", OF_TORCHVISION, ids=named)
def test_torchvision_says_the_same(rung: Rung) -> None:
    from torchvision.models import get_model_weights

    published = {weights.url: weights for weights in get_model_weights(rung.architecture["model"])}
    weights = published[rung.url]
    assert rung.url.endswith(f"-{rung.sha256}.pth")
    transforms = weights.transforms()
    assert (transforms.crop_size, tuple(transforms.mean), tuple(transforms.std)) == (
        [rung.side],
        rung.mean,
        rung.std,
    )
    (top1,) = rung.expected.values()
    assert top1 == pytest.approx(weights.meta["_metrics"]["ImageNet-1K"]["acc@1"] / 100, abs=0.001)
    assert rung.size_bytes == pytest.approx(weights.meta["_file_size"] * 2**20, rel=0.001)


@pytest.mark.parametrize("rung", OF_TIMM, ids=named)
def test_timm_says_the_same(rung: Rung) -> None:
    models = pytest.importorskip("timm.models")
    published = models.get_pretrained_cfg(rung.architecture["model"])
    assert rung.url == f"https://huggingface.co/{published.hf_hub_id}/resolve/main/model.safetensors"
    assert (rung.mean, rung.std) == (published.mean, published.std)
    assert rung.side == rung.architecture.get("img_size", published.input_size[-1])


@pytest.mark.parametrize("rung", LADDER, ids=named)
def test_the_network_gives_as_many_numbers(rung: Rung) -> None:
    import torch

    from fewshot_gui.core.backbones.networks import build_network

    if rung.source == "timm":
        pytest.importorskip("timm")
    with torch.device("meta"):  # shapes without values: nothing is drawn and nothing computed
        network = build_network(rung.architecture).eval()
        assert network(torch.zeros(1, 3, rung.side, rung.side)).shape == (1, rung.dimension)


def test_the_ladder_is_read_without_torch() -> None:
    code = "import sys, fewshot_gui.core.backbones.ladder; assert not {'torch', 'timm'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
