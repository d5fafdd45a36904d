"""A bundle: weights, preprocessing and card as one thing, loaded by name or path and checked by hash."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open

from fewshot_gui.core.backbones.bundle_info import (
    FORMAT,
    PIXELS,
    BundleError,
    BundleInfo,
    BundleProblem,
    bundle_of,
    bundle_path,
    describe_bundle,
    space_name,
)
from fewshot_gui.core.learners.context import LearnerContext

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from fewshot_gui.core.backbones.preprocessing import Preprocessing

__all__ = [
    "FORMAT",
    "PIXELS",
    "Bundle",
    "BundleError",
    "BundleInfo",
    "BundleProblem",
    "bundle_of",
    "bundle_path",
    "describe_bundle",
    "finish_embedding",
    "load_bundle",
    "mean_over_views",
    "normalised_input",
    "save_bundle",
    "space_name",
    "tensors_hash",
    "views_apart",
]

HEAD = "head."
"""Before the name of each tensor in the file that is the head's; the others are the network's."""


class Bundle:
    """A loaded bundle, ready to embed pictures on any device.

    Args:
        info: what the bundle says of itself.
        network: in eval mode, on the CPU.
        centre: float32 (D,), subtracted from each embedding before it is normalised.
        head: the tensors of the head that was meta-trained with the network, by their names in it.
    """

    def __init__(
        self,
        info: BundleInfo,
        network: nn.Module,
        centre: NDArray[np.float32],
        head: Mapping[str, Tensor] | None = None,
    ) -> None:
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
        self._head = head or {}
        self._device = "cpu"

    def embed(self, batch: NDArray[np.uint8], device: str = "cpu") -> NDArray[np.float32]:
        """Return embeddings (B, D) of prepared pictures (B, views * side, side, channels).

        In the pixels space these are the network's normalised input, flattened from (C, H, W).
        Only one thread may call it at a time. Raises what torch raises when the device's memory is full.
        """
        import torch  # noqa: PLC0415 - torch takes seconds to import

        if self.info.in_pixels:
            pixels: NDArray[np.float32] = (
                normalised_input(torch.from_numpy(batch), self.preprocessing).flatten(1).numpy()
            )
            return pixels
        self._move(device)
        with torch.inference_mode():
            inputs = normalised_input(torch.from_numpy(batch).to(device), self.preprocessing)
            raw = mean_over_views(self._network(inputs).float(), self.preprocessing).cpu().numpy()
        return finish_embedding(raw, self._centre, normalise=self.info.normalise)

    def context(self, device: str = "cpu") -> LearnerContext:
        """Return what a learner may use of this bundle; its network is moved to `device`, and shared."""
        self._move(device)
        return context_of(self.info, self._network, self._head, device)

    def _move(self, device: str) -> None:
        if device != self._device:
            self._device = ""  # a move that ends half way, for want of memory, leaves it on both
            self._network.to(device)
            self._device = device


def context_of(
    info: BundleInfo,
    network: nn.Module | None = None,
    head_tensors: Mapping[str, Tensor] | None = None,
    device: str = "cpu",
) -> LearnerContext:
    """Return what a learner may use of a bundle; without network and tensors, what its header says."""
    return LearnerContext(
        temperature=info.temperature,
        novelty=info.novelty,
        learner=info.learner,
        head=info.head,
        head_tensors=head_tensors or {},
        head_temperature=info.head_temperature,
        network=network,
        input_shape=info.input_shape,
        device=device,
        dimension=info.dimension,
    )


def normalised_input(batch: Any, preprocessing: Preprocessing) -> Any:
    """Return a float32 tensor (B * views, C, H, W), channels last, of a uint8 tensor (B, views * H, W, C)."""
    import torch  # noqa: PLC0415 - torch takes seconds to import

    mean = torch.tensor(preprocessing.mean, device=batch.device)
    std = torch.tensor(preprocessing.std, device=batch.device)
    return ((views_apart(batch, preprocessing).float() / 255 - mean) / std).permute(0, 3, 1, 2)


def views_apart(batch: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Return (B * views, H, W, C), the views of each picture one after the other, of (B, views * H, W, C)."""
    return batch.reshape(-1, batch.shape[1] // len(preprocessing.views), *batch.shape[2:])


def mean_over_views(embeddings: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Return (B, D), the mean of the embeddings (B * views, D) of each picture's views."""
    if len(preprocessing.views) == 1:
        return embeddings
    return embeddings.reshape(-1, len(preprocessing.views), embeddings.shape[1]).mean(dim=1)


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


def load_bundle(name_or_path: str | Path) -> Bundle:
    """Return the bundle of that name or at that path, its weights checked against their hash.

    Raises:
        BundleError: missing, not a bundle, damaged, weights that do not fit the network, or a network of a
            package that is not installed.
    """
    info = describe_bundle(name_or_path)
    tensors = checked_tensors(info)
    tensors = {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}
    # Copies, as the network makes of the others: a file that is still mapped cannot be replaced on Windows.
    centre = tensors.pop("centre").numpy().copy()
    # Networks of others have no learned head, but modules of that name.
    learned = [key for key in tensors if key.startswith(HEAD) and not info.outside]
    head = {key: tensors.pop(key).clone() for key in learned}
    network = _network(info, tensors)
    head = {key.removeprefix(HEAD): value for key, value in head.items()}
    return Bundle(info, network, centre, head)


def checked_tensors(info: BundleInfo) -> dict[str, Tensor]:
    """Return the tensors of a bundle as they are stored, mapped from its file.

    Raises:
        BundleError: they are not those that were written.
    """
    from safetensors.torch import load_file  # noqa: PLC0415 - torch takes seconds to import

    try:
        tensors: dict[str, Tensor] = load_file(info.path)
        with safe_open(info.path, framework="np") as file:
            expected = (file.metadata() or {}).get("sha256")
        found = tensors_hash({key: value.numpy() for key, value in tensors.items()})
    except (SafetensorError, OSError, TypeError) as error:  # TypeError: a kind of number that we never write
        raise BundleError(BundleProblem.DAMAGED, str(info.path), f"it cannot be read ({error})") from error
    if found != expected or "centre" not in tensors:
        raise BundleError(BundleProblem.DAMAGED, str(info.path), "its weights are damaged; install it again")
    return tensors


def _network(info: BundleInfo, tensors: Mapping[str, Tensor]) -> nn.Module:
    """Return the network with its weights, for use: in eval mode, batch norms folded where they can be."""
    import torch  # noqa: PLC0415 - torch takes seconds to import

    from fewshot_gui.core.backbones import networks  # noqa: PLC0415 - the same
    from fewshot_gui.core.backbones.folding import fold_observed  # noqa: PLC0415 - the same

    try:
        network = networks.build_network(info.architecture)
        network.load_state_dict(tensors)
        if info.outside:
            network = fold_observed(network.eval(), info.input_shape)
        else:
            network = networks.fuse_batch_norms(network)
    except (ValueError, RuntimeError, AssertionError) as error:  # timm asserts the size of its input
        needs = isinstance(error, networks.NetworkError) and error.package
        problem = BundleProblem.NEEDS_PACKAGE if needs else BundleProblem.DOES_NOT_FIT
        raise BundleError(problem, str(info.path), str(error)) from error
    return network.requires_grad_(requires_grad=False).to(memory_format=torch.channels_last)


def tensors_hash(tensors: dict[str, NDArray[Any]]) -> str:
    """Return the SHA-256 over names, shapes and values, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        digest.update(f"{name}{array.dtype}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def save_bundle(
    path: Path,
    tensors: dict[str, NDArray[Any]],
    description: dict[str, Any],
    *,
    exact: Collection[str] = (),
) -> None:
    """Write a bundle, atomically.

    Args:
        path: NAME.safetensors.
        tensors: the network's state, `centre` (D,), and those of its head, each named `HEAD` and its name in
            the head; floating ones are stored as float16.
        description: the fields of `BundleInfo` that are not read from the file itself.
        exact: the names of tensors to store as they are.

    Raises:
        OSError: the file cannot be written; nothing is left of it.
    """
    from safetensors.numpy import save  # noqa: PLC0415 - only training and converting write

    whole = {"centre", *exact}
    halves = {
        key: value if key in whole or value.dtype != np.float32 else value.astype(np.float16)
        for key, value in tensors.items()
    }
    # Weights in channels-last order are not contiguous, and safetensors would write their bytes as they lie.
    halves = {key: np.array(value, order="C") for key, value in halves.items()}
    metadata = {"format": FORMAT, "bundle": json.dumps(description), "sha256": tensors_hash(halves)}
    partial = path.with_name(f".{path.name}.partial")
    try:
        # Not save_file: of a full disk it makes an error that does not say so.
        partial.write_bytes(save(halves, metadata))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
