"""Foreign weights made into bundles of this program: safetensors, state dicts of PyTorch, ONNX models."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fewshot_gui.core.backbones.bundle import save_bundle
from fewshot_gui.core.backbones.bundle_info import BundleInfo, describe_bundle
from fewshot_gui.core.backbones.foreign_error import ForeignProblem, ForeignWeightsError
from fewshot_gui.core.backbones.foreign_fit import (
    FitReport,
    crop_ratio_of,
    fit,
    guess_architecture,
    preprocessing_of,
    sized_architecture,
)
from fewshot_gui.core.backbones.foreign_onnx import read_onnx
from fewshot_gui.core.backbones.foreign_reading import file_error, read_weights
from fewshot_gui.core.backbones.network_error import NetworkError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from fewshot_gui.core.backbones.preprocessing import Preprocessing

__all__ = [
    "FitReport",
    "ForeignProblem",
    "ForeignWeightsError",
    "convert",
    "convert_onnx",
    "crop_ratio_of",
    "fit",
    "guess_architecture",
    "preprocessing_of",
    "read_weights",
    "sized_architecture",
]

TEMPERATURE: Final = 0.1
"""For minus the squared distance of embeddings of length 1, which lies between 0 and 4.

Measured with the 1,280 features of MobileNetV2, 5 ways and 5 shots: what explains the queries of five sets
best is 0.025 (signs of hands), 0.05, 0.07, 0.09 and 0.15 (magnetic tiles). Of these 0.1 errs towards doubt;
the examples of the user then refine it.
"""
NOVELTY: Final = 1.0
"""The distance to the nearest example beyond which a picture is none of these: a cosine of 0.5.

In the same episodes nine of ten pictures of the classes lie within 0.6 to 1.1. The examples refine this too.
"""
_LARGEST_HALF: Final = 65504.0


def convert(
    path: Path,
    architecture: Mapping[str, Any],
    preprocessing: Preprocessing | None = None,
    *,
    title: str,
    licence: str,
    out: Path,
    tensors: Mapping[str, Tensor] | None = None,
) -> BundleInfo:
    """Return the bundle that a file of foreign weights becomes, written atomically.

    Matrices are stored as float16 like those of every bundle; vectors, which are few bytes, and what float16
    cannot hold stay float32: a batch norm's variance may be too small for it.

    Args:
        path: of safetensors, or of a state dict of PyTorch.
        architecture: the arguments of `build_network`; without its classifier.
        preprocessing: that the weights were trained with; None: what is published of the architecture.
        title: for people.
        licence: of the weights.
        out: NAME.safetensors; its folder is made if need be.
        tensors: of the file, where it was read already.

    Raises:
        ForeignWeightsError: the file is no weights, or they do not fit.
        OSError: the bundle cannot be written.
    """
    try:
        fitting = _checked(path, architecture, read_weights(path) if tensors is None else tensors)
        seen = preprocessing or preprocessing_of(architecture)
        dimension = _dimension(path, architecture, fitting, seen)
    except NetworkError as error:
        raise _cannot_build(path, error) from error
    arrays = {key: _array(value) for key, value in fitting.items()}
    exact = {key for key, value in arrays.items() if not _survives(value)}
    description = _description(title, architecture, seen, dimension) | {
        "training": _origin(path, licence) | {"crop_ratio": crop_ratio_of(architecture)}
    }
    return _write(out, arrays, description, exact)


def convert_onnx(
    path: Path, told: Mapping[str, Any] = MappingProxyType({}), *, title: str, licence: str, out: Path
) -> BundleInfo:
    """Return the bundle that an ONNX model becomes, written atomically; needs ONNX Runtime.

    Args:
        path: of the model, its weights in the same file or beside it.
        told: what is known of the `Preprocessing` that it was trained with, by the names there; the rest is
            the size that it asks for, or 224, and the mean and deviation of ImageNet.
        title: for people.
        licence: of the weights.
        out: NAME.safetensors; its folder is made if need be.

    Raises:
        ForeignWeightsError: not an ONNX model that makes a row of numbers of each picture of one float batch.
        OSError: the bundle cannot be written.
    """
    try:
        model = read_onnx(path, told)
    except NetworkError as error:
        raise _cannot_build(path, error) from error
    description = _description(title, {"kind": "onnx"}, model.preprocessing, model.dimension)
    description["training"] = _origin(path, licence)
    arrays: dict[str, NDArray[Any]] = {"onnx": np.frombuffer(model.content, np.uint8)}
    return _write(out, arrays, description, set())


def _checked(path: Path, architecture: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of the network, after a look at what is wrong with them."""
    found = fit(architecture, tensors)
    report, fitting = found.report, found.tensors
    if not report.fits:
        raise ForeignWeightsError(
            ForeignProblem.DOES_NOT_FIT, str(path), f"they do not fit: {report}", report
        )
    whole = [
        key
        for key, value in fitting.items()
        if not value.is_floating_point() and key.endswith(("weight", "bias", "running_mean", "running_var"))
    ]
    if whole:
        raise ForeignWeightsError(
            ForeignProblem.INTEGER_WEIGHTS,
            str(path),
            f"{len(whole)} tensors hold whole numbers ({whole[0]}): quantised weights cannot be used",
        )
    broken = [key for key, value in fitting.items() if not bool(value.isfinite().all())]
    if broken:
        raise ForeignWeightsError(
            ForeignProblem.NOT_FINITE, str(path), f"{len(broken)} tensors are not finite ({broken[0]})"
        )
    return fitting


def _dimension(
    path: Path,
    architecture: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    preprocessing: Preprocessing,
) -> int:
    """Return D, by running the network on one picture of the size that it will get."""
    import torch  # noqa: PLC0415 - torch takes seconds to import

    from fewshot_gui.core.backbones.networks import build_network  # noqa: PLC0415 - the same

    network = build_network(architecture).eval()
    network.load_state_dict(dict(tensors))
    side = preprocessing.side
    try:
        with torch.inference_mode():
            found = network(torch.zeros(1, preprocessing.channels, side, side))
    except (RuntimeError, ValueError, AssertionError, IndexError, TypeError) as error:
        said = (str(error).splitlines() or ["?"])[0]
        raise ForeignWeightsError(
            ForeignProblem.DOES_NOT_RUN, str(path), f"no answer to a picture of {side} x {side} ({said})"
        ) from error
    if found.ndim != 2 or not bool(found.isfinite().all()):
        raise ForeignWeightsError(
            ForeignProblem.WRONG_OUTPUT,
            str(path),
            f"not a row of numbers for a picture: {tuple(found.shape)}",
        )
    return int(found.shape[1])


def _array(value: Tensor) -> NDArray[Any]:
    wide: Tensor = value.float() if value.is_floating_point() else value
    array: NDArray[Any] = wide.contiguous().numpy()
    return array


def _survives(value: NDArray[Any]) -> bool:
    """Return whether float16 holds these values as well as it holds any weights."""
    return value.ndim > 1 and float(np.abs(value).max(initial=0)) < _LARGEST_HALF


def _description(
    title: str, architecture: Mapping[str, Any], preprocessing: Preprocessing, dimension: int
) -> dict[str, Any]:
    return {
        "title": title,
        "architecture": dict(architecture),
        "preprocessing": asdict(preprocessing),
        "dimension": dimension,
        "normalise": True,
        "temperature": TEMPERATURE,
        "novelty": NOVELTY,
    }


def _origin(path: Path, licence: str) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise file_error(path, error) from error
    return {"converted_from": path.name, "file_sha256": digest, "licence": licence}


def _write(
    out: Path, arrays: dict[str, NDArray[Any]], description: dict[str, Any], exact: set[str]
) -> BundleInfo:
    out.parent.mkdir(parents=True, exist_ok=True)
    centre = np.zeros(description["dimension"], np.float32)
    save_bundle(out, {**arrays, "centre": centre}, description, exact=exact)
    return describe_bundle(out)


def _cannot_build(path: Path, error: NetworkError) -> ForeignWeightsError:
    if error.package:
        return ForeignWeightsError(ForeignProblem.NEEDS_PACKAGE, str(path), str(error))
    return ForeignWeightsError(ForeignProblem.CANNOT_BUILD, str(path), str(error))
