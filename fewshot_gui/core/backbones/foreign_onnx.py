"""An ONNX model as a backbone: what it takes and gives, and its bytes in one piece."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from fewshot_gui.core.backbones.foreign_error import ForeignProblem, ForeignWeightsError
from fewshot_gui.core.backbones.foreign_reading import file_error
from fewshot_gui.core.backbones.network_error import NetworkError
from fewshot_gui.core.backbones.preprocessing import IMAGENET, Preprocessing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fewshot_gui.core.backbones.outside_networks import OnnxNetwork


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """An ONNX model that makes a row of numbers of each picture.

    Attributes:
        content: the model with all its weights.
        preprocessing: of the size that it takes.
        dimension: D, how many numbers.
    """

    content: bytes
    preprocessing: Preprocessing
    dimension: int


def read_onnx(path: Path, told: Mapping[str, Any] = MappingProxyType({})) -> OnnxModel:
    """Return the model of a file, after a run on two pictures.

    Args:
        path: of the model; weights in a second file must lie beside it.
        told: what is known of the `Preprocessing` that it was trained with, by the names there; the rest is
            the size that the model asks for, and ImageNet's.

    Raises:
        ForeignWeightsError: it is missing, not an ONNX model, or takes or gives something else.
        NetworkError: ONNX Runtime is missing.
    """
    import torch  # noqa: PLC0415 - torch takes seconds to import

    from fewshot_gui.core.backbones.outside_networks import OnnxNetwork, onnx_runtime  # noqa: PLC0415

    onnx_runtime()
    network = OnnxNetwork()
    content = _loaded(path, network)
    seen = _checked_input(path, network.inputs(), told)
    try:
        found = network(torch.zeros(2, seen.channels, seen.side, seen.side))
    except (NetworkError, ValueError) as error:
        raise ForeignWeightsError(
            ForeignProblem.DOES_NOT_RUN,
            str(path),
            f"no answer to pictures of {seen.side} x {seen.side} ({error})",
        ) from error
    if found.ndim != 2 or len(found) != 2 or not bool(found.isfinite().all()):
        raise ForeignWeightsError(
            ForeignProblem.WRONG_OUTPUT,
            str(path),
            f"not a row of numbers for each picture: {tuple(found.shape)} for 2",
        )
    return OnnxModel(content, seen, int(found.shape[1]))


def _loaded(path: Path, network: OnnxNetwork) -> bytes:
    """Return the bytes of a model with all of its weights, which `network` has then.

    Weights that lie in a file beside it are among them.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise file_error(path, error) from error
    if not content:
        raise ForeignWeightsError(ForeignProblem.EMPTY, str(path), "the file is empty")
    content = _gathered(path, content)
    try:
        _load(network, content)
    except NetworkError as error:
        raise ForeignWeightsError(
            ForeignProblem.NOT_WEIGHTS, str(path), f"not an ONNX model ({error})"
        ) from error
    return content


def _load(network: OnnxNetwork, content: bytes) -> None:
    import torch  # noqa: PLC0415 - torch takes seconds to import

    network.load_state_dict({"onnx": torch.from_numpy(np.frombuffer(content, np.uint8).copy())})


def _gathered(path: Path, content: bytes) -> bytes:
    """Return the bytes of a model with the weights that lie beside it; as they are where none do.

    ONNX Runtime would look for them in the current folder, and take what has their name there.
    """
    import onnx  # noqa: PLC0415 - half a second, for few bundles
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - comes with onnx

    try:
        model = onnx.load_model_from_string(content)
    except DecodeError as error:
        raise ForeignWeightsError(
            ForeignProblem.NOT_WEIGHTS, str(path), f"not an ONNX model ({error})"
        ) from error
    size = model.ByteSize()
    try:
        onnx.load_external_data_for_model(model, str(path.parent))
        return content if model.ByteSize() == size else bytes(model.SerializeToString())
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        raise ForeignWeightsError(
            ForeignProblem.DAMAGED, str(path), f"its weights, in a second file, cannot be read ({error})"
        ) from error


def _checked_input(path: Path, inputs: list[Any], told: Mapping[str, Any]) -> Preprocessing:
    """Return the preprocessing for a model that takes one float batch of square pictures."""
    listed = "; ".join(f"{each.name}: {each.type} {each.shape}" for each in inputs) or "nothing"
    shape: list[Any] = list(inputs[0].shape) if len(inputs) == 1 else []
    if len(shape) != 4 or inputs[0].type != "tensor(float)":
        raise ForeignWeightsError(
            ForeignProblem.WRONG_INPUT,
            str(path),
            f"one batch of pictures is expected, float (B, 3, side, side); it takes {listed}",
        )
    sizes = [size for size in shape[2:] if isinstance(size, int)]
    channels = shape[1] if isinstance(shape[1], int) else 3
    if channels not in {1, 3} or len(set(sizes)) > 1:
        raise ForeignWeightsError(
            ForeignProblem.WRONG_INPUT,
            str(path),
            f"square pictures of 3 channels, or 1, are expected before height and width; it takes {listed}",
        )
    side = sizes[0] if sizes else None
    stated = Preprocessing(side or IMAGENET.side, channels, IMAGENET.mean[:channels], IMAGENET.std[:channels])
    seen = replace(stated, **told)
    if side not in {None, seen.side}:
        wrong = f"it takes pictures of {side} x {side} pixels, not {seen.side} x {seen.side}"
        raise ForeignWeightsError(ForeignProblem.WRONG_INPUT, str(path), wrong)
    if {len(seen.mean), len(seen.std)} != {channels}:
        wrong = f"its pictures have {channels} channels: mean and deviation are {channels} numbers each"
        raise ForeignWeightsError(ForeignProblem.WRONG_INPUT, str(path), wrong)
    return seen
