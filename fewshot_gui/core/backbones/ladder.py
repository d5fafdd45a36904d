"""The ladder: stronger backbones that can be downloaded, each a row of facts; torch is not needed to read it.

Addresses, input sizes and the first digits of the hashes of torchvision's weights are those of its own weight
enums; the addresses of timm's are those of its pretrained configurations. Sizes are those of the download.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from fewshot_gui.core.backbones.preprocessing import IMAGENET, Preprocessing

if TYPE_CHECKING:
    from collections.abc import Mapping

TOP1: Final = "ImageNet top-1"
KNN: Final = "ImageNet k-NN"
LINEAR_REAL: Final = "ImageNet-ReaL linear"
ZERO_SHOT: Final = "ImageNet zero-shot"


@dataclass(frozen=True, slots=True)
class Rung:
    """One backbone that can be downloaded.

    Attributes:
        name: of the bundle that is made of it.
        title: for people.
        architecture: the arguments of `build_network`.
        url: of the weights.
        sha256: of that file, its leading hex digits or all 64; empty where only the server can say it.
        size_bytes: of that file, to within some per cent.
        licence: of the weights, and whether it allows everything.
        source: the library that builds the network.
        side: of the square input, in pixels.
        mean: of each channel, on the scale 0 to 1.
        std: of each channel, on the same scale.
        dimension: D, the length of an embedding.
        expected: what was published of it: by name of the measure, 0 to 1. Measures differ in kind and
            are not to be compared with each other.
        milliseconds_mobilenet_v2: what a picture takes on a processor where MobileNetV2 at 224 pixels takes
            one millisecond: a rough ratio of processor times, measured on one core with torch.
        published: where `expected` is from.
    """

    name: str
    title: str
    architecture: Mapping[str, Any] = field(hash=False)
    url: str
    sha256: str
    size_bytes: int
    licence: str
    source: Literal["torchvision", "timm"]
    side: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    dimension: int
    expected: Mapping[str, float] = field(hash=False)
    milliseconds_mobilenet_v2: float
    published: str = ""

    @property
    def preprocessing(self) -> Preprocessing:
        """Return how a picture becomes the input of this network."""
        return Preprocessing(self.side, 3, self.mean, self.std)


def _torchvision(
    name: str,
    title: str,
    file: str,
    size_bytes: int,
    *,
    dimension: int,
    top1: float,
    cost: float,
    side: int = IMAGENET.side,
) -> Rung:
    """Return a rung of torchvision's; the name of its file carries the first eight digits of its hash."""
    return Rung(
        name.replace("_", "-"),
        title,
        {"kind": "torchvision", "model": name},
        f"https://download.pytorch.org/models/{file}",
        file.removesuffix(".pth").rpartition("-")[2],
        size_bytes,
        "BSD-3-Clause; trained on ImageNet",
        "torchvision",
        side,
        IMAGENET.mean,
        IMAGENET.std,
        dimension,
        {TOP1: top1},
        cost,
        "torchvision's own weight tables",
    )


def _timm(
    name: str,
    title: str,
    model: str,
    size_bytes: int,
    *,
    dimension: int,
    expected: Mapping[str, float],
    cost: float,
    published: str,
    licence: str = "Apache-2.0",
    hub: str = "",
    side: int = IMAGENET.side,
    mean: tuple[float, ...] = IMAGENET.mean,
    std: tuple[float, ...] = IMAGENET.std,
    **arguments: int,
) -> Rung:
    """Return a rung of timm's; its host states the hash of the whole file in a header of its answer."""
    return Rung(
        name,
        title,
        {"kind": "timm", "model": model, **arguments},
        f"https://huggingface.co/{hub or f'timm/{model}'}/resolve/main/model.safetensors",
        "",
        size_bytes,
        licence,
        "timm",
        side,
        mean,
        std,
        dimension,
        expected,
        cost,
        published,
    )


# DINOv2 was trained on 518 pixels; at 224, as its paper measures it, it takes a sixth of the time.
LADDER: Final[tuple[Rung, ...]] = (
    _torchvision(
        "mobilenet_v3_large",
        "MobileNetV3 large",
        "mobilenet_v3_large-5c1a4163.pth",
        22_132_000,
        dimension=960,
        top1=0.753,
        cost=0.85,
    ),
    _torchvision(
        "efficientnet_v2_s",
        "EfficientNetV2 small",
        "efficientnet_v2_s-dd5fe13b.pth",
        86_721_000,
        dimension=1280,
        top1=0.842,
        cost=17.0,
        side=384,
    ),
    _torchvision(
        "convnext_tiny",
        "ConvNeXt tiny",
        "convnext_tiny-983f1562.pth",
        114_419_000,
        dimension=768,
        top1=0.825,
        cost=8.0,
    ),
    _torchvision(
        "vit_b_16",
        "Vision transformer base",
        "vit_b_16-c867db91.pth",
        346_329_000,
        dimension=768,
        top1=0.811,
        cost=27.0,
    ),
    _timm(
        "dinov2-small",
        "DINOv2 small",
        "vit_small_patch14_dinov2.lvd142m",
        88_250_000,
        dimension=384,
        expected={KNN: 0.790},
        cost=9.6,
        published="Oquab et al. 2023",
        img_size=224,
    ),
    _timm(
        "dinov2-base",
        "DINOv2 base",
        "vit_base_patch14_dinov2.lvd142m",
        346_340_000,
        dimension=768,
        expected={KNN: 0.821},
        cost=36.0,
        published="Oquab et al. 2023",
        img_size=224,
    ),
    _timm(
        "dinov3-small",
        "DINOv3 small",
        "vit_small_patch16_dinov3.lvd1689m",
        86_370_000,
        dimension=384,
        expected={LINEAR_REAL: 0.870},
        cost=10.0,
        published="Siméoni et al. 2025",
        licence="DINOv3 License; commercial use under its conditions",
        side=256,
    ),
    _timm(
        "dinov3-base",
        "DINOv3 base",
        "vit_base_patch16_dinov3.lvd1689m",
        342_580_000,
        dimension=768,
        expected={LINEAR_REAL: 0.893},
        cost=37.0,
        published="Siméoni et al. 2025",
        licence="DINOv3 License; commercial use under its conditions",
        side=256,
    ),
    _timm(
        "siglip2-base",
        "SigLIP 2 base",
        "vit_base_patch16_siglip_224.v2_webli",
        371_560_000,
        dimension=768,
        expected={ZERO_SHOT: 0.782},
        cost=28.0,
        published="Tschannen et al. 2025",
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
    ),
    _timm(
        "mobileclip-s2",
        "MobileCLIP S2",
        "fastvit_mci2.apple_mclip",
        143_850_000,
        dimension=1280,
        expected={ZERO_SHOT: 0.744},
        cost=21.0,
        published="Vasu et al. 2024",
        licence="Apple ML Research; research only",
        hub="apple/mobileclip_s2_timm",
        side=256,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
    ),
)


def rung_of(name: str) -> Rung | None:
    """Return the rung of that name, None where there is none."""
    return next((rung for rung in LADDER if rung.name == name), None)
