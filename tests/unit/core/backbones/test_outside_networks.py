"""Networks of other libraries: without their classifier, folded where that is right, closed to mischief."""

from __future__ import annotations

import builtins
from typing import Any

import pytest
import torch
from torch import nn

from fewshot_gui.core.backbones.folding import fold_observed
from fewshot_gui.core.backbones.ladder import LADDER
from fewshot_gui.core.backbones.networks import NetworkError, build_network, fuse_batch_norms
from fewshot_gui.core.learners.base import SupportSet
from fewshot_gui.core.learners.catalogue import make_learner
from fewshot_gui.core.learners.context import LearnerContext

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = {"kind": "torchvision", "model": "mobilenet_v3_small"}
TINY_VIT = {"kind": "timm", "model": "test_vit"}


def lively(network: nn.Module) -> nn.Module:
    """Return a network in eval mode whose norms do something."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = torch.randn(module.num_features, generator=generator) * 0.1
            module.running_var = torch.rand(module.num_features, generator=generator) + 0.5
    return network.eval()


def count_norms(network: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize("rung", LADDER, ids=lambda rung: rung.name)
def test_every_rung_can_be_built(rung: Any) -> None:
    if rung.source == "timm":
        pytest.importorskip("timm")
    with torch.device("meta"):
        network = build_network(rung.architecture)
    assert sum(value.numel() for value in network.state_dict().values()) > 1e6


@pytest.mark.parametrize(
    ("model", "dimension"),
    [("mobilenet_v3_small", 576), ("resnet18", 512), ("squeezenet1_1", 512), ("shufflenet_v2_x0_5", 1024)],
)
def test_torchvision_gives_features(model: str, dimension: int) -> None:
    network = build_network({"kind": "torchvision", "model": model}).eval()
    with torch.inference_mode():
        assert network(torch.zeros(2, 3, 64, 64)).shape == (2, dimension)


def test_the_last_norm_stays_and_vgg_gives_its_hidden_layer() -> None:
    with torch.device("meta"):
        convnext = build_network({"kind": "torchvision", "model": "convnext_tiny"})
        vgg = build_network({"kind": "torchvision", "model": "vgg11"})
    assert "classifier.0.weight" in convnext.state_dict()
    assert vgg.state_dict()["classifier.0.weight"].shape == (4096, 25088)
    assert "classifier.3.weight" not in vgg.state_dict()


def test_timm_gives_features() -> None:
    pytest.importorskip("timm")
    network = build_network({**TINY_VIT, "img_size": 32}).eval()
    with torch.inference_mode():
        assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 64)


@pytest.mark.parametrize(
    "architecture",
    [
        {"kind": "timm", "model": "test_vit", "checkpoint_path": "/tmp/evil.pth"},
        {"kind": "timm", "model": "test_vit", "pretrained": True},
        {"kind": "timm", "model": "test_vit", "pretrained_cfg_overlay": {"file": "x"}},
        {"kind": "timm", "model": "hf_hub:someone/something"},
        {"kind": "timm", "model": "local-dir:/tmp"},
        {"kind": "torchvision", "model": "mobilenet_v3_small", "weights": "DEFAULT"},
        {"kind": "torchvision", "model": "fasterrcnn_resnet50_fpn"},
        {"kind": "torchvision", "model": "resnet18", "image_size": 64},
        {"kind": "torchvision"},
        {"kind": "onnx", "path": "/tmp/x"},
    ],
)
def test_a_bundle_cannot_make_a_library_open_anything(architecture: dict[str, Any]) -> None:
    if architecture["kind"] == "timm":
        pytest.importorskip("timm")
    with pytest.raises(NetworkError):
        build_network(architecture)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name in {"timm", "onnxruntime"}:
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(NetworkError, match=r"fewshot-gui\[backbones\]") as caught:
        build_network(TINY_VIT)
    assert caught.value.package == "timm"
    with pytest.raises(NetworkError) as caught:
        build_network({"kind": "onnx"}).load_state_dict({"onnx": torch.zeros(3, dtype=torch.uint8)})
    assert caught.value.package == "onnxruntime"


@pytest.mark.parametrize("model", ["mobilenet_v3_small", "densenet121", "resnet18"])
def test_norms_fold_and_the_answer_stays(model: str) -> None:
    network = lively(build_network({"kind": "torchvision", "model": model}))
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    before = count_norms(network)
    with torch.no_grad():
        expected = network(images)
        folded = fold_observed(network, (3, 64, 64))
        assert torch.allclose(folded(images), expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))
    assert count_norms(folded) < before
    assert count_norms(network) == before  # the given one is not changed


@pytest.mark.parametrize("model", ["test_efficientnet", "fastvit_t8"])
def test_norms_of_timm_keep_their_activation(model: str) -> None:
    pytest.importorskip("timm")
    network = lively(build_network({"kind": "timm", "model": model}))
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = network(images)
        folded = fold_observed(network, (3, 64, 64))
        error = torch.linalg.norm(folded(images) - expected) / torch.linalg.norm(expected)
    assert float(error) < 1e-3
    assert count_norms(folded) < count_norms(network)


class Misleading(nn.Module):
    """Its norm stands behind the convolution, and takes something else."""

    def __init__(self, *, also: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.norm = nn.BatchNorm2d(3)
        self.also = also

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (B, 3); where `also`, the convolution's output is used once more."""
        maps = self.conv(images)
        return (self.norm(maps) * maps if self.also else self.conv(self.norm(images))).mean((2, 3))


@pytest.mark.parametrize("also", [False, True])
def test_what_only_looks_like_a_pair_is_left_alone(also: bool) -> None:
    network = lively(Misleading(also=also))
    assert fold_observed(network, (3, 8, 8)) is network or count_norms(network) == 1
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    expected = network(images)
    assert torch.allclose(fold_observed(network, (3, 8, 8))(images), expected, atol=1e-5)
    assert torch.equal(fuse_batch_norms(network)(images), expected)


def test_a_network_without_norms_is_not_run() -> None:
    class Never(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
            raise AssertionError("it was run")

    network = Never()
    assert fold_observed(network, (3, 8, 8)) is network


@pytest.mark.parametrize("learner", ["maml", "anil"])
@pytest.mark.parametrize(("architecture", "side"), [(SMALL, 32), ({**TINY_VIT, "img_size": 32}, 32)])
def test_gradient_learners_adapt_them(learner: str, architecture: dict[str, Any], side: int) -> None:
    if architecture["kind"] == "timm":
        pytest.importorskip("timm")
    torch.manual_seed(0)
    network = fold_observed(build_network(architecture).eval(), (3, side, side))
    with torch.inference_mode():  # as embedding does before: nothing that it leaves behind may be in the way
        network(torch.zeros(1, 3, side, side))
    context = LearnerContext(network=network.requires_grad_(requires_grad=False), input_shape=(3, side, side))
    pixels = torch.randn(4, 3 * side * side, generator=torch.Generator().manual_seed(0))
    support = SupportSet(pixels, torch.tensor([0, 0, 1, 1]), ("a", "b"))
    prediction = make_learner(learner, context).fit(support).predict(pixels)
    assert prediction.probabilities.argmax(1).tolist() == [0, 0, 1, 1]
