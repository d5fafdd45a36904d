"""Networks that other libraries build: torchvision's, timm's, and ONNX models."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from fewshot_gui.core.backbones.network_error import NetworkError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# A bundle may come from anyone: what opens files or connections (checkpoint_path, pretrained) is not taken.
_TAKES: Final = {
    "torchvision": {"image_size"},
    "timm": {"img_size", "dynamic_img_size", "global_pool"},
    "onnx": set[str](),
}
_OF_TORCHVISION: Final[Mapping[str, Mapping[str, Any]]] = {
    # Their published weights expect this; and random weights would be drawn for a minute.
    "googlenet": {"init_weights": False, "transform_input": True},
    "inception_v3": {"init_weights": False, "transform_input": True},
}
_WIDEST: Final = 4096
"""Features of an embedding; the first layer of VGG's classifier takes 25,088, its second 4,096."""


def build_outside(architecture: Mapping[str, Any]) -> nn.Module:
    """Return a network without its classifier: images (B, C, H, W) to embeddings (B, D).

    The weights are random, those of an ONNX model not there yet. No connection is made and no file read.

    Args:
        architecture: `kind`, "torchvision", "timm" or "onnx"; of the first two `model`, the name there; and
            `image_size` (torchvision), or `img_size`, `dynamic_img_size` and `global_pool` (timm).

    Raises:
        NetworkError: there is no such model, it does not take these arguments, or timm or ONNX Runtime is
            missing.
    """
    arguments = dict(architecture)
    kind, model = str(arguments.pop("kind")), str(arguments.pop("model", ""))
    strange = sorted(set(arguments) - _TAKES[kind])
    if strange:
        raise NetworkError(f"network {kind} does not take {', '.join(strange)}")
    try:
        return _BUILDERS[kind](model, arguments)
    except (TypeError, ValueError, RuntimeError, AssertionError) as error:
        if isinstance(error, NetworkError):
            raise
        raise NetworkError(f"network {kind} {model}: {error}") from error


def classifier_prefixes(architecture: Mapping[str, Any], network: nn.Module) -> tuple[str, ...]:
    """Return what the names of those tensors begin with that its classifier would have, which is left out."""
    if architecture.get("kind") == "torchvision":
        return (f"{list(network.named_children())[-1][0]}.", "AuxLogits.", "aux1.", "aux2.")
    named = (getattr(network, "default_cfg", None) or {}).get("classifier") or ()
    names = (named,) if isinstance(named, str) else tuple(named)
    return tuple(f"{name}." for name in names)


def _build_torchvision(model: str, arguments: Mapping[str, Any]) -> nn.Module:
    import torchvision  # noqa: PLC0415 - half a second, for few bundles

    if model not in torchvision.models.list_models(module=torchvision.models):
        raise NetworkError(f"torchvision has no classifier {model!r}")
    network: nn.Module = torchvision.models.get_model(
        model, weights=None, **_OF_TORCHVISION.get(model, {}), **arguments
    )
    name, last = list(network.named_children())[-1]
    setattr(network, name, _before_classes(last))
    return network


def _before_classes(last: nn.Module) -> nn.Sequential:
    """Return what torchvision's last module does before its first linear layer, under the same names."""
    layers = list(last) if isinstance(last, nn.Sequential) else [last]
    for place, layer in enumerate(layers):
        if isinstance(layer, nn.Linear) and layer.in_features <= _WIDEST:
            return nn.Sequential(*layers[:place])
        if isinstance(layer, nn.Conv2d):  # SqueezeNet's classifier
            return nn.Sequential(*layers[:place], nn.AdaptiveAvgPool2d(1))
    raise NetworkError("its classifier has no linear layer")


def _build_timm(model: str, arguments: Mapping[str, Any]) -> nn.Module:
    try:
        import timm  # noqa: PLC0415 - two seconds, and an extra
    except ImportError as error:
        raise NetworkError("it needs timm: pip install 'fewshot-gui[backbones]'", "timm") from error
    # create_model would fetch "hf_hub:..." and read "local-dir:...".
    if not timm.is_model(model):
        raise NetworkError(f"timm has no model {model!r}")
    network: nn.Module = timm.create_model(model, pretrained=False, num_classes=0, **arguments)
    return network


class OnnxNetwork(nn.Module):
    """An ONNX model, computed by ONNX Runtime on the CPU: images (B, C, H, W) to embeddings (B, D).

    Its one tensor, `onnx`, uint8 (bytes,), is the model itself; no gradient passes it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._session: Any = None
        self._fixed: int | None = None

    def load_state_dict(
        self,
        state_dict: Mapping[str, Any],
        strict: bool = True,  # noqa: ARG002 - as torch has it
        assign: bool = False,  # noqa: ARG002 - the same
    ) -> Any:
        """Take the model.

        Raises:
            RuntimeError: there is no tensor `onnx` alone, or ONNX Runtime cannot run it.
        """
        if set(state_dict) != {"onnx"}:
            raise RuntimeError(f"the one tensor onnx is expected, not {', '.join(sorted(state_dict))}")
        self._session = onnx_session(state_dict["onnx"].numpy().tobytes())
        shape = self._session.get_inputs()[0].shape
        self._fixed = shape[0] if shape and isinstance(shape[0], int) else None

    def inputs(self) -> list[Any]:
        """Return what ONNX Runtime knows of its inputs: each with name, type and shape."""
        return list(self._session.get_inputs())

    def forward(self, images: Tensor) -> Tensor:
        """Return embeddings float32 (B, D), on the device of the images."""
        pixels = np.ascontiguousarray(images.detach().cpu().numpy(), dtype=np.float32)
        size = self._fixed or max(1, len(pixels))
        rows = [self._run(pixels[start : start + size], size) for start in range(0, len(pixels), size)]
        return torch.from_numpy(np.concatenate(rows)).to(images.device)

    def _run(self, pixels: np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
        """Return (b, D); a model with a fixed batch gets zeros where there are too few pictures."""
        if self._fixed is not None and len(pixels) < size:
            missing = np.zeros((size - len(pixels), *pixels.shape[1:]), np.float32)
            return self._run(np.concatenate([pixels, missing]), size)[: len(pixels)]
        output = embedding_output(self._session)
        named = {self._session.get_inputs()[0].name: pixels}
        (found,) = with_runtime_errors(lambda: self._session.run([output], named))
        # A map of features is averaged, as every network's own pooling would.
        flat = found.mean(axis=(2, 3)) if found.ndim == 4 else found
        return np.atleast_1d(np.asarray(flat, dtype=np.float32))


def embedding_output(session: Any) -> str:
    """Return the name of the output that is taken: the first that is (B, D), else the first."""
    outputs = session.get_outputs()
    rows = [output for output in outputs if len(output.shape or ()) == 2]
    return str((rows or outputs)[0].name)


def onnx_session(model: bytes) -> Any:
    """Return an ONNX Runtime session of a model, given as it is stored.

    Raises:
        NetworkError: ONNX Runtime is missing or does not take the model.
    """
    runtime = onnx_runtime()
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is raised; nothing is to be printed
    # Half of the cores, as torch gets: the others decode (see engine.torch_threads). Spinning would take all.
    options.intra_op_num_threads = max(1, (os.cpu_count() or 1) // 2)
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # All weights are in the model itself: one that names a file would get it from the current folder.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    return with_runtime_errors(
        lambda: runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    )


def onnx_runtime() -> Any:
    """Return the module onnxruntime.

    Raises:
        NetworkError: it is missing.
    """
    try:
        import onnxruntime  # noqa: PLC0415 - half a second, and an extra
    except ImportError as error:
        raise NetworkError("it needs ONNX Runtime: pip install onnxruntime", "onnxruntime") from error
    return onnxruntime


def with_runtime_errors(call: Callable[[], Any]) -> Any:
    """Return what `call` does, with the errors of ONNX Runtime, which share no class, as one.

    Raises:
        NetworkError: the first line of what ONNX Runtime says.
    """
    from onnxruntime.capi import onnxruntime_pybind11_state as state  # noqa: PLC0415 - see `onnx_runtime`

    kinds = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NoModel)
    try:
        return call()
    except (*kinds, state.NoSuchFile, state.NotImplemented, state.RuntimeException, ValueError) as error:
        raise NetworkError(str(error).splitlines()[0][:300]) from error


_BUILDERS: Final[Mapping[str, Callable[[str, Mapping[str, Any]], nn.Module]]] = {
    "torchvision": _build_torchvision,
    "timm": _build_timm,
    "onnx": lambda _model, _arguments: OnnxNetwork(),
}
