"""Whether foreign weights fit an architecture, and which architecture they may be of."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from fewshot_gui.core.backbones.architectures import architecture_name
from fewshot_gui.core.backbones.network_error import NetworkError
from fewshot_gui.core.backbones.preprocessing import IMAGENET, Preprocessing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

_COUNTER: Final = "num_batches_tracked"
"""Of a batch norm: weights from before 2018 have none, and nothing depends on it in use."""
_KNOWN: Final = (
    "dinov3",
    "dinov2",
    "siglip",
    "fastvit_mci",
    "vit_base_patch16_224",
    "resnet",
    "efficientnet",
)
"""What people most often bring, first."""
_FIRST: Final = {
    "alexnet": "features.0.weight",
    "convnext": "features.0.0.weight",
    "densenet": "features.conv0.weight",
    "efficientnet": "features.0.0.weight",
    "maxvit": "stem.0.0.weight",
    "mnasnet": "layers.0.weight",
    "mobilenet": "features.0.0.weight",
    "regnet": "stem.0.weight",
    "res": "conv1.weight",
    "shufflenet": "conv1.0.weight",
    "squeezenet": "features.0.weight",
    "swin": "features.0.0.weight",
    "vgg": "features.0.weight",
    "vit": "conv_proj.weight",
    "wide_res": "conv1.weight",
}
"""The first convolution of each family of torchvision's: by it most need not be built."""
_WIDTHS: Final = {"tiny": 192, "small": 384, "base": 768, "large": 1024}
_MOST, _MOST_RENAMED = 100, 12
"""Architectures to build without memory, a tenth of a second each, and to rename for, which is slower."""


@dataclass(frozen=True, slots=True)
class FitReport:
    """How foreign weights fit an architecture.

    Attributes:
        fits: every tensor of the network is there, and nothing else but a classifier.
        missing: names that the network has and the file has not.
        unexpected: names that the file has and the network has not.
        wrong_shape: name, shape found and shape expected.
        guess: an architecture that these weights would fit, where this one is not it and another is known.
    """

    fits: bool
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    wrong_shape: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = ()
    guess: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        """Return the counts with the first of each, on one line."""
        parts = []
        for title, names in (("missing", self.missing), ("unexpected", self.unexpected)):
            if names:
                parts.append(f"{len(names)} {title} ({_few(names)})")
        if self.wrong_shape:
            key, found, expected = self.wrong_shape[0]
            parts.append(f"{len(self.wrong_shape)} of another shape ({key}: {found}, not {expected})")
        if self.guess:
            parts.append(f"they look like {architecture_name(self.guess)}")
        return "; ".join(parts) or "they fit"


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")


@dataclass(frozen=True, slots=True)
class Fit:
    """What of the tensors an architecture takes, and the report on the rest.

    Attributes:
        report: how they fit.
        tensors: those that do, under the names that the network has; without its classifier.
    """

    report: FitReport
    tensors: dict[str, Tensor]


def fit(architecture: Mapping[str, Any], tensors: Mapping[str, Tensor], *, guess: bool = True) -> Fit:
    """Return how tensors, as `read_weights` gives them, fit an architecture, and those that do.

    Args:
        architecture: the arguments of `build_network`.
        tensors: by name.
        guess: where they do not fit, look for what they would fit: takes seconds.

    Raises:
        NetworkError: there is no such architecture.
    """
    found = _fit(architecture, tensors)
    if found.report.fits or not guess:
        return found
    return replace(found, report=replace(found.report, guess=guess_architecture(tensors)))


def guess_architecture(tensors: Mapping[str, Tensor], hint: str = "") -> dict[str, Any] | None:
    """Return the torchvision or timm architecture that has these names and shapes, None if none is known.

    Args:
        tensors: as `read_weights` gives them.
        hint: words that may hold the name of the model, such as the name of the file; it comes first.
    """
    candidates = _candidates(tensors, hint)
    # First as they are: what the libraries rename and resample fits several models, of which one is meant.
    for renamed, most in ((False, _MOST), (True, _MOST_RENAMED)):
        for architecture in candidates[:most]:
            with suppress(NetworkError):
                if _fit(architecture, tensors, renamed=renamed).report.fits:
                    return _tagged(architecture, hint)
    return None


def sized_architecture(architecture: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return an architecture that somebody named, with the size of picture that these weights are of."""
    sized = _size(str(architecture["model"]), tensors) if architecture["kind"] == "torchvision" else {}
    return {**sized, **architecture}


def preprocessing_of(architecture: Mapping[str, Any]) -> Preprocessing:
    """Return the size, mean and deviation that an architecture's published weights were trained with.

    Raises:
        NetworkError: there is no such architecture.
    """
    return _published(architecture)[0]


def crop_ratio_of(architecture: Mapping[str, Any]) -> float:
    """Return the share of the shorter side that the publishers cut out of the middle of a picture, 0 to 1.

    This program takes all of it: what is looked for may lie near the edge.

    Raises:
        NetworkError: there is no such architecture.
    """
    return _published(architecture)[1]


def _fit(architecture: Mapping[str, Any], tensors: Mapping[str, Tensor], *, renamed: bool = True) -> Fit:
    import torch  # noqa: PLC0415 - torch takes seconds to import

    from fewshot_gui.core.backbones.networks import build_network  # noqa: PLC0415 - the same
    from fewshot_gui.core.backbones.outside_networks import classifier_prefixes  # noqa: PLC0415 - the same

    network = _shapes_only(architecture, build_network)
    expected = network.state_dict()
    given = _renamed(architecture, network, tensors) if renamed else dict(tensors)
    for key, value in expected.items():
        if key.endswith(_COUNTER):
            given.setdefault(key, torch.zeros(value.shape, dtype=value.dtype))
    classifier = classifier_prefixes(architecture, network)
    shapes = tuple(
        (key, tuple(given[key].shape), tuple(value.shape))
        for key, value in expected.items()
        if key in given and given[key].shape != value.shape
    )
    missing = tuple(key for key in expected if key not in given)
    unexpected = tuple(
        key for key in given if key not in expected and not key.startswith(classifier or ("\0",))
    )
    fitting = {
        key: given[key] for key, value in expected.items() if key in given and given[key].shape == value.shape
    }
    return Fit(FitReport(not (missing or unexpected or shapes), missing, unexpected, shapes), fitting)


def _shapes_only(architecture: Mapping[str, Any], build: Any) -> nn.Module:
    """Return the network without memory for its weights where it can be built so, which takes a hundredth."""
    import torch  # noqa: PLC0415 - torch takes seconds to import

    try:
        with torch.device("meta"):
            network: nn.Module = build(architecture)
    except (NetworkError, NotImplementedError):  # some compute with their initial weights
        network = build(architecture)
    return network


def _renamed(
    architecture: Mapping[str, Any], network: nn.Module, tensors: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the tensors as the library itself would rename and resample them before it loads them."""
    given = dict(tensors)
    if architecture.get("kind") == "torchvision":
        # The published weights of DenseNet have names from before names could hold no dots.
        return {
            re.sub(r"(denselayer\d+\.(?:norm|conv))\.(\d)", r"\1\2", key): value
            for key, value in given.items()
        }
    convert = getattr(sys.modules.get(type(network).__module__), "checkpoint_filter_fn", None)
    if architecture.get("kind") != "timm" or convert is None:
        return given
    try:
        return dict(convert(given, network))
    except (KeyError, RuntimeError, ValueError, IndexError, AttributeError, TypeError, AssertionError):
        # Made for weights of this model: of others it takes for granted what they do not have.
        return dict(tensors)


def _published(architecture: Mapping[str, Any]) -> tuple[Preprocessing, float]:
    """Return the preprocessing and the crop ratio; ImageNet's where nothing was published."""
    try:
        return _read_published(architecture)
    except (ValueError, RuntimeError, KeyError, ImportError) as error:
        raise NetworkError(f"nothing is known of {architecture.get('model')!r}: {error}") from error


def _read_published(architecture: Mapping[str, Any]) -> tuple[Preprocessing, float]:
    if architecture.get("kind") == "torchvision":
        from torchvision.models import get_model_weights  # noqa: PLC0415 - half a second

        preset = get_model_weights(str(architecture["model"])).DEFAULT.transforms()
        side = int(architecture.get("image_size", preset.crop_size[0]))
        seen = Preprocessing(side, 3, tuple(preset.mean), tuple(preset.std))
        return seen, preset.crop_size[0] / preset.resize_size[0]
    if architecture.get("kind") == "timm":
        from timm.models import get_pretrained_cfg, is_model  # noqa: PLC0415 - two seconds, and an extra

        if not is_model(str(architecture["model"])):
            raise ValueError("timm has no such model")
        published = get_pretrained_cfg(str(architecture["model"]))
        if published is not None:
            side = int(architecture.get("img_size", published.input_size[-1]))
            seen = Preprocessing(side, 3, tuple(published.mean), tuple(published.std))
            return seen, float(published.crop_pct)
    return IMAGENET, 1.0


def _candidates(tensors: Mapping[str, Tensor], hint: str) -> list[dict[str, Any]]:
    """Return the architectures that are worth building, the likeliest first."""
    found = [*_torchvision_candidates(tensors), *_timm_candidates(tensors)]
    words = _plain(hint)

    def named(architecture: Mapping[str, Any]) -> int:
        name = _plain(str(architecture["model"]))
        return -len(name) if name in words else 0

    return sorted(found, key=named)


def _tagged(architecture: dict[str, Any], hint: str) -> dict[str, Any]:
    """Return a model of timm with the tag of its weights, which tells how pictures were prepared for them.

    Args:
        architecture: that fits the weights.
        hint: may hold the tag: weights are handed out as MODEL.TAG.
    """
    if architecture["kind"] != "timm":
        return architecture
    import timm  # noqa: PLC0415 - two seconds, and an extra

    words, model = _plain(hint), str(architecture["model"])
    tagged = [name for name in timm.list_pretrained(f"{model}.*") if _plain(name) in words]
    return architecture | {"model": max(tagged, key=len, default=model)}


def _plain(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", words.lower())


def _torchvision_candidates(tensors: Mapping[str, Tensor]) -> list[dict[str, Any]]:
    """Return the classifiers of torchvision of about as many weights, the nearest first."""
    import torchvision  # noqa: PLC0415 - half a second

    weights = sum(value.numel() for key, value in tensors.items() if "running_" not in key)
    found = []
    for name in torchvision.models.list_models(module=torchvision.models):
        first = next((first for start, first in _FIRST.items() if name.startswith(start)), None)
        if first is not None and first not in tensors:
            continue
        published = torchvision.models.get_model_weights(name).DEFAULT.meta["num_params"]
        # A stripped classifier is up to two thirds of the whole (MobileNetV3 has 2.5 M, 1.6 M in it).
        if weights / 2 <= published <= 3 * weights:
            found.append((abs(published - weights), name))
    return [{"kind": "torchvision", "model": name, **_size(name, tensors)} for _, name in sorted(found)]


def _size(name: str, tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """Return the size that a ViT of torchvision was trained with, where it is not the usual one."""
    positions, patches = tensors.get("encoder.pos_embedding"), tensors.get("conv_proj.weight")
    if not name.startswith("vit_") or positions is None or patches is None or positions.ndim != 3:
        return {}
    side = round((positions.shape[1] - 1) ** 0.5) * patches.shape[-1]
    return {} if side == IMAGENET.side else {"image_size": side}


def _timm_candidates(tensors: Mapping[str, Tensor]) -> list[dict[str, Any]]:
    """Return the models of timm that begin with the same convolution; none where timm is not installed."""
    try:
        import timm  # noqa: PLC0415 - two seconds, and an extra
    except ImportError:
        return []
    found = []
    for name in timm.list_models():
        published = timm.models.get_pretrained_cfg(name)
        first = published.first_conv if published is not None else None
        for conv in (first,) if isinstance(first, str) else first or ():
            weight = tensors.get(f"{conv}.weight")
            if weight is not None and weight.ndim == 4 and _agrees(name, weight):
                rank = next((place for place, part in enumerate(_KNOWN) if part in name), len(_KNOWN))
                found.append((rank, len(name), name))
                break
    return [{"kind": "timm", "model": name} for _rank, _length, name in sorted(found)]


def _agrees(name: str, weight: Tensor) -> bool:
    """Return whether patch size and width in a model's name, where it has them, are the first layer's."""
    patch, size = (
        re.search(r"patch(\d+)", name),
        re.match(r"(?:vit|deit|beit)\w*?_(tiny|small|base|large)_", name),
    )
    if patch is not None and int(patch.group(1)) != weight.shape[-1]:
        return False
    return size is None or _WIDTHS[size.group(1)] == weight.shape[0]
