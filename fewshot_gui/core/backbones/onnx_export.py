"""A bundle as an ONNX model: prepared pictures in, finished embeddings out.

It imports torch, so it belongs inside functions; onnx and onnxscript are needed only when something is
exported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from safetensors import safe_open
from torch import Tensor, nn

from fewshot_gui.core.backbones.bundle import mean_over_views, views_apart

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import ModelProto

    from fewshot_gui.core.backbones.bundle import Bundle
    from fewshot_gui.core.backbones.preprocessing import Preprocessing

INPUT, OUTPUT = "pictures", "embeddings"
"""The names of the model's only input and only output."""


class OnnxExportError(RuntimeError):
    """A bundle that cannot be written as an ONNX model; its sentence says why, in the exporter's words."""


class FinishedNetwork(nn.Module):
    """All that `Bundle.embed` does to prepared pictures, as one module, so that one call does it.

    Args:
        network: in eval mode, on the CPU.
        preprocessing: its mean and deviation scale the pictures.
        centre: float32 (D,), subtracted from each embedding.
        normalise: embeddings are divided by their length.
    """

    scale: Tensor
    shift: Tensor
    centre: Tensor

    def __init__(
        self,
        network: nn.Module,
        preprocessing: Preprocessing,
        centre: NDArray[np.float32],
        *,
        normalise: bool,
    ) -> None:
        super().__init__()
        self.network = network
        self.preprocessing = preprocessing
        self.normalise = normalise
        std = torch.tensor(preprocessing.std)
        self.register_buffer("scale", 1 / (255 * std))
        self.register_buffer("shift", -torch.tensor(preprocessing.mean) / std)
        self.register_buffer("centre", torch.from_numpy(centre))

    def forward(self, batch: Tensor) -> Tensor:
        """Return embeddings float32 (B, D) of prepared pictures uint8 (B, views * H, W, C)."""
        squares = views_apart(batch, self.preprocessing)
        inputs = (squares.float() * self.scale + self.shift).permute(0, 3, 1, 2)
        centred: Tensor = mean_over_views(self.network(inputs).float(), self.preprocessing) - self.centre
        if not self.normalise:
            return centred
        length: Tensor = centred.norm(dim=1, keepdim=True)
        return centred / length.clamp_min(1e-8)


def export_bundle(bundle: Bundle) -> bytes:
    """Return an ONNX model that embeds as the bundle does: uint8 (B, views * H, W, C) to (B, D), any B.

    Raises:
        OnnxExportError: as `finished_network` and `to_onnx` say.
    """
    shape = bundle.preprocessing.prepared_shape
    model: bytes = to_onnx(finished_network(bundle), shape, [OUTPUT]).SerializeToString()
    return model


def finished_network(bundle: Bundle) -> FinishedNetwork:
    """Return all that a bundle does to prepared pictures, on the CPU.

    Raises:
        OnnxExportError: its input is asked for and not its embedding.
    """
    network = bundle.context("cpu").network
    if network is None or bundle.info.in_pixels:
        raise OnnxExportError(f"{bundle.name} has no network to export")
    with safe_open(bundle.info.path, framework="np") as file:
        centre = file.get_tensor("centre")
    return FinishedNetwork(network, bundle.preprocessing, centre, normalise=bundle.info.normalise).eval()


def to_onnx(whole: nn.Module, prepared_shape: tuple[int, int, int], outputs: list[str]) -> ModelProto:
    """Return the ONNX model of a module that takes prepared pictures uint8 (B, *prepared_shape), any B.

    By the exporter that traces with torch.export: the older one is deprecated and warns.

    Args:
        whole: in eval mode, on the CPU.
        prepared_shape: (views * side, side, C).
        outputs: the names of what it gives.

    Raises:
        OnnxExportError: it cannot be traced or has operators that ONNX lacks, or onnx or onnxscript is
            missing.
    """
    # Two pictures: of one, the exporter would take the size of the batch for a constant.
    example = torch.zeros(2, *prepared_shape, dtype=torch.uint8)
    try:
        program = torch.onnx.export(
            whole,
            (example,),
            dynamo=True,
            verbose=False,
            input_names=[INPUT],
            output_names=outputs,
            dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
        )
    # Its own errors are RuntimeErrors; a network that it cannot trace may raise the others.
    except (RuntimeError, ImportError, TypeError, ValueError, AttributeError, AssertionError) as error:
        raise OnnxExportError(_first_line(error)) from error
    if program is None:
        raise OnnxExportError("the exporter returned nothing")
    model: ModelProto = program.model_proto
    if not model.graph.input[0].type.tensor_type.shape.dim[0].dim_param:
        raise OnnxExportError("it would take two pictures at once, and no other number")
    return model


def _first_line(error: Exception) -> str:
    words = str(error).strip().splitlines()
    return words[0] if words else type(error).__name__
