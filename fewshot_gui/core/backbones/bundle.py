"""A bundle: weights, preprocessing and card as one thing, loaded by name or path and checked by hash."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open

from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.data_files import models_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

FORMAT = "fewshot-bundle-1"


class BundleProblem(StrEnum):
    """Why a bundle cannot be used."""

    MISSING = "missing"
    NOT_A_BUNDLE = "not-a-bundle"
    DAMAGED = "damaged"
    DOES_NOT_FIT = "does-not-fit"


class BundleError(Exception):
    """A bundle that cannot be used: what is wrong, where, and the facts."""

    def __init__(self, kind: BundleProblem, path: str, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.kind = kind
        self.path = path
        self.detail = detail


@dataclass(frozen=True, slots=True)
class BundleInfo:
    """What a bundle says of itself, read without torch.

    Attributes:
        name: the file's stem.
        title: for people.
        path: of the weights file.
        hash: 16 hex digits over the whole file: weights, preprocessing and all.
        architecture: the arguments of `build_network`.
        preprocessing: from pixels to the network's input.
        dimension: D, the length of an embedding.
        normalise: embeddings are divided by their length.
        temperature: of a prototypical classifier on validation episodes.
        novelty: the distance beyond which a query is none of these, on validation episodes.
        parameters: how many weights.
        size_bytes: of the file.
        training: how it was trained: command, data, steps, seconds.
    """

    name: str
    title: str
    path: Path
    hash: str
    architecture: dict[str, Any]
    preprocessing: Preprocessing
    dimension: int
    normalise: bool
    temperature: float
    novelty: float
    parameters: int
    size_bytes: int
    training: dict[str, Any]

    @property
    def card(self) -> str:
        """Return the model card, Markdown; empty where there is none."""
        card = self.path.with_suffix(".md")
        return card.read_text(encoding="utf-8") if card.is_file() else ""


class Bundle:
    """A loaded bundle, ready to embed pictures on any device.

    Args:
        info: what the bundle says of itself.
        network: in eval mode, on the CPU.
        centre: float32 (D,), subtracted from each embedding before it is normalised.
    """

    def __init__(self, info: BundleInfo, network: nn.Module, centre: NDArray[np.float32]) -> None:
        self.info = info
        self.name = info.name
        self.title = info.title
        self.hash = info.hash
        self.preprocessing = info.preprocessing
        self.dimension = info.dimension
        self.temperature = info.temperature
        self.novelty = info.novelty
        self._network = network
        self._centre = centre
        self._device = "cpu"

    def embed(self, batch: NDArray[np.uint8], device: str = "cpu") -> NDArray[np.float32]:
        """Return embeddings (B, D) of prepared pictures (B, side, side, channels).

        Only one thread may call it at a time. Raises what torch raises when the device's memory is full.
        """
        import torch  # noqa: PLC0415 - torch takes seconds to import

        if device != self._device:
            self._network.to(device)
            self._device = device
        with torch.inference_mode():
            inputs = normalised_input(torch.from_numpy(batch).to(device), self.preprocessing)
            raw = self._network(inputs).float().cpu().numpy()
        return finish_embedding(raw, self._centre, normalise=self.info.normalise)


def normalised_input(batch: Any, preprocessing: Preprocessing) -> Any:
    """Return a float32 tensor (B, C, H, W), channels last, of a uint8 tensor (B, H, W, C)."""
    import torch  # noqa: PLC0415 - torch takes seconds to import

    mean = torch.tensor(preprocessing.mean, device=batch.device)
    std = torch.tensor(preprocessing.std, device=batch.device)
    return ((batch.float() / 255 - mean) / std).permute(0, 3, 1, 2)


def finish_embedding(
    raw: NDArray[np.float32], centre: NDArray[np.float32], *, normalise: bool
) -> NDArray[np.float32]:
    """Return the embeddings (B, D): centred on the training set's mean and, if asked, of length one (CL2N).

    Wang et al. 2019, "SimpleShot": centring and normalising is the cheapest gain of all.
    """
    centred = raw - centre
    if normalise:
        centred = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-8)
    return centred.astype(np.float32, copy=False)


def bundle_path(name_or_path: str | Path) -> Path:
    """Return the weights file that a name or a path means.

    Raises:
        BundleError: there is no such file.
    """
    named = models_folder() / f"{name_or_path}.safetensors"
    path = named if named.is_file() else Path(name_or_path)
    if not path.is_file():
        shipped = ", ".join(sorted(p.stem for p in models_folder().glob("*.safetensors"))) or "none"
        raise BundleError(
            BundleProblem.MISSING,
            str(name_or_path),
            f"there is no such bundle; shipped: {shipped}; or give a file",
        )
    return path


def describe_bundle(name_or_path: str | Path) -> BundleInfo:
    """Return what a bundle says of itself; torch is not imported.

    Raises:
        BundleError: missing, not a bundle of this program, or damaged.
    """
    path = bundle_path(name_or_path)
    stat = path.stat()
    return _describe(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=32)
def _describe(path: Path, _mtime_ns: int, size: int) -> BundleInfo:
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            parameters = sum(int(np.prod(file.get_slice(key).get_shape())) for key in file.keys())  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise BundleError(
            BundleProblem.NOT_A_BUNDLE, str(path), f"not a safetensors file ({error})"
        ) from error
    if metadata.get("format") != FORMAT:
        raise BundleError(
            BundleProblem.NOT_A_BUNDLE,
            str(path),
            f"weights of another program; this one reads {FORMAT} files",
        )
    try:
        values = json.loads(metadata["bundle"])
        values["preprocessing"] = Preprocessing.from_dict(values["preprocessing"])
        return BundleInfo(
            name=path.stem, path=path, hash=_file_hash(path), parameters=parameters, size_bytes=size, **values
        )
    except OSError as error:
        raise BundleError(BundleProblem.DAMAGED, str(path), f"it cannot be read ({error})") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(
            BundleProblem.NOT_A_BUNDLE, str(path), f"made by another version of this program ({error!r})"
        ) from error


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def load_bundle(name_or_path: str | Path) -> Bundle:
    """Return the bundle of that name or at that path, its weights checked against their hash.

    Raises:
        BundleError: missing, not a bundle, damaged, or weights that do not fit the network.
    """
    from safetensors.torch import load_file  # noqa: PLC0415 - torch takes seconds to import

    from fewshot_gui.core.backbones.networks import (  # noqa: PLC0415 - torch takes seconds to import
        build_network,
        fuse_batch_norms,
    )

    info = describe_bundle(name_or_path)
    try:
        tensors = load_file(info.path)
        with safe_open(info.path, framework="np") as file:
            expected = (file.metadata() or {}).get("sha256")
        found = tensors_hash({key: value.numpy() for key, value in tensors.items()})
    except (SafetensorError, OSError, TypeError) as error:  # TypeError: a kind of number that we never write
        raise BundleError(BundleProblem.DAMAGED, str(info.path), f"it cannot be read ({error})") from error
    if found != expected or "centre" not in tensors:
        raise BundleError(BundleProblem.DAMAGED, str(info.path), "its weights are damaged; install it again")
    tensors = {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}
    centre = tensors.pop("centre").numpy()
    try:
        network = build_network(info.architecture)
        network.load_state_dict(tensors)
    except (ValueError, RuntimeError) as error:
        raise BundleError(BundleProblem.DOES_NOT_FIT, str(info.path), str(error)) from error
    import torch  # noqa: PLC0415 - torch takes seconds to import

    fused = fuse_batch_norms(network).requires_grad_(requires_grad=False)
    return Bundle(info, fused.to(memory_format=torch.channels_last), centre)


def tensors_hash(tensors: dict[str, NDArray[Any]]) -> str:
    """Return the SHA-256 over names, shapes and values, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        digest.update(f"{name}{array.dtype}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def save_bundle(path: Path, tensors: dict[str, NDArray[Any]], description: dict[str, Any]) -> None:
    """Write a bundle, atomically.

    Args:
        path: NAME.safetensors.
        tensors: the network's state and `centre` (D,); floating ones are stored as float16.
        description: the fields of `BundleInfo` that are not read from the file itself.
    """
    from safetensors.numpy import save_file  # noqa: PLC0415 - only training writes

    halves = {
        key: value.astype(np.float16) if value.dtype == np.float32 and key != "centre" else value
        for key, value in tensors.items()
    }
    # Weights in channels-last order are not contiguous, and safetensors would write their bytes as they lie.
    halves = {key: np.array(value, order="C") for key, value in halves.items()}
    metadata = {"format": FORMAT, "bundle": json.dumps(description), "sha256": tensors_hash(halves)}
    partial = path.with_name(f".{path.name}.partial")
    save_file(halves, partial, metadata)
    partial.replace(path)
