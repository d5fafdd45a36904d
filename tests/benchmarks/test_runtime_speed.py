"""Our `photo` against torchvision's MobileNetV2 under the same runtime, printed with `-s`.

From prepared pictures, uint8, to embeddings: ours at its own side, theirs at 224, both folded, both channels
last in torch, both exported for ONNX Runtime. The weights of MobileNetV2 are random: they change no time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torchvision.ops.misc import Conv2dNormActivation

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from fewshot_gui.core.backbones.bundle import load_bundle
from fewshot_gui.core.backbones.networks import fuse_batch_norms
from fewshot_gui.core.backbones.onnx_export import INPUT, OUTPUT, FinishedNetwork, export_bundle
from fewshot_gui.core.backbones.onnx_runtime import OnnxEmbedder
from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.engine.runtimes.verifying import probe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

pytestmark = pytest.mark.timeout(900)

THREADS = 2
IMAGENET = Preprocessing(224, 3, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
BAR = 2.0
# What is asserted: the bar itself is a goal, and another program at work on these processors moves the ratio.
FLOOR = 1.2


@dataclass(frozen=True)
class Side:
    """One of the two that are compared: its pictures, and how each runtime embeds them."""

    preprocessing: Preprocessing
    runtimes: dict[str, Callable[[NDArray[np.uint8]], object]]


@pytest.fixture(scope="module", autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def ours() -> Side:
    bundle = load_bundle("photo")
    session = OnnxEmbedder(export_bundle(bundle), THREADS)
    return Side(bundle.preprocessing, {"torch": bundle.embed, "onnx": session.embed})


@pytest.fixture(scope="module")
def theirs() -> Side:
    network = torchvision.models.mobilenet_v2(weights=None)
    network.classifier = nn.Identity()
    # One batch in training: untouched norms would let the features shrink to nothing, layer by layer.
    with torch.no_grad():
        network(torch.randn(8, 3, 224, 224))
    for module in network.eval().modules():
        if isinstance(module, Conv2dNormActivation):
            convolution, norm = module[0], module[1]
            module[0], module[1] = nn.utils.fusion.fuse_conv_bn_eval(convolution, norm), nn.Identity()
    fuse_batch_norms(network).requires_grad_(requires_grad=False)
    whole = FinishedNetwork(
        network.to(memory_format=torch.channels_last), IMAGENET, np.zeros(1280, np.float32), normalise=True
    ).eval()

    def by_torch(batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            embeddings: NDArray[np.float32] = whole(torch.from_numpy(batch)).numpy()
        return embeddings

    program = torch.onnx.export(
        whole, (torch.zeros(2, 224, 224, 3, dtype=torch.uint8),), dynamo=True, verbose=False,
        input_names=[INPUT], output_names=[OUTPUT],
        dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
    )  # fmt: skip
    assert program is not None
    session = OnnxEmbedder(program.model_proto.SerializeToString(), THREADS)
    return Side(IMAGENET, {"torch": by_torch, "onnx": session.embed})


@pytest.mark.parametrize("runtime", ["torch", "onnx"])
@pytest.mark.parametrize("pictures", [1, 32])
def test_photo_is_twice_as_fast_as_mobilenet_v2(
    ours: Side, theirs: Side, runtime: str, pictures: int
) -> None:
    sides = ours, theirs
    batches = [probe(side.preprocessing, pictures) for side in sides]
    shortest = [float("inf")] * 2
    # In turn, so that other programs disturb both alike.
    for _ in range(60 if pictures == 1 else 8):
        for at, side in enumerate(sides):
            begun = time.perf_counter()
            side.runtimes[runtime](batches[at])
            shortest[at] = min(shortest[at], time.perf_counter() - begun)
    mine, other = (seconds / pictures * 1000 for seconds in shortest)
    ratio = other / mine
    met = "met" if ratio >= BAR else "NOT met"
    print(
        f"\n{runtime:>5}, {pictures:>2} at once, {THREADS} threads: photo {mine:.2f} ms, "
        f"MobileNetV2 {other:.2f} ms a picture: {ratio:.2f} times as fast (bar {BAR:g}: {met})"
    )
    assert ratio > FLOOR
